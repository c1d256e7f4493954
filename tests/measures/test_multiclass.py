"""Classification into many classes: every figure is scikit-learn's, every interval covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factbook.errors import MeasureError, SourceError
from factbook.model import Fact, Status
from factbook.statistics import averages, delta
from measuring import facts, run, table

metrics = pytest.importorskip("sklearn.metrics")
CLOSE = 1e-9
CLASSES = ["bird", "cat", "dog", "fox"]
SCORED = {name: f"p_{name}" for name in CLASSES}


def generated(rows: int = 900, seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    label = rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])
    logits = rng.normal(size=(rows, 4)) + 1.6 * np.eye(4)[label]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = np.round(scores, 4)
    scores[np.arange(rows), scores.argmax(axis=1)] += 1 - scores.sum(axis=1)
    names = np.array(CLASSES)
    return {"y": names[label], "p": names[scores.argmax(axis=1)], "g": rng.choice(["a", "b"], rows), "scores": scores}


def columns(data: dict[str, Any]) -> dict[str, Any]:
    found = {name: values.tolist() for name, values in data.items() if name != "scores"}
    return found | {column: data["scores"][:, i].tolist() for i, column in enumerate(SCORED.values())}


def measured(root: Path, data: dict[str, Any], plan: dict[str, Any] | None = None, **roles: Any) -> dict[str, Fact]:
    table(root / "d.parquet", columns(data))
    source = {"uri": "d.parquet", "label": "y", "prediction": "p", "classes": SCORED, "by": ["g"]} | roles
    planned = {"m": {"measure": "classification", "data": "data", "by": ["g"], "top_k": ["1", "2", "3"]} | (plan or {})}
    return facts(root, source, planned, suppress_below="0")


def check(found: dict[str, Fact], data: dict[str, Any], inside: np.ndarray, place: str, weight: np.ndarray | None = None) -> None:
    y, p, s = data["y"][inside], data["p"][inside], data["scores"][inside]
    w = None if weight is None else weight[inside]
    plain = {
        "accuracy": metrics.accuracy_score(y, p, sample_weight=w),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, p, sample_weight=w),
        "cohen_kappa": metrics.cohen_kappa_score(y, p, sample_weight=w),
        "mcc": metrics.matthews_corrcoef(y, p, sample_weight=w),
        "log_loss": metrics.log_loss(y, s, labels=CLASSES, sample_weight=w),
        "brier": np.average(((s - (y[:, None] == np.array(CLASSES))) ** 2).sum(axis=1) / 2, weights=w),
    }
    for k in (1, 2, 3):
        plain[f"top_k_accuracy;k={k}"] = metrics.top_k_accuracy_score(y, s, k=k, labels=CLASSES, sample_weight=w)
    for name in ("precision", "recall", "f1"):
        score = getattr(metrics, f"{name}_score")
        for kind in ("micro", "macro", "weighted"):
            plain[f"{name};average={kind}"] = score(y, p, average=kind, zero_division=np.nan, sample_weight=w)
        each = score(y, p, average=None, labels=CLASSES, zero_division=np.nan, sample_weight=w)
        plain |= {f"{name};class={label}": value for label, value in zip(CLASSES, each, strict=True)}
    for i, label in enumerate(CLASSES):
        plain[f"auc;class={label}"] = metrics.roc_auc_score(y == label, s[:, i], sample_weight=w)
        plain[f"average_precision;class={label}"] = metrics.average_precision_score(y == label, s[:, i], sample_weight=w)
        plain[f"brier;class={label}"] = metrics.brier_score_loss(y == label, s[:, i], sample_weight=w)
    for kind in ("macro", "weighted"):
        if w is None:
            plain[f"auc;average={kind}"] = metrics.roc_auc_score(y, s, multi_class="ovr", average=kind, labels=CLASSES)
    for name, value in plain.items():
        assert found[f"m/{name}{place}"].value == pytest.approx(value, abs=CLOSE), (name, place)
        assert found[f"m/{name}{place}"].interval is not None, (name, place)


def test_every_figure_is_scikit_learns(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data)
    for place, inside in (("", data["g"] != ""), ("?g=a", data["g"] == "a"), ("?g=b", data["g"] == "b")):
        check(found, data, inside, place)


def test_weighted_figures_are_scikit_learns(tmp_path: Path) -> None:
    data = generated()
    data["w"] = np.random.default_rng(5).lognormal(size=len(data["y"]))
    found = measured(tmp_path, data, weight="w")
    check(found, data, data["g"] == "b", "?g=b", data["w"])
    assert found["m/accuracy"].counts["weighted_n"]


def test_the_confusion_matrix_is_scikit_learns(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data, {"confusion": "slices"})
    for place, inside in (("", data["g"] != ""), ("?g=a", data["g"] == "a")):
        expected = metrics.confusion_matrix(data["y"][inside], data["p"][inside], labels=CLASSES)
        for i, label in enumerate(CLASSES):
            assert found[f"m/support;class={label}{place}"].value == expected[i].sum()
            for j, prediction in enumerate(CLASSES):
                assert found[f"m/confusion;label={label};prediction={prediction}{place}"].value == expected[i, j]
    assert not any("confusion" in key and "?" in key for key in measured(tmp_path, data))


def test_calibration_of_the_highest_score(tmp_path: Path) -> None:
    from sklearn.calibration import calibration_curve

    data = generated()
    top, right = data["scores"].max(axis=1), data["y"] == data["p"]
    share, mean = calibration_curve(right, top, n_bins=10)
    where = np.searchsorted(np.linspace(0, 1, 11)[1:-1], top)
    sizes = np.bincount(where, minlength=10)
    expected = float(np.sum(sizes[sizes > 0] * np.abs(share - mean)) / len(where))
    assert measured(tmp_path, data)["m/top_label_ece"].value == pytest.approx(expected, abs=CLOSE)


def test_undefined_is_not_zero(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["a", "a", "b", "b"] * 10, "p": ["a", "b", "b", "c"] * 10})
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "p"})
    assert found["performance/recall;class=c"].status is Status.UNDEFINED
    assert found["performance/recall;average=macro"].value == pytest.approx(0.5)
    assert "over 2 of 3 classes; 0 of 0 in 'c'" in found["performance/recall;average=macro"].note
    table(tmp_path / "d.parquet", {"y": ["a", "b", "c"] * 10, "p": ["a"] * 30})
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "p"})
    assert found["performance/mcc"].status is Status.UNDEFINED
    assert found["performance/precision;class=b"].status is Status.UNDEFINED
    assert found["performance/cohen_kappa"].value == pytest.approx(0.0)


def test_abstentions_and_missing_values_are_counted_and_left_out(tmp_path: Path) -> None:
    y, p = ["a", "b", "c", None, "a", "b"] * 10, ["a", "b", "a", "a", "none", None] * 10
    table(tmp_path / "d.parquet", {"y": y, "p": p})
    source = {"uri": "d.parquet", "label": "y", "prediction": "p", "abstain": "none", "missing": {"label": "drop", "prediction": "drop"}}
    measured = run(tmp_path, source)["performance"]
    found = {str(fact.key): fact for fact in measured.facts}
    assert found["performance/rows"].value == 30
    assert found["performance/abstained"].value == 10
    assert found["performance/dropped"].value == 20
    assert found["performance/accuracy"].value == pytest.approx(2 / 3)
    assert "20 of 60 rows were left out" in measured.warnings[0]
    with pytest.raises(SourceError, match=r"column 'y' .label. is missing in 10 of 60 rows"):
        facts(tmp_path, source | {"missing": {}})


def test_scores_of_abstained_rows_are_left_out(tmp_path: Path) -> None:
    data = generated(300)
    data["p"][:50] = "none"
    found = measured(tmp_path, data, abstain="none")
    kept = {name: values[50:] for name, values in data.items()}
    check(found, kept, kept["g"] != "", "")


@pytest.mark.parametrize(
    ("y", "p", "roles", "said"),
    [
        (["a", "b", "c"], ["a", "b", "x"], {"classes": ["a", "b", "c"]}, "column 'p' holds 'x' in 1 of 3 rows: no declared class"),
        (["a", "b", "a"], ["a", "b", "a"], {}, "no `positive` is declared"),
        (["0", "1", "2"], ["0.0", "1.0", "2.0"], {}, "one number, written in two ways"),
        ([str(i) for i in range(1500)], ["0"] * 1500, {}, "at most 1,000 classes"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(y: list[str], p: list[str], roles: dict[str, Any], said: str, tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": y, "p": p})
    with pytest.raises(SourceError, match=said):
        facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "p"} | roles)
    with pytest.raises(MeasureError, match="label and prediction at once"):
        facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "y"} | roles)


def test_scores_that_are_no_probabilities_have_no_log_loss(tmp_path: Path) -> None:
    data = generated(200)
    data["scores"] = data["scores"] / 2
    found = measured(tmp_path, data)
    assert found["m/log_loss"].status is Status.UNDEFINED
    assert "do not sum to 1 (within 0.01) in 200 rows" in found["m/log_loss"].reason
    assert found["m/auc;class=cat"].measured


def test_ties_count_against_the_label(tmp_path: Path) -> None:
    data = {"y": ["a", "b", "c"] * 10, "p": ["a"] * 30, **{name: [1 / 3] * 30 for name in ("sa", "sb", "sc")}}
    table(tmp_path / "d.parquet", data)
    source = {"uri": "d.parquet", "label": "y", "prediction": "p", "classes": {"a": "sa", "b": "sb", "c": "sc"}}
    found = facts(tmp_path, source, {"m": {"measure": "classification", "data": "data", "top_k": ["1", "2"]}})
    assert found["m/top_k_accuracy;k=2"].value == 0


FIGURES = {
    "f1": averages.average("f1", "macro"),
    "weighted f1": averages.average("f1", "weighted"),
    "weighted precision": averages.average("precision", "weighted"),
    "kappa": averages.kappa,
    "mcc": averages.matthews,
}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_gradients_are_those_of_small_differences(name: str) -> None:
    rng, figure = np.random.default_rng(1), FIGURES[name]
    counts = rng.integers(1, 40, (4, 4)).astype(float)
    found, step = figure(counts), 1e-4
    assert found is not None
    for cell in np.ndindex(4, 4):
        moved = [counts.copy(), counts.copy()]
        moved[0][cell] += step
        moved[1][cell] -= step
        ends = [figure(item) for item in moved]
        assert ends[0] is not None
        assert ends[1] is not None
        assert found.gradient[cell] == pytest.approx((ends[0].value - ends[1].value) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.parametrize(("accuracy", "rows"), [(0.6, 100), (0.9, 100), (0.98, 100), (0.9, 1000)])
def test_delta_intervals_cover(name: str, accuracy: float, rows: int) -> None:
    rng, figure = np.random.default_rng(2), FIGURES[name]
    cells = np.full((3, 3), (1 - accuracy) / 2)
    np.fill_diagonal(cells, accuracy)
    cells *= np.array([0.5, 0.3, 0.2])[:, None]
    expected, draws, covered = figure(cells), 500, 0
    assert expected is not None
    for _ in range(draws):
        found = delta.interval(rng.multinomial(rows, cells.ravel()).reshape(3, 3).astype(float), figure, 0.95, correlation=name in ("kappa", "mcc"))
        covered += found is not None and found.low <= expected.value <= found.high
    assert covered / draws >= 0.93, covered / draws


@pytest.mark.parametrize("average", ["precision;average=macro", "recall;average=macro", "f1;average=macro"])
@pytest.mark.parametrize("rows", [30, 200])
def test_macro_averages_cover(average: str, rows: int, tmp_path: Path) -> None:
    """Through the measure itself: classes of few rows, and a rare one."""
    from factbook.measures import multiclass

    rng, classes = np.random.default_rng(8), ("a", "b", "c")
    cells = np.array([[0.45, 0.03, 0.02], [0.05, 0.25, 0.0], [0.01, 0.02, 0.17]])
    name = average.partition(";")[0]
    expected, draws, covered = averages.average(name, "macro")(cells), 300, 0
    assert expected is not None
    for _ in range(draws):
        found = multiclass.Confusion(classes, rng.multinomial(rows, cells.ravel()).reshape(3, 3), None, 0, rows)
        interval = multiclass.average_interval(found, name, 0.95)
        covered += interval is not None and interval.low <= expected.value <= interval.high
    assert covered / draws >= 0.935, covered / draws
