"""The figures of ``summary.json``: information criteria, reliability, groups, versions.

Called by the command line. Imports ``engine``.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from calibration.fitting import Calibration, Options
from calibration.mml import MmlFit
from engine.arrays import Floats
from engine.models import dispatch


def reliabilities(found: MmlFit, theta: Floats, se: Floats) -> tuple[float, float]:
    """Marginal and empirical reliability.

    Marginal: the integral of I / (I + 1 / sigma^2) over the latent density, with the information I
    of all items. Empirical: var(EAP) / (var(EAP) + mean posterior variance).

    Parameters
    ----------
    found
        The fit; with groups, each counts with its persons.
    theta, se
        By person, without NaN.
    """
    information = dispatch.information(found.theta, found.items).sum(axis=1)
    persons = found.expectation.mass.sum(axis=1)
    precision = information[None, :] / (information + found.latent_sd[:, None] ** -2.0)
    weights = np.exp(found.tables.log_weights) * (persons / persons.sum())[:, None]
    spread = float(np.var(theta, ddof=1))
    return float((weights * precision).sum()), spread / (spread + float((se**2).mean()))


def summary(
    calibration: Calibration, options: Options, *, data_sha256: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Collect the figures of ``summary.json``."""
    found, data = calibration.fit, calibration.screening.matrix
    known = ~np.isnan(calibration.persons.theta)
    theta, se = calibration.persons.theta[known], calibration.persons.se[known]
    marginal, empirical = reliabilities(found, theta, se)
    deviance, k = -2.0 * found.log_likelihood, found.n_parameters
    figures = {
        "model": _model_name(found.items.model, options),
        "backend": options.backend,
        "n_persons": data.n_persons,
        "n_items": data.n_items,
        "n_responses": data.n_responses,
        "log_likelihood": found.log_likelihood,
        "log_posterior": found.log_posterior,
        "n_parameters": k,
        "aic": deviance + 2 * k,
        "bic": deviance + k * float(np.log(data.n_persons)),
        "converged": found.converged,
        "iterations": found.iterations or None,
        "seconds": round(calibration.seconds, 3),
        "latent_mean": float(found.latent_mean[0]),
        "latent_sd": float(found.latent_sd[0]),
        "reliability_marginal": marginal,
        "reliability_empirical": empirical,
        "data_sha256": data_sha256,
        "settings": dict(settings),
        "boundaries": calibration.boundaries,
        "remarks": list(calibration.remarks),
        "versions": versions(options.backend),
    }
    return figures | _groups(calibration) | _density(calibration)


def _density(calibration: Calibration) -> dict[str, Any]:
    """Weights of latent histograms on the grid, by group in sorted order."""
    found = calibration.fit
    if found.state.density is None:
        return {}
    weights = [[float(f"{w:.6g}") for w in own] for own in found.state.density]
    return {"latent_density": {"theta": found.theta.round(10).tolist(), "weights": weights}}


def _groups(calibration: Calibration) -> dict[str, Any]:
    found, data = calibration.fit, calibration.screening.matrix
    names = sorted(set(data.group))
    if not names:
        return {}
    return {
        "groups": {
            name: {
                "n_persons": data.group.count(name),
                "latent_mean": float(found.latent_mean[g]),
                "latent_sd": float(found.latent_sd[g]),
            }
            for g, name in enumerate(names)
        }
    }


def _model_name(models: Sequence[str], options: Options) -> str:
    return (
        options.model
        if len(set(models)) > 1 and options.model == "auto"
        else "+".join(dict.fromkeys(models))
    )


def versions(backend: str) -> dict[str, str]:
    """Versions of what the figures depend on."""
    names = ("tarozu", "numpy", "scipy", *(("girth",) if backend == "girth" else ()))
    return {"python": platform.python_version()} | {name: version(name) for name in names}
