"""Corpora of texts: counts by plain loops, near-duplicates by comparing all pairs, scripts by Unicode, leakage between two corpora."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import wider
from hypothesis import given, settings
from hypothesis import strategies as st
from planned_measures import facts, golden, measured

from factbook import measures, sources
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.measures import duplicates, scripts, text_corpus
from factbook.model import Status, silent
from measuring import manifest, shared

PLAN = "measure: text-corpus, data: data, text: t"
WORD = re.compile(r"[^\W_]+")


def jaccard(one: str, other: str, size: int = 3) -> float:
    a, b = (
        {tuple(words[i : i + size]) for i in range(max(len(words) - size + 1, 1))} if (words := WORD.findall(text.lower())) else set()
        for text in (one, other)
    )
    return len(a & b) / len(a | b) if a | b else 0.0


def corpus(seed: int = 0, size: int = 120) -> list[str | None]:
    """Sentences of few words, copies, copies with a word changed, empty and missing texts."""
    random = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(60)]
    texts: list[str | None] = [" ".join(random.choice(words, random.integers(1, 25))) for _ in range(size)]
    for i in range(0, size // 2, 3):
        copy = str(texts[i]).split()
        if i % 2:
            copy[int(random.integers(len(copy)))] = "other"
        texts.append(" ".join(copy))
    return [*texts, None, "  ", "", str(texts[1]).upper()]


@pytest.mark.parametrize("near", ["0.5", "0.8", "1"])
def test_duplicates_are_those_of_all_pairs(tmp_path, near):
    texts = corpus()
    found = facts(measured(tmp_path, {"t": texts}, "", f"{PLAN}, near: {near}"))
    there = sorted({text for text in texts if text and text.strip()})
    pairs = [(i, j) for i, j in combinations(range(len(there)), 2) if jaccard(there[i], there[j]) >= float(near) - 1e-12]
    clusters = len(set(duplicates.components(len(there), pairs).tolist()))
    n = len(texts) - 3
    assert (found["texts"].value, found["missing"].value, found["empty"].value) == (n, 1, 2)
    assert found["exact_duplicates"].value == n - len(there)
    assert found[f"near_duplicates;near={near}"].value == n - clusters
    assert found[f"near_duplicate_share;near={near}"].counts == {"k": n - clusters, "n": n}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 12), max_size=8), min_size=1, max_size=12), st.sampled_from([0.3, 0.5, 0.75, 1.0]))
def test_the_join_finds_every_pair(sets, least):
    owner = np.array([i for i, own in enumerate(sets) for _ in own], dtype=np.int64)
    element = np.array([x for own in sets for x in sorted(own)], dtype=np.int64)
    pairs = [
        (i, j) for i, j in combinations(range(len(sets)), 2) if sets[i] | sets[j] and len(sets[i] & sets[j]) >= least * len(sets[i] | sets[j]) - 1e-9
    ]
    assert sorted(duplicates.alike_sets(owner, element, len(sets), least).pairs) == pairs


def test_a_text_that_thousands_share_is_bounded_and_said(tmp_path):
    texts = [f"our terms and conditions apply to everything that we sell in shop number n{i}" for i in range(1500)]
    run = measured(tmp_path, {"t": texts}, "", PLAN + ", near: 0.7")
    assert facts(run)["near_duplicates;near=0.7"].value == 1499
    assert "there may be more" in run.warnings[0]


def test_lengths_and_words(tmp_path):
    texts = [text for text in corpus() if text and text.strip()]
    found = facts(measured(tmp_path, {"t": texts}, "", PLAN))
    words = [word for text in texts for word in WORD.findall(text.lower())]
    counted = Counter(words)
    assert found["total_length;unit=words"].value == len(words)
    assert found["vocabulary"].value == len(counted)
    assert found["hapax"].value == sum(count == 1 for count in counted.values())
    assert found["type_token_ratio"].value == pytest.approx(len(counted) / len(words))
    lengths = [len(text) for text in texts]
    for q in (0.05, 0.25, 0.5, 0.95):
        assert found[f"length;q={q:g};unit=characters"].value == np.quantile(lengths, q, method="inverted_cdf")
    mean = found["mean_length;unit=characters"]
    assert mean.value == pytest.approx(np.mean(lengths))
    assert mean.interval == pytest.approx(wider.mean(lengths), rel=1e-9)


def test_scripts_are_those_of_unicode(tmp_path):
    texts = ["Привет мир 42", "hello wörld!", "東京 タワー ひらがな", "مرحبا", "שלום", "한국어", "🙂 …"]
    found = facts(measured(tmp_path, {"t": texts}, "", PLAN))
    letters = {"Cyrillic": 9, "Latin": 10, "Han": 2, "Katakana": 3, "Hiragana": 4, "Arabic": 5, "Hebrew": 4, "Hangul": 3}
    total = sum(letters.values()) - 1  # the prolonged sound mark of タワー is shared by two scripts
    letters["Katakana"] -= 1
    assert {key: dict(fact.counts) for key, fact in found.items() if key.startswith("script_share")} == {
        f"script_share;script={name}": {"k": k, "n": total} for name, k in letters.items()
    }


def test_scripts_against_the_names_of_characters(tmp_path):
    """Letters whose name begins with that of their script."""
    import unicodedata

    named = {
        "LATIN": "Latin",
        "GREEK": "Greek",
        "CYRILLIC": "Cyrillic",
        "ARMENIAN": "Armenian",
        "THAI": "Thai",
        "ETHIOPIC": "Ethiopic",
        "HANGUL": "Hangul",
    }
    letters = [chr(code) for code in range(0x250, 0x2000) if unicodedata.category(chr(code)) in ("Lu", "Ll", "Lo")]
    known = scripts.of(letters, tmp_path)
    for letter in letters:
        first = unicodedata.name(letter).split()[0]
        if first in named:
            assert known[letter] == named[first], unicodedata.name(letter)


def test_languages_are_judged_where_a_library_is_named(tmp_path):
    texts = ["Der Hund schläft heute auf dem Sofa im Wohnzimmer.", "The committee will meet again on Thursday morning.", "ok"]
    plain = facts(measured(tmp_path, {"t": texts}, "", PLAN))
    assert plain["language_share"].reason == "not judged: `languages` names no library"
    pytest.importorskip("py3langid")
    found = facts(measured(tmp_path, {"t": texts}, "", PLAN + ", languages: py3langid"))
    assert found["language_share;language=de"].counts == {"k": 1, "n": 2}
    assert found["language_share;language=en"].note == "as py3langid judges"


def test_hints_of_personal_data_are_counted_and_never_shown(tmp_path):
    texts = [
        "write to ada@example.org or ada@example.com",
        "pay DE89 3704 0044 0532 0130 00",
        "card 4111 1111 1111 1111",
        "card 4111 1111 1111 1112",
        "7",
    ]
    run = measured(tmp_path, {"t": texts}, "", PLAN)
    found = {key: fact.value for key, fact in facts(run).items() if key.startswith("personal_data")}
    assert found["personal_data;kind=e-mail"] == 1
    assert found["personal_data;kind=IBAN"] == 1
    assert found["personal_data;kind=card"] == 1
    assert not any(secret in str(run) for secret in ("example.org", "3704", "4111"))


def test_what_two_corpora_share(tmp_path):
    train = ["the cat sat on the mat today", "a wholly different sentence about whales", "the cat sat on the mat today", "x"]
    test = ["the cat sat on the mat today", "a wholly different sentence about Whales!", "y"]
    found = facts(measured(tmp_path, {"t": train}, "", PLAN + ", against: other", other=({"t": test}, "")))
    assert found["shared"].value == 2
    assert found["shared;near=0.8"].value == 3
    assert found["shared_share;near=0.8"].counts == {"k": 3, "n": 4}


def test_labels(tmp_path):
    data = {"t": ["a b c", "a b c", "d", "d", "e"], "y": ["p", "n", "p", "p", None]}
    found = facts(measured(tmp_path, data, ", label: y", PLAN))
    assert found["class_share;class=p"].counts == {"k": 3, "n": 4}
    assert found["conflicting_labels"].value == 1


def test_the_same_in_any_order_and_partitioning(tmp_path):
    texts = corpus()
    data = pa.table({"t": texts, "g": np.tile(["a", "b"], len(texts))[: len(texts)]})
    one = measured(tmp_path, data, ", by: [g]", PLAN + ", by: [g]")
    shuffled = data.take(np.random.default_rng(5).permutation(data.num_rows))
    assert one.facts == measured(tmp_path, shuffled, ", by: [g]", PLAN + ", by: [g]", parts=7).facts


def test_a_class_that_is_a_hidden_group_is_hidden_too(tmp_path):
    data = {"t": [f"text {i}" for i in range(60)], "y": ["few"] * 4 + ["some"] * 16 + ["many"] * 40}
    found = facts(measured(tmp_path, data, ", label: y, by: [y]", PLAN + ", by: [y]", below=10))
    for key in ("class_share;class={}", "texts?y={}"):
        assert [found[key.format(name)].status for name in ("few", "some", "many")] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]


def from_folder(root: Path, source: dict[str, object], **plan: object):
    book = manifest({"data": {"uri": "", **source}}, {"m": {"measure": "text-corpus", "data": "data", **plan}}, suppress_below="0")
    return facts(measures.run("m", book.plan["m"], book, root, root / ".factbook", silent))


def test_texts_in_files_and_in_archives(tmp_path):
    import zipfile

    for name, text in (("pos/1.txt", "good\nfilm"), ("pos/2.txt", "fine"), ("neg/1.txt", "schlächt")):
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_text(text, encoding="latin-1")
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        for path in sorted((tmp_path / "texts").glob("*/*")):
            archive.write(path, path.relative_to(tmp_path / "texts"))
        archive.writestr("README.md", "not a text")
    about = {"format": "texts", "encoding": "latin-1", "label": "folder", "by": ["folder"]}
    loose = from_folder(tmp_path, {**about, "uri": "texts/*/*.txt"}, by=["folder"])
    packed = from_folder(tmp_path, {**about, "uri": "texts.zip", "members": "*.txt"}, by=["folder"])
    assert loose == packed
    assert (loose["texts?folder=pos"].value, loose["class_share;class=neg"].value) == (2, pytest.approx(1 / 3))
    with pytest.raises(SourceError, match=r"byte 4 of neg/1.txt is not utf-8"):
        sources.table(Source(uri="texts/*/*.txt", format="texts"), tmp_path, tmp_path / ".factbook")
    before = sources.digest(Source(uri="texts/*/*.txt", format="texts"), tmp_path, tmp_path / ".factbook")
    (tmp_path / "texts/neg/1.txt").rename(tmp_path / "texts/neg/9.txt")
    assert before != sources.digest(Source(uri="texts/*/*.txt", format="texts"), tmp_path, tmp_path / ".factbook")


def test_an_archive_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK no")
    with pytest.raises(SourceError, match="cannot be unpacked"):
        sources.table(Source(uri="a.zip", format="texts"), tmp_path, tmp_path / ".factbook")


def test_real_sentences(tmp_path):
    """Movie reviews of Pang & Lee 2005: balanced, English, without exact duplicates."""
    path = shared("sentiment/sentence_polarity.zip")
    (tmp_path / "s.zip").symlink_to(path)
    source = {"uri": "s.zip", "members": "*/rt-polarity.*", "encoding": "latin-1", "format": "lines", "label": "file"}
    found = from_folder(tmp_path, source)
    assert (found["texts"].value, found["exact_duplicates"].value, found["near_duplicates;near=0.8"].value) == (10662, 0, 2)
    assert found["class_share;class=rt-polarity.pos"].value == 0.5
    assert found["script_share;script=Latin"].value == 1


def test_golden(tmp_path):
    texts = corpus(size=30)
    data = {"t": texts, "g": np.tile(["a", "b"], len(texts))[: len(texts)].tolist(), "y": np.tile(["p", "q", "q"], len(texts))[: len(texts)].tolist()}
    plan = PLAN + ", against: other, by: [g]"
    golden("text-corpus", text_corpus.VERSION, measured(tmp_path, data, ", by: [g], label: y", plan, other=({"t": texts[:9]}, "")))


def test_chinese_texts_that_differ_in_a_letter_are_nearly_the_same(tmp_path):
    text = "这部电影的故事很好演员也很好但是音乐太吵了我不喜欢"
    found = facts(measured(tmp_path, {"t": [text, text + "吗", "完全不同的一句话没有任何共同的地方"]}, "", PLAN))
    assert found["near_duplicates;near=0.8"].value == 1
    assert found["length;q=1;unit=words"].value == len(text) + 1
