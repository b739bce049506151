"""`tarozu bank status`, `move` and `sign-off`: the life cycle of items on the command line.

`items/cli.py` adds them to `tarozu bank`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from item_bank.console import Console, table

if TYPE_CHECKING:
    from item_bank.store.database import Database

AS = "E-mail of the account that acts; its role decides. Without it, the operator of the host."


@contextmanager
def _site(console: Console) -> Iterator[tuple[Database, str]]:
    from item_bank.store.schema import opened_site, organisation

    with opened_site(console.database_url) as db:
        yield db, organisation(db)


@click.command("status")
@click.argument("code")
@click.argument("item", required=False)
@click.pass_obj
def status_of(console: Console, code: str, item: str | None) -> None:
    """Say where the items of a bank stand, or one ITEM and what its next moves lack."""
    from item_bank.items.authoring.listing import bank_standings
    from item_bank.items.authoring.wording import (
        STANDINGS,
        counts_text,
        item_text,
        standing_data,
        standing_shown,
    )

    with _site(console) as (db, organisation):
        found = bank_standings(db, code, organisation_id=organisation, item=item)
    rows = [standing_data(one) for one in found]
    if item is not None:
        console.emit(rows[0], item_text(found[0]))
        return
    console.emit(rows, table(STANDINGS, [standing_shown(row) for row in rows]))
    if not console.json:
        console.emit(None, counts_text(found))


@click.command("move")
@click.argument("code")
@click.argument("item")
@click.argument("state")
@click.option("--reason", default="", help="Why; kept with the move.")
@click.option("--as", "email", metavar="EMAIL", help=AS)
@click.pass_obj
def move(
    console: Console, code: str, item: str, state: str, reason: str, email: str | None
) -> None:
    """Move ITEM to STATE: draft, reviewed, translated, pretest, operational, held or retired."""
    from item_bank.items.authoring.actors import actor_by_email
    from item_bank.items.authoring.moves import move_item
    from item_bank.items.authoring.wording import standing_data
    from item_bank.items.life_cycle import state_named

    to = state_named(state)
    with _site(console) as (db, organisation):
        actor = actor_by_email(db, email, organisation_id=organisation)
        after = move_item(db, code, item, to, actor, reason, organisation_id=organisation)
    console.emit(standing_data(after), f"{code}: {item} is {after.shown}.")


@click.command("sign-off")
@click.argument("code")
@click.argument("items", nargs=-1, required=True)
@click.option("--language", default="", help="The text in this language; else the whole review.")
@click.option("--as", "email", required=True, metavar="EMAIL", help="Whose word it is.")
@click.pass_obj
def sign(console: Console, code: str, items: Sequence[str], language: str, email: str) -> None:
    """Sign the newest text of ITEMS off: its review, or its text in one language."""
    from item_bank.items.authoring.actors import actor_by_email
    from item_bank.items.authoring.moves import sign_off
    from item_bank.items.authoring.wording import standing_data

    with _site(console) as (db, organisation):
        actor = actor_by_email(db, email, organisation_id=organisation)
        after = [
            sign_off(db, code, item, language, actor, organisation_id=organisation)
            for item in items
        ]
    what = f"text in {language}" if language else "review"
    text = "\n".join(f"{code}: the {what} of {item} is signed off." for item in items)
    console.emit([standing_data(one) for one in after], text)
