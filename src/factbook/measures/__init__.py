"""Measures turn a tally into facts. Each module here is one measure: it defines `measure` and says what it needs.

    VERSION    an integer; a new one when results change (golden outputs in the tests guard it)
    METRICS    its vocabulary, a tuple of `Metric`
    ROLES      the roles of its sources, e.g. ("data",)
    PARAMS     names of the other parameters that it understands
    measure(request, answer)                adds its facts to the answer

and, where the usual is not right for it:

    OPTIONAL   roles that a plan entry may leave out; usually none
    margins(name, planned, source)          the combinations of attributes that it publishes counts for; usually those in `by`
    protected(planned)                      the roles whose small groups are hidden; usually all
    propose(source_name, source, protected) what `init` plans: (evidence name, planned), or None; usually nothing
    vocabulary(params)                      its metrics where the plan names them; usually METRICS
    ORDERED    names of parameters that are mappings whose order is part of the results; usually none
    takes(params)                           what else of the book it rests on, to be given as the parameter `given`; usually nothing

This package is the mechanism: it finds the measure, hides what must stay hidden over all measurements of a source, and hands back what was measured.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from factbook import shelf, sources
from factbook.errors import MeasureError, UnknownName
from factbook.manifest import Manifest, Planned, Source
from factbook.measures import binary, suppression
from factbook.measures.request import Answer, Request, attributes, source_name
from factbook.measures.suppression import Exposed, Past
from factbook.model import Measured, Metric, Pairs, Progress

__all__ = ["find_alias", "identity", "metric", "metrics", "proposals", "run", "takes", "version"]


def run(
    name: str, planned: Planned, manifest: Manifest, root: Path, store: Path, progress: Progress, past: Callable[[str], Past] = lambda _: Past()
) -> Measured:
    """Carry out one planned measurement.

    Args:
        name: of the measurement; becomes the name of its evidence.
        planned: measure, sources, slices and parameters.
        manifest: the whole book, for sources, level and suppression.
        root: the book's folder.
        store: its private store (caches; nothing in it is published).
        progress: is told how far the scan is.
        past: what was published and hidden of a source before.

    Raises:
        SourceError: a source is absent, or contradicts its declaration.
        MeasureError: a parameter is not known, or the measure cannot be had from this source.
        UnknownName: there is no such measure, source, attribute or group.
    """
    module = _module(name, planned)
    margins = {role: tuple(_margins(manifest, source_name(name, planned, manifest, role))) for role in roles(module, planned)}
    request = Request(name, planned, manifest, root, store, progress, margins)
    hidden = _hidden(request, _protected(module, planned), past)
    shared: frozenset[Pairs] = frozenset().union(*(item.hidden for item in hidden.values()))
    own: frozenset[Pairs] = frozenset().union(*(item.own.get(name, frozenset()) for item in hidden.values()))
    answer = Answer(name, request.level, _vocabulary(planned.measure, planned.params), shared | own, _reason(manifest))
    answer.warnings += [said for role in roles(module, planned) for said in binary.look_alikes(request.tally(role), request.source(role))]
    module.measure(request, answer)
    return Measured(
        name=name,
        measure=planned.measure,
        version=module.VERSION,
        facts=tuple(answer.facts),
        params=identity(name, planned, manifest),
        inputs={role: request.artifact(role) for role in roles(module, planned)},
        warnings=tuple(dict.fromkeys(answer.warnings)),
        hidden={source: replace(item, own={**item.own, name: answer.hidden - shared}) for source, item in hidden.items()},
    )


def _module(name: str, planned: Planned) -> ModuleType:
    module = shelf.find("measures", planned.measure)
    known = {*module.ROLES, *_optional(module), *module.PARAMS}
    for given in planned.params:
        if given not in known:
            near = difflib.get_close_matches(given, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"{planned.measure} understands: by, {', '.join(sorted(known))}"
            raise MeasureError(f"plan.{name}: {planned.measure} has no parameter {given!r}", remedy=remedy)
    return module


def _optional(module: ModuleType) -> tuple[str, ...]:
    return tuple(getattr(module, "OPTIONAL", ()))


def roles(module: ModuleType, planned: Planned) -> tuple[str, ...]:
    """The roles that a plan entry fills: all that the measure needs, and those of the others that it names."""
    return (*module.ROLES, *(role for role in _optional(module) if role in planned.params))


def identity(name: str, planned: Planned, manifest: Manifest) -> dict[str, Any]:
    """All that a measurement's results depend on, other than the bytes of its sources and the measure's version. Needs no source to be there.

    Two measurements with equal identity, version and input digests have equal facts.
    """
    module = _module(name, planned)
    named = {role: source_name(name, planned, manifest, role) for role in roles(module, planned)}
    return {
        **{key: value for key, value in planned.params.items() if key not in named},
        **_orders(module, planned),
        "by": [list(item) for item in planned.by],
        "level": str(manifest.level),
        "suppress_below": manifest.suppress_below,
        "declared": {role: sources.declaration(manifest.sources[source]) for role, source in named.items()},
        "published": {role: [list(item) for item in _margins(manifest, source)] for role, source in named.items()} if manifest.suppress_below else {},
    }


def _orders(module: ModuleType, planned: Planned) -> dict[str, list[str]]:
    """The order of mappings, where it decides the results and is not that of their names: their written form is sorted."""
    given = {name: planned.params.get(name) for name in getattr(module, "ORDERED", ())}
    return {f"order of {name}": list(item) for name, item in given.items() if isinstance(item, Mapping) and list(item) != sorted(item)}


def version(measure: str) -> int:
    """The declared version of a measure's results."""
    return int(shelf.find("measures", measure).VERSION)


def _margins(manifest: Manifest, source: str) -> list[tuple[str, ...]]:
    """Every combination of attributes for which some measurement publishes counts of a source."""
    found: set[tuple[str, ...]] = set()
    for name, planned in manifest.plan.items():
        module = shelf.find("measures", planned.measure)
        if any(planned.params.get(role) == source for role in roles(module, planned)):
            found.update(slices(module, name, planned, manifest.sources[source]))
    return sorted(found)


def slices(module: ModuleType, name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The combinations of attributes that a measure publishes counts for: those in `by`, unless it says otherwise."""
    own = getattr(module, "margins", None)
    return attributes(name, planned.by, source) if own is None else tuple(own(name, planned, source))


def _protected(module: ModuleType, planned: Planned) -> tuple[str, ...]:
    """The roles of sources that hold people's rows: all, unless the measure says that one holds published figures."""
    own = getattr(module, "protected", None)
    return tuple(own(planned)) if own is not None else roles(module, planned)


def _hidden(request: Request, protected: tuple[str, ...], past: Callable[[str], Past]) -> dict[str, Past]:
    """Per source, the slices that no measurement may show, now and later.

    Raises:
        MeasureError: nothing can protect a small group from what was published before.
    """
    k = request.manifest.suppress_below
    found: dict[str, Past] = {}
    for role in protected if k else ():
        source, name, digest = request.source(role), request.source_name(role), request.digest(role)
        margins, before = frozenset(request.margins[role]), past(name)
        for margin in sorted(margins):
            binary.slices(request.tally(role), margin)  # too many are refused before they are protected
        unpublished = binary.MISSING if source.missing.group == "drop" else None
        atoms, outcomes = binary.population(request.tally(role), source), binary.by_outcome(request.tally(role), source)
        try:
            hidden = suppression.hidden(atoms, sorted(margins), k, unpublished, outcomes, held=before.hidden, before=before.compared(digest, margins))
        except Exposed as error:
            said = ", ".join(f"{attribute} = {value!r}" for attribute, value in error.slice)
            raise MeasureError(
                f"plan.{request.name}: source {name} has fewer than {k} rows with {said}, and what was published before would give their number away",
                remedy=f"measure when {k} more rows have come, or publish the same combinations of attributes as before; if what evidence/ holds was "
                f"given to nobody or is about other rows, delete evidence/hidden/{name}.jsonl",
            ) from error
        found[name] = replace(before, digest=digest, margins=margins, hidden=hidden | before.hidden)
    return found


def _reason(manifest: Manifest) -> str:
    return suppression.REASON.format(k=manifest.suppress_below) if manifest.suppress_below else ""


def _vocabulary(measure: str, params: Mapping[str, Any] | None) -> dict[str, Metric]:
    return {item.name: item for item in metrics(measure, params)}


def metrics(measure: str, params: Mapping[str, Any] | None = None) -> tuple[Metric, ...]:
    """The vocabulary of a measure; where the plan names its metrics, that of its parameters.

    Raises:
        UnknownName: there is no such measure.
    """
    module = shelf.find("measures", measure)
    found: tuple[Metric, ...] = module.vocabulary(params) if params is not None and hasattr(module, "vocabulary") else module.METRICS
    return found


def takes(planned: Planned) -> tuple[str, ...]:
    """What a planned measurement rests on besides its sources: `declared:NAME`, `policy:NAME` and keys of facts."""
    module = shelf.find("measures", planned.measure)
    return tuple(module.takes(planned.params)) if hasattr(module, "takes") else ()


def metric(measure: str, metric: str, params: Mapping[str, Any] | None = None) -> Metric:
    """One metric of a measure.

    Raises:
        UnknownName: the measure or the metric does not exist; suggests the nearest, and the accepted name of an alias.
    """
    known = _vocabulary(measure, params)
    if metric in known:
        return known[metric]
    alias = next((item.name for item in known.values() if metric.lower() in item.aliases), "")
    raise UnknownName(f"metric of {measure}", alias or metric, known)


def find_alias(name: str) -> str | None:
    """The accepted name of a metric that somebody calls otherwise (`tpr` → `recall`), over all measures; None if nobody does."""
    wanted = name.lower().replace("-", "_").replace(" ", "_")
    for module in shelf.modules("measures").values():
        for item in module.METRICS:
            if wanted == item.name or wanted in item.aliases:
                return str(item.name)
    return None


def proposals(source_name: str, source: Source, protected: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What `init` plans for a source: evidence name to planned measurement, from every measure that can use it.

    Args:
        source_name: the name of the source in the manifest.
        source: its declared roles.
        protected: attribute to reference group, for measures that compare groups.
    """
    found = {}
    for _, module in sorted(shelf.modules("measures").items()):
        propose = getattr(module, "propose", None)
        proposal = propose(source_name, source, dict(protected or {})) if propose is not None else None
        if proposal is not None:
            found[proposal[0]] = proposal[1]
    return found
