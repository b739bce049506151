"""The prior of theta. Used by estimation and by exam designs. Imports numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats
from engine.errors import InputError


@dataclass(frozen=True)
class Prior:
    """A normal prior for theta; ``sd`` above 0."""

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.mean):
            raise InputError("a finite prior mean", self.mean, column="prior_mean")
        if not (np.isfinite(self.sd) and self.sd > 0):
            raise InputError("a prior standard deviation above 0", self.sd, column="prior_sd")

    def log_density(self, theta: Floats) -> Floats:
        """Log density up to a constant, shaped as ``theta``."""
        density: Floats = -0.5 * ((theta - self.mean) / self.sd) ** 2
        return density


STANDARD_NORMAL = Prior()
"""The reference population."""
