"""`tarozu result`: what was decided on results, and deciding from the command line.

A signature is an examiner's, who gives the password of the account; the other acts are those of the
command line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console, table

if TYPE_CHECKING:
    from item_bank.exams.actors import Actor
    from item_bank.results.decisions import Standing
    from item_bank.store.database import Database

SITTINGS = click.argument("sittings", metavar="SITTING...", nargs=-1)
SITTING = click.argument("sitting", metavar="SITTING")
NEEDED = click.option("--reason", required=True, help="Why; for the record, beside the chains.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
EXAM = click.option("--exam", metavar="CODE", help="With --all-awaiting: of this exam.")
ALL = click.option("--all-awaiting", is_flag=True, help="All of an exam that await signatures.")
STATES = ("awaiting", "held", "released", "invalidated")
CATEGORIES = ("irregularity", "identity", "technical", "request", "other")
LISTED = ("sitting", "candidate", "exam", "state", "signatures", "score", "level")


@click.group()
def result() -> None:
    """Results: list, show, sign, release, hold, invalidate, reinstate."""


@result.command("list")
@click.option("--state", type=click.Choice(STATES), default="awaiting", help="By default awaiting.")
@click.option("--exam", metavar="CODE", default="", help="Only of this exam.")
@click.option("--page", type=click.IntRange(min=1), default=1, help="Of 25 results each.")
@click.pass_obj
def list_all(console: Console, state: str, exam: str, page: int) -> None:
    """List results of a state."""
    from item_bank.results.queue import queue

    with _site(console) as (db, actor):
        found = queue(db, actor, state, exam=exam, page=page)
    rows = [
        {
            "sitting": row.sitting_id,
            "candidate": row.roster_id,
            "exam": row.exam_code,
            "state": row.standing.state,
            "signatures": f"{len(row.standing.signed_by)} of {row.standing.needed}",
            "score": row.score,
            "level": (row.level_name or {}).get("en"),
        }
        for row in found.rows
    ]
    console.emit(rows, table(LISTED, rows) if rows else f"No result is {state}.")
    console.note(f"page {found.page} of {found.pages}, {found.total} results")


@result.command("show")
@SITTING
@click.pass_obj
def show(console: Console, sitting: str) -> None:
    """Show how a result stands, and what was done to it."""
    from item_bank.results.deciding import standing

    with _site(console) as (db, actor):
        stands = standing(db, actor, sitting)
    rows = [asdict(one) | {"act": str(one.act)} for one in stands.done]
    data = {
        "sitting": sitting,
        "state": stands.state,
        "result": stands.number,
        "hash": stands.hash,
        "signatures": len(stands.signed_by),
        "needed": stands.needed,
        "done": rows,
    }
    columns = ("number", "act", "result", "by", "account", "category")
    console.emit(data, table(columns, rows) if rows else "Nothing was decided.")
    signed = f"{len(stands.signed_by)} of {stands.needed} signatures"
    console.note(f"{sitting}: {stands.state}, result {stands.number}, {signed}")


@result.command("sign")
@SITTINGS
@click.option("--account", metavar="EMAIL", required=True, help="Of the examiner who signs.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@EXAM
@ALL
@DRY_RUN
@click.pass_obj
def sign(
    console: Console,
    sittings: tuple[str, ...],
    account: str,
    password_stdin: bool,
    exam: str | None,
    all_awaiting: bool,
    dry_run: bool,
) -> None:
    """Sign results with the password of an examiner; the last signature releases each."""
    from item_bank.exams.decided import Act
    from item_bank.results import deciding

    password = sys.stdin.readline() if password_stdin else _asked()
    with _site(console) as (db, host):
        actor = _signer(db, host, account, password.rstrip("\r\n"))
        chosen = _chosen(db, actor, sittings, exam, all_awaiting=all_awaiting)
        _each(
            console, (db, actor), chosen, Act.SIGNED, lambda s: deciding.sign(db, actor, s), dry_run
        )


@result.command("release")
@SITTINGS
@click.option("--reason", default="", help="Why, if it was held.")
@DRY_RUN
@click.pass_obj
def release(console: Console, sittings: tuple[str, ...], reason: str, dry_run: bool) -> None:
    """Let candidates see results that were held, once these have their signatures."""
    from item_bank.exams.decided import Act
    from item_bank.results import deciding

    with _site(console) as (db, actor):
        _each(
            console,
            (db, actor),
            sittings,
            Act.RELEASED,
            lambda s: deciding.release(db, actor, s, reason),
            dry_run,
        )


@result.command("hold")
@SITTINGS
@NEEDED
@DRY_RUN
@click.pass_obj
def hold(console: Console, sittings: tuple[str, ...], reason: str, dry_run: bool) -> None:
    """Hide results from their candidates until they are released."""
    from item_bank.exams.decided import Act
    from item_bank.results import deciding

    with _site(console) as (db, actor):
        _each(
            console,
            (db, actor),
            sittings,
            Act.HELD,
            lambda s: deciding.hold(db, actor, s, reason),
            dry_run,
        )


@result.command("invalidate")
@SITTING
@click.option(
    "--category", required=True, type=click.Choice(CATEGORIES), help="What the candidate is told."
)
@NEEDED
@DRY_RUN
@click.pass_obj
def invalidate(console: Console, sitting: str, category: str, reason: str, dry_run: bool) -> None:
    """Withdraw a result: its sitting counts for nothing until it is reinstated."""
    from item_bank.exams.decided import Act
    from item_bank.results import deciding

    with _site(console) as (db, actor):
        _each(
            console,
            (db, actor),
            (sitting,),
            Act.INVALIDATED,
            lambda s: deciding.invalidate(db, actor, s, category, reason),
            dry_run,
        )


@result.command("reinstate")
@SITTING
@NEEDED
@DRY_RUN
@click.pass_obj
def reinstate(console: Console, sitting: str, reason: str, dry_run: bool) -> None:
    """Take an invalidation back: the result is again what it was before."""
    from item_bank.exams.decided import Act
    from item_bank.results import deciding

    with _site(console) as (db, actor):
        _each(
            console,
            (db, actor),
            (sitting,),
            Act.REINSTATED,
            lambda s: deciding.reinstate(db, actor, s, reason),
            dry_run,
        )


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, err=True))


def _signer(db: Database, host: Actor, account: str, password: str) -> Actor:
    from item_bank.exams.actors import staff_actor
    from item_bank.exams.signing_in import staff_by_password

    person = staff_by_password(db, account, password, address="command line")
    if person is None or person.organisation_id != host.organisation_id:
        raise AnswerIsNo("this e-mail and password do not belong together")
    return staff_actor(person)


def _chosen(
    db: Database, actor: Actor, sittings: Sequence[str], exam: str | None, *, all_awaiting: bool
) -> Sequence[str]:
    """Return the sittings that were named, or all of an exam that await signatures."""
    from item_bank.results.queue import all_awaiting as waiting

    if all_awaiting != bool(exam) or (all_awaiting and sittings):
        raise click.UsageError("name sittings, or --exam CODE with --all-awaiting")
    return waiting(db, actor, exam) if exam else sittings


def _each(
    console: Console,
    who: tuple[Database, Actor],
    sittings: Sequence[str],
    act: Any,
    do: Callable[[str], object],
    dry_run: bool,
) -> None:
    """Act on each sitting and say what came of it; status 1 when one was refused."""
    from item_bank.exams.errors import NotAllowed

    rows, refused = [], 0
    for sitting in sittings:
        try:
            before = _able(*who, sitting, act)
            if not dry_run:
                do(sitting)
            state = before.state if dry_run else _stands(*who, sitting).state
            rows.append({"sitting": sitting, "done": not dry_run, "state": state, "why_not": ""})
        except NotAllowed as error:
            refused += 1
            rows.append({"sitting": sitting, "done": False, "state": "", "why_not": str(error)})
    shown = table(("sitting", "state", "why_not"), rows) if rows else "Nothing to do."
    console.emit(rows, shown)
    if dry_run:
        console.note(f"{len(rows) - refused} could be {act}; nothing was changed")
    if refused:
        raise AnswerIsNo(f"{refused} of {len(rows)} cannot be {act}")


def _able(db: Database, actor: Actor, sitting: str, act: Any) -> Standing:
    from item_bank.results.decisions import Refused, refusal

    stands = _stands(db, actor, sitting)
    why = refusal(act, stands, actor)
    if why is not None:
        raise Refused(why)
    return stands


def _stands(db: Database, actor: Actor, sitting: str) -> Standing:
    from item_bank.results.deciding import standing

    return standing(db, actor, sitting)


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, Actor]]:
    """Open the site as whoever has the command line."""
    from item_bank.exams.actors import command_line
    from item_bank.exams.errors import NotAllowed, NotFound, TooManyAttempts
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        try:
            yield db, command_line(organisation(db))
        except NotFound:
            raise InputError("the id of a sitting", "no such sitting", column="SITTING") from None
        except (NotAllowed, TooManyAttempts) as error:
            raise AnswerIsNo(str(error)) from None
