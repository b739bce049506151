"""Corrections as rows and as links of the site's chain.

The chain has the digest of what is corrected, why, and what candidates are told, under a salt;
every act names who did it. Called by whatever moves a correction on.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.actors import Actor
from item_bank.exams.errors import NotAllowed
from item_bank.exams.records import commitment
from item_bank.results.corrections.terms import PROPOSED, PROPOSERS
from item_bank.store.audit import append_site_event
from item_bank.store.tables.base import new_id
from item_bank.store.tables.corrections import Correction
from item_bank.store.tables.site import OrganisationRow

CORRECTION_PROPOSED = "correction_proposed"
CORRECTION_CHECKED = "correction_checked"
CORRECTION_SIGNED = "correction_signed"
CORRECTION_IN_FORCE = "correction_in_force"
CORRECTION_APPLIED = "correction_applied"
CORRECTION_WITHDRAWN = "correction_withdrawn"
MAX_REASON = 1000


def check_may_propose(actor: Actor) -> None:
    """Refuse who may not propose, check and withdraw corrections."""
    if actor.role not in PROPOSERS:
        raise NotAllowed("corrections are proposed by examiners, administrators, psychometricians")


def find(session: Session, number: int, organisation_id: str, *, lock: bool = False) -> Correction:
    """Return a correction of an organisation by its number.

    Raises
    ------
    InputError
        When there is none such.
    """
    query = select(Correction).where(
        Correction.organisation_id == organisation_id, Correction.number == number
    )
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise InputError("the number of a correction (see `tarozu correction list`)", str(number))
    return row


def keep_proposal(
    session: Session, actor: Actor, about: dict[str, Any], reason: str, now: int
) -> Correction:
    """Keep a proposal and the event of it.

    Raises
    ------
    InputError
        When the reason is blank or too long.
    """
    if not 0 < len(reason.strip()) <= MAX_REASON:
        expected = f"a reason of 1 to {MAX_REASON} characters"
        raise InputError(expected, f"{len(reason.strip())}", column="--reason")
    row = Correction(
        id=new_id(),
        organisation_id=actor.organisation_id,
        number=_next_number(session, actor.organisation_id),
        reason=reason.strip(),
        salt=secrets.token_hex(16),
        status=PROPOSED,
        proposed_by=actor.id,
        proposed_at=now,
        effect={},
        **about,
    )
    session.add(row)
    session.flush()
    note(session, row, CORRECTION_PROPOSED, actor.by, now, kind=row.kind, digest=digest_of(row))
    return row


def digest_of(row: Correction) -> str:
    """Return the commitment to what is corrected, why, and what candidates are told."""
    said = {
        "kind": row.kind,
        "revision": row.revision_id,
        "exam": row.exam_id,
        "change": row.change,
        "reason": row.reason,
        "notice": row.notice,
    }
    return commitment(row.salt, said)


def note(session: Session, row: Correction, event: str, by: str, now: int, **more: Any) -> None:
    """Append what was done with a correction to the site's chain."""
    payload = {"correction": row.id, "number": row.number, "by": by, **more}
    append_site_event(session, event, payload, now, row.organisation_id)


def lock_organisation(session: Session, organisation_id: str) -> None:
    """Let one after the other number corrections, and put them in force."""
    session.scalars(
        select(OrganisationRow).where(OrganisationRow.id == organisation_id).with_for_update()
    ).one()


def _next_number(session: Session, organisation_id: str) -> int:
    lock_organisation(session, organisation_id)
    newest = select(func.max(Correction.number)).where(
        Correction.organisation_id == organisation_id
    )
    return (session.scalar(newest) or 0) + 1
