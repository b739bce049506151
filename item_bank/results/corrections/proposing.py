"""Proposing corrections: what is to be put right is checked as its kind demands.

A new key is checked as a bank file's would be, and must give as many points as the model of the
item has categories. Nothing is changed by a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from engine.results.decisions import Level, check_levels
from item_bank.exams.actors import Actor
from item_bank.exams.designs import LoadedExam, find_exam, load_version
from item_bank.exams.errors import NotAllowed
from item_bank.items.content import PARAMETERS_ONLY, content_flaws, stored_key, written_variant
from item_bank.items.items import item_by_code
from item_bank.items.releases import bank_by_code
from item_bank.items.scoring import misfit
from item_bank.results.corrections import records
from item_bank.results.corrections.in_force import rules_in_force
from item_bank.results.corrections.notices import notice_of
from item_bank.results.corrections.terms import CUTS, DROP, KEY, OPEN, WITHDRAWN, Rule
from item_bank.store.database import Database
from item_bank.store.tables.exams import ExamVersion
from item_bank.store.tables.items import Bank, Item, ItemRevision, ItemVariant
from item_bank.store.tables.releases import ReleaseItem


@dataclass(frozen=True)
class Words:
    """Why a correction is proposed, and what candidates are told, by language."""

    reason: str
    notice: Mapping[str, str]


def propose_key(
    db: Database,
    actor: Actor,
    place: tuple[str, str, int],
    key: Mapping[str, Any],
    words: Words,
) -> int:
    """Propose that answers to an item be scored by another key; return the correction's number.

    Parameters
    ----------
    place
        Codes of bank and item, and the number of the revision.
    key
        As a bank file has it; holds for all languages.

    Raises
    ------
    InputError
        When there is no such revision, or the key is none for its type or model, or is in force.
    """
    with db.write() as session:
        bank, item, revision = _revision(session, actor, place)
        stored = _checked_key(session, revision, key)
        before = key_now(session, revision)
        if before == stored:
            raise InputError("a key that differs from the one in force", repr(dict(key)))
        about = {"type": revision.type, "key": stored, "item": item.code}
        return _keep(
            session, db, actor, words, kind=KEY, bank_id=bank.id, revision_id=revision.id,
            change=about | {"revision": revision.number},
        )  # fmt: skip


def propose_drop(db: Database, actor: Actor, place: tuple[str, str, int], words: Words) -> int:
    """Propose that answers to an item do not count; return the correction's number."""
    with db.write() as session:
        bank, item, revision = _revision(session, actor, place)
        if key_now(session, revision) is None:
            raise InputError("an item that counts", f"{item.code}, which is dropped already")
        change = {"type": revision.type, "item": item.code, "revision": revision.number}
        return _keep(
            session, db, actor, words, kind=DROP, bank_id=bank.id, revision_id=revision.id,
            change=change,
        )  # fmt: skip


def propose_cuts(
    db: Database,
    actor: Actor,
    exam_code: str,
    minimums: Mapping[str, float],
    versions: Sequence[int],
    words: Words,
) -> int:
    """Propose other cut scores for some versions of an exam; return the correction's number.

    Parameters
    ----------
    minimums
        The new minimum of each level by its code; levels that are left out keep theirs.
    versions
        Numbers of versions with the same levels and scale; empty for all that have those of the
        newest one.

    Raises
    ------
    InputError
        When a level or version is none of the exam's, or the levels would be none.
    """
    with db.write() as session:
        exams = _versions(db, session, actor, exam_code)
        chosen = _chosen(exams, versions)
        now = cuts_now(session, chosen)
        unknown = sorted(set(minimums) - set(now))
        if unknown:
            raise InputError(f"one of the levels {', '.join(now)}", repr(unknown[0]))
        new = now | {code: float(minimum) for code, minimum in minimums.items()}
        _check_cuts(chosen[0], new)
        if new == now:
            raise InputError("cut scores that differ from those in force", str(new))
        change = {"minimums": new, "versions": [one.number for one in chosen]}
        return _keep(
            session, db, actor, words, kind=CUTS, exam_id=chosen[0].exam_id,
            change=change | {"exam": exam_code},
        )  # fmt: skip


def withdraw(db: Database, actor: Actor, number: int) -> None:
    """Take a correction back that is not in force.

    Raises
    ------
    NotAllowed
        When it is in force already, which only another correction can undo; or withdrawn.
    """
    records.check_may_propose(actor)
    with db.write() as session:
        row = records.find(session, number, actor.organisation_id, lock=True)
        if row.status not in OPEN:
            raise NotAllowed(f"correction {number} is {row.status}; only another one can undo it")
        row.status = WITHDRAWN
        records.note(session, row, records.CORRECTION_WITHDRAWN, actor.by, db.now(session))


def newest_revision(db: Database, actor: Actor, bank_code: str, code: str) -> int:
    """Return the number of an item's newest revision; `InputError` when there is no such item."""
    with db.read() as session:
        bank = bank_by_code(session, bank_code, organisation_id=actor.organisation_id)
        item = item_by_code(session, bank, code)
        newest = select(func.max(ItemRevision.number)).where(ItemRevision.item_id == item.id)
        return int(session.scalar(newest) or 1)


# --- items -------------------------------------------------------------------------------------


def _revision(
    session: Session, actor: Actor, place: tuple[str, str, int]
) -> tuple[Bank, Item, ItemRevision]:
    records.check_may_propose(actor)
    bank = bank_by_code(session, place[0], organisation_id=actor.organisation_id)
    item = item_by_code(session, bank, place[1])
    revision = session.scalars(
        select(ItemRevision).where(ItemRevision.item_id == item.id, ItemRevision.number == place[2])
    ).one_or_none()
    if revision is None:
        raise InputError(f"the number of a revision of {item.code}", str(place[2]))
    if revision.type == PARAMETERS_ONLY:
        raise InputError("an item with a text and a key", f"{item.code}, which has parameters only")
    return bank, item, revision


def _checked_key(
    session: Session, revision: ItemRevision, key: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a key as it is kept, or refuse it."""
    rows = session.scalars(
        select(ItemVariant)
        .where(ItemVariant.revision_id == revision.id)
        .order_by(ItemVariant.language)
    )
    texts = {row.language: written_variant(revision.type, row.content) for row in rows}
    for flaw in content_flaws(revision.type, key, texts):
        raise InputError(flaw.expected, str(flaw.found), column=flaw.path)
    stored = stored_key(revision.type, key, texts)
    for model, values in session.execute(
        select(ReleaseItem.model, ReleaseItem.parameters)
        .where(ReleaseItem.revision_id == revision.id)
        .distinct()
    ):
        expected = misfit(revision.type, stored, model, values)
        if expected is not None:
            raise InputError(f"a key for the item's model {model}", f"one for {expected}")
    return stored


def key_now(session: Session, revision: ItemRevision) -> Mapping[str, Any] | None:
    """Return the key in force for a revision; None where it is dropped."""
    for rule in reversed(rules_in_force(session, revision.organisation_id)):
        if rule.revision_id == revision.id:
            return rule.change["key"] if rule.kind == KEY else None
    own: Mapping[str, Any] = revision.key
    return own


# --- cut scores --------------------------------------------------------------------------------


def _versions(db: Database, session: Session, actor: Actor, exam_code: str) -> list[LoadedExam]:
    records.check_may_propose(actor)
    exam = find_exam(session, exam_code, actor.organisation_id)
    if exam is None:
        raise InputError("the code of an exam (see `tarozu exam list`)", repr(exam_code))
    ids = session.scalars(
        select(ExamVersion.id)
        .where(ExamVersion.exam_id == exam.id)
        .order_by(ExamVersion.number.desc())
    )
    return [load_version(db, version_id) for version_id in ids]


def alike(one: LoadedExam, other: LoadedExam) -> bool:
    """Whether two versions have the same levels on the same scale."""
    same = one.plan.levels == other.plan.levels
    return same and one.plan.design.scale == other.plan.design.scale


def _chosen(exams: Sequence[LoadedExam], versions: Sequence[int]) -> list[LoadedExam]:
    """Return the versions that are meant, or refuse those that do not go together."""
    known = {one.number: one for one in exams}
    unknown = sorted(set(versions) - set(known))
    if unknown:
        raise InputError("numbers of versions of the exam", str(unknown[0]), column="--version")
    meant = [known[n] for n in sorted(set(versions))] if versions else []
    chosen = meant or [one for one in reversed(exams) if alike(one, exams[0])]
    if not chosen[0].plan.levels:
        raise InputError("an exam with levels", f"version {chosen[0].number} without any")
    for one in chosen:
        if not alike(one, chosen[0]):
            expected = f"versions with the levels and the scale of version {chosen[0].number}"
            raise InputError(expected, f"version {one.number}", column="--version")
    return chosen


def cuts_now(session: Session, exams: Sequence[LoadedExam]) -> dict[str, float]:
    """Return the minimums in force of some versions of an exam.

    Raises
    ------
    InputError
        When a correction holds for some of them and not for the others.
    """
    rules = rules_in_force(session, exams[0].organisation_id)
    found = [minimums_now(rules, one) for one in exams]
    if any(one != found[0] for one in found):
        raise InputError(
            "versions with the same cut scores in force",
            "versions of which some were corrected: propose them apart",
            column="--version",
        )
    return found[0]


def minimums_now(rules: Sequence[Rule], exam: LoadedExam) -> dict[str, float]:
    """Return the minimums of a version's levels under some rules."""
    for rule in reversed(rules):
        if rule.kind == CUTS and rule.holds_for(exam.exam_id, exam.number):
            return dict(rule.change["minimums"])
    return {level.code: float(level.minimum) for level in exam.plan.levels}


def _check_cuts(exam: LoadedExam, minimums: Mapping[str, float]) -> None:
    scale = exam.plan.design.scale
    levels = tuple(Level(code, minimum) for code, minimum in minimums.items())
    check_levels(levels, scale)
    if [one.code for one in sorted(exam.plan.levels, key=lambda one: one.minimum)] != sorted(
        minimums, key=lambda code: minimums[code]
    ):
        raise InputError("levels in the order that they have", str(dict(minimums)))
    lowest = min(minimums.values())
    if lowest > scale.minimum:
        expected = f"a level from {scale.minimum:g} or below, so that every score has a level"
        raise InputError(expected, f"{lowest:g}")


def _keep(session: Session, db: Database, actor: Actor, words: Words, **about: Any) -> int:
    notice = notice_of(about["kind"], words.notice)
    row = records.keep_proposal(
        session, actor, {"notice": notice, **about}, words.reason, db.now(session)
    )
    return row.number
