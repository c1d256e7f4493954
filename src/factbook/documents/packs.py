"""Begins a pack: an installable package of an organisation's own kinds of document, regimes, rules and look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from factbook import shelf
from factbook.canon import write_atomic
from factbook.errors import BookExists, DocumentError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_PROJECT: Final = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{project}"
version = "0.1.0"
description = "Documents of our own for factbook"
requires-python = ">=3.11"
dependencies = ["factbook"]

# factbook finds the kinds, regimes, rules and look of this package by this line.
[project.entry-points."{group}"]
{package} = "{package}"

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""
_PACKAGE: Final = '"""Documents of our own for factbook."""\n'
_LOOK: Final = """# The look of your pages and papers. Every line may be left out; a book can have a look.yaml of its own, which goes before this one.
{{}}
# name: Example Bank                 whose logo it is; read to those who do not see it
# accent: "#0b62a3"                  links and the marks of values, on paper and on white
# accent-dark: "#6cb8f6"             the same in dark mode
# fonts: {{text: DejaVu Sans, headings: DejaVu Sans, code: DejaVu Sans Mono, folder: fonts}}      folder: font files for the PDF, beside this file
# logo: logo.svg                     SVG or PNG, beside this file; logo-dark stands in for it in dark mode
# header: Model risk                 in the head of every page
# footer: For internal use           in the foot of every page
"""
_KIND: Final = """# What a document of this kind is, who reads it, and what each of its sections is for. `factbook new {kind}` begins one.
title: {title}
about: One sentence that says what the document is for.
audience: [engineers]
# disclose: [fnr, fpr]         metrics of which the document must show the worst group

sections:
  - id: purpose
    heading: Purpose
    owner: model owner           # the role that answers for the section
    purpose: Says why this document exists and what may be decided by it.
    from: draft                  # required from this stage on: draft, validation, released, retired
    questions:                   # what only a person can say; each becomes a numbered open question
      - id: purpose.decision
        topic: Decision          # an answer is a passage that begins with **Decision.**
        ask: Which decision does this document serve, and who takes it?
        example: The head of the clinic decides on its basis whether the model may be used from January on.
        owner: model owner
        from: validation
        # meets: ["mitchell:use.primary"]      items of regimes that an answer meets; `factbook coverage REGIME` lists them
  - id: results
    heading: Results
    owner: engineer
    purpose: Shows what was measured, with intervals.
    # needs: {{facts: [classification/accuracy]}}       MEASURE/METRIC that the section must cite where the book measures it
"""
_TEMPLATE: Final = """---
kind: {kind}
---

# {{{{ subject.name | md }}}}: {lower}

{{# This text is rendered once, when a document is begun; what stands in braces is filled in then. A comment like this one leaves no trace. #}}
{{{{ heading("purpose") }}}}

{{{{ question("purpose.decision") }}}}

{{{{ heading("results") }}}}

{{# `measured` gives the measurements of the book that were made by a measure; `fact` writes a value link, filled with its value. #}}
{{% for performance in measured("classification") %}}
The accuracy was {{{{ fact(performance.name ~ "/accuracy") }}}}.

{{% endfor %}}
{{% if not measured("classification") %}}
Nothing was measured that this document could show.
{{% endif %}}
"""


def begin(kind: str, folder: Path) -> tuple[Path, ...]:
    """Begin a kind of document: in the pack that `folder` is, or in a new pack there. Returns the files that were written.

    Raises:
        DocumentError: the name is none for a kind.
        BookExists: the pack has that kind.
    """
    if not _NAME.match(kind) or kind == "kind":
        raise DocumentError(f"{kind!r} is no name for a kind of document", remedy="small letters, digits and hyphens, such as release-note")
    package = _package(folder)
    place = folder / package / "documents" / "kinds" / kind
    if place.exists():
        raise BookExists(place, "give the new kind another name")
    title = kind.replace("-", " ").capitalize()
    words = {"kind": kind, "title": title, "lower": title.lower(), "package": package, "project": package.replace("_", "-"), "group": shelf.GROUP}
    texts = {f"{package}/__init__.py": _PACKAGE, f"{package}/look.yaml": _LOOK.format(**words), "pyproject.toml": _PROJECT.format(**words)}
    files = {folder / name: text for name, text in texts.items() if not (folder / name).exists()}
    files |= {place / "kind.yaml": _KIND.format(**words), place / "template.md": _TEMPLATE.format(**words)}
    return _written(files)


def _package(folder: Path) -> str:
    """The package of a pack, named after its folder."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    if not name.isidentifier():
        raise DocumentError(
            f"no package can be called {name!r}", remedy="give a folder whose name begins with a letter: factbook new kind NAME FOLDER"
        )
    return name


def _written(files: Mapping[Path, str]) -> tuple[Path, ...]:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
    return tuple(files)
