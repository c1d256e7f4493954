"""No personal data stands in a document.

Why: a document is copied, mailed, indexed and kept; a name or a number that slipped into it cannot be called back.

Bad:  The patient can be reached at jane.roe@mail.com or +44 20 7946 0991.
Bad:  | DE89 3704 0044 0532 0130 00 | 3 |          in a table of examples
Good: Questions go to ml-support@hospital.org.     an address of a role
Good: **Contact.** jane.roe@hospital.org           a contact that is published on purpose

E-mail addresses, telephone numbers, bank accounts, payment cards, national numbers and IP addresses are looked for, check digits are checked, and
what is found is not repeated in the report. Not meant: addresses of roles, of domains that are kept for examples, and of networks that no one can
reach; what stands in a passage or section named contact, author, maintainer, feedback, licence or citation, or after "for any inquiry" and "please
contact". Names of people are not looked for.
Fix: take it out, or make it up (`someone@example.org`). Where it has to stand, say why: <!-- factbook: allow FB602 because REASON -->.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.measures import personal
from factbook.rules import Checked, NotJudged, Problem, at, prose

CODE: Final = "FB602"
NAME: Final = "personal-data-is-absent"
EXEMPTABLE: Final = True
_MEANT: Final = re.compile(
    r"\b(?:contacts?|authors?|maintain\w*|feedback|licen[cs]e|citation|references?|owners?|developers?|point of contact|support"
    r"|contributors?|questions)\b",
    re.IGNORECASE,
)
_OFFERED: Final = re.compile(
    r"\bfor (?:any |all |further |more )?(?:inquir|enquir|question|information|detail)|\bplease (?:contact|refer|write|e-?mail|reach)", re.IGNORECASE
)
_BEFORE: Final = 120
_TOPIC = re.compile(r"\s*([^.:\n]{3,40})[.:]\s")
_ROLE: Final = re.compile(
    r"(?:[\w.-]*[._+-])?(?:support|info|contact|help|office|team|privacy|dpo|security|abuse|press|legal|compliance|feedback|hello|admin"
    r"|noreply|no-reply"
    r"|data|models?|ml|ai|research|git|sales|service|datasets?|ethics|audit|governance|board|committee|registry)(?:[._+-][\w.-]*)?@",
    re.IGNORECASE,
)
_EXAMPLE: Final = re.compile(r"(?:[@.]example(?:\.(?:com|org|net))?|\.(?:test|invalid|localhost))$", re.IGNORECASE)
_VERSION = re.compile(r"(?:\bv|\bversions?\s|[=<>~^@/-]\s?)$", re.IGNORECASE)
_LIKELY: Final = re.compile(personal.PREFILTER)
_WHAT: Final = {
    "e-mail": "an e-mail address",
    "IBAN": "a bank account",
    "card": "a payment card",
    "IP": "an IP address",
    "telephone": "a telephone number",
}


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for personal data in texts, tables, code, raw HTML and front matter."""
    for document in checked.documents:
        for start, plain, block in _texts(document):
            if not _LIKELY.search(plain):
                continue
            for kind, first, last in personal.places(plain):
                offset = start + prose.byte(plain, first) if block is None else prose.text_of(block).offset(first)
                if not (_harmless(kind, plain, first, last) or _meant(document, offset, plain)):
                    what = _WHAT.get(kind, f"a {kind.replace('-', ' ')}")
                    yield at(document, offset, f"this reads as {what}", "take it out, or make it up")


def _texts(document: Document) -> Iterator[tuple[int, str, Block | None]]:
    """What can be read: the front matter, blocks, and what raw HTML shows."""
    front = document.events[0] if document.front else None
    if front is not None:
        yield 0, document.source[front[1] : front[2]].decode(), None
    for block in document.blocks:
        if block.kind is Kind.HTML:
            yield block.start, document.source[block.start : block.end].decode(), None
        else:
            yield block.start, "".join(piece.text for piece in block.pieces if piece.kind.value != "html"), block


def _harmless(kind: str, plain: str, first: int, last: int) -> bool:
    """Whether it is nobody's: an address of a role or an example, a network that cannot be reached, a version, a part of a web address."""
    said = plain[first:last]
    if kind == "e-mail":
        return bool(_ROLE.match(said) or _EXAMPLE.search(said) or _OFFERED.search(plain, max(0, first - _BEFORE), first))
    if kind == "IP":
        return not ipaddress.ip_address(_decimal(said)).is_global or bool(_VERSION.search(plain[:first]))
    word = re.search(r"\S*$", plain[:first])
    return bool(word and re.search(r"://|doi|\b10\.\d{4}|/", word.group()))


def _decimal(address: str) -> str:
    return ".".join(str(int(part)) for part in address.split("."))


def _meant(document: Document, offset: int, plain: str) -> bool:
    """Whether it stands where a contact is published on purpose."""
    topic = _TOPIC.match(plain)
    around = [section.title for section in document.sections if section.start <= offset < section.end]
    return any(_MEANT.search(title) for title in (*around[-2:], topic[1] if topic else ""))
