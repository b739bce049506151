"""`tarozu sitting pause`, `resume`, `grant`, `terminate`, `message` and `release`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from engine.errors import AnswerIsNo, InputError
from item_bank.console import Console
from item_bank.exams.cli import sitting

if TYPE_CHECKING:
    from item_bank.exams.actors import Actor
    from item_bank.store.database import Database

ID = click.argument("sitting_id", metavar="ID")


@sitting.command("pause")
@ID
@click.option("--reason", default="", help="Why; kept with the pause.")
@click.pass_obj
def pause_sitting(console: Console, sitting_id: str, reason: str) -> None:
    """Hold a running sitting up: its question is hidden, its time stands still."""
    from item_bank.exams.conditions import pause

    with _acting(console, sitting_id) as (db, actor):
        pause(db, actor, sitting_id, reason)
        _say(console, db, sitting_id, "is paused")


@sitting.command("resume")
@ID
@click.pass_obj
def resume_sitting(console: Console, sitting_id: str) -> None:
    """Let a paused sitting go on, with the whole pause put on its deadline."""
    from item_bank.exams.conditions import resume

    with _acting(console, sitting_id) as (db, actor):
        resume(db, actor, sitting_id)
        _say(console, db, sitting_id, "goes on")


@sitting.command("grant")
@ID
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), required=True, help="How many."
)
@click.option("--reason", required=True, help="Why; kept with the time.")
@click.pass_obj
def grant_minutes(console: Console, sitting_id: str, minutes: float, reason: str) -> None:
    """Give a running sitting more time; one that has ended is not opened again."""
    from item_bank.exams.conditions import grant_time

    with _acting(console, sitting_id) as (db, actor):
        grant_time(db, actor, sitting_id, max(round(minutes * 60), 1), reason)
        _say(console, db, sitting_id, f"has {minutes:g} minutes more")


@sitting.command("terminate")
@ID
@click.option("--reason", required=True, help="Why; kept with the end.")
@click.pass_obj
def terminate_sitting(console: Console, sitting_id: str, reason: str) -> None:
    """End a running sitting now; what was answered counts as when the time is over."""
    from item_bank.exams.conditions import terminate

    with _acting(console, sitting_id) as (db, actor):
        terminate(db, actor, sitting_id, reason)
        _say(console, db, sitting_id, "has ended")


@sitting.command("message")
@ID
@click.argument("text")
@click.pass_obj
def message_candidate(console: Console, sitting_id: str, text: str) -> None:
    """Put TEXT on the page of a running sitting."""
    from item_bank.exams.conditions import send_message

    with _acting(console, sitting_id) as (db, actor):
        message = send_message(db, actor, sitting_id, text)
        _say(console, db, sitting_id, "has a message", message=message)


@sitting.command("release")
@ID
@click.pass_obj
def release_sitting(console: Console, sitting_id: str) -> None:
    """Let another device take a running sitting over, once, where the exam denies it."""
    from item_bank.exams.conditions import release_lease

    with _acting(console, sitting_id) as (db, actor):
        release_lease(db, actor, sitting_id)
        _say(console, db, sitting_id, "may be taken over by another device")


def _say(console: Console, db: Database, sitting_id: str, what: str, **more: Any) -> None:
    """Say what became of a sitting, and until when it runs."""
    from item_bank.exams.actors import command_line
    from item_bank.exams.rooms import sitting_in_room
    from item_bank.store.schema import organisation

    row = sitting_in_room(db, command_line(organisation(db)), sitting_id)
    data = {
        "sitting": sitting_id,
        "status": row.status,
        "pause": row.pause,
        "deadline_at": row.deadline_at,
        **more,
    }
    console.emit(data, f"Sitting {sitting_id} {what}.")


@contextmanager
def _acting(console: Console, sitting_id: str) -> Iterator[tuple[Database, Actor]]:
    """Open the site, and say in the command's way what cannot be done."""
    from item_bank.exams.actors import command_line
    from item_bank.exams.errors import NotAllowed, NotFound
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        try:
            yield db, command_line(organisation(db))
        except NotFound:
            expected = "the id of a sitting (see `tarozu sitting list`)"
            raise InputError(expected, repr(sitting_id)) from None
        except NotAllowed as reason:
            raise AnswerIsNo(f"{sitting_id}: {reason}") from None
