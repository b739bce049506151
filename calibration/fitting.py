"""One calibration from data to results: screening, fit, errors, persons, item fit, summary.

The pure core of ``tarozu calibrate fit``: the command line reads what goes in, ``outputs`` writes
what comes out. Imports ``engine``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from calibration.boundaries import boundaries
from calibration.design import Design
from calibration.expectation import PartSums, person_estimates
from calibration.girth_backend import girth_fit
from calibration.item_fit import ItemFit, item_fit
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, fit
from calibration.parameter_file import StandardErrors, no_errors
from calibration.priors import default_priors, parse_priors
from calibration.screening import Screening, check_scores, recode, screen
from calibration.standard_errors import standard_errors
from engine.arrays import Floats
from engine.errors import InputError
from engine.items import FAMILIES, ItemParameters

MODELS = (*FAMILIES, "auto")
FEW_POINTS = 41
_OWN_FIGURE = re.compile(r" (-?\d+\.\d+):")


@dataclass(frozen=True)
class Options:
    """What ``tarozu calibrate fit`` was asked for; see its help.

    Parameters
    ----------
    model
        Of items that ``models`` does not name; ``auto`` is 2pl for two categories, else gpcm.
    models
        Model by item.
    fixed
        Items to hold.
    backend
        ``mml`` or ``girth``.
    priors
        As text; the model's default where none is named.
    errors
        Whether to compute standard errors.
    quadrature, tolerance, max_iterations
        As in ``mml.Settings``.
    recode
        Shift 1..K scores and close gaps.
    density
        ``normal`` or ``histogram``: the form of the latent densities.
    file
        The response file, for messages.
    """

    model: str = "2pl"
    models: Mapping[str, str] = field(default_factory=dict)
    fixed: ItemParameters | None = None
    backend: str = "mml"
    priors: tuple[str, ...] = ()
    errors: bool = True
    quadrature: int = 61
    tolerance: float = 1e-4
    max_iterations: int = 500
    recode: bool = False
    density: str = "normal"
    file: object = None


@dataclass(frozen=True, eq=False)
class Persons:
    """Estimates by person of the original matrix; NaN for persons without responses.

    Parameters
    ----------
    person
        Identifiers.
    theta, se
        EAP under the fitted density of the person's group, and posterior standard deviation.
    n_items
        Responses that were used.
    log_likelihood
        Marginal; their sum is the log-likelihood of the fit.
    """

    person: tuple[str, ...]
    theta: Floats
    se: Floats
    n_items: tuple[int, ...]
    log_likelihood: Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Everything that one calibration found.

    Parameters
    ----------
    screening
        The data that were fitted, and what was done to them.
    fit
        The fit.
    errors
        Standard errors; all NaN where not asked for or not estimable.
    persons, item_fit
        By person and by item.
    boundaries
        Items with estimates at a limit or not identified, and what they are.
    remarks
        What a reader must know, one sentence each.
    seconds
        Wall-clock time of the fit and its errors.
    """

    screening: Screening
    fit: MmlFit
    errors: StandardErrors
    persons: Persons
    item_fit: ItemFit
    boundaries: dict[str, list[str]]
    remarks: tuple[str, ...]
    seconds: float


def calibrate(
    matrix: ResponseMatrix,
    options: Options,
    progress: Callable[[int, float], None] | None = None,
    spread: Callable[[Design], PartSums] | None = None,
) -> Calibration:
    """Run one calibration.

    Parameters
    ----------
    matrix, options
        The responses, and what was asked for.
    progress, spread
        As in ``mml.fit``.

    Raises
    ------
    InputError
        For data or options that cannot be fitted; see ``check_scores``, ``screen``, ``fit``.
    """
    started = time.perf_counter()
    screening, models = prepared(matrix, options)
    data = screening.matrix
    settings = Settings(
        parse_priors(options.priors, default_priors(models)),
        options.quadrature,
        options.tolerance,
        options.max_iterations,
        options.density == "histogram",
    )
    if options.backend == "girth":
        found = girth_fit(data, models, settings, held=options.fixed is not None)
    else:
        found = fit(data, models, settings, fixed=options.fixed, progress=progress, spread=spread)
    wanted = options.errors and options.backend == "mml"
    estimate = standard_errors(found) if wanted else None
    return completed(matrix, screening, found, estimate.se if estimate else None, started)


def prepared(matrix: ResponseMatrix, options: Options) -> tuple[Screening, tuple[str, ...]]:
    """Recode where asked, choose each item's model, check the scores and screen."""
    held = set(options.fixed.item) if options.fixed is not None else set()
    if options.fixed is not None and not held & set(matrix.item):
        found = f"none of {matrix.n_items}"
        raise InputError("fixed items among the items of the responses", found, file=options.file)
    done: dict[str, str] = {}
    if options.recode:
        matrix, done = recode(matrix, held=held)
    chosen = dict(zip(matrix.item, _models(matrix, options), strict=True))
    given = {}
    if options.fixed is not None:
        given = dict(zip(options.fixed.item, options.fixed.n_categories.tolist(), strict=True))
    check_scores(matrix, tuple(chosen.values()), n_categories=given, file=options.file)
    screening = replace(screen(matrix, held=held, file=options.file), recoded=done)
    return screening, tuple(chosen[name] for name in screening.matrix.item)


def _models(matrix: ResponseMatrix, options: Options) -> list[str]:
    unknown = set(options.models.values()) | {options.model}
    for name in sorted(unknown - set(MODELS)):
        raise InputError(f"one of {', '.join(MODELS)}", name, column="--model")
    counts = matrix.category_counts()
    models = []
    for name, own in zip(matrix.item, counts, strict=True):
        model = options.models.get(name, options.model)
        if options.fixed is not None and name in options.fixed.item:
            model = options.fixed.model[options.fixed.row(name)]
        if model == "auto":
            model = "gpcm" if own[2:].any() else "2pl"
        models.append(model)
    return models


def completed(
    original: ResponseMatrix,
    screening: Screening,
    found: MmlFit,
    errors: StandardErrors | None,
    started: float,
    *,
    remarks: tuple[str, ...] = (),
) -> Calibration:
    """Add persons, item fit and remarks to a fit.

    Parameters
    ----------
    original, screening
        The data as read, and as fitted.
    found, errors
        The fit and its standard errors, None where none were asked for.
    started
        ``time.perf_counter()`` at the beginning.
    remarks
        What is to be said first.
    """
    seconds = time.perf_counter() - started
    theta, se, log_l = person_estimates(found.design, found.tables, found.theta)
    widths = (found.items.thresholds.shape[1], found.items.slopes.shape[1])
    limits = boundaries(found, errors, screening.matrix.item_counts())
    blank = no_errors(len(found.items), *widths)
    return Calibration(
        screening,
        found,
        errors or blank,
        _persons(original, screening.matrix, theta, se, log_l),
        item_fit(screening.matrix, found, theta),
        limits,
        (*remarks, *_remarks(screening, found, errors, limits)),
        seconds,
    )


def _persons(
    original: ResponseMatrix, fitted: ResponseMatrix, theta: Floats, se: Floats, log_l: Floats
) -> Persons:
    rows = {name: row for row, name in enumerate(fitted.person)}
    at = np.array([rows.get(name, -1) for name in original.person])
    values = np.full((3, len(at)), np.nan)
    values[:, at >= 0] = np.stack((theta, se, log_l))[:, at[at >= 0]]
    counts = fitted.person_counts()
    n_items = tuple(int(counts[k]) if k >= 0 else 0 for k in at)
    return Persons(original.person, values[0], values[1], n_items, values[2])


def _by_note(limits: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Gather items of which the same is to be said; a figure of its own follows an item's name."""
    found: dict[str, list[str]] = {}
    for name, notes in limits.items():
        for note in notes:
            figure = _OWN_FIGURE.search(note)
            own = f"{name} at {figure[1]}" if figure else name
            found.setdefault(_OWN_FIGURE.sub(":", note), []).append(own)
    return found


def _remarks(
    screening: Screening,
    found: MmlFit,
    errors: StandardErrors | None,
    limits: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    remarks = []
    if not found.converged:
        remarks.append(
            f"Not converged after {found.iterations} iterations: the largest gradient per person "
            f"is {found.gradient:.1e}. Do not use these parameters."
        )
    if screening.dropped:
        names = ", ".join(f"{name} ({why})" for name, why in screening.dropped.items())
        remarks.append(f"Items taken out: {names}.")
    if screening.empty_persons:
        count = len(screening.empty_persons)
        remarks.append(f"{count} persons without responses are left out of every figure.")
    for note, names_of in _by_note(limits).items():
        remarks.append(f"Not to be used as they are: {', '.join(names_of)} ({note}).")
    if found.space.histogram and errors is not None:
        remarks.append("The standard errors take the latent histogram as known.")
    if errors is not None and found.space.n_item_parameters and _all_blank(errors):
        remarks.append("The observed information is not positive definite: no standard errors.")
    if found.theta.size < FEW_POINTS:
        remarks.append(
            f"{found.theta.size} quadrature points: fewer than {FEW_POINTS} bias long tests."
        )
    at_end = float(found.expectation.mass[:, [0, -1]].sum() / found.expectation.mass.sum())
    if at_end > 1e-3:
        remarks.append(f"{at_end:.1%} of the persons lie at the ends of the grid of theta.")
    return tuple(remarks)


def _all_blank(errors: StandardErrors) -> bool:
    tables = (errors.thresholds, errors.slopes, errors.intercepts)
    columns = (errors.a, errors.b, errors.c, errors.d, *(table.ravel() for table in tables))
    return bool(np.isnan(np.concatenate(columns)).all())
