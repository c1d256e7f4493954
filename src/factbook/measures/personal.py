"""What may be personal data in texts, and in the names of columns: kinds and counts, never values. Patterns are hints; check digits are checked.

Kinds: e-mail addresses, telephone numbers, IBANs (ISO 13616, remainder by 97), payment cards (ISO/IEC 7812, Luhn), national numbers (US social
security number, UK national insurance number, Spanish DNI and NIE with their letter, French NIR with its key, Italian codice fiscale), IPv4.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

PREFILTER: Final = "|".join(
    (
        "@",
        r"[A-Za-z]{2}[ ]?[0-9]{2}[ ]?[0-9A-Za-z]{2}",
        r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        r"[0-9]{3}-[0-9]{2}-[0-9]|[0-9]{7}-?[A-Z]",
        r"(?:^|[^0-9A-Za-z_.])[0-9](?:[ -]?[0-9]){12}",
        r"\+[0-9]{1,3}[ ./-]?[(0-9]|\([0-9]{2,5}\)[ ./-]?[0-9]",
        r"0[1-9][0-9]{0,3}[ /-][0-9](?:[ /-]?[0-9]){4}|[0-9]{3}[. -][0-9]{3}[. -][0-9]",
    )
)
"""What every text that holds one of the kinds matches, in Python's `re` and in RE2: a sieve, a few times as fast as looking."""
SMALLEST: Final = 10.0**6
"""Texts that read as numbers, all of them nearer to 0 than this, hold none of the kinds; a longer one may be a card, or a DNI such as `1234567E`."""
_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_PHONE: Final = (
    r"(?<![\w.+-])(?<![0-9] )(?:\+[0-9]{1,3}[ ./-]?(?:\([0-9]{1,4}\)[ ./-]?)?[0-9](?:[ ./-]?[0-9]){5,12}"
    r"|\([0-9]{2,5}\)[ ./-]?[0-9](?:[ ./-]?[0-9]){4,9}|0[1-9][0-9]{0,3}[ /-][0-9](?:[ /-]?[0-9]){4,9}|[0-9]{3}[. -][0-9]{3}[. -][0-9]{4})(?![\w])"
)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) if i % 2 == 0 else sum(divmod(2 * int(digit), 10)) for i, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether the two check digits are right: country and digits moved to the end, letters as 10 … 35, the remainder by 97 is 1 (ISO 13616-1)."""
    bare = re.sub(r"[ -]", "", text).upper()
    return 15 <= len(bare) <= 34 and int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def _card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and len(set(digits)) > 1 and luhn(digits)


def _national(text: str) -> bool:
    bare = re.sub(r"[ .-]", "", text).upper()
    if re.fullmatch(r"[XYZ0-9][0-9]{7}[A-Z]", bare):
        return _LETTERS[int(bare[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == bare[-1]
    if re.fullmatch(r"[12][0-9]{14}", bare):
        return 97 - int(bare[:13]) % 97 == int(bare[13:])
    return True


def _address(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


KINDS: Final[dict[str, tuple[re.Pattern[str], Callable[[str], bool] | None]]] = {
    "e-mail": (re.compile(r"(?<![\w.+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w])"), None),
    "IBAN": (re.compile(r"(?<!\w)[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}(?!\w)"), iban),
    "card": (re.compile(r"(?<![\w.+-])[0-9](?:[ -]?[0-9]){12,18}(?![\w.])"), _card),
    "national-number": (
        re.compile(
            r"(?<![\w.-])(?:(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}"
            r"|(?![DFIQUV])[A-Z](?![DFIQUVO])[A-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"
            r"|[XYZ]?-?[0-9]{7,8}-?[A-Z]|[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"
            r"|[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z])(?![\w-])"
        ),
        _national,
    ),
    "IP": (re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])"), _address),
    "telephone": (re.compile(_PHONE), None),
}
NAMES: Final = {
    "name of a person": (
        "name customername patientname personname contactname username clientname employeename firstname "
        "lastname surname fullname forename givenname familyname maidenname vorname nachname prenom nombre apellido cognome"
    ),
    "e-mail address": "email mail emailaddress",
    "telephone number": "phone telephone mobile cell fax phonenumber telefon telefono",
    "postal address": "address street streetaddress housenumber adresse strasse direccion indirizzo",
    "date of birth": "birthday birthdate dob dateofbirth geburtsdatum birth",
    "national number": "ssn nino nif nie dni nir passport passportnumber taxid socialsecurity socialsecuritynumber nationalid",
    "bank account or card": "iban accountnumber creditcard cardnumber pan",
    "IP address": "ip ipaddress ipaddr",
    "place": "lat lon lng latitude longitude gps geolocation",
}


def found(text: str) -> dict[str, int]:
    """How often each kind is found in a text."""
    counts = Counter(kind for kind, _, _ in places(text))
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each kind that is found with where it stands; what one kind has taken is not found as another."""
    for kind, (pattern, right) in KINDS.items():
        taken = [match for match in pattern.finditer(text) if right is None or right(match.group())]
        for match in taken:
            yield kind, *match.span()
            text = f"{text[: match.start()]}{'_' * len(match.group())}{text[match.end() :]}"


def named(column: str) -> str:
    """The kind of personal data that the name of a column suggests; '' for none."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", column)]
    if (whole := "".join(words)) in _KNOWN:
        return _KNOWN[whole]
    joined = ["".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
    inside = [word for word in joined if word in _KNOWN and word not in _ALONE]
    return _KNOWN[max(inside, key=len)] if inside else ""


_KNOWN: Final = {name: kind for kind, names in NAMES.items() for name in names.split()}
_ALONE: Final = frozenset({"name", "mail", "pan", "lat", "lon", "lng", "cell"})
