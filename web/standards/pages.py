"""What the page of a study shows: steps, progress, and what came of its rounds, made from facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.standards.impact import share_reaching
from item_bank.exams.actors import Actor
from item_bank.results.standards.feedback import rounds
from item_bank.results.standards.plans import CLOSED
from item_bank.results.standards.ratings import standing_ratings
from item_bank.results.standards.records import APPROVERS, Member, StudyFacts, may_keep, may_rate
from item_bank.results.standards.rounds import RoundResult
from item_bank.store.database import Database
from web.figures.scatter_plot import Point
from web.figures.standard_plots import RoundCuts
from web.formats import number, percent

CURVE_POINTS = 80


@dataclass(frozen=True)
class Progress:
    """How far a panellist is in the open round; ``rates`` says that the reader may enter more."""

    member: Member
    given: int
    of: int
    rates: bool
    own: bool


@dataclass(frozen=True)
class StudyPage:
    """Everything that a study's page needs.

    Parameters
    ----------
    rounds
        Those that the reader may see; the newest is ``newest``.
    hides_open
        Whether the open round is kept from the reader.
    """

    facts: StudyFacts
    keeps: bool
    approves: bool
    made_it: bool
    progress: tuple[Progress, ...]
    rounds: tuple[RoundResult, ...]
    hides_open: bool

    @property
    def newest(self) -> RoundResult | None:
        """The newest round that the reader may see and that has a cut."""
        seen = [one for one in self.rounds if one.theta is not None]
        return seen[-1] if seen else None

    @property
    def complete(self) -> bool:
        """Whether everybody has rated everything."""
        return bool(self.progress) and all(one.given >= one.of for one in self.progress)


def study_page(db: Database, actor: Actor, facts: StudyFacts) -> StudyPage:
    """Return what somebody sees of a study."""
    seen = rounds(db, actor, facts)
    return StudyPage(
        facts,
        may_keep(actor),
        actor.role in APPROVERS and actor.id != facts.created_by and facts.status == CLOSED,
        actor.id == facts.created_by,
        _progress(db, actor, facts),
        tuple(seen),
        facts.is_open and not any(one.number == facts.round for one in seen),
    )


def _progress(db: Database, actor: Actor, facts: StudyFacts) -> tuple[Progress, ...]:
    standing = standing_ratings(db, facts, facts.round)
    of = 1 if facts.is_bookmark else len(facts.items)
    return tuple(
        Progress(
            member,
            len(standing.get(member.code, {})),
            of,
            facts.is_open and may_rate(actor, member),
            actor.id is not None and actor.id == member.account_id,
        )
        for member in facts.panel
    )


# --- figures and what they say -----------------------------------------------------------------


def cuts_by_round(page: StudyPage) -> list[RoundCuts]:
    """Return the rounds with a cut, for their figure."""
    return [
        RoundCuts(
            f"Round {one.number}",
            one.score,
            one.se_points,
            [(row.member.name, row.score) for row in one.judges if row.score is not None],
        )
        for one in page.rounds
        if one.score is not None
    ]


def cuts_reading(page: StudyPage) -> str:
    """Say in a sentence what the judges' cuts show."""
    newest = page.newest
    if newest is None:
        return ""
    scores = [row.score for row in newest.judges if row.score is not None]
    spread = f"from {number(min(scores))} to {number(max(scores))}"
    said = f"In round {newest.number} the judges’ cuts lie {spread}; the panel’s is "
    said += f"{number(newest.score, 1)}, the bar around it two standard errors to each side"
    moved = newest.movement
    if moved is None or moved.sd_ratio is None:
        return f"{said}."
    came = "nearer to each other" if moved.sd_ratio < 1 else "not nearer to each other"
    return f"{said}. Since the round before {moved.moved} of {moved.judges} moved, and came {came}."


def impact_curve(found: RoundResult) -> list[tuple[float, float]]:
    """Return minimum scores and the shares of past candidates that would reach them."""
    scores = found.past.scores
    low, high = float(scores[0]), float(scores[-1])
    step = max((high - low) / CURVE_POINTS, 1e-9)
    minima = [low + step * k for k in range(CURVE_POINTS + 1)] if high > low else [low]
    return [(at, share_reaching(scores, at) or 0.0) for at in minima]


def impact_reading(found: RoundResult) -> str:
    """Say in a sentence who would reach the cut."""
    by_errors = {row.errors: row for row in found.impact}
    whom = "simulated candidates" if found.past.simulated else "past candidates"
    said = f"Of {len(found.past.scores)} {whom}, {percent(by_errors[0].share)} would reach the cut"
    if -2 not in by_errors:
        return f"{said}."
    easier, harder = percent(by_errors[-2].share), percent(by_errors[2].share)
    return f"{said}; {easier} one two standard errors lower, {harder} one as much higher."


def rating_points(found: RoundResult) -> list[Point]:
    """Return items by what the model expects and what the panel says, in percent."""
    return [
        Point(
            100 * row.expected,
            100 * row.mean,
            f"{row.item}: panel {percent(row.mean)}, model {percent(row.expected)}",
            marked=abs(row.mean - row.expected) > 0.2,
        )
        for row in found.items
        if row.mean is not None and row.expected is not None
    ]


def rating_reading(found: RoundResult) -> str:
    """Say in a sentence how ratings and model agree."""
    points = rating_points(found)
    far = sum(point.marked for point in points)
    return (
        "On the dashed line the panel expects of an item what the model does at the panel’s cut; "
        f"{far} of {len(points)} items lie more than 20 percentage points away (hollow)."
    )


def disputed(found: RoundResult, n: int = 5) -> list[Any]:
    """Return the items on which the judges differ most."""
    rated = [row for row in found.items if row.sd is not None]
    return sorted(rated, key=lambda row: -(row.sd or 0.0))[:n]
