"""Predictions for tests of whole books: small, made by rule, the same everywhere."""

from __future__ import annotations

import csv
from pathlib import Path

INIT = ("--label", "y", "--score", "p", "--key", "id", "--by", "sex", "--by", "age:40,60", "--protected", "sex=male")


def predictions(path: Path, rows: int = 240, separator: str = ",") -> Path:
    """Rows with a label, a score, a key and two groups; the score knows something about the label."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerow(["id", "y", "p", "yhat", "sex", "age"])
        for row in range(rows):
            label = int(row * 7 % 11 < 5)
            score = (row * 37 % 100) / 200 + label / 3
            writer.writerow([row, label, f"{score:.3f}", int(score >= 0.4), ("male", "female")[row * 5 % 7 % 2], 20 + row * 13 % 60])
    return path
