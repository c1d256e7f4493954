"""Column sketches: the small, integer, mergeable statistic of one column, from which its distribution and two columns' drift are read.

A sketch counts the rows, the missing values and the values. Values are kept exactly while there are at most `CAP` different ones. Above it numbers
fall into bins that keep their order, each the run of float32 numbers that share their first 18 bits (sign, exponent, nine bits of mantissa), and
texts are given up, which the sketch says. Which of the two depends on the rows alone. Sums are exact integers, so adding sketches is associative
and commutative: the same rows give the same sketch (and digest) in any order, partitioning and thread count.
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

CAP: Final = 1 << 14
BINS: Final = 1 << 18
GRAIN: Final = 1074
LIMIT: Final = 2.0**500
_DROPPED: Final = 14
_FIRST: Final = 1 << 17
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
    """

    exact: bool
    keys: Integers
    n: Integers
    total: int
    squares: int
    beyond: int
    low: float
    high: float

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
        bits = (self.keys - _FIRST) << _DROPPED
        lows, highs = _border(bits), _border(bits + (1 << _DROPPED))
        return np.clip(lows, self.low, self.high), np.clip(highs, self.low, self.high)

    @property
    def mean(self) -> float | None:
        """The mean, rounded once; None where there are no numbers or some lie beyond ±LIMIT."""
        return None if self.beyond or not self.count else float(Fraction(self.total, self.count << GRAIN))

    @property
    def variance(self) -> float | None:
        """The sample variance (n - 1); None where the mean is, for fewer than two numbers, and where the rounding of the squares could move it by
        more than a thousandth (a mean of a million standard deviations).
        """
        n = self.count
        if self.beyond or n < 2:
            return None
        if self.low == self.high:
            return 0.0
        total, squares = Fraction(self.total, 1 << GRAIN), Fraction(self.squares, 1 << GRAIN)
        found = float((squares - total * total / n) / (n - 1))
        return found if found * 1e-3 > float(squares) * 2.0**-53 / (n - 1) else None

    def coarse(self) -> Numbers:
        """The same numbers in bins."""
        if not self.exact:
            return self
        keys, n = _added(_bins(_from_keys(self.keys)), self.n)
        return replace(self, exact=False, keys=keys, n=n)


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
        found = replace(found, numbers=Numbers(numbers["exact"], values[size : size + keys], values[size + keys :], *sums, numbers["beyond"], *ends))
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
    keys, n = _histogram(values) if exact is None else exact
    return Numbers(exact is not None, keys, n, total, squares, len(values) - len(inner), low + 0.0, high + 0.0)


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


def _histogram(values: Floats) -> tuple[Integers, Integers]:
    """The bins of numbers that are not NaN, and how many are in each. Small pieces stay in the processor's cache."""
    if len(values) < _CHUNK:
        return _added(_bins(values), np.ones(len(values), dtype=np.int64))
    raw, single, place = np.zeros(BINS, dtype=np.int64), np.empty(_CHUNK, dtype=np.float32), np.empty(_CHUNK, dtype=np.intp)
    with np.errstate(over="ignore"):
        for start in range(0, len(values), _CHUNK):
            size = min(_CHUNK, len(values) - start)
            own = single[:size]
            own[:] = values[start : start + size]
            own += np.float32(0)
            place[:size] = own.view(np.uint32) >> _DROPPED
            np.add.at(raw, place[:size], 1)
    below, above = np.flatnonzero(raw[_FIRST:] != 0)[::-1] + _FIRST, np.flatnonzero(raw[:_FIRST] != 0)
    return np.concatenate([BINS - 1 - below, above + _FIRST]), raw[np.concatenate([below, above])]


def _bins(values: Floats) -> Integers:
    """The bin of each of some numbers that are not NaN."""
    with np.errstate(over="ignore"):
        bits = (values.astype(np.float32) + np.float32(0)).view(np.int32) >> _DROPPED
    return np.where(bits < 0, ~bits - _FIRST, bits).astype(np.int64) + _FIRST


def _border(bits: Integers) -> Floats:
    """The number halfway between the float32 number with some ordered bits and the one before: what is above rounds up, what is below rounds down."""
    first, last = -0x7F800001, 0x7F800000
    before = bits - 1 - (bits == 0)  # the one before 0 is the negative one nearest to it, not -0.0
    above, below = _float32(np.clip(bits, first, last)), _float32(np.clip(before, first, last))
    return np.where(bits > last, np.inf, np.where(bits <= first, -np.inf, (above + below) / 2))


def _float32(bits: Integers) -> Floats:
    """The float32 number with some ordered bits, as a double; 2^128 for the infinite one, which is where rounding to it would begin."""
    ordered = bits.astype(np.int32)
    values: Floats = (ordered ^ ((ordered >> 31) & np.int32(0x7FFFFFFF))).view(np.float32).astype(np.float64)
    return np.clip(values, -(2.0**128), 2.0**128)


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


def _added(keys: NDArray[Any], n: Integers) -> tuple[Integers, Integers]:
    """Sorted keys, each once, with the sums of their counts."""
    if not len(keys):
        return _NONE, _NONE
    order = np.argsort(keys, kind="stable")
    keys = keys[order].astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(n[order], starts)


def _all_numbers(parts: Sequence[Numbers]) -> Numbers:
    exact = all(part.exact for part in parts)
    if not exact:
        parts = [part.coarse() for part in parts]
    keys, n = _added(np.concatenate([part.keys for part in parts]), np.concatenate([part.n for part in parts]))
    total, squares, beyond = (sum(getattr(part, name) for part in parts) for name in ("total", "squares", "beyond"))
    found = Numbers(exact, keys, n, total, squares, beyond, min(part.low for part in parts), max(part.high for part in parts))
    return found.coarse() if exact and len(keys) > CAP else found


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
    """Arrow sorts by the bytes of UTF-8, which is by code point, as Python does."""
    import pyarrow.compute as pc

    order = pc.sort_indices(values)
    return Texts(tuple(_strings(values.take(order))), n[sources.numpy(order).astype(np.int64)])


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
