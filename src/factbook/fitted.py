"""Rows from a fitted estimator: what `factbook.card` writes down before anything is measured.

Accepts whatever a notebook holds: data frames, arrays, Arrow tables, lists. No package of data frames is imported here. Labels are compared with
the estimator's own classes and written as their text, so that `1`, `1.0` and `True` cannot become two labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError

LABEL: Final = "label"
PREDICTION: Final = "prediction"
SCORE: Final = "score"
_NEGATIVES: Final = ("0", "0.0", "False", "no")


def log(model: Any, data: Any, labels: Any, by: Sequence[str] | Mapping[str, Any], positive: Any, path: Path) -> dict[str, Any]:
    """Predict, and write one row a case: label, prediction, score where the estimator has probabilities, and the columns of the groups.

    Returns what `start.Predictions` needs to be told about the file.

    Raises:
        SourceError: the estimator is no classifier, lengths differ, or a label is not one of its classes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    classes = _classes(model)
    scores: dict[str, list[Any]] = {}
    said: dict[str, Any] = {"data": str(path), "label": LABEL, "prediction": PREDICTION}
    said |= _scored(classes, positive, model.predict_proba(data) if hasattr(model, "predict_proba") else None, scores)
    columns: dict[str, list[Any]] = {
        LABEL: _as_classes(labels, classes, "y"),
        PREDICTION: _as_classes(model.predict(data), classes, "the prediction"),
        **scores,
    }
    groups = by if isinstance(by, Mapping) else {name.partition(":")[0]: _column(data, name.partition(":")[0]) for name in by}
    for name, values in groups.items():
        if name in columns:
            raise SourceError(f"a group is called {name!r}, as the {name} is", remedy="give it another name: by={'NAME': values}")
        columns[name] = [_plain(value) for value in values]
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise SourceError(f"X, y and by are not of one length: {lengths}", remedy="give one value for each row of X")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        table = pa.table(columns)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SourceError(f"the groups in `by` are no column of values ({error})", remedy="give texts, numbers or dates of one type") from error
    pq.write_table(table, path)
    return said | {"by": tuple(by)}


def _scored(classes: Sequence[Any], positive: Any, shares: Any, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Add the columns of scores; returns what is said of them: the positive of two classes, or the column of each of many."""
    if len(classes) > 2:
        if positive is not None:
            raise SourceError(f"positive={positive!r}: the estimator has {len(classes)} classes, each of which is judged", remedy="leave it out")
        names = {str(name): f"{SCORE}_{i}" for i, name in enumerate(classes)}
        for i, name in enumerate(names.values() if shares is not None else ()):
            columns[name] = [float(row[i]) for row in shares]
        return {"classes": names if shares is not None else dict.fromkeys(names, "")}
    chosen = _positive(classes, positive)
    if shares is not None:
        columns[SCORE] = [float(row[chosen]) for row in shares]
    return {"positive": str(classes[chosen])} | ({"score": SCORE} if shares is not None else {})


def _classes(model: Any) -> list[Any]:
    classes = list(getattr(model, "classes_", ()))
    if len(classes) < 2:
        raise SourceError(
            f"{type(model).__name__} is no fitted classifier (it has {len(classes)} classes)", remedy="fit it on a label of two values or more"
        )
    return [_plain(value) for value in classes]


def _positive(classes: Sequence[Any], positive: Any) -> int:
    """The place of the positive class: the one given, or the one that is not plainly negative."""
    if positive is not None:
        if positive not in classes:
            raise SourceError(f"positive={positive!r} is not a class of the estimator: {classes}", remedy="give one of them")
        return classes.index(positive)
    if str(classes[0]) not in _NEGATIVES:
        raise SourceError(f"which class counts as positive? The estimator knows {classes}", remedy=f"give positive={classes[1]!r}")
    return 1


def _as_classes(values: Any, classes: Sequence[Any], what: str) -> list[str | None]:
    plain = [_plain(value) for value in _flat(values)]
    strange = [value for value in plain if value is not None and value not in classes]
    if strange:
        raise SourceError(
            f"{len(strange)} value(s) of {what} are no class of the estimator, e.g. {strange[0]!r}", remedy=f"its classes are {classes}"
        )
    return [None if value is None else str(classes[classes.index(value)]) for value in plain]


def _column(data: Any, name: str) -> Any:
    """A column of a data frame or an Arrow table."""
    try:
        return _flat(data[name])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        names = [str(item) for item in getattr(data, "columns", ())] or "none: it is an array"
        raise SourceError(f"X has no column {name!r}; its columns are {names}", remedy="give the values: by={'NAME': values}") from error


def _flat(values: Any) -> list[Any]:
    """One value a row; a column vector counts as a column."""
    for method in ("to_pylist", "tolist", "to_list"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]


def _plain(value: Any) -> Any:
    """A Python value; what is missing is None, whatever it is called (NaN, NaT, pandas.NA)."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    return None if isinstance(value, float) and value != value else value
