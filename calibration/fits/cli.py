"""The commands ``tarozu calibrate fit`` and ``score``: read what goes in, write what comes out.

Everything heavy is imported where it is used, so that ``--help`` is quick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from calibration.fitting import Calibration, Options
    from calibration.parameter_file import ParameterFile

FILE = click.Path(path_type=Path)
MODEL_NAMES = "rasch, 1pl, 2pl, 3pl, 4pl, grm, pcm, gpcm, nrm or auto"


EM_OPTIONS = (
    click.option("--quadrature", type=int, default=61, show_default=True, help="Points of theta."),
    click.option(
        "--tolerance",
        type=float,
        default=1e-4,
        show_default=True,
        help="Largest change of the log-likelihood that counts as none.",
    ),
    click.option(
        "--max-iterations",
        type=int,
        default=500,
        show_default=True,
        help="Give up after so many; exit status 1.",
    ),
)


def em_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of every fit."""
    for option in reversed(EM_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class _Fitting:
    """The options of ``fit`` that say how."""

    model: str
    model_file: Path | None
    backend: str
    fix: Path | None
    prior: tuple[str, ...]
    se: str
    quadrature: int
    tolerance: float
    max_iterations: int
    recode: bool
    density: str


@click.command(short_help="Fit item parameters to a response file.")
@click.argument("responses", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="DIR", help="Folder for the results.")
@click.option("--model", default="2pl", show_default=True, help=MODEL_NAMES + ".")
@click.option("--model-file", type=FILE, metavar="FILE", help="CSV with columns item and model.")
@click.option("--backend", default="mml", show_default=True, help="mml or girth.")
@click.option("--fix", type=FILE, metavar="FILE", help="Parameters of items to hold fixed.")
@click.option("--prior", multiple=True, metavar="PRIOR", help="As c=normal-logit(MEAN,SD); none.")
@click.option("--group", metavar="COLUMN", help="Multiple groups, the first N(0, 1).")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is not an item.")
@click.option("--routed", is_flag=True, help="An adaptive test chose what is missing.")
@click.option("--se", default="oakes", show_default=True, help="oakes or none.")
@em_options
@click.option("--recode", is_flag=True, help="Shift scores 1..K to 0..K-1 and close gaps.")
@click.option(
    "--density", default="normal", show_default=True, help="Of theta: normal or histogram."
)
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler.")
@click.pass_obj
def fit(
    console: Console,
    /,
    *,
    responses: Path,
    out: Path,
    group: str | None,
    ignore: tuple[str, ...],
    routed: bool,
    scheduler: str | None,
    **how: Any,
) -> None:
    """Fit item parameters to RESPONSES and write them, persons, item fit and a report to DIR."""
    from calibration.outputs import check_folder
    from calibration.response_file import read_responses

    check_folder(out)
    fitting = _checked(_Fitting(**how))
    if scheduler and fitting.backend != "mml":
        raise InputError("the backend mml", fitting.backend, column="--scheduler")
    options = _options(fitting, responses)
    matrix = read_responses(responses, group=group, ignore=ignore, routed=routed)
    if matrix.routed and not routed:
        console.note(f"{responses}: recorded adaptive sittings, taken as with --routed")
    found = _run(console, matrix, options, scheduler)
    more = {"group": group, "ignore": list(ignore), "routed": matrix.routed, "scheduler": scheduler}
    settings = _settings(fitting, more)
    figures = write_results(
        out,
        found,
        options,
        settings,
        data_sha256=_file_sha256(responses),
        title=f"Calibration of {responses.name}",
        labels=_kept_labels(fitting.fix, found.fit.items.item),
    )
    say_results(console, figures, out)


def _checked(fitting: _Fitting) -> _Fitting:
    for name, value, known in (
        ("--backend", fitting.backend, ("mml", "girth")),
        ("--se", fitting.se, ("oakes", "none")),
        ("--density", fitting.density, ("normal", "histogram")),
    ):
        if value not in known:
            raise InputError(" or ".join(known), value, column=name)
    if fitting.backend == "girth" and fitting.density != "normal":
        raise InputError("a normal density", fitting.density, column="--backend girth")
    check_numbers(fitting.quadrature, fitting.tolerance, fitting.max_iterations)
    return fitting


def check_numbers(quadrature: int, tolerance: float, max_iterations: int) -> None:
    """Refuse settings that no fit can have."""
    if not 5 <= quadrature <= 1001:
        raise InputError("5 to 1001 points", quadrature, column="--quadrature")
    if not 0 < tolerance < float("inf"):
        raise InputError("a tolerance above 0", tolerance, column="--tolerance")
    if max_iterations < 1:
        raise InputError("at least 1 iteration", max_iterations, column="--max-iterations")


def _options(fitting: _Fitting, responses: Path) -> Options:
    from calibration.fitting import Options
    from calibration.parameter_file import read_parameters

    return Options(
        model=fitting.model,
        models=_model_file(fitting.model_file),
        fixed=read_parameters(fitting.fix) if fitting.fix else None,
        backend=fitting.backend,
        priors=fitting.prior,
        errors=fitting.se == "oakes",
        quadrature=fitting.quadrature,
        tolerance=fitting.tolerance,
        max_iterations=fitting.max_iterations,
        recode=fitting.recode,
        density=fitting.density,
        file=responses,
    )


def _model_file(path: Path | None) -> dict[str, str]:
    """Read the model of each item; other columns of the file do not matter."""
    from calibration.fitting import MODELS
    from calibration.tables import read_text_table

    if path is None:
        return {}
    table = read_text_table(path)
    for name in ("item", "model"):
        if name not in table.header:
            raise InputError(f"a column {name}", "none", file=path, line=1)
    models: dict[str, str] = {}
    for row, (item, model) in enumerate(
        zip(table.cells("item"), table.cells("model"), strict=True)
    ):
        if model not in MODELS:
            raise table.error(row, "model", f"one of {', '.join(MODELS)}", model)
        if models.setdefault(item, model) != model:
            raise table.error(row, "item", "one model per item", item)
    return models


def _run(console: Console, matrix: Any, options: Options, scheduler: str | None) -> Calibration:
    """Fit here, or with expectation steps on a cluster; the result is the same."""
    from contextlib import nullcontext

    from calibration.fit_cluster import spread_over
    from calibration.fitting import calibrate as run

    where = spread_over(scheduler) if scheduler else nullcontext(None)
    with where as spread, console.progress(options.max_iterations, "fitting") as advance:
        return run(matrix, options, lambda _iteration, _log_l: advance(1), spread)


def _settings(fitting: _Fitting, more: Mapping[str, Any]) -> dict[str, Any]:
    settings = {**vars(fitting), **more}
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in settings.items()
    } | {"prior": list(fitting.prior)}


def _file_sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _kept_labels(fix: Path | None, items: Sequence[str]) -> dict[str, list[str]]:
    """Carry the labels of the fixed items over to the new parameter file."""
    from calibration.parameter_file import read_parameter_file

    if fix is None:
        return {}
    old: ParameterFile = read_parameter_file(fix)
    rows = {name: row for row, name in enumerate(old.items.item)}
    return {
        label: [texts[rows[name]] if name in rows else "" for name in items]
        for label, texts in old.labels.items()
    }


@dataclass(frozen=True)
class Additions:
    """What a command adds to a calibration: figures, sections of the report, files."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    sections: Sequence[tuple[str, str]] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def write_results(
    out: Path,
    found: Calibration,
    options: Options,
    settings: Mapping[str, Any],
    *,
    data_sha256: str,
    title: str,
    labels: Mapping[str, Sequence[str]],
    changed: Sequence[Sequence[object]] = (),
    additions: Additions | None = None,
) -> dict[str, Any]:
    """Write the folder of a calibration and return the figures of its summary."""
    from calibration.outputs import calibration_files, write_folder
    from calibration.report import report
    from calibration.summary import summary

    settings = {**settings, "priors": found.fit.priors.text()}
    more = additions or Additions()
    figures = summary(found, options, data_sha256=data_sha256, settings=settings)
    figures |= more.figures
    page = report(found, figures, title=title, changed=changed, more=more.sections)
    files = calibration_files(found, figures, page, labels=labels)
    write_folder(out, {**files, **more.files})
    return figures


def say_results(console: Console, figures: Mapping[str, Any], out: Path) -> None:
    """Say what was found, remarks first; end with exit status 1 when it did not converge."""
    for remark in figures["remarks"]:
        console.note(remark)
    console.emit(figures, _shown(figures, out))
    if not figures["converged"]:
        count = figures["iterations"] or "girth's"
        raise AnswerIsNo(f"not converged after {count} iterations; what there is stands in {out}")


def _shown(figures: Mapping[str, Any], out: Path) -> Any:
    from rich.table import Table

    table = Table(title=str(out), show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for label, value in (
        ("model", figures["model"]),
        ("persons", f"{figures['n_persons']:,}"),
        ("items", f"{figures['n_items']:,}"),
        ("responses", f"{figures['n_responses']:,}"),
        ("log-likelihood", f"{figures['log_likelihood']:,.4f}"),
        ("AIC, BIC", f"{figures['aic']:,.1f}, {figures['bic']:,.1f}"),
        ("latent mean, SD", f"{figures['latent_mean']:.3f}, {figures['latent_sd']:.3f}"),
        ("reliability", f"{figures['reliability_marginal']:.3f}"),
        ("converged", "yes" if figures["converged"] else "no"),
        ("iterations", str(figures["iterations"] or "")),
        ("seconds", f"{figures['seconds']:.2f}"),
    ):
        table.add_row(label, value)
    return table


@click.command(short_help="Estimate persons' theta with known parameters.")
@click.argument("responses", type=FILE)
@click.argument("parameters", type=FILE)
@click.option("--out", required=True, type=FILE, metavar="FILE", help="Where theta goes (CSV).")
@click.option(
    "--estimator", default="eap", show_default=True, help="eap, map, mle, wle or eap-sum."
)
@click.option("--prior-mean", type=float, default=0.0, show_default=True, help="Mean of the prior.")
@click.option(
    "--prior-sd",
    type=float,
    default=1.0,
    show_default=True,
    help="Standard deviation of the prior.",
)
@click.option("--quadrature", type=int, default=61, show_default=True, help="Points of theta.")
@click.option("--language", metavar="CODE", help="Parameters of this language.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column that is not an item.")
@click.option("--recode", is_flag=True, help="Shift scores 1..K to 0..K-1.")
@click.pass_obj
def score(
    console: Console,
    /,
    *,
    responses: Path,
    parameters: Path,
    out: Path,
    estimator: str,
    prior_mean: float,
    prior_sd: float,
    quadrature: int,
    language: str | None,
    ignore: tuple[str, ...],
    recode: bool,
) -> None:
    """Estimate theta of everybody in RESPONSES with PARAMETERS held as they are."""
    from calibration.parameter_file import read_parameters
    from calibration.person_scores import check_target, scores, scores_text
    from calibration.response_file import read_responses
    from calibration.screening import shifted
    from calibration.tables import write_text
    from engine.ability.estimates import Prior
    from engine.ability.grids import Grid

    check_target(out)
    check_numbers(quadrature, 1.0, 1)
    _check_prior(prior_mean, prior_sd)
    prior, grid = Prior(prior_mean, prior_sd), Grid(n=quadrature)
    items = read_parameters(parameters, language=language)
    matrix = read_responses(responses, ignore=ignore)
    matrix = shifted(matrix) if recode else matrix
    with console.progress(matrix.n_persons, "scoring") as advance:
        found = scores(
            matrix, items, estimator, prior=prior, grid=grid, file=responses, advance=advance
        )
    write_text(out, scores_text(found))
    summary = {
        "estimator": estimator,
        "n_persons": len(found.person),
        "n_items": len(found.used),
        "ignored_items": list(found.unknown),
        "file": str(out),
    }
    if found.unknown:
        console.note(f"without parameters and left out: {', '.join(found.unknown)}")
    console.emit(summary, f"{len(found.person)} persons scored ({estimator}): {out}")


def _check_prior(mean: float, sd: float) -> None:
    if not isfinite(mean):
        raise InputError("a finite mean", mean, column="--prior-mean")
    if not 0 < sd < inf:
        raise InputError("a standard deviation above 0", sd, column="--prior-sd")
