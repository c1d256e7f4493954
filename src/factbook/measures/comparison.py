"""Models compared on the same rows: whether one of them is better, and whether that is established.

    {measure: comparison, data: holdout, models: {forest: {score: p_rf, cut: 0.5}, logistic: {score: p_lr, cut: 0.5}}, by: [region]}
    {measure: comparison, data: answers, models: {old: answer_old, new: answer_new}}

Columns of two tables are compared after a `join` by key. Every pair of models is compared, first less second in the order of the plan. With `folds`,
a column that says in which fold of a cross-validation a row was tested, the accuracy and the AUC are compared fold by fold as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import multiplicity, rows, scores
from factbook.measures.multiplicity import Families
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Rows, Wanted
from factbook.measures.scores import Scored
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, laws, paired
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import Floats, Integers, tidy
from factbook.statistics.paired import Tested

VERSION: Final = 3
ROLES: Final = ("data",)
PARAMS: Final = ("models", "folds", "trained_on")
ORDERED: Final = ("models",)
_PAIRED: Final = "Newcombe 1998, Statistics in Medicine 17, 2635"
_DELONG: Final = "DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, 837"
_NADEAU: Final = "Nadeau & Bengio 2003, Machine Learning 52, 239"
_RATES: Final = {"accuracy": "right", "recall": "right among positive labels", "specificity": "right among negative labels"}
_TITLES: Final = {**{name: name for name in _RATES}, "auc": "AUC", "brier": "Brier score", "log_loss": "log loss"}


def _metrics(name: str) -> Iterator[Metric]:
    title = _TITLES[name]
    loss = name in ("brier", "log_loss")
    direction = Direction.LOWER if loss else Direction.HIGHER
    unit = Unit.FRACTION if name in _RATES else Unit.SCORE
    bounds = (0.0, math.inf) if name == "log_loss" else (0.0, 1.0)
    formula = f"rows {_RATES[name]} / rows" if name in _RATES else "as in `classification`"
    source = _PAIRED if name in _RATES else _DELONG if name == "auc" else "Student's t of paired differences"
    test = "McNemar's mid-p value (weights or clusters: of Student's t)" if name in _RATES else "two-sided p-value of Student's t"
    cited = "Fagerland, Lydersen & Laake 2013" if name in _RATES else source
    low, high = (-math.inf, math.inf) if name == "log_loss" else (-1.0, 1.0)
    points = Unit.POINTS if name in _RATES else Unit.SCORE
    yield Metric(name, title, title, unit, direction, bounds, formula, "")
    yield Metric(
        f"{name}_difference",
        f"{title}, difference of two models",
        f"{title} difference",
        points,
        Direction.NEITHER,
        (low, high),
        f"{title} of the first model - of the second, on the same rows",
        source,
    )
    yield multiplicity.metric(f"{name}_difference_p", f"{title}, difference of two models", f"{title} difference", test, cited)


def _of_folds(name: str) -> Iterator[Metric]:
    title = f"{_TITLES[name]}, difference over folds"
    formula = f"mean over folds of {name} of the first model - of the second"
    yield Metric(f"{name}_difference_folds", title, title, Unit.SCORE, Direction.NEITHER, (-1.0, 1.0), formula, _NADEAU)
    yield multiplicity.metric(f"{name}_difference_folds_p", title, title, "two-sided p-value of the corrected t", _NADEAU)


METRICS: Final = (
    count_metric("rows", "rows", "n", "rows with a label and all predictions"),
    *(metric for name in _TITLES for metric in _metrics(name)),
    *(metric for name in ("accuracy", "auc") for metric in _of_folds(name)),
)


class Model(BaseModel):
    """The columns of one model: its decisions, or its scores and perhaps the cut that makes them decisions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prediction: str = ""
    score: str = ""
    cut: Decimal | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _one(self) -> Model:
        if not self.prediction and not self.score:
            raise ValueError("give its `prediction` column, or its `score` column (and `cut`)")
        if self.cut is not None and (self.prediction or not self.score):
            raise ValueError("`cut` makes decisions of a `score`; give no `prediction` then")
        return self


def _models(value: Any) -> Any:
    """`{new: answer_new}` is short for `{new: {prediction: answer_new}}`."""
    if isinstance(value, dict):
        return {name: {"prediction": item} if isinstance(item, str) else item for name, item in value.items()}
    return value


class Parameters(rows.Parameters):
    """The models by name; the column of folds, and how many times as many rows a fold's model was trained on as it is tested on."""

    models: Annotated[dict[str, Model], BeforeValidator(_models)]
    folds: str = ""
    trained_on: Decimal | None = Field(default=None, gt=0)

    @field_validator("models")
    @classmethod
    def _several(cls, models: dict[str, Model]) -> dict[str, Model]:
        if len(models) < 2:
            raise ValueError("two or more models are compared")
        if any("," in name for name in models):
            raise ValueError("the name of a model has no comma")
        return models


@dataclass(frozen=True, eq=False)
class _Judged:
    """What the models said, a row each.

    Attributes:
        label: whether the label is positive; None for many classes.
        right: model to whether it was right, where it decides.
        score: model to its scores, where it has some.
        weights, clusters, folds: per row, or None.
    """

    label: np.ndarray[Any, np.dtype[np.bool_]] | None
    right: Mapping[str, np.ndarray[Any, np.dtype[np.bool_]]]
    score: Mapping[str, Floats]
    weights: Floats | None
    clusters: Integers | None
    folds: Integers | None

    @property
    def kinds(self) -> Integers:
        """Per row a number for its label and for which models were right."""
        found = np.zeros(len(next(iter((*self.right.values(), *self.score.values())))), dtype=np.int64)
        for flags in (*self.right.values(), *(() if self.label is None else (self.label,))):
            found = np.unique(2 * found + flags, return_inverse=True)[1].reshape(-1)
        return found

    def where(self, chosen: Integers) -> _Judged:
        """Some of the rows."""

        def part(values: Any) -> Any:
            return None if values is None else values[chosen]

        right = {name: values[chosen] for name, values in self.right.items()}
        score = {name: values[chosen] for name, values in self.score.items()}
        return _Judged(part(self.label), right, score, part(self.weights), part(self.clusters), part(self.folds))


def measure(request: Request, answer: Answer) -> None:
    """Facts of every model and pair of models, overall and by slice.

    Raises:
        MeasureError: fewer than two models, or the source declares no label.
        SourceError: a column does not exist, misses values without a policy, or a score is no probability.
    """
    source, given = request.source(), rows.parameters(Parameters, request)
    if not source.label:
        raise MeasureError(f"source {request.source_name()}: no label declared", remedy="declare `label` (and `positive` for two classes)")
    found = rows.read(request, _columns(source, given))
    answer.warnings += found.warnings
    judged = _judge(source, given, found)
    slices, families = request.slices(), Families()
    rows.protect(request, answer, slices, found, kinds=judged.kinds)
    for by in ((), *slices):
        names, index = found.places(by)
        for place, chosen in zip(names, rows.split(index, len(names)), strict=True):
            _add(_Adder(answer, families, judged.where(chosen), place, len(chosen), given))
    families.adjust()


def _columns(source: Source, given: Parameters) -> list[Wanted]:
    columns = [Wanted("label", source.label, number=False, policy="label")]
    for name, model in given.models.items():
        if model.prediction:
            columns.append(Wanted(f"decided {name}", model.prediction, number=False, policy="prediction"))
        if model.score:
            columns.append(Wanted(f"score {name}", model.score, number=True, policy="prediction"))
    return columns + ([Wanted("fold", given.folds, number=False, policy="prediction")] if given.folds else [])


def _judge(source: Source, given: Parameters, found: Rows) -> _Judged:
    """Whether each model was right in each row.

    Raises:
        SourceError: a score is no probability; the positive value does not occur.
        MeasureError: scores without a positive value.
    """
    label, positive = _texts(source, found, "label"), None
    if source.positive:
        positive = label == source.positive
        if not positive.any() and len(np.unique(label)) > 1:
            raise SourceError(f"{source.uri}: `positive: {source.positive}` is no value of label column {source.label!r}", remedy="declare the value")
    score, right = {}, {}
    for name, model in given.models.items():
        if model.score:
            score[name] = found.numbers[f"score {name}"]
            _refuse(source, model, positive, score[name])
        if model.prediction:
            right[name] = _texts(source, found, f"decided {name}") == label
        elif model.cut is not None and positive is not None:
            right[name] = (score[name] >= float(model.cut)) == positive
    folds = found.texts["fold"].codes if given.folds else None
    return _Judged(positive, right, score, found.numbers.get("weight"), found.clusters, folds)


def _texts(source: Source, found: Rows, role: str) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Values as the source declares that they mean the same."""
    item = found.texts[role]
    named: np.ndarray[Any, np.dtype[np.str_]] = np.array(["", *(source.labels.get(value, value) for value in item.values)])[item.codes]
    return named


def _refuse(source: Source, model: Model, positive: object, score: Floats) -> None:
    if positive is None:
        raise MeasureError(f"{source.uri}: scores ({model.score!r}) need two classes", remedy="declare `positive`, or compare decisions")
    if ((score < 0) | (score > 1)).any():
        wrong = int(((score < 0) | (score > 1)).sum())
        raise SourceError(f"{source.uri}: score column {model.score!r} is outside 0 to 1 in {wrong} rows", remedy="give probabilities")


@dataclass(frozen=True, eq=False)
class _Adder:
    """Adds the facts of one slice."""

    answer: Answer
    families: Families
    judged: _Judged
    place: Pairs
    n: int
    given: Parameters

    def own(self, metric: str, model: str, value: float | None, interval: Interval | None, said: str, **given: Any) -> None:
        """A figure of one model."""
        self.answer.add(
            metric, None if value is None else tidy(value), params=(("model", model),), slice=self.place, interval=interval, undefined=said, **given
        )

    def pair(self, metric: str, models: tuple[str, str], tested: Tested | None, said: str = "", **given: Any) -> None:
        """A difference of two models and its test."""
        common: dict[str, Any] = {"params": (("models", ",".join(models)),), "slice": self.place, **given}
        if tested is None:
            self.answer.add(metric, None, undefined=said, **common)
            return
        note = "" if tested.interval else "no interval: the models do not differ in any row" if not tested.value else "no interval: too few rows"
        bounds = self.answer.metrics[metric].bounds or (-math.inf, math.inf)
        interval = tested.interval and Interval(max(bounds[0], tested.interval.low), min(bounds[1], tested.interval.high), tested.interval.method)
        self.answer.add(metric, tidy(tested.value), interval=interval, note=note, **common)
        if tested.p is not None:
            self.families.add(self.answer, f"{metric}_p", tested.p, **common)


def _add(add: _Adder) -> None:
    judged, positive = add.judged, add.judged.label
    add.answer.add("rows", add.n, slice=add.place, n=add.n)
    wholes: dict[str, Any] = {"accuracy": np.ones(add.n, dtype=bool)}
    if positive is not None:
        wholes |= {"recall": positive, "specificity": ~positive}
    for metric, whole in wholes.items():
        for name, right in judged.right.items():
            _add_share(add, metric, name, right[whole], None if judged.weights is None else judged.weights[whole])
        for pair in combinations(judged.right, 2):
            _add_shares(add, metric, pair, whole)
    for name, score in judged.score.items():
        _add_scores(add, name, score)
    for pair in combinations(judged.score, 2):
        _add_scored(add, pair)
    if judged.folds is not None:
        _add_folds(add)


def _add_share(add: _Adder, metric: str, name: str, right: Any, weights: Floats | None) -> None:
    n, k = len(right), int(right.sum())
    if not n or (weights is not None and not weights.sum()):
        add.own(metric, name, None, None, "0 of 0: no rows" if not n else "all weights are 0", n=n)
    elif weights is None:
        add.own(metric, name, k / n, intervals.proportion(k, n, add.answer.level), "", n=n, counts={"k": k, "n": n})
    else:
        total = math.fsum(weights.tolist())
        effective = total**2 / math.fsum((weights * weights).tolist())
        value = math.fsum(weights[right].tolist()) / total
        add.own(metric, name, value, intervals.share(Share(value * effective, effective, weighted=True), add.answer.level), "", n=n)


def _add_shares(add: _Adder, metric: str, pair: tuple[str, str], whole: Any) -> None:
    """Both right, only the first, only the second, neither."""
    judged, level = add.judged, add.answer.level
    a, b = (judged.right[name][whole] for name in pair)
    n = len(a)
    weights = None if judged.weights is None else judged.weights[whole]
    if not n or (weights is not None and not weights.sum()):
        add.pair(f"{metric}_difference", pair, None, "0 of 0: no rows" if not n else "all weights are 0", n=n)
        return
    both, first, second = int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum())
    counts = {"both": both, "first": first, "second": second, "neither": n - both - first - second}
    if weights is None and judged.clusters is None:
        interval = paired.newcombe(both, first, second, counts["neither"], level)
        tested = Tested((first - second) / n, interval, laws.mcnemar(first, second))
    else:
        tested = paired.mean(a.astype(np.float64) - b, weights, None if judged.clusters is None else judged.clusters[whole], level)
    add.pair(f"{metric}_difference", pair, tested, n=n, counts=counts)


def _losses(label: Any, score: Floats) -> Iterator[tuple[str, Floats]]:
    yield "brier", (score - label) ** 2
    with np.errstate(divide="ignore"):
        yield "log_loss", -np.log(np.where(label, score, 1 - score))


_INFINITE: Final = "infinite: a probability of 0 was given to what happened (not clipped)"


def _lacking(add: _Adder) -> str:
    label, weights = add.judged.label, add.judged.weights
    assert label is not None
    sizes = [float(side.sum()) if weights is None else float(weights[side].sum()) for side in (label, ~label)]
    return "no rows" if not sum(sizes) else f"no label is {'negative' if sizes[0] else 'positive'}" if not min(sizes) else ""


def _add_scores(add: _Adder, name: str, score: Floats) -> None:
    """AUC and losses of one model."""
    label, weights, level = add.judged.label, add.judged.weights, add.answer.level
    said = _lacking(add)
    if said:
        add.own("auc", name, None, None, said, n=add.n)
    else:
        scored = _distribution(label, score, weights)
        found = scores.area(scored)
        small = any(math.isnan(part) for part in found.parts)
        add.own("auc", name, found.value, None if small else intervals.area(tidy(found.value), found.parts, found.sizes, level), "", n=add.n)
    for metric, loss in _losses(label, score):
        if said == "no rows" or not np.isfinite(loss).all():
            add.own(metric, name, None, None, said or _INFINITE, n=add.n)
        else:
            tested = paired.mean(loss, weights, add.judged.clusters, level)
            interval = tested.interval and Interval(
                max(0.0, tested.interval.low), tested.interval.high, tested.interval.method.removeprefix("paired, ")
            )
            add.own(metric, name, tested.value, interval, "", n=add.n)


def _distribution(label: Any, score: Floats, weights: Floats | None) -> Scored:
    values, index = np.unique(score, return_inverse=True)
    weight = np.ones(len(score)) if weights is None else weights

    def summed(amount: Floats) -> tuple[Floats, Floats]:
        first, second = (np.bincount(index, np.where(side, amount, 0.0), len(values)).astype(np.float64) for side in (label, ~label))
        return first, second

    return Scored(values, values, summed(weight), summed(weight * weight), exact=True)


def _add_scored(add: _Adder, pair: tuple[str, str]) -> None:
    """Differences of AUC and losses."""
    judged, level = add.judged, add.answer.level
    label, (a, b) = judged.label, (judged.score[name] for name in pair)
    assert label is not None
    said = _lacking(add)
    tested = None if said else paired.auc(label, a, b, judged.weights, judged.clusters, level)
    add.pair("auc_difference", pair, tested, said, n=add.n)
    for (metric, first), (_, second) in zip(_losses(label, a), _losses(label, b), strict=True):
        if said == "no rows" or not (np.isfinite(first).all() and np.isfinite(second).all()):
            add.pair(f"{metric}_difference", pair, None, said or _INFINITE, n=add.n)
        else:
            add.pair(f"{metric}_difference", pair, paired.mean(first - second, judged.weights, judged.clusters, level), n=add.n)


def _add_folds(add: _Adder) -> None:
    """Accuracy and AUC, fold by fold."""
    judged = add.judged
    assert judged.folds is not None
    parts = [np.flatnonzero(judged.folds == fold) for fold in np.unique(judged.folds)]
    ratio = 1 / float(add.given.trained_on) if add.given.trained_on else 1 / max(1, len(parts) - 1)
    for metric, models, figure in (("accuracy", judged.right, _accuracy), ("auc", judged.score, _area)):
        for pair in combinations(models, 2):
            values = [[figure(judged.where(part), name) for name in pair] for part in parts]
            name = f"{metric}_difference_folds"
            if not parts or any(value is None for both in values for value in both):
                add.pair(name, pair, None, "a fold has rows of one class only" if parts else "0 of 0: no rows", n=len(parts))
                continue
            apart = np.array([both[0] - both[1] for both in values if both[0] is not None and both[1] is not None])
            tested = paired.folds(apart, ratio, add.answer.level)
            add.pair(name, pair, tested, n=len(parts))


def _accuracy(judged: _Judged, name: str) -> float | None:
    weights = np.ones(len(judged.right[name])) if judged.weights is None else judged.weights
    total = math.fsum(weights.tolist())
    return math.fsum(weights[judged.right[name]].tolist()) / total if total else None


def _area(judged: _Judged, name: str) -> float | None:
    scored = _distribution(judged.label, judged.score[name], judged.weights)
    return scores.area(scored).value if all(part.sum() for part in scored.weights) else None
