"""The guide to fairness and comparison shows what happens: its script is run, its plans are measured, its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from factbook import shelf
from factbook.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "measures-fairness.md"


def test_every_example_of_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    script = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert script is not None
    exec(compile(script[1], str(PAGE), "exec"), {})
    blocks = re.findall(r"^```(yaml|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [kind for kind, _ in blocks] == ["yaml", "console", "console", "yaml", "console"]
    for kind, block in blocks:
        if kind == "yaml":
            Path("factbook.yaml").write_text(block, encoding="utf-8")
            continue
        for command, shown in re.findall(r"^\$ factbook (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE):
            assert main(shlex.split(command)) == 0, command
            printed = capsys.readouterr().out
            if shown.strip():
                assert [line.split() for line in printed.splitlines()] == [line.split() for line in shown.splitlines()], command


def test_every_parameter_and_kind_of_fact_is_described() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("fairness", "comparison"):
        assert [given for given in shelf.find("measures", name).PARAMS if f"`{given}`" not in text and f"{given}:" not in text] == []
    for fact in ("_difference_p", "_difference_mdd", "_difference_cases_needed", "_stratified;", "_reversal;", "abroca", "prediction_distance"):
        assert fact in text
