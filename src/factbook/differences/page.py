"""The difference of two versions as Markdown for a pull request: what needs a decision first, then what moved, then the words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from factbook.differences import Change, Difference, Flip, Judgement
from factbook.differences.words import marked
from factbook.documents.regions import escape

_MOST: Final = 40


def page(found: Difference) -> str:
    """The whole page."""
    parts = [f"# What changed from {escape(found.before)} to {escape(found.after)}", _summary(found)]
    parts += [*_triggers(found), *_flips("Claims that flipped", "Claim", found.claims), *_flips("Thresholds", "Threshold", found.thresholds)]
    parts += [*_facts(found), *_words(found), *_sign_offs(found)]
    return "\n\n".join(parts) + "\n"


def _summary(found: Difference) -> str:
    counts = [
        f"{len(found.changes)} facts changed" if len(found.changes) != 1 else "1 fact changed",
        *(f"{len(items)} {judgement.value}" for judgement in Judgement if (items := found.of(judgement))),
        f"{len(found.new)} new",
        f"{len(found.gone)} gone",
        f"{len(found.claims)} claims flipped",
        f"{len(found.rewordings)} sections reworded, new or gone",
        f"{len(found.sign_offs)} sign-off{'' if len(found.sign_offs) == 1 else 's'} would fall",
    ]
    return "; ".join(counts) + "."


def _triggers(found: Difference) -> Iterator[str]:
    yield "## To be reviewed again"
    if found.triggers:
        yield "\n".join(f"- **{item.name}**: {escape(item.why)}" for item in found.triggers)
    else:
        yield "Nothing that the policy names asks for it."


def _flips(title: str, head: str, flips: Sequence[Flip]) -> Iterator[str]:
    if not flips:
        return
    yield f"## {title}"
    rows = [f"| {escape(flip.name)} | {flip.before or '–'} | {flip.after or '–'} | {escape(flip.says)} |" for flip in flips]
    yield "\n".join([f"| {head} | Before | After | It says |", "|---|---|---|---|", *rows])


def _facts(found: Difference) -> Iterator[str]:
    yield "## Facts"
    if not found.changes:
        yield "No fact that both versions have has changed."
    cited = [change for change in found.changes if change.cited]
    others = [change for change in found.changes if not change.cited]
    if cited:
        yield "Cited in documents:"
        yield _table(cited)
    if others:
        yield f"<details><summary>{len(others)} facts that no document cites</summary>"
        yield _table(others[:_MOST])
        if len(others) > _MOST:
            yield f"And {len(others) - _MOST} more; `--json` has them all."
        yield "</details>"
    if any(change.judgement in (Judgement.REAL, Judgement.NOISE) for change in found.changes):
        yield _caution(found)
    for name, keys in (("New", found.new), ("Gone", found.gone)):
        if keys:
            more = f" and {len(keys) - _MOST} more" if len(keys) > _MOST else ""
            yield f"{name}: {', '.join(f'`{key}`' for key in keys[:_MOST])}{more}."


def _caution(found: Difference) -> str:
    judged = sum(change.judgement in (Judgement.REAL, Judgement.NOISE) for change in found.changes)
    return (
        f"A change is *more than noise* where the {found.level * 100:g} % interval of the difference leaves out zero, the versions taken as "
        f"independent samples: {judged} were judged, each by itself, so that a few of many pass by chance. Where the versions share cases, they "
        "are not independent, and a paired comparison says more."
    )


def _table(changes: Sequence[Change]) -> str:
    rows = [f"| `{change.key}` | {escape(change.before)} | {escape(change.after)} | {_judged(change)} |" for change in changes]
    return "\n".join(["| Fact | Before | After | Change |", "|---|---|---|---|", *rows])


def _judged(change: Change) -> str:
    word = {True: ", better", False: ", worse", None: ""}[change.good]
    said = f"{change.difference}: " if change.difference else ""
    why = f" ({change.why})" if change.why and not change.difference else ""
    return escape(f"{said}{change.judgement.value}{word}{why}")


def _sign_offs(found: Difference) -> Iterator[str]:
    yield "## Sign-offs"
    if not found.held:
        yield f"{escape(found.before)} keeps no sign-off that holds."
        return
    yield f"{found.held - len(found.sign_offs)} of {found.held} that held in {escape(found.before)} hold as before."
    if found.sign_offs:
        rows = [
            f"| {escape(item.place)} | {escape(item.meaning)} by {escape(item.person)} ({escape(item.role)}) | {item.before} | {item.after} | "
            f"{escape(item.why)} |"
            for item in found.sign_offs
        ]
        yield "\n".join(["| What | Who | Before | After | Why |", "|---|---|---|---|---|", *rows])


def _words(found: Difference) -> Iterator[str]:
    if not found.rewordings:
        return
    yield "## Words"
    for item in found.rewordings:
        yield f"**{escape(item.document)}**, “{escape(item.section)}” {item.what}."
        text = " ".join(part for run in item.runs if (part := marked(run, escape(run[1]))))
        if text:
            yield f"> {text}"
