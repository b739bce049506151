"""Stopping a test once it is clear on which side of every cut score an examinee stands.

Confidence intervals (Kingsbury and Weiss, 1983), Wald's sequential probability ratio test (Eggen,
1999) and the generalised likelihood ratio (Thompson, 2011). Called by `engine.rules.stopping`'s
callers, `engine.session` and `engine.simulation.run`. Imports numpy, scipy and
`engine.ability.answers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from engine.ability.answers import Answers
from engine.ability.grids import Grid, tables
from engine.arrays import Bools, Floats, Ints
from engine.errors import InputError
from engine.items import ItemParameters
from engine.models import dispatch
from engine.rules.stopping import REASONS, StopReason

METHODS = ("confidence", "sprt", "glr")
SEARCH = Grid(-4.0, 4.0, 161)
"""Where the generalised likelihood ratio looks for the tops beside a cut."""


@dataclass(frozen=True)
class ClassificationRules:
    """When the side of the cuts is clear.

    Parameters
    ----------
    method
        ``confidence``, ``sprt`` or ``glr``; None for no such rule.
    cuts
        On the theta scale, ascending; empty for the lower ends of the exam's levels.
    delta
        Half the width of the region of indifference around a cut, in units of theta.
    alpha, beta
        Error rates that ``sprt`` and ``glr`` aim at: put above a cut though below it, and put
        below it though above.
    confidence
        Of the two-sided interval of ``confidence``.
    """

    method: str | None = None
    cuts: tuple[float, ...] = ()
    delta: float = 0.3
    alpha: float = 0.05
    beta: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.method is not None and self.method not in METHODS:
            expected = f"one of {', '.join(METHODS)}"
            raise InputError(expected, repr(self.method), column="classification.method")
        if not np.isfinite(self.cuts).all() or (np.diff(self.cuts) <= 0).any():
            expected = "ascending cuts of theta"
            raise InputError(expected, list(self.cuts), column="classification.cuts")
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError("a number above 0", self.delta, column="classification.delta")
        for name in ("alpha", "beta"):
            if not 0 < getattr(self, name) < 0.5:
                expected = "an error rate above 0, below 0.5"
                raise InputError(expected, getattr(self, name), column=f"classification.{name}")
        if not 0 < self.confidence < 1:
            expected = "a confidence above 0, below 1"
            raise InputError(expected, self.confidence, column="classification.confidence")

    @property
    def needs_answers(self) -> bool:
        """Whether the rule reads the likelihood, not just the estimate."""
        return self.method in {"sprt", "glr"}


def is_clear(
    rules: ClassificationRules,
    cuts: Floats,
    theta: Floats,
    se: Floats,
    given: Answers,
    items: ItemParameters,
) -> Bools:
    """Whether every cut is decided, shape ``(n_persons,)``.

    Parameters
    ----------
    cuts
        On the theta scale, shape ``(n_cuts,)``.
    theta, se
        Interim estimates, shape ``(n_persons,)``.
    given
        The answers that count.
    """
    if rules.method == "confidence":
        return _outside_interval(cuts, theta, se, rules.confidence)
    ratio = sprt_ratios if rules.method == "sprt" else glr_ratios
    return _decided(ratio(cuts, rules.delta, given, items), rules)


def clear_codes(
    rules: ClassificationRules,
    cuts: tuple[float, ...],
    theta: Floats,
    se: Floats,
    given: Answers,
    items: ItemParameters,
) -> Ints:
    """Reason by which each sitting may stop, as a position in ``REASONS``; -1 for none yet."""
    if rules.method is None:
        return np.full(len(theta), -1, dtype=np.int64)
    clear = is_clear(rules, np.array(cuts), theta, se, given, items)
    return np.where(clear, REASONS.index(StopReason(rules.method)), -1)


def sprt_ratios(cuts: Floats, delta: float, given: Answers, items: ItemParameters) -> Floats:
    """Log likelihood at cut + delta minus that at cut - delta, shape ``(n_persons, n_cuts)``."""
    above = _log_likelihood(cuts + delta, given, items)
    return above - _log_likelihood(cuts - delta, given, items)


def glr_ratios(cuts: Floats, delta: float, given: Answers, items: ItemParameters) -> Floats:
    """Highest log likelihood from cut + delta up minus the highest up to cut - delta.

    Shape ``(n_persons, n_cuts)``. The tops are sought on 161 points of [-4, 4] and at the two ends
    of the region of indifference.
    """
    table = tables(items, SEARCH).log_probabilities
    picked = np.where(given.present[..., None], table[given.rows, given.scores], 0.0)
    heights = picked.sum(axis=1)
    ratios = np.empty((len(heights), len(cuts)))
    ends = [_log_likelihood(cuts + side, given, items) for side in (delta, -delta)]
    for place, cut in enumerate(cuts):
        above = np.where(SEARCH.points >= cut + delta, heights, -np.inf).max(axis=1)
        below = np.where(SEARCH.points <= cut - delta, heights, -np.inf).max(axis=1)
        high, low = np.maximum(above, ends[0][:, place]), np.maximum(below, ends[1][:, place])
        ratios[:, place] = high - low
    return ratios


def _decided(ratios: Floats, rules: ClassificationRules) -> Bools:
    """Wald's bounds: ``log((1 - beta) / alpha)`` and ``log(beta / (1 - alpha))``."""
    upper = np.log((1.0 - rules.beta) / rules.alpha)
    lower = np.log(rules.beta / (1.0 - rules.alpha))
    return np.asarray(((ratios >= upper) | (ratios <= lower)).all(axis=1), dtype=np.bool_)


def _outside_interval(cuts: Floats, theta: Floats, se: Floats, confidence: float) -> Bools:
    reach = float(ndtri(0.5 + confidence / 2.0)) * se
    outside = np.abs(theta[:, None] - cuts) > reach[:, None]
    return np.asarray(outside.all(axis=1), dtype=np.bool_)


def _log_likelihood(points: Floats, given: Answers, items: ItemParameters) -> Floats:
    """Log likelihood at some thetas, shape ``(n_persons, n_points)``."""
    columns = []
    for point in points.tolist():
        theta = np.full(len(given.rows), point)
        logs = dispatch.paired("log_probabilities", theta, given.rows, items)
        chosen = np.take_along_axis(logs, given.scores[..., None], axis=2)[..., 0]
        columns.append(np.where(given.present, chosen, 0.0).sum(axis=1))
    return np.stack(columns, axis=1) if columns else np.zeros((len(given.rows), 0))
