"""The second pass of a research export: tables, codebook and README into one ZIP.

Called by the worker and by `cli.py`; what is in it is decided by `research`.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from item_bank.exams.actors import COMMAND_LINE, Actor
from item_bank.exams.designs import load_version
from item_bank.results.exports import codebook
from item_bank.results.exports.answers import BLOCK, answers_of
from item_bank.results.exports.choices import RESEARCH, Choices, Selection
from item_bank.results.exports.deidentification import NAMES, Coarsened
from item_bank.results.exports.making import (
    JOBS,
    Says,
    check_may_export,
    note_export,
    software,
)
from item_bank.results.exports.research import (
    Looked,
    NewIds,
    ResearchChoices,
    all_suppressed,
    check_complete,
    check_enough,
    combination_of,
    look,
    research_choices_from,
    research_selection,
)
from item_bank.results.exports.tables import Column, CsvTable, ParquetTable, Row
from item_bank.store.database import Database
from item_bank.store.documents import NewDocument, writing_document
from item_bank.store.long_work import LongJob, Progress, ask_for
from item_bank.store.tables.items import Bank
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.releases import Release, ReleaseItem

MEDIA_TYPE = "application/zip"
STAGE = "writing sittings"
_THEN = (1980, 1, 1, 0, 0, 0)  # a ZIP's first day: the files say nothing of when they were made
_COPIED = 2**20


def ask_for_research(db: Database, actor: Actor, choices: ResearchChoices) -> str:
    """Ask for a research export and return the job's id.

    Raises
    ------
    NotAllowed
        When the role may not export.
    InputError
        When licence or basis are missing.
    """
    check_may_export(actor, Choices(choices.exam))
    check_complete(choices)
    research_selection(db, choices, actor.organisation_id)
    title = f"Research data of {choices.exam}"
    return ask_for(db, actor, JOBS[RESEARCH], title, {"choices": choices.payload})


def make_research(db: Database, job: LongJob, progress: Progress) -> None:
    """Do a job of kind ``export_research``."""
    choices = research_choices_from(job.payload["choices"])
    chosen = research_selection(db, choices, job.organisation_id)
    new = NewDocument(
        organisation_id=job.organisation_id,
        kind=JOBS[RESEARCH],
        title=f"Research data of {choices.exam}",
        file_name=f"{choices.exam}-research.zip",
        media_type=MEDIA_TYPE,
        made_for=job.made_for,
        job_id=job.id,
        about={"choices": choices.payload},
    )
    with writing_document(db, new) as file:
        file.about = write_archive(db, choices, chosen, file, progress)

        def note(session: Session) -> None:
            made = {"sha256": file.sha256, "size": file.size, "by": job.made_for or COMMAND_LINE}
            note_research(db, session, choices, chosen, file.about | made)

        file.then = note


def note_research(
    db: Database,
    session: Session,
    choices: ResearchChoices,
    chosen: Selection,
    made: dict[str, Any],
) -> None:
    """Add a research export to the site's chain."""
    rules = {"k": choices.k, "consented": choices.consented, "licence": choices.licence}
    note_export(db, session, chosen, RESEARCH, made | rules)


def write_archive(
    db: Database, choices: ResearchChoices, chosen: Selection, file: Any, says: Says
) -> dict[str, Any]:
    """Write the ZIP, and return how much is in it.

    Raises
    ------
    AnswerIsNo
        When fewer than k people are left.
    InputError
        When licence or basis are missing.
    """
    check_complete(choices)
    looked = look(db, choices, chosen, says)
    check_enough(looked, choices.k)
    coarse, ids = looked.coarsened(choices.k), NewIds()
    columns = tables_of(choices)
    with ExitStack() as stack:
        tables = {
            name: stack.enter_context(_both(name, own, choices)) for name, own in columns.items()
        }
        releases, responses = _fill(db, looked, coarse, ids, choices, tables, says)
        items, bank = _items(db, releases, choices, ids)
        tables["items"].write(items)
        counts = {"sittings": looked.sittings, "people": looked.n_people, "rows": responses}
        about = _about(choices, looked, coarse) | counts
        about |= {"responses": responses, "bank": bank}
        about["releases"] = ", ".join(str(number) for number in sorted(releases.values()))
        _pack(file, tables, columns, codebook.readme(about))
    return counts


def tables_of(choices: ResearchChoices) -> dict[str, tuple[Column, ...]]:
    """Return the tables with their columns."""
    more = codebook.PARAMETERS if choices.parameters else ()
    return {
        "responses": codebook.RESPONSES,
        "sittings": codebook.SITTINGS,
        "items": (*codebook.ITEMS, *more),
    }


# --- tables ------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Both:
    """A table in both forms, in files that vanish with the process."""

    csv_file: IO[bytes]
    parquet_file: IO[bytes]
    csv: CsvTable
    parquet: ParquetTable

    def write(self, rows: Sequence[Row]) -> None:
        self.csv.write(rows)
        self.parquet.write(rows)


@contextmanager
def _both(name: str, columns: tuple[Column, ...], choices: ResearchChoices) -> Iterator[_Both]:
    about = {"software": software(), "table": name, "exam": choices.exam}
    with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as other:
        yield _Both(one, other, CsvTable(one, columns), ParquetTable(other, columns, about))


def _fill(
    db: Database,
    looked: Looked,
    coarse: Coarsened,
    ids: NewIds,
    choices: ResearchChoices,
    tables: Mapping[str, _Both],
    says: Says,
) -> tuple[dict[str, int], int]:
    """Write sittings and responses; return the releases met, and how many responses there were."""
    releases: dict[str, int] = {}
    done = responses = 0
    for block in looked.blocks(ids, BLOCK):
        with db.read() as session:
            found = session.scalars(select(Outcome).where(Outcome.sitting_id.in_(block)))
            by_id = {one.sitting_id: one for one in found}
        for one in by_id.values():
            version = load_version(db, one.exam_version_id)
            releases[version.release_id] = version.release_number
        in_order = [by_id[sitting] for sitting in block]
        tables["sittings"].write([_sitting(db, one, coarse, ids) for one in in_order])
        rows = _answers(db, by_id, block, ids, keep_codes=choices.codes)
        tables["responses"].write(rows)
        done, responses = done + len(block), responses + len(rows)
        says(done, looked.sittings, STAGE)
    return releases, responses


def _sitting(db: Database, one: Outcome, coarse: Coarsened, ids: NewIds) -> Row:
    known = coarse.published.get(combination_of(one), all_suppressed())
    published = dict(zip(NAMES, known, strict=True))
    return (
        ids.of("sitting", one.sitting_id),
        ids.of("person", one.candidate_id),
        min(one.attempt, 3),
        load_version(db, one.exam_version_id).release_number,
        *(published[name] or None for name in NAMES),
        *(one.simulated, one.n_items, round(one.seconds / 60, 1), one.stop_reason),
        *(one.theta, one.se, one.score, one.score_se, one.level, one.passed),
    )


def _answers(
    db: Database,
    by_id: Mapping[str, Outcome],
    block: Sequence[str],
    ids: NewIds,
    *,
    keep_codes: bool,
) -> list[Row]:
    place = {sitting: n for n, sitting in enumerate(block)}
    found = sorted(answers_of(db, block), key=lambda a: (place[a.sitting_id], a.position))
    return [
        (
            ids.of("person", by_id[answer.sitting_id].candidate_id),
            item_id(answer.item, ids, keep_codes=keep_codes),
            answer.score,
            ids.of("sitting", answer.sitting_id),
            answer.position,
            round(answer.seconds, 1),
            float(round(answer.begun_after)),
            answer.status,
        )
        for answer in found
    ]


def item_id(code: str, ids: NewIds, *, keep_codes: bool) -> str:
    """Return what an item is called in the export."""
    return code if keep_codes else f"i{ids.of('item', code)[:10]}"


def _items(
    db: Database, releases: Mapping[str, int], choices: ResearchChoices, ids: NewIds
) -> tuple[list[Row], str]:
    """Return the items of releases, and the code of their bank."""
    with db.read() as session:
        found = session.scalars(
            select(ReleaseItem).where(ReleaseItem.release_id.in_(list(releases)))
        ).all()
        banks = select(Bank.code).join(Release, Release.bank_id == Bank.id)
        bank = session.scalars(banks.where(Release.id.in_(list(releases)))).first()
    rows = [
        (
            item_id(one.code, ids, keep_codes=choices.codes),
            releases[one.release_id],
            *(one.language, one.status, one.content_area or None, one.model),
            *(_parameters(one.parameters) if choices.parameters else ()),
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: (row[1], row[0], row[2])), str(bank)


def _parameters(values: Mapping[str, Any]) -> Iterator[Any]:
    for name in "abcd":
        yield values.get(name)
    for name in ("thresholds", "slopes", "intercepts"):
        yield ";".join(map(repr, values.get(name, ()))) or None


# --- the ZIP -----------------------------------------------------------------------------------


def _about(choices: ResearchChoices, looked: Looked, coarse: Coarsened) -> dict[str, Any]:
    said = {**choices.payload, "software": software(), "smallest": coarse.smallest}
    said["basis"] = choices.basis.strip() or "consent, recorded at the start of each sitting"
    said["parameters"] = ", with parameters" if choices.parameters else ""
    counts = {"merged": coarse.merged, "suppressed": coarse.suppressed}
    counts["left_out"] = looked.left_out
    return said | {name: in_words(found) for name, found in counts.items()}


def in_words(counts: Mapping[str, int]) -> str:
    """Write counts by name."""
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"


def _pack(
    file: Any,
    tables: Mapping[str, _Both],
    columns: Mapping[str, tuple[Column, ...]],
    readme: str,
) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerows([codebook.CODEBOOK, *codebook.codebook_rows(columns)])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        texts = {
            "README.md": readme,
            "codebook.md": codebook.codebook_text(columns),
            "codebook.csv": lines.getvalue(),
        }
        for name, text in texts.items():
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), text.encode())
        for name, both in tables.items():
            both.parquet.close()
            _copy(archive, _entry(f"{name}.csv", zipfile.ZIP_DEFLATED), both.csv_file)
            _copy(archive, _entry(f"{name}.parquet", zipfile.ZIP_STORED), both.parquet_file)


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _THEN)
    entry.compress_type = method
    return entry


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: IO[bytes]) -> None:
    source.seek(0)
    with archive.open(entry, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _COPIED)
