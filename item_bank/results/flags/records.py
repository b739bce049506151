"""Flags as they are kept: one row for each sitting and kind, whether it stands out or not.

Written when a sitting is sealed (`sealing`) and by the long job (`exam_flags`); read by reports
and lists. A flag changes no score. A row of a kind is replaced by the next computation of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.store.tables.outcomes import Flag

PERSON_FIT = "person_fit"
RAPID = "rapid_answers"
COMPROMISED = "compromised"
OVERLAP = "overlap"
LIKENESS = "likeness"
TIME = "time"
KINDS = (PERSON_FIT, RAPID, COMPROMISED, OVERLAP, LIKENESS, TIME)


@dataclass(frozen=True)
class Found:
    """What was computed of a sitting.

    Parameters
    ----------
    flagged
        Whether it stands out.
    values
        What it rests on, for the report.
    study_id
        The study that has the limits, or the model.
    """

    kind: str
    flagged: bool
    values: Mapping[str, Any]
    study_id: str | None = None


@dataclass(frozen=True)
class RecordedFlag:
    """A flag as it was kept, and when."""

    kind: str
    flagged: bool
    values: dict[str, Any]
    study_id: str | None
    at: int


def keep(
    session: Session, sitting_id: str, organisation_id: str, found: Sequence[Found], at: int
) -> None:
    """Keep what was found of a sitting, in the place of earlier flags of the same kinds."""
    for one in found:
        session.merge(
            Flag(
                sitting_id=sitting_id,
                kind=one.kind,
                organisation_id=organisation_id,
                flagged=one.flagged,
                values=dict(one.values),
                study_id=one.study_id,
                at=at,
            )
        )


def flags_of(session: Session, sitting_id: str) -> tuple[RecordedFlag, ...]:
    """Return the flags of a sitting in the order of `KINDS`."""
    rows = session.scalars(select(Flag).where(Flag.sitting_id == sitting_id)).all()
    known = [row for row in rows if row.kind in KINDS]
    known.sort(key=lambda row: KINDS.index(row.kind))
    return tuple(RecordedFlag(r.kind, r.flagged, r.values, r.study_id, r.at) for r in known)
