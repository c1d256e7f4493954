"""Starts a book over predictions, logs or a run of a tracker: proposes its factbook.yaml from what was said, and says aloud what was inferred.

Nothing is guessed silently. What follows from the data without doubt (a label of 0 and 1, the separator of a CSV file) is written into
factbook.yaml and told; whatever leaves a doubt is an error that lists what there is.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from factbook import canon, measures, sources
from factbook.errors import ManifestError, SourceError, UnknownName
from factbook.evidence import GIT_ATTRIBUTES
from factbook.evidence.locking import STORE
from factbook.manifest import Group, Source, validate
from factbook.sources import Preview, places

SOURCE: Final = "evaluation"
TRAINING: Final = "training"
RUN: Final = "run"
GITIGNORE: Final = "# made by factbook, and made again whenever it is needed\n/.factbook/\n/site/\n/dist/\n"
_SEPARATORS: Final = (",", ";", "\t", "|")
_TEXTS: Final = (".csv", ".tsv", ".txt")
_POSITIVES: Final = (("0", "1"), ("0.0", "1.0"), ("false", "true"), ("no", "yes"))
_MOST_GROUPS: Final = 30
_MOST_NUMBERS: Final = 12
_MOST_CLASSES: Final = 50
_PLAIN: Final = re.compile(r"[A-Za-z_./][A-Za-z0-9_./ -]*(?<! )\Z")


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a person says about predictions, logs of evaluations or a run of a tracker; texts as the command line gives them, '' or () where nothing
    was said.

    `by` holds `COLUMN`, `COLUMN:CUT,CUT` or `ATTRIBUTE=COLUMN:CUT,CUT`; `protected` holds `ATTRIBUTE=GROUP`, the group that the others of the
    attribute are compared with; `missing` holds `ROLE=POLICY`. `logs` is a folder that Inspect or lm-eval wrote to. `run` is the id of a run or
    EXPERIMENT/NAME, `tracker` where it is kept: a database or folder of MLflow or the address of its server, also as MLflow writes them.
    """

    data: str = ""
    label: str = ""
    positive: str = ""
    prediction: str = ""
    score: str = ""
    cut: str = ""
    key: str = ""
    weight: str = ""
    by: Sequence[str] = ()
    protected: Sequence[str] = ()
    missing: Sequence[str] = ()
    abstain: str = ""
    train: str = ""
    logs: str = ""
    run: str = ""
    tracker: str = ""
    separator: str = ""
    encoding: str = "utf-8"
    name: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Proposal:
    """The tree of a factbook.yaml and what was inferred to make it."""

    tree: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The factbook.yaml, commented for the person who goes on with it."""
        return _written(self.tree)


def propose(said: Predictions, book: Path, folder: Path) -> Proposal:
    """The factbook.yaml of a book that will be at `book` and is made in `folder` beside it.

    Raises:
        SourceError: the file cannot be read, or a column is missing or cannot play its role.
        ManifestError: what was said leaves a doubt, or contradicts itself.
    """
    notes: list[str] = []
    tree: dict[str, Any] = {"factbook": "1", "subject": {"kind": "model", "name": said.name or book.name}, "stage": "draft", "language": "en"}
    tree |= {"sources": {}, "plan": {}}
    if not (said.data or said.logs or said.run):
        raise ManifestError(
            "a book needs --data, --logs or --run", remedy="name the file of predictions, the folder of logs, or a run of your tracker"
        )
    if said.logs:
        from factbook import logs

        logs.propose(Path(said.logs), said.by, lambda path: relative(str(path), book), folder, tree, notes)
    if said.data:
        _predictions(said, book, folder, tree, notes)
    if said.train:
        _train(said, book, folder, tree, notes)
    if said.run:
        _run(said, book, folder, tree, notes)
    return Proposal(tree, notes)


def _predictions(said: Predictions, book: Path, folder: Path, tree: dict[str, Any], notes: list[str]) -> None:
    """Add the predictions, and what can be measured of them."""
    source = _opened(said.data, said, book, folder, notes)
    table = sources.table(source, folder, folder / STORE)
    for role in ("label", "prediction", "score", "key", "weight"):
        if getattr(said, role):
            table.column(getattr(said, role), role)
    if not said.prediction and not said.score:
        columns = f"{', '.join(table.names[:12])}{' …' if len(table.names) > 12 else ''}"
        raise ManifestError("a book needs --prediction or --score", remedy=f"name the column of the prediction, or of the score: {columns}")
    asked = dict(_groups(said, table.names, table.where))
    shown = tuple(name for name in (said.label, said.prediction, *(group.column for group in asked.values())) if name)
    previews = {preview.name: preview for preview in sources.columns(source, folder, folder / STORE, shown)}
    groups = {attribute: _checked(attribute, group, previews) for attribute, group in asked.items()}
    reference = _protected(said, groups, previews)
    tree["sources"][SOURCE] = declared = _declared(said, source, previews, groups, notes)
    _complete(said, previews, groups, Path(said.data).name)
    tree["plan"] |= _plan(validate(Source, declared, "what was said of the predictions"), reference)


def files() -> dict[str, str]:
    """What every book has beside its factbook.yaml, by name."""
    return {".gitignore": GITIGNORE, ".gitattributes": GIT_ATTRIBUTES}


def relative(data: str, book: Path) -> str:
    """A path or pattern as factbook.yaml names it: relative to the book, unless the two share nothing but the root of the file system."""
    target = os.path.abspath(data)  # noqa: PTH100 (patterns are no paths, and links are kept)
    home = os.path.abspath(book)  # noqa: PTH100
    try:
        shared = os.path.commonpath([target, home])
    except ValueError:
        return Path(target).as_posix()
    return Path(target).as_posix() if Path(shared) == Path(shared).parent else Path(os.path.relpath(target, home)).as_posix()


def _opened(data: str, said: Predictions, book: Path, folder: Path, notes: list[str]) -> Source:
    """The source with its separator: the one that was given, or the only one that finds the label."""
    uri = relative(data, book)
    if not sources.files(uri, folder):
        near = difflib.get_close_matches(Path(data).name, [item.name for item in Path(data).parent.glob("*")])
        raise SourceError(
            f"{data}: no such file", remedy=f"did you mean {' or '.join(near)}?" if near else "name a CSV or Parquet file, or a pattern"
        )
    if said.separator or places.kind(data) not in _TEXTS:
        return Source(uri=uri, separator=said.separator.replace("\\t", "\t") or ",", encoding=said.encoding)
    tried = [Source(uri=uri, separator=mark, encoding=said.encoding) for mark in _SEPARATORS]
    fitting = [source for source in tried if said.label in _names(source, folder)]
    if len(fitting) == 1 and fitting[0].separator != ",":
        notes.append(f"the separator of {data} is {json.dumps(fitting[0].separator)}")
    return fitting[0] if len(fitting) == 1 else tried[0]


def _names(source: Source, folder: Path) -> tuple[str, ...]:
    try:
        return sources.table(source, folder, folder / STORE).names
    except SourceError:
        return ()


def _groups(said: Predictions, columns: tuple[str, ...], where: str) -> Iterator[tuple[str, Group]]:
    """Attribute and group of each --by, and of each --protected that no --by names."""
    seen = set()
    attributes = [text.partition("=")[0] for text in said.protected]
    for text in (*said.by, *attributes):
        attribute, group = _group(text, columns)
        if attribute in seen and text in attributes:
            continue
        if attribute in seen:
            raise ManifestError(f"the attribute {attribute!r} is given twice", remedy="name each --by once")
        if group.column not in columns:
            raise SourceError(f"{where}: there is no column {group.column!r} (--by)", remedy=UnknownName("column", group.column, columns).remedy)
        seen.add(attribute)
        yield attribute, group


def _group(text: str, columns: tuple[str, ...]) -> tuple[str, Group]:
    if text in columns:
        return text, Group(column=text)
    attribute, equals, rest = text.partition("=")
    if equals and not attribute:
        raise ManifestError(f"--by {text}: the attribute has no name", remedy="--by ATTRIBUTE=COLUMN, or --by COLUMN")
    column, colon, cuts = (rest if equals else text).rpartition(":")
    if not colon:
        return attribute, Group(column=rest or text)
    try:
        return (attribute if equals else column), Group(column=column, cuts=tuple(Decimal(cut) for cut in cuts.split(",")))
    except (InvalidOperation, ValueError) as error:
        raise ManifestError(f"--by {text}: the cuts {cuts!r} are no increasing numbers", remedy=f"e.g. --by {column}:40,60") from error


def _checked(attribute: str, group: Group, previews: Mapping[str, Preview]) -> Group:
    """A group whose column has few values, or cuts."""
    column = previews[group.column]
    if group.cuts and not column.numeric:
        raise SourceError(f"the column {group.column!r} has cuts but holds values that are no numbers", remedy=f"--by {group.column}")
    if not group.cuts and column.numeric and column.distinct > _MOST_NUMBERS:
        raise SourceError(
            f"the column {group.column!r} holds {_at_least(column)} different numbers: too many for groups",
            remedy=f"say where to cut it into bands, e.g. --by {attribute}:CUT,CUT",
        )
    if not group.cuts and column.distinct > _MOST_GROUPS:
        raise SourceError(
            f"the column {group.column!r} holds {_at_least(column)} different values: too many for groups",
            remedy="group the values in the data, or name a column with fewer",
        )
    return group


def _complete(said: Predictions, previews: Mapping[str, Preview], groups: Mapping[str, Group], where: str) -> None:
    """Refuse missing values that nobody has said what to do with, in the words of the command line."""
    settled = {role for role, _ in map(_missing, said.missing)}
    asked = [("label", said.label), ("prediction", said.prediction), *(("group", group.column) for group in groups.values())]
    for role, name in asked:
        if name and previews[name].missing and role not in settled:
            keep = f"; --missing {role}=group makes them a group of their own" if role == "group" else ""
            raise SourceError(
                f"{where}: {name!r} is missing in {previews[name].missing} rows",
                remedy=f"fill them in, or say --missing {role}=drop: they are left out, and counted{keep}",
            )


def _at_least(column: Preview) -> str:
    return str(column.distinct) if column.examples else f"{column.distinct} or more"


def _protected(said: Predictions, groups: Mapping[str, Group], previews: Mapping[str, Preview]) -> dict[str, str]:
    """Attribute to reference group."""
    reference: dict[str, str] = {}
    for text in said.protected:
        attribute, equals, name = text.partition("=")
        if not equals or not name or attribute in reference:
            raise ManifestError(f"--protected {text}: not of the form ATTRIBUTE=GROUP, once for each attribute", remedy="e.g. --protected sex=male")
        group = groups[attribute]
        known = group.bands() or previews[group.column].examples
        if name not in known and (group.cuts or previews[group.column].distinct <= len(known)):
            raise UnknownName(f"group of {attribute}", name, known)
        reference[attribute] = name
    return reference


def _declared(said: Predictions, source: Source, previews: Mapping[str, Preview], groups: Mapping[str, Group], notes: list[str]) -> dict[str, Any]:
    """The source as factbook.yaml declares it."""
    declared: dict[str, Any] = {"uri": source.uri}
    declared |= {"separator": source.separator} if source.separator != "," else {}
    declared |= {"encoding": said.encoding} if said.encoding != "utf-8" else {}
    declared["label"] = said.label
    declared |= {"classes": dict(said.classes)} if said.classes else {}
    if positive := said.positive or ("" if _many(said, previews[said.label], notes) else _positive(previews[said.label], notes)):
        declared["positive"] = positive
    for role in ("prediction", "score"):
        declared |= {role: getattr(said, role)} if getattr(said, role) else {}
    if said.prediction and (labels := _alike(previews[said.label], previews[said.prediction], notes)):
        declared["labels"] = labels
    if said.score and not said.prediction:
        declared["cut"] = said.cut or "0.5"
        if not said.cut:
            notes.append("the cut is 0.5: a case counts as predicted positive from that score on; say --cut to set another")
    elif said.cut:
        raise ManifestError("--cut turns a score into a prediction, and --prediction is given", remedy="leave one of them out")
    for role in ("abstain", "key", "weight"):
        declared |= {role: getattr(said, role)} if getattr(said, role) else {}
    if groups:
        declared["by"] = {name: _plain_group(group) for name, group in groups.items()}
    if said.missing:
        declared["missing"] = dict(_missing(text) for text in said.missing)
    return declared


def _alike(label: Preview, prediction: Preview, notes: list[str]) -> dict[str, str]:
    """Predictions that are the same numbers as the labels and only written otherwise (`1.0` for `1`), with the label that each means."""
    if not 2 <= label.distinct <= len(label.examples) or prediction.distinct > len(prediction.examples):
        return {}
    meant = {number: text for text in label.examples if (number := canon.number(text)) is not None}
    same = {text: meant[number] for text in sorted(set(prediction.examples) - set(label.examples)) if (number := canon.number(text)) in meant}
    if same:
        said = ", ".join(f"{text!r} as {label_text!r}" for text, label_text in same.items())
        notes.append(f"{prediction.name!r} writes the labels otherwise and is read so: {said}; `labels` in factbook.yaml says it")
    return same


def _plain_group(group: Group) -> dict[str, Any]:
    return {"column": group.column} | ({"cuts": [f"{cut:f}" for cut in group.cuts]} if group.cuts else {})


def _missing(text: str) -> tuple[str, str]:
    role, equals, policy = text.partition("=")
    if not equals:
        raise ManifestError(f"--missing {text}: not of the form ROLE=POLICY", remedy="e.g. --missing label=drop, --missing group=group")
    return role, policy


def _many(said: Predictions, label: Preview, notes: list[str]) -> bool:
    """Whether the label has so many values that each is a class of its own."""
    if said.classes:
        return True
    if not said.prediction or said.score or not 2 < label.distinct <= _MOST_CLASSES:
        return False
    more = ", …" if label.distinct > len(label.examples) else ""
    notes.append(
        f"{label.name!r} holds {label.distinct} values, {', '.join(map(repr, label.examples))}{more}: each is a class; "
        "say --positive to set one against the rest"
    )
    return True


def _positive(label: Preview, notes: list[str]) -> str:
    """The positive value where the two values of the label leave no doubt."""
    if not label.distinct:
        raise SourceError(f"the label {label.name!r} is missing in all {label.missing} rows", remedy="name the column of the true outcome: --label")
    values = label.examples
    folded = {value.casefold(): value for value in values}
    for negative, positive in _POSITIVES:
        if set(folded) == {negative, positive} and len(values) == label.distinct:
            notes.append(
                f"{folded[positive]!r} counts as positive and {folded[negative]!r} as negative in {label.name!r}; say --positive to change it"
            )
            return folded[positive]
    more = " and more" if label.distinct > len(values) else ""
    shown = ", ".join(map(repr, values)) + more if values else f"{_at_least(label)} different values"
    example = shlex.quote(values[-1]) if values else "VALUE"
    raise ManifestError(f"which value of the label {label.name!r} counts as positive? It holds {shown}", remedy=f"say --positive {example}")


def _plan(source: Source, reference: Mapping[str, str]) -> dict[str, Any]:
    return measures.proposals(SOURCE, source, reference)


def _train(said: Predictions, book: Path, folder: Path, tree: dict[str, Any], notes: list[str]) -> None:
    """Add the training data as a source of its own, described but not evaluated."""
    source = _opened(said.train, said, book, folder, notes)
    table = sources.table(source, folder, folder / STORE)
    declared: dict[str, Any] = {"uri": source.uri}
    declared |= {"separator": source.separator} if source.separator != "," else {}
    declared |= {"encoding": said.encoding} if said.encoding != "utf-8" else {}
    if said.label in table.names:
        declared |= {"label": said.label} | {role: value for role, value in tree["sources"][SOURCE].items() if role == "positive"}
    tree["sources"][TRAINING] = declared
    tree["plan"]["training-data"] = {"measure": "profile", "data": TRAINING}


def _run(said: Predictions, book: Path, folder: Path, tree: dict[str, Any], notes: list[str]) -> None:
    """Add a run of a tracker, and what it recorded."""
    place = said.tracker or _tracker(notes)
    server = re.match(r"(mlflow:)?(https?://.*)", place)
    local = relative(re.sub(r"\Afile:(//(?=/))?|\Asqlite:///", "", place), book)
    if not server and not sources.files(local, folder):
        raise SourceError(f"{place}: no such tracker (--tracker)", remedy="name the database or the folder of MLflow, or the address of its server")
    tree["sources"][RUN] = ({"uri": f"mlflow:{server[2]}"} if server else {"uri": local, "format": "mlflow"}) | {"query": said.run}
    tree["plan"][TRAINING] = {"measure": "tracked", "run": RUN}


def _tracker(notes: list[str]) -> str:
    """Where MLflow keeps runs when nothing is said: what its environment says, or the one store that lies here."""
    here = [name for name in ("mlflow.db", "mlruns") if Path(name).exists()]
    found = [os.environ["MLFLOW_TRACKING_URI"]] if os.environ.get("MLFLOW_TRACKING_URI") else here
    if len(found) != 1:
        raise ManifestError(
            "which tracker keeps the run? " + ("Here are both mlflow.db and mlruns" if found else "Here is neither mlflow.db nor mlruns"),
            remedy="say --tracker with the database or the folder of MLflow, or the address of its server",
        )
    notes.append(f"the tracker is {found[0]}; say --tracker to name another")
    return found[0]


_COMMENTS: Final = {
    "factbook": "# What this book documents, from which data, measured how. Everything here is declared by a person.",
    "stage": "# draft · validation · released · retired: from which stage on an answer is required, the kinds of document say",
    "sources": "# The data, and the role of each column. Paths start at this file.",
    "plan": "# What is measured: `factbook measure` makes what is missing or out of date.",
}
_CLOSING: Final = """
# What you can add:
#
# claims:                                        # asserted in a document as [words](claim:NAME), and checked
#   women-missed-more: "{performance/fnr?sex=female} > {performance/fnr?sex=male}"
# gaps:                                          # what is not known, and who answers for it: [words](gap:NAME)
#   ethnicity: {why: not recorded at any site, owner: data-team}
# thresholds:                                    # what a figure has to reach
#   performance/auc: {at_least: 0.80, bound: lower}
"""


def _written(tree: Mapping[str, Any]) -> str:
    parts = []
    for name, value in tree.items():
        comment = f"{_COMMENTS[name]}\n" if name in _COMMENTS else ""
        parts.append(comment + "\n".join(_block(name, value, 0)))
    return "\n\n".join(parts) + "\n" + _CLOSING


def _block(name: str, value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Mapping) and depth < 2:
        yield f"{indent}{_scalar(name)}:"
        for key, item in value.items():
            yield from _block(key, item, depth + 1)
    else:
        yield f"{indent}{_scalar(name)}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(str(value))


def _scalar(text: str) -> str:
    """Text as a YAML scalar, quoted where YAML or a hasty reader could take it for something else; plain numbers stay plain."""
    if _PLAIN.match(text) or re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    return json.dumps(text, ensure_ascii=False)
