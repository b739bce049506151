"""The schema: made by migrations, equal to the tables in code, and append-only where it must be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, create_engine, text
from sqlalchemy.exc import DatabaseError

from engine.errors import AnswerIsNo, InputError
from item_bank.store.audit import breaks
from item_bank.store.database import open_database
from item_bank.store.migrations.__main__ import draft
from item_bank.store.schema import (
    Unreachable,
    check_schema,
    head_revision,
    initialise,
    open_site,
    organisation,
    site_kind,
    upgrade,
)
from item_bank.store.tables.all import metadata
from item_bank.store.tables.base import CanonicalJson
from item_bank.store.tables.records import SiteEvent
from item_bank.store.triggers import APPEND_ONLY, missing_triggers


def test_migrated_schema_equals_the_tables_in_code(db):
    with db.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []


def test_every_append_only_table_has_its_triggers(db):
    with db.engine.connect() as connection:
        assert missing_triggers(connection) == []


def test_site_events_can_neither_be_changed_nor_deleted(db):
    statements = (
        "UPDATE site_events SET kind = 'x'",
        "DELETE FROM site_events",
        "INSERT OR REPLACE INTO site_events SELECT * FROM site_events"
        if db.is_sqlite
        else "TRUNCATE site_events",
    )
    for statement in statements:
        with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
            session.execute(text(statement))


def test_append_only_tables_exist():
    assert set(APPEND_ONLY) <= set(metadata.tables)


def test_initialise_twice_changes_nothing(db):
    with db.read() as session:
        before = session.query(SiteEvent).count()

    report = initialise(db)

    assert not report.changed
    with db.read() as session:
        events = session.query(SiteEvent).order_by(SiteEvent.number).all()
        assert len(events) == before
        assert breaks("site", events) == []


def test_open_site_gives_the_default_organisation(database_url):
    db = open_site(database_url)

    assert len(organisation(db)) == 32
    assert site_kind(db) == "site"
    db.close()


def test_open_site_refuses_another_kind(database_url):
    with pytest.raises(InputError, match="expected a demonstration database, found a site"):
        open_site(database_url, kind="demonstration")


def test_open_site_refuses_other_secrets(database_url, tmp_path):
    (tmp_path / "secrets" / "codes").write_text("another key")

    with pytest.raises(InputError, match="fingerprint"):
        open_site(database_url)


def test_initialise_refuses_other_secrets_and_makes_none(db, tmp_path):
    elsewhere = tmp_path / "elsewhere"

    with pytest.raises(InputError, match="the secrets that belong to this database"):
        initialise(replace(db, secrets_folder=elsewhere))

    assert not elsewhere.exists()


def test_no_database_is_named_with_what_to_do(tmp_path):
    db = open_database(f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(InputError, match="run `tarozu init`"):
        check_schema(db)

    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    file = tmp_path / "letter.db"
    file.write_text("Dear Sir or Madam, " * 100)
    db = open_database(f"sqlite:///{file}")

    with pytest.raises(InputError, match="file is not a database"):
        initialise(db)

    db.close()
    assert file.read_text().startswith("Dear Sir")


def test_a_newer_schema_is_refused(db):
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for refused in (check_schema, upgrade, initialise):
        with pytest.raises(InputError, match="newer Tarozu"):
            refused(db)


def test_tables_of_another_program_are_refused(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (title TEXT)"))
    engine.dispose()
    db = open_database(f"sqlite:///{tmp_path / 'other.db'}")

    with pytest.raises(InputError, match="tables of another program: songs"):
        upgrade(db)
    db.close()


def test_an_upgrade_keeps_rows_and_triggers_and_backs_up_the_file(tmp_path):
    db = open_database(f"sqlite:///{tmp_path / 'tarozu.db'}")
    upgrade(db, "0001")
    with db.write() as session:
        session.execute(text("INSERT INTO organisations VALUES ('o', 'o', 'Old', 1)"))

    report = initialise(db)

    assert (report.from_revision, report.to_revision) == ("0001", head_revision())
    assert report.backup is not None
    assert report.backup.stat().st_mode & 0o777 == 0o600
    with db.engine.connect() as connection:
        assert missing_triggers(connection) == []
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        names = set(connection.scalars(text("SELECT name FROM organisations")))
        assert names == {"Old", "Default organisation"}
    db.close()


@pytest.mark.postgres
def test_an_empty_postgres_database_is_upgraded(empty_postgres, tmp_path):
    db = replace(open_database(empty_postgres), secrets_folder=tmp_path / "secrets")

    with pytest.raises(InputError, match="run `tarozu init`"):
        check_schema(db)
    initialise(db)

    check_schema(db)
    db.close()


def test_an_absent_server_is_one_plain_message():
    db = open_database("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(InputError, match="expected a database that can be opened"):
        check_schema(db)


def test_an_upgrade_that_would_lose_rows_changes_nothing(db, monkeypatch):
    def careless(config, _to):
        connection = config.attributes["connection"]
        connection.execute(text("DELETE FROM organisations"))

    monkeypatch.setattr("item_bank.store.schema.command.upgrade", careless)

    with pytest.raises(AnswerIsNo, match="nothing changed: rows lost in organisations"):
        upgrade(db)

    assert len(organisation(db)) == 32


def test_a_database_that_does_not_answer_is_told_apart_from_one_that_is_empty(tmp_path):
    with pytest.raises(Unreachable):
        check_schema(open_database("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(InputError) as refused:
        check_schema(open_database(f"sqlite:///{tmp_path / 'none.db'}"))
    assert not isinstance(refused.value, Unreachable)


def test_a_drafted_revision_holds_what_differs_and_nothing_else(tmp_path, monkeypatch):
    table = metadata.tables["item_holds"]
    extra = Column("placed_by", CanonicalJson(), nullable=True)
    table.append_column(extra)
    try:
        file = draft("who placed a hold", tmp_path)
    finally:
        table._columns.remove(extra)

    written = file.read_text()
    assert file.name == f"r{int(head_revision()) + 1:04}_who_placed_a_hold.py"
    assert written.startswith('"""who placed a hold."""')
    assert "batch_op.add_column(sa.Column('placed_by', sa.Text(), nullable=True))" in written
    assert written.count("batch_op.") == 1
