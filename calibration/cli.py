"""The command ``tarozu calibrate``: its parts stand in folders, each with a `cli.py`."""

from __future__ import annotations

import click

from calibration.dif.cli import dif
from calibration.fit_check.cli import fit_check
from calibration.fits.cli import fit, score
from calibration.leaks.cli import leaks
from calibration.linking.cli import drift, link
from calibration.recalibrations.cli import recalibrate


@click.group(short_help="Calibrate, score and recalibrate items.")
def calibrate() -> None:
    """Estimate item parameters and abilities from responses."""


for command in (fit, score, dif, fit_check, recalibrate, link, drift, leaks):
    calibrate.add_command(command)
