"""The audit of corrections: amended results are computed again, signatures held against the chain.

An amended result is computed from the log, the result before it and the corrections that it names,
and must say the same. Where an answer was erased since, that cannot be done: it is said, and is no
fault. Called by `tarozu audit verify` and by the replay of a sitting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.results.corrections import records
from item_bank.results.corrections.amending import amended, signed_hash
from item_bank.results.corrections.in_force import read_material, rule_of
from item_bank.results.corrections.terms import (
    ANSWER_ERASED,
    IN_FORCE,
    SIGNATURES,
    CannotCompute,
)
from item_bank.store.audit import Break
from item_bank.store.database import Database
from item_bank.store.tables.corrections import Correction, CorrectionChange, CorrectionSignature
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Result


@dataclass(frozen=True)
class Checked:
    """What an audit of corrections found.

    Parameters
    ----------
    corrections, rebuilt
        How many corrections were looked at, and how many amended results agree.
    erased
        Amended results that cannot be computed again, since an answer was erased.
    """

    corrections: int
    rebuilt: int
    erased: tuple[str, ...]
    problems: tuple[Break, ...]


def check_corrections(db: Database, advance: Callable[..., None] = lambda _n=1: None) -> Checked:
    """Check every correction, and every result that corrections made."""
    with db.read() as session:
        rows = session.scalars(select(Correction).order_by(Correction.number)).all()
        problems = [found for row in rows for found in _of_correction(session, row)]
        amended_results = session.execute(
            select(Result.sitting_id, Result.number)
            .where(Result.number > 1)
            .order_by(Result.sitting_id, Result.number)
        ).all()
    erased: list[str] = []
    for sitting_id, number in amended_results:
        found, is_erased = check_result(db, sitting_id, number)
        problems += [Break(sitting_id, 0, text) for text in found]
        erased += [f"{sitting_id}, result {number}"] if is_erased else []
        advance()
    faulty = {one.chain for one in problems}
    good = sum(sitting not in faulty for sitting, _ in amended_results) - len(erased)
    return Checked(len(rows), good, tuple(erased), tuple(problems))


def check_result(db: Database, sitting_id: str, number: int) -> tuple[list[str], bool]:
    """Compute an amended result again; return what is wrong, and whether an answer is erased."""
    with db.read() as session:
        before = session.get_one(Result, (sitting_id, number - 1)).content
        content = session.get_one(Result, (sitting_id, number)).content
        material = replace(read_material(db, session, sitting_id), standing=before)
        named = [one["id"] for one in content.get("corrections", ())]
        rows = session.scalars(select(Correction).where(Correction.id.in_(named))).all()
        signed = _signed(session, sitting_id, number - 1)
    if "corrections" not in content:  # made to stand otherwise: its chain vouches for it
        return [], False
    if len(rows) < len(named) or not named:
        return [f"result {number} names corrections that are not there"], False
    try:
        again = amended(material, map(rule_of, rows))
    except CannotCompute as reason:
        is_erased = reason.problem == ANSWER_ERASED
        return ([] if is_erased else [f"result {number}: {reason}"]), is_erased
    return list(_differences(number, content, again, signed)), False


def _differences(
    number: int, content: dict[str, Any], again: dict[str, Any], signed: set[str]
) -> Iterator[str]:
    """Say where an amended result is not what it should be."""
    digest = signed_hash(content)
    if content["supersedes"] != again["supersedes"]:
        yield f"result {number} does not supersede result {number - 1} as it is"
    if signed_hash(again) != digest:
        yield f"result {number} is not what the log and its corrections come to"
    if signed - {digest}:
        yield f"result {number} is not the one that was signed"


def _signed(session: Session, sitting_id: str, before: int) -> set[str]:
    """Hashes of what applied corrections were to make of a result."""
    own = CorrectionChange
    hashes = session.scalars(
        select(own.new_hash).where(
            own.sitting_id == sitting_id, own.applied, own.result_number == before
        )
    )
    return {digest for digest in hashes if digest is not None}


# --- corrections -------------------------------------------------------------------------------


def _of_correction(session: Session, row: Correction) -> Iterator[Break]:
    links = _links(session, row)
    name = f"correction {row.number}"
    digests = [link.payload.get("digest") for link in links.get(records.CORRECTION_PROPOSED, ())]
    if digests != [records.digest_of(row)]:
        yield Break("site", 0, f"{name} is not as it was proposed")
    yield from _of_signatures(session, row, links)
    if row.status in IN_FORCE:
        said = [
            (link.payload.get("place"), link.payload.get("effect"))
            for link in links.get(records.CORRECTION_IN_FORCE, ())
        ]
        if said != [(row.place, row.effect_hash)]:
            yield Break("site", 0, f"{name} is in force otherwise than the site chain says")


def _of_signatures(
    session: Session, row: Correction, links: Mapping[str, Sequence[SiteEvent]]
) -> Iterator[Break]:
    """Hold signatures against their links, and count those under the effect in force."""
    name = f"correction {row.number}"
    signed = session.scalars(
        select(CorrectionSignature).where(CorrectionSignature.correction_id == row.id)
    ).all()
    given = {(one.account_id, one.effect_hash) for one in signed}
    events = links.get(records.CORRECTION_SIGNED, ())
    linked = {(link.payload.get("by"), link.payload.get("effect")) for link in events}
    if given != linked:
        yield Break("site", 0, f"{name} has other signatures than the site chain says")
    under = [one for one in signed if one.effect_hash == row.effect_hash]
    if row.status in IN_FORCE and len(under) < SIGNATURES:
        yield Break("site", 0, f"{name} is in force with {len(under)} signatures")


def _links(session: Session, row: Correction) -> dict[str, list[SiteEvent]]:
    """Return the links of the site's chain that are about a correction, by kind."""
    found: dict[str, list[SiteEvent]] = {}
    query = select(SiteEvent).where(
        SiteEvent.kind.startswith("correction_"), SiteEvent.organisation_id == row.organisation_id
    )
    for link in session.scalars(query.order_by(SiteEvent.number)):
        if isinstance(link.payload, dict) and link.payload.get("correction") == row.id:
            found.setdefault(link.kind, []).append(link)
    return found
