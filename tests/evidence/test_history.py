"""What was hidden in one version of the evidence is not given away by the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook.errors import EvidenceError, MeasureError
from factbook.evidence import Evidence, history, measure_plan
from factbook.manifest import Manifest, validate
from factbook.model import Key, Status

PROFILE = {"data": {"measure": "profile", "data": "data", "by": ["sex"]}}
BOTH = {**PROFILE, "performance": {"measure": "classification", "data": "data", "by": ["sex"]}}


def measure(root: Path, groups: dict[str, int], plan: dict[str, object] = PROFILE, margins: Sequence[str] = ("sex",)) -> Evidence:
    """Measure a table with so many rows of each group; a group may be `women,old`."""
    rows = [name.split(",") for name, count in groups.items() for _ in range(count)]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(margins)}
    columns |= {"y": ["0", "1"] * (len(rows) // 2) + ["1"] * (len(rows) % 2), "p": ["1"] * len(rows)}
    pq.write_table(pa.table(columns), root / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": list(margins)}
    tree = {"factbook": "1", "subject": {"name": "t"}, "sources": {"data": source}, "plan": plan}
    measure_plan(root, validate(Manifest, tree, "factbook.yaml", {}))
    return Evidence.load(root)


def hidden(evidence: Evidence, name: str = "data") -> set[str]:
    return {
        ",".join(value for _, value in key.slice)
        for key in evidence
        if key.evidence == name and key.metric == "rows" and evidence[key].status is Status.SUPPRESSED
    }


def test_a_group_that_grows_past_the_limit_stays_hidden(tmp_path: Path) -> None:
    """9 + 60 hidden, then 10 and 60 shown: the total moved by 1, so that it was 9."""
    assert hidden(measure(tmp_path, {"men": 100, "women": 60, "x": 9})) == {"x", "women"}
    assert hidden(measure(tmp_path, {"men": 100, "women": 60, "x": 10})) == {"x", "women"}
    history.path(tmp_path, "data").unlink()
    assert hidden(measure(tmp_path, {"men": 101, "women": 60, "x": 10})) == set()


def test_the_same_groups_protect_a_small_one_whatever_comes(tmp_path: Path) -> None:
    """Where first the women protect x and then, being more, the men: each total less those shown would give it."""
    assert hidden(measure(tmp_path, {"men": 61, "women": 60, "x": 3})) == {"x", "women"}
    later = measure(tmp_path, {"men": 61, "women": 90, "x": 3})
    assert "women" in hidden(later)
    assert hidden(later) == {"x", "women"}


def test_a_new_group_is_refused_while_too_few_rows_came(tmp_path: Path) -> None:
    before = measure(tmp_path, {"men": 100, "women": 60})
    assert hidden(before) == set()
    with pytest.raises(MeasureError, match="sex = 'x'") as refused:
        measure(tmp_path, {"men": 100, "women": 60, "x": 1})
    assert "delete evidence/hidden/data.jsonl" in refused.value.remedy
    assert dict(Evidence.load(tmp_path)) == dict(before)
    assert hidden(measure(tmp_path, {"men": 110, "women": 75, "x": 4})) == {"x", "women"}


def test_a_group_that_shrinks_below_the_limit_is_refused_too(tmp_path: Path) -> None:
    measure(tmp_path, {"men": 100, "women": 60, "x": 10})
    with pytest.raises(MeasureError, match="would give their number away"):
        measure(tmp_path, {"men": 100, "women": 60, "x": 9})


def test_a_second_measurement_of_the_same_rows_hides_what_the_first_does(tmp_path: Path) -> None:
    groups = {"men": 100, "women": 60, "x": 9}
    assert hidden(measure(tmp_path, groups)) == {"x", "women"}
    both = measure(tmp_path, groups, BOTH)
    assert hidden(both) == hidden(both, "performance") == {"x", "women"}


def test_what_was_shown_of_the_same_rows_protects_nothing(tmp_path: Path) -> None:
    """Cells of sex and age are published later: of the small cell's neighbours those are hidden whose number is not known already."""
    cells = {"men,old": 40, "men,young": 50, "women,old": 3, "women,young": 60}
    first = measure(tmp_path, cells, {"data": {"measure": "profile", "data": "data", "by": ["sex"]}}, ("sex", "age"))
    assert hidden(first) == set()
    later = measure(tmp_path, cells, {"data": {"measure": "profile", "data": "data", "by": ["sex", ["sex", "age"]]}}, ("sex", "age"))
    assert {"old,women", "young,women"} <= hidden(later)
    assert not hidden(later) & {"men", "women"}


def test_the_same_evidence_whatever_is_measured_first(tmp_path: Path) -> None:
    groups = {"men": 100, "women": 60, "x": 9}
    found = []
    for order in (("data", "performance"), ("performance", "data")):
        root = tmp_path / order[0]
        root.mkdir()
        measure(root, groups, {name: BOTH[name] for name in order})
        found.append([(root / "evidence" / name).read_bytes() for name in ("data.json", "performance.json", "hidden/data.jsonl")])
    assert found[0] == found[1]


def test_nothing_is_remembered_that_is_not_published(tmp_path: Path) -> None:
    evidence = measure(tmp_path, {"men": 100, "women": 60, "x": 9}, BOTH)
    lines = history.path(tmp_path, "data").read_text(encoding="utf-8").splitlines()
    digest = evidence.records["data"].inputs["data"].digest
    assert lines == [f'{{"digest":"{digest}"}}', '{"hidden":[["sex","women"]]}', '{"hidden":[["sex","x"]]}', '{"margin":["sex"]}']
    assert evidence[Key("data", "rows", (), (("sex", "x"),))].status is Status.SUPPRESSED


def test_merged_lines_add_up_and_damage_is_named(tmp_path: Path) -> None:
    place = history.path(tmp_path, "data")
    place.parent.mkdir(parents=True)
    place.write_text(
        '{"digest":"a"}\n{"hidden":[["g","x"]]}\n{"digest":"b"}\n{"hidden":[["g","y"]],"only":"e"}\n{"margin":["g"]}\n', encoding="utf-8"
    )
    found = history.past(tmp_path, "data")
    assert (found.digest, found.hidden, found.own) == ("", {(("g", "x"),)}, {"e": {(("g", "y"),)}})
    place.write_text("<<<<<<< ours\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"evidence/hidden/data\.jsonl: cannot be read"):
        history.past(tmp_path, "data")
