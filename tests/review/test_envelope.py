"""The written form: what others can verify, and what is refused."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
import signed_book

from factbook.errors import ManifestError
from factbook.review import envelope


def test_the_bytes_that_are_signed_are_those_of_the_dsse_protocol() -> None:
    sealed = envelope.Envelope(b"hello world", b"")
    assert sealed.signed == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_openssl_verifies_it_without_factbook(book: Path, tmp_path: Path) -> None:
    own = signed_book.pem(tmp_path, "dora")
    line = signed_book.public(own).replace("\n", "\\n")
    signed_book.edit(book, "factbook.yaml", "    ben:", f'    dora: {{name: Dora, roles: [auditor], key: "{line}"}}\n    ben:')
    path = signed_book.sign(book, "dora", "auditor", key=own)
    tree = json.loads(path.read_bytes())
    payload = base64.b64decode(tree["payload"])
    (tmp_path / "signed").write_bytes(b"DSSEv1 %d %s %d %s" % (len(tree["payloadType"]), tree["payloadType"].encode(), len(payload), payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(tree["signatures"][0]["sig"]))
    files = ["-inkey", f"{own}.pub", "-pubin", "-rawin", "-in", str(tmp_path / "signed"), "-sigfile", str(tmp_path / "signature")]
    subprocess.run(["openssl", "pkeyutl", "-verify", *files], check=True, capture_output=True)


def test_the_statement_is_in_toto_and_names_what_was_signed(book: Path) -> None:
    statement = json.loads(base64.b64decode(json.loads(signed_book.sign(book).read_bytes())["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "factbook:sign-off/1"
    assert statement["subject"][0]["name"] == "documents/notes.md#quality"
    said = statement["predicate"]
    assert (said["person"], said["role"], said["meaning"], said["time"]) == ("anna", "clinician", "approved", "2026-11-02T08:00:00Z")
    assert said["excerpt"]["facts"]["performance/accuracy"].startswith("sha256:")
    assert said["policy"]["people"]["ben"]["name"] == "Ben Novak"


def test_the_same_sign_off_has_the_same_bytes(book: Path) -> None:
    first = signed_book.sign(book)
    before = first.read_bytes()
    assert signed_book.sign(book) == first
    assert first.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"payload"', b' "payload"'), (b"}\n", b"}"), (b"vnd.in-toto+json", b"json"), (b'"signatures":[', b'"signatures":[{"keyid":"","sig":""},')],
)
def test_another_form_is_refused(book: Path, old: bytes, new: bytes) -> None:
    data = signed_book.sign(book).read_bytes()
    assert old in data
    with pytest.raises(ManifestError, match=r"x\.json: not a sign-off"):
        envelope.opened(data.replace(old, new, 1), "x.json")
