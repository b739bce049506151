"""The settings of the site: one frozen dataclass, read from the environment once.

Read by `web/cli.py` and handed to `create_app`. Each field has a variable ``TAROZU_WEB_<FIELD>``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from engine.errors import InputError

PREFIX = "TAROZU_WEB_"
LEAST_TOKEN = 20
LEVELS = ("debug", "info", "warning", "error")
PUBLIC = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/?")
_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Settings:
    """What an operator may choose.

    Parameters
    ----------
    secure_cookies
        The site is reached by https: cookies are sent by it alone, and browsers remember that.
    trusted_proxies
        How many proxies of ours stand before the server; 0 believes no forwarded header.
    session_hours
        How long a sign-in lasts.
    max_request_kib
        The largest request that is read.
    log_level
        The least level that is logged: debug, info, warning or error.
    least_free_mib
        With less free on the disk of the records, ``/healthz`` fails and no exam is begun.
    metrics_token
        Opens ``/metrics`` to other hosts; empty for none.
    public_address
        Where the public reaches the site, such as ``https://exams.example.org``: printed on
        documents. Empty: as the one who asked for a document reached it.
    debug
        Shows the style guide.
    """

    secure_cookies: bool = False
    trusted_proxies: int = 0
    session_hours: int = 12
    max_request_kib: int = 256
    log_level: str = "info"
    least_free_mib: int = 200
    metrics_token: str = field(default="", repr=False)
    public_address: str = ""
    debug: bool = False


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; refuse a name or value that is not known."""
    given = {key.removeprefix(PREFIX): key for key in environ if key.startswith(PREFIX)}
    known = {one.name.upper(): one for one in fields(Settings)}
    for name, variable in given.items():
        if name not in known:
            raise InputError(f"one of {', '.join(sorted(known))}", name, column=variable)
    values = {
        known[name].name: _value(known[name].default, environ[variable], variable)
        for name, variable in given.items()
    }
    return _checked(Settings(**values))


def _value(default: Any, text: str, variable: str) -> Any:
    if isinstance(default, bool):
        if text.lower() not in _TRUTH:
            raise InputError("1 or 0", text, column=variable)
        return _TRUTH[text.lower()]
    if isinstance(default, int):
        if not text.isdecimal():
            raise InputError("a whole number", text, column=variable)
        return int(text)
    return text


def _checked(settings: Settings) -> Settings:
    if settings.log_level not in LEVELS:
        raise InputError(
            f"one of {', '.join(LEVELS)}", settings.log_level, column=f"{PREFIX}LOG_LEVEL"
        )
    address = settings.public_address
    if address and not PUBLIC.fullmatch(address):
        expected = "https:// or http:// and a host, such as https://exams.example.org"
        raise InputError(expected, repr(address), column=f"{PREFIX}PUBLIC_ADDRESS")
    for name in ("session_hours", "max_request_kib"):
        if getattr(settings, name) < 1:
            raise InputError("at least 1", getattr(settings, name), column=PREFIX + name.upper())
    if 0 < len(settings.metrics_token) < LEAST_TOKEN:
        expected, found = f"at least {LEAST_TOKEN} characters", len(settings.metrics_token)
        raise InputError(expected, found, column=f"{PREFIX}METRICS_TOKEN")
    return settings
