"""The command ``tarozu calibrate fit-check``: how well given parameters fit given responses.

What is computed is in the other files of this folder. Everything heavy is imported where it is
used, so that ``--help`` is quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.fits.cli import FILE, check_numbers
from engine.errors import InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_DRAWS = 1000


@click.command("fit-check", short_help="Check how parameters fit responses.")
@click.argument("responses", type=FILE)
@click.argument("parameters", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="DIR", help="Folder for the results.")
@click.option("--held", is_flag=True, help="The parameters were not fitted to these responses.")
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is not an item.")
@click.option("--routed", is_flag=True, help="An adaptive test chose what is missing.")
@click.option("--recode", is_flag=True, help="Shift scores 1..K to 0..K-1.")
@click.option(
    "--parallel", "draws", type=int, default=20, show_default=True, help="Draws; 0 for none."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@click.option("--quadrature", type=int, default=61, show_default=True, help="Points of theta.")
@click.pass_obj
def fit_check(
    console: Console,
    /,
    *,
    responses: Path,
    parameters: Path,
    out: Path,
    language: str | None,
    ignore: tuple[str, ...],
    routed: bool,
    recode: bool,
    **how: Any,
) -> None:
    """Check items, pairs of items and the test: RESPONSES under PARAMETERS."""
    from calibration.fit_check.check import STEPS, Options
    from calibration.fit_check.check import fit_check as run
    from calibration.fit_check.outputs import check_files, figures
    from calibration.fit_check.report import check_report
    from calibration.outputs import check_folder, write_folder
    from calibration.parameter_file import read_parameters
    from calibration.response_file import read_responses
    from calibration.screening import shifted

    check_folder(out)
    _check(how)
    items = read_parameters(parameters, language=language)
    matrix = read_responses(responses, ignore=ignore, routed=routed)
    matrix = shifted(matrix) if recode else matrix
    if matrix.routed and not routed:
        console.note(f"{responses}: recorded adaptive sittings, taken as with --routed")
    options = Options(**how, file=responses)
    with console.progress(STEPS + options.draws, "checking") as advance:
        found = run(matrix, items, options, advance)
    settings = {
        "responses": str(responses),
        "parameters": str(parameters),
        "language": language,
        "routed": matrix.routed,
        "recode": recode,
        **how,
    }
    page = check_report(
        found, title=f"Fit of {parameters.name} in {responses.name}", settings=settings
    )
    write_folder(out, check_files(found, settings, page))
    for remark in found.remarks:
        console.note(remark)
    told = figures(found, settings)
    console.emit(told, _shown(told, out))


def _check(how: Mapping[str, Any]) -> None:
    check_numbers(how["quadrature"], 1.0, 1)
    if not 0 <= how["draws"] <= MOST_DRAWS:
        raise InputError(f"0 to {MOST_DRAWS} draws", how["draws"], column="--parallel")
    if how["seed"] < 0:
        raise InputError("a seed of at least 0", how["seed"], column="--seed")


def _shown(told: Mapping[str, Any], out: Path) -> Any:
    from rich.table import Table

    grid = Table(title=str(out), show_header=False, title_justify="left")
    grid.add_column(style="dim")
    grid.add_column(justify="right")
    for label, text in (
        ("persons", f"{told['n_persons']:,}"),
        ("items", f"{told['n_items']:,}"),
        ("M2*", _test_text(told, "m2")),
        ("C2", _test_text(told, "c2")),
        ("RMSEA, SRMSR", f"{_text(told['rmsea'])}, {_text(told['srmsr'])}"),
        ("pairs flagged", f"{told['n_pairs_flagged']:,} of {told['n_pairs']:,}"),
        ("dimensions", "-" if told["n_dimensions"] is None else str(told["n_dimensions"])),
        ("reliability", _text(told["reliability_marginal"])),
        ("alpha", _text(told["alpha"])),
    ):
        grid.add_row(label, text)
    return grid


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _test_text(told: Mapping[str, Any], name: str) -> str:
    if told[name] is None:
        return "-"
    return f"{told[name]:.2f} (df {told[f'{name}_df']}, p {told[f'{name}_p']:.3g})"
