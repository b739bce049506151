"""What a multistage test looks like before it has items: stages, modules and the paths through.

Read by everything in this room. Imports the engine's errors only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from engine.errors import InputError

ADJACENT, ALL = ROUTES = ("adjacent", "all")
"""Whether a path moves by at most one module between two stages, or from any to any (Luecht and
Nungester, 1998, keep to neighbours on their main paths)."""


@dataclass(frozen=True)
class Stage:
    """A stage of a panel.

    Parameters
    ----------
    length
        Items of each of its modules.
    targets
        Of each module, from the easiest to the hardest, the thetas at which its information
        counts.
    """

    length: int
    targets: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Module:
    """A module by its place: stages and modules are numbered from 0, the easiest first."""

    stage: int
    place: int
    length: int
    points: tuple[float, ...]

    @property
    def name(self) -> str:
        """Stage and module counted from 1, such as ``2-3``."""
        return f"{self.stage + 1}-{self.place + 1}"


@dataclass(frozen=True)
class PanelPlan:
    """The stages of every panel, and which routes lead through them.

    Raises
    ------
    InputError
        For a first stage of several modules, a module without items or points, or modules of a
        stage that do not go from easy to hard.
    """

    stages: tuple[Stage, ...]
    routes: str = ADJACENT

    def __post_init__(self) -> None:
        if not self.stages or len(self.stages[0].targets) != 1:
            found = len(self.stages[0].targets) if self.stages else "no stage"
            raise InputError("a first stage of one module", found, column="stage")
        if self.routes not in ROUTES:
            raise InputError(f"one of {', '.join(ROUTES)}", repr(self.routes), column="routes")
        for number, stage in enumerate(self.stages, start=1):
            _check_stage(stage, f"stage {number}")

    @property
    def length(self) -> int:
        """Items that each examinee gets."""
        return sum(stage.length for stage in self.stages)

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """All modules, stage by stage."""
        return tuple(
            Module(number, place, stage.length, points)
            for number, stage in enumerate(self.stages)
            for place, points in enumerate(stage.targets)
        )

    def at(self, stage: int, place: int) -> int:
        """Place in ``modules`` of a module of a stage."""
        return sum(len(before.targets) for before in self.stages[:stage]) + place

    def reachable(self, stage: int, place: int) -> tuple[int, ...]:
        """Modules of the next stage, by place, to which a module may lead."""
        here, there = len(self.stages[stage].targets), len(self.stages[stage + 1].targets)
        if self.routes == ALL:
            return tuple(range(there))
        widest = 1.0 / min(here, there) + 1e-9
        own = (place + 0.5) / here
        return tuple(k for k in range(there) if abs((k + 0.5) / there - own) <= widest)

    @cached_property
    def paths(self) -> tuple[tuple[int, ...], ...]:
        """The ways through a panel: by path, the place of its module within each stage."""
        every = product(*(range(len(stage.targets)) for stage in self.stages))
        return tuple(
            path
            for path in every
            if all(
                path[stage + 1] in self.reachable(stage, path[stage])
                for stage in range(len(path) - 1)
            )
        )

    def name_of(self, path: tuple[int, ...]) -> str:
        """Modules of a path, such as ``1-1 2-2 3-3``."""
        return " ".join(f"{stage + 1}-{place + 1}" for stage, place in enumerate(path))


def _check_stage(stage: Stage, column: str) -> None:
    if stage.length < 1:
        raise InputError("at least 1 item in a module", stage.length, column=column)
    if not stage.targets or not all(stage.targets):
        raise InputError("a theta for each module", list(stage.targets), column=column)
    for theta in (theta for points in stage.targets for theta in points):
        if not -10.0 <= theta <= 10.0:
            raise InputError("thetas from -10 to 10", theta, column=column)
    means = [sum(points) / len(points) for points in stage.targets]
    if any(low >= high for low, high in pairwise(means)):
        raise InputError("modules from easy to hard", means, column=column)
