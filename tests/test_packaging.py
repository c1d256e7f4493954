"""The package as others get it: what it imports, what it depends on, how it is built of small parts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _imported(code: str, names: tuple[str, ...]) -> list[str]:
    script = f"import sys\n{code}\nprint([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    found: list[str] = ast.literal_eval(done.stdout.splitlines()[-1])
    return found


def test_importing_factbook_is_instant() -> None:
    assert _imported("import factbook", ("pandas", "numpy", "duckdb", "pyarrow", "sklearn", "scipy", "pydantic", "yaml", "rich", "typer")) == []


def test_the_core_needs_no_pandas_scipy_or_sklearn(tmp_path: Path) -> None:
    from made import predictions

    rows = predictions(tmp_path / "rows.csv")
    code = (
        f"from factbook import Book\nbook, _ = Book.init({str(tmp_path / 'book')!r}, data={str(rows)!r}, label='y', score='p', by=('sex',))\n"
        "assert not book.build(('html', 'markdown')).report.failed"
    )
    assert _imported(code, ("pandas", "scipy", "sklearn", "statsmodels", "fairlearn")) == []


def test_measuring_from_the_command_line_needs_no_pandas(tmp_path: Path) -> None:
    """One process, which measures drift and a profile and then says what it imported."""
    for name in ("old", "new"):
        (tmp_path / f"{name}.csv").write_text("x,y\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(60)), encoding="utf-8")
    sources = "{old: {uri: old.csv}, new: {uri: new.csv}}"
    plan = "{drift: {measure: drift, reference: old, current: new}, data: {measure: profile, data: new}}"
    (tmp_path / "factbook.yaml").write_text(f"factbook: 1\nsubject: {{name: t}}\nsources: {sources}\nplan: {plan}\n", encoding="utf-8")
    code = f"from factbook.cli import main\nassert not main(['measure', {str(tmp_path)!r}])"
    assert _imported(code, ("pandas", "scipy", "sklearn", "statsmodels")) == []
    assert len(list((tmp_path / "evidence").glob("*.json"))) == 2


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_function_is_longer_than_50_lines(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if (node.end_lineno or 0) - _first_line(node) >= 50] == []


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line of the first statement after the docstring: parameters and documentation are no code."""
    documented = ast.get_docstring(node) is not None and len(node.body) > 1
    return node.body[1 if documented else 0].lineno


def test_the_lock_names_the_public_index_and_nothing_else() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"(\w+://[^/\"]+)", lock)) == {"https://pypi.org", "https://files.pythonhosted.org"}


def test_the_lock_knows_every_dependency() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {package["name"] for package in lock["package"]}
    extras = [item for items in PROJECT["project"]["optional-dependencies"].values() for item in items]
    wanted = [*PROJECT["project"]["dependencies"], *extras, *PROJECT["dependency-groups"]["dev"]]
    assert {re.split(r"[^A-Za-z0-9_-]", item)[0].lower() for item in wanted} <= locked


def test_what_make_installs_without_uv_is_what_the_extras_say() -> None:
    extras = re.search(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert extras is not None
    assert set(extras[1].split(",")) == set(PROJECT["project"]["optional-dependencies"])


def test_the_layers_are_all_the_parts_there_are() -> None:
    named = {part.strip() for layer in PROJECT["tool"]["importlinter"]["contracts"][0]["layers"] for part in layer.split("|")}
    here = {f"factbook.{path.stem}" for path in (ROOT / "src/factbook").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert here - {"factbook.__init__", "factbook.__main__"} <= named


def test_the_architecture_names_the_layers_in_their_order() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    height = {part.strip().removeprefix("factbook."): -i for i, layer in enumerate(layers) for part in layer.split("|")}
    rows = re.findall(r"^\| (`[^|]*`) \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    rooms = [room.strip("/") for row in rows for room in re.findall(r"`([^`]+)`", row)]
    assert sorted(rooms) == sorted(height)
    assert [height[room] for room in rooms] == sorted(height[room] for room in rooms)


def test_data_files_are_in_the_package() -> None:
    import factbook.demo as demo
    from factbook.documents import kinds

    assert set(kinds.names()) >= {"model-card", "datasheet", "summary"}
    for kind in demo.KINDS:
        assert demo.answers(kind)
