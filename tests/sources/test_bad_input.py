"""The corpus of bad (and odd but good) input: each case says which error, warning or figures must come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from factbook.errors import FactbookError
from factbook.model import Status
from measuring import run

CASES = sorted((Path(__file__).resolve().parents[1] / "cases" / "sources").glob("*.yaml"))


def lay_out(case: dict[str, Any], root: Path) -> None:
    for name, text in case.get("files", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    for name, digits in case.get("hex", {}).items():
        (root / name).write_bytes(bytes.fromhex(digits))
    for name, columns in case.get("parquet", {}).items():
        arrays = [pa.array(values) for _, values in columns]
        pq.write_table(pa.Table.from_arrays(arrays, names=[title for title, _ in columns]), root / name)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    lay_out(case, tmp_path)
    if "error" in case:
        with pytest.raises(FactbookError) as caught:
            run(tmp_path, case["source"], case.get("plan"), **case.get("more", {}))
        for fragment in case["error"]:
            assert fragment in str(caught.value)
        return
    measured = run(tmp_path, case["source"], case.get("plan"), **case.get("more", {}))
    warnings = "\n".join(warning for item in measured.values() for warning in item.warnings)
    for fragment in case.get("warning", ()):
        assert fragment in warnings
    found = {str(fact.key): fact for item in measured.values() for fact in item.facts}
    for key, expected in case["facts"].items():
        if expected == "undefined":
            assert found[key].status is Status.UNDEFINED
            assert found[key].reason
        else:
            assert found[key].value == pytest.approx(expected, abs=1e-12)


def test_the_corpus_is_there() -> None:
    assert len(CASES) > 70
