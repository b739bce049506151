"""Where a candidate stands in each content area, against the passing standard.

Few items measure an area, so the answer is one of three words: the area's score is compared with
what a candidate exactly at the cut would get on the same items, and called above or below only
when the difference passes the one-sided 5 % point. Fewer than four items: no word at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.items import ItemParameters
from engine.models.dispatch import probabilities

MIN_ITEMS = 4
CRITICAL = 1.645


def domains(
    items: ItemParameters, rows: list[int], scores: list[int], *, theta_cut: float | None
) -> list[dict[str, Any]]:
    """Return one entry for each content area met, in the order met.

    Parameters
    ----------
    rows, scores
        Bank rows with a score that counts.
    theta_cut
        The passing standard on the theta scale; None when the exam passes and fails no one.
    """
    areas = dict.fromkeys(items.content[row] for row in rows if items.content[row])
    return [_domain(items, area, rows, scores, theta_cut) for area in areas]


def _domain(
    items: ItemParameters, area: str, rows: list[int], scores: list[int], theta_cut: float | None
) -> dict[str, Any]:
    own = [(row, points) for row, points in zip(rows, scores, strict=True)
           if items.content[row] == area]  # fmt: skip
    part = items.subset([row for row, _ in own])
    total = sum(points for _, points in own)
    return {
        "area": area,
        "n": len(own),
        "score": total,
        "max_score": int((part.n_categories - 1).sum()),
        "standing": _standing(part, total, theta_cut),
    }


def _standing(part: ItemParameters, total: int, theta_cut: float | None) -> str | None:
    if theta_cut is None or len(part) < MIN_ITEMS:
        return None
    chances = probabilities(np.array([theta_cut]), part)[0]
    points = np.arange(chances.shape[1])
    mean = chances @ points
    variance = chances @ points**2 - mean**2
    z = (total - mean.sum()) / np.sqrt(variance.sum())
    return "above" if z > CRITICAL else "below" if z < -CRITICAL else "near"
