"""Runs one planned measurement over a table made in a test, as a book would."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factbook import manifest, measures
from factbook.model import Fact, Measured, silent

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
GOLDEN = Path(__file__).parent / "golden"


def measured(
    root: Path, table: Mapping[str, Any] | pa.Table, source: str, plan: str, *, below: int = 0, parts: int = 1, other: tuple[Any, str] | None = None
) -> Measured:
    """Write a table in `parts` files and measure it; `source` and `plan` continue YAML mappings. `other` is a second source and its declaration."""
    table = table if isinstance(table, pa.Table) else pa.table(dict(table))
    size = -(-table.num_rows // parts)
    for old in root.glob("part*.parquet"):
        old.unlink()
    for part in range(parts):
        pq.write_table(table.slice(part * size, size), root / f"part{part}.parquet")
    lines = ["factbook: 1", "subject: {name: test}", f"suppress_below: {below}", "sources:", f"  data: {{uri: 'part*.parquet'{source}}}"]
    if other is not None:
        pq.write_table(pa.table(dict(other[0])), root / "other.parquet")
        lines.append(f"  other: {{uri: other.parquet{other[1]}}}")
    book, _ = manifest.read("\n".join([*lines, f"plan: {{m: {{{plan}}}}}", ""]))
    return measures.run("m", book.plan["m"], book, root, root / ".factbook", silent)


def facts(found: Measured) -> dict[str, Fact]:
    """Facts by their key without the name of the evidence."""
    return {str(fact.key).removeprefix("m/"): fact for fact in found.facts}


def golden(name: str, version: int, found: Measured) -> None:
    """Compare with golden/NAME.json; what differs needs a new VERSION, and then GOLDEN=write."""
    path = GOLDEN / f"{name}.json"
    now = {"version": version, "facts": {key: _written(fact) for key, fact in sorted(facts(found).items())}}
    if os.environ.get("GOLDEN") == "write":
        lines = [f"  {json.dumps(key, ensure_ascii=False)}: {json.dumps(fact, ensure_ascii=False)}" for key, fact in now["facts"].items()]
        path.write_text(f'{{"version": {version},\n "facts": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == now, "results changed: raise VERSION, and write the golden output anew"


def _written(fact: Fact) -> list[Any]:
    interval = [f"{end:.10g}" for end in fact.interval] if fact.interval else []
    value = f"{fact.value:.10g}" if isinstance(fact.value, float) else str(fact.value) if isinstance(fact.value, dt.date) else fact.value
    return [str(fact.status), value, *interval, fact.method or fact.reason, fact.n]
