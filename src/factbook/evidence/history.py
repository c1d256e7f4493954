"""What was published of a source before, and what was hidden: evidence/hidden/SOURCE.jsonl beside the evidence itself.

    {"digest":"sha256:…"}
    {"hidden":[["sex","x"]]}
    {"hidden":[["sex","x"]],"only":"errors"}
    {"margin":["sex"]}

A slice that is hidden stays hidden, so that no two versions of the evidence, one of which lies in the history of the repository, give it away. The
file names what the evidence suppresses anyway. Two branches merge line by line. Without it nothing is compared: remove it where what `evidence/`
held was given to nobody, or is about other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError, FactbookError
from factbook.evidence.reading import names, read
from factbook.evidence.record import FOLDER
from factbook.measures.suppression import Past, Publication
from factbook.model import Fact, Key, Pairs, Status

_OUTCOMES: Final = "tn fp fn tp"


def path(root: Path, source: str) -> Path:
    """Where it stands what was hidden of a source."""
    return root / FOLDER / "hidden" / f"{source}.jsonl"


def past(root: Path, source: str) -> Past:
    """What was hidden of a source, and what the evidence that is there shows of it; nothing where no such file is kept.

    Raises:
        EvidenceError: the file is damaged.
    """
    place = path(root, source)
    if not place.exists():
        return Past()
    where = place.relative_to(root).as_posix()
    try:
        lines = [canon.loads(line, where) for line in place.read_text(encoding="utf-8").splitlines()]
        return _read(lines, _publications(root, source))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, FactbookError) as error:
        raise EvidenceError(f"{where}: cannot be read ({error})", remedy="take it from the last commit") from error


def _read(lines: Sequence[Mapping[str, Any]], publications: tuple[tuple[str, Publication], ...]) -> Past:
    """What the lines say. After a merge there are two digests, and all has to be compared again."""
    digests = {str(line["digest"]) for line in lines if "digest" in line}
    margins = frozenset(tuple(line["margin"]) for line in lines if "margin" in line)
    own: dict[str, frozenset[Pairs]] = {}
    for line in lines:
        if "hidden" in line:
            part = tuple((str(name), str(value)) for name, value in line["hidden"])
            own[line.get("only", "")] = own.get(line.get("only", ""), frozenset()) | {part}
    return Past(digests.pop() if len(digests) == 1 else "", margins, own.pop("", frozenset()), own, publications)


def keep(root: Path, found: Mapping[str, Past]) -> None:
    """Write what is hidden of each source; before the evidence, so that after a crash too much is hidden and not too little.

    Raises:
        StorageError: the folder cannot be written.
    """
    for source, item in found.items():
        lines: list[dict[str, Any]] = [{"digest": item.digest}, *({"margin": list(margin)} for margin in item.margins)]
        lines += [{"hidden": [list(pair) for pair in part]} for part in item.hidden]
        lines += [{"hidden": [list(pair) for pair in part], "only": name} for name, parts in item.own.items() for part in parts]
        canon.write_atomic(path(root, source), "".join(f"{line}\n" for line in sorted(map(canon.dumps, lines))).encode())


def _publications(root: Path, source: str) -> tuple[tuple[str, Publication], ...]:
    """What each evidence file shows of a source, with the digest of the bytes that were counted. A damaged file shows nothing."""
    found: list[tuple[str, Publication]] = []
    for name in names(root):
        try:
            record, facts, _ = read(root, name)
        except EvidenceError:
            continue
        publication = _publication("rows" if record.measure == "profile" else _OUTCOMES, facts, name)
        digests = [item.digest for item in record.inputs.values() if item.source == source]
        found += [(digest, publication) for digest in digests if publication is not None]
    return tuple(found)


def _publication(metrics: str, facts: Mapping[Key, Fact], name: str) -> Publication | None:
    """The counts of slices among facts: of all rows, or by outcome; None where the evidence shows no such counts."""
    shown, hidden = {}, set()
    for part in {key.slice for key in facts}:
        found = [facts[key] for metric in metrics.split() if (key := Key(name, metric, (), part)) in facts]
        values = [int(fact.value) for fact in found if fact.measured and isinstance(fact.value, int)]
        if len(values) == len(metrics.split()):
            shown[part] = tuple(values)
        elif part and any(fact.status is Status.SUPPRESSED for fact in found):
            hidden.add(part)
    return Publication(frozenset(key.attributes for key in facts) - {()}, shown, frozenset(hidden)) if () in shown else None
