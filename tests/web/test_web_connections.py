"""Web processes: lines that trickle, requests that are too large, and being asked to stop."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from waitress.task import ThreadedTaskDispatcher
from werkzeug.middleware.proxy_fix import ProxyFix

from web import connections
from web.connections import _Listener, _Watch, adjustments, connection_limit

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def connected(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def status_of(one: socket.socket) -> int:
    answer = http.client.HTTPResponse(one)
    answer.begin()
    answer.read()
    return answer.status


@pytest.fixture
def trickling(server) -> Iterator[list[socket.socket]]:
    """Fifty connections, each of which sends a byte of its form now and then."""
    lines = [connected(server) for _ in range(50)]
    for line in lines:
        line.sendall(HEAD + b"Content-Length: 1000\r\n\r\ncode=")
    stop = threading.Event()

    def trickle():
        while not stop.wait(0.1):
            for line in lines:
                with contextlib.suppress(OSError):
                    line.sendall(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    yield lines
    stop.set()
    thread.join()
    for line in lines:
        line.close()


def test_fifty_lines_that_trickle_keep_nobody_waiting(server, trickling):
    begun = time.monotonic()
    for _ in range(20):
        with connected(server) as one:
            one.sendall(HEAD + b"Content-Length: 9\r\n\r\ncode=none")
            assert status_of(one) == 400  # no token: it was read and looked at
    assert server.health()["status"] == "ok"
    assert time.monotonic() - begun < 10


TOO_LARGE = {
    "for the site": (b"Content-Length: 300000\r\n\r\n" + b"a" * 300_000, 413),
    "for the server": (b"Content-Length: 9000000000\r\n\r\n", 413),
    "header": (b"X-Long: " + b"a" * 40_000 + b"\r\n\r\n", 431),
}


def test_what_is_too_large_is_refused(server):
    for head, status in TOO_LARGE.values():
        with connected(server) as one:
            one.sendall(HEAD + head)
            assert status_of(one) == status


def test_a_request_that_has_begun_to_arrive_is_answered_by_a_server_that_stops(server):
    with connected(server) as one:
        one.sendall(HEAD + b"Content-Length: 9\r\n\r\ncode=")
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(0.5)
        one.sendall(b"none")
        answer = http.client.HTTPResponse(one)
        answer.begin()
        assert answer.status == 400
        assert answer.getheader("Connection") == "close"
        answer.read()
    assert server.stop() == 0


def test_a_line_that_trickles_does_not_keep_a_server_from_stopping(server, trickling):
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 15


@pytest.fixture
def serving() -> Iterator:
    """Serve an application by a loop in a thread of this process."""
    stop, started = threading.Event(), []

    def start(application) -> int:
        own = socket.create_server(("127.0.0.1", 0))
        own.setblocking(False)
        wake_up, _ = os.pipe()
        watch, threads = _Watch(wake_up), ThreadedTaskDispatcher()
        threads.set_thread_count(2)
        listener = _Listener(
            application,
            map=watch.map,
            _start=False,
            _sock=own,
            dispatcher=threads,
            adj=adjustments(2, 1000),
            sockinfo=(own.family, own.type, None, own.getsockname()),
            bind_socket=False,
        )
        listener.accepting = True

        def run():
            watch.look_at_all()
            while not stop.is_set():
                watch.turn(0.05)
                for channel in watch.channels():
                    channel.note_receiving(time.monotonic())
                watch.look_at_all()
            for channel in watch.channels():
                channel.handle_close()
            listener.close()
            threads.shutdown()

        thread = threading.Thread(target=run)
        thread.start()
        started.append(thread)
        return own.getsockname()[1]

    yield start
    stop.set()
    for thread in started:
        thread.join()


def says_address(environ, start_response):
    body = environ["REMOTE_ADDR"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize(("proxies", "seen"), [(0, b"127.0.0.1"), (1, b"203.0.113.7")])
def test_the_clients_address_is_what_trusted_proxies_say(serving, proxies, seen):
    port = serving(ProxyFix(says_address, x_for=proxies))
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):  # on one connection
        line.request("GET", "/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
        assert line.getresponse().read() == seen
    line.close()


def test_a_request_that_takes_too_long_to_arrive_is_cut(serving, monkeypatch):
    monkeypatch.setattr(connections, "RECEIVE_SECONDS", 0.3)
    port = serving(says_address)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(HEAD + b"Content-Length: 9\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                one.sendall(b"")
                time.sleep(0.02)
        assert one.recv(100) == b""


def test_many_connections_come_and_go(serving):
    port = serving(says_address)
    for _ in range(3):
        lines = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(40)]
        for line in lines:
            line.request("GET", "/")
        assert {line.getresponse().read() for line in lines} == {b"127.0.0.1"}
        for line in lines:
            line.close()


def test_a_process_takes_as_many_connections_as_it_may_have_files():
    assert connection_limit() >= 10
