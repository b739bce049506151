"""What an exam file says of how a sitting is held: breaks, late answers, retakes, devices. Pure.

Called by `exam_files`. Each table may be left out, and each of its keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from engine.errors import InputError
from item_bank.exams.exam_tables import choice_of, number_of, table_of, texts_of

BREAK_MINUTES = 10
GRACE_SECONDS = 5
LONGEST_GRACE = 60
TRANSFER, DENY = "transfer", "deny"
CONFIG_KEY = re.compile(r"[0-9a-f]{64}")
KEYS = {
    "breaks": ("count", "minutes"),
    "late": ("grace_seconds",),
    "retakes": ("wait_days",),
    "start": ("identity", "consent"),
    "delivery": ("second_device",),
    "safe_exam_browser": ("config_keys",),
}


@dataclass(frozen=True)
class DeliveryRules:
    """How the sittings of an exam are held.

    Parameters
    ----------
    breaks, break_seconds
        How many breaks a candidate may take, and how long each costs no time.
    grace_seconds
        How long after the deadline an answer still counts as in time.
    retake_days
        How long after a sitting's end the next may start.
    identity
        Whether candidates confirm who they are before they start.
    consent
        What they agree to before they start, by language; empty where nothing is asked.
    second_device
        ``transfer``: another device may take a sitting over; ``deny``: only once an invigilator
        has released it.
    config_keys
        Config Keys of Safe Exam Browser, one of which a request must carry; none where any browser
        may be used.
    """

    breaks: int = 0
    break_seconds: int = BREAK_MINUTES * 60
    grace_seconds: int = GRACE_SECONDS
    retake_days: float = 0.0
    identity: bool = False
    consent: Mapping[str, str] = field(default_factory=dict)
    second_device: str = TRANSFER
    config_keys: tuple[str, ...] = ()


def delivery_rules(mapping: Mapping[str, Any], languages: tuple[str, ...]) -> DeliveryRules:
    """Check the tables of an exam file that say how its sittings are held."""
    tables = {name: table_of(mapping, name, keys) for name, keys in KEYS.items()}
    start = tables["start"]
    return DeliveryRules(
        breaks=int(_number(tables, "breaks", "count", 0, 0, 20, whole=True)),
        break_seconds=round(60 * _number(tables, "breaks", "minutes", BREAK_MINUTES, 1, 240)),
        grace_seconds=int(
            _number(tables, "late", "grace_seconds", GRACE_SECONDS, 0, LONGEST_GRACE, whole=True)
        ),
        retake_days=_number(tables, "retakes", "wait_days", 0, 0, 3650),
        identity=_switch(start, "identity"),
        consent=texts_of(start.get("consent", {}), languages, column="start.consent"),
        second_device=choice_of(
            tables["delivery"].get("second_device", TRANSFER),
            (TRANSFER, DENY),
            column="delivery.second_device",
        ),
        config_keys=_config_keys(tables["safe_exam_browser"]),
    )


def consent_hash(text: str) -> str:
    """SHA-256 of a text of consent, by which the log names what a candidate agreed to."""
    return sha256(text.encode()).hexdigest()


def _number(
    tables: Mapping[str, Mapping[str, Any]],
    name: str,
    key: str,
    default: float,
    low: float,
    high: float,
    *,
    whole: bool = False,
) -> float:
    value = tables[name].get(key, default)
    return number_of(value, low, high, column=f"{name}.{key}", whole=whole)


def _switch(start: Mapping[str, Any], key: str) -> bool:
    value = start.get(key, False)
    if not isinstance(value, bool):
        raise InputError("true or false", repr(value), column=f"start.{key}")
    return value


def _config_keys(table: Mapping[str, Any]) -> tuple[str, ...]:
    value = table.get("config_keys", [])
    if not isinstance(value, list):
        expected = "a list of Config Keys"
        raise InputError(expected, repr(value), column="safe_exam_browser.config_keys")
    for key in value:
        if not isinstance(key, str) or not CONFIG_KEY.fullmatch(key.lower()):
            expected = "Config Keys of 64 hexadecimal digits"
            raise InputError(expected, repr(key), column="safe_exam_browser.config_keys")
    return tuple(key.lower() for key in value)
