"""A real proxy with a configuration of deploy/, in which names, ports and certificate are a test's.

Every change must find what it changes, so that a configuration that moved away is noticed.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.candidates import Candidate, Fields
from support.processes import PATIENCE, free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "exam.example.org"
NGINX = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
CADDY = "{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}"


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: where it speaks https and http, and whom it trusts."""

    tls_port: int
    plain_port: int | None
    context: ssl.SSLContext

    def connect(self, address: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """Open a connection to it from an address of this machine."""
        return _Connection(self.tls_port, self.context, address)

    def protocol(self) -> str | None:
        """Say what it chooses when a browser offers HTTP/2."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", self.tls_port)) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            return secure.selected_alpn_protocol()


class _Connection(http.client.HTTPSConnection):
    """To the proxy's port on this machine, under the site's name."""

    def __init__(self, port: int, context: ssl.SSLContext, source: str) -> None:
        super().__init__(NAME, 443, timeout=60, context=context)
        self._there, self._source = ("127.0.0.1", port), (source, 0)
        self._trust = context

    def connect(self) -> None:
        plain = socket.create_connection(self._there, 60, self._source)
        self.sock = self._trust.wrap_socket(plain, server_hostname=NAME)


class ProxiedCandidate(Candidate):
    """A candidate who reaches the site by https and its name, through a proxy."""

    def __init__(self, proxy: Proxy, source: str) -> None:
        super().__init__(f"https://{NAME}")
        self._proxy, self._source = proxy, source

    def connect(self) -> http.client.HTTPConnection:
        return self._proxy.connect(self._source)

    def _headers(self, fields: Fields | None) -> Fields:
        return super()._headers(fields) | {"Referer": f"https://{NAME}/"}


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for the name, signed by itself; gives it and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext"),
            *(f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def _changed(file: str, changes: dict[str, str]) -> str:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{file} has no {old}"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run nginx with deploy/nginx.conf before a server's port."""
    certificate, key = make_certificate(folder)
    tls, plain = free_port(), free_port()
    changes = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{tls} ",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
        "/etc/letsencrypt/live/exam.example.org/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/exam.example.org/privkey.pem": str(key),
    }
    (folder / "site.conf").write_text(_changed("nginx.conf", changes), encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(NGINX.format(folder=folder, user=user), encoding="utf-8")
    program = str(_program("nginx"))
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(main)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with _running(command, folder, lambda: _listens(tls)):
        yield Proxy(tls, plain, ssl.create_default_context(cafile=str(certificate)))


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run Caddy with deploy/Caddyfile before a server's port."""
    certificate, key = make_certificate(folder)
    tls = free_port()
    here = f"\tbind 127.0.0.1\n\ttls {certificate} {key}"
    changes = {
        "exam.example.org {": f"https://{NAME}:{tls} {{\n{here}",
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
    }
    file = folder / "Caddyfile"
    file.write_text(CADDY.format(site=_changed("Caddyfile", changes)), encoding="utf-8")
    command = [str(_program("caddy")), "run", "--adapter", "caddyfile", "--config", str(file)]
    with _running(command, folder, lambda: _listens(tls)):
        yield Proxy(tls, None, ssl.create_default_context(cafile=str(certificate)))


def installed(name: str) -> bool:
    """Say whether a proxy is on this machine, and what makes its certificate."""
    return _program(name) is not None and _program("openssl") is not None


def _program(name: str) -> str | None:
    """Where a program is; servers are not on everybody's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


@contextmanager
def _running(command: list[str], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    log = folder / "proxy.log"
    homes = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, env=os.environ | {"HOME": str(folder)} | homes
        )
    try:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
