"""Marginal maximum likelihood (or maximum a posteriori) estimation of item parameters by EM.

The composer: lays out the parameters, alternates expectation and maximisation with Anderson
acceleration, judges convergence, and returns a bank with its standard errors. Called by the
command line, ``recalibration`` and the benchmarks. Imports ``engine``.

Sources: Bock and Aitkin (1981); Kim (2006) for items held fixed; Walker and Ni (2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from calibration import families
from calibration.acceleration import Anderson
from calibration.design import Design, make_design
from calibration.expansion import is_expandable, standardised
from calibration.expectation import (
    Expectation,
    PartSums,
    Tables,
    category_counts,
    expect,
    grid,
    make_tables,
)
from calibration.fit_inputs import (
    category_numbers,
    checked_models,
    known_parameters,
    padded_counts,
    with_held,
)
from calibration.histogram import LOWEST, with_moments
from calibration.matrix import ResponseMatrix
from calibration.maximisation import (
    gradient,
    histogram_target,
    log_prior,
    log_prior_of_density,
    maximise,
    projected,
    with_density,
    with_newton_density,
)
from calibration.nominal_start import nominal_start
from calibration.parameter_space import (
    SLOPE_BOUNDS,
    Space,
    State,
    bounds,
    from_vector,
    make_space,
    starting_state,
    to_items,
    to_vector,
    with_histogram,
)
from calibration.priors import Priors
from engine.arrays import Bools, Floats, Ints
from engine.items import ItemParameters

GRADIENT_TOLERANCE = 1e-7
_PLAIN_BELOW = 1e-4
"""Gradient by person below which an expanded step that gains too little is the last."""


@dataclass(frozen=True)
class Settings:
    """How to fit.

    Parameters
    ----------
    priors
        Of the free item parameters.
    quadrature
        Points on [-6, 6], at least 5; 61 suffice for 100 items.
    tolerance
        Largest change of the log-likelihood that counts as converged; the gradient is judged too.
    max_iterations
        Expectation steps at most.
    histogram
        Whether latent densities are weights on the points, with the moments that the normal ones
        would have been held at; else they are normal.
    """

    priors: Priors = field(default_factory=Priors)
    quadrature: int = 61
    tolerance: float = 1e-4
    max_iterations: int = 500
    histogram: bool = False


@dataclass(frozen=True, eq=False)
class MmlFit:
    """A fit and everything that errors, persons and reports need of it.

    Parameters
    ----------
    items
        The parameters, in the order of the matrix's items.
    log_likelihood, log_posterior
        Marginal, without and with the priors.
    iterations
        Expectation steps.
    converged
        Whether the log-likelihood and the gradient both came to rest.
    gradient
        Largest absolute gradient of the log posterior, divided by the number of persons.
    latent_mean, latent_sd
        Of theta by group, shape (n_groups,).
    n_parameters
        Free parameters.
    at_bound
        Items whose discrimination ended at its lowest admissible value: people who answer them
        well do not do better on the rest.
    theta
        The grid, shape (n_theta,).
    design, space, state, tables, expectation
        The workings at the last point.
    priors
        As they were used.
    """

    items: ItemParameters
    log_likelihood: float
    log_posterior: float
    iterations: int
    converged: bool
    gradient: float
    latent_mean: Floats
    latent_sd: Floats
    n_parameters: int
    at_bound: tuple[str, ...]
    theta: Floats
    design: Design
    space: Space
    state: State
    tables: Tables
    expectation: Expectation
    priors: Priors


def fit(  # noqa: PLR0913 - what is known in advance, and how to go on from there
    matrix: ResponseMatrix,
    models: Sequence[str],
    settings: Settings = Settings(),
    *,
    fixed: ItemParameters | None = None,
    start: ItemParameters | None = None,
    content: Sequence[str] = (),
    latent: tuple[Floats, Floats] | None = None,
    asymptotes: bool = True,
    progress: Callable[[int, float], None] | None = None,
    spread: Callable[[Design], PartSums] | None = None,
) -> MmlFit:
    """Estimate item parameters and latent densities.

    Parameters
    ----------
    matrix
        Responses of persons who have at least one; every free item has every category. With
        groups, items are equal across groups and the first group in sorted order is N(0, 1).
    models
        Model of each item; those of fixed items are taken from ``fixed``.
    settings
        Priors, quadrature and when to stop.
    fixed
        Items to hold; those that the matrix does not have are ignored. When there are some, the
        latent mean and variance of every group are free.
    start
        Where to begin for free items, and how many categories they have, observed or not (then
        priors must make them estimable); from the observed proportions where not given.
    content
        Content area by item.
    latent
        Mean and standard deviation of each group to begin with; 0 and 1 where not given.
    asymptotes
        Whether c and d are estimated where the model has them; else they stay as in ``start``.
    progress
        Called after each expectation step with its number and the log-likelihood.
    spread
        Takes the persons elsewhere, and gives what works their sums out there.

    Raises
    ------
    InputError
        For a score that an item's model cannot have, or data without a person or an item.
    """
    held = np.array([fixed is not None and name in fixed.item for name in matrix.item], dtype=bool)
    known, known_rows = known_parameters(matrix, fixed, start)
    models = checked_models(matrix, models, fixed, held)
    n_categories = category_numbers(matrix, models, known, known_rows, held)
    group, n_groups = _group_numbers(matrix)
    make = partial(make_space, content=content, n_groups=n_groups, asymptotes=asymptotes)
    space = make(matrix.item, models, n_categories, fixed=held)
    state = _first_state(matrix, space, n_categories, known, known_rows, latent)
    design = make_design(matrix, n_categories, group)
    sums = spread(design) if spread else None
    found = _iterate(space, design, state, settings, progress, sums)
    if settings.histogram:
        found = _with_histogram(found, settings, progress, sums)
    return found if fixed is None else replace(found, items=with_held(found.items, fixed, held))


def _group_numbers(matrix: ResponseMatrix) -> tuple[Ints, int]:
    """Group of each person by its place among the sorted names, and how many there are."""
    names = sorted(set(matrix.group))
    places = {name: place for place, name in enumerate(names)}
    numbers = [places[name] for name in matrix.group] or [0] * matrix.n_persons
    return np.array(numbers, dtype=np.int64), max(len(names), 1)


def _first_state(
    matrix: ResponseMatrix,
    space: Space,
    n_categories: Ints,
    known: ItemParameters | None,
    known_rows: Ints,
    latent: tuple[Floats, Floats] | None,
) -> State:
    counts = padded_counts(matrix, n_categories)
    nominal = partial(nominal_start, matrix, counts, space.model)
    state = starting_state(space, counts, known, known_rows, nominal)
    return state if latent is None else replace(state, mean=latent[0], sd=latent[1])


def _with_histogram(
    normal: MmlFit,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
    sums: PartSums | None,
) -> MmlFit:
    """Go on from a fit with normal densities, which then smooth the histogram."""
    left = settings.max_iterations - normal.iterations
    if left < 1:
        return replace(normal, converged=False)
    weights = np.exp(normal.tables.log_weights)
    space = with_histogram(normal.space)
    start = replace(normal.state, density=weights, normal=weights)
    later = replace(settings, max_iterations=left)
    found = _iterate(space, normal.design, start, later, progress, sums)
    return replace(found, iterations=normal.iterations + found.iterations)


def at_parameters(
    matrix: ResponseMatrix,
    items: ItemParameters,
    settings: Settings,
    *,
    mean: float = 0.0,
    sd: float = 1.0,
    held: Bools | None = None,
    gradient_tolerance: float = GRADIENT_TOLERANCE,
) -> MmlFit:
    """Evaluate parameters that another programme estimated from the same data.

    Parameters
    ----------
    matrix, settings
        As in ``fit``; one group.
    items
        Parameters of the matrix's items, in its order.
    mean, sd
        Of theta.
    held
        Items whose parameters were given, not estimated; none where not told.
    gradient_tolerance
        The fit counts as converged when the gradient, by person, is below.
    """
    rows = np.arange(matrix.n_items)
    held = np.zeros(matrix.n_items, dtype=bool) if held is None else held
    space = make_space(items.item, items.model, items.n_categories, fixed=held)
    counts = padded_counts(matrix, items.n_categories)
    start = starting_state(space, counts, items, rows)
    state = State(start.local, start.mean + mean, start.sd * sd)
    design = make_design(matrix, items.n_categories, np.zeros(matrix.n_persons, dtype=np.int64))
    theta = grid(settings.quadrature)
    point = _evaluate(space, design, None, theta, settings.priors, state)
    vector = to_vector(space, state)
    slope = _largest_gradient(space, point, vector, theta, settings.priors) / design.n_persons
    converged = slope < gradient_tolerance
    return _result(space, design, point, settings, theta, 0, converged, slope)


@dataclass(frozen=True, eq=False)
class _Point:
    """One expectation step and what follows from it."""

    state: State
    tables: Tables
    expectation: Expectation
    counts: list[Floats]
    log_posterior: float


def _iterate(
    space: Space,
    design: Design,
    start: State,
    settings: Settings,
    progress: Callable[[int, float], None] | None,
    sums: PartSums | None,
) -> MmlFit:
    theta = grid(settings.quadrature)
    memory, low_high = Anderson(10 if space.histogram else 5), bounds(space)
    expanding = is_expandable(space, settings.priors)
    evaluate = partial(_evaluate, space, design, sums, theta, settings.priors)
    point = evaluate(start)
    iterations, steepest, before = 1, np.inf, -np.inf
    while True:
        if progress:
            progress(iterations, point.expectation.log_likelihood)
        vector = to_vector(space, point.state)
        slope = _largest_gradient(space, point, vector, theta, settings.priors) / design.n_persons
        change = abs(point.expectation.log_likelihood - before)
        converged = change < settings.tolerance and slope < GRADIENT_TOLERANCE
        if converged or iterations >= settings.max_iterations:
            return _result(space, design, point, settings, theta, iterations, converged, slope)
        if expanding and slope < _PLAIN_BELOW and slope > 0.5 * steepest:
            expanding = False
            memory.clear()
        before, steepest = point.expectation.log_likelihood, slope
        safe = maximise(
            space, point.state, point.counts, point.expectation.mass, theta, settings.priors
        )
        image = with_newton_density(space, safe, point.state, point.expectation, theta)
        if expanding:
            image = standardised(space, safe, point.expectation.mass, theta)
        proposal = memory.propose(*(_coordinates(space, s) for s in (point.state, image)))
        guess = _at_coordinates(space, proposal, low_high, point.state, theta)
        guess = _in_order(space, guess, safe)
        tried = evaluate(guess)
        iterations += 1
        # Rounding of a sum over persons is no loss.
        if not tried.log_posterior >= point.log_posterior - 1e-12 * abs(point.log_posterior):
            memory.clear()
            tried = evaluate(safe)
            iterations += 1
        point = tried


def _coordinates(space: Space, state: State) -> Floats:
    """Everything that EM moves: the free parameters, and the logs of a histogram's weights."""
    vector = to_vector(space, state)
    if state.density is None:
        return vector
    return np.concatenate((vector, np.log(state.density).ravel()))


def _at_coordinates(
    space: Space, values: Floats, low_high: tuple[Floats, Floats], held: State, theta: Floats
) -> State:
    """Nearest admissible point."""
    state = from_vector(space, np.clip(values[: space.n_free], *low_high), held)
    if held.density is None:
        return state
    logs = values[space.n_free :].reshape(held.density.shape)
    raised = np.exp(np.clip(logs - logs.max(axis=1, keepdims=True), np.log(LOWEST), 0.0))
    weights = [
        with_moments(own, theta, moments)
        for own, moments in zip(raised, space.held_moments, strict=True)
    ]
    return with_density(state, np.array(weights), theta)


def _in_order(space: Space, guess: State, safe: State) -> State:
    """Give graded items whose extrapolated thresholds meet or cross those of the plain step."""
    local = tuple(
        np.where(families.ordered(family.name, own)[:, None], own, plain)
        for family, own, plain in zip(space.families, guess.local, safe.local, strict=True)
    )
    return replace(guess, local=local)


def _evaluate(
    space: Space,
    design: Design,
    sums: PartSums | None,
    theta: Floats,
    priors: Priors,
    state: State,
) -> _Point:
    tables = make_tables(space, state, design, theta)
    expectation = expect(design, tables, sums)
    counts = category_counts(space, design, expectation.totals, expectation.mass)
    posterior = expectation.log_likelihood + log_prior(space, state, priors)
    posterior += log_prior_of_density(state, expectation.mass)
    return _Point(state, tables, expectation, counts, posterior)


def _largest_gradient(
    space: Space, point: _Point, vector: Floats, theta: Floats, priors: Priors
) -> float:
    found = gradient(space, point.state, point.counts, point.expectation.mass, theta, priors)
    largest = float(np.abs(projected(space, vector, found)).max(initial=0.0))
    if point.state.density is None:
        return largest
    mass = point.expectation.mass
    away = histogram_target(space, point.state, mass, theta) - point.state.density
    return max(largest, float(np.abs(away).max()) * float(mass.sum()))


def _result(
    space: Space,
    design: Design,
    point: _Point,
    settings: Settings,
    theta: Floats,
    iterations: int,
    converged: bool,  # noqa: FBT001 - one of many fields
    slope: float,
) -> MmlFit:
    return MmlFit(
        items=to_items(space, point.state),
        log_likelihood=point.expectation.log_likelihood,
        log_posterior=point.log_posterior,
        iterations=iterations,
        converged=converged,
        gradient=slope,
        latent_mean=point.state.mean,
        latent_sd=point.state.sd,
        n_parameters=space.n_free + _histogram_parameters(space, theta),
        at_bound=_at_bound(space, point.state),
        theta=theta,
        design=design,
        space=space,
        state=point.state,
        tables=point.tables,
        expectation=point.expectation,
        priors=settings.priors,
    )


def _histogram_parameters(space: Space, theta: Floats) -> int:
    """Free weights: all but one in each group, and one for each moment that is held."""
    if not space.histogram:
        return 0
    return len(space.held_moments) * (theta.size - 1) - int(space.held_moments.sum())


def _at_bound(space: Space, state: State) -> tuple[str, ...]:
    rows = [
        int(row)
        for family, local in zip(space.families, state.local, strict=True)
        for row in family.rows[family.free[:, 0] & (local[:, 0] <= SLOPE_BOUNDS[0])]
    ]
    return tuple(space.item[row] for row in sorted(rows))
