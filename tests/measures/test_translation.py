"""BLEU and chrF: equal to sacreBLEU for a corpus, by slice and over samples; intervals that are the jackknife's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from planned_measures import facts, measured

from factbook.errors import MeasureError
from factbook.measures import translation
from factbook.statistics import moments

PLAN = "measure: text-generation, data: data, prediction: p, references: r, overlap: [bleu, chrf]"
WORDS = ["the", "cat", "sat", "mat.", "3.5", "1,000", "5-6", "&quot;hi&quot;", "(a)", "don't", "Zoë", "你好", "--", "l-\nx", "$5", "“q”", "<skipped>"]
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


@given(st.lists(st.tuples(texts, st.lists(texts, min_size=2, max_size=2)), min_size=1, max_size=6))
def test_both_are_those_of_sacrebleu(corpus):
    outputs, references = [text for text, _ in corpus], [tuple(own) for _, own in corpus]
    for metric, formula, oracle in (("bleu", translation.bleu, sacrebleu.corpus_bleu), ("chrf", translation.chrf, sacrebleu.corpus_chrf)):
        counts = translation.counted(metric, outputs, references).sum(axis=0)
        wanted = oracle(outputs, [list(own) for own in zip(*references, strict=True)]).score
        assert formula(counts[None].astype(float))[0] == pytest.approx(wanted, abs=1e-9)


def corpus(size: int = 60) -> dict[str, list[str]]:
    random = np.random.default_rng(3)
    lines = [" ".join(random.choice(WORDS, random.integers(4, 12))) for _ in range(size)]
    outputs = [" ".join(word if random.random() < 0.8 else "dog" for word in line.split(" ")) for line in lines]
    return {"p": outputs, "r": lines, "g": ["a", "b"] * (size // 2), "id": [str(i // 3) for i in range(size)]}


def test_slices_and_intervals(tmp_path):
    data = corpus()
    found = facts(measured(tmp_path, data, ", by: [g]", PLAN + ", by: [g]"))
    own = [i for i, group in enumerate(data["g"]) if group == "b"]
    outputs, references = ([data[name][i] for i in own] for name in ("p", "r"))
    assert found["bleu?g=b"].value == pytest.approx(sacrebleu.corpus_bleu(outputs, [references]).score)
    assert found["chrf?g=b"].value == pytest.approx(sacrebleu.corpus_chrf(outputs, [references]).score)
    value = sacrebleu.corpus_bleu(data["p"], [data["r"]]).score
    left = [sacrebleu.corpus_bleu(data["p"][:i] + data["p"][i + 1 :], [data["r"][:i] + data["r"][i + 1 :]]).score for i in range(60)]
    expected = moments.student(value, float(np.var(left)) * 59, 60, 0.95, "", (0.0, 100.0))
    assert found["bleu"].interval == pytest.approx((expected.low, expected.high), rel=1e-6)
    assert found["bleu"].method.startswith("jackknife over outputs")


def test_epochs_of_a_sample_vary_together(tmp_path):
    data = corpus()
    found = facts(measured(tmp_path, data, "", PLAN + ", sample: id"))
    left = []
    for sample in dict.fromkeys(data["id"]):
        rest = [i for i, name in enumerate(data["id"]) if name != sample]
        left.append(sacrebleu.corpus_chrf([data["p"][i] for i in rest], [[data["r"][i] for i in rest]]).score)
    expected = moments.student(found["chrf"].value, float(np.var(left)) * 19, 20, 0.95, "", (0.0, 100.0))
    assert found["chrf"].interval == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_the_interval_covers():
    """60 outputs whose words are kept with a chance of their own."""
    random, covered = np.random.default_rng(11), []
    words = np.array(WORDS[:9])

    def counts(size):
        found = []
        for _ in range(size):
            line = random.choice(words, random.integers(5, 15))
            kept = np.where(random.random(len(line)) < random.beta(8, 2), line, "dog")
            found.append(translation.bleu_counts(" ".join(kept), [" ".join(line)]))
        return np.array(found)

    every = counts(8000)
    truth = translation.bleu(every.sum(axis=0)[None].astype(float))[0]
    for _ in range(800):
        own = every[random.integers(0, len(every), 60)]
        total = own.sum(axis=0)
        without = translation.bleu((total - own).astype(float))
        interval = moments.student(translation.bleu(total[None].astype(float))[0], float(np.var(without)) * 59, 60, 0.95, "", (0.0, 100.0))
        covered.append(interval.low <= truth <= interval.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_nothing_in_common_is_0_and_references_are_needed(tmp_path):
    found = facts(measured(tmp_path, {"p": ["a b", "c"], "r": ["x", "y z"]}, "", PLAN))
    assert (found["bleu"].value, found["chrf"].value) == (0, 0)
    with pytest.raises(MeasureError, match="`overlap` is that of"):
        measured(tmp_path, {"p": ["a"], "r": ["b"]}, "", PLAN.replace("references: r", "refusals: [x]"))


def test_the_same_in_any_order(tmp_path):
    table = pa.table(corpus())
    one = measured(tmp_path, table, "", PLAN + ", sample: id")
    assert one.facts == measured(tmp_path, table.take(np.random.default_rng(0).permutation(60)), "", PLAN + ", sample: id", parts=4).facts
