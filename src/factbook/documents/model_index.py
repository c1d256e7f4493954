"""The results in a model card's front matter, as the Hugging Face Hub reads them: `model-index`. They are somebody's statements, not facts.

model-index: [{name: my-model, results: [{task: {type: text-classification}, dataset: {name: IMDB, type: imdb, split: test},
metrics: [{type: accuracy, value: 0.91}], source: {name: leaderboard, url: "https://…"}}]}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from factbook.canon import dumps

FIELD: Final = "model-index"


@dataclass(frozen=True, slots=True)
class Result:
    """One number that a card declares: `name` is what `declared:` in factbook.yaml may call it, `source` where the card has it from; the data as the
    card states them, '' where it does not.
    """

    name: str
    metric: str
    value: str
    source: str
    dataset: str = ""
    config: str = ""
    split: str = ""
    revision: str = ""


def results(front: Mapping[str, Any], file: str) -> tuple[Result, ...]:
    """The results of a card, in order, each under a name of its own; what is not of this form is passed over."""
    found: list[Result] = []
    taken: set[str] = set()
    for result, metric in _metrics(front):
        title, value = _stated(metric)
        if not title or not value:
            continue
        name = base = _slug(f"{_dataset(result)} {_text(metric.get('type')) or title}")
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        dataset = (_part(result, "dataset", "type") or _part(result, "dataset", "name") or [""])[0]
        config, split, revision = ("".join(_part(result, "dataset", part)) for part in ("config", "split", "revision"))
        found.append(Result(name, _text(metric.get("type")) or title, value, _source(result, metric, file), dataset, config, split, revision))
    return tuple(found)


def passed_over(front: Mapping[str, Any]) -> int:
    """How many results have no name or no single value."""
    return sum(not all(_stated(metric)) for _, metric in _metrics(front))


def _stated(metric: Mapping[str, Any]) -> tuple[str, str]:
    """The name and the value of a metric; '' for what is not a text."""
    return _text(metric.get("name") or metric.get("type")), _text(metric.get("value"))


def declarations(found: tuple[Result, ...]) -> str:
    """The results as the `declared` section of factbook.yaml."""
    lines = [f"  {item.name}: {{value: {dumps(item.value)}, source: {dumps(item.source)}}}" for item in found]
    return "\n".join(["declared:", *lines, ""]) if lines else ""


def _metrics(front: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for model in _items(front.get(FIELD)):
        for result in _items(model.get("results")):
            for metric in _items(result.get("metrics")):
                yield result, metric


def _items(tree: Any) -> list[Mapping[str, Any]]:
    return [item for item in tree if isinstance(item, dict)] if isinstance(tree, list) else []


def _text(tree: Any) -> str:
    return " ".join(tree.split()) if isinstance(tree, str) else ""


def _part(result: Mapping[str, Any], part: str, *names: str) -> list[str]:
    tree = result.get(part)
    return [text for name in names if (text := _text(tree.get(name)))] if isinstance(tree, dict) else []


def _dataset(result: Mapping[str, Any]) -> str:
    return " ".join(_part(result, "dataset", "type", "split")[:2] or _part(result, "dataset", "name"))


def _source(result: Mapping[str, Any], metric: Mapping[str, Any], file: str) -> str:
    """Where the number is from: the card, the data set, and the source that the card names."""
    data = ", ".join(_part(result, "dataset", "name", "config", "split", "revision")) or "a data set that it does not name"
    said = f"{FIELD} of {file}, on {data}"
    named = _part(result, "source", "name", "url")
    said += f"; from {' '.join(named)}" if named else ""
    return said + ("; verified by the hub, it says" if _text(metric.get("verified")) == "true" else "")


def _slug(text: str) -> str:
    """A name that factbook.yaml takes."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.") or "result"
    return plain if plain[0].isalpha() else f"result-{plain}"
