"""The samples of lm-evaluation-harness (`samples_TASK_TIME.jsonl`, written with `--log_samples`). Declare `format: lm-eval`.

One row a document, filter and response: `task` (from the file's name), `id` (of the document), `sample` (task and id), `filter`, `epoch`, `target`,
`output` (the filtered response; of a choice the index of the likeliest), `input` (the prompt), every metric as `metric.NAME` and every single
value of the document as `doc.NAME`. Documents that a filter keeps several responses of (`repeats` with `take_first_k`) have a row for each; their
metrics are those of the document. `members` chooses filters.

Where the file of results of the same run (`results_TIME.json`) is among the files, `model` is what it names, and `logged.NAME` the figure that it has
for a metric; without it `model` is the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.evaluations import cell, prefixed
from factbook.sources.tables import Table

SUFFIXES: Final = ()
marked = converted.marked
_SCHEMA: Final = dict.fromkeys(("task", "model", "id", "sample", "filter", "epoch", "input", "target", "output"), "VARCHAR")
_ABOUT: Final = frozenset(
    ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash", "target_hash")
)
"""What a sample has besides its metrics, which older versions do not list."""
NAME: Final = re.compile(r"samples_(?P<task>.+?)(_(?P<time>\d{4}-\d\d-\d\dT[\d.:-]+))?\.jsonl\Z")
RESULTS: Final = re.compile(r"results_(?P<time>\d{4}-\d\d-\d\dT[\d.:-]+)\.json\Z")


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The responses of one or several files of samples.

    Raises:
        SourceError: a line is no sample; names file and line.
    """
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files, source), "lm-eval 2")


def _records(files: Sequence[Path], source: Source) -> Iterator[dict[str, Any]]:
    results = {(path.parent, named["time"]): _results(path) for path in files if (named := RESULTS.search(path.name))}
    for name, path in sorted(zip(converted.names(files), files, strict=True)):
        if RESULTS.search(path.name):
            continue
        named = NAME.search(path.name)
        task = named["task"] if named else path.stem
        said = results.get((path.parent, named["time"] if named else None), {})
        about = {"task": task, "model": said.get("model_name") or converted.folder(name)}
        logged = (said.get("results") or {}).get(task) or {}
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    sample = json.loads(line)
                    if fnmatchcase(str(sample.get("filter")), source.members or "*"):
                        yield from _rows(about, sample, logged)
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    raise SourceError(
                        f"{path}:{number}: no sample of lm-eval ({type(error).__name__}: {error})", remedy="give files that `--log_samples` wrote"
                    ) from error


def _results(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: no results of lm-eval ({error})", remedy="give the file that the harness wrote") from error
    return tree if isinstance(tree, dict) else {}


def _rows(about: Mapping[str, Any], sample: Mapping[str, Any], logged: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = sample.get("metrics") or [name for name in sample if name not in _ABOUT]
    row = {
        **about,
        "id": str(sample["doc_id"]),
        "sample": f"{about['task']}/{sample['doc_id']}",
        "filter": sample.get("filter"),
        "input": _prompt(sample["arguments"]),
        "target": cell(sample["target"]),
        **{f"metric.{name}": cell(sample[name]) for name in names},
        **{f"logged.{name}": cell(logged.get(f"{name},{sample.get('filter')}")) for name in names if logged},
        **prefixed("doc", {name: value for name, value in sample["doc"].items() if isinstance(value, str | int | float)}),
    }
    for epoch, output in enumerate(_outputs(sample["filtered_resps"]), start=1):
        yield {**row, "epoch": str(epoch), "output": output}


def _prompt(arguments: Any) -> Any:
    """The prompt of the first request: `{"gen_args_0": {"arg_0": …}}`, or a list in older versions."""
    first = next(iter(arguments.values())).values() if isinstance(arguments, dict) else arguments[0]
    return cell(next(iter(first)))


def _outputs(responses: Sequence[Any]) -> list[Any]:
    """Generated texts, or of the log-likelihoods of choices the index of the highest."""
    if responses and all(isinstance(item, list) and len(item) == 2 and str(item[1]) in ("True", "False") for item in responses):
        likely = [float(item[0]) for item in responses]
        return [str(likely.index(max(likely)))]
    flat = [item for own in responses for item in (own if isinstance(own, list) else [own])]
    return [cell(item) for item in flat]
