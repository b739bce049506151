"""Banks and values of other software, committed beside the tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from calibration.parameter_file import read_parameters
from engine.items import ItemParameters, item_parameters

FOLDER = Path(__file__).parent.parent / "reference"


def reference(name: str) -> Any:
    """A committed JSON file of reference values."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def reference_bank(kind: str) -> ItemParameters:
    """The bank of the catR runs: ``3pl`` (300 items), ``grm`` or ``gpcm`` (100 items each)."""
    return read_parameters(FOLDER / f"catr_bank_{kind}.csv")


@cache
def mixed_bank() -> ItemParameters:
    """60 dichotomous items, 20 of them 4PL, with 40 graded and 40 partial credit items."""
    parts = [
        reference_bank(kind).subset(range(n))
        for kind, n in (("3pl", 60), ("grm", 40), ("gpcm", 40))
    ]
    width = max(part.thresholds.shape[1] for part in parts)
    steps = [
        np.pad(
            part.thresholds,
            ((0, 0), (0, width - part.thresholds.shape[1])),
            constant_values=np.nan,
        )
        for part in parts
    ]
    d = np.where(np.arange(140) < 20, 0.93, np.nan)
    return item_parameters(
        [f"m{number:03}" for number in range(140)],
        ["4pl"] * 20 + ["3pl"] * 40 + ["grm"] * 40 + ["gpcm"] * 40,
        a=np.concatenate([part.a for part in parts]),
        b=np.concatenate([part.b for part in parts]),
        c=np.where(np.arange(140) < 60, np.concatenate([part.c for part in parts]), np.nan),
        d=d,
        thresholds=np.concatenate(steps),
        content=["A", "B", "C", "D"] * 35,
    )


@cache
def nominal_bank() -> ItemParameters:
    """20 nominal items of 2 to 5 categories, their slopes in no order."""
    rng = np.random.default_rng(11)
    slopes, intercepts = rng.normal(0.0, 1.2, (20, 4)), rng.normal(0.0, 1.0, (20, 4))
    lacking = np.arange(4) > np.arange(20)[:, None] % 4
    slopes[lacking] = intercepts[lacking] = np.nan
    return item_parameters(
        [f"n{number:02}" for number in range(20)],
        "nrm",
        slopes=slopes,
        intercepts=intercepts,
        content=["A", "B", "C", "D"] * 5,
    )


@cache
def every_model_bank() -> ItemParameters:
    """The mixed bank and the nominal items in one."""
    mixed, nominal = mixed_bank(), nominal_bank()
    none = np.full(len(nominal), np.nan)
    steps = np.full((len(mixed), 4), np.nan)
    return item_parameters(
        [*mixed.item, *nominal.item],
        [*mixed.model, *nominal.model],
        a=np.r_[mixed.a, none],
        b=np.r_[mixed.b, none],
        c=np.r_[mixed.c, none],
        d=np.r_[mixed.d, none],
        thresholds=np.pad(mixed.thresholds, ((0, len(nominal)), (0, 0)), constant_values=np.nan),
        slopes=np.concatenate([steps, nominal.slopes]),
        intercepts=np.concatenate([steps, nominal.intercepts]),
        content=[*mixed.content, *nominal.content],
    )
