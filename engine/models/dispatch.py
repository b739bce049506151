"""One verb for a whole bank, whatever families its items belong to.

Called by everything in ``engine`` and ``calibration`` that needs an item response function; the
families themselves stand beside it. Imports the models and `engine.items`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import numpy.typing as npt

from engine.arrays import Floats, Ints
from engine.items import ItemParameters
from engine.models import graded, logistic, nominal, partial_credit

MODULES: dict[str, ModuleType] = {
    "logistic": logistic,
    "graded": graded,
    "partial_credit": partial_credit,
    "nominal": nominal,
}
LACKING = {"log_probabilities": -np.inf, "probabilities": 0.0, "slopes": 0.0, "curvatures": 0.0}
"""The verbs that differ by score, and what each says of a score that an item lacks."""


def log_probabilities(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Log probability of each score.

    Returns
    -------
    Floats
        Shape ``(n_theta, n_items, max_categories)``; ``-inf`` for scores that an item lacks.
    """
    return _by_category("log_probabilities", theta, items)


def probabilities(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Probability of each score, shape ``(n_theta, n_items, max_categories)``; 0 if lacking."""
    return _by_category("probabilities", theta, items)


def expected_score(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Expected score, shape ``(n_theta, n_items)``."""
    return _by_item("expected_score", theta, items)


def information(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Fisher information, shape ``(n_theta, n_items)``."""
    return _by_item("information", theta, items)


def slopes(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """First derivative of the log probability of each score with respect to theta.

    Returns
    -------
    Floats
        Shape ``(n_theta, n_items, max_categories)``; 0 for scores that an item lacks.
    """
    return _by_category("slopes", theta, items)


def curvatures(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Second derivative of the log probability of each score, shaped as `slopes`."""
    return _by_category("curvatures", theta, items)


def observed_information(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Observed information of each score, minus `curvatures`, in the same shape.

    Its mean over the scores is the Fisher information. For 3PL and 4PL items it depends on the
    score and can be negative.
    """
    return -curvatures(theta, items)


def bias_terms(theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    """Warm's J, the sum over scores of ``P' P'' / P``, shape ``(n_theta, n_items)``.

    Summed over items, ``J / (2 I)`` is what weighted likelihood estimation adds to the slope of
    the log likelihood (Warm, 1989).
    """
    chances, slope = probabilities(theta, items), slopes(theta, items)
    return bias_of(chances, slope, curvatures(theta, items))


def paired(verb: str, theta: Floats, rows: Ints, items: ItemParameters) -> Floats:
    """One verb for pairs of a theta and an item of its own.

    Parameters
    ----------
    verb
        The name of a function of this module that the families have.
    theta
        Shape ``(n_persons,)``.
    rows
        Bank rows, shape ``(n_persons, n)``.

    Returns
    -------
    Floats
        Shape ``(n_persons, n)``, or with an axis more for the verbs that differ by score.
    """
    if len(items.parts) == 1:
        return _evaluate(verb, items.parts[0].family, theta[:, None], items, rows)
    spread = np.broadcast_to(theta[:, None], rows.shape)
    codes = items.family_codes[rows]
    shape = (*rows.shape, items.max_categories) if verb in LACKING else rows.shape
    result = np.full(shape, LACKING.get(verb, 0.0))
    for code, part in enumerate(items.parts):
        here = codes == code
        values = _evaluate(verb, part.family, spread[here], items, rows[here])
        if verb in LACKING:
            result[here, : values.shape[-1]] = values
        else:
            result[here] = values
    return result


def bias_of(chances: Floats, slope: Floats, curvature: Floats) -> Floats:
    """Warm's J from probabilities, slopes and curvatures; the last axis is summed."""
    terms: Floats = (chances * slope * (slope**2 + curvature)).sum(axis=-1)
    return terms


def _evaluate(
    verb: str, family: str, theta: Floats, items: ItemParameters, rows: Ints | slice
) -> Floats:
    """Call one family with theta broadcast against the parameters of some rows."""
    function = getattr(MODULES[family], verb)
    values: Floats
    if family == "logistic":
        curve = [items.a, items.b, items.c, items.d]
        if not isinstance(rows, slice):
            curve = [parameter.take(rows) for parameter in curve]
        values = function(theta, *curve)
    elif family == "nominal":
        values = function(theta, items.slopes[rows], items.intercepts[rows])
    else:
        values = function(theta, items.a[rows], items.thresholds[rows])
    return values


ALL = slice(None)


def _column(theta: npt.ArrayLike) -> Floats:
    return np.atleast_1d(np.asarray(theta, dtype=np.float64))[:, None]


def _by_item(verb: str, theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    column = _column(theta)
    if len(items.parts) == 1:
        return _evaluate(verb, items.parts[0].family, column, items, ALL)
    table = np.empty((len(column), len(items)))
    for part in items.parts:
        table[:, part.rows] = _evaluate(verb, part.family, column, part.items, ALL)
    return table


def _by_category(verb: str, theta: npt.ArrayLike, items: ItemParameters) -> Floats:
    column = _column(theta)
    table = np.full((len(column), len(items), items.max_categories), LACKING[verb])
    for part in items.parts:
        values = _evaluate(verb, part.family, column, part.items, ALL)
        table[:, part.rows, : values.shape[-1]] = values
    return table
