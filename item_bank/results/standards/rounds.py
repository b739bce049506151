"""What a round comes to: judges' cuts, the panel's, items, movement since before, impact.

Computed from the ratings that stand; a closed round always gives the same. Called by `acts` when a
study closes, by pages and commands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Floats
from engine.standards.angoff import AngoffResult, angoff
from engine.standards.bookmark import bookmarks
from engine.standards.impact import ImpactRow, cut_score, impact
from engine.standards.panels import JudgeCut, Movement, PanelCut, movement
from item_bank.results.standards.past import PastScores
from item_bank.results.standards.plans import MEDIAN
from item_bank.results.standards.ratings import MARK, PERCENT, Standing
from item_bank.results.standards.records import Member, StudyFacts


@dataclass(frozen=True)
class JudgeRow:
    """One panellist in a round.

    Parameters
    ----------
    given, of
        How many ratings there are, and how many there could be.
    mark
        The bookmark; None in the Angoff method, or where there is none.
    score
        The cut on the reporting scale, not rounded.
    correlation, rmse
        Of ratings with what the model expects at the own cut; None for bookmarks.
    """

    member: Member
    given: int
    of: int
    mark: int | None
    cut: JudgeCut
    score: float | None
    correlation: float | None = None
    rmse: float | None = None


@dataclass(frozen=True)
class ItemRow:
    """One item in a round of ratings: shares of its points, as the panel and the model see them."""

    item: str
    area: str
    mean: float | None
    sd: float | None
    expected: float | None


@dataclass(frozen=True)
class RoundResult:
    """A round.

    Parameters
    ----------
    theta, score, minimum
        The panel's cut, the same on the reporting scale, and the lowest reported score that stands
        for it; None without a cut.
    se
        Of the cut; None with fewer than two judges.
    movement
        Since the round before; None in the first.
    """

    number: int
    judges: tuple[JudgeRow, ...]
    panel: PanelCut
    theta: float | None
    score: float | None
    minimum: float | None
    se: float | None
    se_points: float | None
    items: tuple[ItemRow, ...]
    movement: Movement | None
    impact: tuple[ImpactRow, ...]
    past: PastScores

    @property
    def rated(self) -> int:
        """How many panellists have a cut."""
        return self.panel.n


def round_result(
    facts: StudyFacts,
    number: int,
    standing: Standing,
    past: PastScores,
    before: Standing | None = None,
) -> RoundResult:
    """Compute a round from the ratings that stand in it.

    Parameters
    ----------
    before
        Ratings that stood in the round before; None for the first round.
    """
    rated = None if facts.is_bookmark else angoff(rating_table(facts, standing), facts.items)
    cuts, panel = (rated.judges, rated.panel) if rated else _marked(facts, standing)
    by_median, scale = facts.settings["statistic"] == MEDIAN, facts.scale
    theta = panel.median if by_median else panel.mean
    se = panel.se_median if by_median else panel.se
    return RoundResult(
        number,
        _judges(facts, standing, cuts, rated),
        panel,
        theta,
        None if theta is None else _score(facts, theta),
        None if theta is None else cut_score(theta, scale),
        se,
        None if se is None else scale.slope * se,
        () if rated is None else _items(facts, rated),
        None if before is None else movement(_cuts(facts, before), cuts),
        () if theta is None else impact(past.scores, theta, se, scale),
        past,
    )


def rating_table(facts: StudyFacts, standing: Standing) -> Floats:
    """Return ratings in points, shape ``(n_panellists, n_items)``; NaN for not rated."""
    top = facts.items.n_categories - 1
    table = np.full((len(facts.panel), len(facts.items)), np.nan)
    for row, member in enumerate(facts.panel):
        for item, value in standing.get(member.code, {}).items():
            column = facts.items.row(item)
            table[row, column] = value / PERCENT * top[column]
    return table


def _marked(facts: StudyFacts, standing: Standing) -> tuple[tuple[JudgeCut, ...], PanelCut]:
    tables = [member.table for member in facts.panel]
    found = bookmarks(
        [_mark(standing, member) for member in facts.panel],
        facts.booklet.places,
        rule=facts.settings["rule"],
        tables=tables if len(set(tables)) > 1 else None,
    )
    return found.judges, found.panel


def _cuts(facts: StudyFacts, standing: Standing) -> tuple[JudgeCut, ...]:
    if facts.is_bookmark:
        return _marked(facts, standing)[0]
    return angoff(rating_table(facts, standing), facts.items).judges


def _mark(standing: Standing, member: Member) -> int | None:
    value = standing.get(member.code, {}).get(MARK)
    return None if value is None else int(value)


def _judges(
    facts: StudyFacts,
    standing: Standing,
    cuts: tuple[JudgeCut, ...],
    rated: AngoffResult | None,
) -> tuple[JudgeRow, ...]:
    return tuple(
        JudgeRow(
            member,
            len(standing.get(member.code, {})),
            1 if facts.is_bookmark else len(facts.items),
            _mark(standing, member),
            cut,
            None if cut.theta is None else _score(facts, cut.theta),
            rated.consistency[place].correlation if rated else None,
            rated.consistency[place].rmse if rated else None,
        )
        for place, (member, cut) in enumerate(zip(facts.panel, cuts, strict=True))
    )


def _items(facts: StudyFacts, rated: AngoffResult) -> tuple[ItemRow, ...]:
    values = zip(rated.item_mean, rated.item_sd, rated.item_expected, strict=True)
    return tuple(
        ItemRow(item, area, *(None if np.isnan(value) else float(value) for value in row))
        for item, area, row in zip(facts.items.item, facts.items.content, values, strict=True)
    )


def _score(facts: StudyFacts, theta: float) -> float:
    return facts.scale.slope * theta + facts.scale.intercept
