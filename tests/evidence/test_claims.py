"""Verdicts: on both sides of each boundary, by constructed data, and in the long run by simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from factbook.errors import ExpressionError, UnknownName
from factbook.evidence.algebra import Algebra
from factbook.evidence.catalog import Catalog
from factbook.evidence.claims import Verdict, decide, judge
from factbook.model import Fact, Key, Status, Unit
from factbook.statistics import gaps, intervals, power, two_rates
from handmade import count, proportion, score

HOLDS, BROKEN, OPEN, NONE = Verdict.HOLDS, Verdict.BROKEN, Verdict.NOT_ESTABLISHED, Verdict.NOT_EVALUABLE
Build = Callable[..., Catalog]


def algebra(facts: Iterable[Fact], level: float = 0.95) -> Algebra:
    known = {fact.key: fact for fact in facts}

    def lookup(key: Key) -> Fact:
        if key not in known:
            raise UnknownName("fact", str(key), map(str, known))
        return known[key]

    return Algebra(lookup, {}, level)


def verdict(text: str, *facts: Fact) -> Verdict:
    return judge("x", text, algebra(facts)).verdict


@pytest.mark.parametrize(
    ("operator", "low", "high", "expected"),
    [
        (">", 1, 2, HOLDS), (">", 0, 2, OPEN), (">", -1, 1, OPEN), (">", -1, 0, BROKEN), (">", -2, -1, BROKEN), (">", 0, 0, BROKEN),
        (">=", 0, 2, HOLDS), (">=", -1, 2, OPEN), (">=", -1, 0, OPEN), (">=", -2, -1, BROKEN), (">=", 0, 0, HOLDS),
        ("<", -2, -1, HOLDS), ("<", -2, 0, OPEN), ("<", 0, 1, BROKEN), ("<", 0, 0, BROKEN),
        ("<=", -2, 0, HOLDS), ("<=", -2, 1, OPEN), ("<=", 0, 1, OPEN), ("<=", 1, 2, BROKEN), ("<=", 0, 0, HOLDS),
        ("=", 0, 0, HOLDS), ("=", 1, 1, BROKEN), ("=", -1, -1, BROKEN),
        ("!=", 1, 2, HOLDS), ("!=", -2, -1, HOLDS), ("!=", 0, 2, OPEN), ("!=", -1, 1, OPEN), ("!=", 0, 0, BROKEN),
    ],
)  # fmt: skip
def test_verdict_of_an_interval(operator: str, low: int, high: int, expected: Verdict) -> None:
    assert decide(operator, Fraction(low), Fraction(high)) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-5, 5, HOLDS), (-4, 3, HOLDS), (-6, 5, OPEN), (-5, 6, OPEN), (-9, 9, OPEN), (6, 9, BROKEN), (-9, -6, BROKEN), (5, 9, OPEN), (0, 0, HOLDS)],
)
def test_verdict_of_an_equivalence(low: int, high: int, expected: Verdict) -> None:
    assert decide("=", Fraction(low), Fraction(high), Fraction(5)) is expected


def crossing(text: str, first: str, second: str, n: int, k2: int) -> int:
    """The smallest k1 of n for which the claim holds against k2 of n."""
    return next(k for k in range(n + 1) if verdict(text, proportion(first, k, n), proportion(second, k2, n)) is HOLDS)


def test_two_groups_flip_exactly_where_newcombes_interval_leaves_zero() -> None:
    first, second = "p/fnr?sex=a", "p/fnr?sex=b"
    text = f"{{{first}}} > {{{second}}}"
    k = crossing(text, first, second, 200, 40)
    for k1, side in ((k, True), (k - 1, False)):
        low, _ = confint_proportions_2indep(k1, 200, 40, 200, compare="diff", method="newcomb", alpha=0.05)
        assert bool(low > 0) is side
    assert verdict(text, proportion(first, k - 1, 200), proportion(second, 40, 200)) is OPEN
    assert verdict(f"{{{second}}} > {{{first}}}", proportion(first, k, 200), proportion(second, 40, 200)) is BROKEN


def test_overlapping_intervals_can_still_differ() -> None:
    """40 of 200 and 60 of 200 overlap, and their difference is 0.015 to 0.183 all the same."""
    facts = proportion("p/fnr?sex=a", 60, 200), proportion("p/fnr?sex=b", 40, 200)
    assert facts[0].low is not None
    assert facts[1].high is not None
    assert facts[0].low < facts[1].high
    claim = judge("x", "{p/fnr?sex=a} > {p/fnr?sex=b}", algebra(facts))
    assert claim.verdict is HOLDS
    assert (round(claim.low or 0, 3), round(claim.high or 0, 3)) == (0.015, 0.183)
    assert claim.method == "Newcombe"


@pytest.mark.parametrize("operator", [">", ">=", "<", "<="])
def test_a_fact_against_a_number_flips_at_its_own_interval(operator: str) -> None:
    fact = score("p/auc", 0.81, 0.77, 0.85)
    above, below = (HOLDS, BROKEN) if operator.startswith(">") else (BROKEN, HOLDS)
    assert verdict(f"{{p/auc}} {operator} 0.7699999999", fact) is above
    assert verdict(f"{{p/auc}} {operator} 0.7700000001", fact) is OPEN
    assert verdict(f"{{p/auc}} {operator} 0.8499999999", fact) is OPEN
    assert verdict(f"{{p/auc}} {operator} 0.8500000001", fact) is below


def test_a_fact_on_its_bound_is_decided_by_the_operator() -> None:
    fact = score("p/auc", 0.81, 0.77, 0.85)
    assert [verdict(f"{{p/auc}} {operator} 0.77", fact) for operator in (">", ">=", "<", "<=")] == [OPEN, HOLDS, BROKEN, OPEN]
    assert [verdict(f"{{p/auc}} {operator} 85 %", fact) for operator in (">", ">=", "<", "<=")] == [BROKEN, OPEN, OPEN, HOLDS]


def test_equivalence_needs_the_whole_interval_inside_the_margin() -> None:
    facts = proportion("p/fnr?sex=a", 100, 1000), proportion("p/fnr?sex=b", 100, 1000)
    _, high = confint_proportions_2indep(100, 1000, 100, 1000, compare="diff", method="newcomb")
    text = "{{p/fnr?sex=a}} = {{p/fnr?sex=b}} within {:.6f}"
    assert verdict(text.format(high + 1e-5), *facts) is HOLDS
    assert verdict(text.format(high - 1e-5), *facts) is OPEN
    apart = proportion("p/fnr?sex=a", 300, 1000), facts[1]
    assert verdict("{p/fnr?sex=a} = {p/fnr?sex=b} within 5 points", *apart) is BROKEN


def test_statistics_are_never_simply_equal() -> None:
    facts = proportion("p/fnr?sex=a", 10, 100), proportion("p/fnr?sex=b", 10, 100)
    claim = judge("x", "{p/fnr?sex=a} = {p/fnr?sex=b}", algebra(facts))
    assert claim.verdict is NONE
    assert "give a margin" in claim.reason
    assert verdict("{p/fnr?sex=a} != {p/fnr?sex=b}", *facts) is OPEN
    assert verdict("{p/fnr?sex=a} != {p/fnr?sex=b}", proportion("p/fnr?sex=a", 60, 100), facts[1]) is HOLDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{p/rows} = 500", HOLDS),
        ("{p/rows} = 501", BROKEN),
        ("{p/rows} != 501", HOLDS),
        ("{p/rows} > 500", BROKEN),
        ("{p/rows} >= 500", HOLDS),
        ("{p/rows} = {p/tp} * 5", HOLDS),
        ("{p/tp} / {p/rows} = 20 %", HOLDS),
        ("{p/rows} = 499 within 1", HOLDS),
        ("{p/rows} = 498 within 1", BROKEN),
        ("{p/auc#low} >= 0.77", HOLDS),
        ("{p/auc#low} > 0.77", BROKEN),
        ("{p/fnr#n} = 100", HOLDS),
        ("1 < 2", HOLDS),
        ("{p/auc} > {p/auc}", BROKEN),
    ],
)
def test_exact_quantities_compare_exactly(catalog: Build, text: str, expected: Verdict) -> None:
    facts = (
        count("performance/rows", 500),
        count("performance/tp", 100),
        proportion("performance/fnr", 10, 100),
        score("performance/auc", 0.81, 0.77, 0.85),
    )
    claim = catalog(facts, f'claims: {{x: "{text.replace("{p/", "{performance/")}"}}').claim("x")
    assert claim.verdict is expected
    assert claim.method == "exact comparison"
    assert claim.low is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{p/undefined} > 0", "p/undefined is undefined: 0 of 0"),
        ("{p/suppressed} > 0", "p/suppressed is suppressed: fewer than 10"),
        ("{p/unknown} > 0", "there is no fact 'p/unknown'"),
        ("{p/text} > 0", "p/text is no number"),
        ("{p/bare} > 0", "p/bare has no interval"),
        ("{p/fnr} / {p/zero} > 1", "a denominator may be 0"),
        ("{p/fnr?sex=a} / {p/fnr?sex=none} > 1", "a denominator is 0"),
        ("{p/undefined} = {p/undefined}", "p/undefined is undefined"),
        ("min({p/fnr}, {p/suppressed}) > 0", "is suppressed"),
        ("{p/fnr} > 0 * {p/undefined}", "is undefined"),
    ],
)
def test_what_cannot_be_judged_says_why(text: str, reason: str) -> None:
    facts = (
        Fact(Key.parse("p/undefined"), status=Status.UNDEFINED, reason="0 of 0"),
        Fact(Key.parse("p/suppressed"), status=Status.SUPPRESSED, reason="fewer than 10"),
        Fact(Key.parse("p/text"), value="met", unit=Unit.TEXT),
        score("p/bare", 0.8),
        score("p/zero", 0.1, -0.1, 0.3),
        proportion("p/fnr", 10, 100),
        proportion("p/fnr?sex=a", 10, 50),
        proportion("p/fnr?sex=none", 0, 50),
    )
    claim = judge("x", text, algebra(facts))
    assert claim.verdict is NONE
    assert reason in claim.reason


def test_a_group_against_the_whole_is_its_share_of_the_rest() -> None:
    facts = proportion("p/fnr?sex=a", 30, 100), proportion("p/fnr", 70, 400)
    claim = judge("x", "{p/fnr?sex=a} > {p/fnr}", algebra(facts))
    low, high = confint_proportions_2indep(30, 100, 40, 300, compare="diff", method="newcomb")
    assert claim.low == pytest.approx(0.75 * low, abs=1e-9)
    assert claim.high == pytest.approx(0.75 * high, abs=1e-9)
    assert claim.estimate == pytest.approx(0.3 - 0.175)
    assert claim.method == "Newcombe, group against rest"
    turned = judge("x", "{p/fnr} < {p/fnr?sex=a}", algebra(facts))
    assert (turned.verdict, turned.low, turned.high) == (claim.verdict, -(claim.high or 0), -(claim.low or 0))
    finer = proportion("p/fnr?age=x&sex=a", 3, 10)
    assert judge("x", "{p/fnr?age=x&sex=a} > {p/fnr?sex=a}", algebra((*facts, finer))).method == "Newcombe, exact limits, group against rest"


def test_a_ratio_of_two_groups_has_its_own_interval() -> None:
    facts = proportion("p/fnr?sex=a", 60, 200), proportion("p/fnr?sex=b", 40, 200)
    own = two_rates.koopman(60, 200, 40, 200, 0.95)
    assert own is not None
    claim = judge("x", "{p/fnr?sex=a} / {p/fnr?sex=b} > 1", algebra(facts))
    assert (claim.low, claim.high, claim.quantity) == (pytest.approx(own.low), pytest.approx(own.high), "left")
    assert verdict(f"{{p/fnr?sex=a}} / {{p/fnr?sex=b}} > {own.low - 1e-6:.9f}", *facts) is HOLDS
    assert verdict(f"{{p/fnr?sex=a}} / {{p/fnr?sex=b}} > {own.low + 1e-6:.9f}", *facts) is OPEN
    assert verdict(f"{{p/fnr?sex=a}} / {{p/fnr?sex=b}} > {own.high + 1e-6:.9f}", *facts) is BROKEN
    percent = judge("x", "100 * {p/fnr?sex=a} / {p/fnr?sex=b} > 100", algebra(facts))
    assert percent.low == pytest.approx(100 * own.low)


def test_a_difference_of_no_kind_is_the_box_of_its_operands_at_a_higher_level() -> None:
    a, b = score("p/auc?sex=a", 0.9, 0.86, 0.94), score("p/auc?sex=b", 0.8, 0.75, 0.85)
    claim = judge("x", "{p/auc?sex=a} > {p/auc?sex=b}", algebra((a, b)))
    wide = [intervals.rescale(fact, 0.975) for fact in (a, b)]
    assert wide[0] is not None
    assert wide[1] is not None
    assert (claim.low, claim.high) == (pytest.approx(wide[0].low - wide[1].high), pytest.approx(wide[0].high - wide[1].low))
    assert claim.method.startswith("union bound of 2 intervals")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("p/fnr?sex=a", "p/fnr?age=x"),
        ("p/fnr?sex=a", "p/fpr?sex=b"),
        ("p/fnr?sex=a", "q/fnr?sex=b"),
        ("p/fnr;cut=1?sex=a", "p/fnr;cut=2?sex=b"),
        ("p/fnr;cut=1", "p/fnr;cut=2"),
    ],
)
def test_only_disjoint_groups_of_one_metric_are_independent(first: str, second: str) -> None:
    facts = proportion(first, 60, 200), proportion(second, 40, 200)
    assert judge("x", f"{{{first}}} > {{{second}}}", algebra(facts)).method.startswith("union bound")


def test_proportions_with_intervals_of_another_kind_are_not_taken_for_counts() -> None:
    first, second = proportion("p/fnr?sex=a", 60, 200), proportion("p/fnr?sex=b", 40, 200)
    wider = Fact(first.key, value=0.3, low=0.2, high=0.41, level=0.95, method="cluster bootstrap", counts=first.counts, unit=Unit.FRACTION)
    assert judge("x", "{p/fnr?sex=a} > {p/fnr?sex=b}", algebra((wider, second))).method.startswith("union bound")


def weighted(key: str, k: int, n: int, squares: int) -> Fact:
    part = intervals.Share(k * n / squares, n * n / squares, weighted=True)
    own = intervals.share(part, 0.95)
    counts = {"weighted_k": 4 * k, "weighted_n": 4 * n, "weighted_squares": 4 * squares, "scale": 2}
    return Fact(Key.parse(key), value=k / n, low=own.low, high=own.high, level=0.95, method=own.method, counts=counts, unit=Unit.FRACTION)


def test_weighted_groups_are_compared_by_their_effective_numbers() -> None:
    facts = weighted("p/fnr?sex=a", 120, 400, 800), weighted("p/fnr?sex=b", 80, 400, 800), weighted("p/fnr", 200, 800, 1600)
    claim = judge("x", "{p/fnr?sex=a} > {p/fnr?sex=b}", algebra(facts))
    low, high = confint_proportions_2indep(60, 200, 40, 200, compare="diff", method="newcomb")
    assert (claim.low, claim.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    assert claim.method == "Newcombe, Kish's effective n"
    assert judge("x", "{p/fnr?sex=a} > {p/fnr}", algebra(facts)).method.startswith("union bound")


def test_the_gap_of_several_groups_is_that_of_the_measures() -> None:
    facts = [proportion(f"p/fnr?age={name}", k, 200) for name, k in (("a", 20), ("b", 60), ("c", 40))]
    own = gaps.difference([gaps.shares([intervals.Share(k, 200) for k in (20, 60, 40)])], 0.95)
    assert own is not None
    claim = judge("x", "gap({p/fnr?age=a}, {p/fnr?age=b}, {p/fnr?age=c}) > 0.1", algebra(facts))
    assert (claim.estimate, claim.low, claim.high) == (pytest.approx(0.2), pytest.approx(own.low), pytest.approx(own.high))
    pair = judge("x", "gap({p/fnr?age=a}, {p/fnr?age=b}) > 0.1", algebra(facts))
    assert pair.method == "Newcombe"
    assert judge("x", "abs({p/fnr?age=a} - {p/fnr?age=b}) > 0.1", algebra(facts)).low == pair.low


OPERANDS = ("p/r?g=a", "p/r?g=b", "p/r?g=c", "p/r", "p/r?h=x", "p/auc", "p/rows")
SUMS = st.recursive(
    st.sampled_from([f"{{{name}}}" for name in OPERANDS] + ["0.5", "2"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["min", "max", "gap"]), inner, inner, inner).map(lambda parts: f"{parts[0]}({', '.join(parts[1:])})"),
        inner.map(lambda part: f"abs({part})"),
    ),
    max_leaves=6,
)


@st.composite
def populations(draw: st.DrawFn) -> tuple[Fact, ...]:
    ns = [draw(st.integers(1, 300)) for _ in "abc"]
    ks = [draw(st.integers(0, n)) for n in ns]
    groups = [proportion(f"p/r?g={name}", k, n) for name, k, n in zip("abc", ks, ns, strict=True)]
    whole = proportion("p/r", sum(ks), sum(ns))
    return (*groups, whole, proportion("p/r?h=x", ks[0], sum(ns)), score("p/auc", 0.8, 0.75, 0.86), count("p/rows", sum(ns)))


@given(SUMS, SUMS, populations())
def test_verdicts_agree_with_each_other(left: str, right: str, facts: tuple[Fact, ...]) -> None:
    known = algebra(facts)
    found = {operator: judge("x", f"{left} {operator} {right}", known) for operator in (">", ">=", "<", "<=", "!=")}
    said = {operator: claim.verdict for operator, claim in found.items()}
    opposite = {HOLDS: BROKEN, BROKEN: HOLDS, OPEN: OPEN, NONE: NONE}
    assert said[">"] is opposite[said["<="]]
    assert said["<"] is opposite[said[">="]]
    assert (said[">"] is NONE) is (said["!="] is NONE)
    if HOLDS in (said[">"], said["<"]):
        assert said["!="] is HOLDS
    if said[">"] is HOLDS:
        assert said[">="] is HOLDS
        assert said["<"] is BROKEN
    mirrored = judge("x", f"{right} < {left}", known).verdict
    assert {said[">"], mirrored} not in ({HOLDS, BROKEN},)


@given(SUMS, populations())
def test_intervals_contain_their_value(text: str, facts: tuple[Fact, ...]) -> None:
    claim = judge("x", f"{text} > 0", algebra(facts))
    if claim.estimate is not None and claim.low is not None and claim.high is not None:
        slack = 1e-9 * max(1.0, abs(claim.low), abs(claim.high))
        assert claim.low - slack <= claim.estimate <= claim.high + slack


def test_the_words_of_a_claim_can_be_checked_against_its_parts(catalog: Build) -> None:
    facts = proportion("performance/fnr?sex=a", 60, 200), proportion("performance/fnr?sex=b", 40, 200)
    claim = catalog(facts, 'claims: {x: "{performance/fnr?sex=a} - {performance/fnr?sex=b} > 5 points"}').claim("x")
    assert [str(key) for key in claim.operands] == ["performance/fnr?sex=a", "performance/fnr?sex=b"]
    assert list(map(str, claim.literals)) == ["5"]
    assert (claim.operator, claim.level, claim.expression) == (">", 0.95, "{performance/fnr?sex=a} - {performance/fnr?sex=b} > 5 points")


def test_a_claim_that_does_not_parse_names_itself() -> None:
    with pytest.raises(ExpressionError, match=r"claims\.x: column 10"):
        verdict("{p/fnr} >")


def coverage(texts: str, truth: float, draws: Iterable[tuple[Fact, ...]]) -> tuple[float, float]:
    """Shares of intervals below and above the truth."""
    below = above = total = 0
    for facts in draws:
        claim = judge("x", f"{texts} > 0", algebra(facts))
        assert claim.low is not None
        assert claim.high is not None
        total, below, above = total + 1, below + (claim.high < truth), above + (claim.low > truth)
    return below / total, above / total


def test_differences_of_groups_err_in_one_of_twenty() -> None:
    random = np.random.default_rng(1)
    draws = ((proportion("p/r?g=a", int(a), 150), proportion("p/r?g=b", int(b), 300)) for a, b in random.binomial([150, 300], [0.3, 0.2], (3000, 2)))
    below, above = coverage("{p/r?g=a} - {p/r?g=b}", 0.1, draws)
    assert 0.035 < below + above < 0.065


def test_a_group_against_the_whole_errs_in_one_of_twenty() -> None:
    random = np.random.default_rng(2)
    pairs = random.binomial([100, 300], [0.3, 0.2], (3000, 2))
    draws = ((proportion("p/r?g=a", int(a), 100), proportion("p/r", int(a + b), 400)) for a, b in pairs)
    below, above = coverage("{p/r?g=a} - {p/r}", 0.3 - 0.225, draws)
    assert 0.035 < below + above < 0.065


def test_overlapping_groups_err_at_most_in_one_of_twenty() -> None:
    random = np.random.default_rng(3)
    cells = random.binomial(100, [0.3, 0.2, 0.25, 0.15], (2000, 4))
    draws = ((proportion("p/r?s=a", int(w + x), 200), proportion("p/r?t=b", int(w + y), 200)) for w, x, y, _ in cells)
    below, above = coverage("{p/r?s=a} - {p/r?t=b}", 0.25 - 0.275, draws)
    assert below + above < 0.05


def test_products_and_extremes_err_at_most_in_one_of_twenty() -> None:
    random = np.random.default_rng(4)
    ks = random.binomial(200, [0.4, 0.3, 0.3], (1000, 3))
    facts = [tuple(proportion(f"p/r?g={name}", int(k), 200) for name, k in zip("abc", row, strict=True)) for row in ks]
    assert sum(coverage("{p/r?g=a} * {p/r?g=b}", 0.12, facts)) < 0.05
    assert sum(coverage("max({p/r?g=a}, {p/r?g=b}, {p/r?g=c})", 0.4, facts)) < 0.05
    assert sum(coverage("gap({p/r?g=a}, {p/r?g=b}, {p/r?g=c})", 0.1, facts)) < 0.05
    assert sum(coverage("min({p/r?g=a}, {p/r?g=b}) / max({p/r?g=a}, {p/r?g=c})", 0.75, facts)) < 0.05


def compared(k: int, n: int, k2: int, n2: int) -> Fact:
    """A difference as the measure of fairness gives it."""
    own = two_rates.newcombe(k, n, k2, n2, 0.95)
    counts = {"k_group": k, "n_group": n, "k_reference": k2, "n_reference": n2}
    key = Key.parse("p/fnr_difference?sex=women")
    return Fact(key, value=k / n - k2 / n2, low=own.low, high=own.high, level=0.95, method="Newcombe", counts=counts, unit=Unit.POINTS)


def test_what_is_not_established_says_how_many_cases_would_settle_it() -> None:
    facts = proportion("p/fnr?sex=women", 8, 24), proportion("p/fnr?sex=men", 60, 300)
    needed = power.cases_needed(intervals.Share(8, 24), intervals.Share(60, 300), 0.95)
    assert needed
    claim = judge("x", "{p/fnr?sex=women} > {p/fnr?sex=men}", algebra(facts))
    assert claim.verdict is OPEN
    assert claim.reason == f"{needed} more cases of sex = 'women' would settle it with a probability of 0.8, if the rates are as observed"
    assert judge("x", "{p/fnr?sex=men} < {p/fnr?sex=women}", algebra(facts)).reason == claim.reason
    assert judge("x", "{p/fnr_difference?sex=women} > 0", algebra([compared(8, 24, 60, 300)])).reason == claim.reason


def test_what_no_number_of_cases_settles() -> None:
    few = proportion("p/fnr?sex=women", 40, 100), proportion("p/fnr?sex=men", 9, 30)
    assert "about" in judge("x", "{p/fnr?sex=women} > {p/fnr?sex=men} + 1 %", algebra(few)).reason
    small = judge("x", "{p/fnr_difference?sex=women} > 0", algebra([compared(20, 50, 9, 30)]))
    assert small.reason.startswith("about 11 times as many cases would settle it")
    equal = proportion("p/fnr?sex=women", 10, 100), proportion("p/fnr?sex=men", 10, 100)
    assert "no number of cases would settle it" in judge("x", "{p/fnr?sex=women} > {p/fnr?sex=men}", algebra(equal)).reason


def test_what_a_wide_interval_needs() -> None:
    """(1 + .8416 / 1.96)² times as many where the interval just reaches the line, and no word where the verdict is clear."""
    fact = score("p/auc", 0.81, 0.77, 0.85)
    assert judge("x", "{p/auc} > 0.77", algebra([fact])).reason.startswith("about 2 times as many cases")
    assert judge("x", "{p/auc} > 0.79", algebra([fact])).reason.startswith("about 8.2 times as many cases")
    assert judge("x", "{p/auc} > 0.8099999", algebra([fact])).reason.startswith("more than 1,000 times")
    assert judge("x", "{p/auc} > 0.5", algebra([fact])).reason == ""


def test_equivalence_of_a_difference_by_either_way_of_writing_it() -> None:
    wide, narrow = compared(30, 100, 28, 100), compared(3000, 10_000, 2950, 10_000)
    for text in (
        "abs({p/fnr_difference?sex=women}) <= 0.05",
        "{p/fnr_difference?sex=women} = 0 within 0.05",
        "abs({p/fnr_difference?sex=women}) <= 5 points",
    ):
        assert verdict(text, narrow) is HOLDS, text
        assert verdict(text, wide) is OPEN, text
        assert verdict(text, compared(60, 100, 28, 100)) is BROKEN, text
    assert "times as many cases" in judge("x", "abs({p/fnr_difference?sex=women}) <= 0.05", algebra([wide])).reason


def test_equivalence_is_seldom_claimed_where_it_is_not() -> None:
    """At a difference that equals the margin: at most alpha / 2 of the claims hold (Schuirmann's tests at the book's interval)."""
    rng, held, draws = np.random.default_rng(12), 0, 400
    for a, b in zip(rng.binomial(400, 0.35, draws), rng.binomial(400, 0.3, draws), strict=True):
        held += verdict("abs({p/fnr_difference?sex=women}) <= 0.05", compared(int(a), 400, int(b), 400)) is HOLDS
    assert held / draws <= 0.045
