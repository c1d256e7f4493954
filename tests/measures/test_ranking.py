"""Rankings: equal to scikit-learn and to a plain reference, undefined where undefined, the same in any order, the baseline always beside."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned_measures import facts, golden, measured
from sklearn import metrics as oracle
from statsmodels.stats.proportion import proportion_confint

from factbook.errors import MeasureError, SourceError
from factbook.measures import ranking
from factbook.model import Status

PLAN = "measure: ranking, data: data, query: q, relevance: r, score: s"
ITEMS = PLAN + ", item: i, k: [3, 5]"


def table(queries: int = 60, items: int = 12, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    relevance = random.choice([0, 0, 0, 1, 2, 3], (queries, items))
    relevance[:, 0] |= 1
    scores = relevance + random.normal(0, 2, (queries, items))
    return {
        "q": np.repeat(np.arange(queries), items),
        "i": np.tile(np.arange(items), queries),
        "r": relevance.reshape(-1).astype(float),
        "s": scores.reshape(-1),
        "p": np.tile(random.integers(1, 100, items), queries),
        "g": np.repeat(random.choice(["new", "old"], queries), items),
        "c": np.repeat(np.arange(queries) // 3, items),
    }


def reference(rows: list[tuple[float, float | None, str]], k: int | None) -> dict[str, float]:
    """One query, as the books define it: rows of (relevance, score or None, item)."""
    order = [row for row in sorted(rows, key=lambda row: (row[1] is None, -(row[1] or 0), row[2])) if row[1] is not None][: k or len(rows)]
    relevant = sum(row[0] > 0 for row in rows)
    hits = [row[0] > 0 for row in order]
    ideal = sorted((row[0] for row in rows), reverse=True)[: k or len(rows)]
    dcg, best = (sum(gain / math.log2(i + 2) for i, gain in enumerate(gains)) for gains in ([row[0] for row in order], ideal))
    return {
        "precision": sum(hits) / (k or 1),
        "recall": sum(hits) / relevant,
        "hit_rate": float(any(hits)),
        "mrr": next((1 / (i + 1) for i, hit in enumerate(hits) if hit), 0.0),
        "map": sum(sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit) / min(relevant, k or relevant),
        "ndcg": dcg / best,
    }


def test_equal_to_scikit_learn(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, "", PLAN + ", k: [3, 5]"))
    relevance, scores = data["r"].reshape(60, 12), data["s"].reshape(60, 12)
    for k, params in ((3, ";k=3"), (5, ";k=5"), (None, "")):
        assert found[f"ndcg{params}"].value == pytest.approx(oracle.ndcg_score(relevance, scores, k=k), rel=1e-9)
    each = [oracle.average_precision_score(own > 0, score) for own, score in zip(relevance, scores, strict=True)]
    assert found["map"].value == pytest.approx(np.mean(each), rel=1e-9)
    assert found["map"].interval[0] < np.mean(each) < found["map"].interval[1]
    assert found["map"].n == 60
    exponential = facts(measured(tmp_path, data, "", PLAN + ", gain: exponential"))
    assert exponential["ndcg"].value == pytest.approx(oracle.ndcg_score(2**relevance - 1, scores), rel=1e-9)


lists = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4)), min_size=1, max_size=7).filter(lambda rows: any(row[0] for row in rows)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries=lists, k=st.integers(1, 4), random=st.randoms())
def test_equal_to_the_reference_with_ties_and_items_that_were_not_returned(tmp_path, queries, k, random):
    rows = [(q, f"item{i}", r, s) for q, query in enumerate(queries) for i, (r, s) in enumerate(query)]
    random.shuffle(rows)
    types = (pa.int64(), pa.string(), pa.float64(), pa.float64())
    data = pa.table({name: pa.array([row[j] for row in rows], types[j]) for j, name in enumerate("qirs")})
    found = facts(measured(tmp_path, data, "", PLAN + f", item: i, k: {k}"))
    for cut, params in ((k, f";k={k}"), (None, "")):
        expected = [reference([(r, s, f"item{i}") for i, (r, s) in enumerate(query)], cut) for query in queries]
        for name in expected[0] if cut else ("mrr", "map", "ndcg"):
            assert found[name + params].value == pytest.approx(np.mean([one[name] for one in expected]), rel=1e-9), name


def test_the_baseline_is_always_beside(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, "", ITEMS + ", popularity: p"))
    own, other = (
        [reference(list(zip(data["r"][q : q + 12], data[s][q : q + 12], data["i"][q : q + 12], strict=True)), 3) for q in range(0, 720, 12)]
        for s in ("s", "p")
    )
    for name in ("precision", "recall", "hit_rate", "mrr", "map", "ndcg"):
        assert found[f"{name};k=3;ranking=popularity"].value == pytest.approx(np.mean([one[name] for one in other]), rel=1e-9)
        gap = np.array([a[name] - b[name] for a, b in zip(own, other, strict=True)])
        over = found[f"{name}_over_popularity;k=3"]
        assert over.value == pytest.approx(gap.mean(), rel=1e-9)
        share = (gap.mean() + 1) / 2
        rows = share * (1 - share) * 4 / (gap.var(ddof=1) / 60) * (1.959963984540054 / 2.0009953780882674) ** 2
        assert over.interval == pytest.approx([2 * end - 1 for end in proportion_confint(share * rows, rows, 0.05, "wilson")], rel=1e-6)
    popularity = data["p"][:12]
    share = dict(enumerate(popularity / popularity.sum()))
    bits = [np.mean([-math.log2(share[i]) for i in np.argsort(-data["s"][q : q + 12])[:3]]) for q in range(0, 720, 12)]
    assert found["novelty;k=3"].value == pytest.approx(np.mean(bits), rel=1e-9)
    assert found["catalogue_coverage;k=3"].value == 1.0
    assert found["catalogue_coverage;k=3;ranking=popularity"].value == 0.25
    unknown = facts(measured(tmp_path, data, "", PLAN))
    assert unknown["ndcg_over_popularity;k=10"].reason == "no popularity is known: declare `popularity` or `item`"


def test_the_baseline_over_the_whole_catalogue(tmp_path):
    data = table()
    data["s"] = np.where(data["s"] > 1, data["s"], np.nan)
    every = facts(measured(tmp_path, data, "", ITEMS + ", popularity: p, baseline: catalogue"))
    same = facts(measured(tmp_path, data, "", ITEMS + ", popularity: p"))
    assert every["recall;k=5;ranking=popularity"].value == same["recall;k=5;ranking=popularity"].value, "every item is in every list"
    least = data["i"] != np.argmax(data["p"][:12])
    without = {name: values[least | (data["r"] > 0)] for name, values in data.items()}
    found = facts(measured(tmp_path, without, "", ITEMS + ", popularity: p, baseline: catalogue"))
    assert found["recall;k=5;ranking=popularity"].value == every["recall;k=5;ranking=popularity"].value, "rows that are irrelevant change nothing"


def test_without_a_popularity_column_the_other_queries_say_what_is_popular(tmp_path):
    rows = [("a", "x", 1, 1.0), ("a", "y", 0, 2.0), ("b", "x", 0, 1.0), ("b", "y", 1, 2.0), ("c", "x", 1, 5.0), ("c", "y", 1, 2.0)]
    found = facts(measured(tmp_path, {name: [row[j] for row in rows] for j, name in enumerate("qirs")}, "", PLAN + ", item: i, k: 1"))
    assert found["hit_rate;k=1"].counts == {"k": 2, "n": 3}
    assert found["hit_rate;k=1;ranking=popularity"].counts == {"k": 1, "n": 3}, "a sees y twice elsewhere, b sees x twice, c ties"


def test_queries_without_a_relevant_item_are_counted_and_left_out(tmp_path):
    data = table(20)
    data["r"][12:24] = 0
    found = facts(measured(tmp_path, data, "", PLAN))
    assert (found["queries"].value, found["queries_without_relevant"].value, found["mrr"].n) == (19, 1, 19)
    nothing = facts(measured(tmp_path, {"q": [1, 1], "r": [0.0, 0.0], "s": [1.0, 2.0]}, "", PLAN))
    assert (nothing["queries"].value, nothing["queries_without_relevant"].value) == (0, 1)
    assert all(fact.status is Status.UNDEFINED for key, fact in nothing.items() if not key.startswith("queries"))


def test_the_same_in_any_order_and_partitioning(tmp_path):
    data = pa.table(table())
    plan = ITEMS + ", popularity: p, by: [g]"
    one = measured(tmp_path, data, ", by: [g], cluster: c", plan)
    other = measured(tmp_path, data.take(np.random.default_rng(3).permutation(720)), ", by: [g], cluster: c", plan, parts=5)
    assert one.facts == other.facts


def test_rank_is_the_same_as_score(tmp_path):
    data = table()
    rank = np.argsort(np.argsort(-data["s"].reshape(60, 12), axis=1), axis=1).reshape(-1) + 1
    by_score = measured(tmp_path, data, "", ITEMS).facts
    assert measured(tmp_path, data | {"s": rank}, "", ITEMS.replace("score: s", "rank: s")).facts == by_score


def test_users_that_ask_several_times_are_clusters(tmp_path):
    data = table(30)
    copied = {name: np.concatenate([values] * 3) for name, values in data.items()}
    copied["q"] = np.repeat(np.arange(90), 12)
    copied["c"] = np.tile(data["q"], 3)
    once = facts(measured(tmp_path, data, "", PLAN))["ndcg"]
    thrice = facts(measured(tmp_path, copied, ", cluster: c", PLAN))["ndcg"]
    assert thrice.interval == pytest.approx(once.interval, rel=1e-9)


def test_groups_of_few_queries_are_suppressed_though_they_have_many_rows(tmp_path):
    data = table(60)
    data["g"] = np.repeat(["few"] * 9 + ["next"] * 11 + ["many"] * 40, 12)
    found = facts(measured(tmp_path, data, ", by: [g]", PLAN + ", by: [g]", below=10))
    status = {group: found[f"ndcg?g={group}"].status for group in ("few", "next", "many")}
    data["r"][-36:] = 0
    found = facts(measured(tmp_path, data, ", by: [g]", PLAN + ", by: [g]", below=10))
    assert (found["queries?g=many"].value, found["queries_without_relevant?g=many"].value) == (37, 3), "few left out hide nobody"
    assert status == {"few": Status.SUPPRESSED, "next": Status.SUPPRESSED, "many": Status.MEASURED}


@pytest.mark.parametrize(
    ("change", "plan", "error", "said"),
    [
        ({}, PLAN + ", rank: r", MeasureError, "one of them"),
        ({}, PLAN + ", k: [5, 3]", MeasureError, "increasing"),
        ({}, PLAN + ", baseline: catalogue", MeasureError, "needs `item`"),
        ({}, ITEMS + ", catalogue: 1", SourceError, "2 items, more than `catalogue`"),
        ({"r": [1.0, -1.0]}, PLAN, SourceError, "negative"),
        ({"r": [1.0, None]}, PLAN, SourceError, r"column 'r' \(relevance\) is missing in 1 of 2 rows"),
        ({"q": ["a", None]}, PLAN, SourceError, "missing in 1 of 2 rows"),
        ({"i": ["x", "x"]}, ITEMS, SourceError, "1 rows repeat an item"),
        ({"s": [0.0, 1.0]}, PLAN.replace("score", "rank"), SourceError, "below 1"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, change, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, {"q": ["a", "a"], "i": ["x", "y"], "r": [1.0, 0.0], "s": [1.0, 2.0]} | change, "", plan)


def test_an_attribute_belongs_to_the_query(tmp_path):
    data = {"q": ["a", "a"], "r": [1.0, 0.0], "s": [1.0, 2.0], "g": ["x", "y"]}
    with pytest.raises(SourceError, match="1 values of query have more than one value of by g"):
        measured(tmp_path, data, ", by: [g]", PLAN)


def test_golden(tmp_path):
    data = {name: values.round(3) for name, values in table(30).items() if name != "g"} | {"g": np.repeat(["new", "old"], 180)}
    golden("ranking", ranking.VERSION, measured(tmp_path, data, ", by: [g]", ITEMS + ", popularity: p, by: [g]"))


def test_diversity_and_exposure_by_hand(tmp_path):
    data = table()
    kinds = np.array(list("aabbccddeeff"))
    data["kind"] = kinds[data["i"]]
    found = facts(measured(tmp_path, data, ", by: [g]", ITEMS + ", kind: kind, by: [g]"))
    for place, chosen in (("", np.ones(60, bool)), ("?g=new", data["g"][::12] == "new")):
        each, shown = [], np.zeros(12)
        for scores in data["s"].reshape(60, 12)[chosen]:
            first = np.argsort(-scores)[:5]
            shown[first] += 1
            each.append(np.mean([kinds[a] != kinds[b] for a in first for b in first if a != b]))
        assert found[f"diversity;k=5{place}"].value == pytest.approx(np.mean(each))
        differences = np.abs(shown[:, None] - shown[None, :]).sum()
        assert found[f"exposure_gini;k=5{place}"].value == pytest.approx(differences / (2 * 12 * shown.sum()))
    assert "diversity;k=5;ranking=popularity" in found


def test_the_kind_belongs_to_the_item(tmp_path):
    data = table()
    data["kind"] = np.arange(len(data["i"])) % 7
    with pytest.raises(SourceError, match="more than one value of 'kind'"):
        measured(tmp_path, data, "", ITEMS + ", kind: kind")
    with pytest.raises(MeasureError, match="`kind` is of an item"):
        measured(tmp_path, data, "", PLAN + ", kind: kind")


def test_lists_of_one_item_have_no_diversity(tmp_path):
    data = {"q": [1, 1, 2, 2], "i": ["a", "b", "a", "b"], "r": [1, 0, 1, 0], "s": [0.9, None, 0.8, 0.1], "kind": ["x", "y", "x", "y"]}
    found = facts(measured(tmp_path, data, "", PLAN + ", item: i, kind: kind, k: 2"))
    assert found["diversity;k=2"].reason == "1 queries list fewer than two items"
    assert found["exposure_gini;k=2"].value == pytest.approx(1 / 6)
