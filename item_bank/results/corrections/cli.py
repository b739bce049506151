"""`tarozu correction`: correcting results that have been given."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table

if TYPE_CHECKING:
    from item_bank.exams.actors import Actor
    from item_bank.results.corrections.dry_run import Advance
    from item_bank.results.corrections.proposing import Words
    from item_bank.store.database import Database

NUMBER = click.argument("number", metavar="NUMBER", type=click.IntRange(min=1))
REASON = click.option("--reason", required=True, help="Why; stands in every amended result.")
NOTICE = click.option(
    "--notice",
    type=(str, str),
    multiple=True,
    metavar="LANGUAGE TEXT",
    help="What candidates are told, instead of the usual text.",
)


@click.group()
def correction() -> None:
    """Correct results: a wrong key, a dropped item, other cut scores."""


@correction.command("propose")
@click.argument("subject", metavar="BANK/ITEM|EXAM")
@click.option("--key", metavar="JSON", help='The right key, such as \'{"correct": "B"}\'.')
@click.option("--drop", is_flag=True, help="The item does not count.")
@click.option("--revision", type=click.IntRange(min=1), help="Of the item; its newest if left out.")
@click.option(
    "--cut",
    "cuts",
    type=(str, float),
    multiple=True,
    metavar="LEVEL MINIMUM",
    help="The new minimum of a level.",
)
@click.option(
    "--version",
    "versions",
    type=click.IntRange(min=1),
    multiple=True,
    help="Of the exam; all with the newest one's cut scores if left out.",
)
@REASON
@NOTICE
@click.pass_obj
def propose(
    console: Console,
    subject: str,
    key: str | None,
    *,
    drop: bool,
    revision: int | None,
    cuts: tuple[tuple[str, float], ...],
    versions: tuple[int, ...],
    reason: str,
    notice: tuple[tuple[str, str], ...],
) -> None:
    """Propose a correction of an item of a bank (--key or --drop), or of an exam (--cut).

    Nothing changes before a dry run, two signatures and `correction apply`.
    """
    from item_bank.results.corrections import proposing

    if sum((key is not None, drop, bool(cuts))) != 1:
        raise click.UsageError("one of --key, --drop and --cut says what is corrected")
    words = proposing.Words(reason, dict(notice))
    with _acting(console) as (db, actor):
        if cuts:
            number = proposing.propose_cuts(db, actor, subject, dict(cuts), versions, words)
        else:
            number = _propose_item(db, actor, subject, revision, key, words)
    console.emit(
        {"correction": number, "status": "proposed"},
        f"Correction {number} is proposed. Next: tarozu correction dry-run {number}",
    )


def _propose_item(
    db: Database,
    actor: Actor,
    subject: str,
    revision: int | None,
    key: str | None,
    words: Words,
) -> int:
    from item_bank.results.corrections import proposing

    bank, _, item = subject.partition("/")
    if not item:
        raise InputError("BANK/ITEM, such as demo/W-012", repr(subject))
    number = revision or proposing.newest_revision(db, actor, bank, item)
    place = (bank, item, number)
    if key is None:
        return proposing.propose_drop(db, actor, place, words)
    try:
        said = json.loads(key)
    except ValueError as error:
        raise InputError("a key in JSON", str(error), column="--key") from None
    if not isinstance(said, dict):
        raise InputError('an object such as {"correct": "B"}', key, column="--key")
    return proposing.propose_key(db, actor, place, said, words)


@correction.command("dry-run")
@NUMBER
@click.pass_obj
def try_out(console: Console, number: int) -> None:
    """Compute what a correction would change, and change nothing."""
    from item_bank.results.corrections.dry_run import dry_run
    from item_bank.results.corrections.listing import correction_view
    from item_bank.results.corrections.words import effect_text

    with _acting(console) as (db, actor), _bar(console, "Sittings") as advance:
        effect = dry_run(db, actor, number, advance)
        view = correction_view(db, actor, number)
    said = {"correction": number, "effect_hash": view.effect_hash, **effect}
    console.emit(said, f"{effect_text(effect)}\nEffect {view.effect_hash}")


@correction.command("list")
@click.option("--status", default="", help="Only those that are so.")
@click.pass_obj
def list_all(console: Console, status: str) -> None:
    """List the corrections, the newest first."""
    from item_bank.results.corrections.listing import list_corrections
    from item_bank.results.corrections.terms import STATUSES

    if status and status not in STATUSES:
        raise InputError(f"one of {', '.join(STATUSES)}", repr(status), column="--status")
    with _acting(console) as (db, actor):
        rows = [vars(row) for row in list_corrections(db, actor, status=status)]
    columns = ("number", "kind", "subject", "status", "sittings", "changed", "reason")
    console.emit({"corrections": rows}, table(columns, rows) if rows else "No corrections yet.")


@correction.command("show")
@NUMBER
@click.option("--changes", is_flag=True, help="List every changed sitting, too.")
@click.pass_obj
def show_one(console: Console, number: int, changes: bool) -> None:
    """Show a correction: what it is, what it changes, who signed."""
    from item_bank.results.corrections.changes import ALL, Wanted, all_changes
    from item_bank.results.corrections.listing import correction_view
    from item_bank.results.corrections.words import change_data, view_data, view_text

    with _acting(console) as (db, actor):
        view = correction_view(db, actor, number)
        found = all_changes(db, actor, number, Wanted(show=ALL)) if changes else []
    rows = [change_data(one) for one in found]
    data = view_data(view) | ({"changes": rows} if changes else {})
    console.emit(data, view_text(view))
    if rows and not console.json:
        columns = ("sitting", "exam", "score", "new_score", "level", "new_level", "problem")
        console.emit(None, table(columns, rows))


@correction.command("sign")
@NUMBER
@click.option("--account", metavar="EMAIL", required=True, help="Of whoever signs.")
@click.option("--effect", metavar="HASH", required=True, help="The effect that was looked at.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.pass_obj
def sign_it(console: Console, number: int, account: str, effect: str, password_stdin: bool) -> None:
    """Sign the effect of a correction with the password of an account; two people must.

    At least one of them is an examiner, the other may be an administrator.
    """
    from item_bank.exams.actors import staff_actor
    from item_bank.exams.signing_in import staff_by_password
    from item_bank.results.corrections.signing import sign

    given = sys.stdin.readline() if password_stdin else _asked()
    with _acting(console) as (db, actor):
        person = staff_by_password(db, account, given.rstrip("\r\n"), address="command line")
        if person is None or person.organisation_id != actor.organisation_id:
            raise AnswerIsNo("this e-mail and password do not belong together")
        missing = sign(db, staff_actor(person), number, effect)
    said = "one more signature is missing" if missing else "it is in force and will be applied"
    console.emit(
        {"correction": number, "signed_by": account, "missing": missing},
        f"Correction {number} is signed; {said}.",
    )


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, err=True))


@correction.command("apply")
@NUMBER
@click.pass_obj
def apply_it(console: Console, number: int) -> None:
    """Amend the results that a signed correction changes; the worker does the same by itself."""
    from item_bank.results.corrections.applying import apply

    with _acting(console) as (db, actor), _bar(console, "Sittings") as advance:
        said = apply(db, actor, number, advance)
    text = f"Correction {number} is applied: {said['amended']} results amended"
    more = f"; {said['impossible']} could not be" if said["impossible"] else ""
    console.emit({"correction": number, **said}, f"{text}{more}.")


@correction.command("withdraw")
@NUMBER
@click.pass_obj
def take_back(console: Console, number: int) -> None:
    """Take a correction back that is not in force."""
    from item_bank.results.corrections.proposing import withdraw

    with _acting(console) as (db, actor):
        withdraw(db, actor, number)
    console.emit(
        {"correction": number, "status": "withdrawn"}, f"Correction {number} is withdrawn."
    )


@correction.command("undo")
@NUMBER
@click.pass_obj
def undo(console: Console, number: int) -> None:
    """Propose the correction that restores what held before an applied one."""
    from item_bank.results.corrections.undoing import propose_undo

    with _acting(console) as (db, actor):
        new = propose_undo(db, actor, number)
    console.emit(
        {"correction": new, "undoes": number, "status": "proposed"},
        f"Correction {new} is proposed; it would undo correction {number}.",
    )


@contextmanager
def _acting(console: Console) -> Iterator[tuple[Database, Actor]]:
    """Open the site, and say in the command's way what cannot be done."""
    from item_bank.exams.actors import command_line
    from item_bank.exams.errors import NotAllowed, NotFound, TooManyAttempts
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        try:
            yield db, command_line(organisation(db))
        except NotFound:
            expected = "the number of a correction (see `tarozu correction list`)"
            raise InputError(expected, "none with this number") from None
        except (NotAllowed, TooManyAttempts) as reason:
            raise AnswerIsNo(str(reason)) from None


@contextmanager
def _bar(console: Console, label: str) -> Iterator[Advance]:
    """Show on a terminal how many are done."""
    with console.progress(0, label) as step:

        def advance(_done: int, _total: int, _stage: str = "") -> None:
            step()

        yield advance
