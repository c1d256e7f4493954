"""What the first k retrieved documents of an answer hold of the relevant ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from factbook.measures.outputs import Judged, share
from factbook.model import Unit

METRICS: Final = (
    share(
        "retrieval_hit_rate",
        "retrieval hit rate of the first k",
        "hit rate",
        Unit.FRACTION,
        "outputs with a relevant document among the first k / outputs with one to find",
        "Karpukhin et al. 2020, EMNLP, 6769",
    ),
    share(
        "retrieval_recall",
        "retrieval recall of the first k",
        "recall",
        Unit.FRACTION,
        "mean of relevant documents among the first k / relevant documents",
        "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, chapter 8",
    ),
    share(
        "retrieval_mrr",
        "mean reciprocal rank of retrieval",
        "MRR",
        Unit.SCORE,
        "mean of 1 / rank of the first relevant document (0 beyond k)",
        "Voorhees 1999, TREC-8, 77",
        ("mrr",),
    ),
)


def judged(retrieved: Sequence[Sequence[str]], relevant: Sequence[Sequence[str]], ks: Sequence[int]) -> Iterator[Judged]:
    """Hit rate, recall and reciprocal rank of each output at each k; an output without a relevant document has none.

    Args:
        retrieved: per output its documents, in the order of the ranks.
        relevant: per output those to find.
        ks: how many of the first count.
    """
    wanted = [set(own) for own in relevant]
    there = np.array([bool(own) for own in wanted])
    many = np.array([max(len(own), 1) for own in wanted])
    for k in ks:
        hits = np.array([len(own & set(first[:k])) for own, first in zip(wanted, retrieved, strict=True)], dtype=np.float64)
        ranks = np.array([_reciprocal(own, first[:k]) for own, first in zip(wanted, retrieved, strict=True)])
        for metric, values in (
            ("retrieval_hit_rate", (hits > 0).astype(np.float64)),
            ("retrieval_recall", hits / many),
            ("retrieval_mrr", ranks),
        ):
            yield Judged(metric, (("k", str(k)),), values, there, metric == "retrieval_hit_rate", "no output has a relevant document")


def _reciprocal(relevant: set[str], retrieved: Sequence[str]) -> float:
    """1 / the rank of the first relevant document; 0 where there is none."""
    return next((1 / rank for rank, name in enumerate(retrieved, start=1) if name in relevant), 0.0)
