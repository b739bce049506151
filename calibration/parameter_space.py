"""Which parameters a fit estimates, and where each of them stands in one vector.

Between the bank (a, b, c, d, thresholds) and the estimation (slopes, intercepts, logits): knows
which are free, which are held, and which items share one slope. Called by ``mml`` and
``standard_errors``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from calibration.families import GRADED, LOGISTIC, NOMINAL, PARTIAL_CREDIT
from engine.arrays import Bools, Floats, Ints
from engine.items import FAMILIES, ItemParameters, item_parameters

SLOPE_BOUNDS = (0.01, 30.0)
INTERCEPT_BOUND = 60.0
C_START = 0.2
LOGIT_BOUNDS = ((-12.0, 4.0), (-4.0, 12.0))
FREE_SLOPE = frozenset({"1pl", "2pl", "3pl", "4pl", "gpcm", "grm"})


@dataclass(frozen=True, eq=False)
class Family:
    """The items of one family: which of their local parameters are free, and where.

    Parameters
    ----------
    name
        ``logistic``, ``partial_credit``, ``graded`` or ``nominal``.
    rows
        Their rows among all items, shape (n,).
    n_categories
        Shape (n,).
    n_local
        Local parameters that are free in some item: so many derivatives are needed.
    index
        Position of each local parameter in the vector, -1 where held or lacking, shape
        (n, width). Items that share a slope have the same position there.
    shared
        Items that share one slope, shape (n,).
    """

    name: str
    rows: Ints
    n_categories: Ints
    n_local: int
    index: Ints
    shared: Bools

    @property
    def free(self) -> Bools:
        """Which local parameters are estimated, shape (n, width)."""
        return np.asarray(self.index >= 0)


@dataclass(frozen=True, eq=False)
class Space:
    """All parameters of a fit.

    Parameters
    ----------
    item, model, content
        Of all items, in the order of the matrix.
    families
        The items by family.
    n_item_parameters
        Free item parameters; the latent ones follow them in the vector.
    mean_index, sd_index
        Position of each group's latent mean and log standard deviation, -1 where held, shape
        (n_groups,).
    n_free
        Length of the vector.
    held_moments
        Whether each group's mean and standard deviation are held, shape (n_groups, 2).
    histogram
        Whether the latent densities are weights on the grid; the vector has no part of them.
    """

    item: tuple[str, ...]
    model: tuple[str, ...]
    content: tuple[str, ...]
    families: tuple[Family, ...]
    n_item_parameters: int
    mean_index: Ints
    sd_index: Ints
    n_free: int
    held_moments: Bools
    histogram: bool = False


@dataclass(frozen=True, eq=False)
class State:
    """A point: local parameters by family, and the latent normal densities.

    Parameters
    ----------
    local
        One array per family, shape (n, width); NaN where an item lacks a category.
    mean, sd
        Of theta by group, shape (n_groups,).
    density
        Weights on the grid by group, shape (n_groups, n_theta); None for normal densities.
    normal
        Those of the normal densities that smooth them, which stay as they are.
    """

    local: tuple[Floats, ...]
    mean: Floats
    sd: Floats
    density: Floats | None = None
    normal: Floats | None = None


def make_space(
    item: Sequence[str],
    model: Sequence[str],
    n_categories: Ints,
    *,
    fixed: Bools,
    content: Sequence[str] = (),
    n_groups: int = 1,
    asymptotes: bool = True,
) -> Space:
    """Lay out the free parameters.

    Parameters
    ----------
    item, model, n_categories, fixed
        By item; ``fixed`` items are held.
    content
        Content areas, where they are known.
    n_groups
        Groups of persons. The first is N(0, 1), unless items are fixed (then mean and variance
        are free) or an item is ``rasch`` or ``pcm`` (then the variance is). All others are free.
    asymptotes
        Whether c and d are free where the model has them; else they stay where they begin.
    """
    counter = 0
    families = []
    for name in (LOGISTIC, PARTIAL_CREDIT, GRADED, NOMINAL):
        rows = np.flatnonzero([FAMILIES[m] == name for m in model])
        if rows.size:
            given = (_models_of(model, rows, asymptotes=asymptotes), n_categories, fixed)
            family, counter = _family(name, rows, *given, counter)
            families.append(family)
    one_slope = any(m in {"rasch", "pcm"} for m, held in zip(model, fixed, strict=True) if not held)
    later = np.arange(n_groups) > 0
    free_mean = later | bool(fixed.any())
    free_sd = later | bool(fixed.any()) | one_slope
    held_moments = ~np.column_stack((free_mean, free_sd))
    mean_index = np.where(free_mean, counter + np.cumsum(free_mean) - 1, -1)
    total = counter + int(free_mean.sum())
    sd_index = np.where(free_sd, total + np.cumsum(free_sd) - 1, -1)
    return Space(
        tuple(item),
        tuple(model),
        tuple(content) or ("",) * len(item),
        tuple(families),
        counter,
        mean_index,
        sd_index,
        total + int(free_sd.sum()),
        held_moments,
    )


def _models_of(model: Sequence[str], rows: Ints, *, asymptotes: bool) -> list[str]:
    """Model of the given rows; held asymptotes leave a 2PL to be estimated."""
    plain = {} if asymptotes else {"3pl": "2pl", "4pl": "2pl"}
    return [plain.get(model[row], model[row]) for row in rows]


def with_histogram(space: Space) -> Space:
    """The same with weights on the grid as latent densities: no mean or deviation in the vector."""
    none = np.full(space.mean_index.size, -1)
    return replace(
        space, mean_index=none, sd_index=none, n_free=space.n_item_parameters, histogram=True
    )


def _family(
    name: str,
    rows: Ints,
    models: list[str],
    n_categories: Ints,
    fixed: Bools,
    counter: int,
) -> tuple[Family, int]:
    has = np.array([m in FREE_SLOPE for m in models])
    steps = n_categories[rows] - 1
    if name == LOGISTIC:
        low = np.array([m in {"3pl", "4pl"} for m in models])
        high = np.array([m == "4pl" for m in models])
        free = np.column_stack((has, np.ones(len(rows), bool), low, high))
    elif name == NOMINAL:
        free = np.tile(np.arange(steps.max()) < steps[:, None], 2)
    else:
        free = np.column_stack((has, np.arange(steps.max()) < steps[:, None]))
    free &= ~fixed[rows][:, None]
    shared = np.array([m == "1pl" for m in models]) & free[:, 0]
    owns = free.copy()
    owns[np.flatnonzero(shared)[1:], 0] = False
    index = np.full(free.shape, -1, dtype=np.int64)
    index[owns] = counter + np.arange(owns.sum())
    if shared.any():
        index[shared, 0] = index[np.flatnonzero(shared)[0], 0]
    used = np.flatnonzero(free.any(axis=0))
    n_local = int(used.max(initial=0)) + 1 if name == LOGISTIC else free.shape[1]
    family = Family(name, rows, n_categories[rows], n_local, index, shared)
    return family, counter + int(owns.sum())


def to_vector(space: Space, state: State) -> Floats:
    """Gather the free parameters of a point, shape (n_free,)."""
    vector = np.empty(space.n_free)
    for family, local in zip(space.families, state.local, strict=True):
        vector[family.index[family.free]] = local[family.free]
    for index, values in ((space.mean_index, state.mean), (space.sd_index, np.log(state.sd))):
        vector[index[index >= 0]] = values[index >= 0]
    return vector


def from_vector(space: Space, vector: Floats, held: State) -> State:
    """Put free parameters into a point; what is not free is taken from ``held``."""
    local = tuple(
        np.where(family.free, vector[family.index], old)
        for family, old in zip(space.families, held.local, strict=True)
    )
    mean = np.where(space.mean_index >= 0, vector[space.mean_index], held.mean)
    sd = np.where(space.sd_index >= 0, np.exp(vector[space.sd_index]), held.sd)
    return State(local, mean, sd, held.density, held.normal)


def bounds(space: Space) -> tuple[Floats, Floats]:
    """Lowest and highest admissible vector."""
    low = np.full(space.n_free, -INTERCEPT_BOUND)
    high = np.full(space.n_free, INTERCEPT_BOUND)
    for family in space.families:
        lowest, highest = local_bounds(family.name, family.index.shape[1])
        for column in range(lowest.size):
            own = family.index[family.free[:, column], column]
            low[own], high[own] = lowest[column], highest[column]
    spread = space.sd_index[space.sd_index >= 0]
    low[spread], high[spread] = np.log(0.05), np.log(5.0)
    centre = space.mean_index[space.mean_index >= 0]
    low[centre], high[centre] = -5.0, 5.0
    return low, high


def local_bounds(family: str, width: int) -> tuple[Floats, Floats]:
    """Lowest and highest admissible local parameters, each (width,)."""
    low, high = np.full(width, -INTERCEPT_BOUND), np.full(width, INTERCEPT_BOUND)
    if family == NOMINAL:
        low[: width // 2], high[: width // 2] = -SLOPE_BOUNDS[1], SLOPE_BOUNDS[1]
        return low, high
    low[0], high[0] = SLOPE_BOUNDS
    if family == LOGISTIC:
        for column, ends in zip(range(2, width), LOGIT_BOUNDS, strict=False):
            low[column], high[column] = ends
    return low, high


def local_parameters(items: ItemParameters, rows: Ints, family: str, width: int) -> Floats:
    """Slopes, intercepts and logits of a bank's items, shape (n, width)."""
    a = items.a[rows]
    if family == LOGISTIC:
        with np.errstate(divide="ignore"):
            return np.column_stack(
                (a, -a * items.b[rows], logit(items.c[rows]), logit(items.d[rows]))
            )
    if family == NOMINAL:
        half = width // 2
        return np.hstack([_padded(x[rows], half) for x in (items.slopes, items.intercepts)])
    steps = _padded(items.thresholds[rows], width - 1)
    summed = np.cumsum(steps, axis=1) if family == PARTIAL_CREDIT else steps
    return np.column_stack((a, -a[:, None] * summed))


def _padded(values: Floats, width: int) -> Floats:
    """The first columns, and NaN where there are fewer."""
    wide = np.full((len(values), width), np.nan)
    wide[:, : values.shape[1]] = values[:, :width]
    return wide


def to_items(space: Space, state: State) -> ItemParameters:
    """Express a point as a bank: a, b, c, d, thresholds, slopes and intercepts."""
    n = len(space.item)
    width = max(int(family.n_categories.max()) for family in space.families) - 1
    a, b, c, d = np.ones(n), np.full(n, np.nan), np.zeros(n), np.ones(n)
    thresholds, slopes, intercepts = np.full((3, n, width), np.nan)
    for family, local in zip(space.families, state.local, strict=True):
        rows = family.rows
        if family.name == NOMINAL:
            half = local.shape[1] // 2
            a[rows] = np.nan
            slopes[rows, :half], intercepts[rows, :half] = local[:, :half], local[:, half:]
            continue
        a[rows] = local[:, 0]
        steps = thresholds_of(family.name, local)
        thresholds[rows, : steps.shape[1]] = steps
        if family.name == LOGISTIC:
            b[rows] = steps[:, 0]
            c[rows], d[rows] = expit(local[:, 2]), expit(local[:, 3])
    nominal = any(family.name == NOMINAL for family in space.families)
    return item_parameters(
        space.item,
        space.model,
        a=a,
        b=b,
        c=c,
        d=d,
        thresholds=thresholds,
        slopes=slopes if nominal else None,
        intercepts=intercepts if nominal else None,
        content=space.content,
    )


def thresholds_of(family: str, local: Floats) -> Floats:
    """Difficulties or thresholds of local parameters, shape (n, n_thresholds)."""
    if family == LOGISTIC:
        return -local[:, 1:2] / local[:, :1]
    intercepts = local[:, 1:]
    if family == PARTIAL_CREDIT:
        intercepts = np.diff(intercepts, axis=1, prepend=0.0)
    return -intercepts / local[:, :1]


def starting_state(
    space: Space,
    counts: Ints,
    known: ItemParameters | None,
    known_rows: Ints,
    nominal: Callable[[Family], Floats] | None = None,
) -> State:
    """Begin from the category counts; items with known parameters begin from those.

    Parameters
    ----------
    space
        What is estimated.
    counts
        Responses by item and category, shape (n_items, max_categories).
    known
        Parameters of fixed items, or better starts.
    known_rows
        Row in ``known`` of each item, -1 for none, shape (n_items,).
    nominal
        Gives first local parameters of nominal items, for which counts do not suffice.
    """
    local = []
    for family in space.families:
        if family.name == NOMINAL and nominal is not None:
            start = nominal(family)
        else:
            models = [space.model[k] for k in family.rows]
            start = _family_start(family, counts[family.rows], models)
        has = known_rows[family.rows] >= 0
        if known is not None and has.any():
            rows = known_rows[family.rows][has]
            start[has] = local_parameters(known, rows, family.name, start.shape[1])
        local.append(start)
    groups = np.zeros(space.mean_index.size)
    return State(tuple(local), groups, groups + 1.0)


def _family_start(family: Family, counts: Ints, models: list[str]) -> Floats:
    n, width = family.index.shape
    start = np.full((n, width), np.nan)
    start[:, 0] = 1.0
    smooth = counts + 0.5
    if family.name == LOGISTIC:
        start[:, 1] = np.log(smooth[:, 1] / smooth[:, 0])
        start[:, 2] = [logit(C_START) if m in {"3pl", "4pl"} else -np.inf for m in models]
        start[:, 3] = [logit(0.95) if m == "4pl" else np.inf for m in models]
        return start
    for k, categories in enumerate(family.n_categories):
        own = smooth[k, :categories]
        if family.name == PARTIAL_CREDIT:
            start[k, 1:categories] = np.log(own[1:] / own[0])
        else:
            above = np.cumsum(own[::-1])[::-1][1:] / own.sum()
            start[k, 1:categories] = logit(above)
    return start
