"""How metrics that several measures have are declared."""

from __future__ import annotations

from factbook.model import Direction, Metric, Unit


def share(
    name: str, title: str, short: str, formula: str, source: str = "", aliases: tuple[str, ...] = (), direction: Direction = Direction.NEITHER
) -> Metric:
    """The vocabulary entry of a share, a fraction between 0 and 1."""
    return Metric(name, title, short, Unit.FRACTION, direction, (0.0, 1.0), formula, source, aliases)
