"""Who may do what: every role against every route, and nobody against another's records.

The routes come from the application's URL map, so that a new one is tested as it is added.
"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select
from support.neighbours import CODE, move_in
from support.routes import Route, routes
from support.visitors import Visitor

from item_bank.exams.accounts import add_staff
from item_bank.store.schema import organisation
from item_bank.store.tables.base import Base
from web.access import CANDIDATE, ROLES
from web.app import create_app
from web.settings import Settings

PASSWORD = "weigh-with-care"
EVERYBODY = (CANDIDATE, *ROLES)
FIELDS = {"position": "1", "epoch": "1", "key": "k", "language": "en", "choice": "A", "to": "held",
          "reason": "r", "text": "t", "seen": "s", "seconds": "60", "minutes": "1"}  # fmt: skip
LEAVES = "sign_out"


@pytest.fixture
def neighbours(hall, tmp_path):
    return move_in(hall, tmp_path)


@pytest.fixture
def enter(app, hall):
    """Sign somebody in by role; nobody for None."""

    def sign_in(role: str | None) -> Visitor:
        one = Visitor(app)
        if role == CANDIDATE:
            one.sign_in(hall.codes["Alice"])
        elif role is not None:
            home = organisation(hall.db)
            add_staff(hall.db, f"{role}@example.org", role, PASSWORD, organisation_id=home)
            one.sign_in_staff(f"{role}@example.org", PASSWORD)
        return one

    return sign_in


def ask(visitor: Visitor, route: Route, **values: str):
    address = route.address(**values)
    if route.method == "GET":
        return visitor.get(address)
    return visitor.post(address, FIELDS | {"csrf_token": visitor.token()})


def plain(response) -> str:
    """A page without what differs each time: its number and its token."""
    text = re.sub(r'X-CSRFToken": "[^"]*"', "", response.text)
    return re.sub(r"<code>\w{16}</code>", "", text)


def test_nobody_gets_anywhere_without_signing_in(app, enter):
    guarded = [route for route in routes(app) if not route.is_public]

    assert len(guarded) > 30
    for route in guarded:
        response = enter(None).client.open(route.address(), method=route.method)
        place = "/" if CANDIDATE in route.audience else "/staff"
        assert response.status_code == 303, route
        assert response.headers["Location"].split("?")[0] == place, route


@pytest.mark.parametrize("role", EVERYBODY)
def test_each_role_gets_where_it_belongs_and_nowhere_else(app, enter, role):
    visitor = enter(role)
    for route in routes(app):
        if route.is_public or LEAVES in route.endpoint:
            continue
        response = ask(visitor, route)
        assert (response.status_code == 403) == (role not in route.audience), route
        assert response.status_code < 500, route
        assert not response.headers.get("Location", "").startswith(("/?", "/staff?")), route


def reaches(app, role: str) -> set[str]:
    return {route.endpoint for route in routes(app) if role in route.audience}


def test_no_role_may_do_more_than_its_work(app):
    staff = {role: reaches(app, role) for role in ROLES}

    everybodys = set.intersection(*staff.values())
    assert everybodys == {"examiner.sign_out", "accounts.own", "accounts.change_password"}
    assert not reaches(app, CANDIDATE) & set.union(*staff.values())
    assert not any(name.startswith("banks.") for name in staff["invigilator"])
    for name in ("examiner.report", "exams.exam", "accounts.overview"):
        assert name not in staff["invigilator"] | staff["author"]
    assert "examiner.sittings" not in staff["psychometrician"]
    for role in set(ROLES) - {"administrator"}:
        kept = {name for name in staff[role] if name.startswith("accounts.")}
        assert kept == {"accounts.own", "accounts.change_password"}


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_record_of_others_is_answered_as_one_that_is_not_there(
    app, hall, neighbours, enter, role
):
    visitor = enter(role)
    tried = 0
    for route in routes(app):
        ids = {name for name in route.arguments if name.endswith("_id") or name == "code"}
        if role not in route.audience or not ids:
            continue
        foreign = ask(visitor, route, **{n: neighbours.ids.get(n, "0" * 32) for n in ids})
        unknown = ask(visitor, route)
        assert foreign.status_code == unknown.status_code == 404, route
        assert plain(foreign) == plain(unknown), route
        assert not ids - set(neighbours.ids) or ids & set(neighbours.ids), route
        tried += 1
    assert tried > 0 or role == "invigilator"


def test_a_candidate_sees_nothing_of_another_in_the_same_hall(app, hall, enter):
    bob = Visitor(app)
    bob.sign_in(hall.codes["Bob"])
    sitting = bob.begin()
    alice = enter(CANDIDATE)
    for route in routes(app):
        if CANDIDATE in route.audience and "sitting_id" in route.arguments:
            assert ask(alice, route, sitting_id=sitting).status_code == 404, route
    bob.get(f"/sitting/{sitting}")
    assert bob.field("epoch") == "1"


@pytest.mark.parametrize("role", ROLES)
def test_no_list_names_anything_of_another_organisation(app, neighbours, enter, role):
    visitor = enter(role)
    for route in routes(app):
        if role in route.audience and route.method == "GET" and not route.arguments:
            page = ask(visitor, route).text
            assert CODE not in page, route
            assert "Carol" not in page, route


def counts(hall) -> dict[str, int]:
    with hall.db.read() as session:
        tables = Base.metadata.sorted_tables
        return {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


def test_no_form_is_taken_without_its_token(app, hall, enter):
    visitors = {role: enter(role) for role in (None, *EVERYBODY)}
    before = counts(hall)
    for route in routes(app):
        if route.method == "GET":
            continue
        role = None if route.is_public else min(route.audience)
        response = visitors[role].client.post(route.address(), data=FIELDS)
        assert response.status_code == 400, route
    assert counts(hall) == before


def test_the_table_is_made_for_a_site_with_all_its_routes(hall):
    debugging = create_app(hall.db, Settings(debug=True))

    assert all(route.audience for route in routes(debugging))
