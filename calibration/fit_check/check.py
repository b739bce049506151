"""Everything there is to say of how given parameters fit given data.

The composer of this folder. Called by the command line. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.expectation import person_estimates
from calibration.fit_check.dimensionality import ParallelAnalysis, parallel_analysis
from calibration.fit_check.limited_information import ModelFit, model_fit
from calibration.fit_check.local_dependence import PairFit, local_dependence
from calibration.fit_check.reliability import Reliability, reliability
from calibration.fit_check.residuals import Residuals, residuals
from calibration.item_fit import ItemFit, item_fit
from calibration.matrix import ResponseMatrix
from calibration.mml import MmlFit, Settings, at_parameters, fit
from calibration.screening import check_scores
from engine.arrays import Floats
from engine.errors import InputError
from engine.items import ItemParameters

STEPS = 6
ONE_SLOPE = frozenset({"rasch", "pcm"})


@dataclass(frozen=True)
class Options:
    """What ``tarozu calibrate fit-check`` was asked for; see its help.

    Parameters
    ----------
    held
        Whether the parameters come from elsewhere: no item parameter then counts as estimated
        from these data, and mean and SD of theta are estimated.
    draws, seed
        Of the parallel analysis.
    quadrature
        Points of theta on [-6, 6].
    file
        The response file, for messages.
    """

    held: bool = False
    draws: int = 20
    seed: int = 1
    quadrature: int = 61
    file: object = None


@dataclass(frozen=True, eq=False)
class FitCheck:
    """What was found.

    Parameters
    ----------
    matrix
        The data that were used: items with parameters and responses, persons with responses.
    fit
        The parameters evaluated on them.
    theta, se
        EAP and posterior standard deviation, shape (n_persons,).
    item_fit, residuals, pairs
        By item and by pair.
    m2, c2
        Of the test.
    parallel, reliability
        Of the test.
    left_out
        Items that were not used, with the reason.
    remarks
        What a reader must know.
    """

    matrix: ResponseMatrix
    fit: MmlFit
    theta: Floats
    se: Floats
    item_fit: ItemFit
    residuals: Residuals
    pairs: PairFit
    m2: ModelFit
    c2: ModelFit
    parallel: ParallelAnalysis
    reliability: Reliability
    left_out: dict[str, str]
    remarks: tuple[str, ...]


def fit_check(
    matrix: ResponseMatrix,
    items: ItemParameters,
    options: Options = Options(),
    advance: Callable[[int], None] = lambda _n: None,
) -> FitCheck:
    """Compute every statistic that the data allow.

    Parameters
    ----------
    matrix
        Responses; items without parameters are left out and named.
    items
        The parameters.
    options
        How.
    advance
        Told when a step is done: six, and one for each draw of the parallel analysis.

    Raises
    ------
    InputError
        For fewer than 2 items with parameters and responses, fewer than 2 persons, or a score
        that an item does not have.
    """
    data, bank, left_out = _usable(matrix, items, options)
    found, remarks = evaluated(data, bank, options)
    theta, se, _log_l = person_estimates(found.design, found.tables, found.theta)
    advance(1)
    by_item = item_fit(data, found, theta)
    advance(1)
    along = residuals(data, found)
    advance(1)
    by_pair = local_dependence(data, found, theta)
    advance(1)
    m2 = model_fit(data, found, by_category=False)
    dichotomous = bool((bank.n_categories == 2).all())
    c2 = m2 if dichotomous else model_fit(data, found, by_category=True)
    advance(1)
    reliable = reliability(data, found, theta, se)
    advance(1)
    parallel = parallel_analysis(data, draws=options.draws, seed=options.seed, advance=advance)
    return FitCheck(
        data, found, theta, se, by_item, along, by_pair, m2, c2, parallel, reliable, left_out,
        (*_data_remarks(matrix, data, left_out), *remarks),
    )  # fmt: skip


def _usable(
    matrix: ResponseMatrix, items: ItemParameters, options: Options
) -> tuple[ResponseMatrix, ItemParameters, dict[str, str]]:
    known, counts = set(items.item), matrix.item_counts()
    left_out = {name: "no parameters" for name in matrix.item if name not in known}
    empty = {
        name: "no responses"
        for name, n in zip(matrix.item, counts.tolist(), strict=True)
        if n == 0 and name in known
    }
    keep = [k for k, name in enumerate(matrix.item) if name not in left_out and name not in empty]
    data = matrix.items(keep)
    data = data.persons_where(data.person_counts() > 0)
    if data.n_items < 2 or data.n_persons < 2:
        found = f"{data.n_items} items and {data.n_persons} persons"
        expected = "at least 2 items with parameters and responses, and 2 persons"
        raise InputError(expected, found, file=options.file)
    bank = items.subset([items.row(name) for name in data.item])
    categories = dict(zip(bank.item, bank.n_categories.tolist(), strict=True))
    check_scores(data, bank.model, n_categories=categories, file=options.file)
    return data, bank, left_out | empty


def evaluated(
    data: ResponseMatrix, bank: ItemParameters, options: Options
) -> tuple[MmlFit, tuple[str, ...]]:
    """Evaluate the parameters on the data.

    Theta is N(0, 1), as in the fit that the parameters came from; its variance is estimated for
    ``rasch`` and ``pcm``, where a fit leaves it free, and mean and variance for parameters from
    elsewhere and for routed data.
    """
    settings = Settings(quadrature=options.quadrature)
    held = np.full(data.n_items, options.held)
    if not (options.held or data.routed or ONE_SLOPE & set(bank.model)):
        return at_parameters(data, bank, settings, held=held), ()
    density = fit(data, bank.model, settings, fixed=bank)
    mean, sd = float(density.latent_mean[0]), float(density.latent_sd[0])
    found = at_parameters(data, bank, settings, mean=mean, sd=sd, held=held)
    remarks = [f"Theta has mean {mean:.3f} and SD {sd:.3f} in these data."]
    if not density.converged:
        remarks.append("The latent density did not converge: no figure here is to be used.")
    return found, tuple(remarks)


def _data_remarks(
    matrix: ResponseMatrix, data: ResponseMatrix, left_out: dict[str, str]
) -> list[str]:
    found = []
    if left_out:
        names = ", ".join(f"{name} ({why})" for name, why in left_out.items())
        found.append(f"Items left out: {names}.")
    if matrix.n_persons > data.n_persons:
        count = matrix.n_persons - data.n_persons
        found.append(f"{count} persons without responses are left out of every figure.")
    return found
