from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factbook.charts import ChartSpec, render, svg
from factbook.charts.intervals import Axis
from factbook.errors import DocumentError, UnknownName
from factbook.evidence import runs, store
from factbook.evidence.catalog import Catalog
from factbook.manifest import read
from factbook.model import Artifact, Fact, Key, Measured, Status, Unit

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</title><script>alert("x")</script>&\u202e a name that is far too long to be shown in whole'
MANIFEST = "factbook: 1\nsubject: {name: x}\nsources: {a: {uri: a.csv, by: {age: {column: age, cuts: [40, 60]}}}}\n"
BY_AGE = ChartSpec("performance", "fnr", ("age",))


def rate(value: float | None, reason: str = "", **groups: str) -> Fact:
    key = Key("performance", "fnr", (), tuple(sorted(groups.items())))
    if value is None:
        return Fact(key, Status.SUPPRESSED, reason=reason, unit=Unit.FRACTION, bounds=(0.0, 1.0))
    low, high = max(value - 0.1, 0.0), min(value + 0.1, 1.0)
    return Fact(key, value=value, low=low, high=high, level=0.95, method="Wilson", n=48, unit=Unit.FRACTION, bounds=(0.0, 1.0))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    facts = [rate(0.195), rate(0.4375, age="<40"), rate(0.18, age="40-59"), rate(None, "fewer than 10 rows", age="60+"), rate(0.3, site=HOSTILE)]
    facts += [Fact(Key("performance", name), value=value, unit=Unit.COUNT) for name, value in (("tp", 30), ("fn", 10), ("fp", 0), ("tn", 12345))]
    made = Measured("performance", "classification", 1, tuple(facts), {}, {"data": Artifact("a", "sha256:00", 1, 1, 1)})
    store.write(tmp_path, made, runs.Run("2026-11-21T01:02:03Z", {}, "Linux"))
    return Catalog(read(MANIFEST)[0], store.Evidence.load(tmp_path))


def texts(drawing: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def test_every_group_has_its_row_in_the_declared_order(catalog: Catalog) -> None:
    shown = texts(render(BY_AGE, catalog))
    assert [text for text in shown if text in ("<40", "40-59", "60+")] == ["<40", "40-59", "60+"]
    assert "43.8 (33.8–53.8)" in shown
    assert "suppressed: fewer than 10 rows" in shown
    assert "overall 19.5 %" in shown
    assert "per cent (95 % interval)" in shown


def test_marks_are_where_the_values_are(catalog: Catalog) -> None:
    drawing = ElementTree.fromstring(render(BY_AGE, catalog))
    dots = [float(element.attrib["cx"]) for element in drawing.iter(f"{SVG}circle")]
    lines = [(float(e.attrib["x1"]), float(e.attrib["x2"])) for e in drawing.iter(f"{SVG}line") if e.attrib["class"] == "w"]
    ticks = {
        text: float(e.attrib["x"])
        for e in drawing.iter(f"{SVG}text")
        for text in [e.text or ""]
        if text.endswith(" %") and e.attrib["class"] == "s m"
    }
    zero, forty = ticks["0 %"], ticks["40 %"]

    def place(value: float) -> float:
        return zero + (forty - zero) * value / 0.4

    assert dots == pytest.approx([place(0.4375), place(0.18)], abs=0.02)
    assert lines[0] == pytest.approx((place(0.3375), place(0.5375)), abs=0.02)


def test_it_is_described_for_who_does_not_see_it(catalog: Catalog) -> None:
    drawing = ElementTree.fromstring(render(BY_AGE, catalog))
    assert drawing.attrib["role"] == "img"
    title, description = drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert drawing.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert "60+: suppressed: fewer than 10 rows" in (description.text or "")
    assert "<40: 43.8 % (33.8–53.8), n = 48" in (description.text or "")


def test_it_follows_the_reader_into_the_dark_and_asks_nobody_for_anything(catalog: Catalog) -> None:
    drawing = render(BY_AGE, catalog)
    assert "prefers-color-scheme:dark" in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")


def test_hostile_names_stay_text_and_are_shortened_with_their_whole_name_at_hand(catalog: Catalog) -> None:
    drawing = ElementTree.fromstring(render(ChartSpec("performance", "fnr", ("site",)), catalog))
    assert not list(drawing.iter(f"{SVG}script"))
    assert HOSTILE in [element.text for element in drawing.iter(f"{SVG}title")]
    assert any((element.text or "").endswith("…") for element in drawing.iter(f"{SVG}text"))


def test_the_same_facts_give_the_same_bytes(catalog: Catalog) -> None:
    assert render(BY_AGE, catalog) == render(BY_AGE, Catalog(catalog.manifest, catalog.evidence))


def test_confusion_counts(catalog: Catalog) -> None:
    shown = texts(render(ChartSpec("performance", kind="confusion"), catalog))
    assert {"30", "10", "0", "12\u202f345"} <= set(shown)
    assert "75.0 % of actual positives" in shown
    assert "0.0 % of actual negatives" in shown


def test_the_matrix_of_many_classes(tmp_path: Path) -> None:
    counts = {("cat", "cat"): 30, ("cat", "dog"): 10, ("dog", "cat"): 0, ("dog", "dog"): 5}
    facts = [
        Fact(Key("performance", "confusion", (("label", label), ("prediction", other))), value=value, unit=Unit.COUNT)
        for (label, other), value in counts.items()
    ]
    made = Measured("performance", "classification", 1, tuple(facts), {}, {"data": Artifact("a", "sha256:00", 1, 1, 1)})
    store.write(tmp_path, made, runs.Run("2026-11-21T01:02:03Z", {}, "Linux"))
    drawing = render(ChartSpec("performance", kind="confusion"), Catalog(read(MANIFEST)[0], store.Evidence.load(tmp_path)))
    assert {"cat", "dog", "30", "10", "40", "5"} <= set(texts(drawing))
    titles = [element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}title")]
    assert "cat, predicted dog: 10, 25.0 % of actual cat" in titles


def test_what_is_not_measured_cannot_be_drawn(catalog: Catalog) -> None:
    with pytest.raises(DocumentError, match="no fnr by sex"):
        render(ChartSpec("performance", "fnr", ("sex",)), catalog)
    with pytest.raises(UnknownName):
        render(ChartSpec("fairness", kind="confusion"), catalog)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), st.booleans())
def test_an_axis_holds_all_its_values(values: list[float], bounded: bool) -> None:
    bounds = (min(values), max(values)) if bounded and min(values) < max(values) else None
    axis = Axis.around(values, bounds)
    assert 2 <= len(axis.ticks) <= 9
    assert len({later - earlier for earlier, later in zip(axis.ticks, axis.ticks[1:], strict=False)}) == 1
    assert axis.ticks[0] <= Decimal(repr(min(values)))
    assert axis.ticks[-1] >= Decimal(repr(max(values)))


@given(st.floats(0, 1))
def test_only_all_is_a_hundred_per_cent_and_only_nothing_is_none(value: float) -> None:
    shown = Decimal(svg.quantity(value, Unit.FRACTION))
    assert (shown == 100) is (value == 1)
    assert (shown == 0) is (value == 0)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.4375, Unit.FRACTION, "43.8"),
        (0.0005, Unit.FRACTION, "0.1"),
        (-0.25, Unit.POINTS, "−25.0"),
        (0.8435, Unit.SCORE, "0.844"),
        (1.5, Unit.RATIO, "1.500"),
        (12345, Unit.COUNT, "12\u202f345"),
        (1234, Unit.COUNT, "1234"),
        (2.5, Unit.QUANTITY, "2.5"),
    ],
)
def test_numbers_are_spelled_by_their_unit(value: float, unit: Unit, shown: str) -> None:
    assert svg.quantity(value, unit) == shown


@given(st.text())
def test_any_text_is_a_text_in_xml(value: str) -> None:
    assert ElementTree.fromstring(svg.element("t", value, name=value)).tag == "t"


@pytest.mark.parametrize(("metric", "unit", "words"), [("fnr_difference", Unit.POINTS, "Dashed line: no difference."), ("fnr", Unit.FRACTION, "")])
def test_only_what_compares_has_a_line_of_no_difference(metric: str, unit: Unit, words: str, tmp_path: Path) -> None:
    """Where there is no overall figure to compare the groups with."""
    facts = [Fact(Key("fair", metric, (), (("age", name),)), value=value, unit=unit) for name, value in (("<40", 0.2), ("40-59", 0.1))]
    made = Measured("fair", "fairness", 1, tuple(facts), {}, {"data": Artifact("a", "sha256:00", 1, 1, 1)})
    store.write(tmp_path, made, runs.Run("2026-11-21T01:02:03Z", {}, "Linux"))
    description = ElementTree.fromstring(render(ChartSpec("fair", metric, ("age",)), Catalog(read(MANIFEST)[0], store.Evidence.load(tmp_path))))
    told = description.findtext(f"{SVG}desc") or ""
    assert "40-59" in told
    assert told.endswith(words) if words else "Dashed" not in told
