"""The proxies of deploy/, really running before a real server: what they pass on and what not."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import select
from support import proxies
from support.processes import Server
from support.proxies import NAME, ProxiedCandidate, Proxy

from item_bank.store.tables.sittings import Presence, Response

HALL = "127.0.0.5"  # another address of this machine, from which a candidate comes
FORGED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"} | {
    "X-Forwarded-Proto": "http",
    "Forwarded": "for=203.0.113.9",
}
BEHIND = {"TAROZU_WEB_TRUSTED_PROXIES": "1", "TAROZU_WEB_SECURE_COOKIES": "1"}


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request, database_url, codes, tmp_path, unavailable) -> Iterator[Proxy]:
    """A proxy before a server that believes it."""
    if not proxies.installed(request.param):
        unavailable(f"no {request.param} on this machine")
    server = Server(database_url, tmp_path / "secrets", tmp_path / "server.log", **BEHIND)
    server.start()
    try:
        with getattr(proxies, request.param)(tmp_path, server.port) as one:
            yield one
    finally:
        server.stop()


def test_an_exam_is_sat_through_a_proxy_that_is_believed_and_a_browser_that_is_not(
    proxy, codes, db
):
    one = ProxiedCandidate(proxy, HALL)
    signed_in = one.get("/", FORGED)
    assert signed_in.headers["Strict-Transport-Security"]
    assert "evil.example" not in signed_in.text
    form = signed_in.form("/")
    reply = one.post("/", form.hidden | {"code": codes["Alice"]}, FORGED)
    assert (reply.status, reply.location) == (303, "/home")
    assert list(one.cookies) == ["__Host-tarozu"]
    one.begin()
    assert one.say(one.form.filled(), FORGED).status in {200, 303}

    with db.read() as session:
        assert session.scalars(select(Response.position)).all() == [1]
    assert one.get(f"{one.at}/clock", FORGED).status == 200
    assert _address(db) == HALL
    _pages_and_sizes(proxy, one)
    assert proxy.protocol() == "h2"
    if proxy.plain_port is not None:
        assert _plain(proxy.plain_port) == (301, f"https://{NAME}/home?lang=tg")


def _pages_and_sizes(proxy: Proxy, one: ProxiedCandidate) -> None:
    style = one.get(re.search(r'href="(/static/[^"]+\.css[^"]*)"', one.page.text)[1])
    assert style.status == 200
    assert "immutable" in style.headers["Cache-Control"]
    assert one.get("/metrics").status == 404
    assert "X-Request-Id" not in one.get("/metrics").headers
    fits = one.say({"given": "x" * 200_000})
    assert fits.headers["X-Request-Id"]
    assert _status_of_upload(proxy, 300_000) == 413


def _status_of_upload(proxy: Proxy, size: int) -> int:
    with closing(proxy.connect(HALL)) as connection:
        connection.request("POST", "/", b"x" * size)
        with connection.getresponse() as answer:
            return answer.status


def _plain(port: int) -> tuple[int, str | None]:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/home?lang=tg", headers={"Host": NAME})
        with connection.getresponse() as answer:
            return answer.status, answer.headers["Location"]


def _address(db) -> str:
    """Where the sitting's page was heard from; kept at the server's next beat."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with db.read() as session:
            found = session.scalar(select(Presence.address))
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("nobody was heard")
