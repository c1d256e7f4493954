"""Protected attributes of a plan entry: which groups are compared, and with which reference group."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from factbook.errors import MeasureError, UnknownName
from factbook.manifest import Planned, Source
from factbook.measures import suppression
from factbook.measures.request import Answer, Request, attributes
from factbook.model import Pairs


def references(name: str, planned: Planned) -> dict[str, str]:
    """Attribute to reference group as declared; '' where only gaps are wanted.

    Raises:
        MeasureError: `protected` names no attribute.
    """
    given = planned.params.get("protected")
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        given = dict.fromkeys(given, "")
    if not isinstance(given, dict) or not given or not all(isinstance(value, str) for value in given.values()):
        raise MeasureError(f"plan.{name}: `protected` is not given", remedy="e.g. `protected: {sex: men}`, attribute: reference group")
    return dict(given)


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """Each protected attribute, and the intersections in `by`; all pairs where `by` is not given."""
    declared = tuple(references(name, planned))
    found = attributes(name, [(item,) for item in declared], source)
    more = attributes(name, planned.by, source) if planned.by else suppression.margins_of(declared)
    return tuple(dict.fromkeys((*found, *more)))


def shown(place: Pairs) -> str:
    """A slice in words."""
    return ", ".join(f"{name} = {value!r}" for name, value in place)


@dataclass
class References:
    """Finds the reference group of each combination of attributes; single attributes are asked for before their combinations."""

    request: Request
    source: Source
    found: dict[str, str] = field(default_factory=dict)

    def of(self, by: tuple[str, ...], groups: Collection[Pairs], answer: Answer) -> Pairs | None:
        """The reference group among those that occur; None where none is declared or nobody is in it (which is said in a warning).

        Raises:
            UnknownName: the declared group does not occur.
        """
        declared = references(self.request.name, self.request.planned)
        if len(by) == 1 and declared.get(by[0]):
            self.found[by[0]] = self._single(by[0], declared[by[0]], [place[0][1] for place in groups])
        if any(name not in self.found for name in by):
            return None
        reference = tuple((name, self.found[name]) for name in by)
        if reference in groups:
            return reference
        answer.warnings.append(f"{self.source.uri}: nobody is in the reference group {shown(reference)}; its differences are left out")
        return None

    def _single(self, attribute: str, given: str, groups: list[str]) -> str:
        for candidate in (self.source.by[attribute].names.get(given, given), given):
            if candidate in groups:
                return candidate
        raise UnknownName(f"group of {attribute} (plan.{self.request.name}, protected)", given, groups)
