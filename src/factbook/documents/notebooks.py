"""A document as a Jupyter notebook (nbformat 4.5) and back, byte for byte.

Text becomes Markdown cells, code that is run becomes code cells. What a notebook has no place for (fences, the shown output) is kept in the cell's
metadata under `factbook`; a first cell goes to the folder of the book, where the code expects to be. Cells that were added in Jupyter become text and
fenced blocks. Outputs are those of the last `factbook run`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.documents import executable
from factbook.documents.executable import Code
from factbook.documents.parse import Document
from factbook.errors import DocumentError
from factbook.evidence.sessions import Block, Ended, Session

_OWN: Final = "factbook"
_SHELL: Final = "%%sh\n"
_SETUP: Final = {_OWN: {"setup": True}}
_BEGIN: Final = """# Begins in the folder of the book, as `factbook run` does. This cell is left out when the notebook becomes a document again.
def _begin():
    import os, pathlib

    here = pathlib.Path.cwd()
    os.chdir(next((place for place in (here, *here.parents) if (place / "factbook.yaml").is_file()), here))


_begin()"""
_KERNEL: Final = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}


def notebook(document: Document, session: Session | None) -> bytes:
    """The notebook of a document; the same document and run give the same bytes."""
    cells = list(_cells(document, session))
    if any(cell["cell_type"] == "code" for cell in cells):
        cells.insert(0, {"cell_type": "code", "execution_count": None, "metadata": _SETUP, "outputs": [], "source": _lines(_BEGIN)})
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    tree = {"cells": cells, "metadata": {**_KERNEL, _OWN: {"document": document.name}}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _cells(document: Document, session: Session | None) -> Iterator[dict[str, Any]]:
    source, done = document.source, 0
    code = executable.code(document)
    ran = session.blocks if session is not None and session.document == document.name else ()
    shown = executable.outputs(document)
    for number, block in enumerate(code, 1):
        if block.start > done:
            yield _text(source[done : block.start].decode())
        found = ran[number - 1] if number <= len(ran) and ran[number - 1].digest == block.digest else None
        done = block.end
        part = shown.get(number)
        if part is not None and part.start >= block.end and not source[block.end : part.start].strip():
            done = part.end
        yield _code(source, block, done, number, found)
    if done < len(source):
        yield _text(source[done:].decode())


def _text(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {_OWN: {}}, "source": _lines(text)}


def _code(source: bytes, block: Code, end: int, number: int, found: Block | None) -> dict[str, Any]:
    """The cell of a block: its code without the last line end, which belongs to what follows."""
    inner = source[block.body : block.closing].decode()
    text = inner.removesuffix("\n").removesuffix("\r")
    own = {"before": source[block.start : block.body].decode(), "after": inner[len(text) :] + source[block.closing : end].decode()}
    shell = _SHELL if block.language == "sh" else ""
    ran = found is not None and found.ended is not Ended.NOT_RUN
    return {
        "cell_type": "code",
        "execution_count": number if ran else None,
        "metadata": {_OWN: own},
        "outputs": list(_outputs(found)),
        "source": _lines(shell + text),
    }


def _outputs(found: Block | None) -> Iterator[dict[str, Any]]:
    if found is not None and found.output:
        yield {"name": "stdout", "output_type": "stream", "text": _lines(found.output + "\n")}
    if found is not None and found.ended is Ended.FAILED:
        name, _, said = found.said.partition(": ")
        yield {"ename": name, "evalue": said, "output_type": "error", "traceback": []}


def _lines(text: str) -> list[str]:
    """The text as notebooks keep it: a list of lines with their ends."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def markdown(path: Path) -> bytes:
    """The Markdown of a notebook.

    Raises:
        DocumentError: the file is no notebook of format 4, or cannot be read.
    """
    try:
        tree = canon.loads(path.read_text(encoding="utf-8"), str(path))
        if tree["nbformat"] != 4:
            raise ValueError(f"its format is {tree['nbformat']}, not 4")
        own = _OWN in tree["metadata"]
        text = "".join(_markdown(cell) for cell in tree["cells"] if not cell["metadata"].get(_OWN, {}).get("setup"))
    except OSError as error:
        raise DocumentError(f"{path}: it cannot be read ({error.strerror})", remedy="give a .ipynb file of format 4") from error
    except (UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DocumentError(f"{path}: this is no notebook ({error})", remedy="give a .ipynb file of format 4") from error
    front = "" if own or text.startswith("---\n") else "---\nrun: true\n---\n\n"
    return (front + text).encode()


def _markdown(cell: dict[str, Any]) -> str:
    """What a cell is in Markdown; one that was made elsewhere stands between empty lines."""
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    own = cell["metadata"].get(_OWN)
    if cell["cell_type"] != "code":
        return source if own is not None else f"\n{source}\n\n"
    shell = source.startswith(_SHELL)
    code = source.removeprefix(_SHELL) if shell else source
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"^\s*(`{3,})", code, re.MULTILINE))])
    if own is not None and not _closed(own["before"], code):
        return f"{own['before']}{code}{own['after']}"
    return f"\n{fence}{'sh run' if shell else 'python'}\n{code}\n{fence}\n\n"


def _closed(opening: str, code: str) -> bool:
    """Whether the code holds a line that would close the fence before its end."""
    fence = re.match(r"`{3,}|~{3,}", opening)
    return fence is None or re.search(rf"^ {{0,3}}{fence[0]}{fence[0][0]}*[ \t]*\r?$", code, re.MULTILINE) is not None
