"""Makes the synthetic data of this example: no patient in it is real. `python make_data.py` writes the same file every time."""

from __future__ import annotations

import math
import random
from pathlib import Path

HERE = Path(__file__).parent / "data"
PATIENTS = 600


def main() -> None:
    """Write patients.csv: for each patient who they are, what the model said, and whether the disease progressed fast."""
    draw = random.Random(20260301)  # noqa: S311 (no secret is drawn)
    lines = ["patient,sex,age,score,fast"]
    for number in range(PATIENTS):
        sex, age = draw.choice(("women", "men")), draw.randint(21, 84)
        burden = draw.gauss(0, 1)
        fast = draw.random() < 1 / (1 + math.exp(1.1 - 1.5 * burden))
        seen = burden if age >= 40 else 0.7 * burden - 0.35
        score = 1 / (1 + math.exp(0.2 - 1.6 * (seen + draw.gauss(0, 0.35))))
        lines.append(f"p{number:03},{sex},{age},{score:.3f},{'yes' if fast else 'no'}")
    (HERE / "patients.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
