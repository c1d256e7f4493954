"""Writes the data of this example: SYNTHETIC loan applications. No row is a person, and no lender uses these models.

    python make_data.py

Two models score every application. `scorecard` looks at the area, which goes with sex here; `challenger` does not. From July on the income feed
delivers monthly incomes where yearly ones were expected: the scorecard reads them as they come (`scorecard`), and `restored` is what it says when
the change is undone. The same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

SEED = 20260701
FOLDER = Path(__file__).parent / "data"
COLUMNS = ("id", "sex", "age", "area", "income", "debt", "years", "repaid", "scorecard", "challenger")


def squashed(value: float) -> float:
    return round(1 / (1 + math.exp(-value)), 3)


def scorecard(income: float, debt: float, years: int, area: str) -> float:
    return squashed(0.45 + 0.035 * (income - 36) - 0.075 * (debt - 12) + 0.06 * years - (0.75 if area == "south" else 0))


def challenger(income: float, debt: float, years: int, age: int) -> float:
    return squashed(0.15 + 0.04 * (income - 36) - 0.085 * (debt - 12) + 0.075 * years + 0.004 * (age - 40))


def applications(draw: random.Random, first: int, count: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for number in range(first, first + count):
        sex = draw.choice(("men", "women"))
        age = draw.randint(20, 70)
        area = "south" if draw.random() < (0.55 if sex == "women" else 0.3) else "north"
        income = max(12.0, round(draw.gauss(36, 10), 1))
        debt = max(0.0, round(draw.gauss(12, 6), 1))
        years = draw.randint(0, min(age - 18, 25))
        chance = 0.5 + 0.045 * (income - 36) - 0.095 * (debt - 12) + 0.07 * years - (0.15 if area == "south" else 0)
        repaid = draw.random() < 1 / (1 + math.exp(-chance))
        row = {"id": f"A{number:04}", "sex": sex, "age": age, "area": area, "income": income, "debt": debt}
        found.append(row | {"years": years, "repaid": "yes" if repaid else "no", "challenger": challenger(income, debt, years, age)})
    return found


def write(name: str, rows: list[dict[str, object]], columns: tuple[str, ...]) -> None:
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    draw = random.Random(SEED)  # noqa: S311
    FOLDER.mkdir(exist_ok=True)
    before = applications(draw, 1, 1200)
    after = applications(draw, 1201, 600)
    for row in before:
        row["scorecard"] = scorecard(row["income"], row["debt"], row["years"], row["area"])  # type: ignore[arg-type]
    for row in after:
        row["restored"] = scorecard(row["income"], row["debt"], row["years"], row["area"])  # type: ignore[arg-type]
        row["income"] = round(row["income"] / 12, 2)  # type: ignore[operator]
        row["scorecard"] = scorecard(row["income"], row["debt"], row["years"], row["area"])  # type: ignore[arg-type]
    write("before.csv", before, COLUMNS)
    write("after.csv", after, (*COLUMNS, "restored"))


if __name__ == "__main__":
    main()
