"""Fixtures of the site: an exam hall with its application, and visitors of every kind.

SQLite is enough here: what differs between databases is tested where the tables are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from flask import Flask
from support.sittings import Hall, open_hall
from support.visitors import Visitor

from item_bank.exams.people import add_staff
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
def hall(db, small_bank) -> Hall:
    """An exam on the small bank, registered for by Alice and Bob."""
    return open_hall(db)


@pytest.fixture
def app(hall) -> Flask:
    return create_app(hall.db, Settings())


@pytest.fixture
def visitor(app) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(app)


@pytest.fixture
def alice(app, hall) -> Visitor:
    """A signed-in candidate."""
    one = Visitor(app)
    one.sign_in(hall.codes["Alice"])
    return one


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
