"""Regenerated tables: what they hold, and that only cells count when they are compared."""

from __future__ import annotations

import pytest

from factbook.documents.parse import parse
from factbook.documents.regions import Table, TableSpec, agrees, escape, expected, markdown, table
from factbook.errors import DocumentError, UnknownName
from factbook.model import Fact, Key, Unit

BY_AGE = (
    ("age_band", "n", "FNR"),
    ("<40", "120", "43.8 % [30.7, 57.7]"),
    ("40-59", "300", "10.0 % [5.2, 18.5]"),
    ("60+", "22", "undefined"),
    ("all", "442", "19.5 % [14.2, 26.3]"),
)


SPEC = "performance by=age_band metrics=n,fnr"


def written(wanted: Table, arguments: str = SPEC) -> str:
    return f"<!-- fact:table {arguments} -->\n\n{markdown(wanted)}\n\n<!-- /fact -->\n"


def region(text: str):
    (found,) = parse(text).regions
    return found


def test_one_row_a_group_in_declared_order_and_one_for_all(catalog) -> None:
    wanted = table(TableSpec.parse("performance by=age_band metrics=n,fnr"), catalog)
    assert (wanted.header, *wanted.rows) == BY_AGE


def test_one_row_a_metric(catalog) -> None:
    wanted = table(TableSpec.parse("performance metrics=fnr,auc"), catalog)
    assert [row[1:] for row in wanted.rows] == [("19.5 % [14.2, 26.3]", "164"), ("0.845 [0.810, 0.880]", "–")]


def test_one_row_a_parameter(catalog_with) -> None:
    facts = [Fact(Key.parse(f"performance/rows;column={name}"), value=value, unit=Unit.COUNT) for name, value in (("b", 2), ("a", 1))]
    wanted = table(TableSpec.parse("performance per=column metrics=rows"), catalog_with(*facts))
    assert [row for row in wanted.rows] == [("a", "1"), ("b", "2")]


def test_one_row_a_parameter_beside_parameters_of_the_metric_in_the_order_of_numbers(catalog_with) -> None:
    names = [(f"performance/rows;block={block};column={column}", 7 * block) for block in (10, 9) for column in ("age", "town")]
    facts = [Fact(Key.parse(name), value=value, unit=Unit.COUNT) for name, value in names]
    wanted = table(TableSpec.parse("performance per=block metrics=rows;column=age"), catalog_with(*facts))
    assert [row[:2] for row in wanted.rows] == [("9", "63"), ("10", "70")]


def test_what_is_written_is_what_is_expected_even_after_reformatting(catalog) -> None:
    text = written(table(TableSpec.parse(SPEC), catalog))
    for version in (
        text,
        text.replace("| ", "|    "),
        text.replace("\n", "\r\n"),
        text.replace("---:", ":-:"),
        "- a\n\n  " + text.replace("\n", "\n  "),
    ):
        found = region(version)
        assert found.rows == BY_AGE
        assert agrees(found, expected(found, catalog))


@pytest.mark.parametrize(
    "edit",
    [
        ("43.8", "43.9"),
        ("| &lt;40 | 120 | 43.8 % [30.7, 57.7] |\n", ""),
        ("&lt;40", "&gt;40"),
        ("| undefined |", "| 0.0 % |"),
        ("FNR", "FPR"),
        ("<!-- /fact -->", "| x | 1 | 2 |\n\n<!-- /fact -->"),
        ("<!-- /fact -->", "Not so.\n\n<!-- /fact -->"),
        ("metrics=n,fnr", "metrics=fnr,n"),
    ],
)
def test_every_change_of_a_cell_is_seen(catalog, edit: tuple[str, str]) -> None:
    text = written(table(TableSpec.parse(SPEC), catalog))
    altered = text.replace(*edit)
    assert altered != text
    found = region(altered)
    assert not agrees(found, expected(found, catalog))


@pytest.mark.parametrize(
    "arguments", ["", "performance", "performance by=age_band", "performance metrics=", "performance metrics=a,a", "performance metrics=a x=b"]
)
@pytest.mark.parametrize("more", ["", " metrics"])
def test_arguments_that_do_not_parse(arguments: str, more: str) -> None:
    with pytest.raises(DocumentError):
        TableSpec.parse(arguments + more)


@pytest.mark.parametrize(
    "arguments",
    [
        "other metrics=n",
        "performance metrics=nope",
        "performance by=region metrics=n",
        "performance by=age_band metrics=n,auc",
        "performance per=column metrics=n",
    ],
)
def test_what_does_not_exist_is_named(catalog, arguments: str) -> None:
    with pytest.raises(UnknownName):
        table(TableSpec.parse(arguments), catalog)


@pytest.mark.parametrize(
    "name",
    [
        "<h1>PASS</h1>",
        "a|b",
        "*x* _y_",
        "[a](http://b)",
        "a & b",
        "&lt;",
        "`code`",
        "{x}",
        "$1$",
        "~~a~~",
        "a\\|b",
        "<!-- /fact -->",
        "![x](y)",
        "http://a.b",
    ],
)
def test_names_from_data_stay_text(name: str) -> None:
    document = parse(written(Table(("g", "n"), ((name, "1"),), 1), "a metrics=n"))
    (found,) = document.regions
    assert found.rows[1] == (name, "1")
    assert not document.links
    assert escape(name).count("<") == 0
