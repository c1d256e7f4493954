"""An item is met by what answers it: never by a heading, a gap, an open question or a fact that no document shows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from factbook.book import Book
from factbook.errors import ManifestError, UnknownName
from factbook.regimes.coverage import Row, State, page

BOOK = """factbook: 1
subject: {{kind: model, name: risk, version: 1.2.0}}
sources:
  holdout: {{uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex]{used_for}}}
plan:
  performance: {{measure: classification, data: holdout, by: [sex]}}
  data: {{measure: profile, data: holdout}}
  fairness: {{measure: fairness, data: holdout, protected: {{sex: m}}, by: [sex]}}
{regimes}
"""
LATE = dt.date(2029, 1, 1)
CARD = "# Card\n\n## Intended use\n\n{use}\n\n## Quantitative analyses\n\n{quant}\n"


@pytest.fixture
def made(tmp_path: Path):
    def make(use: str = "", quant: str = "", regimes: str = "", used_for: str = "") -> Book:
        (tmp_path / "documents").mkdir(exist_ok=True)
        rows = "".join(f"{i % 2},{(i // 2) % 2},{'mf'[i % 3 == 0]}\n" for i in range(240))
        (tmp_path / "rows.csv").write_text("y,p,sex\n" + rows)
        (tmp_path / "factbook.yaml").write_text(BOOK.format(regimes=regimes, used_for=used_for and f", used_for: {used_for}"))
        (tmp_path / "documents" / "model-card.md").write_text(CARD.format(use=use, quant=quant))
        book = Book(tmp_path)
        book.measure()
        return Book(tmp_path)

    return make


def row(book: Book, regime: str, item: str, on: dt.date = LATE) -> Row:
    return next(row for row in book.coverage(regime, on=on).rows if row.item.id == item)


def test_an_answer_meets_what_its_question_says(made) -> None:
    found = row(made(use="**Purpose.** It ranks patients for a call."), "model-cards", "mitchell:use.primary")
    assert (found.state, found.by) == (State.AUTHORED, ("documents/model-card.md#intended-use",))


@pytest.mark.parametrize(
    "use",
    ["", "> **Open question [Q8](question:use.primary), purpose:** What for?", "**Purpose.**", "Purpose of other things is told elsewhere."],
)
def test_a_heading_an_open_question_and_an_empty_topic_are_no_answers(made, use: str) -> None:
    assert row(made(use=use), "model-cards", "mitchell:use.primary").state is State.OPEN


def test_a_fact_counts_where_a_document_shows_it(made) -> None:
    hidden = row(made(), "model-cards", "mitchell:quant.unitary")
    assert hidden.state is State.OPEN
    assert "no document shows it" in hidden.missing
    table = "<!-- fact:table performance by=sex metrics=n,fnr -->\n\n<!-- /fact -->"
    shown = row(made(quant=table), "model-cards", "mitchell:quant.unitary")
    assert shown.state is State.MEASURED
    assert "performance/fnr by sex" in shown.by


def test_what_applies_later_does_not_apply_yet(made) -> None:
    found = row(made(), "eu-ai-act-annex-iv", "eu-aia:annex-iv.1.a", dt.date(2026, 1, 1))
    assert (found.state, found.missing) == (State.NOT_APPLICABLE, "applies from 2027-12-02 on")


def test_what_was_repealed_stays_for_its_time(made) -> None:
    from factbook import regimes

    repealed = next(item for item in regimes.load("eu-ai-act-high-risk").items.values() if item.until is not None)
    book = made()
    assert row(book, "eu-ai-act-high-risk", repealed.id).missing == f"repealed from {repealed.until} on"


def test_factbook_yaml_says_what_does_not_apply_and_what_meets(made) -> None:
    declared = """regimes:
  model-cards:
    not_applicable: {"mitchell:details.license": it is never given to anybody}
    met_by: {"mitchell:use.users": ["documents/model-card.md#intended-use"]}
"""
    book = made(use="Nurses use it.", regimes=declared)
    assert row(book, "model-cards", "mitchell:details.license").missing == "it is never given to anybody"
    assert row(book, "model-cards", "mitchell:use.users").by == ("documents/model-card.md#intended-use",)
    with pytest.raises(ManifestError, match="say why it does not apply"):
        made(regimes="regimes: {model-cards: {not_applicable: {'mitchell:details.license': ' '}}}")
    with pytest.raises(UnknownName, match=r"did you mean mitchell:use\.users"):
        made(regimes="regimes: {model-cards: {met_by: {'mitchell:use.user': [x]}}}").coverage("model-cards")


def test_items_that_begin_alike_are_excused_together(made) -> None:
    declared = """regimes:
  eu-ai-act-gpai:
    not_applicable:
      "eu-aia:ssmr.*": it has no systemic risk
      "eu-aia:ssmr.7.7": nobody asked
"""
    found = {row.item.id: row for row in made(regimes=declared).coverage("eu-ai-act-gpai", on=LATE).rows}
    assert found["eu-aia:ssmr.7.1.1"].missing == "it has no systemic risk"
    assert found["eu-aia:ssmr.7.7"].missing == "nobody asked"
    assert sum(row.state is State.NOT_APPLICABLE for row in found.values()) == 19
    with pytest.raises(UnknownName):
        made(regimes="regimes: {eu-ai-act-gpai: {not_applicable: {'eu-aia:smr.*': x}}}").coverage("eu-ai-act-gpai")


def test_the_matrix_counts_every_item_once_and_is_written(made) -> None:
    book = made()
    found = book.coverage("eu-ai-act-annex-iv", on=LATE)
    assert sum(found.counts.values()) == len(found.rows)
    assert "%" not in page(found)
    written = (book.root / "dist" / "coverage" / "eu-ai-act-annex-iv.md").read_text()
    assert written == page(found)
    assert all(f"`{row.item.id}`" in written for row in found.rows)


PROFILE = "There are [](fact:data/rows) rows, [](fact:data/missing_share;column=y) without a label."
TABLE = "<!-- fact:table performance by=sex metrics=n,fnr -->\n\n<!-- /fact -->"


def test_a_profile_of_test_data_says_nothing_about_training_data(made) -> None:
    undeclared = row(made(quant=PROFILE), "model-cards", "mitchell:training_data")
    assert undeclared.state is State.OPEN
    assert "say `used_for: training`" in undeclared.missing
    tested = row(made(quant=PROFILE, used_for="[testing, external]"), "model-cards", "mitchell:training_data")
    assert tested.state is State.OPEN
    assert "data/rows comes from data used for testing and testing elsewhere)" in tested.missing
    trained = row(made(quant=PROFILE, used_for="training"), "model-cards", "mitchell:training_data")
    assert (trained.state, trained.by[-1]) == (State.RECORDED, "inputs@training")


def test_figures_on_training_data_alone_are_no_performance(made) -> None:
    fitted = row(made(quant=TABLE, used_for="training"), "model-cards", "mitchell:quant.unitary")
    assert fitted.state is State.OPEN
    assert "used for training alone" in fitted.missing
    assert row(made(quant=TABLE, used_for="[training, testing]"), "model-cards", "mitchell:quant.unitary").state is State.MEASURED


@pytest.mark.parametrize(
    ("regime", "item"),
    [
        ("nist-ai-600-1", "nist-gai:bias"),
        ("nist-ai-rmf", "nist-rmf:MEASURE-2.11"),
        ("chai-model-card", "chai:KeyMetrics.FairnessEquity.Results.MetricResult.ValueJson"),
        ("iso-42001-annex-a", "iso42001:A.5.4"),
        ("onc-hti-1", "hti1:7.ii"),
    ],
)
def test_rates_by_group_are_no_measure_of_bias(made, regime: str, item: str) -> None:
    assert row(made(quant=TABLE, used_for="testing"), regime, item).state in {State.OPEN, State.PARTLY}


@pytest.mark.parametrize(
    ("used_for", "met"),
    [
        ("", set()),
        ("testing", {"hti1:7.i", "hti1:7.ii"}),
        ("external", {"hti1:7.iii", "hti1:7.iv"}),
        ("operation", {"hti1:8.ii", "hti1:8.iv"}),
        ("training", set()),
    ],
)
def test_what_data_are_used_for_tells_internal_external_and_local_validity_apart(made, used_for: str, met: set[str]) -> None:
    unequal = "<!-- fact:table fairness by=sex metrics=fnr_difference -->\n\n<!-- /fact -->"
    book = made(quant=f"{TABLE}\n\n{unequal}", used_for=used_for)
    found = {row.item.id for row in book.coverage("onc-hti-1", on=LATE).rows if row.state is State.MEASURED}
    assert found == met


def test_where_two_things_are_asked_one_is_not_enough(made) -> None:
    overall = row(made(quant="It is right in [](fact:performance/accuracy)."), "eu-ai-act-annex-iv", "eu-aia:annex-iv.3")
    assert overall.state is State.PARTLY
    assert "was measured, but no document shows it" in overall.missing
    both = row(made(quant=TABLE), "eu-ai-act-annex-iv", "eu-aia:annex-iv.3")
    assert [way for way in both.by if way.startswith("performance/fnr")] == ["performance/fnr", "performance/fnr by sex"]
    assert "an answer" not in both.missing or "performance" not in both.missing


def test_what_applies_later_says_how_it_would_stand(made) -> None:
    early = dt.date(2026, 1, 1)
    found = row(made(), "eu-ai-act-annex-iv", "eu-aia:annex-iv.1.a", early)
    assert found.then is not None
    assert found.then == row(made(), "eu-ai-act-annex-iv", "eu-aia:annex-iv.1.a")
    whole = made().coverage("eu-ai-act-annex-iv", on=early)
    assert sum(whole.later.values()) == whole.counts[State.NOT_APPLICABLE] == 23


@pytest.mark.parametrize(
    ("regime", "chosen", "on", "applies"),
    [
        ("eu-ai-act-annex-iv", "annex_iii_systems", dt.date(2027, 12, 1), 0),
        ("eu-ai-act-annex-iv", "annex_iii_systems", dt.date(2027, 12, 2), 23),
        ("eu-ai-act-annex-iv", "annex_i_systems", dt.date(2027, 12, 2), 0),
        ("eu-ai-act-annex-iv", "annex_i_systems", dt.date(2028, 8, 2), 23),
        ("eu-ai-act-transparency", "systems", dt.date(2026, 8, 1), 0),
        ("eu-ai-act-transparency", "systems", dt.date(2026, 8, 2), 4),
        ("eu-ai-act-transparency", "generators_on_market_before", dt.date(2026, 12, 1), 3),
        ("eu-ai-act-transparency", "generators_on_market_before", dt.date(2026, 12, 2), 4),
        ("eu-ai-act-gpai", "new_models", dt.date(2025, 8, 1), 0),
        ("eu-ai-act-gpai", "new_models", dt.date(2025, 8, 2), 117),
        ("eu-ai-act-gpai", "models_on_market_before", dt.date(2026, 8, 2), 0),
        ("eu-ai-act-gpai", "models_on_market_before", dt.date(2027, 8, 2), 117),
        ("eu-ai-act-high-risk", "annex_iii_systems", dt.date(2026, 7, 26), 0),
        ("eu-ai-act-high-risk", "annex_iii_systems", dt.date(2026, 7, 27), 1),  # Art. 4a
        ("eu-ai-act-high-risk", "annex_iii_systems", dt.date(2027, 12, 2), 140),  # all but two that were deleted before
        ("onc-hti-1", "certified_health_it", dt.date(2024, 12, 31), 0),
        ("onc-hti-1", "certified_health_it", dt.date(2025, 1, 1), 31),
        ("sr-26-2", "", dt.date(2026, 4, 16), 19),
        ("sr-26-2", "", dt.date(2026, 4, 17), 21),
    ],
)
def test_as_many_items_apply_as_the_law_says_for_the_day(made, regime: str, chosen: str, on: dt.date, applies: int) -> None:
    book = made(regimes=f"regimes: {{{regime}: {{class: {chosen}}}}}" if chosen else f"regimes: [{regime}]")
    found = book.coverage(regime, on=on)
    assert sum(1 for row in found.rows if row.state is not State.NOT_APPLICABLE) == applies


def test_the_span_of_a_judgement_ends_where_the_law_changes(made) -> None:
    book = made()
    assert book.coverage("eu-ai-act-annex-iv", on=dt.date(2026, 1, 1)).span.startswith("Judged for days up to 2027-12-01: on 2027-12-02")
    assert book.coverage("eu-ai-act-annex-iv", on=LATE).span == "Judged for days from 2027-12-02 on."
    assert book.coverage("model-cards", on=LATE).span == ""


def test_check_judges_as_of_a_day(made) -> None:
    book = made(regimes="stage: released\nregimes: {eu-ai-act-annex-iv: {class: annex_iii_systems}}")
    before, after = (book.check(on=dt.date(2027, 12, day)) for day in (1, 2))
    assert not [finding for finding in before.findings if finding.code == "FB203"]
    assert len([finding for finding in after.findings if finding.code == "FB203"]) >= 20
