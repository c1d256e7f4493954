"""Keeps facts with what made them: what was measured, from which bytes, by which measure; and what follows from the facts.

store.py        evidence files, written and loaded        reading.py   read strictly
record.py       what facts rest on, their identity        form.py      the written form of one fact
runs.py         run records, apart from the facts         locking.py   one writer at a time
plan.py         measure what is out of date; freshness
history.py      what was hidden before, and stays hidden  adding.py    a further part of a source
folders.py      one JSON file a name                      sessions.py  what the code of documents printed
quoted.py       what other books and cards say            renamed.py   evidence under another name
assumed.py      what a measurement rests on besides sources
settling.py     how many more cases would settle a comparison
algebra.py      values of claims and derived facts
uncertainty.py  their intervals                           claims.py    verdicts
derived.py      facts from facts                          catalog.py   what documents, charts, rules and publishers ask
"""

from __future__ import annotations

from factbook.evidence.locking import lock
from factbook.evidence.plan import Freshness, Outcome, State, freshness, measure_plan
from factbook.evidence.runs import Run
from factbook.evidence.store import GIT_ATTRIBUTES, Evidence, Input, Record, identity

__all__ = [
    "GIT_ATTRIBUTES",
    "Evidence",
    "Freshness",
    "Input",
    "Outcome",
    "Record",
    "Run",
    "State",
    "freshness",
    "identity",
    "lock",
    "measure_plan",
]
