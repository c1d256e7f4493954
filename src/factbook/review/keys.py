"""Keys of people: Ed25519 (RFC 8032), as `ssh-keygen -t ed25519` and `openssl genpkey -algorithm ed25519` write them.

Public keys are read here, without any library; signing and verifying is left to `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factbook.errors import FactbookError, ManifestError, MissingExtra

EXTRA: Final = "sign"
_SSH: Final = "ssh-ed25519"
_SSH_HEAD: Final = len(_SSH).to_bytes(4, "big") + _SSH.encode() + (32).to_bytes(4, "big")
_PEM: Final = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
_PEM_HEAD: Final = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of Ed25519 (RFC 8410)
_SIZE: Final = 32


def public(text: str, where: str) -> bytes:
    """The 32 bytes of a public key: a line of OpenSSH (`ssh-ed25519 AAAA… somebody`), or PEM.

    Raises:
        ManifestError: it is no public key of this kind; `where` names it.
    """
    words = text.split()
    if words[:1] == [_SSH] and len(words) > 1:
        head, body = _SSH_HEAD, words[1]
    elif text.strip().startswith(_PEM[0]) and text.strip().endswith(_PEM[1]):
        head, body = _PEM_HEAD, "".join(text.strip().removeprefix(_PEM[0]).removesuffix(_PEM[1]).split())
    else:
        head, body = b"", ""
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        data = b""
    if not head or not data.startswith(head) or len(data) != len(head) + _SIZE:
        remedy = "give the line of the .pub file of `ssh-keygen -t ed25519`, or the PEM of `openssl pkey -pubout`; never the private key"
        raise ManifestError(f"{where}: not a public Ed25519 key", remedy=remedy)
    return data[len(head) :]


def fingerprint(key: bytes) -> str:
    """How OpenSSH names a key: `SHA256:` and the hash in base 64."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_SSH_HEAD + key).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Signer:
    """A private key, and the bytes of its public one."""

    public: bytes
    sign: Callable[[bytes], bytes]


def private(path: Path, passphrase: Callable[[], str] | None = None) -> Signer:
    """Read a private key: OpenSSH's form or PEM (PKCS 8); `passphrase` is asked where it is encrypted.

    Raises:
        MissingExtra: `cryptography` is not installed.
        FactbookError: the file is no private Ed25519 key, or does not open.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key
    except ImportError as error:
        raise MissingExtra("signing", EXTRA) from error
    if not path.is_file():
        raise FactbookError(f"there is no key {path}", remedy="make one: ssh-keygen -t ed25519 -f FILE")
    data = path.read_bytes()
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        try:
            key = load(data, password=None)
        except TypeError:  # it is encrypted
            if passphrase is None:
                raise FactbookError(f"{path} is encrypted, and nobody can be asked for its passphrase here", remedy="sign at a terminal") from None
            key = load(data, password=passphrase().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        remedy = "give the file that `ssh-keygen -t ed25519` wrote, not the one that ends in .pub"
        raise FactbookError(f"{path} is no private key, or it does not open with that passphrase", remedy=remedy) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FactbookError(f"{path} is no Ed25519 key", remedy="make one: ssh-keygen -t ed25519 -f FILE")
    return Signer(key.public_key().public_bytes_raw(), key.sign)


def verify(key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the signature over these bytes was made with this key.

    Raises:
        MissingExtra: `cryptography` is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise MissingExtra("verifying sign-offs", EXTRA) from error
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
