"""Learning curves: against their definitions, and their intervals by simulation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planned_measures import facts, golden, measured

from factbook.charts import ChartSpec, render
from factbook.errors import DocumentError, MeasureError, SourceError
from factbook.evidence import Evidence, Record
from factbook.evidence.catalog import Catalog
from factbook.manifest import Manifest, Subject
from factbook.measures import learning
from factbook.model import Measured, Status
from factbook.statistics import two_rates

PLAN = "measure: learning, data: data, size: rows, on: judged, training: own, model: model"
SOURCE = ", label: y, positive: '1', score: s, cut: 0.5"


def curve(sizes: tuple[int, ...] = (40, 160), models: tuple[str, ...] = ("deep", "flat"), seed: int = 5) -> dict[str, Any]:
    """Judgements of models that know their own rows better than others."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {name: [] for name in ("model", "rows", "judged", "y", "s")}
    for model in models:
        for size in sizes:
            for judged, n in (("own", size), ("held out", 120)):
                y = (rng.random(n) < 0.4).astype(int)
                skill = (3.0 if judged == "own" else 0.5 + size / 160) if model == "deep" else 0.6
                score = 1 / (1 + np.exp(-(skill * (y - 0.4) * 2 + rng.normal(size=n))))
                for name, values in (
                    ("model", [model] * n),
                    ("rows", [str(size)] * n),
                    ("judged", [judged] * n),
                    ("y", y),
                    ("s", np.round(score, 3)),
                ):
                    columns[name] += list(values)
    return {**columns, "y": [str(value) for value in columns["y"]]}


def own(table: dict[str, Any], model: str, size: int, judged: str) -> tuple[np.ndarray, np.ndarray]:
    chosen = [i for i in range(len(table["y"])) if (table["model"][i], table["rows"][i], table["judged"][i]) == (model, str(size), judged)]
    return np.array([table["y"][i] == "1" for i in chosen]), np.array([table["s"][i] >= 0.5 for i in chosen])


def test_figures_gaps_and_gains_are_those_of_the_rows(tmp_path: Path) -> None:
    table = curve()
    found = facts(measured(tmp_path, table, SOURCE, PLAN))
    share: dict[tuple[str, int, str], tuple[int, int]] = {}
    for model in ("deep", "flat"):
        for size in (40, 160):
            for judged, on in (("own", "training"), ("held out", "test")):
                y, said = own(table, model, size, judged)
                share[model, size, on] = k, n = int((y == said).sum()), len(y)
                accuracy = found[f"accuracy;model={model};on={on};size={size}"]
                assert (accuracy.value, accuracy.counts, accuracy.n) == (pytest.approx(k / n, abs=1e-11), {"k": k, "n": n}, n)
                tp = int((y & said).sum())
                assert found[f"f1;model={model};on={on};size={size}"].value == pytest.approx(2 * tp / (int(y.sum()) + int(said.sum())), abs=1e-11)
            (k1, n1), (k2, n2) = share[model, size, "training"], share[model, size, "test"]
            gap, expected = found[f"accuracy_gap;model={model};size={size}"], two_rates.newcombe(k1, n1, k2, n2, 0.95)
            assert gap.value == pytest.approx(k1 / n1 - k2 / n2, abs=1e-11)
            assert gap.interval == pytest.approx((expected.low, expected.high), abs=1e-9), "two independent proportions"
        gain = found[f"f1_gain;model={model}"]
        ends = [found[f"f1;model={model};on=test;size={size}"].value for size in (160, 40)]
        assert gain.value == pytest.approx(ends[0] - ends[1], abs=1e-11)
    assert found["trained_on;model=deep;size=40"].value == 40


def test_a_model_that_knows_its_rows_by_heart_has_a_gap_and_another_has_none(tmp_path: Path) -> None:
    found = facts(measured(tmp_path, curve((100, 2000)), SOURCE, PLAN))
    assert found["accuracy_gap;model=deep;size=100"].low > 0
    flat = found["accuracy_gap;model=flat;size=2000"]
    assert flat.low < 0 < flat.high


def test_the_interval_of_a_gap_of_f1_covers(tmp_path: Path) -> None:
    """300 draws of a model with one skill on all rows: its gap of F1 is none, and 95 % of the intervals say so."""
    rng, within = np.random.default_rng(11), 0
    for _ in range(300):
        sets = []
        for n in (150, 120):
            y = rng.random(n) < 0.4
            sets.append(learning._f1(y, np.where(rng.random(n) < 0.8, y, ~y), 0.95))
        interval = learning._mover(*sets)
        assert interval is not None
        within += interval.low <= 0 <= interval.high
    assert 0.91 <= within / 300 <= 0.99


def test_decisions_of_many_classes_have_no_f1(tmp_path: Path) -> None:
    table = {"y": ["a", "b", "c", "a"] * 20, "p": ["a", "b", "c", "b"] * 20, "rows": ["40"] * 80, "judged": (["own"] * 40 + ["other"] * 40)}
    found = facts(measured(tmp_path, table, ", label: y, prediction: p", PLAN.replace(", model: model", "")))
    assert found["accuracy;on=test;size=40"].value == 0.75
    assert not any(key.startswith("f1") for key in found)
    assert not any("gain" in key for key in found), "one size only"


def test_without_positives_f1_is_undefined(tmp_path: Path) -> None:
    table = {"y": ["1", "0"] + ["0"] * 38, "s": [0.9] + [0.1] * 39, "rows": ["20"] * 40, "judged": ["own"] * 20 + ["other"] * 20}
    found = facts(measured(tmp_path, table, SOURCE, PLAN.replace(", model: model", "")))
    assert found["f1;on=test;size=20"].status is Status.UNDEFINED
    assert found["f1_gap;size=20"].status is Status.UNDEFINED
    assert found["accuracy_gap;size=20"].value == 0


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"rows": ["many"] * 80}, SourceError, "no whole number"),
        ({"judged": ["held out"] * 80}, SourceError, "no row has judged = 'own'"),
        ({"judged": ["own"] * 80}, SourceError, "has no test rows"),
    ],
)
def test_curves_that_are_none_are_refused(tmp_path: Path, change: dict[str, Any], error: type[Exception], why: str) -> None:
    table = {"y": ["1", "0"] * 40, "s": [0.9, 0.2] * 40, "rows": ["40"] * 80, "judged": ["own", "held out"] * 40, **change}
    with pytest.raises(error, match=why):
        measured(tmp_path, table, SOURCE, PLAN.replace(", model: model", ""))


def test_weights_and_sources_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="weights and clusters"):
        measured(tmp_path, {**curve(), "w": [1.0] * len(curve()["y"])}, f"{SOURCE}, weight: w", PLAN)
    with pytest.raises(MeasureError, match="no label"):
        measured(tmp_path, curve(), "", PLAN)


def test_the_golden_output(tmp_path: Path) -> None:
    golden("learning", learning.VERSION, measured(tmp_path, curve(), SOURCE, PLAN))


def catalog(found: Measured) -> Catalog:
    record = Record("m", found.measure, found.version, dict(found.params), {})
    return Catalog(Manifest(factbook="1", subject=Subject(name="test")), Evidence({fact.key: fact for fact in found.facts}, {"m": record}))


def test_the_chart_shows_both_curves_of_every_model(tmp_path: Path) -> None:
    known = catalog(measured(tmp_path, curve(), SOURCE, PLAN))
    drawn = render(ChartSpec("m", "f1", (), "learning"), known)
    assert drawn.count("<polyline") == 4
    assert all(f">{model}, {on}</text>" in drawn for model in ("deep", "flat") for on in ("training", "test"))
    assert drawn.count("stroke-dasharray") - drawn.count(".r{") >= 2, "training rows are dashed"
    assert math.isclose(drawn.count("<circle"), 8)
    with pytest.raises(DocumentError, match="no learning curve"):
        render(ChartSpec("m", "auc", (), "learning"), known)
