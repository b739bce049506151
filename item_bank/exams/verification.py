"""The audit: every chain walked, and every row held against the link that vouches for it.

Called by `tarozu audit verify`. A problem names its chain, the link, and what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams import records
from item_bank.exams.decision_checks import (
    Decided,
    acts_on_results,
    decision_problems,
    first_states,
)
from item_bank.exams.results import LISTED, listed
from item_bank.items.verification import release_problems
from item_bank.store.audit import GENESIS, Break, breaks
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.outcomes import Appeal, Decision, Outcome
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import (
    PresentedItem,
    Response,
    ResponseContent,
    Result,
    Sitting,
    SittingEvent,
    SittingMessage,
)

BLOCK = 200  # sittings that are in memory together
STARTED_WITH = (
    "candidate",
    "exam_version",
    "rules_version",
    "number",
    "language",
    "seed",
    "prior_theta",
)
UNREADABLE = "a record cannot be read"
_NOTHING: Sequence[Any] = ()


@dataclass(frozen=True)
class Audit:
    """What an audit walked and what it found; ``head`` names the last link of the site's chain."""

    head: str
    site_links: int
    sittings: int
    sitting_links: int
    releases: int
    problems: tuple[Break, ...]


@dataclass(frozen=True)
class _Record:
    """A sitting with all that was recorded in it."""

    sitting: Sitting
    links: Sequence[SittingEvent]
    presented: Sequence[PresentedItem]
    responses: Sequence[Response]
    contents: Sequence[ResponseContent]
    notes: Sequence[SittingMessage]
    results: Sequence[Result]
    decisions: Sequence[Decision]
    appeals: Sequence[Appeal]
    outcomes: Sequence[Outcome]


def verify(db: Database, advance: Callable[..., None] = lambda _n=1: None) -> Audit:
    """Walk every chain and hold the rows against it; ``advance`` is called with the sittings done.

    One state of the database is looked at, however long it takes.
    """
    with db.read() as session:
        site, problems = _site(session)
        seals = {_says(e, "sitting"): e for e in site if e.kind == records.SEALED}
        acts = acts_on_results(site)
        first = first_states(session)
        sittings = links = 0
        for record in _records(session, advance):
            if isinstance(record, Break):
                problems.append(record)
                continue
            seal = seals.pop(record.sitting.id, None)
            problems += [*_sitting_problems(record), *_seal_problems(record, seal)]
            problems += decision_problems(_decided(record), acts, first)
            sittings, links = sittings + 1, links + len(record.links)
        problems += [
            Break("site", event.number, f"seals sitting {missing}, which is not there")
            for missing, event in seals.items()
        ]
        n_releases, found = _bank_problems(session, site)
    head = link_name(site[-1]) if site else ""
    return Audit(head, len(site), sittings, links, n_releases, (*problems, *found))


def link_name(link: SiteEvent) -> str:
    """Name a link of the site's chain so that it can be written down: its number and its hash."""
    return f"{link.number}:{link.hash}"


def missing_link(db: Database, name: str) -> Break | None:
    """Say so when a link that was written down is not in the site's chain (any more).

    Raises
    ------
    InputError
        When it is not the name of a link.
    """
    number, _, written = name.partition(":")
    if not (number.isdecimal() and len(number) < 10 and written):
        raise InputError("LINK:HASH, as an audit named it", repr(name), column="--expect")
    with db.read() as session:
        link = session.get(SiteEvent, int(number))
    if link is None:
        return Break("site", int(number), "is not there: this is an older state, or another site")
    if link_name(link) != name:
        return Break("site", int(number), "is another one: the site was put back and went on")
    return None


def _site(session: Session) -> tuple[Sequence[SiteEvent], list[Break]]:
    try:
        site = session.scalars(select(SiteEvent).order_by(SiteEvent.number)).all()
    except ValueError:
        return [], [Break("site", 0, UNREADABLE)]
    return site, breaks("site", site)


def _bank_problems(session: Session, site: Sequence[SiteEvent]) -> tuple[int, list[Break]]:
    try:
        count, found = release_problems(session, site)
        return count, [*found, *_version_problems(session, site)]
    except ValueError:
        return 0, [Break("banks and exams", 0, UNREADABLE)]


def _says(link: SiteEvent | SittingEvent, name: str) -> Any:
    """A part of a link's payload; None where a forged one lacks it."""
    return link.payload.get(name) if isinstance(link.payload, dict) else None


def n_sittings(db: Database) -> int:
    """How many sittings an audit will walk."""
    with db.read() as session:
        return int(session.scalar(select(func.count()).select_from(Sitting)) or 0)


def _records(session: Session, advance: Callable[..., None]) -> Iterator[_Record | Break]:
    ids = session.scalars(select(Sitting.id).order_by(Sitting.started_at, Sitting.id)).all()
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK]
        yield from _readable(session, block)
        session.expunge_all()
        advance(len(block))


def _readable(session: Session, ids: Sequence[str]) -> Iterator[_Record | Break]:
    """Read a block; where a record is no JSON any more, sitting by sitting."""
    try:
        yield from list(_block(session, ids))
    except ValueError:
        if len(ids) == 1:
            yield Break(ids[0], 0, UNREADABLE)
            return
        for one in ids:
            yield from _readable(session, [one])


def _block(session: Session, ids: Sequence[str]) -> Iterator[_Record]:
    links = _rows(session, SittingEvent, SittingEvent.number, ids)
    presented = _rows(session, PresentedItem, PresentedItem.position, ids)
    responses = _rows(session, Response, Response.position, ids)
    contents = _rows(session, ResponseContent, ResponseContent.position, ids)
    notes = _rows(session, SittingMessage, SittingMessage.id, ids)
    results = _rows(session, Result, Result.number, ids)
    decided = [
        _rows(session, Decision, Decision.number, ids),
        _rows(session, Appeal, Appeal.opened_at, ids),
        _rows(session, Outcome, Outcome.sitting_id, ids),
    ]
    for sitting in session.scalars(select(Sitting).where(Sitting.id.in_(ids))).all():
        parts = (links, presented, responses, contents, notes, results, *decided)
        yield _Record(sitting, *(part.get(sitting.id, _NOTHING) for part in parts))


def _decided(record: _Record) -> Decided:
    return Decided(
        record.sitting,
        record.links,
        record.results,
        record.decisions,
        record.appeals,
        record.outcomes[0] if record.outcomes else None,
    )


def _rows(session: Session, table: Any, order: Any, ids: Sequence[str]) -> dict[str, Any]:
    found = session.scalars(
        select(table).where(table.sitting_id.in_(ids)).order_by(table.sitting_id, order)
    )
    return {name: list(rows) for name, rows in groupby(found, key=lambda row: row.sitting_id)}


def _sitting_problems(record: _Record) -> Iterator[Break]:
    sitting, links = record.sitting, record.links
    broken = breaks(sitting.id, links)
    if broken:  # what its links say is worth nothing
        yield from broken
        return
    head = links[-1].hash if links else GENESIS
    if (sitting.chain_length, sitting.chain_head) != (len(links), head):
        found = f"the sitting says {sitting.chain_length} links, {len(links)} are there"
        yield Break(sitting.id, len(links), found)
    yield from _start_problems(record)
    yield from _row_problems(record, records.PRESENTED, record.presented)
    yield from _row_problems(record, records.ANSWERED, record.responses)
    yield from _content_problems(record)
    yield from _note_problems(record)
    yield from _result_problems(record)


def _start_problems(record: _Record) -> Iterator[Break]:
    """What the first link says of the sitting stands in its row, too."""
    sitting = record.sitting
    if not record.links or record.links[0].kind != records.STARTED:
        yield Break(sitting.id, 1, "the chain does not begin with its start")
        return
    first = record.links[0]
    names = {"candidate": "candidate_id", "exam_version": "exam_version_id"}
    for name in STARTED_WITH:
        if _says(first, name) != getattr(sitting, names.get(name, name)):
            yield Break(sitting.id, 1, f"the sitting's {name} is not the one it started with")
    salt = sitting.accommodations_salt
    frozen = None if salt is None else records.commitment(salt, sitting.accommodations)
    if frozen not in {None, _says(first, "accommodations")}:
        yield Break(sitting.id, 1, "the sitting's accommodations are not those it started with")


def _row_problems(
    record: _Record, kind: str, rows: Sequence[PresentedItem] | Sequence[Response]
) -> Iterator[Break]:
    """Each row has a link with its digest, and each such link a row."""
    what = "response" if kind == records.ANSWERED else "presented item"
    links = {_says(link, "position"): link for link in record.links if link.kind == kind}
    for row in rows:
        link = links.pop(row.position, None)
        number = link.number if link else 0
        if link is None:
            yield Break(record.sitting.id, number, f"{what} {row.position} has no link")
        elif _says(link, "digest") != records.row_digest(row):
            found = f"{what} {row.position} is not as it was recorded"
            yield Break(record.sitting.id, number, found)
    for position, link in links.items():
        yield Break(record.sitting.id, link.number, f"{what} {position} is gone")


def _content_problems(record: _Record) -> Iterator[Break]:
    """What was chosen agrees with its commitment, unless it was erased."""
    committed = {row.position: row.commitment for row in record.responses}
    for row in record.contents:
        if committed.get(row.position) != records.commitment(row.salt, row.content):
            found = f"the content of response {row.position} is not what was committed to"
            yield Break(record.sitting.id, 0, found)


def _note_of(link: SittingEvent) -> tuple[Any, Any]:
    """Id of a text and the commitment to it: of a message, or of the reason for an act."""
    said = _says(link, "reason")
    found = said if isinstance(said, dict) else link.payload
    found = found if isinstance(found, dict) else {}
    return found.get("message"), found.get("commitment")


def _note_problems(record: _Record) -> Iterator[Break]:
    """What staff wrote agrees with its commitment, unless it was erased."""
    committed = dict(_note_of(link) for link in record.links)
    for row in record.notes:
        if committed.get(row.id) != records.commitment(row.salt, row.text):
            found = f"the {row.kind} text {row.id} is not what was committed to"
            yield Break(record.sitting.id, 0, found)


def _result_problems(record: _Record) -> Iterator[Break]:
    sitting = record.sitting
    for row in record.results:
        if content_hash(row.content) != row.content_hash:
            yield Break(sitting.id, 0, f"result {row.number} does not match its hash")
        elif listed(row.content) != {name: getattr(row, name) for name in LISTED}:
            yield Break(sitting.id, 0, f"result {row.number} is listed as something else")
    for link in record.links:
        if link.kind == records.FINISHED:
            hashes = [row.content_hash for row in record.results if row.number == 1]
            if hashes != [_says(link, "result")]:
                yield Break(sitting.id, link.number, "the result is not the one recorded")
            if sitting.stop_reason != _says(link, "stop_reason"):
                yield Break(sitting.id, link.number, "the stop reason is not the one recorded")


def _seal_problems(record: _Record, seal: SiteEvent | None) -> Iterator[Break]:
    """The site chain holds the head that the chain had when it was sealed."""
    sitting = record.sitting
    if seal is None:
        if sitting.sealed_at is not None:
            yield Break(sitting.id, 0, "the site chain has no seal of it")
        return
    length, head = _says(seal, "length"), _says(seal, "head")
    heads = {link.number: link.hash for link in record.links}
    if heads.get(length) != head:
        yield Break(
            sitting.id, len(heads), f"is not the chain that link {seal.number} of site sealed"
        )


def _version_problems(session: Session, site: Iterable[SiteEvent]) -> Iterator[Break]:
    """Exam versions agree with their hashes, and those with the site chain."""
    applied = {_says(e, "hash") for e in site if e.kind == "exam_applied"}
    for version in session.scalars(select(ExamVersion)):
        digest = content_hash([version.design, version.release_id, version.rules_version])
        if digest != version.content_hash:
            found = f"exam version {version.number} does not match its hash"
            yield Break(version.id, 0, found)
        elif digest not in applied:
            yield Break(version.id, 0, f"exam version {version.number} is not in the site chain")
