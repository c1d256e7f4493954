"""What a tracker recorded, over rows as sources/mlflow.py gives them; the tracker itself is in tests/sources/test_mlflow.py."""

from __future__ import annotations

import datetime as dt
import math
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from planned_measures import facts, golden, measured

from factbook.errors import MeasureError, UnknownName
from factbook.measures import tracked
from factbook.model import Origin, Status, Unit

NAMES = ("kind", "name", "text", "number", "step", "time", "context")
ROWS: list[tuple[Any, ...]] = [
    ("attribute", "run_id", "0123456789abcdef0123456789abcdef", None, None, None, None),
    ("attribute", "name", "forest 3", None, None, None, None),
    ("attribute", "experiment", "heart", None, None, None, None),
    ("attribute", "started", "2026-03-01T23:59:58Z", None, None, None, None),
    ("attribute", "commit", "745e663", None, None, None, None),
    ("attribute", "user", "anna", None, None, None, None),
    ("attribute", "seconds", None, 12.5, None, None, None),
    ("param", "Tiefe größe", "3", None, None, None, None),
    ("param", "rate", "1e-05", None, None, None, None),
    ("param", "seed", "007", None, None, None, None),
    ("param", "large", "12345678901234567890", None, None, None, None),
    ("param", "none", "", None, None, None, None),
    ("tag", "team", "triage", None, None, None, None),
    ("metric", "accuracy", None, 0.8125, 0, None, None),
    ("history", "accuracy", None, 0.8125, 0, 5, None),
    ("metric", "val/loss", None, 0.5, 3, None, None),
    ("history", "val/loss", None, 0.75, 0, 1, None),
    ("history", "val/loss", None, 0.25, 1, 2, None),
    ("history", "val/loss", None, math.nan, 2, 3, None),
    ("history", "val/loss", None, 0.5, 3, 4, None),
    ("metric", "broken", None, math.nan, 1, None, None),
    ("history", "broken", None, math.nan, 0, 1, None),
    ("history", "broken", None, math.nan, 1, 2, None),
    ("metric", "endless", None, sys.float_info.max, 0, None, None),
    ("history", "endless", None, sys.float_info.max, 0, 1, None),
    ("input", "train.csv", "2981c147", 918.0, None, None, "training"),
    ("input", "test.csv", "aa81c147", None, None, None, None),
    ("model", "model", "python_function, sklearn", None, None, None, None),
]
TYPES = (pa.string(), pa.string(), pa.string(), pa.float64(), pa.int64(), pa.int64(), pa.string())


def rows(changed: list[tuple[Any, ...]] = ROWS) -> pa.Table:
    return pa.table({name: pa.array([row[i] for row in changed], type=TYPES[i]) for i, name in enumerate(NAMES)})


def run(root: Path, plan: str = "") -> Any:
    return measured(root, rows(), "", f"measure: tracked, run: data{plan}", below=10)


def test_golden(tmp_path: Path) -> None:
    golden("tracked", tracked.VERSION, run(tmp_path))


def test_every_fact_is_imported_and_has_no_interval(tmp_path: Path) -> None:
    for fact in run(tmp_path).facts:
        assert (fact.origin, fact.interval, fact.n) == (Origin.IMPORTED, None, None)


def test_the_last_value_and_the_ends_of_what_was_logged_by_step(tmp_path: Path) -> None:
    found = facts(run(tmp_path))
    said = {
        metric: found[f"{metric};name=val/loss"].value for metric in ("metric", "metric_step", "lowest", "lowest_step", "highest", "highest_step")
    }
    assert said == {"metric": 0.5, "metric_step": 3, "lowest": 0.25, "lowest_step": 1, "highest": 0.75, "highest_step": 0}
    assert "lowest;name=accuracy" not in found


@pytest.mark.parametrize(("name", "said"), [("broken", "NaN"), ("endless", "infinity")])
def test_no_number_is_undefined(name: str, said: str, tmp_path: Path) -> None:
    found = facts(run(tmp_path))[f"metric;name={name}"]
    assert (found.status, found.reason) == (Status.UNDEFINED, f"the tracker recorded {said}")


def test_a_metric_that_never_was_a_number_has_no_lowest_value(tmp_path: Path) -> None:
    found = facts(run(tmp_path))
    assert {found[f"{metric};name=broken"].status for metric in ("lowest", "lowest_step", "highest", "highest_step")} == {Status.UNDEFINED}


def test_parameters_are_numbers_where_they_are_written_so(tmp_path: Path) -> None:
    found = {key.partition("name=")[2]: fact for key, fact in facts(run(tmp_path)).items() if key.startswith("parameter;")}
    assert {name: fact.value for name, fact in found.items()} == {
        "Tiefe%20größe": 3,
        "rate": 1e-05,
        "seed": "007",
        "large": "12345678901234567890",
        "none": None,
    }
    assert (found["rate"].unit, found["seed"].unit, found["none"].status) == (Unit.QUANTITY, Unit.TEXT, Status.UNDEFINED)


def test_when_from_what_and_by_which_code(tmp_path: Path) -> None:
    found = facts(run(tmp_path))
    assert (found["started"].value, found["started"].note) == (dt.date(2026, 3, 1), "at 23:59:58 UTC")
    assert (found["duration"].value, found["duration"].note) == (12.5, "in seconds")
    assert found["commit"].value == "745e663"
    assert found["dataset;context=training;name=train.csv"].value == "2981c147"
    assert found["dataset_rows;context=training;name=train.csv"].value == 918
    assert "dataset_rows;name=test.csv" not in found
    assert found["model;name=model"].value == "python_function, sklearn"


def test_people_and_tags_are_named_only_where_that_is_asked(tmp_path: Path) -> None:
    plain = facts(run(tmp_path))
    assert not [key for key in plain if key.startswith(("user", "tag"))]
    asked = facts(run(tmp_path, ", user: 'yes', tags: [team]"))
    assert (asked["user"].value, asked["tag;name=team"].value) == ("anna", "triage")


def test_only_what_is_chosen(tmp_path: Path) -> None:
    found = facts(run(tmp_path, ", metrics: [accuracy], parameters: [], units: {accuracy: fraction}"))
    assert [key for key in found if key.startswith(("metric", "parameter", "lowest"))] == ["metric;name=accuracy"]
    assert found["metric;name=accuracy"].unit is Unit.FRACTION


@pytest.mark.parametrize("plan", [", metrics: [acuracy]", ", units: {acuracy: fraction}"])
def test_a_name_that_the_run_does_not_have(plan: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="accuracy"):
        run(tmp_path, plan)


def test_another_table_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="no run of a tracker"):
        measured(tmp_path, {"a": [1]}, "", "measure: tracked, run: data")
