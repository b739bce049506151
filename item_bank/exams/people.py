"""Candidates on rosters, and their access codes.

A roster is a CSV file: `roster_id, name` and, where wanted, `email, country, language, attempts`,
`centre` (where the person sits this exam),
accommodations (`extra_time`, a factor such as 1.25, `breaks`, `break_minutes`, `font`, `contrast`)
and `prior_theta` (what an exam with `candidate_prior` expects of the person). Importing
it again updates names and issues codes for new people only; `reissue` gives everyone a new code and
ends the old one.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.errors import InputError
from item_bank.exams.accommodations import CONTRASTS, FONTS
from item_bank.exams.accounts import check_email
from item_bank.exams.designs import LoadedExam, current_version
from item_bank.exams.signing_in import access_code_hash, new_access_code
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.tables.base import new_id
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.people import AccessCode, Candidate, CandidateDetails

REQUIRED = ("roster_id", "name")
OPTIONAL = (
    "email", "country", "centre", "language", "attempts", "prior_theta",
    "extra_time", "breaks", "break_minutes", "font", "contrast",
)  # fmt: skip
MAX_ATTEMPTS = 100
MAX_EXTRA_TIME = 5.0
MAX_THETA = 10.0
MAX_BREAKS, MAX_BREAK_MINUTES = 20, 240.0
WHOLE = ("attempts", "breaks")
MAX_WORD = 64


@dataclass(frozen=True)
class RosterRow:
    """One person of a roster."""

    roster_id: str
    name: str
    email: str | None = None
    country: str | None = None
    centre: str | None = None
    language: str | None = None
    extra_time: float = 1.0
    attempts: int = 1
    prior_theta: float | None = None
    breaks: int | None = None
    break_minutes: float | None = None
    font: str | None = None
    contrast: str | None = None

    @property
    def accommodations(self) -> dict[str, Any]:
        """What this person is allowed, as a registration keeps it: only what is said."""
        said = {
            "extra_time": self.extra_time,
            "breaks": self.breaks,
            "break_minutes": self.break_minutes,
            "font": self.font,
            "contrast": self.contrast,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class IssuedCode:
    """A code to hand out; None where the person keeps the one issued before."""

    roster_id: str
    name: str
    code: str | None


def read_roster(text: str, *, file: str) -> list[RosterRow]:
    """Read a roster; the first thing that is wrong is refused by line and column."""
    plain = text.removeprefix("\ufeff")
    if "\0" in plain:
        line = plain.count("\n", 0, plain.index("\0")) + 1
        raise InputError("text", "a NUL character", file=file, line=line)
    reader = csv.DictReader(io.StringIO(plain), delimiter=_delimiter(plain), strict=True)
    header = [name.strip() for name in reader.fieldnames or ()]
    _check_header(header, file)
    reader.fieldnames = header
    try:
        rows = [_roster_row(record, file, reader.line_num) for record in reader]
    except csv.Error as error:
        raise InputError("a CSV row", str(error), file=file, line=reader.line_num) from None
    _check_unique(rows, file)
    return rows


def _delimiter(text: str) -> str:
    """Return the sign between columns: spreadsheets write commas, semicolons or tabs."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _check_header(header: list[str], file: str) -> None:
    for name in REQUIRED:
        if name not in header:
            found = ", ".join(header) or "an empty file"
            raise InputError(f"a column named {name}", found, file=file, line=1)
    for name in header:
        if name not in REQUIRED + OPTIONAL:
            known = ", ".join(REQUIRED + OPTIONAL)
            raise InputError(f"one of {known}", repr(name), file=file, line=1, column=name)


def _check_unique(rows: list[RosterRow], file: str) -> None:
    if not rows:
        raise InputError("at least one person", "none", file=file, line=2)
    seen: set[str] = set()
    for row in rows:
        if row.roster_id in seen:
            raise InputError(
                "each person once", f"{row.roster_id} twice", file=file, column="roster_id"
            )
        seen.add(row.roster_id)


def _roster_row(record: dict[str | None, str | None], file: str, line: int) -> RosterRow:
    if None in record or None in record.values():
        raise InputError("as many fields as the header has", "another number", file=file, line=line)
    texts = {str(name): str(value).strip() for name, value in record.items()}
    for name in REQUIRED:
        if not texts[name]:
            raise InputError("a text", "nothing", file=file, line=line, column=name)
    given = {name: text for name, text in texts.items() if text}
    breaks = _optional(given, "breaks", 0, MAX_BREAKS, file, line)
    return RosterRow(
        roster_id=given["roster_id"],
        name=given["name"],
        email=given.get("email"),
        country=_short(given, "country", file, line),
        centre=_short(given, "centre", file, line),
        language=given.get("language"),
        extra_time=_number(given, "extra_time", 1.0, MAX_EXTRA_TIME, file, line),
        attempts=int(_number(given, "attempts", 1, MAX_ATTEMPTS, file, line)),
        prior_theta=_optional(given, "prior_theta", -MAX_THETA, MAX_THETA, file, line),
        breaks=None if breaks is None else int(breaks),
        break_minutes=_optional(given, "break_minutes", 1, MAX_BREAK_MINUTES, file, line),
        font=_word(given, "font", FONTS, file, line),
        contrast=_word(given, "contrast", CONTRASTS, file, line),
    )


def _optional(
    given: dict[str, str], name: str, low: float, high: float, file: str, line: int
) -> float | None:
    return _number(given, name, low, high, file, line) if name in given else None


def _word(
    given: dict[str, str], name: str, allowed: tuple[str, ...], file: str, line: int
) -> str | None:
    """Return a word of those that are known; None for an empty field."""
    word = given.get(name)
    if word is not None and word not in allowed:
        expected = f"{' or '.join(allowed)}, or nothing"
        raise InputError(expected, repr(word), file=file, line=line, column=name)
    return word


def _short(given: dict[str, str], name: str, file: str, line: int) -> str | None:
    """Return a text that fits its column of the database; None for an empty field."""
    text = given.get(name)
    if text is not None and len(text) > MAX_WORD:
        found = f"{len(text)} characters"
        raise InputError(f"at most {MAX_WORD} characters", found, file=file, line=line, column=name)
    return text


def _number(
    given: dict[str, str], name: str, low: float, high: float, file: str, line: int
) -> float:
    text = given.get(name, str(low))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high or (name in WHOLE and value != int(value)):
        raise InputError(
            f"a number from {low:g} to {high:g}", text, file=file, line=line, column=name
        )
    return value


def import_roster(
    db: Database,
    rows: list[RosterRow],
    exam_code: str,
    *,
    organisation_id: str,
    reissue: bool = False,
) -> list[IssuedCode]:
    """Register everyone on a roster for an exam, all or none, and issue access codes."""
    key = db.secrets().codes
    with db.write() as session:
        exam_id = _exam_id(session, exam_code, organisation_id)
        _check_priors(rows, current_version(db, exam_id))
        now = db.now(session)
        issued = [_issue(session, row, exam_id, organisation_id, key, now, reissue) for row in rows]
        counts = {
            "exam": exam_code,
            "persons": len(rows),
            "codes": sum(bool(i.code) for i in issued),
        }
        append_site_event(session, "roster_imported", counts, now, organisation_id)
        return issued


def _check_priors(rows: list[RosterRow], exam: LoadedExam) -> None:
    """Refuse an expected theta that the exam would not use, or that its grid does not reach."""
    design = exam.plan.design
    for row in rows:
        if row.prior_theta is None:
            continue
        found = f"{row.prior_theta:g} for {row.roster_id}"
        if not design.candidate_prior:
            expected = f"none: exam {exam.plan.code} does not set estimation.candidate_prior = true"
            raise InputError(expected, found, column="prior_theta")
        if not design.grid.low <= row.prior_theta <= design.grid.high:
            expected = f"a theta from {design.grid.low:g} to {design.grid.high:g}"
            raise InputError(expected, found, column="prior_theta")


def _exam_id(session: Session, code: str, organisation_id: str) -> str:
    exam_id = session.scalar(
        select(Exam.id).where(Exam.code == code, Exam.organisation_id == organisation_id)
    )
    if exam_id is None:
        raise InputError("the code of an exam (see `tarozu exam list`)", repr(code))
    return exam_id


def _issue(
    session: Session,
    row: RosterRow,
    exam_id: str,
    organisation_id: str,
    key: str,
    now: int,
    reissue: bool,  # noqa: FBT001 - passed on as it was given
) -> IssuedCode:
    candidate_id = enrol(session, row, exam_id, organisation_id, now)
    valid = AccessCode.revoked_at.is_(None), AccessCode.candidate_id == candidate_id
    if reissue:
        session.execute(update(AccessCode).where(*valid).values(revoked_at=now))
    elif session.scalar(select(func.count()).select_from(AccessCode).where(*valid)):
        return IssuedCode(row.roster_id, row.name, None)
    return IssuedCode(
        row.roster_id, row.name, new_code(session, candidate_id, organisation_id, key, now)
    )


def new_code(session: Session, candidate_id: str, organisation_id: str, key: str, now: int) -> str:
    """Make a code for a candidate and return it; only its hash is kept."""
    code = new_access_code()
    session.add(
        AccessCode(
            organisation_id=organisation_id,
            candidate_id=candidate_id,
            code_hash=access_code_hash(key, code),
            issued_at=now,
        )
    )
    session.flush()
    return code


def add_candidate(
    db: Database, email: str, name: str, *, organisation_id: str, exam_code: str | None = None
) -> IssuedCode:
    """Make one candidate, known by e-mail, and issue an access code; refuses a known e-mail.

    Parameters
    ----------
    exam_code
        The exam to register for, if any.
    """
    check_email(email)
    row = RosterRow(email.strip(), name or email.split("@", maxsplit=1)[0], email=email.strip())
    key = db.secrets().codes
    with db.write() as session:
        if session.scalar(
            select(CandidateDetails.candidate_id).where(
                CandidateDetails.organisation_id == organisation_id,
                CandidateDetails.roster_id == row.roster_id,
            )
        ):
            raise InputError("an e-mail that has no candidate yet", email, column="email")
        now = db.now(session)
        candidate_id = _candidate(session, row, organisation_id, now)
        if exam_code is not None:
            exam_id = _exam_id(session, exam_code, organisation_id)
            _register(session, row, exam_id, candidate_id, organisation_id, now)
        code = new_code(session, candidate_id, organisation_id, key, now)
        payload = {"candidate": candidate_id, "exam": exam_code}
        append_site_event(session, "candidate_added", payload, now, organisation_id)
        return IssuedCode(row.roster_id, row.name, code)


def enrol(session: Session, row: RosterRow, exam_id: str, organisation_id: str, now: int) -> str:
    """Register one person for an exam and return the candidate's id; again is the same."""
    candidate_id = _candidate(session, row, organisation_id, now)
    _register(session, row, exam_id, candidate_id, organisation_id, now)
    return candidate_id


def _candidate(session: Session, row: RosterRow, organisation_id: str, now: int) -> str:
    details = session.scalars(
        select(CandidateDetails).where(
            CandidateDetails.organisation_id == organisation_id,
            CandidateDetails.roster_id == row.roster_id,
        )
    ).one_or_none()
    if details is None:
        candidate = Candidate(id=new_id(), organisation_id=organisation_id, created_at=now)
        session.add(candidate)
        session.flush()
        details = CandidateDetails(
            candidate_id=candidate.id, organisation_id=organisation_id, roster_id=row.roster_id
        )
        session.add(details)
    details.name, details.email = row.name, row.email
    details.country, details.language = row.country, row.language
    session.flush()
    return details.candidate_id


def _register(
    session: Session,
    row: RosterRow,
    exam_id: str,
    candidate_id: str,
    organisation_id: str,
    now: int,
) -> None:
    registration = session.scalars(
        select(Registration).where(
            Registration.exam_id == exam_id, Registration.candidate_id == candidate_id
        )
    ).one_or_none()
    if registration is None:
        registration = Registration(
            organisation_id=organisation_id,
            exam_id=exam_id,
            candidate_id=candidate_id,
            created_at=now,
        )
        session.add(registration)
    registration.attempts_allowed = row.attempts
    registration.accommodations = row.accommodations
    registration.prior_theta = row.prior_theta
    registration.centre = row.centre
    session.flush()
