"""Sittings and what happened in them.

`presented_items`, `responses` and `sitting_events` are append-only (triggers refuse changes).
What a candidate chose or typed stands in `response_contents`, outside the chain: the chain holds
a salted commitment to it, so that it can be erased and the chain still verifies.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from item_bank.store.tables.base import (
    Base,
    Hash,
    Id,
    Json,
    Key,
    Name,
    Organisation,
    Time,
    Word,
)


class Sitting(Base):
    """One candidate's attempt at one exam, pinned to a version for ever."""

    __tablename__ = "sittings"
    __table_args__ = (
        UniqueConstraint("exam_id", "candidate_id", "number"),
        Index("ix_sittings_status_deadline", "status", "deadline_at"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[Organisation]
    exam_id: Mapped[Key] = mapped_column(ForeignKey("exams.id"))
    exam_version_id: Mapped[Key] = mapped_column(ForeignKey("exam_versions.id"), index=True)
    rules_version: Mapped[int]
    candidate_id: Mapped[Key] = mapped_column(ForeignKey("candidates.id"), index=True)
    number: Mapped[int]  # counts this candidate's attempts at this exam
    language: Mapped[Word]
    seed: Mapped[int] = mapped_column(BigInteger)
    simulated: Mapped[bool]
    prior_theta: Mapped[float | None]  # what the start and the interim estimates expect
    status: Mapped[Word]  # running, finished, invalidated
    lease_epoch: Mapped[int]
    started_at: Mapped[Time]
    deadline_at: Mapped[Time | None]
    finished_at: Mapped[Time | None]
    stop_reason: Mapped[Word | None]
    chain_length: Mapped[int]
    chain_head: Mapped[Hash]
    sealed_at: Mapped[Time | None]  # when the site chain took the chain's head
    accommodations: Mapped[Json] = mapped_column(server_default="{}")  # as they were at the start
    accommodations_salt: Mapped[Key | None]  # of the commitment to them; None: erased
    device: Mapped[Hash | None]  # keyed hash of what holds the lease; None: nothing, or unknown
    paused_at: Mapped[Time | None]  # None while the clock runs
    pause: Mapped[Word | None]  # break, or invigilator
    pause_granted: Mapped[int | None] = mapped_column(BigInteger)  # on the deadline in advance
    breaks_taken: Mapped[int] = mapped_column(default=0, server_default="0")


class PresentedItem(Base):
    """An item that was put before the candidate, and the step that chose it."""

    __tablename__ = "presented_items"
    __table_args__ = (UniqueConstraint("sitting_id", "revision_id"),)

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)  # from 1
    organisation_id: Mapped[Organisation]
    revision_id: Mapped[Key] = mapped_column(ForeignKey("item_revisions.id"), index=True)
    row: Mapped[int]  # the item's row in the release
    language: Mapped[Word]
    choice_order: Mapped[Json]  # ids of choices, areas or a match's columns as shown
    trace: Mapped[Json]
    presented_at: Mapped[Time]


class Response(Base):
    """A response and its score; theta and SE are audit copies of the estimate after it."""

    __tablename__ = "responses"
    __table_args__ = (UniqueConstraint("sitting_id", "idempotency_key"),)

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    idempotency_key: Mapped[Word]
    commitment: Mapped[Hash]  # of salt and content, see response_contents
    score: Mapped[int | None]  # None: late or withdrawn, kept unscored
    late: Mapped[bool]
    theta: Mapped[float | None]
    se: Mapped[float | None]
    lease_epoch: Mapped[int]
    received_at: Mapped[Time]


class ResponseContent(Base):
    """What was chosen or typed, with the salt of its commitment; can be erased."""

    __tablename__ = "response_contents"

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[Organisation]
    salt: Mapped[Key]
    content: Mapped[Json]


class SittingEvent(Base):
    """A link of a sitting's hash chain."""

    __tablename__ = "sitting_events"

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # from 1
    organisation_id: Mapped[Organisation]
    kind: Mapped[Word]
    payload: Mapped[Json]
    at: Mapped[Time] = mapped_column(index=True)
    previous_hash: Mapped[Hash]
    hash: Mapped[Hash]


class SittingMessage(Base):
    """What staff wrote in a sitting; the chain holds a salted commitment to it."""

    __tablename__ = "sitting_messages"

    id: Mapped[Id]
    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), index=True)
    organisation_id: Mapped[Organisation]
    kind: Mapped[Word]  # of the event: a message to the candidate, or an act whose reason this is
    at: Mapped[Time]
    from_account: Mapped[Key | None] = mapped_column(ForeignKey("staff_accounts.id"))
    text: Mapped[str] = mapped_column(Text)
    salt: Mapped[Key]
    seen_at: Mapped[Time | None]


class Presence(Base):
    """Where the page of a sitting was last heard from; kept for the invigilator, then erased."""

    __tablename__ = "presence"

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    organisation_id: Mapped[Organisation]
    first_seen_at: Mapped[Time]
    seen_at: Mapped[Time]
    address: Mapped[Word]
    agent: Mapped[Name]


class Result(Base):
    """A canonical result; a later one supersedes it, nothing edits it."""

    __tablename__ = "results"

    sitting_id: Mapped[Key] = mapped_column(ForeignKey("sittings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # from 1
    organisation_id: Mapped[Organisation]
    content: Mapped[Json]
    content_hash: Mapped[Hash]
    n_items: Mapped[int]  # this and the next three are copies from the content, for lists
    score: Mapped[float | None]  # None: the exam's rule for time gives none
    level: Mapped[Word | None]
    passed: Mapped[bool | None]
    reason: Mapped[Word]  # "sitting_finished", or why it was amended
    created_at: Mapped[Time]
