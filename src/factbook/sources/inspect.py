"""Logs of Inspect (UK AI Security Institute), `.eval` and `.json`, one row a sample and epoch. Declare `format: inspect`.

`task`, `model`, `id`, `sample` (task and id), `epoch`, `input`, `target` (a text, or a list), `output`, `stop`, `error`; `input_tokens`,
`output_tokens`, `total_tokens` over all models of the sample, `cost` where the log has one; `total_time`, `working_time` in seconds; every score
as `score.NAME` (C is 1, I and N are 0, P is 0.5), or `score.NAME.KEY` where it has several values, with its `answer.NAME` and `explanation.NAME`, and
the mean of it that the log itself has as `logged.NAME`; every entry of the metadata as `metadata.NAME`. A sample that ended with an error has no
output, unless it had one before.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.evaluations import cell, grade, plain, prefixed
from factbook.sources.tables import Table

SUFFIXES: Final = (".eval",)
_TEXTS: Final = ("task", "model", "id", "sample", "epoch", "input", "target", "output", "stop", "error")
_NUMBERS: Final = ("input_tokens", "output_tokens", "total_tokens", "cost", "total_time", "working_time")
_SCHEMA: Final = {**dict.fromkeys(_TEXTS, "VARCHAR"), **dict.fromkeys(_NUMBERS, "DOUBLE")}
_ZSTANDARD: Final = 93
_LOCAL_HEADER: Final = 30


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The samples of one or several logs.

    Raises:
        SourceError: a file is no log of Inspect, or one of a run that has not ended.
    """
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files), "inspect 2")


def _records(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in sorted(files):
        try:
            yield from _log(path) if path.suffix.lower() != ".eval" else _archive(path)
        except (ValueError, KeyError, TypeError, AttributeError, BadZipFile, RecursionError) as error:
            raise SourceError(
                f"{path}: no log of Inspect ({type(error).__name__}: {error})", remedy="give .eval or .json files that `inspect eval` wrote"
            ) from error


def _log(path: Path) -> Iterator[dict[str, Any]]:
    tree = json.loads(path.read_text(encoding="utf-8"))
    _refuse_unfinished(path, tree)
    logged = _logged(tree)
    for sample in tree.get("samples") or ():
        yield _row(tree["eval"], sample) | logged


def _archive(path: Path) -> Iterator[dict[str, Any]]:
    with ZipFile(path) as archive:
        items = {item.filename: item for item in archive.infolist()}
        if "header.json" not in items:
            raise SourceError(f"{path}: the log has no header: the run has not ended", remedy="wait for its end, or run `inspect log recover`")
        header = json.loads(_unpacked(path, archive, items["header.json"]))
        _refuse_unfinished(path, header)
        logged = _logged(header)
        for name in sorted(items):
            if name.startswith("samples/") and name.endswith(".json"):
                yield _row(header["eval"], json.loads(_unpacked(path, archive, items[name]))) | logged


def _refuse_unfinished(path: Path, header: Mapping[str, Any]) -> None:
    if header["status"] != "success":
        raise SourceError(f"{path}: the run ended with status {header['status']!r}", remedy="give the log of a run that succeeded")


def _logged(header: Mapping[str, Any]) -> dict[str, Any]:
    """The means over samples that the log has, of scores whose epochs are reduced to their mean."""
    found: dict[str, Any] = {}
    for score in (header.get("results") or {}).get("scores") or ():
        means = [score["metrics"][name]["value"] for name in ("accuracy", "mean") if name in score.get("metrics", {})]
        if means and score.get("reducer") in (None, "mean"):
            name, scorer = score["name"], score.get("scorer") or score["name"]
            found[f"logged.{name}" if name == scorer else f"logged.{scorer}.{name}"] = cell(means[0])
    return found


def _unpacked(path: Path, archive: ZipFile, item: ZipInfo) -> bytes:
    """A member, also one packed with Zstandard, which `zipfile` cannot read before Python 3.14."""
    if item.file_size > converted.LARGEST:
        raise SourceError(f"{path}: {item.filename} holds {item.file_size:,} bytes", remedy="log without images and model calls")
    if item.compress_type != _ZSTANDARD:
        return archive.read(item)
    import pyarrow as pa

    with path.open("rb") as stream:
        stream.seek(item.header_offset)
        name, extra = struct.unpack("<26xHH", stream.read(_LOCAL_HEADER))
        stream.seek(item.header_offset + _LOCAL_HEADER + name + extra)
        packed = stream.read(item.compress_size)
    return bytes(pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read(item.file_size))


def _row(about: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    output, failed = sample.get("output") or {}, sample.get("error")
    choice = (output.get("choices") or [{}])[0]
    usages = list((sample.get("model_usage") or {}).values())
    row: dict[str, Any] = {
        "task": about["task"],
        "model": about["model"],
        "id": str(sample["id"]),
        "sample": f"{about['task']}/{sample['id']}",
        "epoch": str(sample["epoch"]),
        "input": _said(sample["input"]),
        "target": cell(sample["target"]),
        "output": output.get("completion", _said((choice.get("message") or {}).get("content", ""))) or (None if failed else ""),
        "stop": choice.get("stop_reason"),
        "error": cell((failed or {}).get("message")),
        "total_time": sample.get("total_time"),
        "working_time": sample.get("working_time"),
    }
    for name in ("input_tokens", "output_tokens", "total_tokens"):
        row[name] = sum(usage.get(name) or 0 for usage in usages) if usages else None
    costs = [usage["total_cost"] for usage in usages if usage.get("total_cost") is not None]
    row["cost"] = sum(costs) if costs else None
    for name, score in (sample.get("scores") or {}).items():
        if plain(name):
            several = score["value"] if isinstance(score["value"], dict) else None
            values = {"": score["value"]} if several is None else {f".{key}": value for key, value in several.items()}
            row |= {f"score.{name}{key}": grade(value) for key, value in values.items()}
            row |= {f"answer.{name}": cell(score.get("answer")), f"explanation.{name}": cell(score.get("explanation"))}
    return row | prefixed("metadata", sample.get("metadata") or {})


def _said(content: Any) -> str:
    """The text of a message, or of a list of messages or parts."""
    if isinstance(content, str):
        return content
    parts = [part.get("text", part.get("content", "")) for part in content]
    return "\n".join(part if isinstance(part, str) else _said(part) for part in parts)
