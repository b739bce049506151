"""Exams in versions: applying a file as a new one, loading, listing, opening and closing.

A version is immutable: the file as it was written, what it says with the release resolved to a
number, and the version of the engine's rules. Loaded versions are cached without invalidation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InputError
from engine.session import RULES_VERSION, check_design
from item_bank.exams.cut_scores import check_source, record_cut_scores
from item_bank.exams.exam_files import ExamPlan, plan_from_mapping, read_plan
from item_bank.exams.language_rules import check_language_switch, parameters_by_language
from item_bank.items.releases import (
    OPERATIONAL,
    ReleaseItems,
    missing_variants,
    release_items,
    release_parameters,
)
from item_bank.store.audit import append_site_event
from item_bank.store.caches import once
from item_bank.store.canonical import content_hash
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.exams import Exam, ExamVersion, Registration
from item_bank.store.tables.items import Bank
from item_bank.store.tables.releases import Release
from item_bank.store.tables.sittings import Sitting


@dataclass(frozen=True)
class LoadedExam:
    """One version of an exam, with its plan and the release that it is pinned to.

    Parameters
    ----------
    areas
        What the bank's content areas are called, by language.
    note
        What a reader of the release's parameters must know, by language.
    """

    version_id: str
    exam_id: str
    number: int
    organisation_id: str
    bank_id: str
    release_id: str
    release_number: int
    rules_version: int
    content_hash: str
    areas: dict[str, dict[str, str]]
    note: dict[str, str]
    plan: ExamPlan


def shared_parameters(db: Database, version: LoadedExam) -> str:
    """Say whether the languages of a version share their parameters."""
    return parameters_by_language(db, version.release_id, version.plan.languages)


@dataclass(frozen=True)
class ExamSummary:
    """An exam in a list."""

    code: str
    title: dict[str, str]
    status: str
    version: int
    bank: str
    release: int
    languages: tuple[str, ...]
    sittings: int


def check_exam(db: Database, text: str, *, organisation_id: str, file: str) -> tuple[ExamPlan, int]:
    """Check an exam file against its bank; return the plan and the release it would use."""
    plan = read_plan(text, file=file)
    check_source(db, plan, organisation_id=organisation_id, file=file)
    return plan, _resolve(db, plan, organisation_id, file)[1]


def exam_source(db: Database, version_id: str) -> str:
    """Return the file of a version as it was applied."""
    with db.read() as session:
        return session.get_one(ExamVersion, version_id).source


def apply_exam(
    db: Database, text: str, *, organisation_id: str, file: str = "exam"
) -> tuple[LoadedExam, bool]:
    """Make a new version of an exam from its file, and say whether there was anything new.

    The release is resolved to a number now; publishing a later release changes no exam.

    Raises
    ------
    InputError
        When the file is wrong, or the bank, release, or a text in one of its languages is missing,
        or the expected theta of somebody who is registered lies outside of a new grid, or the cut
        scores are not those of the study that the file names.
    """
    plan = read_plan(text, file=file)
    check_source(db, plan, organisation_id=organisation_id, file=file)
    release_id, number = _resolve(db, plan, organisation_id, file)
    resolved = {**plan.mapping, "release": number}
    digest = content_hash([resolved, release_id, RULES_VERSION])
    with db.write() as session:
        exam = _exam(session, plan.code, organisation_id, db.now(session))
        _check_registered(session, exam.id, plan, file)
        last = _last_version(session, exam.id)
        if last is not None and last.content_hash == digest:
            version, is_new = last, False
        else:
            version = ExamVersion(
                id=new_id(),
                organisation_id=organisation_id,
                exam_id=exam.id,
                number=last.number + 1 if last else 1,
                release_id=release_id,
                rules_version=RULES_VERSION,
                source=text,
                design=resolved,
                content_hash=digest,
                applied_at=db.now(session),
            )
            session.add(version)
            is_new = True
            about = {
                "exam": plan.code,
                "version": version.number,
                "release": number,
                "hash": digest,
            }
            append_site_event(session, "exam_applied", about, db.now(session), organisation_id)
        record_cut_scores(session, exam, plan, db.now(session))
    return load_version(db, version.id), is_new


def _resolve(db: Database, plan: ExamPlan, organisation_id: str, file: str) -> tuple[str, int]:
    try:
        release = release_parameters(
            db, plan.bank, organisation_id=organisation_id, number=plan.release
        )
    except InputError as error:
        raise InputError(error.expected, error.found, file=file, column="bank") from None
    missing = missing_variants(db, release.release_id, plan.languages)
    if missing:
        code, language = missing[0]
        found = f"item {code} has no text in {language} ({len(missing)} such gaps)"
        raise InputError("a text for every item in every language", found, file=file)
    for language in plan.languages:
        _check_against(plan, release_items(db, release.release_id, language), file)
    check_language_switch(db, plan, release.release_id, file)
    return release.release_id, release.number


def _check_against(plan: ExamPlan, release: ReleaseItems, file: str) -> None:
    """Refuse a plan that the release in one of its languages cannot serve."""
    tried = np.array([status != OPERATIONAL for status in release.statuses], dtype=np.bool_)
    try:
        check_design(plan.design, release.items, tried)
    except InputError as error:
        column = error.column
        first = release.language == plan.languages[0]
        where = "" if first else f" (in language {release.language})"
        raise InputError(
            error.expected, f"{error.found}{where}", file=file, column=column
        ) from None
    usable, most = int((~tried).sum()), plan.design.scored_length
    if most > usable:
        expected = f"at most {usable}, as many items as release {release.number} has in use"
        raise InputError(expected, most, file=file, column="stopping")


def _check_registered(session: Session, exam_id: str, plan: ExamPlan, file: str) -> None:
    """Refuse a grid that does not reach what is expected of somebody who is registered."""
    grid = plan.design.grid
    if not plan.design.candidate_prior:
        return
    found = session.scalars(
        select(Registration.prior_theta)
        .where(
            Registration.exam_id == exam_id,
            ~Registration.prior_theta.between(grid.low, grid.high),
        )
        .limit(1)
    ).first()
    if found is not None:
        expected = f"a grid that holds the prior_theta of everyone registered, such as {found:g}"
        shown = f"{grid.low:g} to {grid.high:g}"
        raise InputError(expected, shown, file=file, column="estimation.grid")


def _exam(session: Session, code: str, organisation_id: str, now: int) -> Exam:
    exam = find_exam(session, code, organisation_id)
    if exam is None:
        exam = Exam(
            id=new_id(), organisation_id=organisation_id, code=code, status="open", created_at=now
        )
        session.add(exam)
        session.flush()
    return exam


def find_exam(session: Session, code: str, organisation_id: str) -> Exam | None:
    """Find an exam by its code."""
    return session.scalars(
        select(Exam).where(Exam.code == code, Exam.organisation_id == organisation_id)
    ).one_or_none()


def _last_version(session: Session, exam_id: str) -> ExamVersion | None:
    return session.scalars(
        select(ExamVersion)
        .where(ExamVersion.exam_id == exam_id)
        .order_by(ExamVersion.number.desc())
        .limit(1)
    ).first()


def newest_version_id(session: Session, exam_id: str) -> str:
    """Return the id of the newest version of an exam, which has one from its beginning."""
    version = _last_version(session, exam_id)
    assert version is not None, "an exam is made together with its first version"
    return version.id


def load_version(db: Database, version_id: str) -> LoadedExam:
    """Load a version; one that was loaded before comes from memory, as it cannot change."""
    return once(db, ("exam version", version_id), lambda: _load(db, version_id))


def _load(db: Database, version_id: str) -> LoadedExam:
    with db.read() as session:
        version = session.get_one(ExamVersion, version_id)
        release = session.get_one(Release, version.release_id)
        bank = session.get_one(Bank, release.bank_id)
    return LoadedExam(
        version_id=version.id,
        exam_id=version.exam_id,
        number=version.number,
        organisation_id=version.organisation_id,
        bank_id=bank.id,
        release_id=version.release_id,
        release_number=version.design["release"],
        rules_version=version.rules_version,
        content_hash=version.content_hash,
        areas=bank.about.get("content_areas", {}),
        note=release.note,
        plan=plan_from_mapping(version.design),
    )


def current_version(db: Database, exam_id: str) -> LoadedExam:
    """Load the newest version of an exam."""
    with db.read() as session:
        version_id = newest_version_id(session, exam_id)
    return load_version(db, version_id)


def list_exams(db: Database, *, organisation_id: str) -> list[ExamSummary]:
    """Return every exam of an organisation in its newest version, by code."""
    with db.read() as session:
        exams = session.scalars(
            select(Exam).where(Exam.organisation_id == organisation_id).order_by(Exam.code)
        ).all()
        counted = session.execute(
            select(Sitting.exam_id, func.count())
            .where(Sitting.organisation_id == organisation_id)
            .group_by(Sitting.exam_id)
        )
        counts = {exam_id: count for exam_id, count in counted}  # noqa: C416 - rows to pairs, typed
    return [_summary(exam, current_version(db, exam.id), counts.get(exam.id, 0)) for exam in exams]


def _summary(exam: Exam, version: LoadedExam, sittings: int) -> ExamSummary:
    return ExamSummary(
        code=exam.code,
        title=version.plan.title,
        status=exam.status,
        version=version.number,
        bank=version.plan.bank,
        release=version.release_number,
        languages=version.plan.languages,
        sittings=sittings,
    )


def versions_of(db: Database, code: str, *, organisation_id: str) -> list[LoadedExam]:
    """Return every version of an exam, the newest first; InputError for an unknown code."""
    with db.read() as session:
        exam = find_exam(session, code, organisation_id)
        if exam is None:
            raise InputError("the code of an exam (see `tarozu exam list`)", repr(code))
        ids = session.scalars(
            select(ExamVersion.id)
            .where(ExamVersion.exam_id == exam.id)
            .order_by(ExamVersion.number.desc())
        ).all()
    return [load_version(db, version_id) for version_id in ids]


def set_status(db: Database, code: str, status: str, *, organisation_id: str) -> None:
    """Open an exam for new sittings or close it; running sittings go on."""
    with db.write() as session:
        exam = find_exam(session, code, organisation_id)
        if exam is None:
            raise InputError("the code of an exam (see `tarozu exam list`)", repr(code))
        exam.status = status
        append_site_event(
            session, f"exam_{status}", {"exam": code}, db.now(session), organisation_id
        )
