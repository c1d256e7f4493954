"""No key, token, password or private key stands in a document.

Why: a secret that was committed is a secret no longer; it is found within minutes of being published.

Bad:  export AWS_ACCESS_KEY_ID=AKIA…                in a code block
Bad:  -----BEGIN RSA PRIVATE KEY-----
Bad:  postgresql://reader:hunter22@db.internal/scores
Good: export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID}
Good: postgresql://reader:${PASSWORD}@db.internal/scores

Code is read too, and so are addresses of links, comments and front matter; what is found is not repeated in the report. Known forms are looked for
(keys of cloud and code hosts, JSON web tokens, private keys), passwords in addresses, and long values given to a name such as `api_key`.
Fix: revoke it first; then take it out and read it from the environment. A value that is public: <!-- factbook: allow FB603 because REASON -->.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.rules import Checked, Problem, at

CODE: Final = "FB603"
NAME: Final = "secret-is-absent"
EXEMPTABLE: Final = True
_LIKELY: Final = re.compile(r"AKIA|ASIA|AIza|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|[sr]k_live|hf_|npm_|pypi-|eyJ|PRIVATE KEY|://[^\s/:]*:")
FORMS: Final = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a Google API key": r"\bAIza[\w-]{35}(?![\w-])",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b",
    "a GitLab token": r"\bglpat-[\w-]{20,}",
    "a Slack token": r"\bxox[abprs]-[\w-]{10,}",
    "a Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{16,}",
    "an API key": r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}",
    "a Hugging Face token": r"\bhf_[A-Za-z]{30,}\b",
    "a package registry token": r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,})",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a password in an address": r"(?<=[a-z0-9])://[^\s/:@<>]+:(?![$<{*])[^\s/@<>${}*]{3,}@",
}
_GIVEN: Final = re.compile(r"[:=]\s*[\"']?(?=[\w+/=.~-]*\d)(?=[\w+/=.~-]*[A-Za-z])[\w+/=.~-]{16,}")
_NAME: Final = re.compile(
    r"(?:api[_-]?key|secret(?:[_-]?(?:access)?[_-]?key)?|access[_-]?token|auth[_-]?token|passwd|password|bearer)[\"']?\s*$", re.IGNORECASE
)
_NEAR: Final = 40
_FIX: Final = "revoke it, take it out, and read it from the environment"
_FORMS: Final = {what: re.compile(pattern) for what, pattern in FORMS.items()}
_PLACEHOLDER: Final = re.compile(
    r"x{4,}|\*{3,}|\.{3}|…|example|placeholder|your[_-]?|changeme|redacted|dummy|sample|os\.environ|getenv|process\.env|secrets\."
    r"|settings\.|config\.|self\.|vault"
    r"|0{8,}|1234567890?|abcdef",
    re.IGNORECASE,
)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for secrets in every byte of every document."""
    for document in checked.documents:
        text = document.source.decode()
        taken: list[tuple[int, int]] = []
        for what, match in _found(text):
            if _PLACEHOLDER.search(match.group()) or any(low < match.end() and match.start() < high for low, high in taken):
                continue
            taken.append(match.span())
            yield at(
                document, len(text[: match.start()].encode()), f"this reads as {what}", "revoke it, take it out, and read it from the environment"
            )


def _found(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """What has the form of a secret: the known forms first, then long values that are given to a name for one."""
    for what, pattern in _FORMS.items() if _LIKELY.search(text) else ():
        yield from ((what, match) for match in pattern.finditer(text))
    for match in _GIVEN.finditer(text):
        if _NAME.search(text[max(0, match.start() - _NEAR) : match.start()]):
            yield "a secret", match
