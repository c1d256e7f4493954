"""Whether columns, label and score are distributed alike in two tables, or in the blocks of one table over time.

    drift:     {measure: drift, reference: train, current: holdout}
    over-time: {measure: drift, reference: log, current: log, over: day, every: month, baseline: 3}

Numbers are compared over the deciles of the reference (PSI, JS) and over all their values (KS, Wasserstein); categories over all their values.
Nothing is smoothed unless `empty: half` is declared: PSI is infinite, and said to be undefined, where a cell is empty on one side only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import sketches
from factbook.engines.sketches import Numbers, Sketch
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Planned, Source
from factbook.measures import decay, divergences, periods
from factbook.measures.divergences import Bounded, Integers, Pair
from factbook.measures.periods import Blocks, Options, options_of
from factbook.measures.request import Answer, Request, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.sources import Table
from factbook.statistics import intervals, laws, two_rates
from factbook.statistics.moments import tidy, within

SMALLEST_P: Final = 1e-300
VERSION: Final = 5
ROLES: Final = ("reference", "current")
PARAMS: Final = periods.PARAMS
_APART: Final = ("label", "prediction", "score", "key", "weight", "cluster")
_LESS, _NEITHER = Direction.LOWER, Direction.NEITHER
_UP, _ALL = (0.0, math.inf), (-math.inf, math.inf)


def _score(name: str, title: str, short: str, formula: str, source: str, bounds: tuple[float, float] = _UP) -> Metric:
    return Metric(name, title, short, Unit.SCORE, _LESS, bounds, formula, source)


def _p(name: str, title: str, short: str, formula: str, source: str) -> Metric:
    return Metric(name, title, short, Unit.FRACTION, _NEITHER, (0.0, 1.0), formula, source)


METRICS: Final = (
    count_metric("rows", "rows", "n", "rows of a block"),
    count_metric(
        "columns", "columns compared", "columns", "columns that both tables have and that can be compared, label, prediction and score included"
    ),
    count_metric("drifted", "columns that drifted by test", "drifted", "columns with Holm's adjusted p <= 1 - level", _LESS),
    count_metric(
        "shifted", "columns that drifted by PSI", "shifted", "columns with PSI >= psi_limit (0.2 unless declared: Siddiqi 2006), or infinite", _LESS
    ),
    Metric("kind", "compared as", "kind", Unit.TEXT, _NEITHER, None, "number, category, or why it is not compared", ""),
    Metric("constant", "constant", "constant", Unit.TEXT, _NEITHER, None, "in which table the column has one value only", ""),
    _score("psi", "population stability index", "PSI", "sum of (q - p) ln(q / p)", "Yurdakul & Naranjo 2020, J. Risk Model Validation 14(4), 89"),
    _score("ks", "Kolmogorov-Smirnov distance", "KS", "largest |F_current - F_reference|", "Smirnov 1948, Ann. Math. Stat. 19, 279", (0.0, 1.0)),
    _p(
        "ks_p",
        "Kolmogorov-Smirnov p-value",
        "KS p",
        "P(K >= ks * sqrt(n m / (n + m))), asymptotic, for independent rows",
        "Smirnov 1948, Ann. Math. Stat. 19, 279",
    ),
    _score("chi2", "chi-square of homogeneity", "χ²", "sum of (observed - expected)^2 / expected", "Pearson 1900, Philosophical Magazine 50, 157"),
    _p(
        "chi2_p",
        "chi-square p-value",
        "χ² p",
        "P(X >= chi2), X chi-square with categories - 1 degrees of freedom, for independent rows",
        "Pearson 1900, Philosophical Magazine 50, 157",
    ),
    _p(
        "holm_p",
        "p-value adjusted for all columns",
        "adjusted p",
        "Holm's step-down adjustment of ks_p and chi2_p",
        "Holm 1979, Scand. J. Statistics 6, 65",
    ),
    _score(
        "js",
        "Jensen-Shannon distance",
        "JS",
        "sqrt of (KL(p, m) + KL(q, m)) / 2, m = (p + q) / 2, to base 2",
        "Lin 1991, IEEE Trans. Inf. Theory 37, 145",
        (0.0, 1.0),
    ),
    Metric("wasserstein", "Wasserstein distance", "W₁", Unit.QUANTITY, _LESS, _UP, "area between the two cumulative distributions", "Vallender 1974"),
    Metric(
        "mean_difference",
        "difference of means",
        "mean difference",
        Unit.QUANTITY,
        _NEITHER,
        _ALL,
        "mean of current - mean of reference",
        "Welch 1947",
    ),
    Metric(
        "missing_difference",
        "missing values, difference",
        "missing difference",
        Unit.POINTS,
        _NEITHER,
        (-1.0, 1.0),
        "missing_share of current - of reference",
        "Newcombe 1998",
    ),
    count_metric("new_categories", "new categories", "new", "different values that only current has"),
    count_metric("vanished_categories", "vanished categories", "vanished", "different values that only the reference has"),
    Metric(
        "new_share",
        "share of rows in new categories",
        "new share",
        Unit.FRACTION,
        _LESS,
        (0.0, 1.0),
        "current rows with a value that the reference lacks / with a value",
        "",
    ),
    Metric(
        "label_shift",
        "shift of the label given the column",
        "label shift",
        Unit.FRACTION,
        _LESS,
        (0.0, 1.0),
        "mean over current rows of the total variation between the label's shares in their bin",
        "Webb et al. 2016, Data Min. Knowl. Discov. 30, 964",
    ),
    *decay.METRICS,
    _p("label_shift_p", "label shift p-value", "label shift p", "P(X >= sum of chi-squares of the bins)", "Cochran 1954, Biometrics 10, 417"),
)


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """None: no counts of groups are published."""
    del name, planned, source
    return ()


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is compared: a column, or the columns in a role."""

    params: Pairs
    reference: str
    current: str
    kind: str = ""
    labels: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})


def measure(request: Request, answer: Answer) -> None:
    """Facts of each column and role, over all of the current table and, where asked for, block by block."""
    options = options_of(request.name, request.planned.params)
    tables = {role: sources.table(request.source(role), request.root, request.store) for role in ROLES}
    same = request.source_name("reference") == request.source_name("current")
    if same and not options.in_time:
        said = f"plan.{request.name}: reference and current are the same source"
        raise MeasureError(said, remedy="name two sources, or compare blocks of one: `over: COLUMN` or `blocks: 30`")
    subjects, alone = _subjects(request, options, tables)
    label = request.source("reference").label, request.source("current").label
    if options.concept and not all(label):
        raise MeasureError(f"plan.{request.name}: `concept` needs a label in both sources", remedy="declare `label` in the sources")
    current = Blocks.scan(request, options, tables["current"], "current", _columns((item.current, item.kind) for item in subjects))
    if same:
        reference, current = current.cut(options.baseline)
    else:
        reference = Blocks.scan(request, options, tables["reference"], "reference", _columns((item.reference, item.kind) for item in subjects))
    _Report(request, answer, options, subjects, (reference, current)).everything(alone)
    decay.add(request, answer, options, tables)


def _columns(wanted: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """Names of columns, and whether they are categories in any use."""
    found: dict[str, bool] = {}
    for name, kind in wanted:
        found[name] = found.get(name, False) or kind == "category"
    return found


def _subjects(request: Request, options: Options, tables: Mapping[str, Table]) -> tuple[list[_Subject], list[tuple[str, str]]]:
    """What is compared, and the columns that one table has alone, with the name of its source."""
    before, after = (request.source(role) for role in ROLES)
    old, new = (tables[role] for role in ROLES)
    found = []
    for role, kind in (("label", "category"), ("prediction", "category"), ("score", "number")):
        names = getattr(before, role), getattr(after, role)
        if all(names):
            old.column(names[0], role)
            new.column(names[1], role)
            said = options.kinds.get(names[1], kind)
            found.append(_Subject((("role", role),), *names, said, ({}, {}) if role == "score" else (before.labels, after.labels)))
    if options.columns:
        for name in options.columns:
            old.column(name, "columns")
            new.column(name, "columns")
        return found + [_Subject((("column", name),), name, name, _declared(name, options, (before, after))) for name in options.columns], []
    for name in options.kinds:
        new.column(name, "kinds")
    apart = {options.over} | {getattr(source, role) for source in (before, after) for role in _APART}
    common = [name for name in old.names if name in new.names and name not in apart]
    found += [_Subject((("column", name),), name, name, _declared(name, options, (before, after))) for name in common]
    sides = ((request.source_name("reference"), old, new), (request.source_name("current"), new, old))
    alone = [(name, source) for source, one, other in sides for name in one.names if name not in other.names and name not in apart]
    return found, alone


def _declared(name: str, options: Options, both: Iterable[Source]) -> str:
    """The kind that the plan gives a column, or that it has as a group attribute."""
    groups = [group for source in both for group in source.by.values() if group.column == name]
    given = "" if not groups else ("number" if any(group.cuts for group in groups) else "category")
    return str(options.kinds.get(name, given))


class _Report:
    """Compares, and adds the facts; what concerns all columns together comes last."""

    def __init__(self, request: Request, answer: Answer, options: Options, subjects: Sequence[_Subject], sides: tuple[Blocks, Blocks]) -> None:
        self.request, self.answer, self.options, self.subjects = request, answer, options, subjects
        self.reference, self.current = sides
        self.before = [self.reference.sketch(item.reference).renamed(item.labels[0]) for item in subjects]
        after = [self.current.sketch(item.current).renamed(item.labels[1]) for item in subjects]
        self.kinds = [self._kind(*three) for three in zip(subjects, self.before, after, strict=True)]
        self.group_columns = {group.column for role in ROLES for group in request.source(role).by.values()} if answer.hidden else set()
        if options.over in self.group_columns:
            said = f"plan.{request.name}: column {options.over!r} (over) is a group attribute with groups that must stay hidden"
            raise MeasureError(said, remedy="cut rows with `blocks: 30`, or measure the groups with `by`")

    def everything(self, alone: Sequence[tuple[str, str]]) -> None:
        for name, source in alone:
            self.add("kind", f"not compared: only {source} has it", (("column", name),))
        for subject, kind in zip(self.subjects, self.kinds, strict=True):
            self.add("kind", kind, subject.params)
        self.summarise([((), *self.compare(self.current, ()))])
        if self.options.in_time:
            found = []
            for block in self.current.names:
                place = (("block", block),)
                one = self.current.only(block)
                self.add("rows", one.rows, place, n=one.rows)
                found.append((place, *self.compare(one, place)))
            self.summarise(found)

    def _kind(self, subject: _Subject, before: Sketch, after: Sketch) -> str:
        """What a column is compared as: as declared, else as number where all its values, on both sides, are numbers."""
        if "other" in (before.kind, after.kind):
            return "only missing values: not a number, text or boolean"
        if subject.kind == "category":
            return "category"
        sides = ((before, ROLES[0], subject.reference), (after, ROLES[1], subject.current))
        numbers = [side.numbers is not None for side, _, _ in sides if side.present]
        if subject.kind == "number" or (any(numbers) and not all(numbers)):
            for side, role, name in sides:
                if side.numbers is None:
                    self._refuse(side, role, name, subject)
        return "number" if numbers and all(numbers) else "category"

    def _refuse(self, side: Sketch, role: str, name: str, subject: _Subject) -> None:
        other = ROLES[1 - ROLES.index(role)]
        said = f"{self.request.source(role).uri}: column {name!r} ({role}) holds {side.unread} texts that are no number, e.g. {side.example!r}"
        given = "is declared a number" if subject.kind == "number" else f"holds only numbers in {self.request.source(other).uri}"
        remedy = f"mend the values (an empty field is missing), or declare `kinds: {{{subject.current}: category}}`"
        raise SourceError(f"{said}, and {given}", remedy=remedy)

    def add(self, metric: str, value: Any, params: Pairs, **more: Any) -> None:
        self.answer.add(metric, value, params=tuple(sorted(params)), **more)

    def bounded(self, metric: str, found: Bounded, params: Pairs, **more: Any) -> None:
        """A value with its hard bounds, within them and with no more digits than they support."""
        value = within(found.value, found.low, found.high)
        if not found.exact:
            more["note"] = f"values are counted in bins: the exact value lies between {found.low:.6g} and {found.high:.6g}"
        self.add(metric, tidy(value), params, **more)

    def p(self, metric: str, value: float, params: Pairs, note: str = "", **more: Any) -> None:
        """A p-value; one too small for a double is not 0."""
        if value < SMALLEST_P:
            value, note = SMALLEST_P, "; ".join(filter(None, ("at most this", note)))
        self.add(metric, tidy(value), params, note=note, **more)

    def compare(self, current: Blocks, place: Pairs) -> tuple[list[tuple[Pairs, float]], int, int]:
        """Facts of every column; returns the tests with their p-values, how many columns were compared, and how many shifted by PSI."""
        tests: list[tuple[Pairs, float]] = []
        compared = shifted = 0
        for subject, kind, before in zip(self.subjects, self.kinds, self.before, strict=True):
            after = current.sketch(subject.current).renamed(subject.labels[1])
            params = (*place, *subject.params)
            if subject.current in self.group_columns or subject.reference in self.group_columns:
                for metric in ("chi2", "js", "missing_difference", "psi"):
                    self.answer.suppress(metric, tuple(sorted(params)))
                continue
            self.missing(before, after, params)
            if kind not in ("number", "category"):
                continue
            found = self.column(kind, before, after, params)
            if found is None:
                continue
            compared += 1
            shifted += found[1] >= self.options.psi_limit
            tests.append((params, found[0]))
            if self.options.concept and subject.params != (("role", "label"),):
                self.concept(subject, kind, current, params)
        return tests, compared, shifted

    def missing(self, before: Sketch, after: Sketch, params: Pairs) -> None:
        """The difference in missing values, and whether a side is constant."""
        counts = {"k_reference": before.missing, "n_reference": before.rows, "k_current": after.missing, "n_current": after.rows}
        value = after.missing / after.rows - before.missing / before.rows
        interval = two_rates.newcombe(after.missing, after.rows, before.missing, before.rows, self.request.level)
        self.add("missing_difference", tidy(value), params, n=before.rows + after.rows, counts=counts, interval=interval)
        constant = [role for role, side in zip(ROLES, (before, after), strict=True) if side.present and side.distinct == 1]
        if constant:
            self.add("constant", " and ".join(constant), params)

    def column(self, kind: str, before: Sketch, after: Sketch, params: Pairs) -> tuple[float, float] | None:
        """The statistics of a column; returns p and PSI, or None where nothing can be compared."""
        first, second = ("psi", "ks") if kind == "number" else ("psi", "chi2")
        if not before.present or not after.present:
            side = ROLES[bool(before.present)]
            for metric in (first, second):
                self.add(metric, None, params, undefined=f"{side} has no values")
            return None
        if kind == "number":
            assert before.numbers is not None
            assert after.numbers is not None
            return self.numbers(before.numbers, after.numbers, params)
        cells = divergences.categories(before, after)
        if cells is None:
            for metric in (first, second):
                self.add(metric, None, params, undefined=f"more than {sketches.CAP:,} different values")
            return None
        return self.categories(cells, params)

    def numbers(self, before: Numbers, after: Numbers, params: Pairs) -> tuple[float, float]:
        n, m, level = before.count, after.count, self.request.level
        sizes = {"n": n + m, "counts": {"reference": n, "current": m}}
        pair = Pair.of(before, after)
        distance = divergences.kolmogorov_smirnov(pair)
        self.bounded("ks", distance, params, interval=divergences.smirnov_interval(distance, n, m, level), **sizes)
        p = divergences.smirnov_p(distance.low, n, m)
        note = (
            "" if distance.exact else f"from bins; from the exact distance at least {max(divergences.smirnov_p(distance.high, n, m), SMALLEST_P):.3g}"
        )
        self.p("ks_p", p, params, note, **sizes)
        if before.beyond or after.beyond:
            said = f"{before.beyond + after.beyond} values are infinite or beyond 2^500"
            for metric in ("wasserstein", "mean_difference"):
                self.add(metric, None, params, undefined=said, **sizes)
        else:
            self.bounded("wasserstein", divergences.wasserstein(pair), params, **sizes)
            value, interval = divergences.welch(before, after, level)
            self.add("mean_difference", tidy(value), params, interval=interval, **sizes)
        return p, self.shares(*pair.deciles, params, f"over {len(pair.deciles[0])} bins between deciles of the reference", sizes)

    def categories(self, cells: tuple[tuple[str, ...], Integers, Integers], params: Pairs) -> tuple[float, float]:
        values, first, second = cells
        n, m = int(first.sum()), int(second.sum())
        sizes = {"n": n + m, "counts": {"reference": n, "current": m}}
        statistic, freedom, small = divergences.chi_square(first, second)
        p = laws.chi_square(statistic, freedom)
        note = f"approximate: {small} of {2 * len(values)} expected counts are under 5" if small else ""
        self.add("chi2", tidy(statistic), params, note=f"{freedom} degrees of freedom", **sizes)
        self.p("chi2_p", p, params, note, **sizes)
        new, gone = (first == 0), (second == 0)
        self.add("new_categories", int(new.sum()), params, n=len(values))
        self.add("vanished_categories", int(gone.sum()), params, n=len(values))
        k = int(second[new].sum())
        self.add("new_share", k / m, params, n=m, counts={"k": k, "n": m}, interval=intervals.proportion(k, m, self.request.level))
        return p, self.shares(first, second, params, f"over {len(values)} categories", sizes)

    def shares(self, first: Integers, second: Integers, params: Pairs, note: str, sizes: Mapping[str, Any]) -> float:
        """PSI and JS of counts."""
        self.add("js", tidy(divergences.jensen_shannon(first, second)), params, note=note, **sizes)
        empty = int(((first == 0) | (second == 0)).sum())
        if empty and self.options.half:
            first, second = first + np.where(first == 0, 0.5, 0), second + np.where(second == 0, 0.5, 0)
            note = f"{note}; half a row was put in each empty cell, {empty} in all (`empty: half`)"
        value = divergences.stability(first, second)
        if math.isinf(value):
            said = f"infinite: {empty} of {len(first)} cells are empty on one side; see js, or declare `empty: half`"
            self.add("psi", None, params, undefined=said, note=note, **sizes)
        else:
            interval = None if empty else divergences.stability_interval(first, second, self.request.level)
            self.add("psi", tidy(value), params, note=note, interval=interval, **sizes)
        return value

    def concept(self, subject: _Subject, kind: str, current: Blocks, params: Pairs) -> None:
        """Whether the label's shares moved where the column stayed."""
        before, after = self.reference.by_label(subject.reference), current.by_label(subject.current)
        labels = sorted({*before, *after})
        tables = divergences.tabulate([[side.get(label) for label in labels] for side in (before, after)], number=kind == "number")
        if tables is None:
            self.add("label_shift", None, params, undefined="no rows with a label, or too many different values")
            return
        found = divergences.label_shift(*tables)
        sizes = {"n": int(tables[1].sum()), "counts": {"reference": int(tables[0].sum()), "current": int(tables[1].sum())}}
        if math.isnan(found.value):
            self.add("label_shift", None, params, undefined="no bin has rows on both sides", **sizes)
            return
        note = f"{found.left_out} current rows lie where the reference has none, and are left out" if found.left_out else ""
        self.add("label_shift", tidy(found.value), params, note=note, **sizes)
        self.p("label_shift_p", laws.chi_square(found.statistic, found.freedom), params, note, **sizes)

    def summarise(self, found: Sequence[tuple[Pairs, list[tuple[Pairs, float]], int, int]]) -> None:
        """Adjusted p-values over all tests, and how many columns drifted."""
        tests = [test for _, part, _, _ in found for test in part]
        adjusted = dict(zip((params for params, _ in tests), laws.holm([p for _, p in tests]), strict=True))
        for params, p in adjusted.items():
            self.p("holm_p", p, params, f"over {len(tests)} tests")
        for place, part, compared, shifted in found:
            drifted = sum(adjusted[params] <= 1 - self.request.level for params, _ in part)
            self.add("columns", compared, place, n=compared)
            self.add("drifted", drifted, place, n=compared, counts={"k": drifted, "n": compared})
            self.add(
                "shifted", shifted, place, n=compared, counts={"k": shifted, "n": compared}, note=f"PSI >= {self.options.psi_limit:g} or infinite"
            )
