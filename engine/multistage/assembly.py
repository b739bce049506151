"""Assembling parallel panels of modules from a bank.

First the linear relaxation of all panels at once says what information each module of parallel
panels can have: the largest share of what the module could have by itself, the same share for all
(the maximin principle; van der Linden, 2005, chapter 6). Then panel after panel is chosen in whole
numbers as close to these targets as can be, with what the panels still to come need held in
reserve. Sources: Luecht and Nungester (1998); Yan, von Davier and Lewis (2014, chapters 5 and 8);
van der Linden (2005). Called by the command ``tarozu assemble``. Imports the bound blueprint and
`engine.multistage.programs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.blueprints.blueprint import Blueprint
from engine.blueprints.constraints import Constraints, constraints_of
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters
from engine.models import dispatch
from engine.multistage.plans import PanelPlan
from engine.multistage.programs import OPTIMAL, SLIGHT, Block, Kind, Sheet, add_block
from engine.randomness import uniform

CLOSE = 0.02
"""Weight of the random worths beside a relative distance of 1 from the targets."""
DRAWS = 3
"""Relaxations that are asked which items come into question for a panel."""
NAMED = 4
"""So many constraints are named when no panel can keep all."""


@dataclass(frozen=True)
class Order:
    """How many panels are wanted, and how alike.

    Parameters
    ----------
    n_panels
        Number of panels.
    targets
        Information of each module, stage by stage, at each of its points; None for about the most
        that parallel panels can have.
    tolerance
        Share by which the information of a module may differ from its target.
    most_shared
        Items that two panels may have in common at most; 0 for panels without common items.
    """

    n_panels: int = 1
    targets: tuple[tuple[float, ...], ...] | None = None
    tolerance: float = 0.05
    most_shared: int = 0

    def __post_init__(self) -> None:
        checks = (
            ("n_panels", self.n_panels >= 1, "at least 1 panel", self.n_panels),
            ("tolerance", 0 < self.tolerance < 1, "a share above 0, below 1", self.tolerance),
            ("most_shared", self.most_shared >= 0, "a whole number from 0", self.most_shared),
        )
        for column, holds, expected, found in checks:
            if not holds:
                raise InputError(expected, found, column=column)


@dataclass(frozen=True, eq=False)
class Panels:
    """Parallel panels.

    Parameters
    ----------
    plan
        Their stages.
    rows
        By panel and module the bank rows, items of a stimulus together.
    targets
        Of each module, the information that was aimed at, at each of its points.
    information
        By panel and module the same as it is.
    shared
        Items that two panels have in common, shape ``(n_panels, n_panels)``.
    stopped
        Panels, from 0, whose search ended at a limit before it was proven close to the best; they
        keep everything all the same.
    """

    plan: PanelPlan
    rows: tuple[tuple[Ints, ...], ...]
    targets: tuple[Floats, ...]
    information: tuple[tuple[Floats, ...], ...]
    shared: Ints
    stopped: tuple[int, ...] = ()

    @property
    def n_panels(self) -> int:
        """Number of panels."""
        return len(self.rows)

    def path_rows(self, panel: int, path: Sequence[int]) -> Ints:
        """Bank rows of a path in the order given, shape ``(length,)``."""
        modules = [self.plan.at(stage, place) for stage, place in enumerate(path)]
        joined: Ints = np.concatenate([self.rows[panel][module] for module in modules])
        return joined


@dataclass(frozen=True, eq=False)
class _Task:
    """What stays the same while panels are assembled."""

    items: ItemParameters
    plan: PanelPlan
    order: Order
    bound: Constraints
    points: tuple[Floats, ...]
    worth: tuple[Floats, ...]
    """By module, information of every item at its points, shape ``(n_points, n_items)``."""
    seed: int

    @property
    def n_panels(self) -> int:
        """Number of panels."""
        return self.order.n_panels

    @property
    def most_shared(self) -> int:
        """Items that two panels may have in common."""
        return self.order.most_shared


def assemble_panels(
    items: ItemParameters,
    blueprint: Blueprint,
    plan: PanelPlan,
    order: Order,
    *,
    seed: int = 0,
    advance: Callable[[int], object] | None = None,
) -> Panels:
    """Assemble parallel panels.

    Parameters
    ----------
    blueprint
        Kept on every path; its stimulus sets stand within one module.
    seed
        Of what decides between items that serve alike; the same panels for the same seed.
    advance
        Called with 1 after each panel.

    Raises
    ------
    InputError
        For numbers that make no sense, or a blueprint that does not fit the bank.
    AnswerIsNo
        When there are no such panels, naming modules and paths that lack something.
    """
    task = _task(items, blueprint, plan, order, seed)
    if order.targets is None:
        targets = tuple((1.0 - order.tolerance) * most for most in _most_information(task))
    else:
        targets = _checked_targets(plan, order.targets)
    given = np.zeros((0, len(plan.modules), len(items)), dtype=np.bool_)
    stopped = []
    for panel in range(order.n_panels):
        chosen, status = _panel(task, targets, given, panel)
        given = np.concatenate([given, chosen[None]])
        stopped += [panel] * (status != OPTIMAL)
        if advance is not None:
            advance(1)
    return _panels(task, targets, given, tuple(stopped))


def most_information(
    items: ItemParameters, blueprint: Blueprint, plan: PanelPlan, order: Order
) -> tuple[Floats, ...]:
    """Find the most information that the modules of parallel panels can have.

    A bound from the linear relaxation: each module has the same share, the largest possible, of
    what it could have by itself.

    Returns
    -------
    tuple
        By module, at each of its points.

    Raises
    ------
    InputError, AnswerIsNo
        As `assemble_panels`.
    """
    return _most_information(_task(items, blueprint, plan, order, 0))


def _task(
    items: ItemParameters, blueprint: Blueprint, plan: PanelPlan, order: Order, seed: int
) -> _Task:
    points = tuple(np.array(module.points) for module in plan.modules)
    return _Task(
        items=items,
        plan=plan,
        order=order,
        bound=constraints_of(items, blueprint, plan.length),
        points=points,
        worth=tuple(dispatch.information(theta, items) for theta in points),
        seed=seed,
    )


def _checked_targets(plan: PanelPlan, targets: Sequence[Sequence[float]]) -> tuple[Floats, ...]:
    given = tuple(np.asarray(of, dtype=np.float64) for of in targets)
    shapes = [len(module.points) for module in plan.modules]
    if [np.size(of) for of in given] != shapes or any((of <= 0).any() for of in given):
        expected = f"information above 0 at the points of {len(shapes)} modules: {shapes}"
        raise InputError(expected, [np.size(of) for of in given], column="targets")
    return given


# --- targets ------------------------------------------------------------------------------------


def _most_information(task: _Task) -> tuple[Floats, ...]:
    """Find the largest share of what each module could have alone that all can have together."""
    sheet = Sheet()
    open_ = np.broadcast_to(task.bound.usable, (len(task.plan.modules), len(task.items)))
    block = add_block(sheet, task.plan, task.bound, open_, Kind(task.n_panels))
    _share_items(sheet, task, [block], np.zeros((0, len(task.items))))
    share = sheet.columns(1, cost=-1.0)
    alone = _alone(task)
    for module, worth in enumerate(task.worth):
        columns = block.items[module, task.bound.usable]
        entries = [
            (np.arange(len(worth))[:, None], columns[None], worth[:, task.bound.usable]),
            (np.arange(len(worth)), share[0], -alone[module] * task.n_panels),
        ]
        names = [f"module {task.plan.modules[module].name}: information"] * len(worth)
        sheet.bound(entries, 0.0, np.inf, names)
    found = sheet.solve()
    if found.values is None:
        raise AnswerIsNo(_no_panels(sheet, f"{task.n_panels} panels"))
    best = float(found.values[share[0]])
    return tuple(best * most for most in alone)


def _alone(task: _Task) -> list[Floats]:
    """Information that each module could have with its pick of the bank, on average of panels."""
    repeats = task.n_panels if task.most_shared else 1
    found = []
    for module, worth in zip(task.plan.modules, task.worth, strict=True):
        usable = -np.sort(-worth[:, task.bound.usable], axis=1)
        n = module.length * (1 if repeats > 1 else task.n_panels)
        found.append(usable[:, :n].sum(axis=1) * module.length / n)
    return found


def _share_items(sheet: Sheet, task: _Task, blocks: Sequence[Block], given: Floats) -> None:
    """Limit what panels have in common: those made, one being made and those to come.

    ``given`` says how often each item was used in the panels made, one row for each of them.
    """
    used = given.sum(axis=0)
    for made in range(len(given) if task.most_shared else 0):
        rows = np.flatnonzero(given[made])
        columns = [block.items[:, rows] for block in blocks if block.panels == 1]
        entries = [(np.zeros(1, dtype=np.int64), one[one >= 0], 1.0) for one in columns]
        sheet.bound(entries, -np.inf, task.most_shared, [""])
    rows = np.flatnonzero(np.any([block.items >= 0 for block in blocks], axis=(0, 1)))
    uses = [_uses(block, rows) for block in blocks]
    if not task.most_shared:
        sheet.bound(uses, -np.inf, 1.0, [""] * len(rows))
        return
    # An item used u times is common to u (u - 1) / 2 pairs: its k-th use costs k - 1 of them.
    steps = sheet.columns(len(rows) * task.n_panels, most=1.0).reshape(len(rows), task.n_panels)
    entries = [*uses, (np.arange(len(rows))[:, None], steps, -1.0)]
    sheet.bound(entries, -used[rows], -used[rows], [""] * len(rows))
    pairs = task.n_panels * (task.n_panels - 1) / 2
    prices = np.broadcast_to(np.arange(task.n_panels), steps.shape)
    row = np.zeros(steps.shape, dtype=np.int64)
    sheet.bound([(row, steps, prices)], -np.inf, task.most_shared * pairs, [""])


def _uses(block: Block, rows: Ints) -> tuple[Ints, Ints, float]:
    """Entries that count how often a block uses each of some items."""
    module, place = np.nonzero(block.items[:, rows] >= 0)
    return place, block.items[module, rows[place]], 1.0


# --- panels -------------------------------------------------------------------------------------


def _panel(task: _Task, targets: tuple[Floats, ...], given: Bools, panel: int) -> tuple[Bools, str]:
    """Items of the next panel, shape ``(n_modules, n_items)``, and how the search ended.

    Relaxations with several draws of worths say which items come into question at all; without an
    answer among those, all do.
    """
    used: Bools = np.asarray(given.any(axis=1), dtype=np.bool_)
    open_ = task.bound.usable & (task.most_shared > 0 or ~used.any(axis=0))
    everything = np.broadcast_to(open_, (len(task.plan.modules), len(task.items)))
    likely = np.zeros(everything.shape, dtype=np.bool_)
    for draw in range(DRAWS):
        worths = uniform(task.seed, panel, f"likely {draw}", np.arange(len(task.items)))
        sheet, blocks = _program(task, targets, used, everything, worths, whole=False)
        found = sheet.solve()
        if found.values is None:
            raise AnswerIsNo(_no_panels(sheet, f"panel {panel + 1} of {task.n_panels}"))
        for block in blocks:
            likely |= _taken(block, found.values) > SLIGHT
    likely |= everything & _with_companions(task.bound, likely)
    worths = uniform(task.seed, panel, "panels", np.arange(len(task.items)))
    for candidates in (likely, everything):
        sheet, blocks = _program(task, targets, used, candidates, worths, whole=True)
        found = sheet.solve(task.order.tolerance / 2)
        if found.values is not None:
            return np.asarray(_taken(blocks[0], found.values) > 0.5), found.status
    raise AnswerIsNo(_no_panels(sheet, f"panel {panel + 1} of {task.n_panels}"))


def _with_companions(bound: Constraints, likely: Bools) -> Bools:
    """All items of the stimuli of which a module has one, shape ``(n_modules, n_items)``."""
    begun = np.array([(of & bound.members).any(axis=1) for of in likely[:, None]])
    begun = np.concatenate([begun, np.zeros((len(begun), 1), dtype=np.bool_)], axis=1)
    companions: Bools = begun[:, bound.set_of]
    return companions


def _taken(block: Block, values: Floats) -> Floats:
    """What a solution takes of each item, shape ``(n_modules, n_items)``."""
    taken: Floats = np.where(block.items >= 0, values[block.items], 0.0)
    return taken


def _program(
    task: _Task,
    targets: tuple[Floats, ...],
    used: Bools,
    open_: Bools,
    worths: Floats,
    *,
    whole: bool,
) -> tuple[Sheet, list[Block]]:
    """The choice of one panel, with the panels to come as a relaxation behind it."""
    sheet, left = Sheet(), task.n_panels - len(used) - 1
    cost = worths * CLOSE / task.plan.length
    plan, bound, later = task.plan, task.bound, "panels to come: "
    blocks = [add_block(sheet, plan, bound, open_, Kind(1, whole), cost)]
    if left:
        reserve = Kind(left, whole_sets=whole, where=later)
        blocks.append(add_block(sheet, plan, bound, open_, reserve))
    _share_items(sheet, task, blocks, used.astype(np.float64))
    for block, where in zip(blocks, ("", later), strict=False):
        _aim(sheet, task, block, targets, where=where)
    # The gap at which the search may end is a share of this: half the tolerance, on average.
    sheet.columns(1, cost=float(sum(len(points) for points in task.points)), least=1.0, most=1.0)
    return sheet, blocks


def _aim(
    sheet: Sheet, task: _Task, block: Block, targets: tuple[Floats, ...], *, where: str
) -> None:
    """Keep the information of each module close to its target; one panel as close as can be."""
    for module, worth in enumerate(task.worth):
        target, n = targets[module] * block.panels, len(worth)
        rows = np.flatnonzero(block.items[module] >= 0)
        inside = (np.arange(n)[:, None], block.items[module, rows][None], worth[:, rows])
        name = f"{where}module {task.plan.modules[module].name}: information"
        names = [
            f"{name} {aim:.3g} at theta {theta:g}"
            for aim, theta in zip(target, task.points[module], strict=True)
        ]
        low, high = target * (1 - task.order.tolerance), target * (1 + task.order.tolerance)
        if where:
            low, high = target, np.full(n, np.inf)
        sheet.bound([inside], low, high, names)
        if where:
            continue
        off = sheet.columns(n, cost=1.0 / target)
        apart = (np.arange(n), off, 1.0)
        sheet.bound([inside, apart], target, np.inf, [""] * n)
        sheet.bound([inside, (np.arange(n), off, -1.0)], -np.inf, target, [""] * n)


def _no_panels(sheet: Sheet, what: str) -> str:
    """Say which modules and paths lack what, and what would help."""
    missed = sheet.missed()
    short = "search ended without panels in whole numbers"
    if not missed:
        return f"no {what}: {short}; widen the tolerance or share more items between panels"
    named = sorted(missed, key=lambda name: -missed[name])[:NAMED]
    said = "; ".join(f"{name} (short by {missed[name]:.3g})" for name in named)
    more = len(missed) - len(named)
    said += f"; and {more} more" if more else ""
    return (
        f"no {what}: {said}. Fewer or shorter modules, fewer panels, wider bounds, lower targets "
        "or more items shared would help"
    )


def _panels(
    task: _Task, targets: tuple[Floats, ...], given: Bools, stopped: tuple[int, ...]
) -> Panels:
    order = sorted(range(len(task.items)), key=lambda row: (task.bound.set_of[row], row))
    rows = tuple(
        tuple(np.array([row for row in order if module[row]], dtype=np.int64) for module in panel)
        for panel in given
    )
    inside = tuple(
        tuple(worth[:, module].sum(axis=1) for worth, module in zip(task.worth, panel, strict=True))
        for panel in rows
    )
    used: Ints = np.asarray(given.any(axis=1), dtype=np.int64)
    return Panels(task.plan, rows, targets, inside, used @ used.T, stopped)
