"""The facts reach what factbook.yaml requires of them.

Why: a threshold that nobody compares is a wish.

Bad:  performance/auc: {at_least: 0.80, bound: lower}       and the interval of the AUC begins at 0.76
Good: the lower end reaches it, or the threshold is changed by whoever may decide that

Fails from `validation` on; in draft it is listed. What is not established is not met.
Fix: a better model, more cases, or another threshold, with the reason in the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.evidence.catalog import Met, Requirement
from factbook.manifest import FILE, Stage
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB303"
NAME: Final = "threshold-is-met"
WHOLE: Final = True


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare every threshold with its fact."""
    for required in checked.catalog.requirements():
        if required.verdict is Met.MET:
            continue
        line = checked.lines.get(("thresholds", str(required.key)), checked.lines.get(("thresholds",), 1))
        if checked.reached(Stage.VALIDATION):
            yield Problem(FILE, line, 1, _said(required), "a better model, more cases, or another threshold and its reason")
        else:
            yield NotJudged(_said(required), "required from validation on", FILE, line)


def _said(required: Requirement) -> str:
    limits = [
        f"at least {required.at_least}" if required.at_least is not None else "",
        f"at most {required.at_most}" if required.at_most is not None else "",
    ]
    judged = {"lower": "the lower end of ", "upper": "the upper end of "}.get(required.bound, "")
    reason = f" ({required.reason})" if required.reason else ""
    return f"{judged}{required.key} must be {' and '.join(filter(None, limits))}: {required.verdict}{reason}"
