"""What goes with every response, and requests that are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import structlog
from support.visitors import HTMX, Visitor

from item_bank.store.database import open_database
from web.app import create_app
from web.settings import Settings


@pytest.mark.parametrize("address", ["/", "/staff", "/nothing", "/healthz", "/static/css/base.css"])
def test_every_response_carries_the_security_headers(visitor, address):
    headers = visitor.get(address).headers
    policy = headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "HX-Request" in headers["Vary"]


def test_pages_are_not_stored_and_static_files_are(visitor):
    page = visitor.get("/")
    address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]

    assert page.headers["Cache-Control"] == "no-store"
    assert "immutable" in visitor.get(address).headers["Cache-Control"]
    assert visitor.get("/static/none.css").headers["Cache-Control"] == "no-store"


def test_htmx_comes_from_its_package(visitor):
    response = visitor.get("/static/htmx.min.js")

    assert response.status_code == 200
    assert response.mimetype == "text/javascript"
    assert b"htmx" in response.data


def test_a_request_id_is_ours_and_never_the_visitors(visitor):
    response = visitor.get("/", headers={"X-Request-Id": "mine"})

    assert len(response.headers["X-Request-Id"]) == 16


def test_pages_have_no_inline_style_and_no_inline_script(alice):
    alice.get("/")
    sitting = alice.begin()
    pages = [alice.page]
    alice.finish(sitting)
    pages.append(alice.page)
    for page in pages:
        assert "style=" not in page
        assert "<script>" not in page
        assert "onclick" not in page


@pytest.mark.parametrize("address", ["/", "/staff"])
def test_a_form_without_its_token_is_refused_calmly(visitor, address):
    response = visitor.client.post(address, data={"code": "x"})

    assert response.status_code == 400
    assert "This page could not be sent" in response.text


def test_an_answer_without_its_token_is_refused_and_nothing_is_kept(alice):
    sitting = alice.begin()
    response = alice.client.post(f"/sitting/{sitting}/answer", data=alice.form())

    assert response.status_code == 400
    alice.get(f"/sitting/{sitting}")
    assert alice.field("position") == "1"


def test_a_large_request_is_refused(hall):
    visitor = Visitor(create_app(hall.db, Settings(max_request_kib=1)))
    visitor.get("/")
    response = visitor.post("/", {"code": "A" * 2000})

    assert response.status_code == 413
    assert "too large" in response.text


def test_a_missing_page_says_what_to_do_in_the_sites_look(visitor):
    response = visitor.get("/nothing")

    assert response.status_code == 404
    assert "There is no such page" in response.text
    assert response.headers["X-Request-Id"] in response.text


def test_an_error_for_htmx_is_a_fragment(visitor):
    response = visitor.get("/nothing", headers=HTMX)

    assert response.status_code == 404
    assert "<html" not in response.text


def test_a_fault_shows_a_page_without_its_cause_and_is_logged(app, visitor):
    def fail() -> str:
        raise ValueError("the cause")

    fail.audience = frozenset({"public"})
    app.add_url_rule("/fail", "fail", fail)
    with structlog.testing.capture_logs() as lines:
        response = visitor.get("/fail")

    assert response.status_code == 500
    assert "the cause" not in response.text
    assert [line["kind"] for line in lines if line["event"] == "fault"] == ["ValueError"]


def test_logs_name_the_route_and_no_person(alice, hall):
    with structlog.testing.capture_logs() as lines:
        alice.get("/home")
        alice.begin()
    text = json.dumps(lines, default=str)

    assert {"/home", "/sitting/<sitting_id>"} <= {line["route"] for line in lines}
    for secret in ("Alice", hall.codes["Alice"], hall.alice.candidate_id):
        assert secret not in text


def test_health_is_ok_with_a_database_that_we_know(visitor):
    response = visitor.get("/healthz")

    assert response.status_code == 200
    assert response.json == {"status": "ok", "database": "reachable", "schema": "known"}


def test_health_fails_without_a_schema(hall, tmp_path):
    empty = replace(
        open_database(f"sqlite:///{tmp_path / 'empty.db'}"), secrets_folder=hall.db.secrets_folder
    )
    response = create_app(empty, Settings()).test_client().get("/healthz")
    empty.close()

    assert response.status_code == 503
    assert response.json["schema"] == "unknown"


def test_forwarded_headers_count_only_where_a_proxy_is_trusted(hall):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "exam.example"}
    for proxies, host in ((0, "localhost"), (1, "exam.example")):
        app = create_app(hall.db, Settings(trusted_proxies=proxies))
        seen = []
        app.before_request(lambda seen=seen: seen.append(__import__("flask").request.host))
        app.test_client().get("/healthz", headers=forwarded)
        assert seen == [host]


def test_the_style_guide_is_for_debugging_only(hall, visitor):
    assert visitor.get("/styleguide").status_code == 404
    page = create_app(hall.db, Settings(debug=True)).test_client().get("/styleguide")
    assert page.status_code == 200
