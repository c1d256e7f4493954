"""Rankings and recommendations: what the first k of every query's list are worth, and always beside it what the most popular items would be worth.

    {measure: ranking, data: lists, query: user, item: product, relevance: bought, score: score, k: [5, 10], popularity: sold_before}

One row is one item of one query. A row without a score (or rank) is an item that was not returned; a relevant one counts against recall all the
same. Equal scores are ordered by the item's name, or, where no `item` is declared, the least relevant first. Queries without a relevant item have
no recall, NDCG, MAP or MRR: they are left out of all means, and counted.

The baseline orders by `popularity`, a column; where only `item` is declared, by the number of other queries for which the item is relevant. With
`baseline: rows` it orders the same rows again, which is fair if these are all that could have been returned; with `baseline: catalogue` it gives
every query the most popular items of the whole table.

Queries are the independent units (or the source's clusters, e.g. the users who asked them): means get Student's t over them, differences from the
baseline are paired by query (Smucker, Allan & Carterette 2007, CIKM, 623). Every attribute in `by` belongs to the query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from factbook.errors import MeasureError, SourceError
from factbook.measures import rows
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import exposure, intervals, moments
from factbook.statistics.moments import Floats, Integers, Sample, sums, tidy

VERSION: Final = 5
ROLES: Final = ("data",)
PARAMS: Final = ("query", "item", "relevance", "score", "rank", "k", "gain", "relevant_from", "popularity", "baseline", "catalogue", "kind")
_HIGHER, _NEITHER = Direction.HIGHER, Direction.NEITHER
_MANNING: Final = "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, chapter 8"
_JARVELIN: Final = "Järvelin & Kekäläinen 2002, ACM TOIS 20, 422"
_CASTELLS: Final = "Castells, Vargas & Wang 2011, DDR workshop at ECIR"


def _score(name: str, title: str, short: str, formula: str, source: str, unit: Unit, aliases: tuple[str, ...] = ()) -> Metric:
    return Metric(name, title, short, unit, _HIGHER, (0.0, 1.0), formula, source, aliases)


MEANS: Final = (
    _score("precision", "precision of the first k", "P@k", "relevant items among the first k / k; mean over queries", _MANNING, Unit.FRACTION),
    _score("recall", "recall of the first k", "R@k", "relevant items among the first k / relevant items; mean", _MANNING, Unit.FRACTION),
    _score(
        "hit_rate",
        "hit rate of the first k",
        "hit rate",
        "queries with a relevant item among the first k / queries",
        "Deshpande & Karypis 2004, ACM TOIS 22, 143",
        Unit.FRACTION,
        ("success",),
    ),
    _score("mrr", "mean reciprocal rank", "MRR", "mean of 1 / rank of the first relevant item (0 beyond k)", "Voorhees 1999, TREC-8, 77", Unit.SCORE),
    _score("map", "mean average precision", "MAP", "mean of: sum of precisions at relevant items / min(relevant items, k)", _MANNING, Unit.SCORE),
    _score(
        "ndcg",
        "normalised discounted cumulative gain",
        "NDCG",
        "DCG / DCG of the best order, DCG = sum of gain / log2(1 + rank)",
        _JARVELIN,
        Unit.SCORE,
    ),
)


def _over(about: Metric) -> Metric:
    unit = Unit.POINTS if about.unit is Unit.FRACTION else about.unit
    title, formula = f"{about.title}, above the popularity baseline", f"mean over queries of {about.short} - {about.short} of the baseline"
    return Metric(f"{about.name}_over_popularity", title, f"{about.short} over popularity", unit, _HIGHER, (-1.0, 1.0), formula, "")


METRICS: Final = (
    count_metric("queries", "queries", "n", "queries with at least one relevant item"),
    count_metric("queries_without_relevant", "queries without a relevant item", "without relevant", "queries that are left out"),
    *MEANS,
    *(_over(about) for about in MEANS),
    Metric(
        "catalogue_coverage",
        "catalogue coverage",
        "coverage",
        Unit.FRACTION,
        _NEITHER,
        (0.0, 1.0),
        "items among the first k of any query / items",
        "Ge, Delgado-Battenfeld & Jannach 2010, RecSys, 257",
        ("item_coverage",),
    ),
    Metric(
        "diversity",
        "diversity within lists",
        "diversity",
        Unit.FRACTION,
        _NEITHER,
        (0.0, 1.0),
        "mean over queries of: pairs of different `kind` / pairs, among the first k",
        "Smyth & McClave 2001, ICCBR, 347; Ziegler et al. 2005, WWW, 22",
        ("intra_list_diversity",),
    ),
    Metric(
        "exposure_gini",
        "inequality of exposure",
        "Gini",
        Unit.SCORE,
        _NEITHER,
        (0.0, 1.0),
        "Gini's index over all items of how often each is among the first k",
        "Fleder & Hosanagar 2009, Management Science 55, 697",
        ("gini",),
    ),
    Metric(
        "novelty",
        "novelty (mean self-information)",
        "novelty",
        Unit.QUANTITY,
        _NEITHER,
        (0.0, math.inf),
        "mean of -log2(popularity of the item / sum over items) over the first k, in bits",
        _CASTELLS,
        ("self_information",),
    ),
)


def _cuts(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Parameters(rows.Parameters):
    """The columns of a ranking; `relevant_from` is the least relevance that counts as relevant, by default anything above 0."""

    query: str
    relevance: str
    item: str = ""
    score: str = ""
    rank: str = ""
    k: Annotated[tuple[Annotated[int, Field(gt=0)], ...], BeforeValidator(_cuts)] = (10,)
    gain: Literal["linear", "exponential"] = "linear"
    relevant_from: Decimal | None = Field(default=None, gt=0)
    popularity: str = ""
    baseline: Literal["rows", "catalogue"] = "rows"
    catalogue: int | None = Field(default=None, gt=0)
    kind: str = ""

    @model_validator(mode="after")
    def _together(self) -> Parameters:
        if bool(self.score) == bool(self.rank):
            raise ValueError("give `score` (high is first) or `rank` (1 is first), one of them")
        if self.baseline == "catalogue" and not (self.popularity and self.item):
            raise ValueError("`baseline: catalogue` needs `item` and `popularity`")
        if self.kind and not self.item:
            raise ValueError("`kind` is of an item: name the column of `item` as well")
        if list(self.k) != sorted(set(self.k)):
            raise ValueError("`k` is increasing")
        return self

    def columns(self) -> list[Wanted]:
        """What is read."""
        found = [Wanted("query", self.query, number=False), Wanted("relevance", self.relevance, number=True, policy="label")]
        found.append(Wanted("score", self.score or self.rank, number=True))
        found += [Wanted("item", self.item, number=False)] if self.item else []
        found += [Wanted("kind", self.kind, number=False)] if self.kind else []
        return found + ([Wanted("popularity", self.popularity, number=True)] if self.popularity else [])


@dataclass(frozen=True, eq=False)
class Lists:
    """The rows of all queries that have a relevant item.

    Attributes:
        query: per row, the number of its query; queries are numbered without gaps.
        size: the number of queries.
        gain, relevant: per row, what it is worth.
            item, kind: per row, a number of its item, and of what kind that is, or None.
        popularity: per row, for the baseline, or None; `share` of all popularity, for novelty.
        every: the rows by query, for slices and clusters, one a query.
    """

    query: Integers
    size: int
    gain: Floats
    relevant: Flags
    item: Integers | None
    kind: Integers | None
    popularity: Floats | None
    share: Floats | None
    every: Rows

    @cached_property
    def ideal(self) -> Integers:
        """Per row its position in the best order."""
        return _order(self, self.gain).position


@dataclass(frozen=True, eq=False)
class Order:
    """Rows in some order: `position` is 1, 2, ... within the query; rows that were not returned lie beyond every cut."""

    position: Integers
    returned: Flags
    query: Integers

    @cached_property
    def sequence(self) -> Integers:
        """The rows, query by query, in this order."""
        return np.lexsort((self.position, self.query))


Values = Mapping[str, Floats]


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; the source declares weights.
        SourceError: a column cannot be read; an item occurs twice in a query; a query lies in two groups.
    """
    given = rows.parameters(Parameters, request)
    if request.source().weight:
        raise MeasureError(f"plan.{request.name}: ranking does not weigh queries", remedy="measure a source without `weight`")
    found = rows.read(request, given.columns())
    answer.warnings += found.warnings
    _refuse(found, given)
    lists, without, scored = _lists(found, given)
    own = _order(lists, scored)
    other = _baseline(lists, given)
    slices = request.slices()
    rows.protect(request, answer, slices, _per_query(found, found.first("query")), lists.every)
    each = {k: (_values(lists, own, k), None if other is None else _values(lists, other, k)) for k in (*given.k, None)}
    for by in ((), *slices):
        names, sample = _add_slices(answer, lists, without, each, by)
        for order, extra in ((own, ()), (other, (("ranking", "popularity"),))):
            if order is not None and lists.item is not None and not (extra and given.baseline == "catalogue"):
                for k in given.k:
                    _add_items(answer, lists, order, given, k, names, sample, (("k", str(k)), *extra))


def _refuse(found: Rows, given: Parameters) -> None:
    """Refuse what is no set of lists."""
    where = found.source.uri
    for role in ("query", "item", "kind"):
        if role in found.texts and (count := int((found.texts[role].codes == 0).sum())):
            raise SourceError(f"{where}: column {getattr(given, role)!r} ({role}) is missing in {count} of {found.count} rows", remedy="fill it in")
    if (found.numbers["relevance"] < 0).any():
        raise SourceError(f"{where}: column {given.relevance!r} (relevance) is negative in some rows", remedy="irrelevant is 0")
    if given.rank and (found.numbers["score"] < 1).any():
        raise SourceError(f"{where}: column {given.rank!r} (rank) is below 1 in some rows", remedy="the first rank is 1")
    if given.popularity and not (np.nan_to_num(found.numbers["popularity"], nan=-1.0) >= 0).all():
        raise SourceError(f"{where}: column {given.popularity!r} (popularity) is missing or negative in some rows", remedy="unknown items have 0")
    if given.item:
        _refuse_items(found, given)
    rows.refuse_split(found, "query")


def _refuse_items(found: Rows, given: Parameters) -> None:
    item = found.texts["item"]
    if given.kind and (several := found.pairs("item", found.texts["kind"].codes) - len(item.values)):
        raise SourceError(f"{found.source.uri}: {several} items have more than one value of {given.kind!r} (kind)", remedy="give an item one kind")
    if given.catalogue is not None and given.catalogue < len(item.values):
        raise SourceError(f"{found.source.uri}: there are {len(item.values)} items, more than `catalogue` says", remedy="mend `catalogue`")
    if twice := found.count - found.pairs("query", item.codes):
        raise SourceError(f"{found.source.uri}: {twice} rows repeat an item of their query", remedy="keep one row for each query and item")


def _lists(found: Rows, given: Parameters) -> tuple[Lists, Rows, Floats]:
    """The lists of queries with a relevant item, the other queries, and the scores (NaN: not returned)."""
    relevance = found.numbers["relevance"]
    relevant = relevance > 0 if given.relevant_from is None else relevance >= float(given.relevant_from)
    queries = len(found.texts["query"].values)
    query = found.texts["query"].codes - 1
    judged = np.bincount(query, weights=relevant, minlength=queries) > 0
    first = np.full(queries, found.count, dtype=np.int64)
    np.minimum.at(first, query, np.arange(found.count))
    kept = judged[query]
    gain = relevance if given.gain == "linear" else np.exp2(relevance) - 1
    score = found.numbers["score"] if given.score else -found.numbers["score"]
    item = found.texts["item"].codes[kept] if given.item else None
    popularity, share = _popularity(found, relevant)
    lists = Lists(
        query=(np.cumsum(judged) - 1)[query[kept]],
        size=int(judged.sum()),
        gain=gain[kept],
        relevant=relevant[kept],
        item=item,
        kind=found.texts["kind"].codes[kept] if given.kind else None,
        popularity=None if popularity is None else popularity[kept],
        share=None if share is None else share[kept],
        every=_per_query(found, first[judged]),
    )
    return lists, _per_query(found, first[~judged]), score[kept]


def _per_query(found: Rows, first: Integers) -> Rows:
    """One row a query, for its attributes and its cluster."""
    return found.where(first)


def _popularity(found: Rows, relevant: Flags) -> tuple[Floats | None, Floats | None]:
    """What the baseline orders by, and each row's item's share of all popularity."""
    if "item" not in found.texts:
        return found.numbers.get("popularity"), None
    item = found.texts["item"]
    if "popularity" not in found.numbers:
        counts = np.bincount(item.codes, weights=relevant, minlength=len(item.values) + 1).astype(np.float64)
        return counts[item.codes] - relevant, counts[item.codes] / counts.sum()
    popularity = found.numbers["popularity"]
    highest = np.zeros(len(item.values) + 1)
    np.maximum.at(highest, item.codes, popularity)
    if (highest[item.codes] != popularity).any():
        raise SourceError(f"{found.source.uri}: the popularity of some items differs between rows", remedy="popularity belongs to the item")
    total = float(moments.real(sums(highest, np.zeros(len(highest), dtype=np.int64), 1))[0])
    return popularity, popularity / total if total else None


def _order(lists: Lists, score: Floats) -> Order:
    """The order of the scores, high first; ties by item, or the least relevant first."""
    returned = ~np.isnan(score)
    ties = (lists.item,) if lists.item is not None else (lists.relevant, lists.gain)
    order = np.lexsort((*ties, -np.where(returned, score, 0.0), ~returned, lists.query))
    starts = np.concatenate(([0], np.cumsum(np.bincount(lists.query, minlength=lists.size))[:-1])) if lists.size else np.zeros(0, dtype=np.int64)
    position = np.empty(len(score), dtype=np.int64)
    position[order] = np.arange(len(score)) - starts[lists.query[order]] + 1
    return Order(position, returned, lists.query)


def _baseline(lists: Lists, given: Parameters) -> Order | None:
    if lists.popularity is None:
        return None
    if given.baseline == "rows":
        return _order(lists, lists.popularity)
    assert lists.item is not None
    item, first, inverse = np.unique(lists.item, return_index=True, return_inverse=True)
    place = np.empty(len(item), dtype=np.int64)
    place[np.lexsort((item, -lists.popularity[first]))] = np.arange(1, len(item) + 1)
    return Order(place[inverse.reshape(-1)], np.ones(len(lists.query), dtype=bool), lists.query)


def _values(lists: Lists, order: Order, k: int | None) -> dict[str, Floats]:
    """The value of every metric for every query; without k, of those that need none."""
    position, query, size = order.position.astype(np.float64), lists.query, lists.size
    inside = order.returned & (order.position <= (k or len(query)))
    hit = inside & lists.relevant
    found = np.bincount(query, weights=hit, minlength=size)
    wanted = np.bincount(query, weights=lists.relevant, minlength=size)
    reciprocal = np.zeros(size)
    np.maximum.at(reciprocal, query, np.where(hit, 1 / position, 0.0))
    precision = np.where(hit, _hits_until(lists, order, hit) / position, 0.0)
    discount = lists.gain / np.log2(1 + position)
    best = np.where(lists.ideal <= (k or len(query)), lists.gain / np.log2(1 + lists.ideal), 0.0)
    values = {
        "mrr": reciprocal,
        "map": _total(precision, lists) / np.minimum(wanted, k or np.inf),
        "ndcg": _total(np.where(inside, discount, 0.0), lists) / _total(best, lists),
    }
    if k is None:
        return values
    return {"precision": found / k, "recall": found / wanted, "hit_rate": (found > 0).astype(np.float64), **values}


def _hits_until(lists: Lists, order: Order, hit: Flags) -> Floats:
    """Per row, the hits of its query up to its position."""
    sequence = order.sequence
    running = np.cumsum(hit[sequence])
    before = np.concatenate(([0], np.cumsum(np.bincount(lists.query, weights=hit, minlength=lists.size))))[:-1]
    until = np.empty(len(hit))
    until[sequence] = running - before[lists.query[sequence]]
    return until


def _total(values: Floats, lists: Lists) -> Floats:
    return moments.totals(values, lists.query, lists.size)


def _add_slices(
    answer: Answer, lists: Lists, without: Rows, each: Mapping[int | None, tuple[Values, Values | None]], by: Sequence[str]
) -> tuple[list[Pairs], Sample]:
    """The metrics of queries; returns the slices."""
    names, sample = lists.every.sample(by)
    left = dict(zip(*_sizes(without, by), strict=True)) if without.count else {}
    for place in dict.fromkeys((*names, *left)):
        n = int(sample.n[names.index(place)]) if place in names else 0
        answer.add("queries", n, slice=place, n=n)
        answer.add("queries_without_relevant", left.get(place, 0), slice=place, n=n + left.get(place, 0))
    for k, (values, baseline) in each.items():
        params: Pairs = () if k is None else (("k", str(k)),)
        for metric, value in values.items():
            _add_mean(answer, metric, value, names, sample, params)
            beside = (*params, ("ranking", "popularity"))
            if baseline is None:
                for place in names:
                    for name, extra in ((metric, beside), (f"{metric}_over_popularity", params)):
                        answer.add(name, None, params=extra, slice=place, undefined="no popularity is known: declare `popularity` or `item`")
            else:
                _add_mean(answer, metric, baseline[metric], names, sample, beside)
                _add_mean(answer, f"{metric}_over_popularity", value - baseline[metric], names, sample, params)
    return names, sample


def _sizes(every: Rows, by: Sequence[str]) -> tuple[list[Pairs], list[int]]:
    names, index = every.places(by)
    return names, np.bincount(index, minlength=len(names)).tolist()


def _add_mean(answer: Answer, metric: str, values: Floats, names: Sequence[Pairs], sample: Sample, params: Pairs) -> None:
    means = moments.means(sample, values, answer.level, moments.method(sample, "query"), answer.metrics[metric].bounds)
    share = metric == "hit_rate" and sample.clusters is None
    for i, place in enumerate(names):
        n, (mean, interval) = int(sample.n[i]), means[i]
        if not n:
            answer.add(metric, None, params=params, slice=place, n=0, undefined="0 of 0: no query has a relevant item")
        elif share:
            k = round(mean * n)
            answer.add(metric, k / n, params=params, slice=place, n=n, counts={"k": k, "n": n}, interval=intervals.proportion(k, n, answer.level))
        else:
            answer.add(metric, tidy(mean), params=params, slice=place, n=n, interval=interval)


def _add_items(answer: Answer, lists: Lists, order: Order, given: Parameters, k: int, names: Sequence[Pairs], sample: Sample, params: Pairs) -> None:
    """Catalogue coverage and novelty of the first k."""
    assert lists.item is not None
    inside = order.returned & (order.position <= k)
    slices, width = sample.index[lists.query], int(lists.item.max(initial=0)) + 1
    shown = np.bincount(rows.distinct(slices[inside] * width + lists.item[inside]) // width, minlength=sample.size)
    catalogue = given.catalogue or len(lists.every.texts["item"].values)
    for i, place in enumerate(names):
        said = "" if sample.n[i] else "0 of 0: no query has a relevant item"
        value = None if said else int(shown[i]) / catalogue
        answer.add("catalogue_coverage", value, params=params, slice=place, n=catalogue, undefined=said)
        own = sample.index[lists.query[inside]] == i
        times = np.bincount(lists.item[inside][own])
        gini = exposure.gini(times[times > 0], catalogue) if not said else None
        nothing = "" if gini is not None else said or "no list shows an item"
        note = "" if nothing else "no interval: lists share the items"
        answer.add("exposure_gini", None if gini is None else tidy(gini), params=params, slice=place, n=catalogue, undefined=nothing, note=note)
    _add_novelty(answer, lists, inside, names, sample, params)
    if lists.kind is not None:
        _add_diversity(answer, lists, exposure.diversity(lists.kind[inside], lists.query[inside], lists.size), names, sample, params)


def _add_diversity(answer: Answer, lists: Lists, each: Floats, names: Sequence[Pairs], sample: Sample, params: Pairs) -> None:
    short = np.bincount(sample.index, weights=np.isnan(each), minlength=sample.size)
    means = moments.means(sample, np.nan_to_num(each), answer.level, moments.method(sample, "query"), (0.0, 1.0))
    for i, place in enumerate(names):
        said = f"{int(short[i])} queries list fewer than two items" if short[i] else "" if sample.n[i] else "0 of 0: no query has a relevant item"
        mean, interval = means[i]
        answer.add("diversity", None if said else tidy(mean), params=params, slice=place, n=int(sample.n[i]), interval=interval, undefined=said)


def _add_novelty(answer: Answer, lists: Lists, inside: Flags, names: Sequence[Pairs], sample: Sample, params: Pairs) -> None:
    share = np.zeros(len(inside)) if lists.share is None else lists.share
    unknown = np.bincount(sample.index[lists.query], weights=inside & (share == 0), minlength=sample.size)
    bits = np.where(inside & (share > 0), -np.log2(np.where(share > 0, share, 1.0)), 0.0)
    listed = np.bincount(lists.query, weights=inside, minlength=lists.size)
    empty = np.bincount(sample.index, weights=listed == 0, minlength=sample.size)
    each = _total(bits, lists) / np.maximum(listed, 1)
    means = moments.means(sample, each, answer.level, moments.method(sample, "query"), (0.0, math.inf))
    for i, place in enumerate(names):
        said = (
            f"{int(unknown[i])} of the items have popularity 0" if unknown[i] else f"{int(empty[i])} queries have an empty list" if empty[i] else ""
        )
        said = said if sample.n[i] else "0 of 0: no query has a relevant item"
        mean, interval = means[i]
        answer.add("novelty", None if said else tidy(mean), params=params, slice=place, n=int(sample.n[i]), interval=interval, undefined=said)
