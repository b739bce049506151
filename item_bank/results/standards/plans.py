"""What a standard-setting study is asked for, and which items its panel sees. Pure.

Called by `acts`, pages and commands. Imports the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models.dispatch import expected_score
from engine.results.decisions import ReportingScale
from engine.standards.bookmark import BETWEEN, RP, RULES

ANGOFF, BOOKMARK = "angoff", "bookmark"
METHODS = (ANGOFF, BOOKMARK)
OPEN, CLOSED, APPROVED, DISCARDED = "open", "closed", "approved", "discarded"
ALL, FORM, LIST = "all", "form", "list"
CHOICES = (ALL, FORM, LIST)
MEAN, MEDIAN = "mean", "median"
STATISTICS = (MEAN, MEDIAN)
MAX_TITLE, MAX_TEXT = 200, 4000
LEAST_ITEMS = 3


@dataclass(frozen=True)
class ItemChoice:
    """Which items a panel sees.

    Parameters
    ----------
    how
        ``all`` items in use; ``form``: ``n`` of them over difficulties and content areas; ``list``:
        those of ``codes``, in that order.
    """

    how: str = ALL
    n: int = 40
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewStudy:
    """A study that is to be made.

    Parameters
    ----------
    level
        The code of the level whose minimum is set.
    version
        Number of the exam's version; None for the newest.
    candidate
        Who is a minimally competent candidate of this level, in words.
    response_probability, guessing_adjusted, rule
        Of the bookmark method.
    statistic
        Whether the mean or the median of the judges' cuts is the panel's.
    """

    exam: str
    level: str
    method: str = ANGOFF
    title: str = ""
    version: int | None = None
    items: ItemChoice = ItemChoice()
    candidate: str = ""
    response_probability: float = RP
    guessing_adjusted: bool = False
    rule: str = BETWEEN
    statistic: str = MEAN

    def settings(self, items: Sequence[str], language: str) -> dict[str, Any]:
        """Return what the study keeps of it."""
        return {
            "items": list(items),
            "how": self.items.how,
            "language": language,
            "candidate": self.candidate.strip(),
            "response_probability": self.response_probability,
            "guessing_adjusted": self.guessing_adjusted,
            "rule": self.rule,
            "statistic": self.statistic,
            "tables": {},
        }


def check_new(new: NewStudy) -> None:
    """Refuse what no study can be."""
    _one_of(new.method, METHODS, "method")
    _one_of(new.rule, RULES, "rule")
    _one_of(new.statistic, STATISTICS, "statistic")
    _one_of(new.items.how, CHOICES, "items")
    if not 0.5 <= new.response_probability < 1:
        found = f"{new.response_probability:g}"
        raise InputError("from 0.5 to below 1", found, column="response probability")
    for name, text, most in (
        ("title", new.title, MAX_TITLE),
        ("candidate", new.candidate, MAX_TEXT),
    ):
        if len(text.strip()) > most:
            found = f"{len(text.strip())} characters"
            raise InputError(f"at most {most} characters", found, column=name)


def _one_of(value: str, known: Sequence[str], column: str) -> None:
    if value not in known:
        raise InputError(f"one of {', '.join(known)}", repr(value), column=column)


def check_scale(minimum: float, scale: ReportingScale, level: str) -> None:
    """Refuse a level that every score reaches: it has no cut."""
    if minimum <= scale.minimum:
        expected = f"a level that begins above {scale.minimum:g}, where the scale does"
        raise InputError(expected, level, column="level")


# --- choosing items ----------------------------------------------------------------------------


def chosen_rows(items: ItemParameters, usable: Bools, choice: ItemChoice) -> Ints:
    """Return the rows of the bank that a panel sees, in the order in which it sees them.

    Parameters
    ----------
    usable
        Which items are in use, shape ``(n_items,)``.

    Raises
    ------
    InputError
        When there are fewer than three, a listed one is not in use or listed twice, or a form is
        longer than the bank.
    """
    in_use = np.flatnonzero(usable)
    if choice.how == LIST:
        rows = _listed(items, usable, choice.codes)
    elif choice.how == FORM:
        rows = _form(items, in_use, choice.n)
    else:
        rows = in_use
    if len(rows) < LEAST_ITEMS:
        raise InputError(f"at least {LEAST_ITEMS} items in use", len(rows), column="items")
    return rows


def _listed(items: ItemParameters, usable: Bools, codes: Sequence[str]) -> Ints:
    seen: set[str] = set()
    for code in codes:
        if code not in items or not usable[items.row(code)]:
            raise InputError("items that are in use in the exam", repr(code), column="items")
        if code in seen:
            raise InputError("each item once", f"{code} twice", column="items")
        seen.add(code)
    return np.array([items.row(code) for code in codes], dtype=np.int64)


def _form(items: ItemParameters, in_use: Ints, n: int) -> Ints:
    """Take from each content area its share, evenly over the difficulties there."""
    if not LEAST_ITEMS <= n <= len(in_use):
        raise InputError(f"from {LEAST_ITEMS} to {len(in_use)} items", n, column="items")
    difficulty = difficulties(items)
    areas = np.array([items.content[row] for row in in_use], dtype=object)
    names, counts = np.unique(areas.astype(str), return_counts=True)
    taken: list[int] = []
    for name, share in zip(names, _shares(counts, n), strict=True):
        own = in_use[areas.astype(str) == name]
        own = own[np.argsort(difficulty[own], kind="stable")]
        places = np.floor((np.arange(share) + 0.5) * len(own) / max(share, 1)).astype(np.int64)
        taken += own[places].tolist()
    return np.array(sorted(taken), dtype=np.int64)


def _shares(counts: Ints, n: int) -> list[int]:
    """Share n out in proportion to counts, by largest remainders."""
    exact = counts * n / counts.sum()
    shares = np.floor(exact).astype(np.int64)
    rest = np.argsort(-(exact - shares), kind="stable")[: n - int(shares.sum())]
    shares[rest] += 1
    return [int(share) for share in shares]


def difficulties(items: ItemParameters) -> Floats:
    """Return the theta at which each item is half mastered, on a grid of 0.05."""
    theta = np.linspace(-8, 8, 321)
    shares = expected_score(theta, items) / (items.n_categories - 1)
    half: Floats = theta[np.abs(shares - 0.5).argmin(axis=0)]
    return half
