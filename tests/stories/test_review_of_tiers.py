"""A high-risk model before its submission: three documents over one body of evidence, each part signed by whom it concerns, and new data afterwards.

Heart disease as in test_heart_disease.py; the engineer answers for the figures of the card, the clinician for those of the summary, the auditor for
the part of the technical file about testing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_val_predict
from telling import factbook, frame, logistic, measured

from factbook import Book
from factbook.book import diff
from factbook.documents import kinds

MANIFEST = """
subject: {name: heart-disease, version: 1.0.0}
stage: draft
sources:
  log: {uri: log.csv, label: HeartDisease, positive: "1", score: score, cut: 0.5, key: rownames, by: [Sex]}
plan:
  performance: {measure: classification, data: log, by: [Sex]}
  fairness: {measure: fairness, data: log, protected: {Sex: M}}
"""
PARTS = {
    "model-card": ("Quantitative analyses", "eda", "engineer"),
    "summary-clinicians": ("For whom it works", "clara", "domain expert"),
    "technical-file": ("Item 2(g): validation and testing", "ari", "auditor"),
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book in draft, its three documents begun, with the questions of the parts that are to be signed answered."""
    table = frame("medical/heart_disease.csv")
    known = table.drop(columns=["rownames", "HeartDisease"])
    score = cross_val_predict(logistic(known), known, table["HeartDisease"], cv=5, method="predict_proba")[:, 1]
    root = tmp_path_factory.mktemp("tiers")
    people = {}
    for name, role in {"eda": "engineer", "clara": "domain expert", "ari": "auditor"}.items():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / f"{name}.key")], check=True, capture_output=True)
        people[name] = {"name": name.title(), "roles": [role], "key": (root / f"{name}.key.pub").read_text(encoding="ascii").strip()}
    required = [{"document": kind, "section": part, "role": role, "from": "validation"} for kind, (part, _, role) in PARTS.items()]
    made = measured(
        root, f"{MANIFEST}review: {json.dumps({'people': people, 'required': required})}\n", {"log": table.assign(score=np.round(score, 6))}
    )
    for kind, (part, _, _) in PARTS.items():
        section = kinds.load(kind).section(part)
        assert section is not None
        made.new(kind, answers={question.id: "Answered by those who know." for question in section.questions})
    return root


def test_each_stakeholder_signs_their_part_and_new_data_call_them_back(book: Path, tmp_path: Path) -> None:
    assert [item.why for item in Book(book).reviews.asked] == ["nobody has signed"] * 3
    for kind, (part, person, role) in PARTS.items():
        more = ["--tolerance", "0.1", "--tolerance", "counts=25%"] if person == "eda" else []
        factbook("sign", kind, "--section", part, "--role", role, "--as", person, "--key", f"{person}.key", *more, cwd=book)
    signed = Book(book).reviews
    assert [(item.met, item.why) for item in signed.asked] == [(True, "")] * 3
    assert [finding.code for finding in Book(book).check().findings if finding.code.startswith("FB5")] == []

    later = Path(shutil.copytree(book, tmp_path / "later"))
    lines = (later / "log.csv").read_text(encoding="utf-8").splitlines()
    (later / "log.csv").write_text("\n".join(line for n, line in enumerate(lines) if n == 0 or n % 40) + "\n", encoding="utf-8")
    factbook("measure", cwd=later)
    factbook("update", cwd=later)
    falls = {item.person: item for item in diff(book, later).sign_offs}
    assert set(falls) == {"eda", "clara", "ari"}
    assert {item.before for item in falls.values()} == {"stands"}
    assert (falls["eda"].after, falls["clara"].after) == ("carried", "fallen")
    assert "performance/" in falls["clara"].why
    path = later / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("stage: draft", "stage: validation"), encoding="utf-8")
    wanted = [finding.message for finding in Book(later).check().findings if finding.code == "FB501"]
    assert len(wanted) == 3, "neither what fell nor what is carried meets what is asked for"
