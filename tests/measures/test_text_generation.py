"""Generated texts: equal to plain references and the published estimators, undefined where undefined, epochs as clusters."""

from __future__ import annotations

import zipfile
from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
import wider
from hypothesis import given
from hypothesis import strategies as st
from planned_measures import SHARED, facts, golden, measured
from rouge_score import rouge_scorer
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from factbook.errors import MeasureError, SourceError
from factbook.measures import epochs, judges, quantities, text_generation, texts
from factbook.measures.outputs import Slices
from factbook.measures.request import Answer
from factbook.model import Status
from factbook.statistics import moments
from factbook.statistics.moments import Sample

PLAN = "measure: text-generation, data: data, prediction: p, references: r"
PASS = "measure: text-generation, data: data, sample: id, correct: c, k: [1, 2, 5]"
words = st.lists(st.sampled_from(["the", "cat", "sat", "mat", "Zoë", "42"]), max_size=9)


def reference_lcs(one: list[str], other: list[str]) -> int:
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            table[i + 1, j + 1] = table[i, j] + 1 if left == right else max(table[i, j + 1], table[i + 1, j])
    return int(table[-1, -1])


def drawn(samples: int = 40, each: int = 5, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    skill = np.repeat(random.beta(0.7, 0.7, samples), each)
    return {
        "id": np.repeat(np.arange(samples), each),
        "c": (random.random(samples * each) < skill).astype(int),
        "g": np.repeat(["a", "b"], samples * each // 2),
    }


def mean_interval(values) -> tuple[float, float]:
    """That of a mean of independent values between 0 and 1, from their standard error."""
    found = moments.student(float(np.mean(values)), float(stats.sem(values)) ** 2, len(values), 0.95, "", (0.0, 1.0))
    return found.low, found.high


@given(words, words)
def test_the_longest_common_subsequence(one, other):
    assert texts.longest_common(one, other) == reference_lcs(one, other)


@given(words, words)
def test_token_f1_is_that_of_precision_and_recall(one, other):
    given, expected = ([word for word in map(str.lower, side) if word != "the"] for side in (one, other))
    common = sum(min(Counter(given)[word], Counter(expected)[word]) for word in set(given))
    if given and expected:
        precision, recall = common / len(given), common / len(expected)
        wanted = 2 * precision * recall / (precision + recall) if common else 0.0
    else:
        wanted = float(given == expected)
    assert texts.token_f1(" ".join(one), " ".join(other), texts.squad) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("output", "target", "exact", "f1", "rouge"),
    [
        ("The Eiffel Tower.", "eiffel tower", 1, 1.0, 0.8),
        ("in Paris, France", "Paris", 0, 0.5, 0.5),
        ("the", "a", 1, 1.0, 0.0),
        ("no", "yes", 0, 0.0, 0.0),
        ("police killed the gunman", "police kill the gunman", 0, 2 / 3, 0.75),
        ("the gunman kill police", "police kill the gunman", 0, 1.0, 0.5),
    ],
)
def test_known_cases(output, target, exact, f1, rouge):
    assert texts.exact(output, target, texts.squad) == exact
    assert texts.token_f1(output, target, texts.squad) == pytest.approx(f1)
    assert texts.rouge_l(output, target) == pytest.approx(rouge)


def test_the_best_reference_counts_from_columns_and_from_lists(tmp_path):
    data = {"p": ["Paris", "London", "x y"], "r": ["paris", "Rome", "x"], "s": [None, "london!", "x y z"]}
    both = facts(measured(tmp_path, data, "", PLAN.replace("references: r", "references: [r, s]")))
    assert both["exact_match"].counts == {"k": 2, "n": 3}
    assert both["rouge_l"].value == pytest.approx((1 + 1 + 4 / 5) / 3)
    lists = {"p": data["p"], "r": [["paris"], ["Rome", "london!"], ["x", "x y z"]]}
    assert {key: fact.value for key, fact in facts(measured(tmp_path, lists, "", PLAN)).items()} == {key: fact.value for key, fact in both.items()}
    strict = facts(measured(tmp_path, data, "", PLAN + ", normalise: spaces"))
    assert strict["exact_match"].counts == {"k": 0, "n": 3}


def test_real_sentences(tmp_path):
    path = SHARED / "sentiment" / "sentence_polarity.zip"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".pos"))
        lines = archive.read(name).decode("latin-1").splitlines()[:200]
    outputs = [" ".join(line.split()[2:-3] + line.split()[:2]) for line in lines]
    found = facts(measured(tmp_path, {"p": outputs, "r": lines}, "", PLAN))
    each = []
    for output, line in zip(outputs, lines, strict=True):
        one, other = (texts.words(text) for text in (output, line))
        each.append(2 * reference_lcs(one, other) / (len(one) + len(other)))
    assert found["rouge_l"].value == pytest.approx(np.mean(each), rel=1e-9)
    assert found["rouge_l"].interval == pytest.approx(mean_interval(each), rel=1e-9)


def test_pass_at_k_is_the_published_estimator_and_that_of_all_subsets(tmp_path):
    data = drawn()
    found = facts(measured(tmp_path, data, "", PASS))
    correct = data["c"].reshape(40, 5)
    for k in (1, 2, 5):
        subsets = np.array([np.mean([max(own[i] for i in chosen) for chosen in combinations(range(5), k)]) for own in correct])
        chen = [1.0 if 5 - c < k else 1 - np.prod(1 - k / np.arange(5 - c + 1, 6)) for c in correct.sum(axis=1)]
        fact = found[f"pass_at_k;k={k}"]
        assert fact.value == pytest.approx(subsets.mean(), rel=1e-9)
        assert fact.value == pytest.approx(np.mean(chen), rel=1e-9)
        whole = stats.binomtest(int(subsets.sum()), 40).proportion_ci()
        assert fact.interval == pytest.approx(tuple(whole) if k == 5 else mean_interval(subsets), rel=1e-9), "of 5 epochs 5: a share of samples"
        assert fact.n == 40
    share = found["correct_share"]
    assert (share.value, share.method) == (found["pass_at_k;k=1"].value, found["pass_at_k;k=1"].method)
    assert share.interval == pytest.approx(found["pass_at_k;k=1"].interval, rel=1e-9), "equal epochs: the same interval from rows in clusters"


def test_a_sample_with_too_few_epochs_makes_pass_at_k_undefined(tmp_path):
    data = {name: values[1:] for name, values in drawn().items()}
    found = facts(measured(tmp_path, data, "", PASS))
    assert found["pass_at_k;k=5"].reason == "1 samples have fewer than 5 epochs"
    assert found["pass_at_k;k=2"].status is Status.MEASURED


def test_one_epoch_is_a_plain_proportion(tmp_path):
    data = {name: values[::5] for name, values in drawn().items()}
    share = facts(measured(tmp_path, data, "", PASS.replace(", k: [1, 2, 5]", "")))["correct_share"]
    assert share.method == "Clopper-Pearson"
    low, high = stats.binomtest(int(data["c"].sum()), 40).proportion_ci()
    assert share.interval == pytest.approx((low, high), rel=1e-9)


def test_retrieval_and_faithfulness(tmp_path):
    data = {
        "got": [["a", "b", "c"], ["x", "y"], None, ["q"]],
        "gold": [["b", "z"], ["x"], ["k"], []],
        "yes": [2, 0, 3, 0],
        "all": [4, 0, 3, 2],
    }
    plan = "measure: text-generation, data: data, retrieved: got, relevant: gold, k: [1, 2], supported: yes, claims: all"
    found = facts(measured(tmp_path, data, "", plan))
    assert [found[f"retrieval_mrr;k={k}"].value for k in (1, 2)] == [pytest.approx(1 / 3), pytest.approx(0.5)]
    assert found["claim_support"].counts == {"k": 5, "n": 9}
    assert [found[f"retrieval_hit_rate;k={k}"].counts for k in (1, 2)] == [{"k": 1, "n": 3}, {"k": 2, "n": 3}]
    assert [found[f"retrieval_recall;k={k}"].value for k in (1, 2)] == [pytest.approx(1 / 3), pytest.approx(0.5)]
    assert (found["faithfulness"].value, found["faithfulness"].n) == (pytest.approx((0.5 + 1 + 0) / 3), 3)


def test_judges_agree_beyond_chance(tmp_path):
    random = np.random.default_rng(3)
    human = random.choice(["good", "bad", "fair"], 300)
    judge = np.where(random.random(300) < 0.7, human, random.choice(["good", "bad"], 300))
    data = {"h": human, "j": judge, "id": np.arange(300) // 3, "s": random.normal(3, 1, 300)}
    plan = "measure: text-generation, data: data, judge: j, human: h, score: s"
    found = facts(measured(tmp_path, data, "", plan))
    assert found["judge_kappa"].value == pytest.approx(cohen_kappa_score(human, judge), rel=1e-9)
    assert found["judge_agreement"].counts == {"k": (human == judge).sum(), "n": 300}
    assert found["mean_score;of=s"].value == pytest.approx(data["s"].mean(), rel=1e-9)
    together = facts(measured(tmp_path, data, "", plan + ", sample: id"))
    assert together["judge_kappa"].value == found["judge_kappa"].value
    assert together["judge_kappa"].method == "jackknife over samples, Student's t, on Fisher's z scale"
    assert together["judge_kappa"].interval == pytest.approx(found["judge_kappa"].interval, abs=0.03), "unrelated outputs in samples of three"
    assert together["judge_agreement"].method.endswith(" over samples")


@given(
    st.lists(st.sampled_from(["the", "cat", "sat", "42", "on", "a-b"]), max_size=12),
    st.lists(st.sampled_from(["the", "cat", "on", "sat"]), max_size=12),
)
def test_rouge_l_is_that_of_rouge_score(one, other):
    oracle = rouge_scorer.RougeScorer(["rougeL"]).score(" ".join(other), " ".join(one))["rougeL"].fmeasure
    assert texts.rouge_l(" ".join(one), " ".join(other)) == pytest.approx(oracle, rel=1e-9)


def test_verdicts_on_claims_are_the_same_as_their_counts(tmp_path):
    data = {"v": [[True, False, True, False], [], [True], None], "yes": [2, 0, 1, 0], "all": [4, 0, 1, 0]}
    lists = facts(measured(tmp_path, data, "", "measure: text-generation, data: data, support: v"))
    counts = facts(measured(tmp_path, data, "", "measure: text-generation, data: data, supported: yes, claims: all"))
    assert lists == counts
    assert (lists["faithfulness"].value, lists["claim_support"].value) == (0.75, 0.6)
    with pytest.raises(SourceError, match="holds 'perhaps'"):
        measured(tmp_path, {"v": [["perhaps"]]}, "", "measure: text-generation, data: data, support: v")


def test_the_share_of_claims_has_an_interval_over_outputs(tmp_path):
    """As the jackknife of a ratio, output by output (Miller 1974)."""
    random = np.random.default_rng(0)
    claims = random.integers(1, 9, 80)
    yes = random.binomial(claims, 0.8)
    fact = facts(measured(tmp_path, {"yes": yes, "all": claims}, "", "measure: text-generation, data: data, supported: yes, claims: all"))[
        "claim_support"
    ]
    share = yes.sum() / claims.sum()
    without = np.array([np.delete(yes, i).sum() / np.delete(claims, i).sum() for i in range(80)])
    error = np.sqrt(((without - share) ** 2).sum() * 79 / 80)
    expected = moments.student(share, error**2, 80, 0.95, "", (0.0, 1.0))
    assert fact.interval == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_refusals_by_column_and_by_phrase(tmp_path):
    data = {"p": ["I  CANNOT help", "Paris", "no: i cannot", "Rome"], "f": [1, 0, 1, 0]}
    phrases = facts(measured(tmp_path, data, "", "measure: text-generation, data: data, prediction: p, refusals: [I cannot]"))
    column = facts(measured(tmp_path, data, "", "measure: text-generation, data: data, refused: f"))
    assert phrases["refusal_rate"].counts == column["refusal_rate"].counts == {"k": 2, "n": 4}


def test_judges_of_any_number(tmp_path):
    """Krippendorff 2011's example of four observers, as in the measure `agreement`."""
    data = {
        "a": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "b": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "c": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "d": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    table = {name: pa.array(values, pa.int64()) for name, values in data.items()}
    for scale, value in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)):
        plan = f"measure: text-generation, data: data, judges: [a, b, c, d], scale: {scale}"
        assert facts(measured(tmp_path, table, "", plan))["judges_alpha"].value == pytest.approx(value, abs=5e-4)
        same = facts(measured(tmp_path, table, "", plan.replace("text-generation", "agreement").replace("judges", "annotators")))[
            "krippendorff_alpha"
        ]
        assert facts(measured(tmp_path, table, "", plan))["judges_alpha"].interval == pytest.approx(same.interval, rel=1e-9)


def test_quantities(tmp_path):
    random = np.random.default_rng(0)
    seconds = random.lognormal(0, 1, 300)
    found = facts(measured(tmp_path, {"s": seconds}, "", "measure: text-generation, data: data, quantities: [s]"))
    assert found["quantity_total;of=s"].value == pytest.approx(seconds.sum())
    assert found["quantity_mean;of=s"].interval == pytest.approx(wider.mean(seconds), rel=1e-9)
    for q in (0.5, 0.9, 0.95, 0.99):
        assert found[f"quantity_quantile;of=s;q={q:g}"].value == np.quantile(seconds, q, method="inverted_cdf")
    exact = stats.quantile_test(seconds, q=0, p=0.5).confidence_interval(0.95)
    fact = found["quantity_quantile;of=s;q=0.5"]
    assert fact.interval == pytest.approx((exact.low, exact.high), rel=0.03), "order statistics next to each other"


@pytest.mark.parametrize(("samples", "each"), [(200, 1), (60, 5)])
def test_intervals_of_quantiles_cover(samples, each):
    """Seconds that epochs of a sample share in part: the coverage of the median and of the 9th decile."""
    random, covered = np.random.default_rng(3), []
    for _ in range(1500):
        seconds = np.exp((np.repeat(random.normal(size=samples), each) + random.normal(size=samples * each)) / np.sqrt(2))
        sample = Sample(np.zeros(len(seconds), dtype=np.int64), 1, None, np.repeat(np.arange(samples), each))
        for q in (0.5, 0.9):
            interval = quantities._interval(seconds, np.sort(seconds), q, sample, 0.95)
            covered.append(interval is not None and interval.low <= np.exp(stats.norm.ppf(q)) <= interval.high)
    shares = np.mean(np.array(covered).reshape(-1, 2), axis=0)
    assert (shares >= 0.94).all()
    assert (shares <= 0.975).all(), "order statistics are conservative, never by much"


def test_the_interval_of_kappa_over_samples_covers():
    """80 samples of 4 epochs graded by two judges who err together on hard samples."""
    random, covered = np.random.default_rng(5), []

    def draw(samples):
        skill = np.repeat(random.beta(3, 1.5, samples), 4)
        truth = np.repeat(random.integers(0, 2, samples), 4)
        return (np.where(random.random(len(skill)) < skill, truth, 1 - truth) for _ in range(2))

    one, other = draw(100_000)
    truth = cohen_kappa_score(one, other)
    for _ in range(1000):
        one, other = draw(80)
        interval = judges.clustered_kappa(one, other, 2, np.repeat(np.arange(80), 4), 0.95)[1]
        covered.append(interval.low <= truth <= interval.high)
    assert 0.935 <= np.mean(covered) <= 0.965


def test_the_same_in_any_order_and_partitioning(tmp_path):
    random = np.random.default_rng(2)
    data = pa.table(drawn() | {"p": random.choice(["x y", "y", "x z"], 200), "r": random.choice(["x y", "z"], 200), "s": random.random(200)})
    plan = PASS + ", prediction: p, references: r, judges: [p, r], quantities: [s], by: [g]"
    one = measured(tmp_path, data, ", by: [g]", plan)
    assert one.facts == measured(tmp_path, data.take(random.permutation(200)), ", by: [g]", plan, parts=6).facts


def test_groups_of_few_samples_are_suppressed_though_they_have_many_rows(tmp_path):
    data = drawn() | {"g": np.repeat(["few", "next", "many"], [45, 55, 100])}
    found = facts(measured(tmp_path, data, ", by: [g]", PASS + ", by: [g]", below=10))
    assert [found[f"pass_at_k;k=1?g={group}"].status for group in ("few", "next", "many")] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]


@pytest.mark.parametrize(
    ("change", "plan", "error", "said"),
    [
        ({}, "measure: text-generation, data: data", MeasureError, "give `prediction`"),
        ({}, PLAN.replace(", references: r", ""), MeasureError, "goes together"),
        ({}, PASS.replace("sample: id, ", ""), MeasureError, "needs `sample`"),
        ({"c": [1, 2]}, PASS, SourceError, "other values than 0 and 1"),
        ({"c": [1, 2]}, "measure: text-generation, data: data, refused: c", SourceError, r"\(refused\) holds other values than 0 and 1"),
        ({"c": [1, -2]}, "measure: text-generation, data: data, quantities: [c]", SourceError, r"'c' \(quantities\) is negative in 1 of 2 rows"),
        ({}, "measure: text-generation, data: data, judges: [p]", MeasureError, "at least two columns"),
        ({}, "measure: text-generation, data: data, prediction: p, refusals: [x], refused: c", MeasureError, "give one of them"),
        ({}, "measure: text-generation, data: data, prediction: p, refusals: [' ']", MeasureError, "refusals"),
        ({}, PLAN + ", logged: c", MeasureError, "`logged` is the mean of `correct`"),
        ({"r": ["x", None]}, PLAN, SourceError, "1 of 2 rows have no reference"),
        ({"p": ["x", None]}, PLAN, SourceError, r"column 'p' \(prediction\) is missing in 1 of 2 rows"),
        ({}, "measure: text-generation, data: data, supported: c, claims: z", SourceError, "more claims are supported"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(tmp_path, change, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, {"id": [1, 2], "c": [1, 0], "p": ["x", "y"], "r": ["x", "x"], "z": [0, 0]} | change, "", plan)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't x_y 3.14", ["don", "t", "x", "y", "3", "14"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("e\u0301te\u0301_\u00e9", ["e\u0301te\u0301", "\u00e9"]),
        ("你好 World世", ["你", "好", "world", "世"]),
        ("テスト", ["テ", "ス", "ト"]),
        ("\u2764\ufe0f ok", ["ok"]),
        ("", []),
    ],
)
def test_words_of_many_scripts(text, words):
    assert texts.words(text) == words


def test_chinese_answers_are_compared_letter_by_letter():
    assert texts.token_f1("北京市", "北京", texts.squad) == pytest.approx(0.8)
    assert texts.rouge_l("我在北京市", "北京") == pytest.approx(4 / 7)


def test_standard_errors_are_those_that_tools_print(tmp_path):
    random = np.random.default_rng(8)
    data = {"c": random.integers(0, 2, 70), "s": random.random(70), "t": random.random(70), "id": np.arange(70)}
    plan = "measure: text-generation, data: data, sample: id, correct: c, score: [s, t]"
    found = facts(measured(tmp_path, data, "", plan))
    for key, values in (("correct_share", data["c"]), ("mean_score;score=s", data["s"]), ("mean_score;score=t", data["t"])):
        assert found[f"standard_error;of={key}"].value == pytest.approx(stats.sem(values), rel=1e-9)


def test_models_and_filters_are_slices_of_the_same_samples(tmp_path):
    """Each model answered each sample twice; a slice has its own epochs, and both models together vary by sample."""
    data = {"id": np.repeat(np.arange(20), 4), "m": np.tile(["x", "x", "y", "y"], 20), "c": np.random.default_rng(1).integers(0, 2, 80)}
    found = facts(measured(tmp_path, data, ", by: [m]", PASS.replace("[1, 2, 5]", "[1, 2]") + ", by: [m]", below=10))
    for model in ("x", "y"):
        own = data["c"][data["m"] == model].reshape(20, 2)
        assert found[f"pass_at_k;k=2?m={model}"].value == pytest.approx(own.max(axis=1).mean())
        assert found[f"samples?m={model}"].value == 20
    assert (found["samples"].value, found["rows"].value) == (20, 80)


def test_what_the_log_says_is_held_against_the_samples(tmp_path):
    data = drawn(10, 3) | {"log": np.repeat(0.0, 30)}
    first, other = data["c"][:15].mean(), data["c"][15:].mean()
    data["log"] = np.where(np.arange(30) < 15, first, other + 0.01)
    run = measured(tmp_path, data, "", PASS.replace("[1, 2, 5]", "[1]") + ", logged: log")
    assert (facts(run)["runs_apart"].value, facts(run)["runs_apart"].n) == (1, 2)
    assert f"the log says {other + 0.01:.6g} (log), its samples {other:.6g}" in run.warnings[0]
    unequal = {"id": [1, 1, 1, 2], "c": [1, 1, 0, 0], "log": [1 / 3] * 4}
    assert facts(measured(tmp_path, unequal, "", PASS.replace("[1, 2, 5]", "[1]") + ", logged: log"))["runs_apart"].value == 0, "a mean over samples"
    nothing = unequal | {"log": pa.array([None] * 4, pa.float64())}
    assert facts(measured(tmp_path, nothing, "", PASS.replace("[1, 2, 5]", "[1]") + ", logged: log"))["runs_apart"].status is Status.UNDEFINED


def test_scores_of_a_declared_range_have_intervals_within_it(tmp_path):
    data = {"s": [1.0] * 23 + [0.5, 0.0], "b": [1] * 23 + [0] * 2}
    plan = "measure: text-generation, data: data, score: [s, b], ranges: {s: [0, 1], b: [0, 1]}"
    found = facts(measured(tmp_path, data, "", plan))
    assert found["mean_score;of=s"].high <= 1
    assert found["mean_score;of=b"].counts == {"k": 23, "n": 25}
    assert facts(measured(tmp_path, data, "", plan.partition(", ranges")[0]))["mean_score;of=s"].high > 1
    with pytest.raises(SourceError, match=r"'s' .score. is beyond its range in 23 of 25 rows"):
        measured(tmp_path, data, "", plan.replace("s: [0, 1]", "s: [0, 0.5]"))
    with pytest.raises(MeasureError, match="columns of `score`"):
        measured(tmp_path, data, "", plan.replace("s: [0, 1]", "t: [0, 1]"))


def test_lists_that_are_only_written_so_are_warned_of(tmp_path):
    run = measured(tmp_path, {"p": ["a", "b"], "r": ['["a", "c"]', '["b"]']}, "", PLAN)
    assert "column 'r' holds texts that look like lists" in run.warnings[0]
    assert not measured(tmp_path, {"p": ["a", "b"], "r": ["[x]", "b"]}, "", PLAN).warnings
    assert not measured(tmp_path, {"p": ["a", "b"], "r": [["[x]"], ["b"]]}, "", PLAN).warnings


def test_correct_answers_among_those_that_do_not_refuse(tmp_path):
    data = {"p": ["I can’t", "Paris", "i can't say", "Rome"], "c": [0, 1, 0, 0], "id": [1, 2, 3, 4]}
    found = facts(measured(tmp_path, data, "", PASS.replace("[1, 2, 5]", "[1]") + ", prediction: p, refusals: [I can't]"))
    assert found["refusal_rate"].counts == {"k": 2, "n": 4}
    assert found["correct_if_answered"].counts == {"k": 1, "n": 2}


def test_an_empty_reference_expects_no_answer(tmp_path):
    """As SQuAD 2.0 scores questions that have none."""
    found = facts(measured(tmp_path, {"p": ["", "x", ""], "r": [[""], [""], ["y"]]}, "", PLAN))
    assert [found[metric].value for metric in ("exact_match", "token_f1")] == pytest.approx([1 / 3, 1 / 3])


def test_outputs_without_a_reference_are_left_out_where_the_policy_says_so(tmp_path):
    run = measured(tmp_path, {"p": ["x", "y"], "r": ["x", None]}, ", missing: {label: drop}", PLAN)
    assert facts(run)["exact_match"].counts == {"k": 1, "n": 1}
    assert "1 of 2 rows have no reference and were left out" in run.warnings[0]


def test_golden(tmp_path):
    data = drawn(20) | {"p": np.tile(["The cat sat", "a dog", "cat", "cats sat down"], 25), "r": np.tile(["cat sat", "the dog!"], 50)}
    data |= {"a": np.tile(["x", "y", "x", "x", "z"], 20), "b": np.tile(["x", "y"], 50), "t": np.arange(100) * 37 % 101 / 8}
    data |= {"v": [[True, False]] * 60 + [[True]] * 30 + [[]] * 10, "d": [["k", "l"]] * 50 + [["m"]] * 50, "e": [["l"]] * 100}
    plan = PASS + ", prediction: p, references: r, by: [g], judge: a, human: b, judges: [a, b], support: v, retrieved: d, relevant: e"
    golden("text-generation", text_generation.VERSION, measured(tmp_path, data, ", by: [g]", plan + ", refusals: [dog], quantities: [t]"))


def test_intervals_cover():
    """60 samples of 4 epochs whose difficulty varies: the coverage of pass@2."""
    random, runs, samples, each = np.random.default_rng(9), 1500, 60, 4
    skill = random.beta(2, 2, (runs, samples, 1))
    correct = (random.random((runs, samples, each)) < skill).astype(float).reshape(-1)
    answer = Answer("m", 0.95, {item.name: item for item in text_generation.METRICS}, frozenset(), "")
    names = [(("run", str(i)),) for i in range(runs)]
    clusters = np.repeat(np.arange(runs * samples), each)
    epochs.add(answer, correct, Slices(names, np.repeat(np.arange(runs), samples * each), clusters, "sample", 0), [2])
    truth = 1 - 2 * 3 / (4 * 5)
    assert 0.94 <= np.mean([fact.low <= truth <= fact.high for fact in answer.facts]) <= 0.96
