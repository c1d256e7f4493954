from __future__ import annotations

import math
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned_measures import GOLDEN

from factbook import Book
from factbook.errors import FactbookError, MeasureError
from factbook.measures import units
from factbook.statistics import power, queues

BOOK = """factbook: 1
subject: {{kind: system, name: triage}}
declared:
  gpu_hour: {{value: 2.40 EUR/server/hour, source: the price list}}
  peak: {{value: 40 (25 to 60) requests/s, source: access logs}}
  service: {{value: 150 (120 to 200) ms, source: a load test}}
policies:
  latency: {{text: 95 of 100 requests are answered within 800 ms.}}
plan:
  estimate:
    measure: estimate
    inputs:
      price: declared:gpu_hour
      load: declared:peak
      service: declared:service
      limit: {{from: policy:latency, value: 800 ms}}
    figures:
      {figures}
"""
FIGURES = """instances: {model: servers, arrivals: load, service: service, quantile: 0.95, limit: limit, unit: server}
      latency_p95: {model: response, arrivals: load, service: service, servers: instances.high, quantile: 0.95, unit: ms}
      wait_mean: {model: wait, arrivals: load, service: service, servers: instances, unit: ms}
      cost_month: {formula: instances * price, unit: EUR/month}
      racks: {formula: instances / 4, unit: server, round: up}
      cases_each: {model: sample_size, base: 20 %, other: 22 %, power: 0.8}"""


def book(root: Path, figures: str = FIGURES) -> Book:
    (root / "factbook.yaml").write_text(BOOK.format(figures=figures), encoding="utf-8")
    made = Book(root)
    made.measure()
    return made


def value(made: Book, key: str) -> object:
    return made.facts(f"estimate/{key}")[0].value


def test_golden(tmp_path: Path) -> None:
    import json

    made = book(tmp_path)
    found = {str(fact.key): fact.value if fact.measured else fact.reason for fact in made.facts()}
    golden = json.loads((GOLDEN / "estimate.json").read_text(encoding="utf-8"))
    assert {key: pytest.approx(item, rel=1e-9) if isinstance(item, float) else item for key, item in golden["facts"].items()} == found


def test_ranges_and_units_go_through(tmp_path: Path) -> None:
    made = book(tmp_path)
    assert value(made, "instances") == 7
    assert value(made, "cost_month") == pytest.approx(7 * 2.40 * 730.5)
    ends = [value(made, f"cost_month;end={end}") for end in ("low", "high")]
    assert ends == [pytest.approx(2.40 * 730.5 * float(value(made, f"instances;end={end}"))) for end in ("low", "high")]  # type: ignore[arg-type]
    fact = made.facts("estimate/cost_month")[0]
    assert (str(fact.origin), fact.bounds) == ("declared", tuple(ends))
    assert "declared:gpu_hour" in fact.note
    assert "policy:latency" in fact.note
    assert made.catalog.metric(fact.key).title == "cost month, EUR/month"


def test_a_queue_that_grows_without_end_has_no_upper_end(tmp_path: Path) -> None:
    made = book(tmp_path)
    end = made.facts("estimate/wait_mean;end=high")[0]
    assert str(end.status) == "undefined"
    assert "without end" in end.reason
    assert made.facts("estimate/wait_mean")[0].bounds is None


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("cost: {formula: price * load, unit: EUR/month}", "which is not EUR/month"),
        ("cost: {formula: price + load, unit: EUR}", "do not go together"),
        ("cost: {formula: price * lod, unit: EUR}", "no input or figure of the estimate 'lod'"),
        ("cost: {formula: price / (load - load), unit: EUR}", "divides by what may be 0"),
        ("cost: {formula: '{performance/fnr} * price', unit: EUR}", "a formula names inputs"),
        ("cost: {formula: __import__('os'), unit: EUR}", "not understood"),
        ("n: {model: servers, arrivals: service, service: service, limit: limit}", "is no rate"),
        ("n: {model: servers, arrivals: load, service: service, limit: 100 * service / 1000}", "no number of servers is enough"),
        ("n: {model: response, arrivals: load, service: service, servers: 2}", "grows without end"),
        ("n: {model: response, arrivals: load, service: service, servers: 8, quantile: 2}", "between 0 and 1"),
        ("n: {model: sample_size, base: 0.2, other: 0.2}", "do not differ"),
        ("n: {model: guess, base: 0.2}", "no model of an estimate 'guess'"),
        ("n: {formula: load, model: wait}", "either a formula or a model"),
        ("n: {formula: load, unit: requests/s, colour: red}", "it understands"),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path: Path, figure: str, said: str) -> None:
    with pytest.raises(FactbookError, match=said):
        book(tmp_path, figure)


def test_a_value_must_stand_in_the_policy(tmp_path: Path) -> None:
    text = BOOK.format(figures=FIGURES).replace("value: 800 ms", "value: 00 ms")
    (tmp_path / "factbook.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(MeasureError, match="does not stand in"):
        Book(tmp_path).measure()


def test_what_was_declared_otherwise_makes_it_stale(tmp_path: Path) -> None:
    book(tmp_path)
    assert not Book(tmp_path).check().failed
    path = tmp_path / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("2.40", "2.60"), encoding="utf-8")
    assert [finding.code for finding in Book(tmp_path).check().findings] == ["FB401"]
    Book(tmp_path).measure()
    assert value(Book(tmp_path), "cost_month") == pytest.approx(7 * 2.60 * 730.5)


def test_facts_are_inputs_and_are_measured_first(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("y,p\n" + "1,1\n" * 30 + "0,1\n" * 10 + "0,0\n" * 60, encoding="utf-8")
    (tmp_path / "factbook.yaml").write_text(
        """factbook: 1
subject: {name: m}
sources: {d: {uri: d.csv, label: y, positive: 1, prediction: p}}
declared: {review: {value: 4 EUR, source: a contract}}
plan:
  estimate:
    measure: estimate
    inputs: {alarms: {from: performance/precision}, review: declared:review}
    figures: {waste: {formula: (1 - alarms) * review, unit: EUR}}
  performance: {measure: classification, data: d}
""",
        encoding="utf-8",
    )
    made = Book(tmp_path)
    made.measure()
    assert value(made, "waste") == pytest.approx(1.0)
    assert float(value(made, "waste;end=low")) < 1 < float(value(made, "waste;end=high"))  # type: ignore[arg-type]
    assert not made.check().failed


# --- oracles -------------------------------------------------------------------------------------------------------------------------------------


def test_one_server_is_the_textbook_queue() -> None:
    for load in (0.1, 0.5, 0.9):
        assert queues.erlang_c(load, 1) == pytest.approx(load)
        assert queues.response(load, 1.0, 1) == pytest.approx(1 / (1 - load))
        assert queues.response(load, 1.0, 1, 0.95) == pytest.approx(-math.log(0.05) / (1 - load))


def test_erlang_c_is_the_sum_of_the_definition() -> None:
    for load, servers in ((6.0, 7), (2.5, 4), (30.0, 33)):
        top = load**servers / math.factorial(servers) * servers / (servers - load)
        assert queues.erlang_c(load, servers) == pytest.approx(top / (sum(load**k / math.factorial(k) for k in range(servers)) + top))


def test_a_simulated_queue_waits_as_long() -> None:
    rng, arrivals, service, servers = random.Random(4), 40.0, 0.15, 9
    free, clock, waits, times = [0.0] * servers, 0.0, [], []
    for _ in range(300_000):
        clock += rng.expovariate(arrivals)
        place = min(range(servers), key=free.__getitem__)
        start, took = max(clock, free[place]), rng.expovariate(1 / service)
        free[place] = start + took
        waits.append(start - clock)
        times.append(start - clock + took)
    assert queues.wait(arrivals, service, servers) == pytest.approx(sum(waits) / len(waits), rel=0.06)
    assert queues.response(arrivals, service, servers, 0.95) == pytest.approx(sorted(times)[int(0.95 * len(times))], rel=0.03)
    assert queues.wait(arrivals, service, servers, 0.95) == pytest.approx(sorted(waits)[int(0.95 * len(waits))], rel=0.08)


def test_the_servers_are_just_enough() -> None:
    for arrivals, service, limit in ((40.0, 0.15, 0.8), (3.0, 1.0, 4.0), (400.0, 0.1, 0.35)):
        found = queues.servers_for(arrivals, service, limit, 0.95)
        assert found is not None
        assert queues.response(arrivals, service, found, 0.95) <= limit  # type: ignore[operator]
        fewer = queues.response(arrivals, service, found - 1, 0.95)
        assert fewer is None or fewer > limit


def test_the_sample_size_is_that_of_statsmodels() -> None:
    from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

    for base, other in ((0.2, 0.22), (0.5, 0.4), (0.02, 0.03)):
        expected = samplesize_proportions_2indep_onetail(other - base, base, 0.8, ratio=1, alpha=0.05)
        assert power.cases_each(base, other, 0.8, 0.95) == pytest.approx(expected, rel=0.01)


numbers = st.fractions(min_value=Fraction(-50), max_value=Fraction(50), max_denominator=20)


@given(st.lists(st.tuples(numbers, numbers, st.fractions(0, 1, max_denominator=8)), min_size=2, max_size=2), st.sampled_from("+-*/"))
def test_no_value_in_the_ranges_falls_out_of_the_range(ends, sign) -> None:
    from factbook.expressions import Call, parse_value

    amounts = {}
    inside = []
    for name, (one, other, share) in zip("ab", ends, strict=True):
        low, high = min(one, other), max(one, other)
        amounts[name] = units.Amount(low, low, high)
        inside.append(low + share * (high - low))
    node = parse_value(f"{{input/a}} {sign} {{input/b}}")
    assert isinstance(node, Call)
    try:
        found = units.evaluate(node, amounts.__getitem__, "here")
    except MeasureError:
        assert sign == "/"
        assert amounts["b"].low <= 0 <= amounts["b"].high
        return
    a, b = inside
    exact = {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b
    assert found.low <= exact <= found.high


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("2 EUR/hour", "EUR/day", 48),
        ("1 GB", "MB", 1000),
        ("1 MiB", "KiB", 1024),
        ("36 kW", "kWh/day", 864),
        ("100 Mbit/s", "MB/s", 12.5),
        ("3 requests/s", "request/min", 180),
        ("5 %", "", 0.05),
        ("1,200 EUR/server/month", "EUR/server/year", 14400),
    ],
)
def test_units(text: str, wanted: str, expected: float) -> None:
    assert float(units.within(units.read(text, "here"), wanted, "here").value) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["about 5 EUR", "5 (6 to 7) EUR", "5 EUR//h", "", "5 to 7 EUR", "5 EUR-1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MeasureError):
        units.read(text, "here")
