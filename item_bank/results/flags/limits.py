"""The limits of person fit that were simulated for an exam version, as its study has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.results.studies import RecordedStudy, as_recorded
from item_bank.store.tables.studies import Study

STUDY = "precision"


@dataclass(frozen=True)
class Limits:
    """Beyond each limit lie a share ``level`` of simulated examinees who answer by the model.

    CUSUM has half of it on either side.
    """

    study_id: str
    level: float
    lz_star_low: float
    cusum_high: float
    cusum_low: float
    outfit_high: float


def precision_of(
    session: Session, *, organisation_id: str, exam_id: str, version_id: str
) -> RecordedStudy | None:
    """Return the newest study of an exam version's precision; None where there is none."""
    studies = session.scalars(
        select(Study)
        .where(
            Study.organisation_id == organisation_id,
            Study.kind == STUDY,
            Study.exam_id == exam_id,
        )
        .order_by(Study.at.desc(), Study.id)
    )
    found = (one for one in studies if one.settings.get("exam_version") == version_id)
    newest = next(found, None)
    return None if newest is None else as_recorded(newest)


def limits_in(study: RecordedStudy | None) -> Limits | None:
    """Return the limits that a study has; None where it has none that are numbers."""
    said: Mapping[str, Any] = (study.summary.get("person_fit") or {}) if study else {}
    names = ("level", "lz_star_low", "cusum_high", "cusum_low", "outfit_high")
    if study is None or any(not isinstance(said.get(name), int | float) for name in names):
        return None
    return Limits(study.id, **{name: float(said[name]) for name in names})
