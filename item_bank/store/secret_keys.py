"""The site's secrets: a folder of mode 0700 with one file of mode 0600 for each key.

Made by ``tarozu init``; read at start; the same on every host. An environment variable
``TAROZU_SECRET_<NAME>`` goes before the file. Nothing here is ever logged: the fingerprint, a hash
of all keys, is what the database and ``doctor`` compare.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError

NAMES = ("session", "codes", "presentation")


@dataclass(frozen=True)
class SecretKeys:
    """The keys of a site.

    Parameters
    ----------
    session
        Signs the browser's session.
    codes
        Keys the hashes of access codes and of sign-in attempts.
    presentation
        Makes the opaque choice ids of a presentation.
    """

    session: str
    codes: str
    presentation: str

    @property
    def fingerprint(self) -> str:
        """A hash that tells two sets of keys apart and gives neither away."""
        joined = "\n".join(getattr(self, name) for name in NAMES)
        return hashlib.sha256(b"tarozu secrets\n" + joined.encode()).hexdigest()


def keyed_hash(key: str, *parts: str) -> str:
    """HMAC-SHA-256 of the parts, in hexadecimal."""
    return hmac.new(key.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def make_secrets(folder: Path) -> None:
    """Write the keys that the folder lacks."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in NAMES:
        _write_new(folder / name)


def _write_new(path: Path) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))


def read_secrets(folder: Path) -> SecretKeys:
    """Read every key from the environment or the folder."""
    return SecretKeys(**{name: _read(folder, name) for name in NAMES})


def _read(folder: Path, name: str) -> str:
    given = os.environ.get(f"TAROZU_SECRET_{name.upper()}")
    if given:
        return given
    path = folder / name
    if not path.exists():
        raise InputError("a secret key (made by `tarozu init`)", "no such file", file=path)
    return path.read_text().strip()
