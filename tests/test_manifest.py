"""factbook.yaml: what is declared, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from factbook import manifest
from factbook.errors import ManifestError
from factbook.manifest import Group, Manifest, Stage

MINIMAL = "factbook: 1\nsubject: {name: risk}\n"
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "manifest" / "refused.yaml").read_text(encoding="utf-8"))
WHOLE = """
factbook: 1
subject: {kind: model, name: progression-risk, version: 1.2.0, owner: ml-team@example.org}
stage: validation
sources:
  holdout: {uri: data/holdout.parquet, label: high, positive: "1", score: probability, cut: 0.35, key: id,
            by: {age_band: {column: age, cuts: [40, 60]}, sex: {column: sex, names: {"1": men, "2": women}}}}
  train: {uri: data/train.parquet, by: [sex]}
plan:
  performance: {measure: classification, data: holdout, by: [sex, [sex, age_band]], bins: 10}
thresholds:
  performance/auc: {at_least: 0.80, bound: lower}
claims: {young-missed-more: "{performance/fnr?age_band=<40} > {performance/fnr?age_band=40-59}"}
gaps: {ethnicity: {why: not recorded at any site, since: 2026-10-01}}
"""


def book(text: str) -> Manifest:
    return manifest.read(text)[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_wrong_is_refused_with_its_line(case: dict[str, str]) -> None:
    text = case["whole"] if "whole" in case else MINIMAL + case["add"]
    with pytest.raises(ManifestError) as caught:
        manifest.read(text)
    assert case["says"] in str(caught.value)
    assert "factbook.yaml" in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        manifest.read("factbook: 1\nsubject: {}\nstage: live\nlevel: 7\n")
    assert all(said in str(caught.value) for said in ("subject.name", "stage", "level"))


def test_a_whole_book() -> None:
    read = book(WHOLE)
    assert read.stage is Stage.VALIDATION
    assert read.sources["holdout"].cut == Decimal("0.35")
    assert read.sources["holdout"].positive == "1"
    assert read.sources["train"].by == {"sex": Group(column="sex")}
    assert read.plan["performance"].by == (("sex",), ("age_band", "sex"))
    assert read.plan["performance"].params == {"data": "holdout", "bins": "10"}
    assert read.thresholds["performance/auc"].at_least == Decimal("0.80")
    assert read.gaps["ethnicity"].since == dt.date(2026, 10, 1)
    assert read.level == Decimal("0.95")


@pytest.mark.parametrize("word", ["NO", "yes", "010", "1:30", "1.0", "~", "true"])
def test_labels_and_groups_stay_the_text_that_was_written(word: str) -> None:
    read = book(
        MINIMAL + f"sources: {{a: {{uri: a.csv, label: y, positive: {word}, prediction: p, by: {{g: {{column: g, names: {{{word}: {word}}}}}}}}}}}\n"
    )
    assert read.sources["a"].positive == word
    assert read.sources["a"].by["g"].names == {word: word}


@pytest.mark.parametrize(
    ("cuts", "bands"),
    [
        (["40", "60"], ("<40", "40-59", "60+")),
        (["40"], ("<40", "40+")),
        (["1", "2"], ("<1", "1", "2+")),
        (["0.5", "1.5"], ("<0.5", "0.5-<1.5", "1.5+")),
        (["-1", "0"], ("<-1", "-1", "0+")),
        (["1E+2", "200"], ("<100", "100-199", "200+")),
        ([], ()),
    ],
)
def test_bands_are_named_after_their_cuts(cuts: list[str], bands: tuple[str, ...]) -> None:
    assert Group(column="x", cuts=tuple(map(Decimal, cuts))).bands() == bands
    assert len(set(bands)) == len(bands)


def test_bands_can_have_names_of_their_own() -> None:
    assert Group(column="x", cuts=(Decimal(40),), names={"<40": "young", "40+": "older"}).bands() == ("young", "older")


def test_stages_come_in_order() -> None:
    assert Stage.RELEASED.reached(Stage.DRAFT)
    assert not Stage.DRAFT.reached(Stage.VALIDATION)


def test_a_folder_without_a_book_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="factbook init"):
        manifest.load(tmp_path)


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_bytes("factbook: 1\nsubject: {name: Größe}\n".encode("latin-1"))
    with pytest.raises(ManifestError, match="not UTF-8"):
        manifest.load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert manifest.load(tmp_path)[0].subject.name == "risk"
