"""Results and responses into a file: by a job, which makes a document, or by a command.

Called by the worker (`results/handlers.py`) and `cli.py`. Every export is an event of the site's
chain that names its file by hash.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy.orm import Session

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.actors import ADMINISTRATOR, COMMAND_LINE, Actor
from item_bank.exams.errors import NotAllowed
from item_bank.results.exports import answers, sittings
from item_bank.results.exports.choices import (
    CSV,
    RESULTS,
    Choices,
    Selection,
    choices_from,
    selection,
)
from item_bank.results.exports.tables import Column, CsvTable, ParquetTable, Row, Table, iso_time
from item_bank.store.audit import append_site_event
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.long_work import LongJob, Progress, ask_for

EXPORTED = "exported"
JOBS = {"results": "export_results", "responses": "export_responses", "research": "export_research"}
MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
MAKERS = frozenset({ADMINISTRATOR, "psychometrician", COMMAND_LINE})
Says = Callable[[int, int, str], None]
STAGE = "sittings"


@dataclass(frozen=True)
class Written:
    """What an export came to."""

    sittings: int
    rows: int


def ask_for_export(db: Database, actor: Actor, what: str, choices: Choices) -> str:
    """Ask for an export and return the job's id.

    Raises
    ------
    NotAllowed
        When the role may not export, or may not see names.
    """
    check_may_export(actor, choices)
    title = f"{what.capitalize()} of {choices.exam}, {choices.format.upper()}"
    selection(db, choices, actor.organisation_id)
    return ask_for(db, actor, JOBS[what], title, {"choices": choices.payload})


def check_may_export(actor: Actor, choices: Choices) -> None:
    """Refuse roles that may not export, and names to all but administrators."""
    if actor.role not in MAKERS:
        raise NotAllowed("only an administrator or a psychometrician may export")
    if choices.names and actor.role not in (ADMINISTRATOR, COMMAND_LINE):
        raise NotAllowed("only an administrator may export names")


def make_results(db: Database, job: LongJob, progress: Progress) -> None:
    """Do a job of kind ``export_results``."""
    _make(db, job, progress, RESULTS)


def make_responses(db: Database, job: LongJob, progress: Progress) -> None:
    """Do a job of kind ``export_responses``."""
    _make(db, job, progress, "responses")


def _make(db: Database, job: LongJob, progress: Progress, what: str) -> None:
    chosen = selection(db, choices_from(job.payload["choices"]), job.organisation_id)
    choices = chosen.choices
    new = NewDocument(
        organisation_id=job.organisation_id,
        kind=JOBS[what],
        title=f"{what.capitalize()} of {choices.exam}",
        file_name=f"{choices.exam}-{what}.{choices.format}",
        media_type=MEDIA_TYPES[choices.format],
        made_for=job.made_for,
        job_id=job.id,
        about={"choices": choices.payload},
    )
    with writing_document(db, new) as file:
        written = write_export(db, chosen, what, file, progress)
        file.about = {"rows": written.rows, "sittings": written.sittings}

        def note(session: Session) -> None:
            made = {"sha256": file.sha256, "size": file.size, "by": job.made_for or COMMAND_LINE}
            note_export(db, session, chosen, what, file.about | made)

        file.then = note


def write_export(db: Database, chosen: Selection, what: str, file: Any, says: Says) -> Written:
    """Write results or responses to a file.

    Raises
    ------
    AnswerIsNo
        When no sitting fits the choices.
    """
    with db.read() as session:
        total = chosen.count(session)
    if not total:
        raise AnswerIsNo("no sitting that has ended fits these choices")
    names = chosen.choices.names
    if names and what != RESULTS:
        raise InputError("names with results only", what, column="names")
    columns = sittings.columns_with(names=names) if what == RESULTS else answers.COLUMNS
    table = table_for(file, columns, chosen, what)
    done = rows = 0
    for n, block in _blocks(db, chosen, what):
        table.write(block)
        done, rows = done + n, rows + len(block)
        says(min(done, total), total, STAGE)
    table.close()
    return Written(done, rows)


def _blocks(db: Database, chosen: Selection, what: str) -> Iterator[tuple[int, list[Row]]]:
    if what == RESULTS:
        for block in sittings.result_blocks(db, chosen):
            yield len(block), block
    else:
        yield from answers.response_blocks(db, chosen)


def table_for(file: IO[bytes], columns: tuple[Column, ...], chosen: Selection, what: str) -> Table:
    """Return the table that the choices ask for."""
    if chosen.choices.format == CSV:
        return CsvTable(file, columns, mark=chosen.choices.mark)
    about = {
        "software": software(),
        "table": what,
        "exam": chosen.choices.exam,
        "exported_at": iso_time(chosen.at),
    }
    return ParquetTable(file, columns, about)


def software() -> str:
    """Return the name and version of what writes."""
    return f"tarozu {importlib.metadata.version('tarozu')}"


def note_export(
    db: Database, session: Session, chosen: Selection, what: str, made: dict[str, Any]
) -> None:
    """Add an export to the site's chain."""
    payload = {"what": what, "choices": chosen.choices.payload, **made}
    append_site_event(session, EXPORTED, payload, db.now(session), chosen.organisation_id)
