"""The files of ``tarozu calibrate fit-check``. Called by the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration.fit_check.check import FitCheck
from calibration.fit_check.limited_information import ModelFit
from calibration.outputs import ITEM_FIT
from calibration.summary import versions
from calibration.tables import csv_text

RESIDUALS = ("residual", "residual_theta")
ITEMS = (*ITEM_FIT[:-1], *RESIDUALS, ITEM_FIT[-1])
PAIRS = (
    "item_1",
    "item_2",
    "n",
    "q3",
    "q3_corrected",
    "ld_x2",
    "ld_df",
    "ld_p",
    "ld_standardised",
    "v",
    "flagged",
    "notes",
)


def item_rows(found: FitCheck) -> list[list[Any]]:
    """One row per item that was used, in the order of ``ITEMS``."""
    own = found.item_fit
    value, where = found.residuals.worst(found.fit.theta)
    columns = (
        own.n.tolist(),
        own.p_value.tolist(),
        own.point_biserial.tolist(),
        own.infit.tolist(),
        own.outfit.tolist(),
        own.rmsd.tolist(),
        own.s_x2.statistic.tolist(),
        whole(own.s_x2.df.tolist()),
        own.s_x2.p.tolist(),
        value.tolist(),
        where.tolist(),
        own.notes,
    )
    return [list(row) for row in zip(own.item, *columns, strict=True)]


def whole(values: list[float]) -> list[int | None]:
    """Degrees of freedom as integers, None where there are none."""
    return [None if np.isnan(value) else int(value) for value in values]


def item_text(found: FitCheck) -> str:
    """Format ``item_fit.csv``: the items that were used, then those that were not."""
    blanks = [None] * (len(ITEMS) - 2)
    rest = [[name, *blanks, why] for name, why in found.left_out.items()]
    return csv_text(ITEMS, [*item_rows(found), *rest])


def pair_rows(found: FitCheck) -> list[list[Any]]:
    """One row per pair, in the order of ``PAIRS``."""
    own, names = found.pairs, found.matrix.item
    columns = (
        own.n.tolist(),
        own.q3.tolist(),
        own.q3_corrected.tolist(),
        own.ld_x2.tolist(),
        whole(own.ld_df.tolist()),
        own.ld_p.tolist(),
        own.ld_standardised.tolist(),
        own.v.tolist(),
        own.flagged.astype(int).tolist(),
        own.notes,
    )
    first, second = ([names[k] for k in side.tolist()] for side in (own.first, own.second))
    return [list(row) for row in zip(first, second, *columns, strict=True)]


def pair_text(found: FitCheck) -> str:
    """Format ``local_dependence.csv``."""
    return csv_text(PAIRS, pair_rows(found))


def figures(found: FitCheck, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the figures of ``model_fit.json``; None where ``notes`` say that there is none."""
    fit, data = found.fit, found.matrix
    deviance, k = -2.0 * fit.log_likelihood, fit.n_parameters
    main = found.c2 if found.m2.note else found.m2
    collected = {
        "n_persons": data.n_persons,
        "n_items": data.n_items,
        "n_responses": data.n_responses,
        "routed": data.routed,
        "log_likelihood": fit.log_likelihood,
        "n_parameters": k,
        "aic": deviance + 2 * k,
        "bic": deviance + k * float(np.log(data.n_persons)),
        "latent_mean": float(fit.latent_mean[0]),
        "latent_sd": float(fit.latent_sd[0]),
        **_statistic("m2", found.m2),
        **_statistic("c2", found.c2),
        "rmsea": main.rmsea,
        "srmsr": main.srmsr,
        **_pair_figures(found),
        **_dimensions(found),
        "reliability_marginal": found.reliability.marginal,
        "reliability_empirical": found.reliability.empirical,
        "alpha": found.reliability.alpha,
        "items_left_out": found.left_out,
        "notes": _notes(found),
        "remarks": list(found.remarks),
        "data_sha256": data.sha256(),
        "settings": dict(settings),
        "versions": versions("mml"),
    }
    return {name: _number(value) for name, value in collected.items()}


def _statistic(name: str, own: ModelFit) -> dict[str, Any]:
    return {
        name: own.statistic,
        f"{name}_df": None if own.note else own.df,
        f"{name}_p": own.p,
        f"{name}_rmsea": own.rmsea,
        f"{name}_rmsea_low": own.rmsea_low,
        f"{name}_rmsea_high": own.rmsea_high,
        f"{name}_srmsr": own.srmsr,
        f"{name}_cfi": own.cfi,
        f"{name}_tli": own.tli,
        f"{name}_n": own.n,
    }


def _pair_figures(found: FitCheck) -> dict[str, Any]:
    q3 = found.pairs.q3[~np.isnan(found.pairs.q3)]
    return {
        "q3_mean": float(q3.mean()) if q3.size else None,
        "q3_largest": float(q3.max()) if q3.size else None,
        "q3_smallest": float(q3.min()) if q3.size else None,
        "n_pairs": int(found.pairs.n.size),
        "n_pairs_flagged": int(found.pairs.flagged.sum()),
        "n_pairs_left_out": found.pairs.left_out,
    }


def _dimensions(found: FitCheck) -> dict[str, Any]:
    own = found.parallel
    return {
        "n_dimensions": own.n_dimensions if own.eigenvalues else None,
        "eigenvalues": list(own.eigenvalues),
        "eigenvalues_chance_mean": list(own.chance_mean),
        "eigenvalues_chance_95": list(own.chance_95),
    }


def _notes(found: FitCheck) -> dict[str, str]:
    """Say why a figure of the whole test is missing."""
    notes = {
        "m2": found.m2.note,
        "c2": found.c2.note,
        "parallel_analysis": found.parallel.note,
        "alpha": found.reliability.note,
    }
    return {name: text for name, text in notes.items() if text}


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def check_files(found: FitCheck, settings: Mapping[str, Any], page: str) -> dict[str, str]:
    """Format every file, by name."""
    text = json.dumps(figures(found, settings), indent=2, allow_nan=False, ensure_ascii=False)
    return {
        "item_fit.csv": item_text(found),
        "model_fit.json": text + "\n",
        "local_dependence.csv": pair_text(found),
        "report.html": page,
    }
