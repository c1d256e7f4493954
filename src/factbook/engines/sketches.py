"""Column sketches: the small, integer, mergeable statistic of one column, from which its distribution and two columns' drift are read.

A sketch counts the rows, the missing values and the values. Values are kept exactly while there are at most `CAP` different ones. Above it numbers
are counted in bins that keep their order (see `cells`), and texts are given up, which the sketch says. Which of the two depends on the rows alone.
Sums are exact integers, so adding sketches is associative and commutative: the same rows give the same sketch (and digest) in any order, partitioning
and thread count.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook import sources
from factbook.engines import cells

CAP: Final = 1 << 14
GRAIN: Final = 1074
LIMIT: Final = 2.0**500
_CHUNK: Final = 1 << 15
_STEP: Final = 38
_SAMPLE: Final = 64
_READS: Final = r"^-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of a column.

    Attributes:
        exact: whether `keys` are the values themselves; else they are bins.
        keys, n: what occurs, as integers of the same order, and how often.
        total, squares: the exact sums of the values and of their squares (each square rounded to a double first), in units of 2^-GRAIN;
            values beyond ±LIMIT are left out.
        beyond: how many values lie beyond ±LIMIT, infinite ones among them.
        low, high: the smallest and the largest value; inf and -inf where there is none.
        level: of the bins (see `cells`).
    """

    exact: bool
    keys: Integers
    n: Integers
    total: int
    squares: int
    beyond: int
    low: float
    high: float
    level: int = 0

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return int(self.n.sum())

    @cached_property
    def edges(self) -> tuple[Floats, Floats]:
        """The lowest and the highest value that each key can hold; equal where the sketch is exact."""
        if self.exact:
            values = _from_keys(self.keys)
            return values, values
        lows, highs = cells.edges(self.level, self.keys)
        return np.clip(lows, self.low, self.high), np.clip(highs, self.low, self.high)

    @property
    def mean(self) -> float | None:
        """The mean, rounded once; None where there are no numbers or some lie beyond ±LIMIT."""
        return None if self.beyond or not self.count else float(Fraction(self.total, self.count << GRAIN))

    @property
    def variance(self) -> float | None:
        """The sample variance (n - 1); None where the mean is, for fewer than two numbers, and where there are bins and the rounding of the squares
        could move it by more than a thousandth (a mean of a million standard deviations).
        """
        n, mean = self.count, self.mean
        if mean is None or n < 2:
            return None
        if self.low == self.high:
            return 0.0
        if self.exact:
            return math.fsum((self.n * (self.edges[0] - mean) ** 2).tolist()) / (n - 1)
        total, squares = Fraction(self.total, 1 << GRAIN), Fraction(self.squares, 1 << GRAIN)
        found = float((squares - total * total / n) / (n - 1))
        return found if found * 1e-3 > float(squares) * 2.0**-53 / (n - 1) else None

    def at(self, level: int) -> Numbers:
        """The same numbers in bins of a level, not finer than their own."""
        keys = cells.finest(self.edges[0]) >> level if self.exact else self.keys >> (level - self.level)
        keys, n = cells.added(keys, self.n)
        return replace(self, exact=False, keys=keys, n=n, level=level)

    def fitted(self) -> Numbers:
        """The same numbers in bins as fine as fit."""
        own = self.at(self.level)
        level, keys, n = cells.fitted(own.level, own.keys, own.n)
        return replace(own, keys=keys, n=n, level=level)


@dataclass(frozen=True, eq=False)
class Texts:
    """The texts of a column, sorted, and how often each occurs; both empty where there are more than CAP (`overflow`)."""

    values: tuple[str, ...]
    n: Integers
    overflow: bool = False


@dataclass(frozen=True, eq=False)
class Sketch:
    """One column.

    Attributes:
        kind: `number`, `text`, or `other` (dates, nested and binary values: only counted).
        rows, missing: all rows, and those without a value (null, NaN; in CSV an empty field).
        numbers: of a number column, or of a text column whose every value reads as a finite number; else None.
        texts: of a text column.
        unread: how many texts read as no number, and the first of them by code point as `example`.
    """

    kind: str
    rows: int
    missing: int
    numbers: Numbers | None = None
    texts: Texts | None = None
    unread: int = 0
    example: str = ""

    @property
    def present(self) -> int:
        """The rows with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int | None:
        """How many different values there are; None above CAP."""
        if self.numbers is not None and self.numbers.exact:
            return len(self.numbers.keys)
        return None if self.texts is None or self.texts.overflow else len(self.texts.values)

    def __add__(self, other: Sketch) -> Sketch:
        return combine((self, other))

    def renamed(self, names: Mapping[str, str]) -> Sketch:
        """The sketch with texts that mean the same written alike."""
        if self.texts is None or not names:
            return self
        alike = [Texts((names.get(text, text),), self.texts.n[i : i + 1]) for i, text in enumerate(self.texts.values)]
        return replace(self, texts=_all_texts([Texts((), _NONE, self.texts.overflow), *alike]))

    @cached_property
    def digest(self) -> str:
        """`sha256:` and a hash of the canonical form. Private: it would give suppressed counts away."""
        return "sha256:" + hashlib.sha256(dump(self)).hexdigest()


def dump(sketch: Sketch) -> bytes:
    """The canonical bytes of a sketch: a line of JSON, and the arrays of its counts as little-endian integers of eight bytes."""
    numbers, texts = sketch.numbers, sketch.texts
    head = {
        "kind": sketch.kind,
        "rows": sketch.rows,
        "missing": sketch.missing,
        "unread": sketch.unread,
        "example": sketch.example,
        "texts": texts and {"values": texts.values, "overflow": texts.overflow},
        "numbers": numbers
        and {
            "exact": numbers.exact,
            "keys": len(numbers.keys),
            "level": numbers.level,
            "total": f"{numbers.total:x}",
            "squares": f"{numbers.squares:x}",
            "beyond": numbers.beyond,
            "low": numbers.low.hex(),
            "high": numbers.high.hex(),
        },
    }
    arrays = [texts.n] if texts else []
    arrays += [numbers.keys, numbers.n] if numbers else []
    return json.dumps(head, sort_keys=True).encode() + b"\n" + b"".join(array.astype("<i8", copy=False).tobytes() for array in arrays)


def load(content: bytes) -> Sketch:
    """The sketch whose `dump` this is.

    Raises:
        ValueError: it is none.
    """
    line, _, body = content.partition(b"\n")
    head = json.loads(line)
    values = np.frombuffer(body, dtype="<i8").astype(np.int64)
    texts, numbers = head.pop("texts"), head.pop("numbers")
    size, keys = len(texts["values"]) if texts and not texts["overflow"] else 0, numbers["keys"] if numbers else 0
    if len(values) != size + 2 * keys:
        raise ValueError("no sketch: its arrays have another length than it says")
    found = Sketch(**head)
    if texts:
        found = replace(found, texts=Texts(tuple(texts["values"]), values[:size], texts["overflow"]))
    if numbers:
        sums = int(numbers["total"], 16), int(numbers["squares"], 16)
        ends = float.fromhex(numbers["low"]), float.fromhex(numbers["high"])
        counts = values[size : size + keys], values[size + keys :]
        found = replace(found, numbers=Numbers(numbers["exact"], *counts, *sums, numbers["beyond"], *ends, numbers["level"]))
    return found


_NONE: Final = np.zeros(0, dtype=np.int64)
NO_NUMBERS: Final = Numbers(True, _NONE, _NONE, 0, 0, 0, math.inf, -math.inf)
NO_TEXTS: Final = Texts((), _NONE)


def numbers_of(values: Floats, *, many: bool = False) -> Numbers:
    """The sketch of some float numbers, NaN left out; `many` says that the column is known to have more than CAP different ones."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (math.inf, -math.inf)
    if math.isnan(low):
        values = values[~np.isnan(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (math.inf, -math.inf)
    if not len(values):
        return NO_NUMBERS
    inner = values if max(high, -low) < LIMIT else values[np.abs(values) < LIMIT]
    total, squares = _sums(inner, min(max(high, -low), LIMIT))
    exact = None if many else _exact_keys(values)
    level, keys, n = cells.counted(values) if exact is None else (0, *exact)
    return Numbers(exact is not None, keys, n, total, squares, len(values) - len(inner), low + 0.0, high + 0.0, level)


def _exact_keys(values: Floats) -> tuple[Integers, Integers] | None:
    """The different values and their counts; None where there are too many."""
    if len(values) > 2 * CAP and len(_counts(values[: 2 * CAP])[0]) > CAP:
        return None
    found, n = _counts(values)
    return None if len(found) > CAP else (_flipped(found.view(np.int64)), n)


def _counts(values: Floats) -> tuple[Floats, Integers]:
    """The different values, sorted, and how often each occurs. (`np.unique` would import numpy.ma.)"""
    ordered = np.sort(values + 0.0)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(starts, append=len(ordered))


def _flipped(bits: Integers) -> Integers:
    """Between the bits of a double and an integer of the same order; its own inverse."""
    return bits ^ ((bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF))


def _from_keys(keys: Integers) -> Floats:
    return _flipped(keys).view(np.float64)


def _sums(values: Floats, top: float) -> tuple[int, int]:
    """The exact sums, in units of 2^-GRAIN, of doubles no larger than `top` (at most 2^500), and of their squares, each rounded to a double."""
    part, rest = np.empty(_CHUNK), np.empty(_CHUNK)
    total = squares = 0
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        total += _sum(chunk, top, part, rest)
        squares += _sum(np.multiply(chunk, chunk, out=rest[: len(chunk)]), top * top, part, rest)
    return total, squares


def _sum(values: Floats, top: float, part: Floats, rest: Floats) -> int:
    """The exact sum of at most 2^15 doubles that are no larger than `top`; `part` and `rest` are scratch.

    They are cut into slices of 38 bits by adding and subtracting a large constant. A slice of up to 2^15 such integers adds up in a double
    without rounding, whatever the order (Demmel & Nguyen 2013, ARITH 21, 163).
    """
    total, grain = 0, math.frexp(top)[1] - _STEP
    while len(values):
        grain = max(grain, -GRAIN)
        shift = math.ldexp(1.5, grain + 52)
        own = np.add(values, shift, out=part[: len(values)])
        own -= shift
        total += int(math.ldexp(float(np.add.reduce(own)), -grain)) << (grain + GRAIN)
        values = np.subtract(values, own, out=rest[: len(values)])
        if not values[:_SAMPLE].any():
            values = values[values != 0]
        grain -= _STEP
    return total


def _all_numbers(parts: Sequence[Numbers]) -> Numbers:
    exact = all(part.exact for part in parts)
    level = max((part.level for part in parts if not part.exact), default=0)
    if not exact:
        parts = [part.at(level) for part in parts]
    keys, n = cells.added(np.concatenate([part.keys for part in parts]), np.concatenate([part.n for part in parts]))
    total, squares, beyond = (sum(getattr(part, name) for part in parts) for name in ("total", "squares", "beyond"))
    found = Numbers(exact, keys, n, total, squares, beyond, min(part.low for part in parts), max(part.high for part in parts), level)
    return found if exact and len(keys) <= CAP else found.fitted()


def merged(*parts: Numbers) -> Numbers:
    """The numbers of several columns together."""
    return _all_numbers(parts)


def _all_texts(parts: Sequence[Texts]) -> Texts:
    counts: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        for text, n in zip(part.values, part.n.tolist(), strict=True):
            counts[text] += n
    if len(counts) > CAP or any(part.overflow for part in parts):
        return Texts((), _NONE, overflow=True)
    values = tuple(sorted(counts))
    return Texts(values, np.array([counts[text] for text in values], dtype=np.int64))


def combine(parts: Sequence[Sketch]) -> Sketch:
    """The sum of sketches of one column."""
    if len(parts) == 1:
        return parts[0]
    kinds = {part.kind for part in parts}
    if len(kinds) > 1:
        raise ValueError("only sketches of one kind add up")
    numbers = [part.numbers for part in parts]
    texts = [part.texts for part in parts if part.texts is not None]
    return Sketch(
        kinds.pop(),
        sum(part.rows for part in parts),
        sum(part.missing for part in parts),
        None if None in numbers else _all_numbers([part for part in numbers if part is not None]),
        _all_texts(texts) if texts else None,
        sum(part.unread for part in parts),
        min((part.example for part in parts if part.unread), default=""),
    )


def make(kind: str, column: Any, *, many: bool = False, full: bool = False) -> Sketch:
    """The sketch of an Arrow array: numbers (`many`: as in `numbers_of`), or texts (`full`: known to be more than CAP different ones)."""
    rows = len(column)
    if kind == "other":
        return Sketch(kind, rows, column.null_count)
    present = column.drop_null() if column.null_count else column
    if kind == "number":
        numbers = numbers_of(sources.numpy(present), many=many)
        return Sketch(kind, rows, rows - numbers.count, numbers)
    if full:
        return _text_sketch(present, None, rows, Texts((), _NONE, overflow=True), many=many)
    return counted(*distinct(present), missing=rows - len(present))


def distinct(values: Any) -> tuple[Any, Integers]:
    """The different texts of an Arrow array without missing ones, and how often each occurs."""
    import pyarrow.compute as pc

    found = pc.value_counts(values)
    return found.field("values"), sources.numpy(found.field("counts"))


def counted(values: Any, n: Integers, *, missing: int = 0) -> Sketch:
    """The sketch of different texts (and null) that occur n times each, and of rows with nothing (`missing`)."""
    rows = int(n.sum()) + missing
    if values.null_count:
        there = sources.numpy(values.is_valid()).astype(bool)
        values, n = values.drop_null(), n[there]
    texts = Texts((), _NONE, overflow=True) if len(values) > CAP else _sorted_texts(values, n)
    return _text_sketch(values, n, rows, texts)


def _text_sketch(values: Any, n: Integers | None, rows: int, texts: Texts, *, many: bool = False) -> Sketch:
    """The sketch of some texts that occur n times each (None: once), and what is kept of them."""
    import pyarrow.compute as pc

    missing = rows - (len(values) if n is None else int(n.sum()))
    numbers, reads = _read(values)
    if reads.all():
        return Sketch("text", rows, missing, numbers_of(numbers if n is None else np.repeat(numbers, n), many=many), texts)
    unread = values.take(places(np.flatnonzero(~reads)))
    return Sketch("text", rows, missing, None, texts, len(unread) if n is None else int(n[~reads].sum()), pc.min(unread).as_py())


def _sorted_texts(values: Any, n: Integers) -> Texts:
    texts = _strings(values)
    order = sorted(range(len(texts)), key=texts.__getitem__)
    return Texts(tuple(texts[i] for i in order), n[order])


def _strings(values: Any) -> list[str]:
    """The texts of an Arrow array without missing ones; several times as fast as `to_pylist` where all is ASCII."""
    offsets, data = _bytes(values)
    whole = data[offsets[0] : offsets[-1]].tobytes()
    if not whole.isascii():
        found: list[str] = values.to_pylist()
        return found
    text, ends = whole.decode(), (offsets - offsets[0]).tolist()
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def _bytes(values: Any) -> tuple[Integers, NDArray[np.uint8]]:
    """Where each text of an Arrow array begins, with the end of the last, and the bytes of all."""
    import pyarrow as pa

    plain = values.cast(pa.string())
    _, offsets, data = plain.buffers()
    if not len(plain) or offsets is None:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int32, count=plain.offset + len(plain) + 1)[plain.offset :]
    return ends.astype(np.int64), np.frombuffer(data or b"", dtype=np.uint8)


def _read(values: Any) -> tuple[Floats, NDArray[np.bool_]]:
    """The numbers that texts say, and which texts say a finite one. Plus signs, leading zeros, blanks and digit groups make no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        values.slice(0, _SAMPLE).cast(pa.float64())  # a try: Arrow words an error for each text that is none
        numbers: Floats = sources.numpy(values.cast(pa.float64()))
        reads: NDArray[np.bool_] = np.isfinite(numbers) & ~_oddly_written(values)
        return numbers[reads], reads
    except pa.ArrowInvalid:
        shaped = pc.match_substring_regex(values, _READS)
    reads = sources.numpy(shaped).astype(bool)
    numbers = sources.numpy(values.filter(shaped).cast(pa.float64()))
    reads[reads] = np.isfinite(numbers)
    return numbers, reads


def _oddly_written(values: Any) -> NDArray[np.bool_]:
    """Which texts that Arrow reads as numbers begin with a plus sign, or with a zero before another digit."""
    offsets, data = _bytes(values)
    found: NDArray[np.bool_] = np.zeros(len(values), dtype=bool)
    if not len(values):
        return found
    starts, ends = offsets[:-1], offsets[1:]
    first = data[starts]
    digits = starts + (first == ord("-"))
    zeros = np.flatnonzero(data[digits] == ord("0"))
    zeros = zeros[digits[zeros] + 1 < ends[zeros]]
    second = data[digits[zeros] + 1]
    found[zeros] = (second >= ord("0")) & (second <= ord("9"))
    found[first == ord("+")] = True
    return found


def places(rows: Integers) -> Any:
    """Places of rows as an Arrow array, whose own conversion would import pandas where it is installed."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows, dtype=np.int64))])
