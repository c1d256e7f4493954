"""Groceries: recommending the item that a basket lacks. What is bought together says hardly more than what is bought often.

Items are recommended by cosine similarity of the baskets that hold them, learned on 6,000 baskets; one item of each of 1,500 others is to be found.
"""

from __future__ import annotations

import time
from itertools import islice

import numpy as np
import pandas
import pytest
from telling import documented, facts, measured, percent, told, verdicts

from factbook import Book
from measuring import shared

MANIFEST = """
subject: {name: basket-recommender}
sources:
  lists: {uri: lists.csv, by: [size]}
  baskets: {uri: baskets.csv, key: basket}
  trial: {uri: trial.csv, key: basket}
  early: {uri: early.csv, label: hit, prediction: offered}
  late: {uri: late.csv, label: hit, prediction: offered}
plan:
  data: {measure: profile, data: baskets}
  speed: {measure: profile, data: trial}
  watch: {measure: drift, reference: early, current: late}
  cost:
    measure: estimate
    inputs: {price: declared:price, load: declared:load, service: declared:service, limit: {from: policy:latency, value: 300 ms}}
    figures:
      machines: {model: servers, arrivals: load, service: service, quantile: 0.95, limit: limit, unit: server}
      latency: {model: response, arrivals: load, service: service, servers: machines.high, quantile: 0.95, unit: ms}
      cost_month: {formula: machines * price, unit: EUR/month}
      baskets_each: {model: sample_size, base: 37.6 %, other: 40 %, power: 0.8}
  offers: {measure: ranking, data: lists, query: basket, item: item, relevance: hidden, score: score, popularity: sold, k: [10], by: [size]}
thresholds:
  speed/maximum;column=ms: {at_most: 300}
declared:
  price: {value: 50 (40 to 60) EUR/server/month, source: the price list of a host}
  load: {value: 20 (15 to 30) requests/s, source: the busiest hour of the shop}
  service: {value: 50 (40 to 60) ms, source: a trial on one machine}
policies:
  latency: {text: 95 of 100 baskets get their suggestions within 300 ms}
system:
  elements:
    customer: {title: Customer, kind: person}
    shop: {title: Shop, kind: system}
    page: {title: Basket page, inside: shop}
    service: {title: Recommender, inside: shop, evidence: [offers]}
    store: {title: Item similarities, kind: store, inside: shop}
  relations:
    - {from: customer, to: page, label: fills a basket, data: basket}
    - {from: page, to: service, label: asks for items, data: basket}
    - {from: service, to: store, label: reads, data: similarities}
claims:
  better-than-bestsellers: "{offers/hit_rate_over_popularity;k=10} > 0"
  much-better: "{offers/hit_rate_over_popularity;k=10} > 0.04"
"""


def lists() -> pandas.DataFrame:
    """Every item that a basket does not show, with its score and how often it was sold."""
    lines = shared("retail/groceries.csv").read_text(encoding="utf-8").splitlines()
    baskets = [basket for line in lines if len(basket := sorted(set(line.split(",")))) > 1][:7500]
    names = sorted({item for basket in baskets[:6000] for item in basket})
    place = {name: i for i, name in enumerate(names)}
    bought = np.zeros((7500, len(names)))
    for row, basket in enumerate(baskets):
        bought[row, [place[item] for item in basket if item in place]] = 1
    train, test = bought[:6000], bought[6000:]
    sold = train.sum(axis=0)
    together = train.T @ train / np.sqrt(np.outer(sold, sold))
    np.fill_diagonal(together, 0)
    parts = []
    for query, row in enumerate(test):
        own = np.flatnonzero(row)
        hidden = own[query % len(own)]
        shown = np.setdiff1d(own, hidden)
        offered = np.setdiff1d(np.arange(len(names)), shown)
        part = {
            "basket": query,
            "size": "small" if len(own) <= 4 else "large",
            "item": np.array(names)[offered],
            "hidden": (offered == hidden) + 0,
            "score": together[shown].sum(axis=0)[offered],
        }
        parts.append(pandas.DataFrame(part | {"sold": sold[offered].astype(int)}))
    return pandas.concat(parts)


def baskets() -> pandas.DataFrame:
    """How many items each basket holds, and whether milk is among them."""
    lines = shared("retail/groceries.csv").read_text(encoding="utf-8").splitlines()
    parts = [line.split(",") for line in lines]
    return pandas.DataFrame(
        {"basket": np.arange(len(parts)), "items": [len(part) for part in parts], "milk": ["whole milk" in part for part in parts]}
    )


def watched(table: pandas.DataFrame) -> pandas.DataFrame:
    """What operations would log of each basket: whether what it lacks was among the ten that were offered, how large it is."""
    rows = []
    for basket, part in table.groupby("basket", sort=True):
        first = part.sort_values(["score", "item"], ascending=[False, True], kind="stable").head(10)
        rows.append({"basket": basket, "hit": int(first["hidden"].sum()), "offered": 1, "open": len(part), "size": part["size"].iloc[0]})
    return pandas.DataFrame(rows)


def trial(table: pandas.DataFrame) -> pandas.DataFrame:
    """How long the first hundred baskets took to be ranked here, in milliseconds."""
    taken = []
    for basket, part in islice(table.groupby("basket", sort=True), 100):
        began = time.perf_counter()
        part.nlargest(10, "score")
        taken.append({"basket": basket, "ms": round(1000 * (time.perf_counter() - began), 3)})
    return pandas.DataFrame(taken)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    offers = lists().round(6)
    logged = watched(offers)
    tables = {"lists": offers, "baskets": baskets(), "trial": trial(offers), "early": logged[:750], "late": logged[750:]}
    return measured(tmp_path_factory.mktemp("groceries"), MANIFEST, tables)


def test_item_to_item_barely_beats_popularity(book: Book) -> None:
    found = facts(book)
    own, base, over = (found[f"offers/{key}"] for key in ("hit_rate;k=10", "hit_rate;k=10;ranking=popularity", "hit_rate_over_popularity;k=10"))
    told(f"hits {percent(own)} of the hidden items, the bestsellers hit {percent(base)}")
    assert 0.25 < base.value < own.value < 0.5
    assert over.value == pytest.approx(own.value - base.value, abs=1e-9)
    assert over.value < 0.02
    assert verdicts(book) == {"better-than-bestsellers": "not-established", "much-better": "broken"}
    assert found["offers/novelty;k=10"].value > found["offers/novelty;k=10;ranking=popularity"].value


def test_the_system_is_described_with_its_parts_and_its_data(book: Book) -> None:
    """Architecture and data flow as diagrams, what is measured of it, and a datasheet of the baskets."""
    text = documented(book, "system-description")
    assert text.count("```mermaid") >= 2
    for part in ("Basket page", "Recommender", "Item similarities"):
        assert part in text
    assert "(fact:offers/" in text or "fact:table offers" in text
    sheet = documented(book, "datasheet")
    assert "The file holds [9,835](fact:data/rows) rows" in sheet or "[9,835](fact:data/rows) rows" in sheet


def test_an_audit_finds_cohorts_latency_and_what_is_watched(book: Book) -> None:
    """Quality for each group of users, the latency that was asked for beside the one that was measured, and what has moved since."""
    found = facts(book)
    cohorts = [found[f"offers/hit_rate;k=10?size={size}"] for size in ("small", "large")]
    assert all(fact.interval and fact.n > 300 for fact in cohorts)
    assert min(fact.value for fact in cohorts) < found["offers/hit_rate;k=10"].value < max(fact.value for fact in cohorts)
    card = documented(book, "performance-card")
    assert "size" in card
    assert "small" in card
    plan = documented(book, "monitoring-plan")
    assert "declared:thresholds.speed/maximum;column=ms" in plan
    assert "(fact:watch/" in plan or "fact:table watch" in plan
    assert found["speed/maximum;column=ms"].value < 300
    decay = found["watch/accuracy_difference;data=current"]
    assert decay.low < 0 < decay.high, "that fewer baskets are served later is not established"
    assert found["watch/psi;column=open"].value < 0.25


def test_the_proposal_computes_cost_latency_and_the_size_of_the_experiment(book: Book) -> None:
    """Each figure is a fact that follows from declared prices, loads and service times."""
    text, found = documented(book, "proposal"), facts(book)
    capacity = text.partition("## Latency, capacity and cost")[2].partition("## Experiment")[0]
    assert "Which load, service times and prices are expected" not in capacity, "nothing is asked that was computed"
    assert found["cost/machines"].value >= 2
    assert found["cost/cost_month"].value == pytest.approx(50 * found["cost/machines"].value)
    for title in ("machines", "latency", "cost month", "baskets each"):
        assert f"| {title}" in capacity
    assert "```mermaid" in text.partition("## Architecture")[2]
