"""The written form of a signature: a DSSE envelope over an in-toto Statement (secure-systems-lab/dsse 1.0.2, in-toto/attestation 1.0).

There is one way to write one: canonical JSON (RFC 8785) inside and outside, one signature, one subject. What is written otherwise is refused, so that
nobody can read another statement out of the bytes that were signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from factbook import canon
from factbook.errors import ManifestError
from factbook.review.keys import Signer, fingerprint

PAYLOAD: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "factbook:sign-off/1"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was signed: the payload, the signature, and the fingerprint of the key, which nobody signed."""

    payload: bytes
    signature: bytes
    keyid: str

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over: DSSE's pre-authentication encoding."""
        return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(self.payload), self.payload)

    @property
    def data(self) -> bytes:
        """The file."""
        signature = {"keyid": self.keyid, "sig": base64.b64encode(self.signature).decode()}
        tree = {"payload": base64.b64encode(self.payload).decode(), "payloadType": PAYLOAD, "signatures": [signature]}
        return canon.dumps(tree).encode() + b"\n"

    @property
    def digest(self) -> str:
        """The name of this sign-off: the hash of its payload, in hexadecimal."""
        return hashlib.sha256(self.payload).hexdigest()


def seal(subject: str, sha256: str, predicate: dict[str, Any], signer: Signer) -> bytes:
    """Sign a statement about a subject; the same statement and key give the same bytes."""
    statement = {
        "_type": STATEMENT,
        "predicate": predicate,
        "predicateType": PREDICATE,
        "subject": [{"digest": {"sha256": sha256}, "name": subject}],
    }
    unsigned = Envelope(canon.dumps(statement).encode(), b"", fingerprint(signer.public))
    return replace(unsigned, signature=signer.sign(unsigned.signed)).data


def opened(data: bytes, where: str) -> tuple[Envelope, str, str, dict[str, Any]]:
    """Read an envelope: itself, the name and the digest of its subject, and what is said about it. Nothing is verified here.

    Raises:
        ManifestError: it is not in the one written form; `where` names it.
    """
    try:
        tree = canon.loads(data.decode(), where)
        envelope = _envelope(tree)
        statement = canon.loads(envelope.payload.decode(), where)
        (subject,) = statement["subject"]
        name, sha256, predicate = subject["name"], subject["digest"]["sha256"], statement["predicate"]
        known = (statement["_type"], statement["predicateType"]) == (STATEMENT, PREDICATE)
        texts = all(isinstance(item, str) for item in (name, sha256)) and isinstance(predicate, dict)
        written = canon.dumps(statement).encode() == envelope.payload and envelope.data == data
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ManifestError(f"{where}: not a sign-off ({type(error).__name__})") from error
    if not (known and texts and written):
        raise ManifestError(f"{where}: not a sign-off in the form that factbook writes", remedy="bring the file back as it was signed, or sign again")
    return envelope, name, sha256, predicate


def _envelope(tree: Any) -> Envelope:
    (signature,) = tree["signatures"]
    if tree["payloadType"] != PAYLOAD:
        raise ValueError(tree["payloadType"])
    return Envelope(base64.b64decode(tree["payload"], validate=True), base64.b64decode(signature["sig"], validate=True), str(signature["keyid"]))
