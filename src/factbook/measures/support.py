"""How many of the claims of an answer its context supports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from factbook.errors import SourceError
from factbook.measures.influence import ratio
from factbook.measures.outputs import Judged, Slices, share
from factbook.measures.request import Answer
from factbook.model import Unit
from factbook.statistics import moments
from factbook.statistics.moments import Floats, tidy

METRICS: Final = (
    share(
        "faithfulness",
        "faithfulness of answers",
        "faithfulness",
        Unit.FRACTION,
        "mean of claims supported by the context / claims, over outputs that make one",
        "Es et al. 2024, EACL demonstrations, 150",
    ),
    share(
        "claim_support",
        "share of supported claims",
        "supported claims",
        Unit.FRACTION,
        "claims supported by the context / claims of all outputs",
        "Min et al. 2023, EMNLP, 12076",
    ),
)
Claims = tuple[Floats, Floats]
"""Per output, how many claims the context supports, of how many."""
_VERDICTS: Final = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}
_NONE: Final = "no output makes a claim"


def counted(verdicts: Sequence[Sequence[str]], where: str) -> Claims:
    """From a list of verdicts for each output.

    Raises:
        SourceError: one is neither true nor false.
    """
    strange = sorted({verdict for own in verdicts for verdict in own if verdict.lower() not in _VERDICTS})
    if strange:
        raise SourceError(f"{where} holds {strange[0]!r}", remedy="write a list of true and false, one for each claim")
    supported = [sum(_VERDICTS[verdict.lower()] for verdict in own) for own in verdicts]
    return np.array(supported, dtype=np.float64), np.array([len(own) for own in verdicts], dtype=np.float64)


def judged(claimed: Claims) -> Judged:
    """The share of each output's own claims."""
    supported, claims = claimed
    return Judged("faithfulness", (), supported / np.where(claims > 0, claims, 1.0), claims > 0, False, _NONE)


def add(answer: Answer, claimed: Claims, slices: Slices) -> None:
    """The share of all claims that are supported: outputs, or samples, vary independently, claims of one do not."""
    supported, claims = claimed
    method = f"Student's t over {'outputs' if slices.clusters is None else 'samples'}, linearised"
    for i, place in enumerate(slices.names):
        own = (slices.index == i) & (claims > 0)
        n, estimate = int(own.sum()), ratio(supported[own], claims[own])
        if estimate is None or n < slices.below:
            answer.add("claim_support", None, slice=place, undefined=slices.lacking(n, "make a claim", _NONE))
            continue
        unit = np.arange(n) if slices.clusters is None else np.unique(slices.clusters[own], return_inverse=True)[1].reshape(-1)
        influence = np.bincount(unit, weights=estimate.influence)
        m = len(influence)
        variance = float(np.sum(influence**2)) * m / max(m - 1, 1)
        interval = moments.student(estimate.value, variance, m, answer.level, method, (0.0, 1.0))
        counts = {"k": int(supported[own].sum()), "n": int(claims[own].sum())}
        answer.add("claim_support", tidy(estimate.value), slice=place, n=counts["n"], interval=interval, counts=counts)
