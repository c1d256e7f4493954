"""Costs, capacity and latency computed from what was declared: prices, loads, service times and requirements, with their units and ranges.

    inputs    a name for each: `declared:NAME`, a fact `NAME/METRIC`, or {from: …, value: …, unit: …}; a policy needs `value`, which must stand in it
    figures   a name for each: {formula: price * servers, unit: EUR/month, round: up}, or a model and its arguments:
              wait, response, servers (M/M/c; see queues.py), sample_size (two proportions; see power.py)

A figure may use the figures before it. `NAME.low` and `NAME.high` are the ends of a range. Everything computed is as good as what was declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any, Final

from factbook.errors import ExpressionError, MeasureError, UnknownName
from factbook.expressions import FUNCTIONS, operands, parse_value
from factbook.measures import units
from factbook.measures.request import Answer, Request
from factbook.measures.units import Amount
from factbook.model import Direction, Metric, Origin, Unit
from factbook.statistics import power, queues
from factbook.statistics.moments import tidy

VERSION: Final = 1
METRICS: Final[tuple[Metric, ...]] = ()
ROLES: Final[tuple[str, ...]] = ()
PARAMS: Final = ("inputs", "figures", "given")
MODELS: Final[dict[str, tuple[str, ...]]] = {
    "wait": ("arrivals", "service", "servers", "quantile"),
    "response": ("arrivals", "service", "servers", "quantile"),
    "servers": ("arrivals", "service", "limit", "quantile", "of"),
    "sample_size": ("base", "other", "power"),
}
_OPTIONAL: Final = ("quantile", "of", "power", "unit", "round")
_COUNTED: Final = ("servers", "sample_size")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERAND = re.compile(r"\{[^}]*\}|[A-Za-z_]\w*(?:\.(?:low|high)\b)?")
_ENDLESS: Final = "at the upper ends of its inputs the queue grows without end"


def takes(params: Mapping[str, Any]) -> tuple[str, ...]:
    """What the figures rest on: `declared:NAME`, `policy:NAME` and keys of facts."""
    return tuple(dict.fromkeys(_input(name, given)["from"] for name, given in _tree(params, "inputs").items()))


def vocabulary(params: Mapping[str, Any]) -> tuple[Metric, ...]:
    """A metric for each figure, by the name that the book gives it."""
    return tuple(_metric(name, spec) for name, spec in _tree(params, "figures").items())


def _metric(name: str, spec: Any) -> Metric:
    given = spec if isinstance(spec, dict) else {}
    title = name.replace("_", " ") + (f", {given['unit']}" if given.get("unit") else "")
    formula = str(given.get("formula") or ", ".join(f"{key} = {value}" for key, value in given.items() if key != "unit"))
    unit = Unit.COUNT if given.get("model") in _COUNTED or given.get("round") == "up" else Unit.QUANTITY
    return Metric(name, title, name.replace("_", " "), unit, Direction.NEITHER, None, formula, "factbook.yaml")


def _tree(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = params.get(name)
    if not isinstance(found, dict) or any(not _NAME.fullmatch(item) for item in found):
        raise MeasureError(f"an estimate needs {name!r}: a mapping of names (letters, digits, _)", remedy="see docs/guide/estimates.md")
    return found


def _input(name: str, given: Any) -> dict[str, str]:
    spec = {"from": given} if isinstance(given, str) else dict(given) if isinstance(given, dict) else {}
    if not isinstance(spec.get("from"), str) or set(spec) - {"from", "value", "unit"}:
        raise MeasureError(f"inputs.{name}: it is `declared:NAME`, a fact, or a mapping of from, value and unit")
    return spec


def measure(request: Request, answer: Answer) -> None:
    """Add every figure, in order, and the ends of its range.

    Raises:
        MeasureError: an input cannot be read, units do not go together, or a queue grows without end.
    """
    params, where = request.planned.params, f"plan.{request.name}"
    book = _Book(where, answer.level)
    for name, given in _tree(params, "inputs").items():
        spec = _input(name, given)
        book.amounts[name] = _amount(spec, params["given"][spec["from"]], f"{where}.inputs.{name}")
        book.rests[name] = (spec["from"],)
    for name, spec in _tree(params, "figures").items():
        if not isinstance(spec, dict) or ("formula" in spec) is ("model" in spec) or name in book.amounts:
            raise MeasureError(f"{where}.figures.{name}: a figure has a name of its own and either a formula or a model")
        found = book.figure(name, spec)
        _add(answer, name, spec, found, book.rests[name])


def _amount(spec: Mapping[str, str], said: str, where: str) -> Amount:
    """The amount of an input: what was declared, or the part of it that `value` names; a fact gets its `unit` here."""
    value = spec.get("value", said)
    if "value" in spec and not re.search(rf"(?<![\w.,]){re.escape(' '.join(value.split()))}(?![\w]|[.,]\d)", " ".join(said.split())):
        raise MeasureError(f"{where}: {value!r} does not stand in {said!r}", remedy="write the value as it is written there")
    return units.read(f"{value} {spec.get('unit', '')}", where)


def _add(answer: Answer, name: str, spec: Mapping[str, Any], found: Amount, rests: tuple[str, ...]) -> None:
    """The figure as a fact, and the ends of its range as facts beside it."""
    arguments = ", ".join(f"{key} {value}" for key, value in spec.items() if key not in ("model", "unit"))
    how = f"= {spec['formula']}" if "formula" in spec else f"{spec['model']}: {arguments}"
    note = "; ".join(filter(None, (f"in {spec['unit']}" if spec.get("unit") else "", how, f"from {', '.join(rests)}" if rests else "")))
    counted = answer.metrics[name].unit is Unit.COUNT

    def number(end: Fraction) -> int | float:
        return int(end) if counted else tidy(float(end))

    bounds = None if found.exact or found.high is None else (float(number(found.low)), float(number(found.high)))
    answer.add(name, number(found.value), note=note, origin=Origin.DECLARED, bounds=bounds)
    if not found.exact:
        answer.add(name, number(found.low), params=(("end", "low"),), note=note, origin=Origin.DECLARED)
        high = None if found.high is None else number(found.high)
        answer.add(name, high, params=(("end", "high"),), note=note, origin=Origin.DECLARED, undefined="" if found.high is not None else _ENDLESS)


@dataclass
class _Book:
    """The amounts so far, by name, and what each rests on."""

    where: str
    level: float
    amounts: dict[str, Amount] = field(default_factory=dict)
    rests: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def figure(self, name: str, spec: Mapping[str, Any]) -> Amount:
        """One figure in its unit; kept for those that follow."""
        where = f"{self.where}.figures.{name}"
        known = {"formula", "round", "unit"} if "formula" in spec else {"model", "unit", *MODELS.get(str(spec["model"]), ())}
        if "model" in spec and spec["model"] not in MODELS:
            raise UnknownName("model of an estimate", str(spec["model"]), MODELS)
        if set(spec) - known or spec.get("round", "up") != "up":
            raise MeasureError(f"{where}: it understands {', '.join(sorted(known))}; round is `up`")
        used: list[str] = []
        found = self.formula(str(spec["formula"]), where, used) if "formula" in spec else self.model(spec, where, used)
        unit = str(spec.get("unit", ""))
        if spec.get("model") in _COUNTED:
            found = Amount(found.low, found.value, found.high, units.unit(unit)[1])
        shown = units.within(found, unit, where)
        factor = units.unit(unit)[0]
        if spec.get("round"):
            shown = units.whole(shown)
        self.amounts[name] = Amount(shown.low * factor, shown.value * factor, None if shown.high is None else shown.high * factor, shown.dimensions)
        self.rests[name] = tuple(dict.fromkeys(source for item in used for source in self.rests[item]))
        return shown

    def formula(self, text: str, where: str, used: list[str]) -> Amount:
        """The amount of an expression over named inputs."""
        keyed = _OPERAND.sub(lambda match: match[0] if match[0][0] == "{" or match[0] in (*FUNCTIONS, "points") else f"{{input/{match[0]}}}", text)
        try:
            node = parse_value(keyed, where)
        except ExpressionError as error:
            raise MeasureError(f"{error.message} (in {text!r})", remedy=error.remedy) from error
        if any(key.evidence != "input" or key.params or key.slice or key.field for key in operands(node)):
            raise MeasureError(f"{where}: a formula names inputs, not facts", remedy="give the fact a name under `inputs`")
        return units.evaluate(node, lambda name: self.named(name, used), where)

    def named(self, name: str, used: list[str]) -> Amount:
        """An input or an earlier figure, or an end of its range.

        Raises:
            UnknownName: there is none of that name.
        """
        bare, _, end = name.partition(".")
        if bare not in self.amounts:
            raise UnknownName("input or figure of the estimate", bare, self.amounts)
        used.append(bare)
        whole = self.amounts[bare]
        if not end:
            return whole
        chosen = whole.low if end == "low" else whole.high
        if chosen is None:
            raise MeasureError(f"{self.where}: {name} has no end: {_ENDLESS}")
        return Amount(chosen, chosen, chosen, whole.dimensions)

    def model(self, spec: Mapping[str, Any], where: str, used: list[str]) -> Amount:
        """The amount that a model gives."""
        wanted = MODELS[str(spec["model"])]
        for name in wanted:
            if name not in spec and name not in _OPTIONAL:
                raise MeasureError(f"{where}: the model {spec['model']} needs {name!r}")
        given = {name: self.formula(str(spec[name]), f"{where}.{name}", used) for name in wanted if name in spec and name != "of"}
        if spec["model"] == "sample_size":
            return _sample_size(given, self.level, where)
        for name, power_of_time in (("arrivals", -1), ("service", 1), ("limit", 1)):
            if name in given and dict(given[name].dimensions).get("s") != power_of_time:
                raise MeasureError(f"{where}.{name}: {units.spelled(given[name].dimensions)} is no {'rate' if name == 'arrivals' else 'time'}")
        return _queue(spec, given, where)


def _queue(spec: Mapping[str, Any], given: Mapping[str, Amount], where: str) -> Amount:
    """A model of a queue at the values and at the ends. The number of servers is what was decided: its value, not its range."""
    quantile = float(given["quantile"].value) if "quantile" in given else None
    if quantile is not None and not 0 < quantile < 1:
        raise MeasureError(f"{where}: a quantile lies between 0 and 1")
    at = _at_servers(spec, given, quantile, where) if spec["model"] != "servers" else _at_limit(spec, given, quantile, where)
    found = [at(end) for end in ("low", "value", "high")]
    if found[0] is None or found[1] is None:
        said = "no number of servers is enough" if spec["model"] == "servers" else "the queue grows without end"
        raise MeasureError(f"{where}: {said}", remedy="add servers, or lower the load, the service time or the requirement")
    return Amount(found[0], found[1], found[2], () if spec["model"] == "servers" else (("s", 1),))


def _at_servers(spec: Mapping[str, Any], given: Mapping[str, Amount], quantile: float | None, where: str) -> Callable[[str], Fraction | None]:
    servers = given["servers"].value
    if servers.denominator != 1 or servers < 1:
        raise MeasureError(f"{where}: {float(servers):g} is no number of servers")
    model = queues.wait if spec["model"] == "wait" else queues.response

    def at(end: str) -> Fraction | None:
        ends = [getattr(given[name], end) for name in ("arrivals", "service")]
        found = None if None in ends else model(float(ends[0]), float(ends[1]), int(servers), quantile)
        return None if found is None else Fraction(tidy(found))

    return at


def _at_limit(spec: Mapping[str, Any], given: Mapping[str, Amount], quantile: float | None, where: str) -> Callable[[str], Fraction | None]:
    if spec.get("of", "response") not in ("response", "wait"):
        raise MeasureError(f"{where}: `of` is response or wait")
    opposite = {"low": "high", "value": "value", "high": "low"}

    def at(end: str) -> Fraction | None:
        ends = [getattr(given["arrivals"], end), getattr(given["service"], end), getattr(given["limit"], opposite[end])]
        if None in ends:
            return None
        found = queues.servers_for(float(ends[0]), float(ends[1]), float(ends[2]), quantile, waiting=spec.get("of") == "wait")
        return None if found is None else Fraction(found)

    return at


def _sample_size(given: Mapping[str, Amount], level: float, where: str) -> Amount:
    """Cases in each of two groups, at the values and at the ends of the rates."""
    base, other = given["base"], given["other"]
    wanted = float(given["power"].value) if "power" in given else power.POWER
    for item in (base, other):
        if item.dimensions or item.high is None or not 0 < item.low <= item.high < 1:
            raise MeasureError(f"{where}: a rate lies between 0 and 1")
    if not 0 < wanted < 1:
        raise MeasureError(f"{where}: a power lies between 0 and 1")
    value = power.cases_each(float(base.value), float(other.value), wanted, level)
    if value is None:
        raise MeasureError(f"{where}: the rates do not differ")
    corners = [power.cases_each(float(a or 0), float(b or 0), wanted, level) for a, b in product((base.low, base.high), (other.low, other.high))]
    overlap = (base.high or 0) >= other.low and (other.high or 0) >= base.low
    found = [count for count in corners if count is not None]
    return Amount(Fraction(min([*found, value])), Fraction(value), None if overlap else Fraction(max([*found, value])))
