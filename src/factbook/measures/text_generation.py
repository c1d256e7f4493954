"""Generated texts, judged row by row: exact match, token F1 and ROUGE-L, pass@k over epochs, judges, retrieval and faithfulness of answers.

    {measure: text-generation, data: samples, sample: id, prediction: output, references: [target], correct: passed, k: [1, 5]}
    {measure: text-generation, data: answers, retrieved: doc_ids, relevant: gold_ids, k: [5], support: claim_verdicts,
     judge: judge_grade, human: human_grade, judges: [gpt, claude, human], refusals: ["I cannot"], quantities: [total_time, output_tokens, cost]}

One row is one output. Several rows with the same `sample` are epochs of it: they vary together, so that the samples are the independent units of
every interval (or the source's clusters, where these are declared instead). Of several references the best one counts. `references`, `retrieved` and
`relevant` may be columns of lists (in the order of the ranks), `support` one of lists of verdicts on the claims of an answer (true, false, 1, 0).

Intervals: of means over samples as in `moments` (Korn & Graubard's of what lies between 0 and 1, else Student's t); of shares of rows that are all
independent Wilson or Clopper-Pearson; of the judge's kappa as in `agreement`, or by the jackknife over samples; of quantiles Woodruff's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from factbook.errors import MeasureError, SourceError
from factbook.measures import judges, quantities, rows, texts
from factbook.measures.agreement import Ratings
from factbook.measures.influence import ratio
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Texts, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, moments
from factbook.statistics.kappa import kappa
from factbook.statistics.moments import Floats, Integers, Sample, tidy

VERSION: Final = 3
ROLES: Final = ("data",)
PARAMS: Final = (
    *("sample", "prediction", "references", "normalise", "correct", "k", "judge", "human", "score", "judges", "scale"),
    *("retrieved", "relevant", "supported", "claims", "support", "refused", "refusals", "quantities"),
)
_FRACTION, _SCORE, _HIGHER = Unit.FRACTION, Unit.SCORE, Direction.HIGHER
_RAJPURKAR: Final = "Rajpurkar et al. 2016, EMNLP, 2383"


def _mean(name: str, title: str, short: str, unit: Unit, formula: str, source: str, aliases: tuple[str, ...] = ()) -> Metric:
    return Metric(name, title, short, unit, _HIGHER, (0.0, 1.0), formula, source, aliases)


METRICS: Final = (
    count_metric("rows", "outputs", "n", "rows of the table, or of a group"),
    count_metric("samples", "samples", "samples", "different samples; outputs where no sample is declared"),
    _mean("exact_match", "exact match", "EM", _FRACTION, "outputs that equal a reference when normalised / outputs", _RAJPURKAR, ("em",)),
    _mean("token_f1", "token F1", "F1", _SCORE, "mean of 2 common words / (words of output + words of reference)", _RAJPURKAR),
    _mean(
        "rouge_l",
        "ROUGE-L",
        "ROUGE-L",
        _SCORE,
        "mean of 2 longest common subsequence / (words of output + words of reference)",
        "Lin 2004, Text Summarization Branches Out, 74",
    ),
    _mean("correct_share", "share of correct outputs", "correct", _FRACTION, "correct outputs / outputs", "", ("accuracy",)),
    _mean(
        "pass_at_k",
        "pass@k",
        "pass@k",
        _FRACTION,
        "mean over samples of 1 - C(n - c, k) / C(n, k), c of n epochs correct",
        "Chen et al. 2021, arXiv:2107.03374, eq. 1",
        ("pass",),
    ),
    Metric("mean_score", "mean score of the judge", "score", Unit.QUANTITY, _HIGHER, (-math.inf, math.inf), "sum of scores / outputs with one", ""),
    _mean("judge_agreement", "agreement of judge and human", "agreement", _FRACTION, "outputs with equal grades / outputs with both", ""),
    Metric(
        "judge_kappa",
        "Cohen's kappa of judge and human",
        "κ",
        _SCORE,
        _HIGHER,
        (-1.0, 1.0),
        "(observed - expected agreement) / (1 - expected agreement)",
        "Cohen 1960, Educational and Psychological Measurement 20, 37",
    ),
    Metric(
        "judges_alpha",
        "Krippendorff's alpha of the judges",
        "α",
        _SCORE,
        _HIGHER,
        (-1.0, 1.0),
        "1 - observed / expected disagreement, over outputs with at least two grades",
        "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability",
    ),
    Metric(
        "refusal_rate",
        "share of refusals",
        "refusals",
        _FRACTION,
        Direction.NEITHER,
        (0.0, 1.0),
        "outputs that refuse, as `refused` says or by holding one of the phrases of `refusals` / outputs",
        "",
        ("refusal",),
    ),
    _mean(
        "retrieval_hit_rate",
        "retrieval hit rate of the first k",
        "hit rate",
        _FRACTION,
        "outputs with a relevant document among the first k / outputs with one to find",
        "Karpukhin et al. 2020, EMNLP, 6769",
    ),
    _mean(
        "retrieval_recall",
        "retrieval recall of the first k",
        "recall",
        _FRACTION,
        "mean of relevant documents among the first k / relevant documents",
        "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, chapter 8",
    ),
    _mean(
        "retrieval_mrr",
        "mean reciprocal rank of retrieval",
        "MRR",
        _SCORE,
        "mean of 1 / rank of the first relevant document (0 beyond k)",
        "Voorhees 1999, TREC-8, 77",
        ("mrr",),
    ),
    _mean(
        "faithfulness",
        "faithfulness of answers",
        "faithfulness",
        _FRACTION,
        "mean of claims supported by the context / claims, over outputs that make one",
        "Es et al. 2024, EACL demonstrations, 150",
    ),
    _mean(
        "claim_support",
        "share of supported claims",
        "supported claims",
        _FRACTION,
        "claims supported by the context / claims of all outputs",
        "Min et al. 2023, EMNLP, 12076",
    ),
    *quantities.METRICS,
)


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


_SUBJECTS: Final = ("prediction", "correct", "judge", "score", "judges", "retrieved", "supported", "support", "refused", "quantities")


class Parameters(rows.Parameters):
    """The columns of what was judged; each group of them is optional, but not all."""

    sample: str = ""
    prediction: str = ""
    references: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    normalise: Literal["squad", "spaces"] = "squad"
    correct: str = ""
    k: Annotated[tuple[Annotated[int, Field(gt=0)], ...], BeforeValidator(_list)] = (1,)
    judge: str = ""
    human: str = ""
    score: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    judges: tuple[str, ...] = ()
    scale: Literal["nominal", "ordinal", "interval"] = "nominal"
    retrieved: str = ""
    relevant: str = ""
    supported: str = ""
    claims: str = ""
    support: str = ""
    refused: str = ""
    refusals: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _together(self) -> Parameters:
        for one, other in (("judge", "human"), ("retrieved", "relevant"), ("supported", "claims")):
            if bool(getattr(self, one)) != bool(getattr(self, other)):
                raise ValueError(f"`{one}` and `{other}` go together")
        if bool(self.prediction) != bool(self.references or self.refusals) or (self.references and not self.prediction):
            raise ValueError("`prediction` goes together with `references`, `refusals` or both")
        if not any(getattr(self, name) for name in _SUBJECTS):
            raise ValueError(
                "give `prediction` with `references`, `correct`, `judge` with `human`, `score`, `retrieved` or another of what is judged"
            )
        if (self.supported and self.support) or (self.refused and self.refusals):
            raise ValueError("`support` stands for `supported` and `claims`, `refused` for `refusals`: give one of them")
        if self.judges and len(set(self.judges)) < max(2, len(self.judges)):
            raise ValueError("`judges` names at least two columns, each once")
        if self.correct and not self.sample:
            raise ValueError("`correct` needs `sample`, whose rows are the epochs of pass@k")
        if list(self.k) != sorted(set(self.k)):
            raise ValueError("`k` is increasing")
        return self

    def columns(self) -> list[Wanted]:
        """What is read."""
        found = [Wanted(role, getattr(self, role), number=False) for role in ("sample", "judge", "human") if getattr(self, role)]
        found += [Wanted("prediction", self.prediction, number=False, policy="prediction")] if self.prediction else []
        found += [Wanted(f"reference {name}", name, number=False, nested=True) for name in self.references]
        found += [Wanted(role, getattr(self, role), number=False, nested=True) for role in ("retrieved", "relevant") if getattr(self, role)]
        found += [
            Wanted(role, getattr(self, role), number=True, policy="label")
            for role in ("correct", "supported", "claims", "refused")
            if getattr(self, role)
        ]
        found += [Wanted("support", self.support, number=False, nested=True)] if self.support else []
        found += [Wanted(f"judge {name}", name, number=self.scale != "nominal") for name in self.judges]
        return found + [Wanted(f"{role} {name}", name, number=True) for role in ("score", "quantities") for name in getattr(self, role)]


@dataclass(frozen=True, eq=False)
class Judged:
    """A value per row, and for which rows there is one. `binary`: all values are 0 or 1."""

    metric: str
    params: Pairs
    values: Floats
    there: Flags
    binary: bool
    empty: str


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; the source declares weights, or clusters beside `sample`.
        SourceError: a column cannot be read; values are missing without a policy; a sample lies in two groups.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: text generation does not weigh outputs", remedy="measure a source without `weight`")
    if source.cluster and given.sample not in ("", source.cluster):
        raise MeasureError(f"plan.{request.name}: both `sample` and the source's `cluster` say what varies together", remedy="keep one of them")
    found = _referenced(rows.read(request, given.columns()), given)
    answer.warnings += found.warnings
    _refuse(found, given)
    judged = _judged(found, given)
    slices = request.slices()
    units = found.where(found.first("sample")) if given.sample else found
    rows.protect(request, answer, slices, found, units)
    for by in ((), *slices):
        _add_slices(answer, found, judged, given, by, request.manifest.suppress_below if by else 0)


def _referenced(found: Rows, given: Parameters) -> Rows:
    """Without the outputs that have no reference, where the policy says so."""
    if not given.references:
        return found
    none = np.array([not own for own in _lists(found, given)])
    if not none.any():
        return found
    said = f"{found.source.uri}: {int(none.sum())} of {found.count} rows have no reference"
    if found.source.missing.label == "error":
        raise SourceError(said, remedy="fill it in, or declare `missing: {label: drop}`; what is dropped is counted")
    return replace(found.where(~none), warnings=(*found.warnings, f"{said} and were left out (policy: drop)"))


def _refuse(found: Rows, given: Parameters) -> None:
    where = found.source.uri
    if given.sample:
        if count := int((found.texts["sample"].codes == 0).sum()):
            raise SourceError(f"{where}: column {given.sample!r} (sample) is missing in {count} of {found.count} rows", remedy="fill it in")
        rows.refuse_split(found, "sample")
    for role, what in (("correct", "is correct"), ("refused", "is a refusal")):
        if role in found.numbers and not np.isin(found.numbers[role], (0.0, 1.0)).all():
            said = f"{where}: column {getattr(given, role)!r} ({role}) holds other values than 0 and 1"
            raise SourceError(said, remedy=f"write 1 where the output {what}")
    for name in given.quantities:
        if negative := int((found.numbers[f"quantities {name}"] < 0).sum()):
            raise SourceError(f"{where}: column {name!r} (quantities) is negative in {negative} of {found.count} rows", remedy="mend the values")
    if given.supported:
        supported, claims = found.numbers["supported"], found.numbers["claims"]
        if ((supported < 0) | (supported > claims)).any():
            raise SourceError(
                f"{where}: more claims are supported than made, or fewer than 0", remedy=f"mend {given.supported!r} or {given.claims!r}"
            )


def _judged(found: Rows, given: Parameters) -> list[Judged]:
    """All that has a value per row."""
    every = np.ones(found.count, dtype=bool)
    judged = []
    if given.references:
        normalise = texts.squad if given.normalise == "squad" else texts.plain
        for metric, compare in (
            ("exact_match", lambda text, reference: texts.exact(text, reference, normalise)),
            ("token_f1", lambda text, reference: texts.token_f1(text, reference, normalise)),
            ("rouge_l", texts.rouge_l),
        ):
            judged.append(Judged(metric, (), _best(found, given, compare), every, metric == "exact_match", "no outputs"))
    if given.correct:
        judged.append(Judged("correct_share", (), found.numbers["correct"], every, True, "no outputs"))
    for name in given.score:
        scores = found.numbers[f"score {name}"]
        there = ~np.isnan(scores)
        params = (("of", name),) if len(given.score) > 1 else ()
        judged.append(Judged("mean_score", params, np.where(there, scores, 0.0), there, False, "no output has a score"))
    if given.refused or given.refusals:
        judged.append(Judged("refusal_rate", (), _refusals(found, given), every, True, "no outputs"))
    if given.retrieved:
        judged += _retrieval(found, given)
    if claimed := _claims(found, given):
        supported, claims = claimed
        judged.append(Judged("faithfulness", (), supported / np.where(claims > 0, claims, 1.0), claims > 0, False, "no output makes a claim"))
    return judged


def _refusals(found: Rows, given: Parameters) -> Floats:
    """Per row, 1 where it refuses."""
    if given.refused:
        return found.numbers["refused"]
    phrases = [texts.plain(phrase).lower() for phrase in given.refusals]
    predictions = found.texts["prediction"]
    known = [0.0, *(float(any(phrase in texts.plain(text).lower() for phrase in phrases)) for text in predictions.values)]
    return np.array(known)[predictions.codes]


_VERDICTS: Final = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


def _claims(found: Rows, given: Parameters) -> tuple[Floats, Floats] | None:
    """Per row, how many claims the context supports, of how many.

    Raises:
        SourceError: a verdict is neither true nor false.
    """
    if given.supported:
        return found.numbers["supported"], found.numbers["claims"]
    if not given.support:
        return None
    verdicts = _parsed(found.texts["support"])
    strange = sorted({verdict for own in verdicts for verdict in own if verdict.lower() not in _VERDICTS})
    if strange:
        said = f"{found.source.uri}: column {given.support!r} (support) holds {strange[0]!r}"
        raise SourceError(said, remedy="write a list of true and false, one for each claim")
    supported = [sum(_VERDICTS[verdict.lower()] for verdict in own) for own in verdicts]
    return np.array(supported, dtype=np.float64), np.array([len(own) for own in verdicts], dtype=np.float64)


def _lists(found: Rows, given: Parameters) -> list[tuple[str, ...]]:
    """Per row its references."""
    columns = [_parsed(found.texts[f"reference {name}"]) for name in given.references]
    return [sum(own, ()) for own in zip(*columns, strict=True)]


def _parsed(column: Texts) -> list[tuple[str, ...]]:
    """A column of JSON texts or lists as tuples of texts, () where missing."""
    known: list[tuple[str, ...]] = [()]
    for text in column.values:
        value = json.loads(text)
        items = value if isinstance(value, list) else [value]
        known.append(tuple(item if isinstance(item, str) else json.dumps(item) for item in items if item is not None))
    return [known[code] for code in column.codes.tolist()]


def _best(found: Rows, given: Parameters, compare: Callable[[str, str], float]) -> Floats:
    """The best value over the references of each row; equal outputs with equal references are compared once."""
    predictions = found.texts["prediction"]
    known: dict[tuple[int, tuple[str, ...]], float] = {}
    values = []
    for code, references in zip(predictions.codes.tolist(), _lists(found, given), strict=True):
        if (code, references) not in known:
            known[code, references] = max(compare(predictions.values[code - 1], reference) for reference in references)
        values.append(known[code, references])
    return np.array(values, dtype=np.float64)


def _retrieval(found: Rows, given: Parameters) -> list[Judged]:
    retrieved, relevant = _parsed(found.texts["retrieved"]), [set(own) for own in _parsed(found.texts["relevant"])]
    there = np.array([bool(own) for own in relevant])
    judged = []
    for k in given.k:
        hits = np.array([len(own & set(first[:k])) for own, first in zip(relevant, retrieved, strict=True)], dtype=np.float64)
        wanted = np.array([max(len(own), 1) for own in relevant])
        first_hits = np.array([_first(own, first[:k]) for own, first in zip(relevant, retrieved, strict=True)])
        for metric, values in (
            ("retrieval_hit_rate", (hits > 0).astype(np.float64)),
            ("retrieval_recall", hits / wanted),
            ("retrieval_mrr", first_hits),
        ):
            judged.append(Judged(metric, (("k", str(k)),), values, there, metric == "retrieval_hit_rate", "no output has a relevant document"))
    return judged


def _first(relevant: set[str], retrieved: Sequence[str]) -> float:
    """1 / the rank of the first relevant document; 0 where there is none."""
    return next((1 / rank for rank, name in enumerate(retrieved, start=1) if name in relevant), 0.0)


def _add_slices(answer: Answer, found: Rows, judged: Sequence[Judged], given: Parameters, by: Sequence[str], below: int) -> None:
    names, index = found.places(by)
    clusters = found.texts["sample"].codes if given.sample else found.clusters
    sizes = np.bincount(index, minlength=len(names)).tolist()
    units = Sample(index, len(names), None, clusters).units.tolist()
    for place, size, unit in zip(names, sizes, units, strict=True):
        answer.add("rows", size, slice=place, n=size)
        answer.add("samples", unit, slice=place, n=size)
    for item in judged:
        own = Sample(index[item.there], len(names), None, None if clusters is None else clusters[item.there])
        _add_mean(answer, item, own, names, below, "sample" if given.sample else "")
    if given.correct:
        assert clusters is not None
        _add_passes(answer, found.numbers["correct"], clusters, index, names, given.k)
    if given.judge:
        _add_judge(answer, found, clusters, index, names, below, "sample" if given.sample else "")
    if given.judges:
        _add_judges(answer, found, given, clusters, index, names, below)
    if claimed := _claims(found, given):
        _add_claims(answer, claimed, clusters, index, names, below)
    for name in given.quantities:
        values = found.numbers[f"quantities {name}"]
        there = ~np.isnan(values)
        own = Sample(index[there], len(names), None, None if clusters is None else clusters[there])
        quantities.add(answer, name, values[there], own, names, _method(own, "sample" if given.sample else ""), below)


def _add_mean(answer: Answer, item: Judged, sample: Sample, names: Sequence[Pairs], below: int, unit: str) -> None:
    """A mean over the rows that have a value; fewer than the smallest group of the book are not published."""
    values = item.values[item.there]
    means = moments.means(sample, values, answer.level, _method(sample, unit), answer.metrics[item.metric].bounds)
    alone = _alone(sample)
    for i, place in enumerate(names):
        n, (mean, found) = int(sample.n[i]), means[i]
        if 0 < n < below:
            answer.add(item.metric, None, params=item.params, slice=place, undefined=f"fewer than {below} outputs have a value")
        elif not n:
            answer.add(item.metric, None, params=item.params, slice=place, n=0, undefined=f"0 of 0: {item.empty}")
        elif item.binary and alone:
            k = round(mean * n)
            interval = intervals.proportion(k, n, answer.level)
            answer.add(item.metric, k / n, params=item.params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval)
        else:
            answer.add(item.metric, tidy(mean), params=item.params, slice=place, n=n, interval=found)


def _alone(sample: Sample) -> bool:
    """Whether every row is a unit of its own."""
    return sample.clusters is None or bool((sample.units == sample.n).all())


def _method(sample: Sample, unit: str) -> str:
    """How the interval of a mean is called."""
    if _alone(sample):
        return moments.method(replace(sample, clusters=None))
    return f"Student's t over {moments.plural(unit)}" if unit else moments.method(sample)


def _add_passes(answer: Answer, correct: Floats, clusters: Integers, index: Integers, names: Sequence[Pairs], ks: Sequence[int]) -> None:
    """pass@k, the mean over samples; undefined where a sample has fewer than k epochs."""
    _, first, sample = np.unique(clusters, return_index=True, return_inverse=True)
    epochs = np.bincount(sample.reshape(-1))
    passed = np.bincount(sample.reshape(-1), weights=correct).astype(np.int64)
    place_of = index[first]
    over = Sample(place_of, len(names))
    for k in ks:
        few = np.bincount(place_of, weights=epochs < k, minlength=len(names)).astype(np.int64).tolist()
        values = np.array([pass_at_k(n, c, k) if n >= k else 0.0 for n, c in zip(epochs.tolist(), passed.tolist(), strict=True)], dtype=np.float64)
        means = over.mean(values)
        spread = over.spread(values, np.nan_to_num(means))
        for i, place in enumerate(names):
            n, mean = int(over.n[i]), float(means[i])
            said = f"{few[i]} samples have fewer than {k} epochs" if few[i] else "" if n else "0 of 0: no samples"
            interval = None if said else moments.student(mean, float(spread[i]), n, answer.level, "Student's t over samples", (0.0, 1.0))
            value = None if said else tidy(mean)
            answer.add("pass_at_k", value, params=(("k", str(k)),), slice=place, n=n, interval=interval, undefined=said)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate, from c correct ones of n epochs, that one of k is correct (Chen et al. 2021, eq. 1); n >= k."""
    return 1 - math.comb(n - c, k) / math.comb(n, k)


def _add_judge(answer: Answer, found: Rows, clusters: Integers | None, index: Integers, names: Sequence[Pairs], below: int, unit: str) -> None:
    """How far the judge's grades are those of the human."""
    judge, human = found.texts["judge"], found.texts["human"]
    known = sorted({*judge.values, *human.values})
    place_of = {value: i for i, value in enumerate(known)}
    one, other = (np.array([-1, *(place_of[value] for value in item.values)], dtype=np.int64)[item.codes] for item in (judge, human))
    both = (one >= 0) & (other >= 0)
    equal = Judged("judge_agreement", (), (one == other).astype(np.float64), both, True, "no output has both grades")
    sample = Sample(index[both], len(names), None, None if clusters is None else clusters[both])
    _add_mean(answer, equal, sample, names, below, unit)
    together = not _alone(sample)
    one, other = one[both], other[both]
    for place, own in zip(names, rows.split(index[both], len(names)), strict=True):
        n, size = len(own), len(known)
        said = f"fewer than {below} outputs have a value" if 0 < n < below else "" if n else "0 of 0: no output has both grades"
        if said:
            answer.add("judge_kappa", None, slice=place, undefined=said)
            continue
        if together and sample.clusters is not None:
            value, interval = judges.clustered_kappa(one[own], other[own], size, sample.clusters[own], answer.level)
        else:
            table = np.bincount(one[own] * size + other[own], minlength=size * size).reshape(size, size)
            value, interval = kappa(table, np.eye(size), answer.level)
        said = "0 of 0: both give one and the same grade" if value is None else ""
        answer.add("judge_kappa", value, slice=place, n=n, interval=interval, undefined=said)


def _add_judges(
    answer: Answer, found: Rows, given: Parameters, clusters: Integers | None, index: Integers, names: Sequence[Pairs], below: int
) -> None:
    """Krippendorff's alpha of all judges."""
    ratings = _ratings(found, given)
    graded = ratings.given >= 2
    for place, own in zip(names, rows.split(index[graded], len(names)), strict=True):
        n = len(own)
        said = f"fewer than {below} outputs have two grades" if 0 < n < below else "" if n else "0 of 0: no output has two grades"
        if said:
            answer.add("judges_alpha", None, slice=place, undefined=said)
            continue
        unit = None if clusters is None else clusters[graded][own]
        value, interval = judges.alpha(ratings.where(graded).where(own), unit, answer.level)
        said = "0 of 0: all grades are equal" if value is None else ""
        answer.add("judges_alpha", value, slice=place, n=n, interval=interval, undefined=said)


def _ratings(found: Rows, given: Parameters) -> Ratings:
    """The grades of all judges."""
    if given.scale == "nominal":
        columns = [found.texts[f"judge {name}"] for name in given.judges]
        values = sorted({value for item in columns for value in item.values})
        place = {value: i for i, value in enumerate(values)}
        coded = [np.array([-1, *(place[value] for value in item.values)], dtype=np.int64)[item.codes] for item in columns]
        return Ratings(np.stack(coded, axis=1), np.arange(len(values), dtype=np.float64), given.scale)
    grades = np.stack([found.numbers[f"judge {name}"] for name in given.judges], axis=1)
    scale = np.unique(grades[~np.isnan(grades)])
    codes = np.where(np.isnan(grades), -1, np.searchsorted(scale, np.nan_to_num(grades)))
    return Ratings(codes, np.arange(len(scale), dtype=np.float64) if given.scale == "ordinal" else scale, given.scale)


def _add_claims(
    answer: Answer, claimed: tuple[Floats, Floats], clusters: Integers | None, index: Integers, names: Sequence[Pairs], below: int
) -> None:
    """The share of all claims that are supported: outputs, or samples, vary independently, claims of one do not."""
    supported, claims = claimed
    for i, place in enumerate(names):
        own = (index == i) & (claims > 0)
        n, estimate = int(own.sum()), ratio(supported[own], claims[own])
        if estimate is None or n < below:
            said = f"fewer than {below} outputs make a claim" if n else "0 of 0: no output makes a claim"
            answer.add("claim_support", None, slice=place, undefined=said)
            continue
        unit = np.arange(n) if clusters is None else np.unique(clusters[own], return_inverse=True)[1].reshape(-1)
        influence = np.bincount(unit, weights=estimate.influence)
        m = len(influence)
        variance = float(np.sum(influence**2)) * m / max(m - 1, 1)
        method = f"Student's t over {'outputs' if clusters is None else 'samples'}, linearised"
        interval = moments.student(estimate.value, variance, m, answer.level, method, (0.0, 1.0))
        counts = {"k": int(supported[own].sum()), "n": int(claims[own].sum())}
        answer.add("claim_support", tidy(estimate.value), slice=place, n=counts["n"], interval=interval, counts=counts)
