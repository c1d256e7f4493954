"""Makes the synthetic data of this example: no reader and no loan in it is real. `python make_data.py` writes the same files every time."""

from __future__ import annotations

import random
from pathlib import Path

HERE = Path(__file__).parent / "data"
GENRES = ("crime", "history", "novel", "science", "travel")
BANDS = ("18-29", "30-49", "50-69", "70+")
TITLES = 60
READERS = 160
SHOWN = 12


def main() -> None:
    """Write loans.csv, what was borrowed before, and lists.csv, what was suggested afterwards and borrowed or not."""
    draw = random.Random(20260401)  # noqa: S311 (no secret is drawn)
    titles = [(f"t{number:03}", GENRES[number % len(GENRES)], 1 / (1 + number)) for number in range(TITLES)]
    readers = [(f"r{number:03}", draw.choices(BANDS, (2, 4, 4, 1))[0], draw.sample(GENRES, 2)) for number in range(READERS)]
    before = {title: 0 for title, _, _ in titles}
    loans = []
    for reader, band, likes in readers:
        for title, genre, weight in titles:
            if draw.random() < 0.04 + 0.35 * weight + 0.16 * (genre in likes):
                before[title] += 1
                loans.append((len(loans) + 1, reader, band, title, genre, draw.randint(2, 42)))
    _write("loans.csv", "loan,reader,age_band,title,genre,days", loans)
    lists = []
    for reader, band, likes in readers:
        known = 0.9 if band != "18-29" else 0.45
        for title, genre, weight in draw.sample(titles, SHOWN):
            borrowed = int(draw.random() < 0.08 + 0.2 * weight + 0.32 * (genre in likes))
            score = 0.25 * weight + known * (genre in likes) + draw.gauss(0, 0.35)
            lists.append((reader, band, title, genre, borrowed, f"{score:.3f}", before[title]))
    _write("lists.csv", "reader,age_band,title,genre,borrowed,score,loans_before", lists)


def _write(name: str, header: str, rows: list[tuple[object, ...]]) -> None:
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
    (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
