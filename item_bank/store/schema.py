"""The schema and the site row: make them, upgrade them, and refuse a database that is not ours.

`tarozu init` and the demonstration call `initialise`; every other command `open_site`. An upgrade
runs in one transaction that is rolled back when a table would lose rows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, load_only

from engine.errors import AnswerIsNo, InputError
from item_bank.store.audit import append_site_event
from item_bank.store.backup import backup_revision, copy_sqlite, make_file
from item_bank.store.clock import boot_id, set_anchor
from item_bank.store.database import Database, open_database, will_write
from item_bank.store.secret_keys import make_secrets
from item_bank.store.tables.site import ClockAnchor, OrganisationRow, Site
from item_bank.store.tables.sittings import Sitting

SITE, DEMONSTRATION = "site", "demonstration"
RESTORED = "restored"
STEP = 1000  # sittings of a restored site are numbered from the next thousand on
_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_274_122  # PostgreSQL's advisory lock of an upgrade


@dataclass(frozen=True)
class UpgradeReport:
    """What an upgrade did; the revisions are equal when there was nothing to do."""

    from_revision: str | None
    to_revision: str
    backup: Path | None = None

    @property
    def changed(self) -> bool:
        """Whether the schema changed."""
        return self.from_revision != self.to_revision


class Unreachable(InputError):  # noqa: N818 - a state, not a fault of ours
    """No database answers at the address."""


# --- the schema --------------------------------------------------------------------------------


def head_revision() -> str:
    """The revision that this software knows as the newest."""
    return str(_scripts().get_current_head())


def current_revision(db: Database) -> str | None:
    """The revision of the database; None where it has no schema.

    Raises
    ------
    Unreachable
        When no database answers.
    """
    if db.path is not None and not db.path.exists():
        return None
    try:
        with db.engine.connect() as connection:
            return _revision(connection)
    except DatabaseError as error:
        problem = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unreachable("a database that can be opened", problem, file=_name(db)) from error


def check_schema(db: Database) -> None:
    """Refuse a database that is empty, old, or of a newer Tarozu.

    Raises
    ------
    InputError
        Saying which it is and what to do.
    """
    revision, head = current_revision(db), head_revision()
    if revision is None:
        raise InputError("a Tarozu database", "none yet (run `tarozu init`)", file=_name(db))
    if revision not in _known_revisions():
        found = f"{revision} (made by a newer Tarozu; upgrade the software)"
        raise InputError(f"schema {head}", found, file=_name(db))
    if revision != head:
        found = f"{revision} (run `tarozu init` to upgrade it)"
        raise InputError(f"schema {head}", found, file=_name(db))


def upgrade(db: Database, to: str = "head") -> UpgradeReport:
    """Bring the schema to the newest revision, or leave everything as it was.

    Raises
    ------
    AnswerIsNo
        When a table would have lost rows.
    InputError
        When the database is of a newer Tarozu, or is some other program's.
    """
    before = current_revision(db)
    if before is not None and before not in _known_revisions():
        check_schema(db)
    backup = _backup_before(db, before)
    with migration(db) as connection:
        _refuse_foreign(connection, db)
        counts = _row_counts(connection)
        command.upgrade(migration_config(connection), to)
        _check_rows(connection, counts)
        return UpgradeReport(before, str(_revision(connection)), backup)


def migration_config(connection: Connection) -> Config:
    """Tell Alembic where the history is and on which connection to work; there is no file."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def migration(db: Database) -> Iterator[Connection]:
    """One write transaction, with SQLite's foreign keys off: a batch alter would cascade."""
    with db.engine.connect() as connection:
        if not db.is_sqlite:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _UPGRADE_LOCK})
                yield connection
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")  # without effect once a transaction has begun
        try:
            will_write(connection)
            with connection.begin():
                yield connection
                _check_foreign_keys(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(connection: Connection) -> None:
    orphan = connection.execute(text("PRAGMA foreign_key_check")).first()
    if orphan is not None:
        raise AnswerIsNo(f"upgrade refused: {orphan[0]} would point at no {orphan[2]}")


def _refuse_foreign(connection: Connection, db: Database) -> None:
    tables = inspect(connection).get_table_names()
    if tables and "alembic_version" not in tables:
        raise InputError(
            "an empty database", f"tables of another program: {tables[0]}", file=_name(db)
        )


def _backup_before(db: Database, revision: str | None) -> Path | None:
    if db.path is None or revision in {None, head_revision()}:
        return None
    target = db.path.with_name(f"{db.path.name}.before-{head_revision()}")
    copy_sqlite(db.path, target)
    return target


def _row_counts(connection: Connection) -> dict[str, int]:
    tables = inspect(connection).get_table_names()
    return {t: _count(connection, t) for t in tables if t != "alembic_version"}


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0)  # noqa: S608


def _check_rows(connection: Connection, before: dict[str, int]) -> None:
    after = _row_counts(connection)
    lost = [t for t, n in before.items() if t in after and after[t] < n]
    if lost:
        raise AnswerIsNo(f"upgrade refused, nothing changed: rows lost in {', '.join(lost)}")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


@functools.cache
def _known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


# --- the site ----------------------------------------------------------------------------------


def initialise(
    db: Database,
    *,
    kind: str | None = SITE,
    organisation: tuple[str, str] = ("default", "Default organisation"),
) -> UpgradeReport:
    """Make or upgrade secrets, schema, site row, first organisation and the clock's anchor.

    ``kind`` None upgrades either kind and makes a site where there is none.

    Raises
    ------
    InputError
        When the database belongs to other secrets, or is of the other kind.
    """
    if db.path is not None:
        make_file(db.path)
    site = _site(db) if current_revision(db) is not None else None
    if site is None:
        make_secrets(db.secrets_folder)
    else:
        _check_secrets_are_there(db)
        _check_site(db, site, kind)
    report = upgrade(db)
    with db.write() as session:
        _anchor(db, session)
        _write_site(db, session, kind or SITE, organisation, report)
    return report


def open_site(url: str | None, *, kind: str | None = None) -> Database:
    """Open an existing database whose schema, secrets and kind are as they should be.

    Raises
    ------
    InputError
        Saying what is wrong and what to do.
    """
    db = open_database(url)
    try:
        _check_all(db, kind)
    except BaseException:
        db.close()
        raise
    return db


def _check_all(db: Database, kind: str | None) -> None:
    check_schema(db)
    site = _site(db)
    if site is None:
        raise InputError("a site", "a schema without one (run `tarozu init`)", file=_name(db))
    _check_site(db, site, kind)
    if not _anchored(db):
        with db.write() as session:
            _anchor(db, session)


def check_restorable(db: Database, file: Path) -> None:
    """Refuse a backup, checked already, that is not Tarozu's or is of a newer one."""
    revision = backup_revision(db, file)
    if revision not in _known_revisions():
        found = f"schema {revision} of a newer one" if revision else "another program's"
        raise InputError(f"a backup of this Tarozu (schema {head_revision()})", found, file=file)


def highest_number(db: Database) -> int:
    """Return the highest number that a sitting of a database has; 0 where it has no sittings."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("sittings"):
            return 0
        return int(connection.scalar(select(func.max(Sitting.number))) or 0)


def after_restore(db: Database, *, replaced: int = 0) -> str:
    """Upgrade a restored database and note the restore in its chain; say what is still wrong.

    Parameters
    ----------
    replaced
        The highest number of a sitting in what was replaced, where it is known.
    """
    db.engine.dispose()
    report = upgrade(db)
    numbers_from = STEP * (1 + max(highest_number(db), replaced) // STEP)
    with db.write() as session:
        _anchor(db, session)
        now = db.now(session)
        payload = {"revision": report.from_revision, "numbers_from": numbers_from}
        append_site_event(session, RESTORED, payload, now)
        site = session.get(Site, 1)
    try:
        if site is not None:
            _check_site(db, site, None)
    except InputError as error:
        return f"Not usable yet: {error}"
    return ""


@contextmanager
def opened_site(url: str | None, *, kind: str | None = None) -> Iterator[Database]:
    """Open as `open_site` does and let go of it at the end; for commands."""
    db = open_site(url, kind=kind)
    try:
        yield db
    finally:
        db.close()


def site_kind(db: Database) -> str:
    """Return "site" or "demonstration"."""
    site = _site(db)
    return site.kind if site else ""


def organisation(db: Database) -> str:
    """Return the id of the first organisation."""
    with db.read() as session:
        first = select(OrganisationRow.id).order_by(OrganisationRow.created_at, OrganisationRow.id)
        return session.scalars(first.limit(1)).one()


def _site(db: Database) -> Site | None:
    """Read the site row as far as every schema has it: this runs before an upgrade, too."""
    known = load_only(Site.kind, Site.created_at, Site.secrets_fingerprint)
    with db.read() as session:
        return session.scalars(select(Site).options(known)).one_or_none()


def _check_site(db: Database, site: Site, kind: str | None) -> None:
    if kind is not None and site.kind != kind:
        raise InputError(f"a {kind} database", f"a {site.kind} database", file=_name(db))
    if db.secrets().fingerprint != site.secrets_fingerprint:
        found = f"another (copy the site's secrets to {db.secrets_folder})"
        raise InputError("secrets with the fingerprint in the database", found, file=_name(db))


def _check_secrets_are_there(db: Database) -> None:
    """Say what helps when a database has lost its secrets: new ones would not fit it."""
    try:
        db.secrets()
    except InputError as error:
        expected = "the secrets that belong to this database (put your copy of them there)"
        raise InputError(expected, "none", file=error.file) from None


def _write_site(
    db: Database,
    session: Session,
    kind: str,
    first: tuple[str, str],
    report: UpgradeReport,
) -> None:
    now = db.now(session)
    if session.get(Site, 1) is None:
        fingerprint = db.secrets().fingerprint
        session.add(Site(id=1, kind=kind, created_at=now, secrets_fingerprint=fingerprint))
        session.add(OrganisationRow(code=first[0], name=first[1], created_at=now))
        append_site_event(session, "site_initialised", {"kind": kind}, now)
    if report.changed:
        payload = {"from": report.from_revision, "to": report.to_revision}
        append_site_event(session, "schema_upgraded", payload, now)


def _anchored(db: Database) -> bool:
    if not db.is_sqlite:
        return True
    with db.read() as session:
        return session.get(ClockAnchor, boot_id()) is not None


def _anchor(db: Database, session: Session) -> None:
    if db.is_sqlite:
        set_anchor(session.connection())


def _name(db: Database) -> str:
    return db.engine.url.render_as_string(hide_password=True)
