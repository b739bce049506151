"""One step of a sitting: decided outside of any transaction, kept in one short one.

`decide` and `first_item` read a snapshot and compute; `keep_first`, `keep_answer` and `keep_end`
append what was decided and return the snapshot after it, so that a whole sitting can also be kept
in one transaction, as the demonstration's are. The caller holds the lock and has checked that the
snapshot is still true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from engine.rules.states import carried
from engine.session import Step, next_step, record_response
from item_bank.exams import records
from item_bank.exams.decided import release_by_rule
from item_bank.exams.outcomes import RELEASED, new_outcome
from item_bank.exams.pauses import Span, clear_pause, still_spans
from item_bank.exams.questions import drawn_order, mark
from item_bank.exams.rapid import rapid_answers
from item_bank.exams.results import build_result, result_row
from item_bank.exams.snapshots import Snapshot, changeable
from item_bank.exams.surroundings import rules_state
from item_bank.exams.usage import count_knowledge, count_presented
from item_bank.store.appending import append, new_row
from item_bank.store.audit import append_sitting_event, append_sitting_events
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.jobs import enqueue
from item_bank.store.tables.sittings import PresentedItem, Response, ResponseContent

TIME = "time"
Event = tuple[str, dict[str, Any]]
"""Kind and payload of a link of a sitting's chain."""


@dataclass(frozen=True)
class Answer:
    """What came in: the response (None: seen and left), under the key of the page it came from."""

    response: Any
    key: str
    epoch: int


@dataclass(frozen=True)
class Decision:
    """What an answer leads to.

    Parameters
    ----------
    score
        None when the answer came late, or the item was withdrawn.
    step
        The engine's estimate and next item or stop; None when the answer came late.
    choice_order
        Of the next item, when there is one: ids of its choices, areas or columns as shown.
    """

    answer: Answer
    score: int | None
    step: Step | None
    choice_order: tuple[str, ...]


def first_item(db: Database, snapshot: Snapshot) -> tuple[Step, tuple[str, ...]]:
    """Choose the first item of a sitting."""
    state = rules_state(db, snapshot)
    step = next_step(state, snapshot.release.items, snapshot.exam.plan.design)
    return step, _choice_order(db, snapshot, step)


def decide(db: Database, snapshot: Snapshot, answer: Answer) -> Decision:
    """Score an answer to the open item and choose what comes next."""
    if snapshot.is_late:
        return Decision(answer, None, None, ())
    presented, before = snapshot.presented[-1], rules_state(db, snapshot)
    points, carry = None, carried(presented.trace)
    if snapshot.is_withdrawn:
        state = replace(before, **carry | {"rejected": before.rejected | carry["rejected"]})
    else:
        points = mark(db, presented.revision_id, answer.response, snapshot.language)
        state = record_response(before, presented.row, points, **carry)
    with db.timed("selection"):
        step = next_step(state, snapshot.release.items, snapshot.exam.plan.design)
    return Decision(answer, points, step, _choice_order(db, snapshot, step))


def _choice_order(db: Database, snapshot: Snapshot, step: Step) -> tuple[str, ...]:
    """Shuffle the next item's choices by the sitting's seed, so that a reload shows the same."""
    if step.next_item is None:
        return ()
    revision_id = snapshot.release.revision_ids[step.next_item]
    return drawn_order(db, revision_id, snapshot.sitting.seed, snapshot.position + 1)


def keep_first(
    session: Session, snapshot: Snapshot, step: Step, order: tuple[str, ...]
) -> Snapshot:
    """Append the first item, or the end when the bank has none to offer."""
    if step.next_item is None:
        return keep_end(session, snapshot, str(step.stop_reason), step.trace)
    return _keep_presented(session, snapshot, step, order)


def keep_answer(session: Session, snapshot: Snapshot, decision: Decision) -> Snapshot:
    """Append a response together with the next item, or with the end."""
    snapshot, events = _keep_response(session, snapshot, decision)
    step = decision.step
    # an answer may come within the grace, when there is no time for another item
    if step is not None and step.next_item is not None and not snapshot.is_overdue:
        return _keep_presented(session, snapshot, step, decision.choice_order, events)
    append_sitting_events(session, snapshot.sitting, events, snapshot.now)
    if step is None:
        return keep_end(session, snapshot, TIME)
    reason = TIME if step.stop_reason is None else str(step.stop_reason)
    return keep_end(session, snapshot, reason, step.trace)


def _keep_presented(
    session: Session,
    snapshot: Snapshot,
    step: Step,
    order: tuple[str, ...],
    events: Sequence[Event] = (),
) -> Snapshot:
    """Append an item, and its link after those of other events."""
    assert step.next_item is not None, "the caller has looked"
    sitting = snapshot.sitting
    row = new_row(
        PresentedItem,
        sitting_id=sitting.id,
        position=snapshot.position + 1,
        organisation_id=sitting.organisation_id,
        revision_id=snapshot.release.revision_ids[step.next_item],
        row=step.next_item,
        language=snapshot.language,
        choice_order=list(order),
        trace=step.trace,
        presented_at=snapshot.now,
    )
    append(session, PresentedItem, row)
    shown = (records.PRESENTED, records.presented_payload(row))
    append_sitting_events(session, sitting, [*events, shown], snapshot.now)
    after = snapshot.with_presented(row)
    count_presented(session, snapshot, after)
    return after


def _keep_response(
    session: Session, snapshot: Snapshot, decision: Decision
) -> tuple[Snapshot, list[Event]]:
    """Append a response, and return what its sitting's chain has to say of it."""
    sitting, answer, step = snapshot.sitting, decision.answer, decision.step
    content = records.new_content(
        sitting.id, snapshot.position, sitting.organisation_id, {"response": answer.response}
    )
    row = new_row(
        Response,
        sitting_id=sitting.id,
        position=snapshot.position,
        organisation_id=sitting.organisation_id,
        idempotency_key=answer.key,
        commitment=records.commitment(content.salt, content.content),
        score=decision.score,
        late=step is None,
        theta=step.estimate.theta if step else None,
        se=step.estimate.se if step else None,
        lease_epoch=answer.epoch,
        received_at=snapshot.now,
    )
    append(session, Response, row)
    append(session, ResponseContent, content)
    events = [(records.ANSWERED, records.answered_payload(row))]
    if step is not None and decision.score is None:
        events.append((records.WITHDRAWN, {"position": row.position}))
    return snapshot.with_response(row), events


def keep_end(
    session: Session, snapshot: Snapshot, stop_reason: str, trace: dict[str, Any] | None = None
) -> Snapshot:
    """Append the end of a sitting with its result, and leave the sealing to the worker."""
    snapshot = changeable(session, snapshot)
    sitting = snapshot.sitting
    sitting.status, sitting.finished_at = "finished", snapshot.now
    sitting.stop_reason = stop_reason
    clear_pause(sitting)
    count_knowledge(session, snapshot)
    still = still_spans(session, [sitting.id]).get(sitting.id, [])
    _keep_rapid(session, snapshot, still)
    content = build_result(snapshot, still)
    digest = content_hash(content)
    payload = {"stop_reason": stop_reason, "result": digest, "trace": trace}
    append_sitting_event(session, sitting, records.FINISHED, payload, snapshot.now)
    result = result_row(sitting, content, "sitting_finished", snapshot.now)
    outcome = new_outcome(session, sitting, content, snapshot.exam.plan.results)
    session.add_all((result, outcome))
    if outcome.state == RELEASED:
        release_by_rule(session, sitting, result, snapshot.now)
    enqueue(
        session,
        "seal_sitting",
        f"seal {sitting.id}",
        {"sitting": sitting.id},
        organisation_id=sitting.organisation_id,
        due_at=snapshot.now,
    )
    return snapshot


def _keep_rapid(session: Session, snapshot: Snapshot, still: Sequence[Span]) -> None:
    """Say in the log which answers were too quick to have been thought about, where it matters."""
    found = rapid_answers(snapshot, still)
    if found is not None:
        append_sitting_event(session, snapshot.sitting, records.RAPID_ANSWERS, found, snapshot.now)


def same_answer(content: ResponseContent | None, response: Any) -> bool:
    """Whether a response, if not erased since, said the same."""
    return content is not None and bool(content.content.get("response") == response)
