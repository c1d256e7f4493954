"""Signs this example anew: `python sign_off.py`, after `factbook measure` and `factbook update`.

The keys are made from the names written here, so that everybody has them: THEY ARE EXAMPLES AND PROTECT NOTHING. In a book of yours each person keeps
a key of their own (`ssh-keygen -t ed25519`), and signs with `factbook sign`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from factbook import Book

HERE = Path(__file__).parent
DAY = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
PERSONS = {"domain expert": "osei", "engineer": "novak", "auditor": "ruiz"}


def key(person: str) -> Ed25519PrivateKey:
    """The example key of a person."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"an example key, which protects nothing: {person}".encode()).digest())


def main() -> None:
    """Sign every place that the policy asks for."""
    for old in (HERE / "reviews").glob("*.json"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        for asked in Book(HERE).reviews.asked:
            person = PERSONS[asked.role]
            file = Path(folder) / person
            file.write_bytes(key(person).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            Book(HERE).sign(asked.document, file, person=person, role=asked.role, meaning=asked.meanings[0], section=asked.heading, time=DAY)


if __name__ == "__main__":
    main()
