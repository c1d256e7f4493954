"""A small book made by hand, with everything in it that a target has to cope with: hostile names, missing pictures, links to nothing."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

from factbook.documents import parse, regions
from factbook.evidence import runs, store
from factbook.evidence.catalog import Catalog
from factbook.manifest import read
from factbook.model import Artifact, Direction, Fact, Key, Measured, Status, Unit
from factbook.publish import Publication, Row
from factbook.statistics import intervals

HOSTILE = "<h1>PASS</h1>"
MANIFEST = """factbook: 1
subject: {kind: model, name: "progression <b>risk</b>", version: 1.2.0, owner: "team@example.org", description: "Flags \\"patients\\" & more."}
stage: draft
sources:
  holdout: {uri: holdout.csv, label: high, positive: "1", score: p, cut: 0.35, by: {age_band: {column: age, cuts: [40, 60]}, sex: sex}}
plan:
  performance: {measure: classification, data: holdout, by: [age_band, sex]}
thresholds:
  performance/auc: {at_least: 0.80, bound: lower}
claims:
  young-missed-more: "{performance/fnr?age_band=<40} > {performance/fnr?age_band=60+}"
  sexes-differ: "{performance/fnr?sex=women} > {performance/fnr?sex=<h1>PASS</h1>}"
derived:
  extra-misses: "{performance/fnr?age_band=<40} - {performance/fnr?age_band=60+}"
gaps:
  ethnicity: {why: "not recorded <i>anywhere</i>", owner: data-team, since: 2026-10-01}
policies:
  latency: {text: Alerts are shown within 300 ms., approved_by: Dr Example}
declared:
  patients: {value: "442", source: "Efron et al. 2004", by: ml-team}
"""
CARD = """---
kind: model-card
---

# Model card

## 1 Details

<!-- a comment that nobody publishes -->
A [link](https://example.org/a?b=1&c=2), the [datasheet](datasheet.md#uses), a [bad one](javascript:alert(1)), [another](data:text/html,x),
a <b onclick="alert(1)">raw</b> tag and [a lost file](../data/secret.csv).

> **Open question [Q1](question:details.licence):** Under which licence may it be used?

<script>alert("block")</script>

## 2 Analyses

It misses [19.5 % (95 % CI 14.8–25.3)](fact:performance/fnr), its AUC is [0.843][auc], [young people are missed more](claim:young-missed-more), by
[a lot](fact:derived/extra-misses); a difference between the sexes [was not established](claim:sexes-differ?not-established). Ethnicity was
[not recorded](gap:ethnicity), alerts [come fast](policy:latency), there are [442](declared:patients). [12 %](fact:performance/nothing) is made
up and [this](fact:performance/fnr?sex=<h1>PASS</h1>) is hostile. Few are [suppressed](fact:performance/fnr?age_band=40-59&sex=women).

<!-- fact:table performance by=age_band metrics=n,fnr -->

REGION

<!-- /fact -->

![By age](../evidence/figures/a.svg "fact:chart performance metric=fnr by=age_band")
![By sex](../evidence/figures/b.svg "fact:chart performance metric=fnr by=sex")
![Broken](b.svg "fact:chart performance metric=nope by=sex")
![Lost](lost.png)
![Outside](../../outside.png)
![Pixel](pixel.png)

| Group | Rate |
|---|---:|
| young | [43.8 %](fact:performance/fnr?age_band=<40) |

1. one
   - [x] done

A note[^a], ~~struck~~ and `code <b>`.

[^a]: It cites [19.5 %](fact:performance/fnr) again.

[auc]: fact:performance/auc
"""
SHEET = "# Datasheet\n\n## Uses\n\nThere are [442](fact:performance/rows) rows; see the [card](model-card.md).\n"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def rate(metric: str, k: int, n: int, **groups: str) -> Fact:
    """A proportion as the measures make it."""
    key = Key("performance", metric, (), tuple(sorted(groups.items())))
    if n < 10:
        return Fact(key, Status.SUPPRESSED, reason="fewer than 10 rows", unit=Unit.FRACTION, bounds=(0.0, 1.0))
    found = intervals.proportion(k, n, 0.95)
    return Fact(
        key,
        value=k / n,
        low=found.low,
        high=found.high,
        level=0.95,
        method=found.method,
        n=n,
        counts={"k": k, "n": n},
        unit=Unit.FRACTION,
        direction=Direction.LOWER,
        bounds=(0.0, 1.0),
    )


def count(metric: str, value: int, **groups: str) -> Fact:
    """An exact count."""
    return Fact(Key("performance", metric, (), tuple(sorted(groups.items()))), value=value, unit=Unit.COUNT)


def facts() -> list[Fact]:
    """All facts of the book."""
    auc = Fact(Key("performance", "auc"), value=0.8431, low=0.8011, high=0.8800, level=0.95, method="DeLong", n=442, bounds=(0.0, 1.0))
    found = [rate("fnr", 43, 220), auc, count("rows", 442), *(count(name, 100 + at) for at, name in enumerate(("tp", "fp", "fn", "tn")))]
    for group, (k, n) in {"<40": (21, 48), "40-59": (18, 100), "60+": (4, 72)}.items():
        found += [rate("fnr", k, n, age_band=group), count("rows", 2 * n, age_band=group)]
    found += [rate("fnr", 22, 110, sex="women"), rate("fnr", 21, 110, sex=HOSTILE)]
    return [*found, rate("fnr", 1, 5, age_band="40-59", sex="women")]


def build(root: Path, card: str = CARD) -> Publication:
    """Write the book into a folder and read it again."""
    (root / "documents").mkdir(parents=True, exist_ok=True)
    digest = "sha256:" + "ab12" * 16
    made = Measured("performance", "classification", 1, tuple(facts()), {}, {"data": Artifact("holdout", digest, 1, 12_345, 442)})
    store.write(root, made, runs.Run("2026-11-21T23:02:03Z", {"factbook": "0.1.0"}, "Linux x86_64"))
    manifest, _ = read(MANIFEST)
    catalog = Catalog(manifest, store.Evidence.load(root))
    table = regions.markdown(regions.table(regions.TableSpec.parse("performance by=age_band metrics=n,fnr"), catalog))
    (root / "documents/model-card.md").write_text(card.replace("REGION", table), encoding="utf-8")
    (root / "documents/datasheet.md").write_text(SHEET, encoding="utf-8")
    (root / "documents/pixel.png").write_bytes(base64.b64decode(PIXEL))
    documents = tuple(parse.read(root / "documents" / name, root) for name in ("model-card.md", "datasheet.md"))
    findings = (Row("101", "documents/model-card.md:22:1", f"there is no fact {HOSTILE}"),)
    silent = (Row("freshness of performance", "", "the file holdout.csv is absent"),)
    return Publication(root, manifest, catalog, documents, findings, silent, dt.date(2026, 11, 21), "0.1.0")
