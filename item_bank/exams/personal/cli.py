"""`tarozu candidates code`, `export` and `erase`, and `tarozu retention`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table
from item_bank.exams.cli import candidates

if TYPE_CHECKING:
    from item_bank.exams.actors import Actor
    from item_bank.store.database import Database

FILE = click.Path(path_type=Path, dir_okay=False)
NEVER = "never"


@candidates.command("code")
@click.argument("roster_id", metavar="ROSTER_ID")
@click.option("--exam", "exam_code", metavar="CODE", help="Only if registered for this exam.")
@click.option("--end", is_flag=True, help="End the code and issue none.")
@click.pass_obj
def code(console: Console, roster_id: str, exam_code: str | None, end: bool) -> None:
    """Give one person a new access code; the old one and its browser sessions end.

    A sitting that runs goes on, with the new code.
    """
    from item_bank.exams.personal.persons import end_code, issue_code

    if end and exam_code:
        raise click.UsageError("--exam does not go with --end")
    with _site(console) as (db, actor):
        if end:
            end_code(db, actor, roster_id)
            console.emit({"roster_id": roster_id, "code": None}, f"{roster_id} has no code now")
            return
        issued = issue_code(db, actor, roster_id, exam_code=exam_code)
    console.emit(asdict(issued), f"{issued.roster_id}: {issued.code}")
    console.note("This code is shown once.")


@candidates.command("export")
@click.argument("roster_id", metavar="ROSTER_ID")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.pass_obj
def export(console: Console, roster_id: str, file: Path, force: bool) -> None:
    """Write everything that is held about a person to FILE, as JSON."""
    from item_bank.exams.personal.held import held_about

    if file.exists() and not force:
        raise InputError("a file that does not exist yet, or --force", "it", file=file)
    if not file.parent.is_dir():
        raise InputError("a folder that is there", "none", file=file.parent)
    with _site(console) as (db, actor):
        held = held_about(db, actor, roster_id)
    _write(file, json.dumps(held, ensure_ascii=False, indent=1) + "\n")
    data = {"roster_id": roster_id, "file": str(file), "sittings": len(held["sittings"])}
    console.emit(data, f"{roster_id}: {len(held['sittings'])} sittings in {file}")


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all, for nobody else to read."""
    partial = file.with_name(f"{file.name}.part")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    partial.replace(file)


@candidates.command("erase")
@click.argument("roster_id", metavar="ROSTER_ID")
@click.option("--reason", required=True, help="Why; kept in the site chain, so without a name.")
@click.option("--yes", is_flag=True, help="Erase; without it, only say what would be erased.")
@click.pass_obj
def erase(console: Console, roster_id: str, reason: str, yes: bool) -> None:
    """Erase a person: details, codes, what was chosen and typed, messages, presence.

    Scores and results stay under a pseudonymous id; every chain verifies and every sitting
    replays. Without --yes nothing is changed.
    """
    from item_bank.exams.errors import NotAllowed
    from item_bank.exams.personal.erasure import erase as erase_now
    from item_bank.exams.personal.erasure import plan_erasure

    with _site(console) as (db, actor):
        try:
            if yes:
                found = erase_now(db, actor, roster_id, reason)
            else:
                found = plan_erasure(db, actor, roster_id)
        except NotAllowed as error:
            raise AnswerIsNo(f"{roster_id}: {error}") from None
    rows = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.rows.items())
    said = "is erased" if yes else "would be erased"
    stays = f"sittings that stay without a name: {found.sittings}"
    console.emit({**asdict(found), "erased": yes}, f"{roster_id} {said}: {rows}; {stays}")
    if not yes:
        console.note("Nothing was changed. To erase: --yes")


@click.group()
def retention() -> None:
    """For how long personal data are kept."""


@retention.command("show")
@click.pass_obj
def show(console: Console) -> None:
    """Show the rules of the site."""
    from item_bank.exams.personal.retention import retention as rules_of

    with _site(console) as (db, _actor):
        rules = asdict(rules_of(db))
    _say(console, rules)


def _say(console: Console, rules: dict[str, Any]) -> None:
    rows = [{"data": name, "days": NEVER if n is None else str(n)} for name, n in rules.items()]
    console.emit(rules, table(("data", "days"), rows))


def _days(_context: click.Context, option: click.Parameter, text: str | None) -> int | str | None:
    if text is None or text == NEVER:
        return text
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"a number of days, or {NEVER}", repr(text), column=option.opts[0])
    return int(text)


@retention.command("set")
@click.option("--answers", callback=_days, metavar="DAYS", help="What was chosen and typed.")
@click.option("--presence", callback=_days, metavar="DAYS", help="Where pages were heard from.")
@click.option("--sign-ins", callback=_days, metavar="DAYS", help="Failed sign-ins.")
@click.option("--people", callback=_days, metavar="DAYS", help="Names and all that goes with them.")
@click.pass_obj
def set_rules(console: Console, /, **given: int | str | None) -> None:
    """Say for how many days data are kept, counted from the end of a sitting; or `never`.

    Data that are not named keep their rule. The worker erases once a day.
    """
    from item_bank.exams.personal.retention import set_retention

    changes = {
        name: None if days == NEVER else int(days)
        for name, days in given.items()
        if days is not None
    }
    if not changes:
        raise InputError("at least one of --answers, --presence, --sign-ins, --people", "none")
    with _site(console) as (db, actor):
        rules = set_retention(db, actor, changes)
    _say(console, asdict(rules))


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.pass_obj
def run(console: Console, dry_run: bool) -> None:
    """Erase now what is older than the rules say."""
    from item_bank.exams.personal.retention import apply_retention, overdue

    with _site(console) as (db, _actor):
        found = overdue(db) if dry_run else apply_retention(db)
    counts = (
        f"answers of {found['answers']} sittings, presence of {found['presence']}, "
        f"{found['sign_ins']} failed sign-ins, {found['people']} people"
    )
    said = "Would be erased" if dry_run else "Erased"
    console.emit({**found, "dry_run": dry_run}, f"{said}: {counts}.")


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, Actor]]:
    from item_bank.exams.actors import command_line
    from item_bank.exams.errors import NotAllowed
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        try:
            yield db, command_line(organisation(db))
        except NotAllowed as error:
            raise AnswerIsNo(str(error)) from None
