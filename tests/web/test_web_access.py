"""Sessions: how they begin and end, where they lead, and that every view says whom it is for."""

from __future__ import annotations

import pytest
from support.visitors import HTMX

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


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    cookie = visitor.get("/").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_session_cookie_keeps_to_https_where_the_site_does(hall):
    response = create_app(hall.db, Settings(secure_cookies=True)).test_client().get("/")

    assert "Secure" in response.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in response.headers
