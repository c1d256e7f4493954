"""Every regime reads, its items are told apart, and what kinds say they meet exists."""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from pathlib import Path
from typing import get_args

import pytest

from factbook import regimes, shelf
from factbook.documents import kinds
from factbook.errors import UnknownName
from factbook.manifest import Subject, Use
from factbook.regimes import Pattern

ANNEX = "eu-ai-act-annex-iv"


@pytest.mark.parametrize("name", regimes.names())
def test_a_regime_reads_and_cites_its_source(name: str) -> None:
    regime = regimes.load(name)
    assert regime.items
    assert regime.source
    assert all(item.cite and item.ask and item.fill for item in regime.items.values())


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("nist-ai-rmf", 72),  # subcategories of GOVERN, MAP, MEASURE and MANAGE
        ("nist-ai-600-1", 12),  # risks of section 2
        ("iso-42001-annex-a", 38),  # controls
        ("onc-hti-1", 31),  # source attributes
        ("datasheets", 57),  # questions, and "other comments" of each of seven sections
        ("model-cards", 29),
        ("mlperf-system", 36),  # fields
        ("model-openness-framework", 17),  # components
        ("data-cards", 166),  # fields of the extended template
        ("eu-ai-act-annex-iv", 23),  # points and sub-points
    ],
)
def test_a_regime_has_as_many_items_as_its_source(name: str, items: int) -> None:
    assert len(regimes.load(name).items) == items


def test_every_article_of_the_duties_and_every_point_of_the_annexes_is_there() -> None:
    duties = {re.sub(r"\W.*", "", key.removeprefix("eu-aia:art-")) for key in regimes.load("eu-ai-act-high-risk").items if ":art-" in key}
    assert {*map(str, range(9, 16)), "17", "18", "26", "27", "72", "73"} <= duties
    points = set(regimes.load("eu-ai-act-high-risk").items)
    assert {f"eu-aia:art-17.1.{letter}" for letter in "abcdefghijklm"} <= points
    assert {f"eu-aia:art-10.2.{letter}" for letter in "abcdefgh"} <= points
    assert {f"eu-aia:art-27.1.{letter}" for letter in "abcdef"} <= points
    models = set(regimes.load("eu-ai-act-gpai").items)
    assert {f"eu-aia:art-53.1.{letter}" for letter in "abcd"} <= models
    assert {f"eu-aia:annex-xi.1.1.{letter}" for letter in "abcdef"} | {f"eu-aia:annex-xi.1.2.{letter}" for letter in "abcde"} <= models
    assert {f"eu-aia:annex-xi.2.{number}" for number in "123"} | {f"eu-aia:annex-xii.1.{letter}" for letter in "abcdefgh"} <= models
    assert {f"eu-aia:annex-xii.2.{letter}" for letter in "abc"} <= models


def test_the_guide_lists_every_regime_with_its_items_and_dates() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "regimes.md").read_text()
    for name in regimes.names():
        regime = regimes.load(name)
        dates = "; ".join(f"{applies.since}: `{subject}`" for subject, applies in regime.classes.items())
        assert f"| `{name}` | {regime.title} | {len(regime.items)} | {dates} |" in page, name
    assert all(f"`{name}`" in page for name in ("performance", "differences", "size"))


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
        for pattern in (pattern for group in item.facts for pattern in group):
            assert fnmatch.filter(known, pattern.name), (item.id, pattern)
        assert not item.facts or "measured" in item.fill, item.id
        assert not item.record or "recorded" in item.fill, item.id


@pytest.mark.parametrize(("name", "metrics"), regimes.sets().items())
def test_a_set_holds_facts_that_exist_each_of_which_meets_alone(name: str, metrics: tuple[str, ...]) -> None:
    known = {f"{measure}/{metric.name}" for measure, module in shelf.modules("measures").items() for metric in module.METRICS}
    assert all(fnmatch.filter(known, metric) for metric in metrics), name


def test_no_difference_of_labels_passes_for_a_difference_of_errors() -> None:
    fit = {metric.name for metric in shelf.find("measures", "fairness").METRICS for name in regimes.sets()["differences"]
           if fnmatch.fnmatchcase(f"fairness/{metric.name}", name)}  # fmt: skip
    assert {"fnr_difference", "precision_ratio", "equalised_odds_difference", "mae_gap", "auc_difference"} <= fit
    assert not {name for name in fit if name.startswith("prevalence") or name.endswith(("_p", "_mdd", "_cases_needed"))}


@pytest.mark.parametrize(
    ("written", "fits"),
    [
        ("a/b", ("a/b", 0, set())),
        ("a/*?", ("a/b", 1, set())),
        ("a/b?&", ("a/b", 3, set())),
        ("a/b@training", ("a/b", 0, {"training", "testing"})),
        ("a/b@!training", ("a/b", 0, set())),
        ("a/b@!training", ("a/b", 0, {"training", "testing"})),
    ],
)
def test_a_pattern_fits(written: str, fits: tuple[str, int, set[str]]) -> None:
    assert regimes.Item(id="x", ask="x", cite="x", fill=("measured",), facts=(written,)).facts[0][0].fits(fits[0], fits[1], frozenset(fits[2]))


@pytest.mark.parametrize(
    ("written", "not_fits"),
    [
        ("a/b", ("a/b", 1, set())),
        ("a/*?", ("a/b", 2, set())),
        ("a/b?&", ("a/b", 1, set())),
        ("a/b@training", ("a/b", 0, set())),
        ("a/b@training", ("a/b", 0, {"testing"})),
        ("a/b@!training", ("a/b", 0, {"training"})),
    ],
)
def test_a_pattern_does_not_fit(written: str, not_fits: tuple[str, int, set[str]]) -> None:
    pattern = regimes.Item(id="x", ask="x", cite="x", fill=("measured",), facts=(written,)).facts[0][0]
    assert not pattern.fits(not_fits[0], not_fits[1], frozenset(not_fits[2]))


def test_a_set_stands_for_its_facts_with_the_same_marks() -> None:
    item = regimes.Item(id="x", ask="x", cite="x", fill=("measured",), facts=("size@training",))
    assert item.facts == (tuple(Pattern(name, "", "training") for name in regimes.sets()["size"]),)


def test_of_a_list_of_lists_one_of_each_is_needed() -> None:
    item = regimes.Item.model_validate({"id": "x", "ask": "x", "cite": "x", "fill": ["measured"], "facts": [["a/b", "a/c"], "a/d"]})
    assert [[pattern.name for pattern in group] for group in item.facts] == [["a/b", "a/c"], ["a/d"]]


@pytest.mark.parametrize(("written", "said"), [("sizes", "there is no set"), ("a/b@train", "names no facts"), ("a/b?&?", "names no facts")])
def test_a_pattern_that_means_nothing_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        regimes.Item(id="x", ask="x", cite="x", fill=("measured",), facts=(written,))


def test_what_is_named_as_a_record_can_be_recorded() -> None:
    subject = {f"subject.{name}" for name in Subject.model_fields}
    known = subject | {"inputs", "runs", "system", "system.outside"} | {f"inputs@{use}" for use in get_args(Use)}
    named = {record for name in regimes.names() for item in regimes.load(name).items.values() for record in item.record}
    assert named <= known
