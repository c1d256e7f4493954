"""Generated texts, judged row by row: exact match, token F1 and ROUGE-L, pass@k over epochs, judges, retrieval and faithfulness of answers.

    {measure: text-generation, data: samples, sample: id, prediction: output, references: [target], correct: passed, k: [1, 5], logged: logged.passed}
    {measure: text-generation, data: answers, retrieved: doc_ids, relevant: gold_ids, k: [5], support: claim_verdicts,
     judge: judge_grade, human: human_grade, judges: [gpt, claude, human], refusals: ["I cannot"], quantities: [total_time, output_tokens, cost]}

One row is one output. Several rows with the same `sample` are epochs of it: they vary together, so that the samples are the independent units of
every interval (or the source's clusters, where these are declared instead). Where models or filters are an attribute, a sample has rows in several of
its groups. Of several references the best one counts; an empty one expects an empty output. `references`, `retrieved` and `relevant` may be columns
of lists (in the order of the ranks), `support` one of lists of verdicts on the claims of an answer (true, false, 1, 0).

`logged` is the column of the mean of `correct` that the evaluation tool itself wrote down, equal in all rows of a run: runs where it is not the mean
over samples are counted, and warned of.

Intervals: of means over samples as in `moments` (Korn & Graubard's of what lies between 0 and 1, else Student's t); of shares of rows that are all
independent Wilson or Clopper-Pearson; of the judge's kappa as in `agreement`, or by the jackknife over samples; of quantiles Woodruff's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from factbook.errors import MeasureError, SourceError
from factbook.measures import epochs, judges, logged, outputs, quantities, retrieval, rows, support, texts, translation
from factbook.measures.agreement import Ratings
from factbook.measures.outputs import Judged, Slices, parsed, share
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Rows, Wanted
from factbook.model import Direction, Metric, Unit
from factbook.statistics.moments import Floats, Sample

VERSION: Final = 4
ROLES: Final = ("data",)
PARAMS: Final = (
    *("sample", "prediction", "references", "normalise", "overlap", "correct", "logged", "k", "judge", "human", "score", "ranges", "judges", "scale"),
    *("retrieved", "relevant", "supported", "claims", "support", "refused", "refusals", "quantities"),
)
_RAJPURKAR: Final = "Rajpurkar et al. 2016, EMNLP, 2383"
_ANY: Final = (-np.inf, np.inf)
METRICS: Final = (
    count_metric("rows", "outputs", "n", "rows of the table, or of a group"),
    count_metric("samples", "samples", "samples", "different samples; outputs where no sample is declared"),
    share("exact_match", "exact match", "EM", Unit.FRACTION, "outputs that equal a reference when normalised / outputs", _RAJPURKAR, ("em",)),
    share("token_f1", "token F1", "F1", Unit.SCORE, "mean of 2 common words / (words of output + words of reference)", _RAJPURKAR),
    share(
        "rouge_l",
        "ROUGE-L",
        "ROUGE-L",
        Unit.SCORE,
        "mean of 2 longest common subsequence / (words of output + words of reference)",
        "Lin 2004, Text Summarization Branches Out, 74",
    ),
    *translation.METRICS,
    share("correct_share", "share of correct outputs", "correct", Unit.FRACTION, "correct outputs / outputs", "", ("accuracy",)),
    share("correct_if_answered", "share of correct answers", "correct if answered", Unit.FRACTION, "correct outputs / outputs that do not refuse"),
    *epochs.METRICS,
    Metric("mean_score", "mean score", "score", Unit.QUANTITY, Direction.HIGHER, _ANY, "sum of scores / outputs with one", ""),
    Metric(
        "standard_error",
        "standard error of a mean",
        "SE",
        Unit.QUANTITY,
        Direction.LOWER,
        (0.0, np.inf),
        "estimated standard deviation of the mean, over samples",
        "",
        ("stderr",),
    ),
    *logged.METRICS,
    *judges.METRICS,
    Metric(
        "refusal_rate",
        "share of refusals",
        "refusals",
        Unit.FRACTION,
        Direction.NEITHER,
        (0.0, 1.0),
        "outputs that refuse, as `refused` says or by holding one of the phrases of `refusals` / outputs",
        "",
        ("refusal",),
    ),
    *retrieval.METRICS,
    *support.METRICS,
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
    overlap: Annotated[tuple[Literal["bleu", "chrf"], ...], BeforeValidator(_list)] = ()
    correct: str = ""
    logged: str = ""
    k: Annotated[tuple[Annotated[int, Field(gt=0)], ...], BeforeValidator(_list)] = (1,)
    judge: str = ""
    human: str = ""
    score: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    ranges: Mapping[str, tuple[Decimal, Decimal]] = Field(default_factory=dict)
    judges: tuple[str, ...] = ()
    scale: Literal["nominal", "ordinal", "interval"] = "nominal"
    retrieved: str = ""
    relevant: str = ""
    supported: str = ""
    claims: str = ""
    support: str = ""
    refused: str = ""
    refusals: tuple[Annotated[str, Field(pattern=r"\S")], ...] = ()
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
        if set(self.ranges) - set(self.score) or any(low >= high for low, high in self.ranges.values()):
            raise ValueError("`ranges` gives columns of `score` their least and largest value")
        if self.judges and len(set(self.judges)) < max(2, len(self.judges)):
            raise ValueError("`judges` names at least two columns, each once")
        if self.correct and not self.sample:
            raise ValueError("`correct` needs `sample`, whose rows are the epochs of pass@k")
        if self.overlap and not self.references:
            raise ValueError("`overlap` is that of `prediction` with `references`")
        if self.logged and not self.correct:
            raise ValueError("`logged` is the mean of `correct`")
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
        found += [Wanted("logged", self.logged, number=True)] if self.logged else []
        found += [Wanted("support", self.support, number=False, nested=True)] if self.support else []
        found += [Wanted(f"judge {name}", name, number=self.scale != "nominal") for name in self.judges]
        return found + [Wanted(f"{role} {name}", name, number=True) for role in ("score", "quantities") for name in getattr(self, role)]


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; the source declares weights, or clusters beside `sample`.
        SourceError: a column cannot be read; values are missing without a policy.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: text generation does not weigh outputs", remedy="measure a source without `weight`")
    if source.cluster and given.sample not in ("", source.cluster):
        raise MeasureError(f"plan.{request.name}: both `sample` and the source's `cluster` say what varies together", remedy="keep one of them")
    found = _referenced(rows.read(request, given.columns()), given)
    answer.warnings += [*found.warnings, *_written_lists(found, given)]
    _refuse(found, given)
    known = _Known(found, given)
    slices = request.slices()
    rows.protect(request, answer, slices, found, _units(found, given))
    if given.logged:
        logged.compare(answer, found, given.logged)
    for by in ((), *slices):
        names, index = found.places(by)
        clusters = found.texts["sample"].codes if given.sample else found.clusters
        below = request.manifest.suppress_below if by else 0
        known.add(answer, Slices(names, index, clusters, "sample" if given.sample else "", below))


def _referenced(found: Rows, given: Parameters) -> Rows:
    """Without the outputs that have no reference, where the policy says so."""
    if not given.references:
        return found
    none = np.array([not own for own in _references(found, given)])
    if not none.any():
        return found
    said = f"{found.source.uri}: {int(none.sum())} of {found.count} rows have no reference"
    if found.source.missing.label == "error":
        raise SourceError(said, remedy="fill it in, or declare `missing: {label: drop}`; what is dropped is counted")
    return replace(found.where(~none), warnings=(*found.warnings, f"{said} and were left out (policy: drop)"))


def _written_lists(found: Rows, given: Parameters) -> Iterator[str]:
    """A warning of columns whose lists are only written as texts, as CSV files have them: such a text is one reference, or one document."""
    roles = [*(f"reference {name}" for name in given.references), *(role for role in ("retrieved", "relevant") if getattr(given, role))]
    for role in roles:
        values = [json.loads(text) for text in found.texts[role].values]
        if values and all(isinstance(value, str) and value.startswith("[") and value.endswith("]") for value in values):
            name = role.removeprefix("reference ") if role not in ("retrieved", "relevant") else getattr(given, role)
            yield f"{found.source.uri}: column {name!r} holds texts that look like lists; each counts as one text: give lists, in Parquet or JSON"


def _units(found: Rows, given: Parameters) -> Rows:
    """One row for each sample in each finest group."""
    if not given.sample:
        return found
    codes = [found.texts["sample"].codes, *(item.codes for item in found.groups.values())]
    return found.where(np.unique(np.stack(codes), axis=1, return_index=True)[1])


def _refuse(found: Rows, given: Parameters) -> None:
    where = found.source.uri
    if given.sample and (count := int((found.texts["sample"].codes == 0).sum())):
        raise SourceError(f"{where}: column {given.sample!r} (sample) is missing in {count} of {found.count} rows", remedy="fill it in")
    for role, what in (("correct", "is correct"), ("refused", "is a refusal")):
        if role in found.numbers and not np.isin(found.numbers[role], (0.0, 1.0)).all():
            said = f"{where}: column {getattr(given, role)!r} ({role}) holds other values than 0 and 1"
            raise SourceError(said, remedy=f"write 1 where the output {what}")
    for name in given.ranges:
        low, high = _bounds(given, name) or (0.0, 0.0)
        scores = found.numbers[f"score {name}"]
        if beyond := int(((scores < low) | (scores > high)).sum()):
            said = f"{where}: column {name!r} (score) is beyond its range in {beyond} of {found.count} rows"
            raise SourceError(said, remedy="mend the values, or `ranges`")
    for name in given.quantities:
        if negative := int((found.numbers[f"quantities {name}"] < 0).sum()):
            raise SourceError(f"{where}: column {name!r} (quantities) is negative in {negative} of {found.count} rows", remedy="mend the values")
    if given.supported:
        supported, claims = found.numbers["supported"], found.numbers["claims"]
        if ((supported < 0) | (supported > claims)).any():
            raise SourceError(
                f"{where}: more claims are supported than made, or fewer than 0", remedy=f"mend {given.supported!r} or {given.claims!r}"
            )


class _Known:
    """All that has a value per output, and all that is said of their slices."""

    def __init__(self, found: Rows, given: Parameters) -> None:
        self.found, self.given = found, given
        self.claims = _claims(found, given)
        self.ratings = _ratings(found, given) if given.judges else None
        self.counts = {item: translation.counted(item, _predictions(found), _references(found, given)) for item in given.overlap}
        self.judged = [*self._compared(), *self._correct(), *self._scores()]
        if given.retrieved:
            self.judged += retrieval.judged(parsed(found.texts["retrieved"]), parsed(found.texts["relevant"]), given.k)
        if self.claims:
            self.judged.append(support.judged(self.claims))

    def _compared(self) -> list[Judged]:
        """Outputs beside their references."""
        if not self.given.references:
            return []
        normalise = texts.squad if self.given.normalise == "squad" else texts.plain
        predictions, references, judged = _predictions(self.found), _references(self.found, self.given), []
        for metric, compare in (
            ("exact_match", lambda text, reference: texts.exact(text, reference, normalise)),
            ("token_f1", lambda text, reference: texts.token_f1(text, reference, normalise)),
            ("rouge_l", texts.rouge_l),
        ):
            exact = metric == "exact_match"
            values = np.array(texts.best(predictions, references, compare), dtype=np.float64)
            judged.append(Judged(metric, (), values, np.ones(len(values), dtype=bool), exact, "no outputs", error=exact))
        return judged

    def _correct(self) -> list[Judged]:
        """Correct outputs, refusals, and correct ones among the others."""
        found, every = self.found.numbers.get("correct"), np.ones(self.found.count, dtype=bool)
        judged = [] if found is None else [Judged("correct_share", (), found, every, True, "no outputs", error=True)]
        if self.given.refused or self.given.refusals:
            refused = _refusals(self.found, self.given)
            judged.append(Judged("refusal_rate", (), refused, every, True, "no outputs"))
            if found is not None:
                judged.append(Judged("correct_if_answered", (), found, refused == 0, True, "all outputs refuse"))
        return judged

    def _scores(self) -> list[Judged]:
        """The numbers of judges."""
        judged = []
        for name in self.given.score:
            scores = self.found.numbers[f"score {name}"]
            there, bounds = ~np.isnan(scores), _bounds(self.given, name)
            binary = bounds == (0.0, 1.0) and bool(np.isin(scores[there], bounds).all())
            values = np.where(there, scores, 0.0)
            judged.append(Judged("mean_score", (("of", name),), values, there, binary, "no output has a score", error=True, bounds=bounds))
        return judged

    def add(self, answer: Answer, slices: Slices) -> None:
        """Everything of some slices."""
        found, given = self.found, self.given
        sizes = np.bincount(slices.index, minlength=len(slices.names)).tolist()
        units = Sample(slices.index, len(slices.names), None, slices.clusters).units.tolist()
        for place, size, unit in zip(slices.names, sizes, units, strict=True):
            answer.add("rows", size, slice=place, n=size)
            answer.add("samples", unit, slice=place, n=size)
        for item in self.judged:
            outputs.add_mean(answer, item, slices)
        for metric, counts in self.counts.items():
            translation.add(answer, metric, counts, slices)
        if given.correct:
            epochs.add(answer, found.numbers["correct"], slices, given.k)
        if given.judge:
            judges.add_pair(answer, found.texts["judge"], found.texts["human"], slices)
        if self.ratings is not None:
            judges.add_all(answer, self.ratings, slices)
        if self.claims:
            support.add(answer, self.claims, slices)
        for name in given.quantities:
            values = found.numbers[f"quantities {name}"]
            there = ~np.isnan(values)
            own = slices.sample(there)
            quantities.add(answer, name, values[there], own, slices.names, slices.method(own), slices.below)


def _bounds(given: Parameters, name: str) -> tuple[float, float] | None:
    """The declared range of a score."""
    return (float(given.ranges[name][0]), float(given.ranges[name][1])) if name in given.ranges else None


def _predictions(found: Rows) -> list[str]:
    """Per row its output."""
    column = found.texts["prediction"]
    return [column.values[code - 1] for code in column.codes.tolist()]


def _references(found: Rows, given: Parameters) -> list[tuple[str, ...]]:
    """Per row its references."""
    columns = [parsed(found.texts[f"reference {name}"]) for name in given.references]
    return [sum(own, ()) for own in zip(*columns, strict=True)]


_APOSTROPHES: Final = str.maketrans("\u2019\u2018\u02bc", "'''")


def _refusals(found: Rows, given: Parameters) -> Floats:
    """Per row, 1 where it refuses; `can’t` is `can't`."""
    if given.refused:
        return found.numbers["refused"]
    phrases = [_folded(phrase) for phrase in given.refusals]
    predictions = found.texts["prediction"]
    known = [0.0, *(float(any(phrase in _folded(text) for phrase in phrases)) for text in predictions.values)]
    return np.array(known)[predictions.codes]


def _folded(text: str) -> str:
    return texts.plain(text).lower().translate(_APOSTROPHES)


def _claims(found: Rows, given: Parameters) -> support.Claims | None:
    """Per row, how many claims the context supports, of how many."""
    if given.supported:
        return found.numbers["supported"], found.numbers["claims"]
    return support.counted(parsed(found.texts["support"]), f"{found.source.uri}: column {given.support!r} (support)") if given.support else None


def _ratings(found: Rows, given: Parameters) -> Ratings:
    """The grades of all judges."""
    if given.scale == "nominal":
        return judges.named([found.texts[f"judge {name}"] for name in given.judges])
    return judges.numbered([found.numbers[f"judge {name}"] for name in given.judges], given.scale)
