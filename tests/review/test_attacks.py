"""What somebody can do who may edit every file of the book, and has no key but their own: nothing that they forge stands."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from signed_book import WHEN, edit, key, only, public, sign

from factbook import Book
from factbook.review.envelope import Envelope
from factbook.review.judging import Cause, Standing
from factbook.review.keys import fingerprint, private
from factbook.review.policy import Succession
from factbook.review.signoff import policy_digest

NOTES = "documents/notes.md"


def payload(path: Path) -> dict[str, Any]:
    """What was signed."""
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return statement


def forged(path: Path, statement: dict[str, Any], signer: Path | None = None) -> None:
    """Another statement in the same file: with the old signature, or with one of another key."""
    from factbook import canon

    tree = json.loads(path.read_bytes())
    data = canon.dumps(statement).encode()
    tree["payload"] = base64.b64encode(data).decode()
    if signer is not None:
        own = private(signer)
        tree["signatures"][0] = {"keyid": fingerprint(own.public), "sig": base64.b64encode(own.sign(Envelope(data, b"", "").signed)).decode()}
    path.write_bytes(canon.dumps(tree).encode() + b"\n")


def mallory(book: Path) -> Path:
    """The attacker's own key."""
    return key(book.parent / "keys", "mallory")


def swap(book: Path, person: str) -> None:
    """Put the attacker's key in the place of somebody's."""
    edit(book, "factbook.yaml", public(book.parent / "keys" / person), public(mallory(book)))


def fell(book: Path) -> Path:
    """A sign-off whose words were changed since."""
    path = sign(book)
    edit(book, NOTES, "So says", "So denies")
    assert only(book).standing is Standing.FALLEN
    return path


@pytest.mark.parametrize("signer", [None, "mallory", "ben"])
def test_a_fallen_one_does_not_stand_when_its_digests_are_brought_up(book: Path, signer: str | None) -> None:
    path = fell(book)
    now = Book(book).reviews.bench
    document = now.document(NOTES)
    assert document is not None
    statement = payload(path)
    statement["predicate"]["excerpt"] = now.excerpt(document, "quality").tree()
    statement["subject"][0]["digest"]["sha256"] = now.excerpt(document, "quality").sha256
    mallory(book)
    forged(path, statement, signer and book.parent / "keys" / signer)
    assert only(book).standing is Standing.INVALID
    assert [finding.code for finding in Book(book).check().findings if finding.code.startswith("FB5")] == ["FB502"]


def test_a_fallen_one_does_not_stand_under_another_policy_of_its_own(book: Path) -> None:
    path = fell(book)
    statement = payload(path)
    statement["predicate"]["policy"]["people"]["anna"]["key"] = [public(mallory(book))]
    forged(path, statement, mallory(book))
    assert (only(book).standing, only(book).cause) == (Standing.FALLEN, Cause.POLICY)
    assert "the key of anna" in only(book).why


def test_a_swapped_key_is_seen_even_where_the_attacker_signs_everything_anew(book: Path) -> None:
    sign(book)
    sign(book, "cara")
    swap(book, "anna")
    sign(book, key=mallory(book), time=WHEN.replace(day=5))
    found = {(item.sign_off.person, item.sign_off.time.day): item for item in Book(book).reviews.verdicts}
    assert found["anna", 5].standing is Standing.STANDS, "the policy names that key now"
    assert {found[who].cause for who in (("anna", 2), ("cara", 2))} == {Cause.POLICY}
    codes = [finding.code for finding in Book(book).check().findings]
    assert "FB503" in codes
    (book / "reviews" / found["anna", 2].sign_off.file.rpartition("/")[2]).unlink()
    assert "FB503" in [finding.code for finding in Book(book).check().findings], "what others signed shows it"


def test_a_version_of_the_policy_that_is_known_elsewhere_is_pinned(book: Path) -> None:
    from factbook.cli import main

    before = Book(book).reviews.digest
    assert main(["reviews", str(book), "--policy", before]) == 0
    swap(book, "anna")
    assert main(["reviews", str(book), "--policy", before]) == 1


def test_nobody_but_the_keeper_vouches_for_another_policy(book: Path) -> None:
    path = sign(book)
    swap(book, "cara")
    endorsement = path.parent / "policy.json"
    shutil.copy(path, endorsement)
    statement = payload(path)
    sha256 = policy_digest(Book(book).manifest.review).removeprefix("sha256:")
    statement["subject"] = [{"digest": {"sha256": sha256}, "name": "factbook.yaml#review"}]
    said = statement["predicate"]
    said["excerpt"] |= {"sha256": sha256}
    said |= {"document": "factbook.yaml", "section": {"anchor": "review", "heading": ""}}
    for person, role in (("anna", "clinician"), ("anna", "quality"), ("cara", "quality"), ("ben", "quality")):
        said |= {"person": person, "role": role}
        forged(endorsement, statement, mallory(book))
        assert {item.standing for item in Book(book).reviews.verdicts if not item.sign_off.of_policy} == {Standing.FALLEN}, (person, role)
    said |= {"person": "ben", "role": "engineer"}
    forged(endorsement, statement, book.parent / "keys/ben")
    assert only_of(book, "anna").standing is Standing.FALLEN, "ben vouches as the keeper or not at all"
    said |= {"role": "quality"}
    forged(endorsement, statement, book.parent / "keys/ben")
    assert only_of(book, "anna").standing is Standing.STANDS


def only_of(book: Path, person: str) -> Any:
    """What became of the sign-off of a document by a person."""
    (verdict,) = [item for item in Book(book).reviews.verdicts if item.sign_off.person == person and not item.sign_off.of_policy]
    return verdict


def test_what_the_keeper_vouched_for_holds_over_two_changes_and_no_further(book: Path) -> None:
    sign(book)
    swap(book, "cara")
    sign(book, "ben", "quality", document="policy", section="")
    assert only_of(book, "anna").standing is Standing.STANDS
    edit(book, "factbook.yaml", "people: 2", "people: 1")
    assert only_of(book, "anna").standing is Standing.FALLEN
    sign(book, "ben", "quality", document="policy", section="")
    assert only_of(book, "anna").standing is Standing.STANDS
    edit(book, "factbook.yaml", "name: Ben Novak", "name: Benno Novak")
    assert only_of(book, "anna").standing is Standing.FALLEN


def test_a_keeper_who_vouches_for_a_swapped_key_does_not_vouch_for_the_old_one(book: Path) -> None:
    sign(book)
    swap(book, "anna")
    sign(book, "ben", "quality", document="policy", section="")
    assert (only_of(book, "anna").standing, only_of(book, "anna").cause) == (Standing.FALLEN, Cause.PERSON)


def test_succession_has_one_direction() -> None:
    chain = Succession("c", frozenset({("a", "b"), ("b", "c"), ("c", "d")}))
    assert [chain.follows(name) for name in ("a", "b", "c", "d", "e")] == [True, True, True, False, False]


@pytest.mark.parametrize("name", ["notes.limits.anna.json", "other.quality.cara.json"])
def test_a_file_by_another_name_says_what_was_signed_in_it(book: Path, name: str) -> None:
    path = sign(book)
    path.rename(path.with_name(name))
    assert (only(book).sign_off.place, only(book).sign_off.person) == ("documents/notes.md#quality", "anna")


def test_copies_count_once(book: Path) -> None:
    path = sign(book)
    shutil.copy(path, path.with_name("again.json"))
    (asked,) = Book(book).reviews.asked
    assert (len(Book(book).reviews.verdicts), asked.met) == (1, False)


def test_it_does_not_serve_another_document_or_section_of_the_same_words(book: Path) -> None:
    sign(book, section="In use")
    shutil.copy(book / NOTES, book / "documents/copy.md")
    edit(book, NOTES, "### In use\n\nIt was tried on data [of last year](policy:year).", "")
    assert only(book).standing is Standing.FALLEN
    assert not any("copy.md" in place for place in Book(book).reviews.signed)


def test_it_does_not_serve_another_book(book: Path, tmp_path: Path) -> None:
    sign(book)
    shutil.copytree(book, tmp_path / "other")
    edit(tmp_path / "other", "factbook.yaml", "  name: book", "  name: another")
    assert "another book" in only(tmp_path / "other").why
    assert only(tmp_path / "other").standing is Standing.INVALID


def test_a_parser_that_reads_a_name_twice_gets_nothing(book: Path) -> None:
    path = sign(book)
    tree = json.loads(path.read_bytes())
    data = base64.b64decode(tree["payload"]).replace(b'"person":"anna"', b'"person":"cara","person":"anna"')
    tree["payload"] = base64.b64encode(data).decode()
    path.write_text(json.dumps(tree), encoding="utf-8")
    reviews = Book(book).reviews
    assert (reviews.verdicts, len(reviews.damaged)) == ((), 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[s]: https://example.org/study", "[s]: https://evil.example/study"),
        ("[^1]: Measured once", "[^1]: Made up, not measured once"),
        ("of last year](policy:year)", "of last year](policy:other)"),
        ("## Quality\n", "## Quality\n\n<!--\n"),
        ("## Quality\n", "```text\n## Quality\n"),
        ("## Quality\n", "> ## Quality\n"),
        ("### In use", "### In use\n\n> [!CAUTION]\n> All of this was retracted.\n\n### In use"),
    ],
)
def test_what_is_seen_in_a_section_cannot_be_changed_from_outside(book: Path, old: str, new: str) -> None:
    sign(book)
    edit(book, NOTES, old, new)
    assert only(book).standing is Standing.FALLEN, only(book)


def test_evidence_that_is_forged_makes_it_fall(book: Path) -> None:
    sign(book, tolerance=["0.5"])
    path = next((book / "evidence").glob("performance.json"))
    text = path.read_text(encoding="utf-8")
    line = next(item for item in text.splitlines() if item.startswith('"performance/accuracy":'))
    members = json.loads(line.partition(":")[2].rstrip(","))
    path.write_text(
        text.replace(line, line.replace(f'"n":{members["n"]}', f'"n":{members["n"] + 0}').replace('"origin":"recounted"', '"origin":"declared"')),
        encoding="utf-8",
    )
    assert only(book).standing is Standing.FALLEN
    assert "performance/accuracy" in only(book).why


def test_another_kind_of_document_has_other_owners_and_no_sign_off(book: Path) -> None:
    edit(book, "factbook.yaml", "    - {document: notes,", "    - {document: card, role: owner}\n    - {document: notes,")
    (book / "documents/card.md").write_text("---\nkind: model-card\n---\n\n# Card\n\n## Intended use\n\nNurses call first.\n", encoding="utf-8")
    edit(book, "factbook.yaml", "roles: [clinician], key", "roles: [clinician, product owner], key")
    sign(book, role="product owner", document="card", section="Intended use")

    def asked() -> dict[str, str]:
        return {item.heading: item.why for item in Book(book).reviews.asked if item.document.endswith("card.md")}

    assert asked()["Intended use"] == ""
    assert "there is no section" in asked()["Metrics"], "a section that the kind asks for cannot be left out"
    edit(book, "documents/card.md", "kind: model-card", "kind: notes")
    assert asked() == {"": "a document of the kind notes has no such section with an owner"}
    assert only(book).why == "the document was a model-card, and is a notes now"


@pytest.mark.parametrize("part", ["figures", "facts", "watched"])
def test_nonsense_that_is_signed_with_a_good_key_is_invalid_and_breaks_nothing(book: Path, part: str) -> None:
    path = sign(book, tolerance=["0.5"])
    statement = payload(path)
    if part == "watched":
        statement["predicate"]["watched"]["uses"] = {"documents/notes.md#intended-use": ["not", "a", "digest"]}
    else:
        statement["predicate"]["excerpt"][part] = {"performance/accuracy": {"value": "none"}}
    forged(path, statement, book.parent / "keys/anna")
    assert only(book).standing in {Standing.INVALID, Standing.FALLEN}
    assert Book(book).check().findings is not None


def test_removing_the_policy_makes_all_fall_and_is_reported(book: Path) -> None:
    sign(book)
    path = book / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").partition("review:\n")[0], encoding="utf-8")
    assert (only(book).standing, only(book).cause) == (Standing.FALLEN, Cause.POLICY)
    assert "FB503" in [finding.code for finding in Book(book).check().findings]


def test_an_old_state_that_was_signed_stands_again_as_a_whole_and_only_so(book: Path) -> None:
    """Whoever brings back every word, fact and the policy has brought back what was signed; a part of it is not enough."""
    sign(book)
    kept = (book / NOTES).read_text(encoding="utf-8")
    edit(book, NOTES, "So says", "So denies")
    edit(book, "factbook.yaml", "text: data of last year", "text: data of any year")
    (book / NOTES).write_text(kept, encoding="utf-8")
    assert only(book).standing is Standing.FALLEN
    edit(book, "factbook.yaml", "text: data of any year", "text: data of last year")
    assert only(book).standing is Standing.STANDS
