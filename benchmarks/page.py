"""The page of the guide, written from the last run: no figure in it is typed by hand.

python -m benchmarks.page        writes docs/guide/benchmarks.md anew from results.json and machine.json
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, SHORT, TRIES

FOLDER = Path(__file__).parent
RESULTS, MACHINE, PAGE = FOLDER / "results.json", FOLDER / "machine.json", FOLDER.parent / "docs/guide/benchmarks.md"
HEADING = f"{'':10} {'cpu s':>9} {'wall s':>9} {'peak MiB':>9} {'x limit':>9} {'x factbook':>11} {'x its memory':>13}"
Row = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A ratio in one run: a figure of one tool, over another's; `bound` is what it has to reach (`least`) or must not pass."""

    words: str
    case: str
    over: tuple[str, int]
    under: tuple[str, int] | None
    bound: float
    least: bool = True
    field: str = "cpu_s"


GOALS = (
    Goal("rates with intervals, over the limit", "rates", ("factbook", 10**7), ("decode", 10**7), 2, least=False),
    Goal("with AUC and DeLong's interval, over the limit", "rates and scores", ("factbook", 10**7), ("decode", 10**7), 4, least=False),
    Goal("drift of 50 columns, over the limit", "drift, 50 columns", ("factbook", 10**6), ("decode", 10**6), 3, least=False),
    Goal("peak memory with scores, MiB", "rates and scores", ("factbook", 10**8), None, 512, False, "peak_mib"),
    Goal(
        "peak memory with scores, over that at 10,000,000 rows", "rates and scores", ("factbook", 10**8), ("factbook", 10**7), 1.1, False, "peak_mib"
    ),
    Goal("fairlearn over factbook", "rates and scores", ("fairlearn", 10**5), ("factbook", 10**5), 200),
    Goal("fairlearn over factbook", "rates and scores", ("fairlearn", 10**6), ("factbook", 10**6), 200),
    Goal("fairlearn's bootstrap over factbook", "intervals of one attribute", ("fairlearn", 10**5), ("factbook", 10**5), 500),
    Goal("aequitas over factbook", "rates", ("aequitas", 10**7), ("factbook", 10**7), 20),
    Goal("aequitas's memory over factbook's", "rates", ("aequitas", 10**7), ("factbook", 10**7), 10, field="peak_mib"),
    Goal("Evidently over factbook, drift of 50 columns", "drift, 50 columns", ("evidently", 10**6), ("factbook", 10**6), 25),
    Goal("NannyML over factbook, drift of 50 columns", "drift, 50 columns", ("nannyml", 10**6), ("factbook", 10**6), 15),
    Goal("scipy by hand over factbook, drift of 50 columns", "drift, 50 columns", ("scipy", 10**6), ("factbook", 10**6), 3),
    Goal("Evidently's card over factbook's", "card", ("evidently", 10**6), ("factbook", 10**6), 10),
)

TEXT = """\
# Benchmarks

`make bench` (`make bench ROWS=1e7`, or several sizes: `ROWS="1e5 1e6"`) gives generated data to factbook and to every tool that can be installed,
each in an environment of its own under `.bench/`, made when it is first needed. Without a network factbook and the limit still run. This page is
written from the last run, which is kept in `benchmarks/results.json`.

**The limit** is the CPU time that DuckDB takes to decode the columns and do nothing with them. Only ratios taken in one run on one machine mean
something; seconds do not. Imports and the generation of the data are left out; reading the files is not. A run of less than {short:.0f} CPU
seconds is made {tries} times, and the median counts. A tool that would take minutes gets fewer rows, and is compared with factbook at that number.

The log has a label, a score, a decision and attributes of 2, 5, 10 and 20 groups; figures are wanted for every group and for every pair of groups
(457). The tables of drift are half numbers, half categories of 20 values.

Measured on {date}: {processor}, {processors} processors, {memory_gib} GiB, {system}, Python {python}, load {low} to {high}.
Commit {commit}.

## What is aimed at

{goals}

## What was measured

"× factbook" says how many times factbook's CPU time or memory a tool takes. What does not depend on the number of rows, the figures of 457 groups and
their intervals, is most of factbook's time below a million rows.

{cases}

{tools}
"""


def listed(results: list[Row]) -> str:
    """The results as the file has them: a list, a row a line."""
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in results) + "\n]\n"


def figures(row: Row, own: Row | None) -> tuple[str, ...]:
    """What a tool took, beside the limit and beside factbook."""
    ratios = ("", "") if own is None else (number(row["cpu_s"] / own["cpu_s"]), number(row["peak_mib"] / own["peak_mib"]))
    return (f"{row['cpu_s']:.3g}", f"{row['wall_s']:.3g}", f"{row['peak_mib']:,.0f}", number(row["ratio_to_decode"]), *ratios)


def number(value: float) -> str:
    """Two digits where they say something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def line(row: Row, own: Row | None) -> str:
    """A row as the run prints it."""
    cpu, wall, peak, limit, time, memory = figures(row, own)
    return f"{row['tool']:10} {cpu:>9} {wall:>9} {peak:>9} {limit:>9} {time:>11} {memory:>13}"


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    aligned = "|".join(["---", *["--:"] * (len(heads) - 1)])
    return "\n".join([f"| {' | '.join(heads)} |", f"|{aligned}|", *(f"| {' | '.join(row)} |" for row in rows)])


def goals(results: list[Row]) -> Iterator[tuple[str, ...]]:
    known = {(row["case"], row["tool"], row["rows"]): row for row in results}
    for goal in GOALS:
        over, under = (known.get((goal.case, *place)) if place else {goal.field: 1.0} for place in (goal.over, goal.under))
        wanted = f"{'≥' if goal.least else '≤'} {goal.bound:g}"
        if not over or not under:
            yield goal.words, f"{goal.over[1]:,}", wanted, "", "not measured"
            continue
        found = over[goal.field] / under[goal.field]
        met = found >= goal.bound if goal.least else found <= goal.bound
        yield goal.words, f"{goal.over[1]:,}", wanted, number(found), "reached" if met else "**not reached**"


def section(case: str, results: list[Row]) -> str:
    rows = [row for row in results if row["case"] == case]
    own = {row["rows"]: row for row in rows if row["tool"] == "factbook"}
    heads = ("tool", "rows", "CPU s", "wall s", "peak MiB", "× limit", "× factbook", "its memory × factbook's")
    shown = table(heads, ((row["tool"], f"{row['rows']:,}", *figures(row, own.get(row["rows"]))) for row in rows))
    does = "\n".join(f"- {tool} {version}: {doing(tool, case)}" for tool, version in dict.fromkeys((row["tool"], row["version"]) for row in rows))
    return f"### {case[0].upper()}{case[1:]}\n\n{does}\n\n{shown}"


def doing(tool: str, case: str) -> str:
    """What a tool does in a case: the docstring of its job."""
    return str(import_module(f"benchmarks.peers.{tool}").JOBS[case].__doc__)


def written() -> str:
    """The page as the files of the last run have it."""
    results, machine = json.loads(RESULTS.read_text(encoding="utf-8")), json.loads(MACHINE.read_text(encoding="utf-8"))
    low, high = machine["load"]
    heads = ("ratio, CPU time unless it says otherwise", "rows", "aim", "measured", "")
    cases = "\n\n".join(section(case, results) for case in CASES if any(row["case"] == case for row in results))
    absent = sorted({path.stem for path in (FOLDER / "peers").glob("[a-z]*.py")} - {row["tool"] for row in results})
    tools = f"Not run: {', '.join(absent)}." if absent else "All tools were run."
    given = {"short": SHORT, "tries": TRIES, "low": low, "high": high}
    return TEXT.format(goals=table(heads, goals(results)), cases=cases, tools=tools, **given, **machine)


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
