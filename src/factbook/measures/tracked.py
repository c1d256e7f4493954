"""What an experiment tracker recorded about a training run: parameters, metrics, time, code and data. Nothing of it is counted again.

    metrics, parameters   names of those that become facts; usually all
    tags                  names of the tags that do; usually none
    units                 how a metric reads: {accuracy: fraction}; usually as a score
    user                  `yes` names who started the run; usually left out, since it is about a person

Every fact is imported: the tracker says so. None has an interval, since a tracker keeps no counts; a figure on which decisions rest is measured from
rows. The lowest and the highest value stand for the best one, which only those who know the metric can name.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from factbook import sources
from factbook.errors import MeasureError, UnknownName
from factbook.measures.request import Answer, Request
from factbook.measures.rows import Parameters, parameters
from factbook.model import Direction, Metric, Origin, Pairs, Unit, Value

VERSION: Final = 1
ROLES: Final = ("run",)
PARAMS: Final = ("metrics", "parameters", "tags", "units", "user")
_COLUMNS: Final = ("kind", "name", "text", "number", "step", "time", "context")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_EXACT: Final = 1 << 53


def _metric(name: str, title: str, unit: Unit = Unit.TEXT, bounds: tuple[float, float] | None = None) -> Metric:
    return Metric(name, title, title.lower(), unit, Direction.NEITHER, bounds, "as the tracker recorded it", "the experiment tracker")


_COUNT: Final = (0.0, math.inf)
_ANY: Final = (-math.inf, math.inf)
METRICS: Final[tuple[Metric, ...]] = (
    _metric("metric", "Last value", Unit.SCORE, _ANY),
    _metric("metric_step", "Step of the last value", Unit.COUNT, _ANY),
    _metric("lowest", "Lowest value", Unit.SCORE, _ANY),
    _metric("lowest_step", "Lowest at step", Unit.COUNT, _ANY),
    _metric("highest", "Highest value", Unit.SCORE, _ANY),
    _metric("highest_step", "Highest at step", Unit.COUNT, _ANY),
    _metric("parameter", "Parameter"),
    _metric("tag", "Tag"),
    _metric("dataset", "Digest of a data set"),
    _metric("dataset_rows", "Rows of a data set", Unit.COUNT, _COUNT),
    _metric("model", "Flavours of a model, or its id"),
    _metric("run", "Id of the run"),
    _metric("run_name", "Name of the run"),
    _metric("experiment", "Experiment"),
    _metric("parent", "Id of the run that it is part of"),
    _metric("commit", "Git commit of the code"),
    _metric("started", "Day of the start, UTC", Unit.DATE),
    _metric("duration", "Duration in seconds", Unit.QUANTITY, _COUNT),
    _metric("user", "Who started it"),
)
_ATTRIBUTES: Final = {"run_id": "run", "name": "run_name", "experiment": "experiment", "parent": "parent", "commit": "commit"}


def protected(planned: Any) -> tuple[str, ...]:
    """No rows of people: what is read is one run."""
    del planned
    return ()


class _Parameters(Parameters):
    metrics: tuple[str, ...] | None = None
    parameters: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    units: Mapping[str, Unit] = {}
    user: Literal["yes", "no"] = "no"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the tracker; see sources/mlflow.py."""

    kind: str
    name: str
    text: str | None
    number: float | None
    step: int | None
    time: int | None
    context: str | None


def measure(request: Request, answer: Answer) -> None:
    """Add what the tracker recorded.

    Raises:
        MeasureError: the source is no run of a tracker.
        UnknownName: the run has no such metric, parameter or tag.
    """
    asked, source = parameters(_Parameters, request), request.source("run")
    table = sources.table(source, request.root, request.store)
    if table.names != _COLUMNS:
        raise MeasureError(f"plan.{request.name}: {source.uri} is no run of a tracker", remedy="declare `format: mlflow`, or `uri: mlflow:http://…`")
    order = "ORDER BY kind, name, step, time, context, text, number"
    rows = [_Row(**row) for row in sources.batches(sources.connect(request.store), f"SELECT * FROM ({table.sql}) {order}").read_all().to_pylist()]
    _about(rows, answer, user=asked.user == "yes")
    for kind, metric, names in (("param", "parameter", asked.parameters), ("tag", "tag", asked.tags)):
        for row in _chosen(rows, kind, names):
            value = _value(row.text or "") if kind == "param" else row.text
            _add(answer, metric, value, (("name", row.name),), unit=None if isinstance(value, str) else Unit.QUANTITY, undefined="empty")
    for row in _chosen(rows, "metric", asked.metrics):
        _metrics(row, [item for item in rows if item.kind == "history" and item.name == row.name], answer, asked.units.get(row.name))
    if strange := sorted(set(asked.units) - {row.name for row in rows if row.kind == "metric"}):
        raise UnknownName("metric of the run", strange[0], [row.name for row in rows if row.kind == "metric"])
    _datasets([row for row in rows if row.kind == "input"], answer)
    for name in dict.fromkeys(row.name for row in rows if row.kind == "model"):
        texts = dict.fromkeys(row.text for row in rows if (row.kind, row.name) == ("model", name) and row.text)
        _add(answer, "model", "; ".join(texts), (("name", name),))


def _chosen(rows: Iterable[_Row], kind: str, names: Sequence[str] | None) -> Iterator[_Row]:
    """The rows of a kind that have these names, or all.

    Raises:
        UnknownName: there is no row of one of the names.
    """
    found = {row.name: row for row in rows if row.kind == kind}
    for name in found if names is None else names:
        if name not in found:
            raise UnknownName(f"{kind} of the run", name, found)
        yield found[name]


def _add(
    answer: Answer, metric: str, value: Value | None, params: Pairs = (), *, unit: Unit | None = None, undefined: str = "", note: str = ""
) -> None:
    undefined = undefined or "not recorded" if value is None or value == "" else ""
    answer.add(metric, value, params=params, unit=unit, undefined=undefined, origin=Origin.IMPORTED, note=note)


def _about(rows: Iterable[_Row], answer: Answer, *, user: bool) -> None:
    """What the tracker says about the run itself; a person only where that is asked."""
    texts = {row.name: row.text for row in rows if row.kind == "attribute" and row.text}
    for name, metric in (_ATTRIBUTES | ({"user": "user"} if user else {})).items():
        if name in texts:
            _add(answer, metric, texts[name])
    if "started" in texts:
        moment = dt.datetime.fromisoformat(texts["started"])
        _add(answer, "started", moment.date(), note=f"at {moment:%H:%M:%S} UTC")
    for row in rows:
        if (row.kind, row.name) == ("attribute", "seconds"):
            _add(answer, "duration", row.number, note="in seconds")


def _metrics(last: _Row, logged: Sequence[_Row], answer: Answer, unit: Unit | None) -> None:
    """The last value of a metric, and where it was logged by step the lowest and the highest one."""
    params = (("name", last.name),)
    by_step = len({row.step for row in logged}) > 1
    _add(answer, "metric", _finite(last.number), params, unit=unit, undefined=_unusual(last.number))
    if not by_step:
        return
    _add(answer, "metric_step", last.step, params)
    finite = [(row.number, row.step) for row in logged if _finite(row.number) is not None and row.number is not None and row.step is not None]
    lowest = min(finite, default=(None, None))
    highest = min(finite, key=lambda item: (-item[0], item[1]), default=(None, None))
    for name, (value, step) in (("lowest", lowest), ("highest", highest)):
        _add(answer, name, value, params, unit=unit, undefined="no value is a number")
        _add(answer, f"{name}_step", step, params, undefined="no value is a number")


def _finite(number: float | None) -> float | None:
    """A number; None for NaN and infinity, and for the largest float, as which databases of MLflow keep infinity."""
    return number if number is not None and math.isfinite(number) and abs(number) < sys.float_info.max else None


def _unusual(number: float | None) -> str:
    return "the tracker recorded NaN" if number is None or math.isnan(number) else "the tracker recorded infinity"


def _value(text: str) -> Value:
    """The text of a parameter, as a number where it is one."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    number: int | float = float(text) if found[2] or found[3] else int(text)
    return number if abs(number) <= _EXACT else text


def _datasets(rows: Iterable[_Row], answer: Answer) -> None:
    """The data sets that the run read, by name and by what they served for."""
    found: dict[Pairs, list[_Row]] = {}
    for row in rows:
        key = (*([("context", row.context)] if row.context else []), ("name", row.name))
        found.setdefault(key, []).append(row)
    for key, items in found.items():
        _add(answer, "dataset", ", ".join(dict.fromkeys(row.text for row in items if row.text)), key)
        if len(items) == 1 and items[0].number is not None:
            _add(answer, "dataset_rows", int(items[0].number), key)
