"""A third engine, for tests only: rows counted one by one in dicts, with fractions; no numpy, no SQL. Slow, and easy to believe.

It makes the same digest as `Tally.digest` from its own cells, so that equality with the other engines is equality of everything.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from factbook.engines import tallies
from factbook.manifest import Group, Source

NONE = -1
RESOLUTIONS = (0, 8, 10, 12, 14, 16, 18, 20, 22, 24)
TENTHS = [struct.unpack("<d", struct.pack("<d", value))[0] for value in tallies.TENTHS.tolist()]
Cell = tuple[tuple[str | None, ...], int]


def text(value: Any) -> str | None:
    """The canonical text of a value; None where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value + 0.0) if isinstance(value, float) else str(value)


def number(value: Any) -> float | None:
    if value is None or value == "":
        return None
    found = float(value)
    return None if math.isnan(found) else found


def group(value: Any, declared: Group) -> str | None:
    """The group of a row by an attribute."""
    if not declared.cuts:
        plain = text(value)
        return None if plain is None else declared.names.get(plain, plain)
    found = number(value)
    if found is None:
        return None
    return declared.bands()[sum(found >= float(cut) for cut in declared.cuts)]


class Reference:
    """All rows, counted."""

    def __init__(self, source: Source, rows: Iterable[Mapping[str, Any]], cap: int | None = None) -> None:
        self.source, self.cap = source, tallies.CAP if cap is None else cap
        self.exact: defaultdict[tuple[tuple[str | None, ...], float | None], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.dimensions = [*source.by]
        self.dimensions += [tallies.LABEL] if source.label else []
        self.dimensions += [tallies.PREDICTION] if source.prediction or source.cut is not None else []
        self.dimensions += [tallies.WEIGHT] if source.weight else []
        self.dimensions += [tallies.CLUSTER] if source.cluster else []
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        source = self.source
        values = [group(row[declared.column], declared) for declared in source.by.values()]
        score = number(row[source.score]) if source.score else None
        values += [self.labelled(row[source.label])] if source.label else []
        if source.prediction:
            values.append(self.labelled(row[source.prediction]))
        elif source.cut is not None:
            values.append(None if score is None else "1" if Decimal(score) >= Decimal(float(source.cut)) else "0")
        weight = number(row[source.weight]) if source.weight else None
        values += ["given" if weight is not None else None] if source.weight else []
        values += [self.block(row[source.cluster])] if source.cluster else []
        cell = self.exact[tuple(values), None if score is None else score + 0.0]
        cell[0] += 1
        if weight is not None:
            cell[1] += math.floor(Fraction(weight) * 2**tallies.SCALE)
            cell[2] += math.floor(Fraction(weight * weight) * 2**tallies.SCALE)

    def labelled(self, value: Any) -> str | None:
        plain = text(value)
        return None if plain is None else self.source.labels.get(plain, plain)

    def block(self, value: Any) -> str | None:
        plain = text(value)
        return None if plain is None else f"{int(hashlib.md5(plain.encode()).hexdigest()[:2], 16) % 64:02d}"

    def cells(self) -> tuple[int, dict[Cell, list[int]]]:
        """The finest resolution with at most `cap` cells, and the cells."""
        for resolution in RESOLUTIONS:
            found: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0])
            for (values, score), counts in self.exact.items():
                cell = found[values, key(score, resolution)]
                for i, count in enumerate(counts):
                    cell[i] += count
            if len(found) <= self.cap:
                break
        return resolution, found

    @property
    def digest(self) -> str:
        resolution, cells = self.cells()
        texts = [sorted({values[i] for values, _ in cells if values[i] is not None}) for i in range(len(self.dimensions))]
        coded = {(tuple(self.code(texts, i, value) for i, value in enumerate(values)), score): counts for (values, score), counts in cells.items()}
        weighted = bool(self.source.weight)
        state = hashlib.sha256(json.dumps([self.dimensions, texts, resolution, weighted]).encode())
        ordered = sorted(coded)
        columns = [[code for codes, _ in ordered for code in codes], [score for _, score in ordered], [coded[cell][0] for cell in ordered]]
        if weighted:
            columns.append([limb for cell in ordered for total in coded[cell][1:] for limb in (total >> 34, total & (2**34 - 1))])
        for column in columns:
            state.update(struct.pack(f"<{len(column)}q", *column))
        return "sha256:" + state.hexdigest()

    @staticmethod
    def code(texts: list[list[str]], dimension: int, value: str | None) -> int:
        return 0 if value is None else texts[dimension].index(value) + 1


def key(score: float | None, resolution: int) -> int:
    """The score as an integer of the same order, or the bin that holds it."""
    if score is None:
        return NONE
    if resolution == 0:
        return int(struct.unpack("<q", struct.pack("<d", score))[0])
    half = 0x3F000000
    bits = single(score) if score < 0.5 else 2 * half - single(1.0 - score)
    return (bits >> resolution) << 4 | sum(score > tenth for tenth in TENTHS)


def single(value: float) -> int:
    """The bits of a float32."""
    return int(struct.unpack("<i", struct.pack("<f", value))[0])
