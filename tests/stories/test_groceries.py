"""Groceries: recommending the item that a basket lacks. What is bought together says hardly more than what is bought often.

Items are recommended by cosine similarity of the baskets that hold them, learned on 6,000 baskets; one item of each of 1,500 others is to be found.
"""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from telling import facts, measured, percent, told, verdicts

from factbook import Book
from measuring import shared

MANIFEST = """
subject: {name: basket-recommender}
sources: {lists: {uri: lists.csv}}
plan:
  offers: {measure: ranking, data: lists, query: basket, item: item, relevance: hidden, score: score, popularity: sold, k: [10]}
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
        part = {"basket": query, "item": np.array(names)[offered], "hidden": (offered == hidden) + 0, "score": together[shown].sum(axis=0)[offered]}
        parts.append(pandas.DataFrame(part | {"sold": sold[offered].astype(int)}))
    return pandas.concat(parts)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return measured(tmp_path_factory.mktemp("groceries"), MANIFEST, {"lists": lists().round(6)})


def test_item_to_item_barely_beats_popularity(book: Book) -> None:
    found = facts(book)
    own, base, over = (found[f"offers/{key}"] for key in ("hit_rate;k=10", "hit_rate;k=10;ranking=popularity", "hit_rate_over_popularity;k=10"))
    told(f"hits {percent(own)} of the hidden items, the bestsellers hit {percent(base)}")
    assert 0.25 < base.value < own.value < 0.5
    assert over.value == pytest.approx(own.value - base.value, abs=1e-9)
    assert over.value < 0.02
    assert verdicts(book) == {"better-than-bestsellers": "not-established", "much-better": "broken"}
    assert found["offers/novelty;k=10"].value > found["offers/novelty;k=10;ranking=popularity"].value
