"""An acronym is spelt out where a document first uses it.

Why: a reader from another field does not know it, or knows another one by the same letters.

Bad:  The PPV fell in winter.
Good: The positive predictive value (PPV) fell in winter. Later the PPV rose again.
Good: The PDF is on the site of the EU.

A matter of style: always a warning, never a reason to fail. Left alone is what everybody knows (formats, units, licences, large institutions), what
the title names, what `terms:` of factbook.yaml or `allow:` of style.yaml lists, the names of metrics and groups, and names: of what a document calls
a dataset, model, corpus or team, before a capital letter or a year, between other names, or what reads as a word (CLIP, KITTI). The words count as
given wherever the document gives them: before the acronym in brackets, after it, or as words with these initials.
Fix: write the words, then the acronym in brackets; or add it to `allow:` in style.yaml.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.evidence.catalog import Catalog
from factbook.rules import Checked, Problem
from factbook.rules.wording import said

CODE: Final = "FB320"
NAME: Final = "acronym-is-defined"
LANGUAGES: Final = ("en",)
STYLE: Final = True
_ACRONYM: Final = re.compile(r"(?<![\w.@/&$#\[-])[A-Z]{3,6}(?=s?(?![\w@/&·-]|['’]\d))")
_KNOWN: Final = re.compile(
    r"ADR|AIS|API|APIS|BOM|CEO|CLI|CPU|CSS|CSV|DNA|DOI|DOCX|DVD|EEA|EUR|FAQ|GBP|GDP|GDPR|GMT|GPS|GPU|HIV|HTML|HTTP|HTTPS|IBM|IEC"
    r"|IEEE|ISBN|ISO|JPEG|JSON|LLM|MIT|NASA|NATO|NIST|OECD|ORCID|PDF|PIN|PNG|RAM|RNA|SDK|SMS|SPDX|SQL|SSD|SVG|TLS|TODO|UNESCO|URI"
    r"|URL|USA|USB|USD|UTC|UUID|VAT|WHO|XML|YAML|ZIP|AND|FOR|NOT|THE|ALL|ANY|MUST|ROC|AUC|RMSE|MAE"
    r"|AMD|ARM|ASCII|AWS|BBC|BERT|BMP|BSD|COCO|CUDA|DINO|GLUE|DFKI|EUPL|FBI|FDA|FLAC|GCP|GIF|GPL|AGPL|LGPL|HDF|HDMI|IMDB|LSUN|MIDI|MNIST|NFS|NHS|NIH|NSF|NVIDIA"
    r"|OCI|RGB|SSH|TCP|TIFF|TPU|UCI|UCL|VGG|WAV|WWW|YES|ONE|TWO|OUR|YOU|NOW|NEW|BUT|MAY|CAN|ARE|WAS|HAS|USE|TBD"
)
_NUMERAL: Final = re.compile(r"(?=.)L?X{0,3}(?:IX|IV|V?I{0,3})")
_WORDLIKE: Final = re.compile(
    r"(?:[BCFGKPS]L|[BCDFGKPT]R|S[CKMNPTW]|[CPSTW]H|QU|[B-DF-HJ-NP-TV-Z])?[AEIOUY]{1,2}(?:[B-DF-HJ-NP-TV-Z]{1,2}[AEIOUY]{1,2})*"
    r"(?:N[DTKG]|[SRPCFL]T|R[DKNMP]|L[DKMP]|MP|CK|LL|SS|FF|[CST]H|[B-DF-HJ-NP-TV-Z])?"
)
_NOUN: Final = (
    r"(?:data ?sets?|corpus|corpora|benchmark|challenge|archive|model|package|library|leaderboard|licen[cs]e|team|staff|group|lab|project|platform)"
)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for the first use of every acronym."""
    known = _named(checked.catalog) | {metric.upper() for metric in checked.metrics} | {checked.manifest.subject.name.upper()}
    known |= {term.short for term in checked.manifest.terms.values()}
    seen: dict[str, set[str]] = {}
    for item in said(checked, _ACRONYM, headings=False):
        found = seen.setdefault(item.document.name, set())
        if _common(item.words) or item.words in known or item.words in found or item.block.kind is Kind.CELL or item.text.plain.isupper():
            continue
        found.add(item.words)
        if not (_is_name(item.document, item.words) or _defined(item.document, item.words)):
            yield item.problem(f"{item.words} is not spelt out where it is first used", f"write the words, then ({item.words})")


@functools.lru_cache(maxsize=4)
def _named(catalog: Catalog) -> frozenset[str]:
    """The acronyms in the names of groups."""
    values = {value for key in catalog.evidence for _, value in key.slice}
    return frozenset(part for value in values for part in re.findall(r"[A-Z]{3,6}", value))


def _common(word: str) -> bool:
    """Whether it needs no words: known to all, a Roman numeral, or read as a word, as names are that somebody made up (CLIP, but not NICU)."""
    made_up = _WORDLIKE.fullmatch(word) and (len(word) > 4 or (len(word) == 4 and word[-1] not in "AEIOU"))
    return bool(_KNOWN.fullmatch(word) or _NUMERAL.fullmatch(word) or made_up)


def _is_name(document: Document, acronym: str) -> bool:
    """Whether the document uses it as a name, or its title names it."""
    if re.search(rf"\b{acronym}\b", document.title):
        return True
    forms = (
        rf"\b[Tt]he (?:[\w-]+ )?{acronym} {_NOUN}\b",
        rf"\b{acronym} (?:[A-Z][a-z]{{2,}}|(?:19|20)\d\d\b)",
        rf"[A-Z]\w+!?, {acronym},? (?:and )?(?:[Tt]he )?[A-Za-z]?[A-Z]",
    )
    used = re.compile("|".join(forms))
    return any(used.search(_text(block)) for block in document.blocks if block.kind not in {Kind.CODE, Kind.HEADING, Kind.CELL})


def _defined(document: Document, acronym: str) -> bool:
    """Whether the document says what the acronym stands for, wherever it does."""
    small = r"(?:[\s-](?:of|and|for|the|in|on|to|de|by|with))*"
    spelt = rf"{small}[\s-]?".join(f"{letter}[a-z]+" for letter in acronym)
    forms = (
        rf"\w[\w’'\"”* -]+ \(\s*(?:[\w -]+ )?[\"“*]*{acronym}s?[\"”*]*\s*[,;)]",
        rf"\b{acronym}s? \((?!\d)[^)]*[a-z]{{3}}",
        rf"\A\s*{acronym}\s*(?:[:—–]|\s-\s|\Z)",
        rf"\b{acronym}s?,? (?:stands for|means|is short for)\b",
        rf"\b{spelt}" if len(acronym) == 3 else rf"(?i:\b{spelt})",
    )
    said_so = re.compile("|".join(forms))
    return any(said_so.search(_text(block)) for block in document.blocks if block.kind is not Kind.CODE)


def _text(block: Block) -> str:
    return " ".join(block.text.split())
