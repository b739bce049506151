"""Releases: immutable banks with their parameters by language, and how the next one is published.

Called by exams, calibration's commands and `tarozu bank`. What is loaded is cached for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine.arrays import Floats
from engine.attributes import ItemAttributes, item_attributes
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters, item_parameters
from item_bank.items.authoring.checks import refuse, shortfalls
from item_bank.items.authoring.records import note_move
from item_bank.items.life_cycle import Actor, Shortfall
from item_bank.items.plans import EVERY_LANGUAGE, Plan, last_release, open_draft, plan
from item_bank.items.scoring import misfit, points_by_score
from item_bank.store.audit import append_site_event
from item_bank.store.caches import once
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.items import Bank, Item, ItemRevision, ItemVariant
from item_bank.store.tables.releases import ParameterDraft, Release, ReleaseItem

OPERATIONAL = "operational"  # items of another status are not chosen by a sitting


LABELS = ("cognitive_level", "competency")
NUMBERS = ("words", "seconds")
"""What an item says of itself that a blueprint can bound, besides labels of the bank's own."""


@dataclass(frozen=True)
class ReleaseInfo:
    """A release without its items."""

    id: str
    bank_id: str
    bank_code: str
    number: int
    content_hash: str
    published_at: int
    note: dict[str, Any]
    languages: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ReleaseItems:
    """A release in one language, as arrays; every tuple is by row.

    Parameters
    ----------
    items
        Parameters; identifiers are item codes.
    revision_ids
        The item revisions.
    statuses
        "operational" or "pretest".
    se
        Standard errors, as they were published.
    note
        By language: what a reader of these parameters must know.
    points
        What each score of an item is worth in points; a score of ``nrm`` is the category chosen.
    """

    release_id: str
    bank_code: str
    number: int
    content_hash: str
    language: str
    items: ItemParameters
    revision_ids: tuple[str, ...]
    statuses: tuple[str, ...]
    se: tuple[dict[str, Any], ...]
    note: dict[str, Any]
    points: tuple[tuple[int, ...], ...]


# --- reading -----------------------------------------------------------------------------------


def bank_by_code(session: Session, code: str, *, organisation_id: str) -> Bank:
    """Return a bank; `InputError` when the organisation has none of this code."""
    query = select(Bank).where(Bank.organisation_id == organisation_id)
    bank = session.scalars(query.where(Bank.code == code)).one_or_none()
    if bank is None:
        known = session.scalars(query.order_by(Bank.code)).all()
        names = ", ".join(b.code for b in known) or "no bank yet (see `tarozu bank import`)"
        raise InputError(f"one of the banks: {names}", repr(code))
    return bank


def latest_release(session: Session, bank_id: str) -> ReleaseInfo | None:
    """Return the newest release of a bank, or None."""
    release = last_release(session, bank_id)
    return release_info(session, release) if release else None


def release_by_number(session: Session, bank_id: str, number: int) -> ReleaseInfo:
    """Return a release by its number; `InputError` when the bank has none such."""
    query = select(Release).where(Release.bank_id == bank_id, Release.number == number)
    release = session.scalars(query).one_or_none()
    if release is None:
        last = last_release(session, bank_id)
        known = f"a release from 1 to {last.number}" if last else "a published release"
        raise InputError(known, number if last else "none yet (see `tarozu bank publish`)")
    return release_info(session, release)


def release_info(session: Session, release: Release) -> ReleaseInfo:
    """Describe a release."""
    bank = session.get_one(Bank, release.bank_id)
    held = select(ReleaseItem.language).where(ReleaseItem.release_id == release.id).distinct()
    return ReleaseInfo(
        release.id,
        bank.id,
        bank.code,
        release.number,
        release.content_hash,
        release.published_at,
        release.note,
        tuple(sorted(session.scalars(held))),
    )


def release_items(db: Database, release_id: str, language: str) -> ReleaseItems:
    """Return the arrays of a release in a language; the same object every time.

    A release of items without text holds for every language.

    Raises
    ------
    InputError
        When there is no such release, or not in this language.
    """
    key = ("release", release_id, language)
    return once(db, key, lambda: _load(db, release_id, language))


def release_parameters(
    db: Database,
    bank_code: str,
    *,
    organisation_id: str,
    number: int | None = None,
    language: str | None = None,
) -> ReleaseItems:
    """Return the arrays of a bank's release: the newest, in its first language, unless told."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        last = last_release(session, bank.id)
        wanted = number or (last.number if last else 0)
        info = release_by_number(session, bank.id, wanted)
    return release_items(db, info.id, info.languages[0] if language is None else language)


def in_every_language(db: Database, release_id: str) -> dict[str, ReleaseItems]:
    """Return the arrays of a release by language."""
    with db.read() as session:
        info = release_info(session, session.get_one(Release, release_id))
    return {language: release_items(db, release_id, language) for language in info.languages}


def missing_variants(
    db: Database, release_id: str, languages: Sequence[str]
) -> list[tuple[str, str]]:
    """Item code and language of every text that an exam in these languages would lack."""
    with db.read() as session:
        items = _rows(session, release_id)
        codes = {row.revision_id: row.code for row in items}
        present = {
            (v.revision_id, v.language)
            for ids in _blocks(list(codes))
            for v in session.scalars(select(ItemVariant).where(ItemVariant.revision_id.in_(ids)))
        }
    return [
        (code, language)
        for revision_id, code in codes.items()
        for language in languages
        if (revision_id, language) not in present
    ]


def _blocks(ids: list[str]) -> Iterator[list[str]]:
    yield from (ids[start : start + 500] for start in range(0, len(ids), 500))


def _rows(session: Session, release_id: str, language: str | None = None) -> list[ReleaseItem]:
    query = select(ReleaseItem).where(ReleaseItem.release_id == release_id)
    if language is not None:
        query = query.where(ReleaseItem.language == language)
    return list(session.scalars(query.order_by(ReleaseItem.position, ReleaseItem.language)))


def _load(db: Database, release_id: str, language: str) -> ReleaseItems:
    with db.read() as session:
        release = session.get(Release, release_id)
        if release is None:
            raise InputError("a release", "none with this id")
        info = release_info(session, release)
        held = EVERY_LANGUAGE if EVERY_LANGUAGE in info.languages else language
        rows = _rows(session, release_id, held)
        revisions = _revisions(session, [row.revision_id for row in rows])
    if not rows:
        raise InputError(
            f"one of the languages of {info.bank_code} release {info.number}: "
            f"{', '.join(info.languages)}",
            repr(language),
        )
    items = parameter_arrays([(r.code, r.model, r.content_area, r.parameters) for r in rows])
    return ReleaseItems(
        release_id,
        info.bank_code,
        info.number,
        info.content_hash,
        language,
        replace(items, attributes=_attributes(revisions)),
        tuple(row.revision_id for row in rows),
        tuple(row.status for row in rows),
        tuple(row.se for row in rows),
        info.note,
        tuple(
            tuple(points_by_score(revision.key or {}, int(n) - 1))
            for revision, n in zip(revisions, items.n_categories, strict=True)
        ),
    )


def _revisions(session: Session, ids: list[str]) -> list[ItemRevision]:
    found = {
        revision.id: revision
        for some in _blocks(ids)
        for revision in session.scalars(select(ItemRevision).where(ItemRevision.id.in_(some)))
    }
    return [found[one] for one in ids]


def _attributes(revisions: Sequence[ItemRevision]) -> ItemAttributes:
    """What a blueprint may speak of: stimulus, enemies, the place of the key, labels, numbers.

    Numbers must be there for every item, or no total of them could be told.
    """
    about = [revision.about for revision in revisions]
    labels = {name: [one.get(name) or "" for one in about] for name in LABELS}
    for name in sorted({name for one in about for name in one.get("labels", ())}):
        labels[name] = [one.get("labels", {}).get(name, "") for one in about]
    numbers = {name: [one[name] for one in about] for name in NUMBERS
               if all(name in one for one in about)}  # fmt: skip
    labels["key"] = [_place_of_key(revision.key or {}) for revision in revisions]
    return item_attributes(
        len(revisions),
        stimulus=[one.get("stimulus") or "" for one in about],
        enemies=[one.get("enemies") or () for one in about],
        labels=labels,
        numbers=numbers,
    )


def _place_of_key(key: Mapping[str, Any]) -> str:
    """The choice that is correct, where it is one."""
    correct = key.get("correct")
    return correct if isinstance(correct, str) else ""


def parameter_arrays(rows: Sequence[tuple[str, str, str, dict[str, Any]]]) -> ItemParameters:
    """Arrays of (code, model, content area, parameters) as the tables keep them."""
    values = [row[3] for row in rows]
    scalars = {name: [v.get(name, np.nan) for v in values] for name in ("a", "b", "c", "d")}
    steps = {name: _steps(name, values) for name in ("thresholds", "slopes", "intercepts")}
    return item_parameters(
        [row[0] for row in rows],
        [row[1] for row in rows],
        content=[row[2] for row in rows],
        **scalars,
        **steps,
    )


def _steps(name: str, values: Sequence[Mapping[str, Any]]) -> Floats:
    """Numbers of a parameter that has several, padded with NaN."""
    width = max(len(v.get(name, ())) for v in values)
    table = np.full((len(values), max(width, 1)), np.nan)
    for row, given in enumerate(values):
        table[row, : len(given.get(name, ()))] = given.get(name, ())
    return table


# --- publishing --------------------------------------------------------------------------------


def publish(
    db: Database, bank_code: str, *, organisation_id: str, note: dict[str, Any] | None = None
) -> ReleaseInfo:
    """Freeze the last release with the open draft over it as the next release.

    Raises
    ------
    AnswerIsNo
        When that would equal the last release, or hold no item, or some of its items lack a text,
        an alternative to a picture or sound, or a sign-off; the message names them.
    InputError
        When there is no such bank, or an item lacks parameters in a language.
    """
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        planned = plan(session, bank)
    check_plan(db, planned)
    refuse(bank_code, release_shortfalls(db, bank_code, planned, organisation_id=organisation_id))
    with db.write() as session:
        release = _write(session, bank, planned, note, db.now(session))
        return release_info(session, release)


def release_shortfalls(
    db: Database, bank_code: str, planned: Plan, *, organisation_id: str
) -> list[Shortfall]:
    """Return what the items of a plan lack: texts, alternatives, sign-offs."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=organisation_id)
        return shortfalls(session, bank, planned)


def check_plan(db: Database, planned: Plan) -> None:
    """Refuse a plan that holds nothing, nothing new, or parameters that cannot be used."""
    for code, language in planned.incomplete.items():
        raise InputError(f"parameters for language {language!r}", "none", column=f"item {code}")
    if not planned.items:
        raise AnswerIsNo(f"nothing to publish: bank {planned.bank_code} has no item to release")
    with db.read() as session:
        base = session.get(Release, planned.base_release_id) if planned.base_release_id else None
    if base is not None and base.content_hash == planned.content_hash():
        code = planned.bank_code
        aside = f" (set the draft aside: tarozu bank discard {code})" if planned.draft_id else ""
        raise AnswerIsNo(
            f"nothing to publish: bank {code} is as release {base.number} has it{aside}"
        )
    _check_keys(db, planned)
    for language in planned.languages:
        parameter_arrays(
            [
                (i.code, i.parameters[language].model, "", i.parameters[language].values)
                for i in planned.items
            ]
        )


def _check_keys(db: Database, planned: Plan) -> None:
    """Refuse parameters of a model by which the item's key does not score."""
    with db.read() as session:
        revisions = _revisions(session, [item.revision_id for item in planned.items])
        for item, revision in zip(planned.items, revisions, strict=True):
            for p in item.parameters.values():
                wanted = misfit(revision.type, revision.key or {}, p.model, p.values)
                if wanted:
                    raise InputError(wanted, p.model, column=f"item {item.code}: model")


def _write(
    session: Session, bank: Bank, planned: Plan, note: dict[str, Any] | None, now: int
) -> Release:
    session.get_one(Bank, bank.id, with_for_update=True)
    base, draft = last_release(session, bank.id), open_draft(session, bank.id)
    if (base.id if base else None, draft.id if draft else None) != (
        planned.base_release_id,
        planned.draft_id,
    ):
        raise AnswerIsNo(f"bank {bank.code} was changed meanwhile: nothing was published")
    _check_states(session, bank, planned)
    release = Release(
        id=new_id(),
        organisation_id=bank.organisation_id,
        bank_id=bank.id,
        number=base.number + 1 if base else 1,
        content_hash=planned.content_hash(),
        base_release_id=planned.base_release_id,
        draft_id=planned.draft_id,
        note=bank.about.get("parameters_note", {}) if note is None else note,
        published_at=now,
    )
    session.add(release)
    session.flush()
    session.execute(insert(ReleaseItem), list(_release_rows(bank, planned, release.id)))
    if draft is not None:
        session.get_one(ParameterDraft, draft.id).status = "published"
    payload: dict[str, Any] = {
        "bank": bank.code,
        "number": release.number,
        "content_hash": release.content_hash,
    }
    if planned.promoted:
        _promote(session, bank, planned.promoted, now)
        payload["promoted"] = list(planned.promoted)
    append_site_event(session, "release_published", payload, now, bank.organisation_id)
    return release


def _check_states(session: Session, bank: Bank, planned: Plan) -> None:
    """Refuse when an item was moved since the plan was made."""
    found = select(Item.code, Item.status).where(Item.bank_id == bank.id)
    states = {code: status for code, status in session.execute(found)}  # noqa: C416 - typed
    for item in planned.items:
        before = "pretest" if item.code in planned.promoted else item.status
        if states.get(item.code) != before:
            raise AnswerIsNo(f"item {item.code} was moved meanwhile: nothing was published")


def _promote(session: Session, bank: Bank, codes: Sequence[str], now: int) -> None:
    """Let pretest items count from this release on."""
    for some in _blocks(list(codes)):
        query = select(Item).where(Item.bank_id == bank.id, Item.code.in_(some))
        for item in session.scalars(query):
            passed = "passed the gates of its calibration"
            note_move(session, bank, item, item.status, OPERATIONAL, Actor("publish"), passed, now)
            item.status = OPERATIONAL


def _release_rows(bank: Bank, planned: Plan, release_id: str) -> Iterator[dict[str, Any]]:
    for position, item in enumerate(planned.items):
        for language, parameters in item.parameters.items():
            yield {
                "release_id": release_id,
                "revision_id": item.revision_id,
                "language": language,
                "organisation_id": bank.organisation_id,
                "position": position,
                "code": item.code,
                "content_area": item.content_area,
                "status": item.status,
                "model": parameters.model,
                "parameters": parameters.values,
                "se": parameters.se,
            }
