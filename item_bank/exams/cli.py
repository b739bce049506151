"""`tarozu exam`, `tarozu candidates` and `tarozu sitting`."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table
from item_bank.store.cells import no_formula

if TYPE_CHECKING:
    from item_bank.exams.designs import ExamSummary
    from item_bank.exams.reviews import SittingRow
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path)


@click.group()
def exam() -> None:
    """Exams: apply a TOML file, list, show, open, close."""


@exam.command("apply")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Check the file and say what it would do.")
@click.pass_obj
def apply_file(console: Console, file: Path, dry_run: bool) -> None:
    """Make a new version of the exam that FILE describes.

    The bank's release is resolved to a number now; sittings that run keep their version.
    """
    from item_bank.exams.designs import apply_exam, check_exam

    text = _read(file)
    with _site(console) as (db, organisation):
        if dry_run:
            plan, release = check_exam(db, text, organisation_id=organisation, file=str(file))
            data = {"exam": plan.code, "release": release, "dry_run": True}
            console.emit(data, f"{plan.code}: the file is right; it would use release {release}.")
            return
        loaded, is_new = apply_exam(db, text, organisation_id=organisation, file=str(file))
    data = {
        "exam": loaded.plan.code,
        "version": loaded.number,
        "release": loaded.release_number,
        "new": is_new,
        "content_hash": loaded.content_hash,
    }
    said = "is now in use" if is_new else "is unchanged"
    console.emit(
        data,
        f"{loaded.plan.code}: version {loaded.number} {said}, on release {loaded.release_number} "
        f"of bank {loaded.plan.bank}.",
    )


@exam.command("list")
@click.pass_obj
def list_all(console: Console) -> None:
    """List the exams."""
    from item_bank.exams.designs import list_exams

    with _site(console) as (db, organisation):
        exams = list_exams(db, organisation_id=organisation)
    if not exams:
        console.emit([], "No exam yet. Write one as a TOML file and run: tarozu exam apply FILE")
        return
    rows = [_summary(e) for e in exams]
    shown = [{**row, "languages": ", ".join(row["languages"])} for row in rows]
    console.emit(rows, table(SUMMARY, shown))


SUMMARY = ("code", "status", "version", "bank", "release", "languages", "sittings")


def _summary(summary: ExamSummary) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in SUMMARY}


@exam.command("show")
@click.argument("code")
@click.pass_obj
def show_exam(console: Console, code: str) -> None:
    """Print the file of the newest version of an exam; its versions go to stderr."""
    from item_bank.exams.designs import exam_source, shared_parameters, versions_of

    with _site(console) as (db, organisation):
        versions = versions_of(db, code, organisation_id=organisation)
        source = exam_source(db, versions[0].version_id)
        rows = [
            {
                "version": v.number,
                "release": v.release_number,
                "rules_version": v.rules_version,
                "parameters": shared_parameters(db, v),
                "content_hash": v.content_hash,
            }
            for v in versions
        ]
    for row in rows:
        console.note(", ".join(f"{name} {value}" for name, value in row.items()))
    if console.json:
        console.emit({"exam": code, "versions": rows, "source": source})
    else:
        click.echo(source.rstrip("\n"))  # as it is, so that > FILE makes a file to apply


@exam.command("open")
@click.argument("code")
@click.pass_obj
def open_exam(console: Console, code: str) -> None:
    """Let new sittings of an exam start."""
    _set_status(console, code, "open")


@exam.command("close")
@click.argument("code")
@click.pass_obj
def close_exam(console: Console, code: str) -> None:
    """Let no new sitting of an exam start; running ones go on."""
    _set_status(console, code, "closed")


def _set_status(console: Console, code: str, status: str) -> None:
    from item_bank.exams.designs import set_status

    with _site(console) as (db, organisation):
        set_status(db, code, status, organisation_id=organisation)
    console.emit({"exam": code, "status": status}, f"{code} is {status}.")


@click.group()
def candidates() -> None:
    """Rosters, access codes, and the personal data of candidates."""


@candidates.command("import")
@click.argument("roster", type=FILE)
@click.option("--exam", "exam_code", required=True, help="The exam that they will sit.")
@click.option("--reissue", is_flag=True, help="Give everyone a new code; the old ones end.")
@click.option("--dry-run", is_flag=True, help="Check the file and register no one.")
@click.pass_obj
def import_candidates(
    console: Console, roster: Path, exam_code: str, reissue: bool, dry_run: bool
) -> None:
    """Register everyone on ROSTER (CSV) for an exam and print their access codes.

    Columns: roster_id, name; optional: email, country, language, attempts, extra_time, breaks,
    break_minutes, font, contrast, prior_theta. A code is
    printed once, as only its hash is kept.
    """
    from item_bank.exams.people import import_roster, read_roster

    rows = read_roster(_read(roster), file=str(roster))
    if dry_run:
        console.emit(
            {"persons": len(rows), "dry_run": True}, f"{len(rows)} persons; the file is right."
        )
        return
    with _site(console) as (db, organisation):
        issued = import_roster(db, rows, exam_code, organisation_id=organisation, reissue=reissue)
    data = [{"roster_id": i.roster_id, "name": i.name, "code": i.code} for i in issued]
    shown = [{**row, "code": row["code"] or "as issued before"} for row in data]
    console.emit(data, table(("roster_id", "name", "code"), shown))
    if any(person.code for person in issued):
        console.note("These codes are shown once. To make new ones: --reissue")


@click.group()
def sitting() -> None:
    """Sittings: list, show, export, replay; pause, grant time, end, message."""


@sitting.command("list")
@click.option("--exam", "exam_code", help="Of this exam only.")
@click.option(
    "--status",
    type=click.Choice(["running", "finished", "invalidated"]),
    help="Of this status only.",
)
@click.option("--search", default="", help="A part of a name or roster id.")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, help="Page.")
@click.pass_obj
def list_sittings(
    console: Console, exam_code: str | None, status: str | None, search: str, page: int
) -> None:
    """List sittings, the newest first."""
    from item_bank.exams.reviews import search_sittings

    with _site(console) as (db, organisation):
        found = search_sittings(
            db, organisation_id=organisation, exam=exam_code, status=status, text=search, page=page
        )
    rows = [_sitting_row(row) for row in found.rows]
    data = {"total": found.total, "page": found.page, "pages": found.pages, "sittings": rows}
    if not rows:
        console.emit(data, "No sitting yet, or none like this.")
        return
    shown = ("id", "candidate", "started", "status", "items", "score")
    console.emit(data, table(shown, [_marked(row) for row in rows]))
    console.note(f"page {found.page} of {found.pages}, {found.total} sittings")


def _sitting_row(row: SittingRow) -> dict[str, Any]:
    return {
        "id": row.sitting_id,
        "candidate": row.roster_id,
        "exam": f"{row.exam_code} v{row.version}",
        "started": _time(row.started_at),
        "status": row.status,
        "items": row.n_items,
        "simulated": row.simulated,
        "score": row.score,
        "level": (row.level_name or {}).get("en", ""),
        "stop": row.stop_reason or "",
    }


def _marked(row: dict[str, Any]) -> dict[str, Any]:
    """Say beside a status that its sitting was simulated."""
    return {**row, "status": f"{row['status']}, simulated"} if row["simulated"] else row


@sitting.command("show")
@click.argument("sitting_id", metavar="ID")
@click.pass_obj
def show_sitting(console: Console, sitting_id: str) -> None:
    """Show one sitting: its result and its path."""
    from item_bank.exams.errors import NotFound
    from item_bank.exams.reviews import report

    with _site(console) as (db, organisation):
        try:
            found = report(db, organisation_id=organisation, sitting_id=sitting_id)
        except NotFound:
            raise InputError(
                "the id of a sitting (see `tarozu sitting list`)", repr(sitting_id)
            ) from None
    data = {"sitting": _sitting_row(found.row), "result": found.result, "events": len(found.events)}
    console.emit(
        data,
        table(
            ("id", "candidate", "exam", "status", "score", "level", "stop"),
            [_marked(_sitting_row(found.row))],
        ),
    )
    if found.result and not console.json:
        columns = ("position", "item", "content_area", "score", "theta", "se", "seconds")
        console.emit(None, table(columns, found.result["path"]))
        if found.result["tried_out"]:
            console.emit(None, "Tried out, not scored:")
            console.emit(None, table((*columns[:4], "seconds"), found.result["tried_out"]))


EXPORTED = ("person", "item", "score", "sitting", "position", "language", "simulated", "status")


@sitting.command("export")
@click.option("--bank", "bank_code", required=True, help="Responses of this bank's items.")
@click.option("--out", type=FILE, help="A CSV file; stdout where none is named.")
@click.option("--since", metavar="DATE", help="Sittings started on this day or later (YYYY-MM-DD).")
@click.option("--first-only", is_flag=True, help="Each person's first sitting only.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.pass_obj
def export_responses(
    console: Console,
    bank_code: str,
    out: Path | None,
    since: str | None,
    first_only: bool,
    force: bool,
) -> None:
    """Write the scored responses as a long CSV, one line each.

    Columns: person, item, score, sitting, position, language, simulated, status. Persons are
    pseudonymous ids; the status is pretest for items that were tried out, which counted for nobody.
    `tarozu calibrate` reads this file, and knows by its columns that it is adaptive.
    """
    from item_bank.exams.responses import recorded_responses
    from item_bank.items.releases import release_parameters

    with _site(console) as (db, organisation):
        release_parameters(db, bank_code, organisation_id=organisation)
        rows = [
            (
                r.person,
                r.item,
                r.score,
                r.sitting_id,
                r.position,
                r.language,
                int(r.simulated),
                r.status,
            )
            for r in recorded_responses(
                db, bank_code, organisation_id=organisation, since=_since(since)
            )
            if r.first or not first_only
        ]
    if not rows:
        raise AnswerIsNo("no recorded response to export")
    text = _csv(EXPORTED, rows)
    if out is None:
        sys.stdout.write(text)
    elif out.exists() and not force:
        raise InputError("a file that does not exist yet, or --force", "it", file=out)
    else:
        partial = out.with_name(f"{out.name}.part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(out)
        console.emit({"file": str(out), "responses": len(rows)}, f"{len(rows)} responses in {out}")


@sitting.command("replay")
@click.argument("sitting_id", metavar="ID", required=False)
@click.option("--all", "every", is_flag=True, help="Every sitting of the database.")
@click.pass_obj
def replay_sittings(console: Console, sitting_id: str | None, every: bool) -> None:
    """Compute every selection, estimate and stop again from the log; exit 1 at a difference."""
    from item_bank.exams.errors import NotFound
    from item_bank.exams.replay import replay, sitting_ids

    if (sitting_id is None) is not every:
        raise InputError("the id of a sitting, or --all", sitting_id or "neither")
    with _site(console) as (db, _organisation):
        ids = sitting_ids(db) if every else [str(sitting_id)]
        steps = 0
        with console.progress(len(ids), "Replaying") as advance:
            for one in ids:
                try:
                    found = replay(db, one)
                except NotFound:
                    raise InputError(
                        "the id of a sitting (see `tarozu sitting list`)", repr(one)
                    ) from None
                if found.problems:
                    raise AnswerIsNo(f"sitting {one} does not replay: {found.problems[0]}")
                steps += found.steps
                advance()
    data = {"sittings": len(ids), "steps": steps, "problems": 0}
    console.emit(data, f"Sittings that replay exactly: {len(ids)}, with {steps} steps.")


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, str]]:
    """Open the site's database together with its organisation."""
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        yield db, organisation(db)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError("a file that can be read", error.strerror, file=file) from None
    except UnicodeDecodeError as error:
        raise InputError(
            "text in UTF-8", f"byte {error.object[error.start]:#x}", file=file
        ) from None


def _since(day: str | None) -> int | None:
    if day is None:
        return None
    try:
        return round(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1e6)
    except ValueError:
        raise InputError("a day as YYYY-MM-DD", repr(day), column="--since") from None


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M")


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([no_formula(value) for value in row] for row in rows)
    return buffer.getvalue()
