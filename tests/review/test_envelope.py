"""The written form: what others can verify, and what is refused."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import signed_book
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factbook.errors import ManifestError
from factbook.review import envelope
from factbook.review.policy import made_by
from factbook.review.signoff import SignOff, read


def test_the_bytes_that_are_signed_are_those_of_the_dsse_protocol() -> None:
    sealed = envelope.Envelope(b"hello world", b"", "")
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


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
@example(place=-2, byte=32)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_of_a_sign_off_can_be_another(sealed: SignOff, place: int, byte: int) -> None:
    data = bytearray(sealed.envelope.data)
    place %= len(data)
    if data[place] == byte:
        return
    data[place] = byte
    try:
        found = read(bytes(data), "x.json")
    except (ManifestError, UnicodeDecodeError):
        return
    assert made_by(found, sealed.policy) is None


@pytest.mark.parametrize("more", [b',"more":1}\n', b"}{}\n"])
def test_nothing_can_be_added_beside_what_is_signed(sealed: SignOff, more: bytes) -> None:
    with pytest.raises(ManifestError):
        envelope.opened(sealed.envelope.data[:-2] + more, "x.json")


@pytest.fixture(scope="module")
def sealed(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> SignOff:
    """A sign-off of the book."""
    place = tmp_path_factory.mktemp("sealed") / "copy"
    shutil.copytree(begun, place)
    return read(signed_book.sign(place / "book").read_bytes(), "x.json")
