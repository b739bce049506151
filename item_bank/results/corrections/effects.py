"""The sums of a dry run: how many scores and levels change, by how much, and between what. Pure.

Uses the sums of `exams.rescoring`, which `bank diff --effect` shows for other parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from item_bank.exams.rescoring import Rescored, effects

MOST_CELLS = 400


@dataclass(frozen=True)
class Change:
    """A sitting under a correction.

    Parameters
    ----------
    exam_id, result_number
        Its exam, and the result that would be superseded.
    row
        As it was reported and as it would be.
    new_hash
        Of what the new result would say; None where the result would stay as it is, or cannot be
        computed.
    problem
        Why it cannot be computed.
    """

    exam_id: str
    result_number: int
    row: Rescored
    new_hash: str | None
    problem: str | None = None

    @property
    def changed(self) -> bool:
        """Whether score, level or decision would be another."""
        row = self.row
        before, after = (row.score, row.level), (row.new_score, row.new_level)
        return self.problem is None and before != after


def sums(changes: Sequence[Change]) -> dict[str, Any]:
    """Sum up the changes, by exam and over all."""
    computed = [one.row for one in changes if one.problem is None]
    problems = Counter(one.problem for one in changes if one.problem)
    rows = [
        {**_plain(vars(effect)), "pairs": _pairs([r for r in computed if r.exam == effect.exam])}
        for effect in effects(computed)
    ]
    return {
        "sittings": len(changes),
        "new_results": sum(one.new_hash is not None for one in changes),
        "changed": sum(one.changed for one in changes),
        "problems": dict(problems),
        "exams": rows,
    }


def _plain(effect: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in effect.items() if name != "listed"} | {
        "moves": dict(effect["moves"])
    }


def _pairs(rows: Sequence[Rescored]) -> list[list[float]]:
    """Old and new score with how many sittings have them; in coarser cells where there are many."""
    pairs = [(r.score, r.new_score) for r in rows if r.score is not None]
    found = Counter((old, new) for old, new in pairs if new is not None)
    width = 1.0
    while len(found) > MOST_CELLS:
        width *= 2
        cells: Counter[tuple[float, float]] = Counter()
        for (old, new), count in found.items():
            cells[round(old / width) * width, round(new / width) * width] += count
        found = cells
    return [[old, new, count] for (old, new), count in sorted(found.items())]
