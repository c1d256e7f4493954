"""The attacks of benchmarks/attack.py, fewer of them: no hidden count is recovered, and without protection some are."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import attack
from benchmarks.attack import Version

from factbook.measures import suppression


def test_no_hidden_count_of_random_tables_is_recovered_from_two_versions() -> None:
    found = attack.attack_tables(range(5000, 5040))
    assert found["tables"] >= 38
    assert found["secrets"] > 200
    assert found["recovered"] == 0


def test_no_hidden_count_is_recovered_from_all_facts_of_a_book() -> None:
    found = attack.attack_books(range(700, 703))
    assert found["secrets"] >= 5
    assert found["recovered"] == 0


def test_the_attack_finds_what_is_not_protected() -> None:
    """Versions that are protected each by itself: the attacker gets through."""
    recovered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        table, every = attack.random_table(rng)
        margins = attack.some(rng, every)
        later = attack.changed(rng, table, "added")
        versions = [Version(item, margins, attack.hide(item, margins)) for item in (table, later)]
        recovered += sum(value is not None for _, _, value in attack.attack(versions[0], versions[1], "added"))
        if recovered > 1:
            return
    pytest.fail("the attack is too weak to tell anything")


@pytest.mark.parametrize(("rows", "columns"), [(316, 316), (5000, 20)])
def test_large_tables_are_protected_in_bounded_time(rows: int, columns: int) -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 400, (rows, columns)).tolist()
    atoms = {(("a", f"{i:04}"), ("b", f"{j:04}")): (counts[i][j],) for i in range(rows) for j in range(columns)}
    hidden = suppression.hidden(atoms, [("a",), ("b",), ("a", "b")], 10)
    small = {part for part, (count,) in atoms.items() if count < 10}
    assert small <= hidden
    assert len(hidden) < 2 * len(small)
