"""An acronym is spelt out where a document first uses it.

Why: a reader from another field does not know it, or knows another one by the same letters.

Bad:  The PPV fell in winter.
Good: The positive predictive value (PPV) fell in winter. Later the PPV rose again.
Good: The PDF is on the site of the EU.

A matter of style: always a warning, never a reason to fail. Acronyms that everybody knows, names with digits, units, the names of metrics and
groups, and the words that `allow:` of style.yaml lists need no definition. A list or table that gives the acronym in its first cell or before a
colon defines it.
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
_ACRONYM: Final = re.compile(r"(?<![\w.@/&$#-])[A-Z]{3,6}(?=s?(?![\w@/&-]))")
_KNOWN: Final = re.compile(
    r"ADR|AIS|API|APIS|BOM|CEO|CLI|CPU|CSS|CSV|DNA|DOI|DOCX|DVD|EEA|EUR|FAQ|GBP|GDP|GDPR|GMT|GPS|GPU|HIV|HTML|HTTP|HTTPS|IBM|IEC"
    r"|IEEE|ISBN|ISO|JPEG|JSON|LLM|MIT|NASA|NATO|NIST|OECD|ORCID|PDF|PIN|PNG|RAM|RNA|SDK|SMS|SPDX|SQL|SSD|SVG|TLS|TODO|UNESCO|URI"
    r"|URL|USA|USB|USD|UTC|UUID|VAT|WHO|XML|YAML|ZIP|AND|FOR|NOT|THE|ALL|ANY|MUST|ROC|AUC|RMSE|MAE"
)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for the first use of every acronym."""
    known = _named(checked.catalog) | {metric.upper() for metric in checked.metrics} | {checked.manifest.subject.name.upper()}
    seen: dict[str, set[str]] = {}
    for item in said(checked, _ACRONYM, headings=False):
        found = seen.setdefault(item.document.name, set())
        if _KNOWN.fullmatch(item.words) or item.words in known or item.words in found or item.block.kind is Kind.CELL or item.text.plain.isupper():
            continue
        found.add(item.words)
        if not _defined(item.document, item.words):
            yield item.problem(f"{item.words} is not spelt out where it is first used", f"write the words, then ({item.words})")


@functools.lru_cache(maxsize=4)
def _named(catalog: Catalog) -> frozenset[str]:
    """The acronyms in the names of groups."""
    values = {value for key in catalog.evidence for _, value in key.slice}
    return frozenset(part for value in values for part in re.findall(r"[A-Z]{3,6}", value))


def _defined(document: Document, acronym: str) -> bool:
    """Whether the document says what the acronym stands for, wherever it does."""
    forms = (
        rf"\w[\w’' -]+ \({acronym}s?\)",
        rf"\b{acronym}s? \((?!\d)[^)]*[a-z]{{3}}",
        rf"\A\s*{acronym}\s*(?:[:—–]|\s-\s|\Z)",
        rf"\b{acronym}s?,? (?:stands for|means|is short for)\b",
    )
    said_so = re.compile("|".join(forms))
    return any(said_so.search(_text(block)) for block in document.blocks if block.kind is not Kind.CODE)


def _text(block: Block) -> str:
    return " ".join(block.text.split())
