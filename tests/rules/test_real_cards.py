"""The rules on documents that others published: what they find is pinned; docs/guide/rules-on-real-cards.md is the review of it by hand."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from factbook import Book

CARDS = Path(__file__).parents[3] / "shared" / "data" / "cards"
FOUND = {
    "hf_lvwerra_bert-imdb.md": {"FB106": 3},
    "multitacred_datasheet.md": {"FB106": 3, "FB320": 1},
    "openai_CLIP_model-card.md": {"FB106": 6, "FB320": 1},
    "openai_whisper_model-card.md": {"FB106": 16, "FB304": 2, "FB311": 2},
}

UNREVIEWED: set[str] = set()  # whoever adds a rule puts it here until what it finds has been reviewed


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_in_a_published_card_is_what_was_reviewed(tmp_path: Path, name: str) -> None:
    if not (CARDS / name).is_file():
        pytest.skip("the published cards are not here")
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text("factbook: 1\nsubject: {kind: model, name: card}\n", encoding="utf-8")
    shutil.copyfile(CARDS / name, tmp_path / "documents" / ("datasheet.md" if "datasheet" in name else "model-card.md"))
    report = Book(tmp_path).check()
    findings = [finding for finding in report.findings if finding.code not in UNREVIEWED]
    assert Counter(finding.code for finding in findings) == FOUND[name]
    assert all(str(finding.severity) == "warning" for finding in findings if finding.code != "FB106")
