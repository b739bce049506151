"""Alarms on items: what recorded studies of DIF and drift have flagged, and what to do about it.

The studies come from ``tarozu calibrate dif --record`` and ``tarozu calibrate drift --record``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.results.studies import RecordedStudy, newest_study
from item_bank.store.database import Database
from item_bank.store.tables.items import Item

DIF, DRIFT = "dif", "drift"
WHAT_DRIFT_MEANS = {
    "harder": "has become harder: look whether its key, picture or subject is out of date",
    "easier": "has become easier: it may be known outside; hold it and look at its answers",
    "steeper": "separates more sharply than it did: recalibrate it",
    "flatter": "separates less than it did: look at its text and key, then recalibrate it",
    "curve": "has another curve than it had: recalibrate it before it counts again",
}
COMPARE = (
    "Let somebody who reads both versions compare text, key and pictures. If the difference is the "
    "item's and not the subject's, split its parameters by language, or retire it."
)
HOLD = "Hold the item while that is found out."
LARGE = "C"
LEAST_P = 0.001


@dataclass(frozen=True)
class Alarm:
    """One item that a study flagged.

    Parameters
    ----------
    item_id
        Of the bank; None where no item has this code any more.
    found
        What was found, in words.
    advice
        What to do about it.
    """

    item: str
    item_id: str | None
    found: str
    advice: str


@dataclass(frozen=True)
class Alarms:
    """The newest study of a kind, and the items that it flagged."""

    kind: str
    study: RecordedStudy | None
    alarms: tuple[Alarm, ...]
    items: int


def alarms(db: Database, bank_id: str, *, organisation_id: str) -> dict[str, Alarms]:
    """Return the alarms of a bank by kind: ``dif`` and ``drift``."""
    words = {DIF: _dif, DRIFT: _drift}
    found = {}
    with db.read() as session:
        ids = _ids(session, bank_id)
        for kind, in_words in words.items():
            study = newest_study(session, kind, organisation_id=organisation_id, bank_id=bank_id)
            rows = study.rows if study else []
            flagged = [row for row in rows if row.get("flag") or row.get("flagged")]
            shown = tuple(
                Alarm(str(row["item"]), ids.get(str(row["item"])), *in_words(row))
                for row in flagged
            )
            found[kind] = Alarms(kind, study, shown, len({row["item"] for row in rows}))
    return found


def _ids(session: Session, bank_id: str) -> dict[str, str]:
    rows = session.execute(select(Item.code, Item.id).where(Item.bank_id == bank_id))
    return {code: item_id for code, item_id in rows}  # noqa: C416 - typed


def _dif(row: Mapping[str, Any]) -> tuple[str, str]:
    """Say of an item that works differently in a group how, and what follows."""
    size, p = row.get("ets_class"), row.get("p_adjusted")
    parts = [f"{row.get('group')} against {row.get('reference')}"]
    if size:
        parts.append(f"class {size}")
    if row.get("effect") is not None:
        parts.append(f"effect {_signed(row['effect'])}")
    if p is not None:
        parts.append(f"adjusted p {p:.3f}" if p >= LEAST_P else f"adjusted p below {LEAST_P}")
    return ", ".join(parts), f"{COMPARE} {HOLD}" if size == LARGE else COMPARE


def _drift(row: Mapping[str, Any]) -> tuple[str, str]:
    """Say of an item whose parameters moved how, and what follows."""
    flags = [flag for flag in str(row["flag"]).split(";") if flag]
    moved = [
        f"{name} {_signed(row[key])}"
        for name, key in (("b", "d_b"), ("a", "d_a"))
        if row.get(key) is not None
    ]
    known = [WHAT_DRIFT_MEANS.get(flag, flag) for flag in flags]
    advice = f"The item {', and '.join(known)}." if known else "Look at the item."
    return ", ".join([*flags, *moved]), advice


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
