"""What Alembic runs: the migrations on the connection that `store/schema.py` hands over.

The append-only triggers are taken away before and put back after, since a batch alter on SQLite
drops a table's triggers without an error.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from item_bank.store.tables.all import metadata
from item_bank.store.tables.base import CanonicalJson
from item_bank.store.triggers import create_triggers, drop_triggers


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A revision names no type of ours: it must run when the code has moved on."""
    return "sa.Text()" if kind == "type" and isinstance(item, CanonicalJson) else False


def run() -> None:
    """Bring the schema to the revision asked for, in the transaction of the caller."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
        compare_server_default=True,
        render_item=render_item,
    )
    drop_triggers(connection)
    with context.begin_transaction():
        context.run_migrations()
    create_triggers(connection)


run()
