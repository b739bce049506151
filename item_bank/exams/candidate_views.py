"""What a candidate sees: the home page's exams, and the exam page. Looking never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.rules.pretest import items_until
from item_bank.exams.accommodations import (
    break_length,
    breaks_allowed,
    breaks_left,
    seconds_allowed,
)
from item_bank.exams.delivery_rules import DeliveryRules
from item_bank.exams.designs import current_version
from item_bank.exams.errors import NotFound
from item_bank.exams.exam_files import fewest_items, most_items
from item_bank.exams.messages import Message, messages_of
from item_bank.exams.page_names import as_page_shows
from item_bank.exams.pauses import break_until
from item_bank.exams.questions import what_is_asked
from item_bank.exams.signing_in import CandidateSession
from item_bank.exams.sittings import retake_from, sittings_of
from item_bank.exams.snapshots import (
    Snapshot,
    is_tried_out,
    read_own_snapshot,
    rows_held,
    rows_to_try_out,
)
from item_bank.exams.surroundings import earlier_rows
from item_bank.items.presentation import Address, media_of
from item_bank.items.presented import Presented
from item_bank.store.database import Database
from item_bank.store.media import MediumInfo, medium_bytes
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.sittings import Sitting


@dataclass(frozen=True)
class Question:
    """The open question, under the names of its page."""

    position: int
    shown: Presented


@dataclass(frozen=True)
class SittingView:
    """What the exam page shows; times in microseconds of the site clock."""

    sitting_id: str
    exam_code: str
    title: dict[str, str]
    language: str
    status: str
    epoch: int
    position: int
    answered: int
    at_least: int
    at_most: int
    now: int
    started_at: int
    deadline_at: int | None
    finished_at: int | None
    stop_reason: str | None
    question: Question | None
    other_languages: tuple[str, ...]
    note: dict[str, str]
    pause: str | None  # break, invigilator, or None while the clock runs
    paused_at: int | None
    break_until: int | None  # when a break begins to cost time
    breaks_left: int
    break_length: int  # microseconds of the next break that cost no time
    font: str | None  # "large" where the candidate has it
    contrast: str | None  # "high" where the candidate has it
    delivery: DeliveryRules
    messages: tuple[Message, ...]

    @property
    def unseen(self) -> tuple[Message, ...]:
        """Messages that the candidate has not seen yet."""
        return tuple(message for message in self.messages if not message.seen)


@dataclass(frozen=True)
class OpenExam:
    """An exam on a candidate's home page."""

    registration_id: str
    exam_code: str
    title: dict[str, str]
    languages: tuple[str, ...]
    language_switch: bool
    time_limit: int | None
    min_items: int
    max_items: int
    status: str  # ready, running, waiting (until `retake_from`), finished or closed
    sitting_id: str | None
    attempts_left: int
    has_result: bool
    result_state: str | None  # of its outcome; None where there is no result
    note: dict[str, str]
    item_types: frozenset[str]
    has_sound: bool
    has_extra_time: bool
    breaks: int
    break_length: int  # microseconds of a break that cost no time
    retake_from: int  # when the next attempt may start; 0 where nothing has to be waited for
    delivery: DeliveryRules
    font: str | None
    contrast: str | None


def exams_of_candidate(db: Database, candidate: CandidateSession) -> list[OpenExam]:
    """Return the exams that a candidate is registered for, in the order of registration."""
    with db.read() as session:
        rows = session.execute(
            select(Registration, Exam)
            .join(Exam, Exam.id == Registration.exam_id)
            .where(
                Registration.candidate_id == candidate.candidate_id,
                Registration.organisation_id == candidate.organisation_id,
            )
            .order_by(Registration.created_at, Registration.id)
        ).all()
        sittings = {exam.id: sittings_of(session, exam.id, candidate) for _, exam in rows}
        states = _states(session, candidate)
        now = db.now(session)
    return [
        _open_exam(db, registration, exam, sittings[exam.id], states, now)
        for registration, exam in rows
    ]


def _states(session: Session, candidate: CandidateSession) -> dict[str, str]:
    """Return how far the results of a candidate's sittings are released."""
    own = Outcome.candidate_id == candidate.candidate_id
    found = session.execute(select(Outcome.sitting_id, Outcome.state).where(own))
    return dict(found.all())


def _open_exam(
    db: Database,
    registration: Registration,
    exam: Exam,
    sittings: list[Sitting],
    states: Mapping[str, str],
    now: int,
) -> OpenExam:
    version = current_version(db, exam.id)
    asks = what_is_asked(db, version.release_id)
    last = sittings[-1] if sittings else None
    state = states.get(last.id) if last else None
    left = max(registration.attempts_allowed - len(sittings), 0)
    again = retake_from(version, max((s.finished_at or 0 for s in sittings), default=0))
    given = registration.accommodations
    return OpenExam(
        registration_id=registration.id,
        exam_code=exam.code,
        title=version.plan.title,
        languages=version.plan.languages,
        language_switch=version.plan.language_switch,
        time_limit=seconds_allowed(version.plan.time_limit, given),
        min_items=fewest_items(version.plan),
        max_items=most_items(version.plan),
        status=_status(exam, last, left, waiting=now < again),
        sitting_id=last.id if last else None,
        attempts_left=left,
        has_result=state is not None,
        result_state=state,
        note=version.note,
        item_types=asks.types,
        has_sound=asks.has_sound,
        has_extra_time=seconds_allowed(100, given) != 100,
        breaks=breaks_allowed(given, version.plan.delivery),
        break_length=break_length(given, version.plan.delivery),
        retake_from=again,
        delivery=version.plan.delivery,
        font=given.get("font"),
        contrast=given.get("contrast"),
    )


def _status(exam: Exam, last: Sitting | None, attempts_left: int, *, waiting: bool) -> str:
    if last is not None and last.status == "running":
        return "running"
    if attempts_left == 0:
        return "finished"
    if exam.status != "open":
        return "closed"
    return "waiting" if waiting else "ready"


def by_content(medium: MediumInfo) -> str:
    """Name a medium by its content hash alone."""
    return medium.sha256


def view(
    db: Database, candidate: CandidateSession, sitting_id: str, address: Address = by_content
) -> SittingView:
    """Return what the exam page shows.

    Parameters
    ----------
    address
        Where the page finds a medium of its question.

    Raises
    ------
    NotFound
        When the sitting is not there, or not this candidate's.
    """
    with db.read() as session:
        snapshot = read_own_snapshot(db, session, sitting_id, candidate)
        beside = _beside(session, snapshot)
    return _view(db, snapshot, address, *beside)


def view_of(
    db: Database,
    snapshot: Snapshot,
    messages: tuple[Message, ...],
    address: Address = by_content,
) -> SittingView:
    """Return what the exam page shows of a sitting that was just answered, as it stood then."""
    assert snapshot.around is not None, "read before a step is decided upon"
    return _view(db, snapshot, address, snapshot.around.excluded, messages)


def _beside(session: Session, snapshot: Snapshot) -> tuple[frozenset[int], tuple[Message, ...]]:
    """Read what a page shows beside the sitting's own log: items met before, and messages."""
    tries_out = snapshot.exam.plan.design.pretest.count
    met = earlier_rows(session, snapshot) if tries_out else frozenset[int]()
    return met, tuple(messages_of(session, snapshot.sitting.id))


def _view(
    db: Database,
    snapshot: Snapshot,
    address: Address,
    met: frozenset[int],
    messages: tuple[Message, ...],
) -> SittingView:
    sitting, exam = snapshot.sitting, snapshot.exam
    given, rules = sitting.accommodations, exam.plan.delivery
    answered = len(snapshot.responses)
    at_least, at_most = _to_go(snapshot, met)
    return SittingView(
        sitting_id=sitting.id,
        exam_code=exam.plan.code,
        title=exam.plan.title,
        language=sitting.language,
        status=sitting.status,
        epoch=sitting.lease_epoch,
        position=snapshot.position,
        answered=answered,
        at_least=at_least,
        at_most=at_most,
        now=snapshot.now,
        started_at=sitting.started_at,
        deadline_at=sitting.deadline_at,
        finished_at=sitting.finished_at,
        stop_reason=sitting.stop_reason,
        question=_question(db, snapshot, address),
        other_languages=_other_languages(snapshot),
        note=snapshot.release.note,
        pause=sitting.pause,
        paused_at=sitting.paused_at,
        break_until=break_until(sitting),
        breaks_left=breaks_left(sitting, rules),
        break_length=break_length(given, rules),
        font=given.get("font"),
        contrast=given.get("contrast"),
        delivery=rules,
        messages=messages,
    )


def _to_go(snapshot: Snapshot, met: frozenset[int]) -> tuple[int, int]:
    """How many questions come at least and at most, the open one and those tried out included."""
    design, given = snapshot.exam.plan.design, snapshot.presented[: len(snapshot.responses)]
    answered = len(given) - len(snapshot.withdrawn)
    tried = sum(is_tried_out(one) and one.row not in snapshot.withdrawn for one in given)
    spare = rows_to_try_out(snapshot.exam, snapshot.release) - rows_held(snapshot) - met
    to_go = partial(
        items_until,
        design.pretest,
        snapshot.sitting.seed,
        answered,
        counted=answered if design.pretest.counts_towards_length else answered - tried,
        spare=len(spare - {one.row for one in given}),
    )
    fewest, most = fewest_items(snapshot.exam.plan), design.stop.longest or 0
    return max(to_go(target=fewest), 1), max(to_go(target=most), 1)


def _other_languages(snapshot: Snapshot) -> tuple[str, ...]:
    """Languages that the open question can be read in instead."""
    plan = snapshot.exam.plan
    others = tuple(code for code in plan.languages if code != snapshot.language)
    return others if plan.language_switch else ()


def _question(db: Database, snapshot: Snapshot, address: Address) -> Question | None:
    row = snapshot.open_item
    if row is None or not snapshot.is_open:
        return None
    shown, _ = as_page_shows(db, row, address, snapshot.language)
    return Question(row.position, shown)


def own_medium(
    db: Database, candidate: CandidateSession, sitting_id: str, sha256: str
) -> tuple[str, bytes]:
    """Return type and bytes of a medium of the open question of a candidate's own sitting.

    Raises
    ------
    NotFound
        When the sitting is not this candidate's, or its open question does not show it.
    """
    with db.read() as session:
        snapshot = read_own_snapshot(db, session, sitting_id, candidate)
    row = snapshot.open_item
    shown = media_of(db, row.revision_id) if row is not None and snapshot.is_open else {}
    if sha256 not in shown:
        raise NotFound
    with db.read() as session:
        own = snapshot.sitting.organisation_id
        return medium_bytes(session, shown[sha256].id, organisation_id=own)
