"""The look of an organisation, as data: `look.yaml` of a pack or of a book, for the pages and for the papers alike.

What a later file says goes before what an earlier one says: the packs by name, then the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from factbook import shelf
from factbook.canon import load_yaml
from factbook.charts import svg
from factbook.errors import ManifestError
from factbook.manifest import validate
from factbook.publish.figures import TYPES, Figure

FILE: Final = "look.yaml"
PAPER: Final = "#ffffff"
NIGHT: Final = "#0f1216"
READABLE: Final = 4.5
_PICTURES: Final = (".svg", ".png")

_SHARE: Final = 0.07
_CHARTS: Final = """:root .fb-chart .d { fill: var(--accent); }
:root .fb-chart .w, :root .fb-chart .k { stroke: var(--accent); }
:root .fb-chart .k { fill: color-mix(in srgb, var(--accent) 7%, var(--paper)); }"""

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Family = Annotated[str, StringConstraints(pattern=r"^\w[\w .+-]*$", max_length=80)]
Line = Annotated[str, StringConstraints(max_length=160)]


class Fonts(BaseModel):
    """Families of letters: of the text, of headings, and of code. `folder` holds font files that the PDF may use beside those of the machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Family | None = None
    headings: Family | None = None
    code: Family | None = None
    folder: str | None = None


class Look(BaseModel):
    """What a look.yaml may say. Colours are `#rrggbb`, pictures are SVG or PNG files beside it, and `name` says whose logo it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = ""
    accent: Colour | None = None
    accent_dark: Colour | None = Field(None, alias="accent-dark")
    fonts: Fonts = Fonts()
    logo: str | None = None
    logo_dark: str | None = Field(None, alias="logo-dark")
    header: Line = ""
    footer: Line = ""

    @model_validator(mode="after")
    def _readable(self) -> Look:
        for field, colour, ground, other in (("accent", self.accent, PAPER, "darker"), ("accent-dark", self.accent_dark, NIGHT, "lighter")):
            if colour and (found := contrast(colour, ground)) < READABLE:
                raise ValueError(
                    f"{field} {colour} has a contrast of {found:.1f} on {ground}, too little to be read ({READABLE}); take a {other} one"
                )
        if self.accent and not self.accent_dark and contrast(self.accent, NIGHT) < READABLE:
            raise ValueError(f"accent {self.accent} cannot be read on {NIGHT}, the ground of dark mode; give a lighter accent-dark beside it")
        if self.logo and not self.name:
            raise ValueError("a logo needs a name, which is read to those who do not see it")
        if self.logo_dark and not self.logo:
            raise ValueError("logo-dark stands beside a logo")
        return self


@dataclass(frozen=True, slots=True)
class Dressed:
    """The look of a book: what all files together say, with the pictures read. `places` are the files, the last one first."""

    look: Look
    logo: Figure | None = None
    logo_dark: Figure | None = None
    fonts: Path | None = None
    places: tuple[Path, ...] = ()

    def sheet(self) -> str:
        """The part of a style sheet that follows from it."""
        look, fonts = self.look, self.look.fonts
        rules = [f":root {{ --accent: {look.accent}; }}"] if look.accent else []
        if dark := look.accent_dark or look.accent:
            rules.append(f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}")
        rules += [_CHARTS] if look.accent else []
        families = (("html, .card", fonts.text, "--sans"), ("h1, h2, h3, h4, h5, h6", fonts.headings, "--sans"), ("code, pre", fonts.code, "--mono"))
        rules += [f'{place} {{ font-family: "{family}", var({others}); }}' for place, family, others in families if family]
        return "\n".join(rules)

    def tinted(self, drawing: bytes) -> bytes:
        """A chart for paper, its own accent replaced."""
        accent = self.look.accent
        return drawing.replace(svg.ACCENT.encode(), accent.encode()).replace(svg.TINT.encode(), _soft(accent).encode()) if accent else drawing


def read(root: Path) -> Dressed:
    """The look of the packs and of the book in the folder `root`.

    Raises:
        ManifestError: a look.yaml cannot be used, or a file that it names; says which, and what to do.
    """
    said: dict[str, object] = {}
    fonts: dict[str, str] = {}
    folder, logos = None, dict[str, Figure | None]()
    places = [path for path in (*shelf.files(FILE), root / FILE) if path.is_file()]
    for path in places:
        look = _file(path)
        said |= look.model_dump(exclude_unset=True, exclude={"fonts"}, by_alias=True)
        fonts |= look.fonts.model_dump(exclude_unset=True, exclude={"folder"})
        folder = _folder(path, look.fonts.folder) or folder
        if look.logo:
            logos = {"logo": _picture(path, "logo", look.logo), "logo_dark": _picture(path, "logo-dark", look.logo_dark) if look.logo_dark else None}
    merged = validate(Look, said | {"fonts": fonts}, ", ".join(map(str, places)) or FILE)
    return Dressed(merged, logos.get("logo"), logos.get("logo_dark"), folder, tuple(places[::-1]))


def _file(path: Path) -> Look:
    tree, lines = load_yaml(path.read_text(encoding="utf-8"), str(path))
    return validate(Look, tree, str(path), lines)


def _folder(path: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    folder = path.parent / name
    if not folder.is_dir():
        raise ManifestError(f"{path}: fonts.folder: there is no folder {name} beside it", remedy="put the font files there, or take the line out")
    return folder


def _picture(path: Path, field: str, name: str) -> Figure:
    """A picture beside a look.yaml, and nowhere else."""
    place = path.parent / name
    if place.suffix.lower() not in _PICTURES or not place.resolve().is_relative_to(path.parent.resolve()):
        raise ManifestError(f"{path}: {field}: {name} is no picture for a page and a paper", remedy="an SVG or PNG file in the same folder")
    if not place.is_file():
        raise ManifestError(f"{path}: {field}: there is no file {name} beside it", remedy="put it there, or take the line out")
    return Figure(name, TYPES[place.suffix.lower()], place.read_bytes())


def _soft(colour: str) -> str:
    """A little of a colour on white."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * _SHARE):02x}" for part in parts)


def contrast(colour: str, ground: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
