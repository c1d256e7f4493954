"""The demo: a model of disease progression, trained on real data, and what its authors say about it.

The split, the seed, the model and the registered questions are fixed by docs/adr/0002, which was written before any result was seen. This module
makes the data; `Book.demo` does the rest with the same verbs that everybody uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from factbook.canon import load_yaml
from factbook.errors import MissingExtra

NAME: Final = "progression-risk"
KINDS: Final = ("model-card", "datasheet", "summary")
HEADLINES: Final = ("performance/rows", "performance/auc", "performance/fnr", "performance/fpr", "derived/young-difference", "derived/sex-difference")
_HERE: Final = Path(__file__).parent
_COLUMNS: Final = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
_WHOLE: Final = ("age", "sex")
_TEST_SIZE: Final = 0.4
_SEED: Final = 0
_DIGITS: Final = 6


def manifest() -> str:
    """The factbook.yaml of the demo."""
    return (_HERE / "factbook.yaml").read_text(encoding="utf-8")


def answers(kind: str) -> dict[str, str]:
    """What the authors of the demo say, by question; the rest stays open."""
    path = _HERE / "answers" / f"{kind}.yaml"
    tree, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
    return dict(tree)


def made(folder: Path) -> bool:
    """Whether the demo is in the folder already."""
    from factbook.errors import ManifestError
    from factbook.manifest import FILE, load

    try:
        return (folder / FILE).is_file() and load(folder)[0].subject.name == NAME
    except ManifestError:
        return False


def log(folder: Path) -> None:
    """Train the model and write data/train.parquet and data/holdout.parquet, the latter with the model's probabilities.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_diabetes
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import train_test_split
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise MissingExtra("the demo", "demo") from error
    import numpy as np

    data = load_diabetes(scaled=False)
    train, holdout = train_test_split(np.arange(len(data.target)), test_size=_TEST_SIZE, random_state=_SEED)
    high = (data.target > np.median(data.target[train])).astype(int)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[train], high[train])
    (folder / "data").mkdir()
    _write(folder / "data" / "train.parquet", data, train, {"high": high[train]})
    probability = model.predict_proba(data.data[holdout])[:, 1].round(_DIGITS)
    _write(folder / "data" / "holdout.parquet", data, holdout, {"high": high[holdout], "probability": probability})


def _write(path: Path, data: Any, rows: Any, more: dict[str, Any]) -> None:
    """Rows of the data set by their position in it, with the progression score and what is added."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"patient": rows} | {name: data.data[rows, place] for place, name in enumerate(_COLUMNS)}
    columns |= {name: columns[name].astype(int) for name in _WHOLE} | {"progression": data.target[rows]} | more
    pq.write_table(pa.table(columns), path)
