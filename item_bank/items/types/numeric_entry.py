"""A number, typed: right within a tolerance, and half right near it where the key says so.

Numbers are compared as decimals, as they were typed and as the key was written.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variant,
    Variants,
    only,
    short,
    text_flaws,
)
from item_bank.items.types.text_entry import typed

MAX_UNIT = 40
MAX_NUMBER = 1e15
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63", "-"))
_PLAIN = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
_GROUPED = (
    re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"),
    re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}(,\d*)?|[+-]?[1-9]\d{0,2}\.\d{3},\d*"),
)
"""Groups of three by comma, or by point where no single point could be the decimal one."""


def _variant_flaws(path: str, variant: Variant) -> Flaws:
    if "unit" in variant:
        yield from text_flaws(f"{path}.unit", variant["unit"], MAX_UNIT)


def _key_flaws(key: Key, _: Variants) -> Flaws:
    yield from only("key", key, ("value", "tolerance", "near"))
    if not _is_finite(key.get("value")):
        yield Flaw("key.value", "a number", short(key.get("value")))
    tolerance = key.get("tolerance")
    if not _is_finite(tolerance) or not isinstance(tolerance, int | float) or tolerance < 0:
        yield Flaw("key.tolerance", "a number from 0", short(tolerance))
    elif "near" in key and not (_is_finite(key["near"]) and key["near"] > tolerance):
        yield Flaw("key.near", "a number above the tolerance", short(key["near"]))


def _is_finite(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < MAX_NUMBER  # false for NaN and infinity, too


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    """The units that may follow the number, whatever the language."""
    return {"units": sorted({v["unit"] for v in variants.values() if v.get("unit")})}


def _max_score(key: Key) -> int:
    return 2 if "near" in key else 1


def _score(key: Key, response: Any, _: str) -> int:
    """Score the number that was typed; of two ways to read it, the one that is worth more."""
    value = Decimal(str(key["value"]))
    off = min((abs(number - value) for number in numbers(response, key["units"])), default=None)
    if off is None:
        return 0
    bounds = [Decimal(str(key[name])) for name in ("near", "tolerance") if name in key]
    return sum(off <= bound for bound in bounds)


def numbers(text: str, units: list[str] | tuple[str, ...] = ()) -> tuple[Decimal, ...]:
    """Read a number with comma or point, spaces between groups, any minus sign, and its unit.

    Returns
    -------
    The number; both readings of one such as ``1,234``; none when it is no number, or one with an
    exponent.
    """
    plain = _without_unit(_squeezed(text), units)
    readings = {Decimal(plain.replace(",", "."))} if _PLAIN.fullmatch(plain) else set()
    by_comma, by_point = (pattern.fullmatch(plain) for pattern in _GROUPED)
    if by_comma:
        readings.add(Decimal(plain.replace(",", "")))
    if by_point:
        readings.add(Decimal(plain.replace(".", "").replace(",", ".")))
    return tuple(sorted(readings))


def _squeezed(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.translate(_MINUS)).translate(_MINUS)
    return "".join(plain.split()).replace("'", "").replace("\u2019", "").casefold()


def _without_unit(plain: str, units: list[str] | tuple[str, ...]) -> str:
    for unit in sorted(map(_squeezed, units), key=len, reverse=True):
        if unit and plain.endswith(unit):
            return plain.removesuffix(unit)
    return plain


NUMERIC_ENTRY = ItemType(
    "numeric_entry",
    parts=(),
    optional=("unit",),
    named=(),
    variant_flaws=_variant_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=_max_score,
    score=_score,
    checked=typed,
)
