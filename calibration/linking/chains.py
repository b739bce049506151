"""The chain of links from the first release of a bank, and the error that adds up along it.

Each link puts new parameters on the scale of the release before. Its constants are estimated, so
the scale of the new release is that of the old one only up to their error; over several releases
these errors add. Operational items that are held fixed add none: their scale is the release's own.
Called by the recalibration command. Imports the standard library and numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration.linking.sampling_errors import ConstantErrors
from calibration.linking.scales import Link
from engine.arrays import Floats

SHOWN_THETA = (-2.0, 0.0, 2.0)


def covariance_of(errors: ConstantErrors) -> Floats:
    """Covariance matrix of A and B, shape (2, 2)."""
    return np.array([[errors.A**2, errors.covariance], [errors.covariance, errors.B**2]])


def scale_error(link: Link, errors: ConstantErrors) -> Floats:
    """Covariance of how the new release's scale differs from the old one, shape (2, 2).

    Where the estimates are A and B and the truth A0 and B0, a theta x on the new scale is ``(A0 /
    A) x + B0 - B A0 / A`` on the old one: constants 1 and 0, with errors ``dA / A`` and ``dB - (B /
    A) dA``.
    """
    turned = np.array([[1 / link.A, 0.0], [-link.B / link.A, 1.0]])
    return np.asarray(turned @ covariance_of(errors) @ turned.T)


def constants_error(before: Floats, link: Link, errors: ConstantErrors) -> Floats:
    """Covariance of A and B from the new calibration to the first release, shape (2, 2).

    ``before`` is that of the scale linked to; links are taken as independent.
    """
    turned = np.array([[link.A, 0.0], [link.B, 1.0]])
    return np.asarray(turned @ before @ turned.T + covariance_of(errors))


def chain_link(
    before: Mapping[str, Any] | None,
    release: int,
    link: Link | None,
    errors: ConstantErrors | None,
) -> dict[str, Any]:
    """Lengthen a chain by one link.

    Parameters
    ----------
    before
        What this function returned for the release linked to; None for the first of the chain.
    release
        Number of the release linked to.
    link, errors
        Constants and their errors; None where operational items were held.

    Returns
    -------
    dict
        ``base_release``, ``n_links``; ``A``, ``B``, ``se_A``, ``se_B``, ``covariance`` from the
        calibration to the first release's scale; ``scale``: the error of the new release's scale
        against the first one's (its constants are 1 and 0); ``se_at``: the same at some theta.
    """
    start = {"base_release": release, "n_links": 0, "scale": _row(np.zeros((2, 2)))}
    earlier = dict(before or start)
    known = _matrix(earlier["scale"])
    base = {"base_release": earlier["base_release"], "n_links": earlier["n_links"]}
    if link is None or errors is None:
        return {**base, "A": 1.0, "B": 0.0, **_row(known), **_scale(known)}
    base["n_links"] += 1
    own = _row(constants_error(known, link, errors))
    return {**base, "A": link.A, "B": link.B, **own, **_scale(known + scale_error(link, errors))}


def theta_error(covariance: Floats, theta: float) -> float:
    """Standard error that a scale's error gives a theta: ``sqrt([theta, 1] V [theta, 1]')``."""
    at = np.array([theta, 1.0])
    return float(np.sqrt(at @ covariance @ at))


def _scale(covariance: Floats) -> dict[str, Any]:
    shown = {f"{theta:g}": theta_error(covariance, theta) for theta in SHOWN_THETA}
    return {"scale": _row(covariance), "se_at": shown}


def _row(covariance: Floats) -> dict[str, float]:
    deviations = np.sqrt(np.diag(covariance))
    return {
        "se_A": float(deviations[0]),
        "se_B": float(deviations[1]),
        "covariance": float(covariance[0, 1]),
    }


def _matrix(row: Mapping[str, float]) -> Floats:
    shared = row["covariance"]
    return np.array([[row["se_A"] ** 2, shared], [shared, row["se_B"] ** 2]])
