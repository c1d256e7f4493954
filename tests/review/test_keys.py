"""Keys as people have them are read; what is no such key is refused by name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from signed_book import key, pem, public

from factbook.errors import FactbookError, ManifestError
from factbook.manifest import Review
from factbook.review import keys
from factbook.review.policy import people


def test_keys_of_ssh_and_openssl_sign_what_their_public_halves_verify(tmp_path: Path) -> None:
    for path in (key(tmp_path, "ssh"), pem(tmp_path, "pem")):
        signer = keys.private(path)
        assert signer.public == keys.public(public(path), "here")
        assert keys.verify(signer.public, signer.sign(b"words"), b"words")
        assert not keys.verify(signer.public, signer.sign(b"words"), b"other words")


def test_the_fingerprint_is_that_of_ssh_keygen(tmp_path: Path) -> None:
    path = key(tmp_path, "anna")
    said = subprocess.run(["ssh-keygen", "-l", "-f", str(path)], capture_output=True, text=True, check=True).stdout.split()[1]
    assert keys.fingerprint(keys.public(public(path), "here")) == said


def test_an_encrypted_key_asks_for_its_passphrase(tmp_path: Path) -> None:
    path = key(tmp_path, "locked", "a long passphrase")
    assert keys.private(path, lambda: "a long passphrase").public == keys.public(public(path), "here")
    with pytest.raises(FactbookError, match="nobody can be asked"):
        keys.private(path)
    with pytest.raises(FactbookError, match="no private key, or it does not open"):
        keys.private(path, lambda: "another")


def test_other_keys_and_other_files_are_refused(tmp_path: Path) -> None:
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(rsa)], check=True, capture_output=True)
    with pytest.raises(FactbookError, match="no Ed25519 key"):
        keys.private(rsa)
    with pytest.raises(FactbookError, match="there is no key"):
        keys.private(tmp_path / "nothing")
    with pytest.raises(FactbookError, match="no private key"):
        keys.private(key(tmp_path, "a").with_suffix(".pub"))
    good = public(key(tmp_path, "a"))
    for text in (public(rsa), key(tmp_path, "a").read_text(encoding="ascii"), "", "ssh-ed25519", good[:-40].strip(), good.replace("AAAA", "AAAB", 1)):
        with pytest.raises(ManifestError, match="here: not a public Ed25519 key"):
            keys.public(text, "here")


def test_two_people_with_one_key_are_refused_however_it_is_written(tmp_path: Path) -> None:
    path = pem(tmp_path, "one")
    line = subprocess.run(["ssh-keygen", "-i", "-m", "PKCS8", "-f", f"{path}.pub"], capture_output=True, text=True, check=False).stdout
    if not line:  # older ssh-keygen cannot convert Ed25519
        import base64

        raw = bytes.fromhex("0000000b7373682d6564323535313900000020") + keys.public(public(path), "here")
        line = f"ssh-ed25519 {base64.b64encode(raw).decode()} somebody"
    named = {"anna": {"name": "Anna", "roles": ["a"], "key": public(path)}, "ben": {"name": "Ben", "roles": ["a"], "key": line}}
    with pytest.raises(ManifestError, match="anna and ben have the same key"):
        people(Review.model_validate({"people": named}))
