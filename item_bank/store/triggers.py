"""Triggers that make the records append-only: no UPDATE, no DELETE, no TRUNCATE.

Called by the migrations; `doctor` asks whether all of them are there. What may be erased by law
(`response_contents`, `candidate_details`) has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

APPEND_ONLY = (
    "presented_items",
    "responses",
    "sitting_events",
    "site_events",
    "release_items",
    "releases",
    "exam_versions",
    "item_revisions",
    "item_variants",
    "stimulus_revisions",
    "stimulus_variants",
    "media",
    "revision_media",
    "stimulus_media",
    "results",
    "revision_editors",
    "sign_offs",
    "item_moves",
    "decisions",
    "correction_signatures",
)
_FUNCTION = """
CREATE OR REPLACE FUNCTION tarozu_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def create_triggers(connection: Connection) -> None:
    """Protect every append-only table that exists."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text(_FUNCTION))
    for table in _existing(connection):
        for statement in _sqlite(table) if sqlite else _postgres(table):
            connection.execute(text(statement))


def drop_triggers(connection: Connection) -> None:
    """Take the protection away, for a migration."""
    sqlite = connection.dialect.name == "sqlite"
    for table in _existing(connection):
        for name in trigger_names(table, sqlite=sqlite):
            on = "" if sqlite else f" ON {table}"
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{on}"))


def missing_triggers(connection: Connection) -> list[str]:
    """Name the triggers that should be there and are not."""
    sqlite = connection.dialect.name == "sqlite"
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if sqlite
        else "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    )
    present = set(connection.scalars(text(query)))
    wanted = [name for t in APPEND_ONLY for name in trigger_names(t, sqlite=sqlite)]
    return [name for name in wanted if name not in present]


def trigger_names(table: str, *, sqlite: bool) -> list[str]:
    """Names of the triggers of one table."""
    return [
        f"{table}_no_{act}" for act in (("update", "delete") if sqlite else ("change", "empty"))
    ]


def _existing(connection: Connection) -> list[str]:
    present = set(inspect(connection).get_table_names())
    return [table for table in APPEND_ONLY if table in present]


def _sqlite(table: str) -> Iterator[str]:
    for act in ("update", "delete"):
        yield (
            f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _postgres(table: str) -> Iterator[str]:
    for name, act, each in (
        ("change", "UPDATE OR DELETE", "ROW"),
        ("empty", "TRUNCATE", "STATEMENT"),
    ):
        yield (
            f"CREATE TRIGGER {table}_no_{name} BEFORE {act} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION tarozu_append_only()"
        )
