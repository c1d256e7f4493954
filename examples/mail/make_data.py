"""Writes the data of this example: SYNTHETIC mail of an office. Nobody wrote or received any of it. `python make_data.py` gives the same bytes."""

from __future__ import annotations

import random
from pathlib import Path

HERE = Path(__file__).parent / "data"
MAILS = 600
SKILLS = {"new": 0.62, "earlier": 0.44}


def main() -> None:
    """Write what the filter and its earlier version said of the same mails: new.csv and earlier.csv."""
    draw = random.Random(20260915)  # noqa: S311 (no secret is drawn)
    HERE.mkdir(exist_ok=True)
    rows = {name: ["mail,language,spam,score"] for name in SKILLS}
    for number in range(MAILS):
        language = "de" if draw.random() < 0.3 else "en"
        spam = draw.random() < 0.35
        ease = draw.gauss(0, 0.1)
        for name, skill in SKILLS.items():
            centre = 0.5 + skill * (0.5 if spam else -0.5) * (0.75 if language == "de" else 1)
            score = min(max(centre + ease + draw.gauss(0, 0.17), 0), 1)
            rows[name].append(f"m{number:04},{language},{'yes' if spam else 'no'},{score:.3f}")
    for name, lines in rows.items():
        (HERE / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
