"""Measure tables in tests the way a book does: through factbook.yaml, files and `measures.run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook import measures
from factbook.manifest import Manifest, validate
from factbook.model import Fact, Measured, silent

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """A public data set beside the repository; the test is skipped where it is missing."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the data set {name} is not beside this checkout")
    return path


def manifest(sources: Mapping[str, Any], plan: Mapping[str, Any], **more: Any) -> Manifest:
    tree = {"factbook": "1", "subject": {"name": "test"}, "sources": sources, "plan": plan, **more}
    return validate(Manifest, tree, "factbook.yaml", {})


def run(root: Path, source: Mapping[str, Any], plan: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Measured]:
    """Everything planned over one source named `data`; classification by all attributes where no plan is given."""
    by = source.get("by", [])
    given = plan or {"performance": {"measure": "classification", "data": "data", "by": list(by)}}
    book = manifest({"data": source}, given, **more)
    return {name: measures.run(name, planned, book, root, root / ".factbook", silent) for name, planned in book.plan.items()}


def facts(root: Path, source: Mapping[str, Any], plan: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Fact]:
    return {str(fact.key): fact for measured in run(root, source, plan, **more).values() for fact in measured.facts}


def table(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
