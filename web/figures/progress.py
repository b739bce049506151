"""The bar above a question: what is done, what surely comes, what may come."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 200.0


@dataclass(frozen=True)
class ProgressBar:
    """Lengths on a bar of the given width; `least` includes `done`."""

    width: float
    done: float
    least: float


def progress_bar(answered: int, at_least: int, at_most: int) -> ProgressBar:
    """Lay out a bar whose full width is the longest that the exam can be."""
    unit = WIDTH / max(answered + at_most, 1)
    return ProgressBar(WIDTH, round(answered * unit, 1), round((answered + at_least) * unit, 1))
