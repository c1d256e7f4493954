"""Absolutes, intensifiers and words of praise are left to others.

Why: "always correct", "extremely reliable" and "cutting-edge" say more than anything that was measured, or nothing.

Bad:  The model never misses a patient.
Bad:  It is an extremely powerful, cutting-edge model.
Good: The model misses [19.5 %](fact:performance/fnr) of patients.
Good: Results are not guaranteed outside the clinic.

A matter of style: always a warning, never a reason to fail. Quotations, questions, conditions and denials ("not perfect", "no guarantee") are left
alone. style.yaml adds words and allows words.
Fix: say what was measured, or leave the word out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from factbook.rules import Checked, Problem
from factbook.rules.style import Style, pattern
from factbook.rules.wording import Said, said, tokens

CODE: Final = "FB311"
NAME: Final = "words-are-measured"
LANGUAGES: Final = ("en",)
STYLE: Final = True

_PRAISED: Final = (
    r"accurate|reliable|robust|effective|efficient|fast|safe|secure|fair|useful|capable|scalable|powerful|optimi[sz]ed|advanced|precise|competitive|"
    r"performant|sophisticated|intelligent|valuable|trustworthy|transparent|flexible|accessible|well|good|high|low|strong|small|easy|simple|popular"
)
_DOES: Final = (
    r"fails?|errs?|misses|miss|works?|correct|right|wrong|accurate|reliable|identif(?:y|ies)|detects?|predicts?"
    r"|produces?|finds?|makes?|gives?|outputs?|returns?"
)
ABSOLUTES: Final = (
    rf"(?:always|never)(?: \w+ly)? (?:{_DOES})|is (?:always|never) (?:correct|right|wrong|accurate|reliable|biased)|guarantee(?:s|d)?"
    r"|(?:completely|entirely|fully|totally|absolutely|perfectly) (?:safe|secure|unbiased|fair|accurate|reliable|objective|neutral"
    r"|anonymous|robust|correct|transparent)"
    r"|flawless(?:ly)?|infallible|fool-?proof|fail-?safe|bias-free|error-free|risk-free|zero[- ]risk|unbiased(?! (?:estimat\w+|sampl\w+|variance))"
    r"|(?:eliminates?|removes?) (?:all |any |the )?(?:bias|risk|errors?|harm)|cannot (?:fail|err|be wrong)"
    r"|undoubtedly|unquestionably|undeniabl[ey]|beyond (?:any )?doubt|without (?:a |any )?doubt|needless to say|it is (?:clear"
    r"|obvious) that|obviously"
)
INTENSIFIERS: Final = (
    rf"(?:very|extremely|highly|incredibly|remarkably|exceptionally|extraordinarily|tremendously|hugely|truly|really|quite"
    rf"|super) (?:{_PRAISED})(?:ly)?"
    r"|dramatic(?:ally)? (?:improve\w*|reduc\w+|increas\w+|better)|vastly|massively|incredibl[ey]|extraordinar(?:y|ily)|tremendous(?:ly)?"
)
PROMOTIONAL: Final = (
    r"cutting[- ]edge|bleeding[- ]edge|world[- ]class|best[- ]in[- ]class|(?:industry|market|world)[- ]leading|next[- ]generation"
    r"|revolution(?:ary|i[sz]\w+)"
    r"|ground-?breaking|game[- ]chang(?:ing|er)|seamless(?:ly)?|effortless(?:ly)?|unparalleled|unrivalled|unrivaled|unmatched|unprecedented"
    r"|blazing(?:ly)?"
    r"|lightning[- ]fast|super-?human|magical(?:ly)?|stunning(?:ly)?|amazing(?:ly)?|impressive(?:ly)?|outstanding(?! (?:loans?|debts?"
    r"|balances?|amounts?|"
    r"issues?|questions?|items?|actions?|payments?|credits?|tasks?|work|claims?))|excellent|remarkabl[ey]|powerful|"
    r"(?:strong|great|excellent|superb) (?:\w+ )?(?:results?|performance|accuracy)"
)
_SORTS: Final = (
    ("absolutes", ABSOLUTES, "an absolute"),
    ("intensifiers", INTENSIFIERS, "an intensifier"),
    ("promotional", PROMOTIONAL, "a word of praise"),
)
_NEVER: Final = re.compile(r"(?:always|never|is (?:always|never))\b", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for words that no measurement can bear out."""
    for name, built_in, what in _SORTS:
        for item in said(checked, pattern(getattr(checked.style, name), built_in)):
            if not _modest(item):
                yield item.problem(f"{item.words!r} is {what}", "say what was measured, or leave it out")


def vale(style: Style) -> dict[str, Any]:
    """The words for an editor."""
    found = tokens(style, tuple(name for name, _, _ in _SORTS), "|".join(built_in for _, built_in, _ in _SORTS))
    return found | {"message": "'%s' says more than was measured."}


def _modest(item: Said) -> bool:
    """Whether the sentence denies, supposes or asks for it; a rule for people ("never make …") is asked for."""
    return item.negated or item.supposed or item.advised or (bool(_NEVER.match(item.words)) and not item.before.strip())
