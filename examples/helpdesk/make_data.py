"""Makes the synthetic data of this example: no question in it was asked by anybody. `python make_data.py` writes the same files every time."""

from __future__ import annotations

import random
from pathlib import Path

HERE = Path(__file__).parent / "data"
TOPICS = ("hours", "fees", "cards", "events")
PLACES = ("North Branch", "South Branch", "Main Library", "Harbour Branch", "Music Library")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
SHARES = {"hours": 0.92, "fees": 0.8, "cards": 0.75, "events": 0.55}


def main() -> None:
    """Write answers.csv, the log of one run of the benchmark, and checks.csv, how two librarians judged a part of it."""
    draw = random.Random(20260501)  # noqa: S311 (no secret is drawn)
    answers, checks = ["task,topic,question,expected,answer,correct,seconds"], ["task,ann,ben"]
    for number in range(160):
        topic, place, day = draw.choice(TOPICS), draw.choice(PLACES), draw.choice(DAYS)
        right = draw.random() < SHARES[topic]
        refused = not right and draw.random() < 0.4
        answer = day if right else "I do not know" if refused else draw.choice([other for other in DAYS if other != day])
        seconds = round(draw.lognormvariate(0.2, 0.4), 2)
        answers.append(f"q{number:03},{topic},On which day can I ask about {topic} at the {place}?,{day},{answer},{int(right)},{seconds}")
        if number % 2 == 0:
            said = [("good" if right else "bad") if draw.random() < 0.95 else draw.choice(("good", "bad")) for _ in range(2)]
            checks.append(f"q{number:03},{said[0]},{said[1]}")
    (HERE / "answers.csv").write_text("\n".join(answers) + "\n", encoding="utf-8")
    (HERE / "checks.csv").write_text("\n".join(checks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
