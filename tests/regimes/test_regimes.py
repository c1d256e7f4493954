"""Every regime reads, its items are told apart, and what kinds say they meet exists."""

from __future__ import annotations

import datetime as dt
import fnmatch

import pytest

from factbook import regimes, shelf
from factbook.documents import kinds
from factbook.errors import UnknownName
from factbook.manifest import Subject

ANNEX = "eu-ai-act-annex-iv"


@pytest.mark.parametrize("name", regimes.names())
def test_a_regime_reads_and_cites_its_source(name: str) -> None:
    regime = regimes.load(name)
    assert regime.items
    assert regime.source
    assert all(item.cite and item.ask and item.fill for item in regime.items.values())


def test_no_two_regimes_share_an_item() -> None:
    every = [item for name in regimes.names() for item in regimes.load(name).items]
    assert len(every) == len(set(every))


def test_kinds_meet_items_that_exist() -> None:
    every = {item for name in regimes.names() for item in regimes.load(name).items}
    for name in kinds.names():
        kind = kinds.load(name)
        named = {item for part in (*kind.sections, *kind.questions) for item in part.meets}
        assert named <= every, name


def test_dates_follow_the_class_of_the_subject() -> None:
    regime = regimes.load(ANNEX)
    item = regime.items["eu-aia:annex-iv.1.a"]
    assert regime.since(item) == regime.since(item, "annex_iii_systems") == dt.date(2027, 12, 2)
    assert regime.since(item, "annex_i_systems") == dt.date(2028, 8, 2)
    with pytest.raises(UnknownName, match="annex_iii_systems"):
        regime.since(item, "annex_iii_system")


def test_an_unknown_regime_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=ANNEX):
        regimes.load("eu-ai-act-annex-4")


@pytest.mark.parametrize("name", regimes.names())
def test_items_name_facts_of_measures_that_exist(name: str) -> None:
    known = {f"{measure}/{metric.name}" for measure, module in shelf.modules("measures").items() for metric in module.METRICS}
    for item in regimes.load(name).items.values():
        for pattern in item.facts:
            assert fnmatch.filter(known, pattern.partition("?")[0]), (item.id, pattern)
        assert not item.facts or "measured" in item.fill, item.id
        assert not item.record or "recorded" in item.fill, item.id


def test_what_is_named_as_a_record_can_be_recorded() -> None:
    subject = {f"subject.{name}" for name in Subject.model_fields}
    known = subject | {"inputs", "runs", "system", "system.outside"}
    named = {record for name in regimes.names() for item in regimes.load(name).items.values() for record in item.record}
    assert named <= known
