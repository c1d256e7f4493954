"""A book that people sign, with real keys of ssh-keygen and openssl."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

from factbook import Book
from factbook.review.judging import Verdict
from made import predictions

TEXT = """# Notes

## Intended use

Nurses call these patients first.

## Quality

The accuracy is [](fact:performance/accuracy) of [](fact:performance/rows) rows.[^1] So says [the study][s], and it [is good](claim:good).

![A scan](scan.png)

<!-- fact:table performance by=sex metrics=n,accuracy -->
<!-- /fact -->

### In use

It was tried on data [of last year](policy:year).

## Limits

Nobody knows [why](gap:why).

[s]: https://example.org/study
[^1]: Measured once, of [](fact:performance/rows).
"""
MORE = """
claims:
  good: "{performance/accuracy} > 0.6"
policies:
  year: {text: data of last year}
gaps:
  why: {why: nobody looked}
review:
  keeper: quality
  people:
    anna: {name: Dr Anna Meyer, roles: [clinician], key: "KEY(anna)"}
    ben: {name: Ben Novak, roles: [engineer, quality], key: "KEY(ben)"}
    cara: {name: Cara Ruiz, roles: [clinician, auditor], key: "KEY(cara)"}
  required:
    - {document: notes, section: Quality, role: clinician, people: 2, from: validation}
"""
WHEN = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)


def key(folder: Path, name: str, passphrase: str = "") -> Path:
    """A new key of ssh-keygen; its public half lies beside it."""
    path = folder / name
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", f"{name}@example.org", "-f", str(path)]
        subprocess.run(command, check=True, capture_output=True)
    return path


def pem(folder: Path, name: str) -> Path:
    """A new key of openssl; its public half lies beside it."""
    path = folder / name
    if not path.exists():
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", str(path), "-pubout", "-out", f"{path}.pub"], check=True, capture_output=True)
    return path


def public(path: Path) -> str:
    """The public half of a key."""
    return Path(f"{path}.pub").read_text(encoding="ascii").strip()


def begin(folder: Path) -> Book:
    """A book with one document of three sections, and keys in `keys`."""
    book, _ = Book.init(folder / "book", data=str(predictions(folder / "rows.csv")), label="y", score="p", key="id", by=("sex",))
    more = MORE
    (folder / "keys").mkdir()
    for name in ("anna", "ben", "cara"):
        more = more.replace(f"KEY({name})", public(key(folder / "keys", name)))
    path = book.root / "factbook.yaml"
    text = path.read_text(encoding="utf-8").replace("  kind: model\n", "  kind: model\n  version: 1.4.0\n")
    path.write_text(text + more, encoding="utf-8")
    (book.root / "documents/scan.png").write_bytes(b"a picture")
    (book.root / "documents/notes.md").write_text(TEXT, encoding="utf-8")
    Book(book.root).update()
    return Book(book.root)


def sign(book: Path, person: str = "anna", role: str = "clinician", section: str = "Quality", **rest: Any) -> Path:
    """Sign with the person's own key, or with another."""
    own = rest.pop("key", book.parent / "keys" / person)
    (path,) = Book(book).sign(rest.pop("document", "notes"), own, person=person, role=role, section=section, time=rest.pop("time", WHEN), **rest)
    return path


def edit(book: Path, name: str, old: str, new: str) -> None:
    """Change a file of the book."""
    path = book / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {text}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def only(book: Path) -> Verdict:
    """What became of the only sign-off."""
    (verdict,) = Book(book).reviews.verdicts
    return verdict
