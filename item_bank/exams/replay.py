"""Replay: every selection, estimate and stop computed again from the log.

What is promised: the same item and stop reason at every step, and theta and SE within 1e-9. Where
the clock stopped the search for a shadow test, the logged one is checked instead of searched again.
Scores are those that were recorded; a later correction of a key is another result, not another
past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from engine.blueprints.balance import stopped_by_clock
from engine.session import RULES_VERSION, Step, next_step
from item_bank.exams import records
from item_bank.exams.errors import NotFound
from item_bank.exams.results import CUT_SHORT, judgement
from item_bank.exams.snapshots import Snapshot, read_snapshot
from item_bank.exams.surroundings import state_then
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.sittings import Result, Sitting, SittingEvent

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Replay:
    """What a replay found; it agrees with the log when there are no problems."""

    sitting_id: str
    steps: int
    problems: tuple[str, ...]


def replay(db: Database, sitting_id: str, *, organisation_id: str | None = None) -> Replay:
    """Compute a sitting again from its log.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this organisation's.
    """
    with db.read() as session:
        snapshot = read_snapshot(db, session, sitting_id)
        if organisation_id not in {None, snapshot.sitting.organisation_id}:
            raise NotFound
        first = session.scalars(
            select(Result).where(Result.sitting_id == sitting_id, Result.number == 1)
        ).one_or_none()
        end = session.scalars(
            select(SittingEvent).where(
                SittingEvent.sitting_id == sitting_id, SittingEvent.kind == records.FINISHED
            )
        ).one_or_none()
    if snapshot.sitting.rules_version != RULES_VERSION:
        wanted = (
            f"rules version {snapshot.sitting.rules_version}, this software has {RULES_VERSION}"
        )
        return Replay(sitting_id, 0, (wanted,))
    problems = [*_steps(snapshot, end), *_result(snapshot, first, end)]
    return Replay(sitting_id, len(snapshot.presented), tuple(problems))


def sitting_ids(db: Database) -> list[str]:
    """Return every sitting, in the order in which they were started."""
    with db.read() as session:
        return list(session.scalars(select(Sitting.id).order_by(Sitting.started_at, Sitting.id)))


def _steps(snapshot: Snapshot, end: SittingEvent | None) -> Iterator[str]:
    """Compare each step, from the choice of the first item to the stop."""
    for taken in range(snapshot.in_time + 1):
        answered = snapshot.responses[:taken]
        state = state_then(snapshot, taken, _trace(snapshot, taken, end))
        state = replace(state, logged_form=_form_of_the_clock(snapshot, taken))
        step = next_step(state, snapshot.release.items, snapshot.exam.plan.design)
        yield from (f"position {taken + 1}: {text}" for text in step.trace.get("form_problems", ()))
        if answered:
            yield from _estimate(taken, step, answered[-1].theta, answered[-1].se)
        yield from _choice(snapshot, taken, step)


def _trace(snapshot: Snapshot, taken: int, end: SittingEvent | None) -> dict[str, Any] | None:
    """Return the logged trace of the step after ``taken`` responses."""
    trace: dict[str, Any] | None = end.payload["trace"] if end else None
    return snapshot.presented[taken].trace if taken < len(snapshot.presented) else trace


def _form_of_the_clock(snapshot: Snapshot, taken: int) -> dict[str, Any] | None:
    """Return the shadow test logged at a step whose search the clock had stopped, else None."""
    if taken >= len(snapshot.presented):
        return None
    form: dict[str, Any] | None = snapshot.presented[taken].trace.get("form")
    return form if stopped_by_clock(form) else None


def _estimate(position: int, step: Step, theta: float | None, se: float | None) -> Iterator[str]:
    for name, now, then in (("theta", step.estimate.theta, theta), ("se", step.estimate.se, se)):
        if then is None or not abs(now - then) <= TOLERANCE:
            yield f"after response {position}: {name} was {then}, replay gives {now}"


def _choice(snapshot: Snapshot, taken: int, step: Step) -> Iterator[str]:
    code = snapshot.release.items.item
    position = taken + 1
    if taken < len(snapshot.presented):
        row = snapshot.presented[taken].row
        if step.next_item != row:
            again = "a stop" if step.next_item is None else code[step.next_item]
            yield f"position {position}: {code[row]} was presented, replay gives {again}"
    elif snapshot.sitting.stop_reason in CUT_SHORT:
        if step.next_item is None:
            yield f"after response {taken}: replay gives {step.stop_reason}, not the clock"
    elif snapshot.sitting.stop_reason != (step.stop_reason and str(step.stop_reason)):
        yield (
            f"after response {taken}: the sitting stopped by {snapshot.sitting.stop_reason}, "
            f"replay gives {step.stop_reason or 'another item'}"
        )


def _result(snapshot: Snapshot, first: Result | None, end: SittingEvent | None) -> Iterator[str]:
    """Compare the first result with the log and with its hash in the chain."""
    if snapshot.sitting.status == "running":
        return
    if first is None or end is None:
        yield "the sitting has ended without a result"
        return
    if content_hash(first.content) != end.payload["result"]:
        yield "the result is not the one that the chain vouches for"
    yield from _final(snapshot, first.content)


def _final(snapshot: Snapshot, content: dict[str, Any]) -> Iterator[str]:
    again, then = judgement(snapshot), content["estimate"]
    if content["time_rule"] not in {None, again.rule}:
        yield f"the rule for time was {content['time_rule']}, replay gives {again.rule}"
    if again.estimate is None or then is None:
        if again.estimate is not None or then is not None:
            yield f"the final estimate was {then}, replay gives {again.estimate}"
    else:
        for name, now in (("theta", again.estimate.theta), ("se", again.estimate.se)):
            if not abs(now - then[name]) <= TOLERANCE:
                yield f"final {name} was {then[name]}, replay gives {now}"
    level, reached = content["level"], again.level
    if (level and level["code"]) != (reached and reached.name):
        yield f"the level was {level and level['code']}, replay gives {reached and reached.name}"
