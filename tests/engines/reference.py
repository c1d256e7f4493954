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

from factbook.engines import bins, tallies
from factbook.manifest import Group, Source

COARSEST = 14
SPLITS = [0.0, *bins.TENTHS.tolist(), 1 - 2.0**-53]
Block = tuple[str | None, ...]


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
        self.dimensions += [tallies.SCORE] if source.score else []
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
        values += ["given" if score is not None else None] if source.score else []
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

    @property
    def digest(self) -> str:
        texts = [sorted({values[i] for values, _ in self.exact if values[i] is not None}) for i in range(len(self.dimensions))]
        codes = {name: {None: 0} | {value: j + 1 for j, value in enumerate(texts[i])} for i, name in enumerate(self.dimensions)}
        weighted = bool(self.source.weight)
        head: list[Any] = [self.dimensions, texts, weighted]
        blocks = summed((self.coded(values, codes, self.dimensions), counts) for (values, _), counts in self.exact.items())
        columns = [*listed(blocks, weighted)]
        if self.source.score:
            decided = not self.source.prediction and self.source.cut is not None
            apart = [name for name in self.dimensions if name != tallies.SCORE and not (decided and name == tallies.PREDICTION)]
            cells = [((self.coded(values, codes, apart), score), counts) for (values, score), counts in self.exact.items() if score is not None]
            resolution, own = self.scores(summed(cells), weighted)
            head += [apart, resolution]
            columns += own
        state = hashlib.sha256(json.dumps(head).encode())
        for column in columns:
            state.update(struct.pack(f"<{len(column)}q", *column))
        return "sha256:" + state.hexdigest()

    def coded(self, values: Block, codes: Mapping[str, Mapping[str | None, int]], names: list[str]) -> tuple[int, ...]:
        return tuple(codes[name][values[self.dimensions.index(name)]] for name in names)

    def scores(self, cells: Mapping[Any, list[int]], weighted: bool) -> tuple[int, list[list[int]]]:
        """The resolution, and the columns of the scores."""
        blocks = sorted({block for block, _ in cells})
        first = [code for block in blocks for code in block]
        if len(cells) <= self.cap:
            ordered = sorted(cells)
            keys = [struct.unpack("<q", struct.pack("<d", score))[0] for _, score in ordered]
            numbers, *limbs = listed({cell: cells[cell] for cell in ordered}, weighted, heads=False)
            return 0, [first, [blocks.index(block) for block, _ in ordered], keys, numbers, *limbs]
        size = max(1, len(blocks)) * (5 if weighted else 1)
        resolution = next((r for r in range(1, COARSEST) if size * width(r) <= tallies.ROOM), COARSEST)
        found = summed(((blocks.index(block), place(score, resolution)), counts) for (block, score), counts in cells.items())
        every = {(i, j): found.get((i, j), [0, 0, 0]) for i in range(len(blocks)) for j in range(width(resolution))}
        numbers, *limbs = listed(every, weighted, heads=False)
        return resolution, [first, [], [], numbers, *limbs]


def summed(cells: Iterable[tuple[Any, list[int]]]) -> dict[Any, list[int]]:
    found: defaultdict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for cell, counts in cells:
        found[cell] = [a + b for a, b in zip(found[cell], counts, strict=True)]
    return found


def listed(cells: Mapping[Any, list[int]], weighted: bool, *, heads: bool = True) -> Iterable[list[int]]:
    """The codes of cells in their order, their rows, and the limbs of their weights."""
    ordered = sorted(cells)
    if heads:
        yield [code for cell in ordered for code in cell]
    yield [cells[cell][0] for cell in ordered]
    if weighted:
        yield [limb for cell in ordered for total in cells[cell][1:] for limb in (total >> 34, total & (2**34 - 1))]


def width(resolution: int) -> int:
    return 12 if resolution == COARSEST else 2 * (19 << (COARSEST + 1 - resolution)) + 2 + len(SPLITS)


def place(score: float, resolution: int) -> int:
    """The bin of a score."""
    if resolution == COARSEST:
        return sum(score > split for split in SPLITS)
    own = position(score, resolution)
    return own + sum(position(split, resolution) < own or (position(split, resolution) == own and score > split) for split in SPLITS)


def position(score: float, resolution: int) -> int:
    """The step of the logarithm in which a score lies, from the lowest."""
    fineness = COARSEST + 1 - resolution
    step = (bits(min(score, 1.0 - score) + 2.0**-20) >> (52 - fineness)) - (bits(2.0**-20) >> (52 - fineness))
    return step if score < 0.5 else 2 * (19 << fineness) + 1 - step


def bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])
