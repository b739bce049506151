"""Hostile texts in every field, query and address: no fault, and nothing of others is changed."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select
from support.postgres import administer
from support.routes import routes
from support.visitors import Visitor

import web
from item_bank.exams.accounts import add_staff
from item_bank.exams.verification import verify
from item_bank.store.schema import organisation
from item_bank.store.tables.exams import Exam, Registration
from item_bank.store.tables.items import Item
from item_bank.store.tables.people import AccessCode, CandidateDetails, StaffAccount
from item_bank.store.tables.releases import Release
from web.access import CANDIDATE, ROLES

PASSWORD = "weigh-with-care"
HOSTILE = (
    "' OR '1'='1",
    "'; DROP TABLE candidates; --",
    "x') UNION SELECT password_hash FROM staff_accounts --",
    "%' ESCAPE '",
    "%_\\%",
    "nul \0 nul",
    "\ud7ff\uffff\u202e{{7*7}}${7*7}",
    "9" * 400,
    "١٢٣",  # decimal digits to Python
)
SOURCE = Path(web.__file__).parent
WHOLE = {"step", "number", "place"}  # arguments that no address has but as a number
KEPT = (CandidateDetails, StaffAccount, AccessCode, Exam, Registration, Item, Release)


def field_names() -> list[str]:
    """Every name that a view reads or a form sends."""
    views = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    forms = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.html")]
    read = {name for text in views for name in re.findall(r'(?:get|_field)\("(\w+)"', text)}
    read |= {name for text in views for name in re.findall(r'"(\w+)" in request\.', text)}
    sent = {name for text in forms for name in re.findall(r'\bname="(\w+)"', text)}
    return sorted((read | sent) - {"csrf_token", "viewport", "lang"})


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request, database_url, monkeypatch):
    """Both kinds of database: they take texts differently."""
    url = database_url
    if request.param == "postgres":
        template = request.getfixturevalue("postgres_template")
        main = request.getfixturevalue("postgres_server")
        name = f"tz_{uuid.uuid4().hex[:16]}"
        administer(main, f"CREATE DATABASE {name} TEMPLATE {template.database}")
        url = main.set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("TAROZU_DATABASE_URL", url)
    yield url
    if request.param == "postgres":
        administer(main, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def visitors(app, hall) -> dict[str, Visitor]:
    """Somebody of each role, with a sitting that runs."""
    alice = Visitor(app)
    alice.sign_in(hall.codes["Alice"])
    alice.begin()
    found = {CANDIDATE: alice}
    for role in ROLES:
        email = f"{role}@example.org"
        add_staff(hall.db, email, role, PASSWORD, organisation_id=organisation(hall.db))
        found[role] = Visitor(app)
        found[role].sign_in_staff(email, PASSWORD)
    return found


def kept(hall) -> list[list[object]]:
    """The rows of people and banks, as they are."""
    with hall.db.read() as session:
        tables = [table.__table__ for table in KEPT]
        return [sorted(map(str, session.execute(select(table)))) for table in tables]


def own_values(hall, alice: Visitor) -> dict[str, str]:
    """Records that are there, so that a view goes on to what was sent."""
    sitting = re.search(r"/sitting/(\w+)/answer", alice.page)
    assert sitting
    with hall.db.read() as session:
        mine = Registration.candidate_id == hall.alice.candidate_id
        registration = session.scalar(select(Registration.id).where(mine))
        item = session.scalars(select(Item.id)).first()
    return {"sitting_id": sitting[1], "registration_id": str(registration), "item_id": str(item)}


def test_hostile_texts_in_every_field_and_query_change_nothing(app, hall, visitors):
    names, before = field_names(), kept(hall)
    values = own_values(hall, visitors[CANDIDATE])
    assert {"email", "password", "code", "q", "status", "position", "reason"} <= set(names)

    for text in HOSTILE:
        sent = dict.fromkeys(names, text)
        for route in routes(app):
            if "sign_out" in route.endpoint or route.endpoint == "static":
                continue
            address = route.address(**values)
            visitor = Visitor(app) if route.is_public else visitors[min(route.audience)]
            if route.method == "POST":
                if route.is_public:
                    visitor.get("/")
                response = visitor.post(address, sent | {"csrf_token": visitor.token()})
            else:
                response = visitor.get(address, query_string=sent)
            assert response.status_code < 500, (route, text)

    assert kept(hall) == before
    assert verify(hall.db).problems == ()


def test_hostile_texts_as_parts_of_an_address_change_nothing(app, hall, visitors):
    before = kept(hall)
    for text in HOSTILE:
        for route in routes(app):
            if not route.arguments - WHOLE or route.endpoint == "static":
                continue
            hostile = dict.fromkeys(route.arguments - WHOLE, text[:80])
            visitor = visitors[CANDIDATE if route.is_public else min(route.audience)]
            if route.method == "POST":
                form = {"csrf_token": visitor.token(), "position": "1", "epoch": "1"}
                response = visitor.post(route.address(**hostile), form)
            else:
                response = visitor.get(route.address(**hostile))
            assert response.status_code in {400, 404, 410}, (route, text)

    assert kept(hall) == before


COMMANDS = (
    ("sitting", "list", "--search", "{}"),
    ("sitting", "list", "--exam", "{}"),
    ("sitting", "show", "{}"),
    ("sitting", "export", "--bank", "{}"),
    ("sitting", "export", "--bank", "small", "--since", "{}"),
    ("sitting", "replay", "{}"),
    ("exam", "show", "{}"),
    ("exam", "close", "{}"),
    ("bank", "show", "{}"),
    ("user", "disable", "{}"),
    ("user", "reset", "{}"),
    ("candidates", "code", "{}"),
    ("candidates", "erase", "{}", "--reason", "{}"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_hostile_texts_on_the_command_line_change_nothing(hall, run_command, command):
    before = kept(hall)
    for text in HOSTILE:
        if "\0" in text:
            continue  # no shell hands it over
        status, _, said = run_command(*(part.format(text) for part in command))
        assert status in {0, 1, 2}
        assert "Traceback" not in said

    assert kept(hall) == before
    assert run_command("audit", "verify")[0] == 0
