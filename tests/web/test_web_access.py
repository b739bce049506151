"""Sessions: how they begin and end, where they lead, and that every view says whom it is for."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.visitors import HTMX, Visitor

from item_bank.store.tables.people import EndedSession
from web.access import check_audiences, local_path
from web.app import create_app
from web.settings import Settings


def test_an_ended_session_sends_htmx_to_sign_in_and_back(visitor):
    here = HTMX | {"HX-Current-URL": "http://localhost/sitting/abc"}
    response = visitor.client.post("/sitting/abc/answer", headers=here)

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/?next=/sitting/abc&again=1"


def test_the_application_does_not_start_with_a_view_that_names_no_audience(hall):
    app = create_app(hall.db, Settings())
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    with pytest.raises(RuntimeError, match="forgotten"):
        check_audiences(app)
    assert app.test_client().get("/forgotten").status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        None,
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "evil",
        "/\t/evil.example",
    ],
)
def test_only_paths_of_this_site_are_followed_after_sign_in(path):
    assert local_path(path) is None


def test_a_path_of_this_site_is_followed(visitor, hall):
    visitor.get("/?next=/home")
    response = visitor.post("/?next=/home", {"code": hall.codes["Alice"]})

    assert response.headers["Location"] == "/home"


def test_signing_in_starts_a_new_session(visitor, hall):
    visitor.get("/?lang=ru")
    before = visitor.field("csrf_token")
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    visitor.sign_in(hall.codes["Alice"])

    with visitor.client.session_transaction() as session:
        assert "planted" not in session
        assert session["language"] == "ru"
    assert visitor.field("csrf_token") != before


def test_signing_out_ends_the_session(alice):
    alice.get("/home")
    alice.post("/sign-out")

    assert alice.get("/home").status_code == 303


def copy_of(app, visitor: Visitor) -> Visitor:
    """Somebody who has copied the session's cookie."""
    thief = Visitor(app)
    thief.client.set_cookie("tarozu", visitor.client.get_cookie("tarozu").value)
    return thief


def test_a_copied_cookie_opens_nothing_after_signing_out_and_other_browsers_stay(app, hall, alice):
    elsewhere, thief = Visitor(app), copy_of(app, alice)
    elsewhere.sign_in(hall.codes["Alice"])
    assert thief.get("/home").status_code == 200

    alice.post("/sign-out")

    assert thief.get("/home").status_code == 303
    assert elsewhere.get("/home").status_code == 200


def test_a_copied_cookie_of_staff_opens_nothing_after_signing_out_or_in_again(app, staff):
    examiner = staff("examiner")
    first = copy_of(app, examiner)
    assert first.get("/staff/sittings").status_code == 200
    examiner.get("/staff/account")
    form = {"old": "weigh-with-care", "new": "weigh-with-more", "again": "weigh-with-more"}
    assert examiner.post("/staff/account", form).status_code == 303
    second = copy_of(app, examiner)
    assert second.get("/staff/sittings").status_code == 200
    examiner.get("/staff/account")
    examiner.post("/staff/sign-out")

    assert first.get("/staff/sittings").status_code == 303
    assert second.get("/staff/sittings").status_code == 303


def test_ended_sessions_are_forgotten_when_every_copy_has_expired(app, hall, alice):
    alice.post("/sign-out")
    hall.clock.pass_seconds(25 * 3600)
    alice.sign_in(hall.codes["Alice"])
    alice.post("/sign-out")

    with hall.db.read() as session:
        assert len(session.scalars(select(EndedSession)).all()) == 1


@pytest.mark.parametrize("identity", ["", "staff", "staff:x:y:1:2", "candidate:x", "king:a:b:c"])
def test_a_session_that_names_nobody_opens_nothing(app, identity):
    one = Visitor(app)
    with one.client.session_transaction() as session:
        session["_user_id"] = identity

    assert one.get("/home").status_code == 303


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    cookie = visitor.get("/").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_session_cookie_keeps_to_https_where_the_site_does(hall):
    response = create_app(hall.db, Settings(secure_cookies=True)).test_client().get("/")

    assert "Secure" in response.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in response.headers
