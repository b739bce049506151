"""Which module comes next: by information, by cuts on theta, or by the number correct.

Cuts on theta stand where the information curves of neighbouring modules cross, so that they route
nearly as information does (approximately maximum information; Luecht, Brumfield and Breithaupt,
2006). The cuts on the number correct are the scores expected at these thetas on the modules taken.
Called by `engine.multistage.panel_simulation` and the command ``tarozu assemble``. Imports the
models and the panels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from engine.arrays import Floats, Ints
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters
from engine.models import dispatch
from engine.multistage.assembly import Panels

MAXIMUM_INFORMATION, THETA_CUTS, NUMBER_CORRECT = RULES = (
    "maximum_information",
    "theta_cuts",
    "number_correct",
)
SCAN = np.linspace(-5.0, 5.0, 401)


@dataclass(frozen=True)
class Cut:
    """Where examinees part between two neighbouring modules of the next stage.

    Parameters
    ----------
    panel
        From 0.
    taken
        Modules so far: the place of each in its stage.
    modules
        Places of the easier and of the harder one in the next stage.
    theta, score
        Those who reach it go to the harder one: the interim theta, or the sum of the scores on
        the modules taken.
    """

    panel: int
    taken: tuple[int, ...]
    modules: tuple[int, int]
    theta: float
    score: float


@dataclass(frozen=True, eq=False)
class Routing:
    """A rule with its cuts, of all panels; no cuts for ``maximum_information``."""

    items: ItemParameters
    panels: Panels
    rule: str
    cuts: dict[tuple[int, tuple[int, ...]], tuple[Cut, ...]]

    def next_modules(
        self, panel: int, taken: tuple[int, ...], theta: Floats, scores: Floats
    ) -> Ints:
        """Route examinees who took the same modules of a panel.

        Parameters
        ----------
        theta, scores
            Interim estimates and sums of scores, shape ``(n_persons,)``.

        Returns
        -------
        Ints
            Place of the next module in its stage, shape ``(n_persons,)``; of equal ones the first.
        """
        plan, stage = self.panels.plan, len(taken) - 1
        open_ = np.array(plan.reachable(stage, taken[-1]))
        if self.rule == MAXIMUM_INFORMATION:
            worth = np.stack(
                [
                    dispatch.information(theta, self._module(panel, stage + 1, place)).sum(axis=1)
                    for place in open_.tolist()
                ]
            )
            chosen: Ints = open_[worth.argmax(axis=0)]
            return chosen
        cuts = self.cuts[panel, taken]
        at = theta if self.rule == THETA_CUTS else scores
        limits = [cut.theta if self.rule == THETA_CUTS else cut.score for cut in cuts]
        routed: Ints = open_[np.searchsorted(limits, at, side="right")]
        return routed

    def _module(self, panel: int, stage: int, place: int) -> ItemParameters:
        rows = self.panels.rows[panel][self.panels.plan.at(stage, place)]
        return self.items.subset(rows.tolist())


def routing(items: ItemParameters, panels: Panels, rule: str = MAXIMUM_INFORMATION) -> Routing:
    """Prepare a rule for panels.

    Raises
    ------
    InputError
        For a rule that does not exist.
    AnswerIsNo
        When the information curves of two modules give no cut between them, naming both.
    """
    if rule not in RULES:
        raise InputError(f"one of {', '.join(RULES)}", repr(rule), column="routing")
    cuts: dict[tuple[int, tuple[int, ...]], tuple[Cut, ...]] = {}
    if rule != MAXIMUM_INFORMATION:
        for panel in range(panels.n_panels):
            for taken in _beginnings(panels):
                cuts[panel, taken] = _cuts(items, panels, panel, taken)
    return Routing(items, panels, rule, cuts)


def _beginnings(panels: Panels) -> list[tuple[int, ...]]:
    """The modules taken before each decision, each once."""
    paths = panels.plan.paths
    return list(dict.fromkeys(path[:n] for path in paths for n in range(1, len(path))))


def _cuts(
    items: ItemParameters, panels: Panels, panel: int, taken: tuple[int, ...]
) -> tuple[Cut, ...]:
    """Cuts between the modules that may come after some others, ascending."""
    plan, stage = panels.plan, len(taken)
    open_ = plan.reachable(stage - 1, taken[-1])
    given = items.subset(panels.path_rows(panel, taken).tolist())
    found = []
    for easier, harder in pairwise(open_):
        theta = _crossing(items, panels, panel, (plan.at(stage, easier), plan.at(stage, harder)))
        score = float(dispatch.expected_score(np.array([theta]), given).sum())
        found.append(Cut(panel, taken, (easier, harder), theta, score))
    thetas = [cut.theta for cut in found]
    if thetas != sorted(thetas):
        names = ", ".join(f"{stage + 1}-{place + 1}" for place in open_)
        raise AnswerIsNo(
            f"panel {panel + 1}: the cuts between modules {names} are not in order, so that one of "
            "them is never the most informative; move their targets apart"
        )
    return tuple(found)


def _crossing(items: ItemParameters, panels: Panels, panel: int, modules: tuple[int, int]) -> float:
    """Theta above which the harder module is the more informative, nearest to between both."""
    pair = [items.subset(panels.rows[panel][module].tolist()) for module in modules]

    def gain(theta: float | Floats) -> Floats:
        easier, harder = (
            dispatch.information(np.atleast_1d(theta), one).sum(axis=1) for one in pair
        )
        difference: Floats = harder - easier
        return difference

    sign = gain(SCAN) > 0
    places = np.flatnonzero(~sign[:-1] & sign[1:])
    named = [panels.plan.modules[module] for module in modules]
    if not len(places):
        raise AnswerIsNo(
            f"panel {panel + 1}: the information of modules {named[0].name} and {named[1].name} "
            "does not cross, so that there is no cut between them; move their targets apart"
        )
    middle = float(np.mean([np.mean(module.points) for module in named]))
    place = places[np.abs(SCAN[places] - middle).argmin()]
    return float(brentq(lambda theta: float(gain(theta)[0]), SCAN[place], SCAN[place + 1]))
