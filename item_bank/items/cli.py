"""`tarozu bank`: import, check, list, show, export, compare, publish, retire and hold.

The life cycle of items is in `authoring/cli.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table
from item_bank.items.authoring.cli import move, sign, status_of

if TYPE_CHECKING:
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path)


@click.group()
def bank() -> None:
    """Item banks: import, check, show, compare, publish."""


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, str]]:
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        yield db, organisation(db)


# --- files -------------------------------------------------------------------------------------


@bank.command("import")
@click.argument("file", type=FILE)
@click.option("--bank", "code", help="The bank's code; goes before the one in the file.")
@click.option("--status", metavar="STATE", help="Of new items that the file says no state of.")
@click.option("--as", "email", metavar="EMAIL", help="Who wrote the texts; another reviews them.")
@click.option("--signed-off", is_flag=True, help="The texts were reviewed and signed elsewhere.")
@click.option("--dry-run", is_flag=True, help="Say what would change and keep nothing.")
@click.pass_obj
def import_file(
    console: Console,
    file: Path,
    code: str | None,
    status: str | None,
    email: str | None,
    signed_off: bool,
    dry_run: bool,
) -> None:
    """Make or change a bank from FILE (JSON, ZIP or CSV), whole or not at all.

    New parameters wait as a draft until `tarozu bank publish`.
    """
    from item_bank.items.authoring.actors import actor_by_email
    from item_bank.items.authoring.imported import Terms
    from item_bank.items.bank_files import STATUSES
    from item_bank.items.content import CODE
    from item_bank.items.formats.reading import read_bank_file
    from item_bank.items.imports import import_bank
    from item_bank.items.wording import import_text

    if code is not None and not CODE.fullmatch(code):
        raise InputError("a code of at most 64 letters and digits", repr(code), column="--bank")
    if status is not None and status not in STATUSES:
        raise InputError(f"one of {', '.join(STATUSES)}", repr(status), column="--status")
    source = read_bank_file(file)
    with _site(console) as (db, organisation):
        editor = actor_by_email(db, email, organisation_id=organisation)
        report = import_bank(
            db,
            source,
            organisation_id=organisation,
            bank_code=code,
            dry_run=dry_run,
            terms=Terms(status, editor, signed_off),
        )
    console.emit({**vars(report), "dry_run": dry_run}, import_text(report, dry_run=dry_run))


@bank.command("check")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.pass_obj
def check_files(console: Console, files: Sequence[Path]) -> None:
    """Read each of FILES, list everything that is wrong, and import nothing."""
    from item_bank.items.formats.reading import check_bank_file
    from item_bank.items.wording import check_text, report_row

    reports = [check_bank_file(file) for file in files]
    console.emit({"files": [report_row(r) for r in reports]}, "\n".join(map(check_text, reports)))
    wrong = sum(len(r.errors) for r in reports)
    if wrong:
        raise InputError("no problems", f"{wrong} in {sum(bool(r.errors) for r in reports)} files")
    if any(r.unsupported for r in reports):
        raise AnswerIsNo("some files cannot be imported")


@bank.command("export")
@click.argument("code")
@click.argument("file", type=FILE)
@click.option("--release", type=int, help="As this release has it; else as the next one would.")
@click.option("--force", is_flag=True, help="Write over a file.")
@click.pass_obj
def export_bank(console: Console, code: str, file: Path, release: int | None, force: bool) -> None:
    """Write a bank to FILE: whole items with .zip or .json, parameters alone with .csv.

    Pictures and sounds are in the .zip, or go to the folder media/ beside the .json.

    Retired items are left out, unless a release has them.
    """
    from item_bank.items.formats.writing import write_bank
    from item_bank.items.overview import bank_source

    with _site(console) as (db, organisation):
        source = bank_source(db, code, organisation_id=organisation, release=release)
    write_bank(source, file, force=force)
    bare = [i.code for i in source.items if not i.parameters and file.suffix.lower() == ".csv"]
    if bare:
        console.note(f"Not in the file, since they have no parameters: {', '.join(bare)}")
    count = len(source.items) - len(bare)
    data = {"bank": code, "file": str(file), "items": count, "left_out": bare}
    console.emit(data, f"{file}: {count} items of {code}.")


# --- looking -----------------------------------------------------------------------------------


@bank.command("list")
@click.pass_obj
def list_all(console: Console) -> None:
    """List the banks."""
    from item_bank.items.overview import list_banks
    from item_bank.items.wording import SUMMARY, summary_row, summary_shown

    with _site(console) as (db, organisation):
        rows = [summary_row(s) for s in list_banks(db, organisation_id=organisation)]
    empty = "No bank yet. Bring one in with: tarozu bank import FILE"
    console.emit(rows, table(SUMMARY, [summary_shown(row) for row in rows]) if rows else empty)


@bank.command("show")
@click.argument("code")
@click.pass_obj
def show_bank(console: Console, code: str) -> None:
    """Show a bank's items as the next release would have them, and its releases."""
    from item_bank.items.overview import bank_overview
    from item_bank.items.wording import ITEMS, item_rows, item_shown, overview_data, releases_text

    with _site(console) as (db, organisation):
        overview = bank_overview(db, code, organisation_id=organisation)
    rows = [row for item in overview.items for row in item_rows(item)]
    console.emit(overview_data(overview, rows), table(ITEMS, [item_shown(row) for row in rows]))
    if not console.json:
        console.emit(None, releases_text(overview))


# --- acts --------------------------------------------------------------------------------------


@bank.command()
@click.argument("code")
@click.option("--dry-run", is_flag=True, help="Say what would change and publish nothing.")
@click.pass_obj
def publish(console: Console, code: str, dry_run: bool) -> None:
    """Freeze the last release with the open draft over it as the next release.

    Refuses items that lack a text, an alternative to a picture or sound, or a sign-off.
    """
    from item_bank.items.differences import next_release
    from item_bank.items.releases import check_plan, release_shortfalls
    from item_bank.items.releases import publish as publish_release
    from item_bank.items.wording import changes_text, difference_data

    with _site(console) as (db, organisation):
        planned, changes = next_release(db, code, organisation_id=organisation)
        check_plan(db, planned)
        if not console.json:
            console.note(changes_text(code, len(planned.items), planned.left_out, changes))
        data: dict[str, Any] = {
            "bank": code,
            "items": len(planned.items),
            "left_out": planned.left_out,
            "changes": [difference_data(d) for d in changes],
            "dry_run": dry_run,
        }
        if dry_run:
            lacking = release_shortfalls(db, code, planned, organisation_id=organisation)
            data["lacking"] = [vars(one) for one in lacking]
            console.emit(data, "\n".join([*map(str, lacking), "Nothing was published."]))
            if lacking:
                raise AnswerIsNo(f"bank {code} cannot be published: its items lack something")
            return
        release = publish_release(db, code, organisation_id=organisation)
    data |= {"release": release.number, "content_hash": release.content_hash}
    console.emit(data, f"{code}: release {release.number} is published ({release.content_hash}).")


@bank.command()
@click.argument("code")
@click.pass_obj
def discard(console: Console, code: str) -> None:
    """Set the open draft of parameters aside."""
    from item_bank.items.calibrations import discard_draft

    with _site(console) as (db, organisation):
        number = discard_draft(db, code, organisation_id=organisation)
    console.emit({"bank": code, "draft": number}, f"{code}: draft {number} is set aside.")


@bank.command()
@click.argument("code")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the move.")
@click.pass_obj
def retire(console: Console, code: str, item: str, reason: str) -> None:
    """Leave ITEM out of every later release."""
    from item_bank.items.authoring.moves import move_item
    from item_bank.items.life_cycle import Actor, State

    with _site(console) as (db, organisation):
        move_item(db, code, item, State.RETIRED, Actor(), reason, organisation_id=organisation)
    _said(console, code, item, "retired", f"leaves with the next: tarozu bank publish {code}")


@bank.command()
@click.argument("code")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the hold.")
@click.option(
    "--compromised",
    is_flag=True,
    help="It is known outside: an answer by somebody who has it on screen does not count.",
)
@click.pass_obj
def hold(console: Console, code: str, item: str, reason: str, compromised: bool) -> None:
    """Take ITEM out of every running sitting at its next step."""
    from item_bank.items.authoring.moves import move_item
    from item_bank.items.life_cycle import Actor, State

    with _site(console) as (db, organisation):
        move_item(
            db,
            code,
            item,
            State.HELD,
            Actor(),
            reason,
            organisation_id=organisation,
            compromised=compromised,
        )
    _said(console, code, item, "held", "no sitting is given it from now on")


@bank.command("release-hold")
@click.argument("code")
@click.argument("item")
@click.pass_obj
def lift(console: Console, code: str, item: str) -> None:
    """Let sittings be given ITEM again."""
    from item_bank.items.authoring.moves import lift_hold
    from item_bank.items.life_cycle import Actor

    with _site(console) as (db, organisation):
        lift_hold(db, code, item, Actor(), organisation_id=organisation)
    _said(console, code, item, "not held", "sittings may be given it again")


def _said(console: Console, code: str, item: str, status: str, text: str) -> None:
    data = {"bank": code, "item": item, "status": status}
    console.emit(data, f"{code}: {item} is {status}; {text}.")


for command in (status_of, move, sign):
    bank.add_command(command)
