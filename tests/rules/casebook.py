"""A small book made by hand, over which the cases of the rules are judged: several groups, undefined and suppressed facts, a name with HTML."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from factbook import canon, charts, manifest, measures, rules, sources
from factbook.documents import executable, parse
from factbook.evidence import Evidence, freshness, runs, sessions, store
from factbook.evidence.catalog import Catalog
from factbook.model import Artifact, Direction, Fact, Key, Measured, Status, Unit
from factbook.review import keys, signing
from factbook.review.reviews import Reviews
from factbook.statistics import intervals

BOOK = """factbook: 1
subject: {kind: model, name: risk, version: 1.2.0}
stage: draft
language: en
sources:
  holdout:
    uri: data/holdout.csv
    label: y
    positive: 1
    prediction: yhat
    by:
      age_band: {column: age, cuts: [40, 60]}
      sex: {column: sex, names: {1: men, 2: women}}
      site: site
plan:
  performance: {measure: classification, data: holdout, by: [age_band, sex, site, [age_band, sex]]}
thresholds:
  performance/auc: {at_least: 0.80}
claims:
  young-missed-more: "{performance/fnr?age_band=<40} > {performance/fnr?age_band=40-59}"
  old-missed-more: "{performance/fnr?age_band=60+} > {performance/fnr?age_band=<40}"
  sexes-differ: "{performance/fnr?sex=women} > {performance/fnr?sex=men}"
  better-than-chance: "{performance/auc} > 0.5"
  cannot-be-told: "{performance/precision?site=north} > 0.5"
derived:
  extra-misses: "{performance/fnr?age_band=<40} - {performance/fnr?age_band=40-59}"
gaps:
  ethnicity: {why: not recorded at 3 sites}
policies:
  latency: {text: alerts are sent within 300 ms}
declared:
  price: {value: 12 EUR, source: the price list}
"""
POLICY = """people:
  anna: {name: Dr Anna Meyer, roles: [clinician], key: KEY(anna)}
  ben: {name: Ben Novak, roles: [engineer, quality], key: KEY(ben)}
  cara: {name: Cara Ruiz, roles: [clinician, auditor], key: KEY(cara)}
keeper: quality
required:
  - {document: case, section: Limits, role: clinician, people: 2, from: validation}
"""
SIGNED = """# Case

## Limits

Of the patients who progress, [19.5 % (95 % CI 14.2–25.7)](fact:performance/fnr) are missed.[^1] [500](fact:performance/rows) patients were looked at.

## Use

Nurses call these patients first, as [the leaflet][1] says.

[1]: https://example.org/leaflet
[^1]: Nobody knows why.
"""
HTML_SITE = "<h1>PASS</h1>"
COUNTS = {
    "fnr": {
        "": (39, 200),
        "age_band=<40": (21, 48),
        "age_band=40-59": (12, 100),
        "age_band=60+": (6, 52),
        "sex=men": (19, 100),
        "sex=women": (20, 100),
    },
    "fpr": {
        "": (30, 300),
        "age_band=<40": (6, 80),
        "age_band=40-59": (12, 140),
        "age_band=60+": (12, 80),
        "sex=men": (16, 160),
        "sex=women": (14, 140),
    },
}
ROWS = {"": 500, "age_band=<40": 128, "age_band=40-59": 240, "age_band=60+": 132, "sex=men": 260, "sex=women": 240}
PAIRS = {("<40", "men"): (6, 24), ("<40", "women"): (15, 24), ("40-59", "men"): (7, 50), ("40-59", "women"): (5, 50), ("60+", "men"): (3, 26)}
GAPS = {"age_band=<40": (21, 48, 12, 100), "age_band=60+": (6, 52, 12, 100), "sex=women": (20, 100, 19, 100)}
CHART = charts.ChartSpec("performance", "fnr", ("age_band",))


def build(root: Path) -> Path:
    """Write the book into an empty folder."""
    (root / "data").mkdir(parents=True)
    (root / "documents").mkdir()
    (root / "data" / "holdout.csv").write_text("y,yhat,age,sex,site\n1,1,30,1,north\n", encoding="utf-8")
    (root / "factbook.yaml").write_text(BOOK, encoding="utf-8")
    read, _ = manifest.load(root)
    source = read.sources["holdout"]
    digest = sources.digest(source, root, root / ".factbook")
    assert digest is not None
    planned = read.plan["performance"]
    context = canon.digest(measures.identity("performance", planned, read)["published"])
    rows = Artifact("holdout", digest, 1, 100, 500)
    measured = Measured("performance", "classification", measures.version("classification"), tuple(_facts()), {}, {"data": rows})
    run = runs.Run("2026-11-01T00:00:00Z", {"factbook": "0"}, "Linux", context=context)
    store.write(root, measured, run, slices=planned.by, declarations={"data": sources.declaration(source)})
    figure = root / charts.path(CHART)
    figure.parent.mkdir(parents=True, exist_ok=True)
    figure.write_text(charts.render(CHART, Catalog(read, Evidence.load(root))), encoding="utf-8")
    return root


def _facts() -> Iterable[Fact]:
    for metric, groups in COUNTS.items():
        for group, (k, n) in groups.items():
            own = intervals.proportion(k, n, 0.95)
            yield _fact(metric, group, value=k / n, low=own.low, high=own.high, level=0.95, method=own.method, n=n, counts={"k": k, "n": n})
    for (band, sex), (k, n) in PAIRS.items():
        own = intervals.proportion(k, n, 0.95)
        group = f"age_band={band}&sex={sex}"
        yield _fact("fnr", group, value=k / n, low=own.low, high=own.high, level=0.95, method=own.method, n=n, counts={"k": k, "n": n})
    for group, (k, n, k0, n0) in GAPS.items():
        for metric in ("fnr_difference", "fpr_difference"):
            yield Fact(Key.parse(f"performance/{metric}?{group}"), value=k / n - k0 / n0, unit=Unit.POINTS, n=n)
    for group, rows in ROWS.items():
        yield Fact(Key.parse(f"performance/rows{'?' if group else ''}{group}"), value=rows, unit=Unit.COUNT, n=rows)
    yield Fact(
        Key.parse("performance/auc"),
        value=0.8046,
        low=0.761,
        high=0.848,
        level=0.95,
        method="DeLong",
        n=500,
        direction=Direction.HIGHER,
        bounds=(0.0, 1.0),
    )
    yield _fact("precision", "site=north", status=Status.UNDEFINED, reason="nothing was flagged")
    for site in ("north", HTML_SITE):
        key = Key("performance", "fnr", slice=(("site", site),))
        yield Fact(key, Status.SUPPRESSED, unit=Unit.FRACTION, direction=Direction.LOWER, bounds=(0.0, 1.0), reason="fewer than 10")


def _fact(metric: str, group: str, **rest: Any) -> Fact:
    key = Key.parse(f"performance/{metric}{'?' if group else ''}{group}")
    return Fact(key, unit=Unit.FRACTION, direction=Direction.LOWER, bounds=(0.0, 1.0), **rest)


def judged(
    root: Path, text: str, *, require_sources: bool = False, on: dt.date | None = None, others: Mapping[str, str] = MappingProxyType({})
) -> rules.Report:
    """Check the book with one document of this text, and others by name."""
    read, lines = manifest.load(root)
    catalog = Catalog(read, Evidence.load(root))
    documents = [parse.parse(words, f"documents/{name}") for name, words in sorted({**others, "case.md": text}.items())]
    return rules.judge(root, read, lines, catalog, documents, freshness(root, read, catalog.evidence), require_sources, on)


def signer(person: str) -> keys.Signer:
    """A key that follows from a name: for tests only."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"a key for tests: {person}".encode()).digest())
    return keys.Signer(private.public_key().public_bytes_raw(), private.sign)


def public(person: str) -> str:
    """The public key of a name, as OpenSSH writes it."""
    blob = bytes.fromhex("0000000b7373682d6564323535313900000020") + signer(person).public
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {person}"


def with_keys(text: str) -> str:
    """A text with the public key of NAME in the place of `KEY(NAME)`."""
    return re.sub(r"KEY\((\w+)\)", lambda found: public(found[1]), text)


def sign(root: Path, text: str, given: Mapping[str, Any]) -> Path:
    """Sign a document of this text, as `given` says: as, role, meaning, section, because, tolerance, time, and another key or file name."""
    read, _ = manifest.load(root)
    bench = Reviews(root, Catalog(read, Evidence.load(root)), [document := parse.parse(text, "documents/case.md")]).bench
    own = signing.Signing(
        person=given["as"],
        role=given.get("role", "clinician"),
        meaning=manifest.Meaning(given.get("meaning", "approved")),
        signer=signer(given.get("key", given["as"])),
        note=given.get("because", ""),
        tolerance=signing.tolerances(tuple(given.get("tolerance", ()))),
        time=dt.datetime.fromisoformat(given.get("time", "2026-11-02T08:00:00+00:00")),
    )
    if given.get("document") == "policy":
        (before,) = Reviews(root, Catalog(read, Evidence.load(root)), [document]).before(own)
        name, data = signing.sign_policy(bench, own, before)
    else:
        name, data = signing.sign(bench, document, given.get("section", ""), own)
    path = root / given.get("file", name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def forge(path: Path, old: str, new: str) -> None:
    """Change what is signed, and leave the signature as it is."""
    tree = json.loads(path.read_bytes())
    payload = base64.b64decode(tree["payload"]).decode()
    assert old in payload, f"{old!r} is not in {payload}"
    tree["payload"] = base64.b64encode(payload.replace(old, new).encode()).decode()
    path.write_bytes(canon.dumps(tree).encode() + b"\n")


def case(root: Path, folder: Path, given: Mapping[str, Any]) -> rules.Report:
    """Check one case: its text, after what it changes in a copy of the book (`edit`: file, old, new; `write`: files; `delete`: a file; `stage`),
    `on` a day. `review` is a policy, under which `sign` lists who signs the text, or the text `signed`, before anything is changed, and `then`
    who signs after that; `inside` changes what was signed and leaves the signature. `ran` is the document as it was run, `outputs` what its
    blocks printed (the last of them failed where it says `!`), and `read` the files that they read.
    """
    if "sign" in given or "then" in given:
        given = {"review": POLICY, "text": SIGNED, "signed": SIGNED, **given}
    if "review" in given:
        root = Path(shutil.copytree(root, folder / "signed"))
        policy = with_keys(given["review"])
        with (root / "factbook.yaml").open("a", encoding="utf-8") as stream:
            stream.write(f"review:\n{textwrap.indent(policy, '  ')}")
        for item in given.get("sign", ()):
            sign(root, given["signed"], item)
    if "ran" in given:
        root = Path(shutil.copytree(root, folder / "run"))
        ran(root, given["ran"], given.get("outputs", ()), given.get("read", ()))
    changed = [(item["file"], item["old"], item["new"]) for item in given.get("edit", ())]
    if "stage" in given:
        changed.append(("factbook.yaml", "stage: draft", f"stage: {given['stage']}"))
    if changed or "then" in given or "delete" in given or "write" in given:
        root = Path(shutil.copytree(root, folder / "book"))
    for name, old, new in changed:
        before = (root / name).read_text(encoding="utf-8")
        old = with_keys(old)
        assert old in before, f"{old!r} is not in {name}"
        (root / name).write_text(before.replace(old, with_keys(new), 1), encoding="utf-8")
    for item in given.get("inside", ()):
        forge(root / item["file"], item["old"], item["new"])
    for name, text in given.get("write", {}).items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for item in given.get("then", ()):
        sign(root, given.get("text", ""), item)
    if "delete" in given:
        (root / given["delete"]).unlink()
    return judged(
        root, given.get("text", ""), require_sources=given.get("require_sources") == "true", on=_day(given.get("on")), others=given.get("others", {})
    )


def ran(root: Path, text: str, outputs: Iterable[str], read: Iterable[str] = ()) -> None:
    """Record a run of the document, whose code read some files."""
    document, given = parse.parse(text, "documents/case.md"), list(outputs)
    blocks = []
    for block, output in zip_longest(executable.code(document), given, fillvalue=""):
        assert not isinstance(block, str), "more outputs than blocks"
        failed = output.startswith("!")
        ended = sessions.Ended.FAILED if failed else sessions.Ended.RAN
        blocks.append(sessions.Block(block.digest, ended, output.removeprefix("!"), "NameError" if failed else "", 1 if failed else 0))
    session = sessions.Session(document.name, tuple(blocks), {name: canon.hash_file(root / name) for name in read})
    sessions.write(root, "case", session)
    fact = Fact(Key("case", "accuracy"), value=0.9, unit=Unit.FRACTION)
    measured = Measured("case", "recorded", 1, (fact,), {"units": {"accuracy": "fraction"}}, {})
    store.write(root, measured, runs.Run("2026-11-01T00:00:00Z", {"factbook": "0"}, "Linux", context=session.digest))


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
