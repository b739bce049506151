"""Hash chains: one for each sitting, and one for the site.

A link's hash covers its number, kind, time, payload and the hash before it, so a changed, missing
or added link shows. Payloads hold pseudonymous ids and salted commitments only, so personal data
can be erased and every chain still verifies. A sitting's chain head is part of the site chain once
the worker has sealed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from sqlalchemy import Table, bindparam, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from item_bank.store.appending import append, new_row
from item_bank.store.canonical import content_hash
from item_bank.store.tables.base import Base
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Sitting, SittingEvent

GENESIS = "0" * 64
_SITE_LOCK = 7_274_121  # PostgreSQL's advisory lock of the site chain


class Link(Protocol):
    """What a row of either chain has."""

    number: Any
    kind: Any
    payload: Any
    at: Any
    previous_hash: Any
    hash: Any


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold: which chain, at which link, and what is wrong."""

    chain: str
    number: int
    problem: str


def link_hash(scope: str, link: Link) -> str:
    """Hash of one link; ``scope`` is the sitting's id, or "site"."""
    return content_hash([scope, link.number, link.kind, link.payload, link.at, link.previous_hash])


def append_sitting_event(
    session: Session, sitting: Sitting, kind: str, payload: dict[str, Any], at: int
) -> None:
    """Add a link to a sitting's chain; the caller holds the write transaction."""
    append_sitting_events(session, sitting, [(kind, payload)], at)


def append_sitting_events(
    session: Session, sitting: Sitting, events: Sequence[tuple[str, dict[str, Any]]], at: int
) -> None:
    """Add links to a sitting's chain, each of a kind with its payload.

    The new head is written at once, since the session's unit of work takes four times as long.
    """
    links, length, head = [], sitting.chain_length, sitting.chain_head
    for number, (kind, payload) in enumerate(events, start=length + 1):
        link = new_row(
            SittingEvent,
            sitting_id=sitting.id,
            number=number,
            organisation_id=sitting.organisation_id,
            kind=kind,
            payload=payload,
            at=at,
            previous_hash=head,
            hash="",
        )
        link.hash = head = link_hash(sitting.id, link)
        links.append(link)
    append(session, SittingEvent, *links)
    place = {"sitting": sitting.id, "length": length + len(links), "head": head}
    session.connection().execute(_NEW_HEAD, place)
    keep = set_committed_value if isinstance(sitting, Base) else setattr
    keep(sitting, "chain_length", length + len(links))
    keep(sitting, "chain_head", head)


_SITTINGS = cast("Table", Sitting.__table__)
_NEW_HEAD = (
    update(_SITTINGS)
    .where(_SITTINGS.c.id == bindparam("sitting"))
    .values(chain_length=bindparam("length"), chain_head=bindparam("head"))
)


def append_site_event(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    at: int,
    organisation_id: str | None = None,
) -> SiteEvent:
    """Add a link to the site chain; on PostgreSQL one writer at a time."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SITE_LOCK})
    last = session.scalars(select(SiteEvent).order_by(SiteEvent.number.desc()).limit(1)).first()
    link = SiteEvent(
        number=last.number + 1 if last else 1,
        organisation_id=organisation_id,
        kind=kind,
        payload=payload,
        at=at,
        previous_hash=last.hash if last else GENESIS,
    )
    link.hash = link_hash("site", link)
    session.add(link)
    session.flush()
    return link


def breaks(scope: str, links: Iterable[Link]) -> list[Break]:
    """Walk a chain in order and return the first place where it does not hold, or nothing."""
    previous = GENESIS
    for number, link in enumerate(links, start=1):
        if link.number != number:
            return [Break(scope, number, f"link {number} is missing")]
        if link.previous_hash != previous:
            return [Break(scope, number, "does not follow the link before it")]
        if link.hash != link_hash(scope, link):
            return [Break(scope, number, "its content does not match its hash")]
        previous = link.hash
    return []
