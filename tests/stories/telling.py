"""What the stories share: real data sets, models as somebody would train them, and books that the command line makes of their predictions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from factbook import Book
from factbook.model import Fact
from measuring import shared


@cache
def frame(name: str) -> pandas.DataFrame:
    """A data set of the folder beside the repository; the test is skipped where it is missing."""
    return pandas.read_csv(shared(name), keep_default_na=False)


def columns(table: pandas.DataFrame) -> Any:
    """Numbers scaled, texts as indicators."""
    numbers = list(table.select_dtypes("number"))
    texts = [name for name in table if name not in numbers]
    return make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), texts))


def logistic(table: pandas.DataFrame) -> Pipeline:
    """Logistic regression over all columns of the table."""
    return make_pipeline(columns(table), LogisticRegression(max_iter=1000))


def factbook(*arguments: str, cwd: Path) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run([sys.executable, "-m", "factbook", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def measured(folder: Path, manifest: str, tables: Mapping[str, pandas.DataFrame]) -> Book:
    """A book over tables, each written as NAME.csv, measured by the command line."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "factbook.yaml").write_text("factbook: 1\n" + manifest, encoding="utf-8")
    factbook("measure", cwd=folder)
    return Book(folder)


def documented(book: Book, kind: str) -> str:
    """A document of a kind over the book, in one line: clean at birth, its numbers filled, its questions open and owned."""
    factbook("new", kind, cwd=book.root)
    path = book.root / "documents" / f"{kind}.md"
    report = book.check()
    assert [str(finding) for finding in report.findings if finding.file.endswith(path.name)] == []
    text = path.read_text(encoding="utf-8")
    assert "[](" not in text
    asked = [line for line in text.splitlines() if "](question:" in line]
    assert len(asked) == len([item for item in report.questions if item.file.endswith(path.name)]) > 0
    assert all("To be answered by" in line for line in asked)
    return " ".join(text.split())


def facts(book: Book) -> dict[str, Fact]:
    return {str(fact.key): fact for fact in book.facts()}


def verdicts(book: Book) -> dict[str, str]:
    return {claim.name: str(claim.verdict) for claim in book.catalog.claims()}


def told(*words: str) -> None:
    """The guide's page says it, in these words."""
    page = " ".join((Path(__file__).parents[2] / "docs/guide/stories.md").read_text(encoding="utf-8").split())
    assert [said for said in words if said not in page] == []


def percent(fact: Fact) -> str:
    return f"{fact.value:.1%}".replace("%", " %")


def share(part: Sequence[Any] | np.ndarray) -> float:
    """The oracle of a rate."""
    return float(np.mean(part))
