"""What the answer to an item is worth, and what a result says of the item's parameters. Pure.

The engine's score of an item scored by option is the category chosen, which has no order: its one
point is for the correct choice. Called by `results` and `domains`. May import the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.items import ItemParameters
from engine.models.dispatch import information, probabilities

Points = Sequence[Sequence[int]]
"""What each score of an item is worth, by bank row."""
GRID = np.linspace(-4.0, 4.0, 161)
SCALARS, STEPS = ("a", "b", "c", "d"), ("thresholds", "slopes", "intercepts")


def item_facts(
    one: ItemParameters, worth: Sequence[int], score: int | None, theta: float | None
) -> dict[str, Any]:
    """Say what a result says of one item and the answer to it.

    Parameters
    ----------
    one
        The item alone.
    worth
        Points of each score.
    theta
        The estimate after the answer; None without one.
    """
    facts = {
        "parameters": _parameters(one),
        "difficulty": _difficulty(one),
        "score": None if score is None else worth[score],
        "max_score": max(worth),
        "information": None if theta is None else float(information(theta, one)[0, 0]),
        "expected_score": None if theta is None else float(moments(theta, one, [worth])[0][0]),
    }
    return facts | ({"category": score} if one.model[0] == "nrm" else {})


def moments(theta: float, items: ItemParameters, worth: Points) -> tuple[Floats, Floats]:
    """Mean and variance of the points of each item at a theta, shape ``(n_items,)``."""
    chances = probabilities(theta, items)[0]
    points = np.zeros(chances.shape)
    for row, of_item in enumerate(worth):
        points[row, : len(of_item)] = of_item
    mean: Floats = (chances * points).sum(axis=1)
    variance: Floats = (chances * points**2).sum(axis=1) - mean**2
    return mean, variance


def _parameters(one: ItemParameters) -> dict[str, Any]:
    known = {name: float(getattr(one, name)[0]) for name in SCALARS}
    steps = {name: getattr(one, name)[0] for name in STEPS if not one.is_dichotomous[0]}
    lists = {name: row[np.isfinite(row)].tolist() for name, row in steps.items()}
    if one.model[0] == "nrm":
        return {name: lists[name] for name in ("slopes", "intercepts")}
    return {n: x for n, x in known.items() if np.isfinite(x)} | {
        n: x for n, x in lists.items() if x
    }


def _difficulty(one: ItemParameters) -> float:
    """Mean of the thresholds; of ``nrm``, where the item says most between -4 and 4."""
    if one.model[0] == "nrm":
        return float(GRID[information(GRID, one)[:, 0].argmax()])
    return float(np.nanmean(one.thresholds[0]))
