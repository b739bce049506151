"""A real server process, which can be asked to stop and can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`tarozu serve` on a port of its own, in a process group of its own."""

    def __init__(
        self, database_url: str, secrets: Path, log: Path, *extra: str, **environment: str
    ) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._command = [
            *(sys.executable, "-m", "tarozu", "--database", database_url, "serve"),
            *("--port", str(self.port), "--workers", "1", *extra),
        ]
        self._environment = os.environ | {"TAROZU_SECRETS": str(secrets)} | environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stderr=log,
                stdout=log,
                start_new_session=True,
            )
        self._wait_until(lambda: self.health().get("status") == "ok", "healthy")

    def health(self) -> dict[str, str]:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def kill(self) -> None:
        """Kill -9 for the server, its web workers and its worker, all at once."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process
        self._process.wait(PATIENCE)

    def kill_master(self) -> None:
        """Kill -9 for the first process alone."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._process
        self._process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        assert self._process
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(PATIENCE)

    def processes(self) -> list[int]:
        """The processes of its group that still run."""
        return [
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if _group(folder) == self.pid
        ]

    def wait_until_gone(self) -> None:
        self._wait_until(lambda: not self.processes(), "gone")

    def _wait_until(self, condition, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f"the server is not {what}: {self.log.read_text()[-2000:]}")


def _group(folder: Path) -> int | None:
    """The process group of a process that runs; None when it has just ended."""
    try:
        state, _parent, group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(group)
