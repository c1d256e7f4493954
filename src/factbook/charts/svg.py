"""A small writer of SVG and HTML in which everything that is not already markup is escaped."""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Final

from factbook.model import Fact, Unit

_VOID: Final = frozenset({"br", "hr", "img", "link", "meta", "wbr"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

FONT: Final = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',sans-serif"

ACCENT: Final = "#0b62a3"
TINT: Final = "#eef4fb"

STYLE: Final = f"""
.fb-chart text{{font-family:{FONT};font-size:13px;fill:#1c2128}}
.fb-chart .t{{font-size:15px;font-weight:600}}
.fb-chart .s{{font-size:12px;fill:#57606a}}
.fb-chart .i{{font-size:12px;font-style:italic;fill:#57606a}}
.fb-chart .b{{font-size:26px;font-weight:600}}
.fb-chart .e{{text-anchor:end}}
.fb-chart .m{{text-anchor:middle}}
.fb-chart .g{{stroke:#d8dee4;stroke-width:1}}
.fb-chart .r{{stroke:#57606a;stroke-width:1.5;stroke-dasharray:4 3}}
.fb-chart .w{{stroke:{ACCENT};stroke-width:2.5;stroke-linecap:round}}
.fb-chart .d{{fill:{ACCENT}}}
.fb-chart .k{{fill:{TINT};stroke:{ACCENT};stroke-width:1.5}}
.fb-chart .o{{fill:none;stroke:#57606a;stroke-width:1.5;stroke-dasharray:5 3}}
.fb-chart .f{{fill:none;stroke:#8b949e;stroke-width:1}}
.fb-chart .l{{fill:none;stroke:#57606a;stroke-width:1.3}}
.fb-chart .a{{fill:#57606a}}
.fb-chart .h{{fill:#fff}}
@media (prefers-color-scheme:dark){{
.fb-chart text{{fill:#e6e9ed}}
.fb-chart .s,.fb-chart .i{{fill:#a3adb8}}
.fb-chart .g{{stroke:#353c45}}
.fb-chart .r{{stroke:#a3adb8}}
.fb-chart .w{{stroke:#6cb8f6}}
.fb-chart .d{{fill:#6cb8f6}}
.fb-chart .k{{fill:#16283a;stroke:#6cb8f6}}
.fb-chart .o,.fb-chart .l{{stroke:#a3adb8}}
.fb-chart .a{{fill:#a3adb8}}
.fb-chart .h{{fill:#0f1216}}
}}
"""
# One constant text for every chart, so that a page's content security policy can allow it by its hash.


class Markup(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def text(value: str) -> Markup:
    """Escape a text for content and attributes; what XML cannot hold becomes U+FFFD. Readers would take a bare carriage return for a line end."""
    return Markup(escape(_NOT_XML.sub("�", value), quote=True).replace("\r", "&#13;"))


def element(name: str, /, *children: str | None, **attributes: str | int | float | None) -> Markup:
    """One element. Underscores in attribute names become hyphens, `class_` is `class`; None leaves an attribute or a child out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(number(value) if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: str | None) -> Markup:
    """The children in a row, each escaped unless it is markup."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children if child is not None))


def number(value: float) -> str:
    """A coordinate: at most two decimals, never -0 and never an exponent."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def picture(identifier: str, title: str, description: str, width: int, height: int, *marks: str) -> str:
    """A whole SVG file with its name and its description for readers who do not see it."""
    svg = element(
        "svg",
        element("title", title, id=f"{identifier}-title"),
        element("desc", description, id=f"{identifier}-desc"),
        element("style", Markup(STYLE)),
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        class_="fb-chart",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{identifier}-title {identifier}-desc",
    )
    return svg + "\n"


def label(x: float, y: float, shown: str, style: str | None = None, full: str | None = None) -> Markup:
    """A text at a place; `full` is what a shortened one says in a tooltip."""
    tip = element("title", full) if full and full != shown else None
    return element("text", shown, tip, x=x, y=y, class_=style)


def shorten(shown: str, room: int) -> str:
    """Cut a text to so many columns (wide characters count two), marking the cut with an ellipsis."""
    used = 0
    for index, character in enumerate(shown):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > room:
            return shown[: max(index - 1, 1)] + "…"
    return shown


def quantity(value: float, unit: Unit) -> str:
    """A bare number as a chart shows it: per cent and points with one decimal, scores with three; ties go up, and only all is 100 % and only
    nothing is 0 %.
    """
    exact = Decimal(repr(value) if isinstance(value, float) else str(value))
    if unit is Unit.COUNT:
        return group(exact)
    if unit is Unit.QUANTITY:
        return minus(f"{exact.normalize():f}")
    percent = unit in (Unit.FRACTION, Unit.POINTS)
    scaled, places = (exact * 100, 1) if percent else (exact, 3)
    ends = {Decimal(0), Decimal(100 if percent else 1)}
    rounded = (scaled.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) for digits in range(places, 12))
    return minus(f"{next((shown for shown in rounded if shown not in ends or shown == scaled), scaled):f}")


def group(value: Decimal) -> str:
    """A whole number with narrow spaces between thousands, from five digits on."""
    shown = f"{value:f}" if value == value.to_integral_value() else str(value)
    return minus(f"{int(value):,}".replace(",", "\u202f") if abs(value) >= 10_000 else shown)


def minus(shown: str) -> str:
    """A proper minus sign."""
    return shown.replace("-", "−")


def sign(unit: Unit) -> str:
    """What follows a number of this unit."""
    return {Unit.FRACTION: " %", Unit.POINTS: " points"}.get(unit, "")


def value(fact: Fact) -> str:
    """A fact's value and interval as a chart shows them, or the reason why it has none."""
    if not fact.measured or not isinstance(fact.value, int | float):
        return f"{fact.status.value}: {fact.reason}" if fact.reason else fact.status.value
    shown = quantity(fact.value, fact.unit) + sign(fact.unit)
    if fact.interval is None:
        return shown
    low, high = (quantity(end, fact.unit) for end in fact.interval)
    return f"{shown} ({low} to {high})" if low.startswith("−") else f"{shown} ({low}–{high})"
