"""Fixtures of the site: an exam hall with its application, and visitors of every kind.

SQLite is enough here: what differs between databases is tested where the tables are.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from support.processes import Server
from support.sittings import EXAM
from support.visitors import Visitor
from werkzeug.serving import make_server

from item_bank.exams.accounts import add_staff
from item_bank.exams.designs import apply_exam
from item_bank.exams.people import RosterRow, import_roster
from item_bank.store.schema import organisation
from web.app import create_app
from web.settings import Settings

PASSWORD = "weigh-with-care"


@pytest.fixture
def database_url(tmp_path, template_folder, monkeypatch) -> str:
    """The URL of a fresh initialised SQLite database."""
    shutil.copytree(template_folder / "secrets", tmp_path / "secrets")
    monkeypatch.setenv("TAROZU_SECRETS", str(tmp_path / "secrets"))
    shutil.copy(template_folder / "tarozu.db", tmp_path / "tarozu.db")
    return f"sqlite:///{tmp_path / 'tarozu.db'}"


@pytest.fixture
def visitor(app) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def staff(app, hall) -> Callable[[str], Visitor]:
    """Sign in a member of staff of a role."""

    def sign_in(role: str) -> Visitor:
        email = f"{role}@example.org"
        add_staff(hall.db, email, role, PASSWORD, organisation_id=organisation(hall.db))
        one = Visitor(app)
        one.sign_in_staff(email, PASSWORD)
        return one

    return sign_in


@pytest.fixture
def codes(db, small_bank) -> dict[str, str]:
    """Access codes by name, to the exam on the small bank, under the real clock."""
    home = organisation(db)
    exam, _ = apply_exam(db, EXAM, organisation_id=home)
    rows = [RosterRow("A", "Alice", language="en"), RosterRow("B", "Bob", language="ru")]
    issued = import_roster(db, rows, exam.plan.code, organisation_id=home)
    add_staff(db, "examiner@example.org", "examiner", PASSWORD, organisation_id=home)
    return {person.name: str(person.code) for person in issued}


@pytest.fixture
def address(db, codes) -> Iterator[str]:
    """The address of the site on `db`, served by a thread of this process."""
    served = make_server("127.0.0.1", 0, create_app(db, Settings()), threaded=True)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def server(database_url, codes, tmp_path) -> Iterator[Server]:
    """A running server process on the database of `db`."""
    one = Server(database_url, tmp_path / "secrets", tmp_path / "server.log")
    one.start()
    yield one
    one.stop()
