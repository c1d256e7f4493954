"""Starts a book over the logs of Inspect or lm-evaluation-harness: one measurement for each task, and each model and filter where there are several.

What is taken from a log: its first score of 0 and 1 as `correct`, its other numbers as scores, pass@k up to the least number of epochs of a sample,
time and tokens, and the mean that the log itself has, to be held against its samples. Outputs are compared with targets where a log has no score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from factbook import sources
from factbook.errors import SourceError
from factbook.evidence.locking import STORE
from factbook.manifest import Source, validate
from factbook.sources import Preview, evaluations, lm_eval

Named = Callable[[Path], str]
_SCORES: Final = ("score.", "metric.")
_QUANTITIES: Final = ("total_time", "output_tokens", "cost")


@dataclass(frozen=True, slots=True)
class _Run:
    """A task that a model did, its responses filtered in one way: where that is logged, and what is known of the columns."""

    task: str
    model: str
    filter: str
    declared: Mapping[str, Any]
    columns: Mapping[str, Preview]
    epochs: int
    shares: Sequence[str]


def propose(logs: Path, by: Sequence[str], named: Named, folder: Path, tree: dict[str, Any], notes: list[str]) -> None:
    """Add the logs in a folder as sources, and what can be measured of them.

    Args:
        logs: the folder.
        by: columns that become attributes.
        named: how factbook.yaml names a file.
        folder: that of the book.
        tree: of factbook.yaml, which grows.
        notes: what a person should know of it.

    Raises:
        SourceError: there is no such folder, no log in it, or one cannot be read.
    """
    found: dict[tuple[str, str, str], _Run] = {}
    for declared in _declared(logs, named):
        for run in _runs(declared, by, folder, notes):
            key = (run.task, run.model, run.filter)
            if key in found:
                notes.append(f"{run.task} of {run.model or 'the model'} was run more than once: the last counts, {run.declared['uri']}")
            found[key] = run
    models = {run.model for run in found.values()}
    for run in found.values():
        several = [
            name
            for name, other in (("model", models), ("filter", {item.filter for item in found.values() if item.task == run.task}))
            if len(other) > 1
        ]
        name = _name([run.task, *(getattr(run, part) for part in several)], tree["plan"])
        declared, planned = _measured(run, name, notes)
        if planned:
            tree["sources"][name], tree["plan"][name] = declared, planned
    if not tree["plan"]:
        raise SourceError(f"{logs}: no log has a score of single samples, or targets", remedy="log with a scorer, or declare the plan by hand")
    if len(models) == 1 and (model := models.pop()):
        tree["subject"]["name"] = model
    elif len(models) > 1:
        notes.append(f"there are logs of {len(models)} models; each has measurements of its own")


def _declared(logs: Path, named: Named) -> Iterator[dict[str, Any]]:
    """The source of each log."""
    if not logs.is_dir():
        raise SourceError(f"{logs}: no such folder (--logs)", remedy="name the folder that `inspect eval` or `lm_eval --log_samples` wrote to")
    empty = True
    for path in sorted(logs.rglob("*"), key=lambda path: (path.name, path)):
        uri = named(path)
        if task := lm_eval.NAME.match(path.name):
            results = path.with_name(f"results_{task['time']}.json")
            yield {"uri": uri, "format": "lm-eval"} | ({"more": [named(results)]} if results.is_file() else {})
        elif path.suffix == ".eval" or _inspect(path):
            yield {"uri": uri, "format": "inspect"}
        else:
            continue
        empty = False
    if empty:
        raise SourceError(f"{logs}: no log in it", remedy="name the folder that `inspect eval` or `lm_eval --log_samples` wrote to")


def _inspect(path: Path) -> bool:
    """Whether a file is a log of Inspect in JSON."""
    if path.suffix != ".json" or lm_eval.RESULTS.match(path.name):
        return False
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and {"status", "eval", "plan"} <= set(tree)


def _runs(declared: dict[str, Any], by: Sequence[str], folder: Path, notes: list[str]) -> Iterator[_Run]:
    """The runs in one log; one that has not ended well is left out, and told."""
    source = validate(Source, declared, declared["uri"])
    store = folder / STORE
    try:
        table = sources.table(source, folder, store)
    except SourceError as error:
        if "the run" not in error.message:
            raise
        notes.append(f"left out: {error.message}")
        return
    known = evaluations.runs(table, store)
    for task, model, filtered, epochs in known:
        own = declared | ({"members": filtered} if len(known) > 1 else {}) | _groups(by, table.names)
        chosen = validate(Source, own, own["uri"])
        columns = {preview.name: preview for preview in sources.columns(chosen, folder, store)}
        numbers = [column.name for column in columns.values() if column.name.startswith(_SCORES) and column.numeric]
        shares = evaluations.shares(sources.table(chosen, folder, store), store, numbers)
        yield _Run(task, model, filtered, declared=own, columns=columns, epochs=epochs, shares=shares)


def _groups(by: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    """The attributes that a log has: `COLUMN`, named by what follows its last point, or `ATTRIBUTE=COLUMN`."""
    pairs = [(text.rpartition(".")[2], text) if "=" not in text else tuple(text.split("=", 1)) for text in by]
    found = {attribute: column for attribute, column in pairs if column in columns}
    return {"by": found} if found else {}


def _name(parts: Sequence[str], taken: Mapping[str, Any]) -> str:
    """A name for a measurement that is not taken."""
    text = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "-", part.rpartition("/")[2]).strip("-.") for part in parts if part)
    name = text if re.match(r"[A-Za-z_]", text) else f"task-{text}"
    count = sum(1 for other in taken if re.fullmatch(rf"{re.escape(name)}(-\d+)?", other))
    return f"{name}-{count + 1}" if count else name


def _measured(run: _Run, name: str, notes: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The source of a run, and its plan entry; {} where nothing can be measured."""
    planned: dict[str, Any] = {"measure": "text-generation", "data": name, "sample": "sample"}
    numbers = [column for column in run.columns.values() if column.name.startswith(_SCORES) and column.numeric and column.distinct]
    correct = next((column for column in numbers if _binary(column)), None)
    others = [column.name for column in numbers if column is not correct]
    lacking: dict[str, Preview] = {}
    if correct:
        lacking["label"] = correct
        planned |= {"correct": correct.name} | ({"k": [1, run.epochs]} if run.epochs > 1 else {})
        logged = run.columns.get(f"logged.{correct.name.partition('.')[2]}")
        planned |= {"logged": logged.name} if logged is not None and logged.numeric and logged.distinct else {}
    elif not others and _comparable(run.columns["output"], run.columns["target"]):
        lacking |= {"prediction": run.columns["output"], "label": run.columns["target"]}
        planned |= {"prediction": "output", "references": "target"}
        planned |= {"overlap": overlap} if (overlap := [item for item in ("bleu", "chrf") if f"metric.{item}" in run.columns]) else {}
    planned |= {"score": others} if others else {}
    if within := [item for item in others if item in run.shares]:
        planned |= {"ranges": {item: ["0", "1"] for item in within}}
        notes.append(f"{name}: all values of {' and '.join(within)} lie between 0 and 1, and are taken to do so always: `ranges`")
    if len(planned) == 3:
        notes.append(f"left out: {name} has neither a score of single samples nor targets")
        return {}, {}
    planned |= {"quantities": used} if (used := [item for item in _QUANTITIES if (own := run.columns.get(item)) and own.distinct]) else {}
    planned |= {"by": list(run.declared["by"])} if "by" in run.declared else {}
    policies = {policy: "drop" for policy, column in lacking.items() if column.missing}
    for policy, column in lacking.items():
        if column.missing:
            notes.append(f"{name}: {column.missing} outputs have no {column.name} and are left out of it: `missing: {{{policy}: drop}}`")
    return {**run.declared, "used_for": "testing"} | ({"missing": policies} if policies else {}), planned


def _comparable(output: Preview, target: Preview) -> bool:
    """Whether outputs can be compared with targets: not log-likelihoods with texts."""
    return bool(output.distinct and target.distinct) and (target.numeric or not output.numeric)


def _binary(column: Preview) -> bool:
    """Whether all values are 0 or 1."""
    return bool(column.examples) and len(column.examples) == column.distinct and {float(text) for text in column.examples} <= {0.0, 1.0}
