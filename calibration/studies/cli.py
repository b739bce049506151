"""The option ``--record``: keeps the table of a study for the staff's pages.

Called by the commands ``dif`` and ``drift``. May import `item_bank`, as a `cli.py` may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from item_bank.console import Console

if TYPE_CHECKING:
    from item_bank.store.database import Database

record_option = click.option(
    "--record", metavar="CODE", help="Keep the table for the pages of this bank, too."
)


def keep_study(
    console: Console,
    code: str,
    kind: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
    summary: Mapping[str, Any],
) -> str:
    """Keep a study of a bank and return its id; `InputError` when there is no such bank."""
    from item_bank.items.releases import bank_by_code
    from item_bank.results.studies import NewStudy, record_study
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        owner = organisation(db)
        with db.write() as session:
            bank = bank_by_code(session, code, organisation_id=owner)
            new = NewStudy(
                kind=kind,
                organisation_id=owner,
                recorded_by="command line",
                summary=summary,
                rows=[_plain(row) for row in rows],
                settings={name: _told(value) for name, value in settings.items()},
                bank_id=bank.id,
            )
            found = record_study(db, session, new)
    console.note(f"Kept for the pages of bank {code}.")
    return found


def keep_report(db: Database, owner: str, title: str, report: Path) -> str:
    """Keep a report that was written as a file, for good; return the document's id."""
    from item_bank.store.documents import NewDocument, writing_document

    new = NewDocument(owner, "calibration_report", title, report.name, "text/html", days=None)
    with writing_document(db, new) as file:
        file.write(report.read_bytes())
    return file.document_id


def check_bank(console: Console, code: str) -> None:
    """Refuse a bank that is not there, before anything is computed."""
    from item_bank.items.releases import bank_by_code
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db, db.read() as session:
        bank_by_code(session, code, organisation_id=organisation(db))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON can hold it: what is not a number becomes None."""
    return {
        name: None if isinstance(value, float) and not _finite(value) else value
        for name, value in row.items()
    }


def _finite(value: float) -> bool:
    return value - value == 0


def _told(value: Any) -> Any:
    plain = isinstance(value, str | int | float | bool | list | None)
    return value if plain else str(value)
