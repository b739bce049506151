"""Shadow tests: before every item, the best whole test that keeps the blueprint.

A shadow test holds the items given so far, keeps all constraints, and is the most informative at
the interim theta; the next item is its best item not given yet (van der Linden and Reese, 1998).
So a test can never run into a corner that was avoidable. Called by `engine.blueprints.balance` and
by replay. Imports `engine.blueprints.constraints`, `engine.blueprints.look_ahead` and
`engine.blueprints.programs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.constraints import RELAXED_FIRST, SETS, TOTALS, Constraints, broken
from engine.blueprints.look_ahead import not_barred
from engine.blueprints.programs import INFEASIBLE, Limits, Program, Solution, solve

LENGTH, ENEMIES = "length", "enemies"
PREVIOUS = "previous form"
MARGIN = 1e-6
STRICT, LOOSENED = range(1), range(1, len(RELAXED_FIRST) + 2)
"""Levels at which a form is assembled: nothing gives way; one kind of constraints after another."""


@dataclass(frozen=True)
class Form:
    """A shadow test.

    Parameters
    ----------
    rows
        Its items in bank order, those given included.
    objective, bound
        Sum of the criterion over its items, and what no other test exceeds; None where the
        solver had no answer.
    status
        ``optimal``; ``nodes`` or ``clock`` when that stopped the search; ``previous form`` when it
        left no answer and the form of the step before stands in.
    relaxed
        The constraints that had to give way, none while the blueprint can be kept.
    nodes
        Of the search.
    stopped_by
        ``nodes`` or ``clock`` where the search was stopped.
    """

    rows: tuple[int, ...]
    objective: float | None
    bound: float | None
    status: str
    relaxed: tuple[str, ...] = ()
    nodes: int = 0
    stopped_by: str | None = None


@dataclass(frozen=True, eq=False)
class _Table:
    """Constraints as rows of a matrix over items and then stimuli, once for a bank."""

    matrix: sparse.csc_array
    lower: Floats
    upper: Floats
    kinds: tuple[str, ...]


def shadow_form(
    bound: Constraints,
    values: Floats,
    given: tuple[int, ...],
    free: Bools,
    *,
    limits: Limits,
    previous: tuple[int, ...] = (),
) -> Form | None:
    """Assemble the best whole test around the items given so far.

    Parameters
    ----------
    values
        Of the criterion, larger is better, shape ``(n_items,)``.
    given
        Bank rows in the order given.
    free
        Items neither given nor held, shape ``(n_items,)``.
    limits
        Of the search.
    previous
        The form of the step before, used when the search ends without an answer. The search also
        begins with its items, which saves time; of forms that are equally good within 1e-6 it may
        so find another, and therefore the previous form is part of a step's record.

    Returns
    -------
    Form or None
        None when not even a relaxed test has an item left, or the search ended without an answer
        and there is no previous form.
    """
    levels = (*STRICT, *LOOSENED)
    return searched_form(
        bound, values, given, free, limits=limits, previous=previous, levels=levels
    )[0]


def searched_form(
    bound: Constraints,
    values: Floats,
    given: tuple[int, ...],
    free: Bools,
    *,
    limits: Limits,
    previous: tuple[int, ...],
    levels: Sequence[int],
) -> tuple[Form | None, bool]:
    """Assemble as `shadow_form` does, at some levels: how many kinds of constraints may give way.

    Returns
    -------
    tuple
        The form, and whether the search had an answer: that form, or that there is none.
    """
    rows = np.array([given], dtype=np.int64).reshape(1, -1)
    values = _finite(values)
    for level in levels:
        relaxed = (*RELAXED_FIRST, LENGTH)[:level]
        open_ = not_barred(bound, rows, free[None], torn=SETS in relaxed)[0]
        if not open_.any():
            continue
        program = _program(bound, values, rows[0], open_, relaxed)
        known = _known(bound, values, given, previous, open_) if level == 0 else -np.inf
        before = np.flatnonzero(np.isin(np.flatnonzero(open_), previous))
        found = solve(program, limits, known, before)
        if found.status != INFEASIBLE:
            missed = _missed(bound, found, int(open_.sum()), relaxed)
            form = _form(found, values, rows[0], missed, np.flatnonzero(open_))
            return form or _previous(found, previous, open_), form is not None
    return None, True


def choices(bound: Constraints, form: Form, given: tuple[int, ...], free: Bools) -> Bools:
    """Items of a form that may come next: those of the stimulus at hand first.

    Returns
    -------
    Bools
        Shape ``(n_items,)``.
    """
    mask = np.zeros(bound.n_items, dtype=np.bool_)
    mask[list(form.rows)] = True
    mask[list(given)] = False
    mask &= free
    if given and bound.set_of[given[-1]] >= 0:
        same = mask & (bound.set_of == bound.set_of[given[-1]])
        mask = same if same.any() else mask
    return mask


def form_problems(
    bound: Constraints, values: Floats, given: tuple[int, ...], free: Bools, form: Form
) -> tuple[str, ...]:
    """Check a logged form whose search was stopped by the clock, which no replay can repeat.

    Returns
    -------
    tuple
        What is wrong: items given that it lacks, items that were not free, constraints it breaks
        and did not declare, or an objective that its items do not have.
    """
    items = set(form.rows)
    problems = [f"the form lacks given item {row}" for row in given if row not in items]
    later = sorted(items - set(given))
    rows = np.array([given], dtype=np.int64).reshape(1, -1)
    open_ = not_barred(bound, rows, free[None], torn=SETS in form.relaxed)[0]
    problems += [f"item {row} of the form was not free" for row in later if not open_[row]]
    order = [*given, *sorted(later, key=lambda row: (_elsewhere(bound, given, row), row))]
    for name in broken(bound, np.array([order], dtype=np.int64))[0]:
        if name not in form.relaxed:
            problems.append(f"the form breaks {name}")
    objective = float(values[list(form.rows)].sum())
    if form.objective is not None and abs(objective - form.objective) > MARGIN:
        problems.append(f"the form's objective was {form.objective}, its items have {objective}")
    return tuple(problems)


def _finite(values: Floats) -> Floats:
    """Rank items without a finite value below all others."""
    known = values[np.isfinite(values)]
    worst = 0.0 if not len(known) else float(known.min() - np.ptp(known) - 1.0)
    return np.where(np.isfinite(values), values, worst)


def _known(
    bound: Constraints,
    values: Floats,
    given: tuple[int, ...],
    previous: tuple[int, ...],
    open_: Bools,
) -> float:
    """What the rest of the previous form is worth now; minus infinity if it is no solution."""
    later = [row for row in previous if row not in given]
    if len(later) + len(given) != bound.length or not open_[later].all():
        return -np.inf
    order = [*given, *sorted(later, key=lambda row: (_elsewhere(bound, given, row), row))]
    if broken(bound, np.array([order], dtype=np.int64))[0]:
        return -np.inf
    return float(values[later].sum())


def _elsewhere(bound: Constraints, given: tuple[int, ...], row: int) -> tuple[bool, int]:
    """Sort the stimulus at hand first and keep each stimulus together."""
    here = bool(given) and bound.set_of[given[-1]] >= 0
    same = here and bound.set_of[row] == bound.set_of[given[-1]]
    return not same, int(bound.set_of[row])


def _form(
    found: Solution, values: Floats, given: Ints, relaxed: tuple[str, ...], columns: Ints
) -> Form | None:
    if found.values is None:
        return None
    chosen = columns[found.values[: len(columns)] > 0.5]
    rows = sorted([*given.tolist(), *chosen.tolist()])
    behind = float(values[given].sum())
    objective = float(values[rows].sum())
    limit = objective if found.status == "optimal" else behind + found.bound
    stopped = None if found.status == "optimal" else found.status
    return Form(tuple(rows), objective, limit, found.status, relaxed, found.nodes, stopped)


def _missed(
    bound: Constraints, found: Solution, n_items: int, relaxed: tuple[str, ...]
) -> tuple[str, ...]:
    """Name the constraints that gave way; sets by being allowed to, since order is no row."""
    if found.values is None or not relaxed:
        return ()
    rows = np.flatnonzero([kind in relaxed for kind in _table(bound).kinds])
    over, under = found.values[n_items + len(bound.set_names) :].reshape(2, -1)
    names = row_names(bound)
    missed = {names[row] for row in rows[(over > 0.5) | (under > 0.5)]}
    missed |= {SETS} & set(relaxed)
    return tuple(dict.fromkeys(name for name in (*names, SETS) if name in missed))


def _previous(found: Solution, previous: tuple[int, ...], open_: Bools) -> Form | None:
    """Return the form of the step before, as far as its items may still be given."""
    if not open_[list(previous)].any():
        return None
    return Form(previous, None, None, PREVIOUS, (), found.nodes, found.status)


# --- the program --------------------------------------------------------------------------------


def whole_program(bound: Constraints) -> Program:
    """Write down that a test keeps the blueprint, as a program in which all tests are equal."""
    nothing = np.zeros(0, dtype=np.int64)
    return _program(bound, np.zeros(bound.n_items), nothing, bound.usable, ())


def row_names(bound: Constraints) -> tuple[str, ...]:
    """Name each row of the program: ``length``, a bound, ``enemies`` or ``sets``."""
    rest = _table(bound).kinds[1 + len(bound.names) :]
    return (LENGTH, *bound.names, *rest)


def _program(
    bound: Constraints, values: Floats, given: Ints, open_: Bools, relaxed: tuple[str, ...]
) -> Program:
    """Write the choice of the remaining items as a program; relaxed constraints have a price."""
    table = _table(bound)
    started = np.zeros(len(bound.set_names))
    codes = bound.set_of[given]
    started[codes[codes >= 0]] = 1.0
    columns = np.concatenate([np.flatnonzero(open_), bound.n_items + np.arange(len(started))])
    behind = np.asarray(table.matrix[:, given].sum(axis=1)).ravel()
    elastic, price = _slacks(bound, table, values[open_], relaxed)
    n_items, n_sets, n_slacks = int(open_.sum()), len(started), elastic.shape[1]
    n = n_items + n_sets + n_slacks
    most = np.ones(n)
    most[n_items + n_sets :] = np.inf
    gain, least = np.zeros(n), np.zeros(n)
    gain[:n_items], gain[n_items + n_sets :] = values[open_], -price
    least[n_items : n_items + n_sets] = started
    whole = np.ones(n, dtype=np.bool_)
    always = np.arange(n) >= n_items
    return Program(
        gain=gain,
        least=least,
        most=most,
        matrix=sparse.csc_array(sparse.hstack([table.matrix[:, columns], elastic], format="csc")),
        lower=table.lower - behind,
        upper=table.upper - behind,
        whole=whole,
        always=always,
    )


def _slacks(
    bound: Constraints, table: _Table, values: Floats, relaxed: tuple[str, ...]
) -> tuple[sparse.csc_array, Floats]:
    """Columns by which relaxed rows may be missed, and their prices: above any gain in items."""
    rows = np.flatnonzero([kind in relaxed for kind in table.kinds])
    price = bound.length * (float(np.ptp(values)) + 1.0)
    unit = np.ones(len(rows))
    for place, row in enumerate(rows):
        if table.kinds[row] == TOTALS:
            unit[place] = max(float(np.abs(table.matrix[[row]].data).mean()), 1e-9)
    shape = (len(table.lower), len(rows))
    over = sparse.csc_array((unit, (rows, np.arange(len(rows)))), shape=shape)
    both = sparse.csc_array(sparse.hstack([over, -over], format="csc"))
    return both, np.full(2 * len(rows), price)


@lru_cache(maxsize=32)
def _table(bound: Constraints) -> _Table:
    n_items, n_sets = bound.n_items, len(bound.set_names)
    cliques = np.zeros((len(bound.cliques), n_items))
    for place, clique in enumerate(bound.cliques):
        cliques[place, list(clique)] = 1.0
    plain = np.concatenate([np.ones((1, n_items)), bound.weights, cliques])
    plain = np.concatenate([plain, np.zeros((len(plain), n_sets))], axis=1)
    members = bound.members.astype(np.float64)
    at_least = np.concatenate([members, -bound.least * np.eye(n_sets)], axis=1)
    at_most = np.concatenate([members, -bound.most * np.eye(n_sets)], axis=1)
    none, open_ = np.full(n_sets, 0.0), np.full(n_sets, np.inf)
    free = np.full(len(cliques), -np.inf)
    return _Table(
        matrix=sparse.csc_array(np.concatenate([plain, at_least, at_most])),
        lower=np.concatenate([[bound.length], bound.lower, free, none, -open_]),
        upper=np.concatenate([[bound.length], bound.upper, np.ones(len(free)), open_, none]),
        kinds=(LENGTH, *bound.kinds, *([ENEMIES] * len(free)), *([SETS] * 2 * n_sets)),
    )
