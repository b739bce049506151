"""Bookmark: items in the order of their difficulty, and a mark where mastery ends.

Every item stands in the booklet at the theta where the chance of success is the response
probability RP; an item with more scores than two stands there once for each step. Called by
``item_bank``. Imports numpy and the models.

References
----------
Lewis, D. M., Mitzel, H. C., & Green, D. R. (1996). Standard setting: A bookmark approach. In D. R.
Green (Chair), *IRT-based standard setting procedures utilizing behavioral anchoring*. CCSSO.

Huynh, H. (2006). A clarification on the response probability criterion RP67 for standard settings
based on bookmark and item mapping. *Educational Measurement: Issues and Practice*, 25.

Cizek, G. J., & Bunch, M. B. (2007). *Standard setting*. Sage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models.dispatch import paired
from engine.standards.panels import (
    HIGHEST,
    LOWEST,
    JudgeCut,
    NoCut,
    PanelCut,
    jackknife_se,
    panel_cut,
)

RP = 0.67
AT_ITEM, BETWEEN = "item", "between"
RULES = (AT_ITEM, BETWEEN)
HALVINGS = 60


@dataclass(frozen=True)
class Place:
    """A place of the booklet.

    Parameters
    ----------
    row
        Of the item in the bank.
    step
        The score from which on the step is mastered; 1 for an item scored right or wrong.
    theta
        Where the chance of that score or more is RP.
    """

    row: int
    step: int
    theta: float


@dataclass(frozen=True)
class Booklet:
    """The ordered booklet.

    Parameters
    ----------
    places
        From the easiest to the hardest; ties in the order of the bank.
    left_out
        (row, step) that never reaches RP, or only beyond the range in which cuts are sought.
    """

    places: tuple[Place, ...]
    left_out: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class BookmarkResult:
    """What a round of bookmarks comes to: one cut for each panellist, and the panel's."""

    judges: tuple[JudgeCut, ...]
    panel: PanelCut


def booklet(
    items: ItemParameters, *, response_probability: float = RP, guessing_adjusted: bool = False
) -> Booklet:
    """Put items in the order of the theta where they are mastered.

    ``P(X >= k | theta) = RP``; with ``guessing_adjusted`` the chance beyond guessing:
    ``(P - c) / (d - c) = RP`` (Huynh, 2006). The asymptotes are 0 and 1 for all but 3PL and 4PL.

    Parameters
    ----------
    items
        What the panel is shown.
    response_probability
        Above 0 and below 1; 2/3 is usual.
    guessing_adjusted
        Whether guessing is taken out of the chance.

    Raises
    ------
    InputError
        When the response probability lies elsewhere.
    """
    if not 0 < response_probability < 1:
        raise InputError("above 0 and below 1", response_probability, column="response probability")
    rows, steps = _pairs(items)
    goal = np.full(len(rows), response_probability)
    if guessing_adjusted:
        goal = items.c[rows] + (items.d[rows] - items.c[rows]) * response_probability
    theta = _locations(rows, steps, goal, items)
    found = np.isfinite(theta)
    order = np.lexsort((steps[found], rows[found], theta[found]))
    kept = list(zip(rows[found][order], steps[found][order], theta[found][order], strict=True))
    lost = zip(rows[~found].tolist(), steps[~found].tolist(), strict=True)
    return Booklet(tuple(Place(int(r), int(s), float(t)) for r, s, t in kept), tuple(lost))


def bookmark_cut(places: Sequence[Place], mark: int, rule: str = BETWEEN) -> JudgeCut:
    """Turn a bookmark into a cut.

    The mark stands before the first place that the minimally competent candidate would not master,
    so all places before it are mastered. By ``item`` the cut is the location of that first place;
    by ``between`` the mean of it and the place before.

    Parameters
    ----------
    places
        Of the booklet.
    mark
        1 to ``n_places + 1``: the number of the first place that is not mastered; ``n_places + 1``
        when all are.

    Returns
    -------
    JudgeCut
        Without theta when all places are mastered, or by ``between`` when none is.

    Raises
    ------
    InputError
        For another mark or rule.
    """
    if rule not in RULES:
        raise InputError(f"one of {', '.join(RULES)}", repr(rule), column="rule")
    if not 1 <= mark <= len(places) + 1:
        raise InputError(f"a bookmark from 1 to {len(places) + 1}", mark, column="bookmark")
    if mark > len(places):
        return JudgeCut(None, NoCut.ABOVE)
    here = places[mark - 1].theta
    if rule == AT_ITEM:
        return JudgeCut(here)
    if mark == 1:
        return JudgeCut(None, NoCut.BELOW)
    return JudgeCut((places[mark - 2].theta + here) / 2)


def bookmarks(
    marks: Sequence[int | None],
    places: Sequence[Place],
    *,
    rule: str = BETWEEN,
    tables: Sequence[str] | None = None,
) -> BookmarkResult:
    """Set a cut from the bookmarks of a panel.

    Parameters
    ----------
    marks
        One for each panellist; None for none placed.
    tables
        Where each panellist sat, for the standard error by clusters; None for no tables.
    """
    judges = tuple(
        JudgeCut(None, NoCut.UNRATED) if mark is None else bookmark_cut(places, mark, rule)
        for mark in marks
    )
    theta = np.array([cut.theta for cut in judges if cut.theta is not None], dtype=np.float64)
    means = [float(np.delete(theta, i).mean()) for i in range(len(theta))] if len(theta) > 1 else []
    panel = panel_cut(judges, clusters=tables, se_jackknife=jackknife_se(means))
    return BookmarkResult(judges, panel)


def _pairs(items: ItemParameters) -> tuple[Ints, Ints]:
    """Rows and steps: each item once for each score above 0."""
    tops = items.n_categories - 1
    rows = np.repeat(np.arange(len(items), dtype=np.int64), tops)
    steps = np.concatenate([np.arange(1, top + 1, dtype=np.int64) for top in tops.tolist()])
    return rows, steps


def _locations(rows: Ints, steps: Ints, goal: Floats, items: ItemParameters) -> Floats:
    """Theta of each pair by bisection, NaN where the range does not hold it."""

    def reached(theta: Floats) -> Floats:
        chances = paired("probabilities", theta, rows[:, None], items)[:, 0, :]
        at_least = np.arange(chances.shape[-1])[None, :] >= steps[:, None]
        total: Floats = (chances * at_least).sum(axis=-1)
        return total

    low, high = np.full(len(rows), LOWEST), np.full(len(rows), HIGHEST)
    held = (reached(low) <= goal) & (reached(high) >= goal)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        up = reached(middle) < goal
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    theta: Floats = np.where(held, (low + high) / 2, np.nan)
    return theta
