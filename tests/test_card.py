"""`factbook.card`: from a fitted estimator to a book, whatever the notebook holds its rows in."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score

import factbook
from factbook.errors import SourceError

RANDOM = np.random.default_rng(7)
X = pd.DataFrame({"a": RANDOM.normal(size=240), "age": RANDOM.integers(20, 80, 240)})
Y = (X.a + RANDOM.normal(size=240) > 0).astype(int)
SEX = RANDOM.choice(["female", "male"], 240)
MODEL = LogisticRegression().fit(X.to_numpy(), Y)


def test_a_card_has_the_estimators_figures_and_shows_itself(tmp_path: Path) -> None:
    card = factbook.card(MODEL, X.to_numpy(), Y, by={"sex": SEX}, protected=["sex=male"], folder=tmp_path / "book")
    female = card.book.facts("performance/recall?sex=female")[0]
    assert female.value == pytest.approx(recall_score(Y[SEX == "female"], MODEL.predict(X.to_numpy())[SEX == "female"]), abs=1e-12)
    assert card.book.facts("performance/auc")[0].value == pytest.approx(roc_auc_score(Y, MODEL.predict_proba(X.to_numpy())[:, 1]), abs=1e-12)
    assert not card.book.check().findings
    assert card.path.is_file()
    assert "<iframe" in card._repr_html_()
    assert "LogisticRegression" in card._repr_html_()
    assert re.fullmatch(r"<Card of LogisticRegression: \d+ facts, open questions: \d+; .*model-card\.md>", repr(card))


@pytest.mark.parametrize("data", [X, pa.table({"a": X.a, "age": X.age})], ids=["pandas", "arrow"])
def test_columns_by_name(tmp_path: Path, data: object) -> None:
    class Positional(LogisticRegression):
        def predict(self, rows: object) -> object:
            return super().predict(np.column_stack([np.asarray(rows["a"]), np.asarray(rows["age"])]))  # type: ignore[index]

        def predict_proba(self, rows: object) -> object:
            return super().predict_proba(np.column_stack([np.asarray(rows["a"]), np.asarray(rows["age"])]))  # type: ignore[index]

    model = Positional().fit(X.to_numpy(), Y)
    card = factbook.card(model, data, Y.tolist(), by=["age:40,60"], folder=tmp_path / "book")
    assert {fact.key.slice for fact in card.book.facts("performance/fnr?*")} == {(("age", band),) for band in ("<40", "40-59", "60+")}


def test_called_again_it_brings_the_numbers_up_and_keeps_the_words(tmp_path: Path) -> None:
    card = factbook.card(MODEL, X.to_numpy(), Y, folder=tmp_path / "book")
    first = card.path.read_text(encoding="utf-8")
    card.path.write_text(first.replace("## Intended use", "## Intended use\n\nFor nobody."), encoding="utf-8")
    again = factbook.card(MODEL, X.to_numpy()[:120], Y[:120], folder=tmp_path / "book")
    text = again.path.read_text(encoding="utf-8")
    assert "For nobody." in text
    assert "[120](fact:performance/rows)" in text
    assert not again.book.check().findings


def test_labels_of_another_type_are_one_label_only_if_they_are_equal(tmp_path: Path) -> None:
    same = factbook.card(MODEL, X.to_numpy(), Y.astype(float), folder=tmp_path / "floats")
    assert same.book.facts("performance/tp")[0].value == int(((MODEL.predict(X.to_numpy()) == 1) & (Y == 1)).sum())
    with pytest.raises(SourceError, match="no class of the estimator"):
        factbook.card(MODEL, X.to_numpy(), Y.astype(str), folder=tmp_path / "texts")
    assert not (tmp_path / "texts").exists()


def test_many_classes(tmp_path: Path) -> None:
    from sklearn.datasets import load_iris

    values, kinds = load_iris(return_X_y=True)
    card = factbook.card(LogisticRegression(C=0.02, max_iter=500).fit(values, kinds), values, kinds, folder=tmp_path / "iris")
    assert card.book.facts("performance/auc;average=macro")[0].measured
    assert card.book.facts("performance/support;class=2")[0].value == 50
    assert not card.book.check().findings
    with pytest.raises(SourceError, match="each of which is judged"):
        factbook.card(LogisticRegression(max_iter=500).fit(values, kinds), values, kinds, positive=1, folder=tmp_path / "one")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"y": Y[:100]}, "not of one length"),
        ({"by": {"g": [object()] * len(Y)}}, "no column of values"),
        ({"by": {"g": ["a", 1] * (len(Y) // 2) + ["a"] * (len(Y) % 2)}}, "no column of values"),
        ({"by": ["age"]}, "no column 'age'"),
        ({"by": {"label": SEX}}, "called 'label'"),
        ({"positive": 3}, "not a class"),
        ({"model": LogisticRegression()}, "no fitted classifier"),
        ({"model": LogisticRegression().fit(X.to_numpy(), np.where(Y, "b", "a"))}, "which class counts as positive"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, arguments: dict[str, object], said: str) -> None:
    given = {"model": MODEL, "X": X.to_numpy(), "y": Y, "folder": tmp_path / "book"} | arguments
    with pytest.raises(SourceError, match=said):
        factbook.card(**given)  # type: ignore[arg-type]
    assert not (tmp_path / "book").exists()
