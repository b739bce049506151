"""The observed information of a fit: minus the second derivatives of the log posterior.

By Oakes' identity these are the second derivatives of the expected complete log posterior, plus
the change of its gradient when the posteriors of theta move with the parameters. Two routes to
that change: item by item for dense data, where one matrix product serves all persons, and person
by person for sparse data, where a person meets few items. Called by ``standard_errors``.

Source: Oakes (1999); Chalmers (2018) for its use with item response models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from calibration import families
from calibration.expectation import PersonBlock, category_counts, posteriors
from calibration.maximisation import latent_gradient, latent_score_functions, local_gradient
from calibration.mml import MmlFit
from calibration.parameter_space import Family
from engine.arrays import Floats, Ints

_DIFFERENCE = 1e-5
_CHUNK = 512


def observed_information(fit: MmlFit) -> Floats:
    """Minus the second derivatives of the marginal log posterior, shape (n_free, n_free)."""
    routed = sparse.issparse(fit.design.blocks[0].indicators)
    change = change_by_person(fit) if routed else change_by_item(fit)
    second = _complete_hessian(fit) + change
    return -0.5 * (second + second.T)


def _complete_hessian(fit: MmlFit) -> Floats:
    """Second derivatives at fixed expected counts, by central differences of the gradient."""
    space, mass = fit.space, fit.expectation.mass
    counts = category_counts(space, fit.design, fit.expectation.totals, mass)
    hessian = np.zeros((space.n_free, space.n_free))
    for family, local, own in zip(space.families, fit.state.local, counts, strict=True):
        for p in range(family.n_local):
            _add_item_blocks(hessian, family, local, own, p, fit)
    _add_latent_blocks(hessian, fit)
    return hessian


def _add_item_blocks(
    hessian: Floats, family: Family, local: Floats, counts: Floats, p: int, fit: MmlFit
) -> None:
    moved = []
    for sign in (1.0, -1.0):
        near = local.copy()
        near[:, p] += sign * _DIFFERENCE
        moved.append(local_gradient(family, near, counts, fit.theta, fit.priors))
    change = (moved[0] - moved[1]) / (2 * _DIFFERENCE)
    for r in range(family.index.shape[1]):
        both = family.free[:, p] & family.free[:, r]
        np.add.at(hessian, (family.index[both, r], family.index[both, p]), change[both, r])


def _add_latent_blocks(hessian: Floats, fit: MmlFit) -> None:
    state, mass = fit.state, fit.expectation.mass
    indices = (fit.space.mean_index, fit.space.sd_index)
    for column, index in enumerate(indices):
        moved = []
        for sign in (1.0, -1.0):
            by = sign * _DIFFERENCE
            near = (
                replace(state, mean=state.mean + by)
                if column == 0
                else replace(state, sd=state.sd * np.exp(by))
            )
            moved.append(latent_gradient(near, mass, fit.theta))
        for row, other in enumerate(indices):
            change = (moved[0][row] - moved[1][row]) / (2 * _DIFFERENCE)
            both = (index >= 0) & (other >= 0)
            hessian[other[both], index[both]] += change[both]


@dataclass(frozen=True, eq=False)
class _Linear:
    """The gradient as a linear function of expected counts.

    ``by_column`` (n_columns, n_theta, n_local) and ``by_person`` (n_items, n_theta, n_local) hold
    derivatives, ``column_index`` and ``person_index`` the parameters that they belong to.
    """

    by_column: Floats
    column_index: Ints
    by_person: Floats
    person_index: Ints
    latent: tuple[Floats, Floats]


def change_by_item(fit: MmlFit) -> Floats:
    """Change of the gradient as the posteriors move, one row per moving parameter."""
    linear = _linear_gradient(fit)
    change = np.zeros((fit.space.n_free, fit.space.n_free))
    for block, posterior, _log_l in posteriors(fit.design, fit.tables):
        for rows, index, score in _moving(fit, block, linear):
            own = posterior if rows is None else posterior[rows]
            # The posterior of a person moves by its covariance with the score function.
            moved = own[:, :, None] * (score - np.einsum("bq,bqp->bp", own, score)[:, None, :])
            part = block.indicators if rows is None else block.indicators[rows]
            group = block.group if rows is None else block.group[rows]
            for parameter, row in zip(
                index, _gradients(fit, linear, part, group, moved), strict=True
            ):
                change[parameter] += row
    return change


def _moving(
    fit: MmlFit, block: PersonBlock, linear: _Linear
) -> Iterator[tuple[Ints | None, Ints, Floats]]:
    """Yield, item by item, who answered, the free parameters and the persons' score functions."""
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        scores = families.score_functions(family.name, local, fit.theta, family.n_local)
        for k, row in enumerate(family.rows):
            free = np.flatnonzero(family.free[k, : family.n_local])
            if free.size:
                rows, score = _answers(fit, block, int(row), int(family.n_categories[k]))
                yield rows, family.index[k, free], scores[k][score][:, :, free]
    for g in range(fit.design.n_groups):
        rows = np.flatnonzero(block.group == g)
        for index, by in zip(
            (fit.space.mean_index, fit.space.sd_index), linear.latent, strict=True
        ):
            if index[g] >= 0 and rows.size:
                yield (
                    rows,
                    index[g : g + 1],
                    np.broadcast_to(by[g], (rows.size, by.shape[1]))[..., None],
                )


def _answers(
    fit: MmlFit, block: PersonBlock, item: int, n_categories: int
) -> tuple[Ints | None, Ints]:
    """Rows of a block that answered an item (None: all), and their scores."""
    first = fit.design.first[item]
    columns = block.indicators[:, first : first + n_categories - 1]
    steps = np.arange(1, n_categories)
    score = np.asarray(columns @ steps).astype(np.int64)
    if fit.design.complete:
        return None, score
    rows = np.flatnonzero(block.indicators[:, fit.design.n_positive + item])
    return rows, score[rows]


def _linear_gradient(fit: MmlFit) -> _Linear:
    n_columns, n_theta = fit.expectation.totals.shape
    width = max(family.index.shape[1] for family in fit.space.families)
    n_items = len(fit.space.item)
    by_column, column_index = np.zeros((n_columns, n_theta, width)), np.full((n_columns, width), -1)
    by_person, person_index = np.zeros((n_items, n_theta, width)), np.full((n_items, width), -1)
    for family, local in zip(fit.space.families, fit.state.local, strict=True):
        p, wide = family.n_local, family.index.shape[1]
        scores = families.score_functions(family.name, local, fit.theta, p)
        by_person[family.rows, :, :p] = scores[:, 0]
        person_index[family.rows, :wide] = family.index
        for k in range(1, scores.shape[1]):
            has = family.n_categories > k
            columns = fit.design.first[family.rows[has]] + k - 1
            by_column[columns, :, :p] = scores[has, k] - scores[has, 0]
            column_index[columns, :wide] = family.index[has]
    if not fit.design.complete:
        by_column[fit.design.n_positive :] = by_person
        column_index[fit.design.n_positive :] = person_index
    return _Linear(
        by_column,
        column_index,
        by_person,
        person_index,
        latent_score_functions(fit.state, fit.theta),
    )


def _gradients(
    fit: MmlFit, linear: _Linear, indicators: Floats, group: Ints, moved: Floats
) -> Iterator[Floats]:
    """Gradients that the moved posteriors (n, n_theta, n_moving) give, each (n_free,)."""
    n, q, count = moved.shape
    totals = np.asarray(indicators.T @ moved.reshape(n, q * count)).reshape(-1, q, count)
    for k in range(count):
        found = np.zeros(fit.space.n_free + 1)
        _scatter(
            found, linear.column_index, np.einsum("cq,cqp->cp", totals[:, :, k], linear.by_column)
        )
        if fit.design.complete:
            everybody = moved[:, :, k].sum(axis=0)
            _scatter(
                found, linear.person_index, np.einsum("q,iqp->ip", everybody, linear.by_person)
            )
        for index, by in zip(
            (fit.space.mean_index, fit.space.sd_index), linear.latent, strict=True
        ):
            for g in np.flatnonzero(index >= 0):
                found[index[g]] += moved[group == g, :, k].sum(axis=0) @ by[g]
        yield found[:-1]


def _scatter(found: Floats, index: Ints, values: Floats) -> None:
    """Add values at their parameters; what has none (-1) falls into the last place."""
    found += np.bincount(index.ravel() % found.size, values.ravel(), minlength=found.size)


def change_by_person(fit: MmlFit) -> Floats:
    """Do the same as ``change_by_item``, from each person's own covariance of score functions."""
    change = np.zeros((fit.space.n_free + 1) ** 2)
    table, index = _score_table(fit)
    first = 0
    for block, posterior, _log_l in posteriors(fit.design, fit.tables):
        for low in range(0, len(posterior), _CHUNK):
            rows = slice(low, min(low + _CHUNK, len(posterior)))
            cells = _answered_cells(fit, first + rows.start, first + rows.stop, block.group[rows])
            _add_covariances(change, table[cells], index[cells], posterior[rows])
        first += len(posterior)
    width = fit.space.n_free + 1
    return change.reshape(width, width)[:-1, :-1]


def _score_table(fit: MmlFit) -> tuple[Floats, Ints]:
    """Score functions of every cell (item and score, then groups, then nothing).

    Returns
    -------
    tuple
        Shapes (n_cells, n_local, n_theta) and (n_cells, n_local): the derivatives and the
        parameters they belong to, the last place for none.
    """
    space, n_categories = fit.space, fit.design.n_categories
    start = np.concatenate(([0], np.cumsum(n_categories)))
    width = max(2, *(family.n_local for family in space.families))
    n_cells = int(start[-1]) + fit.design.n_groups + 1
    table = np.zeros((n_cells, width, fit.theta.size))
    index = np.full((n_cells, width), space.n_free)
    for family, local in zip(space.families, fit.state.local, strict=True):
        p = family.n_local
        scores = families.score_functions(family.name, local, fit.theta, p)
        for k in range(scores.shape[1]):
            has = family.n_categories > k
            cells = start[family.rows[has]] + k
            table[cells, :p] = scores[has, k].transpose(0, 2, 1)
            index[cells, :p] = np.where(family.free[has, :p], family.index[has, :p], space.n_free)
    latent = slice(int(start[-1]), n_cells - 1)
    for column, (by, own) in enumerate(
        zip(
            latent_score_functions(fit.state, fit.theta),
            (space.mean_index, space.sd_index),
            strict=True,
        )
    ):
        table[latent, column] = by
        index[latent, column] = np.where(own >= 0, own, space.n_free)
    return table, index


def _answered_cells(fit: MmlFit, first: int, last: int, group: Ints) -> Ints:
    """Cells of persons ``first`` to ``last``: their answers, their group, and padding."""
    design = fit.design
    part = design.matrix.persons(first, last)
    start = np.concatenate(([0], np.cumsum(design.n_categories)))
    padding = int(start[-1]) + design.n_groups
    counts = part.person_counts()
    cells = np.full((part.n_persons, int(counts.max(initial=0)) + 1), padding, dtype=np.int64)
    place = np.arange(part.n_responses) - np.repeat(part.offsets[:-1], counts)
    cells[part.rows(), place] = start[part.column] + part.score
    cells[:, -1] = start[-1] + group
    return cells


def _add_covariances(change: Floats, scores: Floats, index: Ints, posterior: Floats) -> None:
    """Add the posterior covariances of score functions (n, n_cells, n_local, n_theta)."""
    n, n_theta = posterior.shape
    flat = scores.reshape(n, -1, n_theta)
    at = index.reshape(n, -1)
    mean = flat @ posterior[:, :, None]
    covariance = (flat * posterior[:, None, :]) @ flat.transpose(0, 2, 1)
    covariance -= mean * mean.transpose(0, 2, 1)
    width = int(np.sqrt(change.size))
    np.add.at(change, (at[:, :, None] * width + at[:, None, :]).ravel(), covariance.ravel())
