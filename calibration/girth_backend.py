"""The one door to girth: complete fixed-form data in, parameters out, everything else refused.

girth takes integers with items in rows, fixes b from the observed proportion correct in some
models (false under adaptive routing), gives an all-correct item a finite b, and reports neither
convergence nor errors. So its parameters are evaluated here by our own likelihood, and its answer
counts as converged when the gradient there is small. Called by ``fitting``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, at_parameters
from calibration.priors import Priors
from engine.arrays import Floats
from engine.errors import InputError
from engine.items import ItemParameters, item_parameters

FUNCTIONS = {
    "rasch": "onepl_mml",
    "1pl": "onepl_mml",
    "2pl": "twopl_mml",
    "grm": "grm_mml",
    "gpcm": "pcm_mml",
}
GRADIENT_TOLERANCE = 1e-3
_BOUNDS = (-6.0, 6.0)


def girth_fit(
    matrix: ResponseMatrix, models: Sequence[str], settings: Settings, *, held: bool = False
) -> MmlFit:
    """Fit with girth's marginal maximum likelihood.

    Parameters
    ----------
    matrix
        Complete, not routed, one group.
    models
        One model for all items: rasch, 1pl, 2pl, grm or gpcm.
    settings
        Quadrature and the largest number of iterations; priors are refused.
    held
        Whether items are to be held fixed, which girth cannot do.

    Returns
    -------
    MmlFit
        With ``iterations`` 0: girth does not tell. ``converged`` judges the gradient.

    Raises
    ------
    InputError
        Naming what girth cannot do.
    """
    model = _refused(matrix, models, settings, held=held)
    dense, _observed = matrix.dense()
    discrimination, difficulty = _girth(FUNCTIONS[model], dense.T.astype(int), settings)
    items, sd = _items(matrix, model, discrimination, difficulty)
    return at_parameters(matrix, items, settings, sd=sd, gradient_tolerance=GRADIENT_TOLERANCE)


def _refused(
    matrix: ResponseMatrix, models: Sequence[str], settings: Settings, *, held: bool
) -> str:
    place = "--backend girth"
    if matrix.routed:
        raise InputError("data that no adaptive test routed", "routed data", column=place)
    if not matrix.complete:
        missing = matrix.n_persons * matrix.n_items - matrix.n_responses
        raise InputError("complete data", f"{missing} missing responses", column=place)
    if held:
        raise InputError("no fixed items", "--fix", column=place)
    if len(set(matrix.group)) > 1:
        raise InputError("one group", f"{len(set(matrix.group))} groups", column=place)
    if len(set(models)) > 1:
        raise InputError("one model for all items", ", ".join(sorted(set(models))), column=place)
    model = models[0]
    if model not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        broken = " (girth's threepl_mml fails with numpy 2: use --backend mml)"
        reason = broken if model == "3pl" else ""
        raise InputError(f"one of {known}", f"{model}{reason}", column=place)
    if settings.priors != Priors():
        found = ", ".join(settings.priors.text())
        raise InputError("no priors (--prior none)", found, column=place)
    if model in {"grm", "gpcm"} and len(set(_category_numbers(matrix))) > 1:
        raise InputError("items with equally many categories", "different ones", column=place)
    return model


def _category_numbers(matrix: ResponseMatrix) -> list[int]:
    return [int(np.flatnonzero(own).max()) + 1 for own in matrix.category_counts()]


def _girth(function: str, data: np.ndarray, settings: Settings) -> tuple[Floats, Floats]:
    import girth  # noqa: PLC0415 - slow, and only this backend needs it

    options = {
        "max_iteration": settings.max_iterations,
        "quadrature_n": settings.quadrature,
        "quadrature_bounds": _BOUNDS,
    }
    try:
        found = getattr(girth, function)(data, options=options)
    except (ValueError, IndexError, TypeError, np.linalg.LinAlgError) as error:
        place = f"girth {version('girth')} {function}"
        raise InputError("data that girth can fit", f"its error: {error}", column=place) from error
    difficulty = np.asarray(found["Difficulty"], dtype=np.float64).reshape(len(data), -1)
    return np.asarray(found["Discrimination"], dtype=np.float64), difficulty


def _items(
    matrix: ResponseMatrix, model: str, discrimination: Floats, difficulty: Floats
) -> tuple[ItemParameters, float]:
    """Express girth's answer as a bank and the latent standard deviation.

    girth's one-parameter model has one a and theta ~ N(0, 1); as ``rasch`` it is put on the scale
    where a = 1 and that a is the standard deviation.
    """
    a = np.broadcast_to(discrimination, (matrix.n_items,)).copy()
    sd = 1.0
    if model == "rasch":
        sd = float(a[0])
        a, difficulty = np.ones_like(a), difficulty * sd
    dichotomous = model in {"rasch", "1pl", "2pl"}
    items = item_parameters(
        matrix.item,
        model,
        a=a,
        b=difficulty[:, 0] if dichotomous else None,
        thresholds=None if dichotomous else difficulty,
    )
    return items, sd
