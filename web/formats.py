"""How numbers, times and chances are written, as template filters.

Never more digits than are true: scores by their scale, SE with two digits on theta, chances as
"9 in 10". Times are UTC on paper; a script shows candidates their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from babel.dates import format_datetime, format_time
from flask import Flask
from flask_babel import get_locale, gettext

from item_bank.store.clock import SECOND

NONE = "–"
DAY = "d MMM y, HH:mm"
# Chinese writes the year first; the CLDR has Tajik months with a capital, as no date writes them.
DAYS = {"zh": "y年M月d日 HH:mm", "tg": "dd.MM.y, HH:mm"}


def init_formats(app: Flask) -> None:
    """Give templates the filters of this module."""
    for view in (
        moment,
        day,
        date,
        instant,
        clock,
        iso,
        duration,
        number,
        signed,
        percent,
        chance,
        short,
        minutes,
    ):
        app.add_template_filter(view, view.__name__)


def _(message: str, **values: object) -> str:
    return str(gettext(message, **values))


def utc(at: int) -> datetime:
    """Turn the site's microseconds into a date and time."""
    return datetime.fromtimestamp(at / SECOND, UTC)


def moment(at: int | None) -> str:
    """Write a date and time in full."""
    if at is None:
        return NONE
    return f"{day(at)} UTC"


def day(at: int | None) -> str:
    """Write a date and time in a list whose page says that times are UTC."""
    if at is None:
        return NONE
    locale = get_locale()
    pattern = DAYS.get(locale.language, DAY) if locale else DAY
    return format_datetime(utc(at), pattern, locale=locale)


def date(at: int | None) -> str:
    """Write a date alone."""
    if at is None:
        return NONE
    locale = get_locale()
    pattern = DAYS.get(locale.language, DAY) if locale else DAY
    return format_datetime(utc(at), pattern.rpartition(" ")[0].rstrip(","), locale=locale)


def instant(at: int) -> str:
    """Write a date and time to the second, for logs."""
    return f"{utc(at):%Y-%m-%d %H:%M:%S}"


def clock(at: int) -> str:
    """Write a time of day to the second."""
    return format_time(utc(at), "HH:mm:ss", locale=get_locale()) + " UTC"


def iso(at: int) -> str:
    """Write a time for machines."""
    return utc(at).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(seconds: float | None) -> str:
    """Write a length of time with the units that matter."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s", n=whole)
    if whole < 3600:
        return _("%(m)s min %(s)s s", m=whole // 60, s=whole % 60)
    return _("%(h)s h %(m)s min", h=whole // 3600, m=whole % 3600 // 60)


def minutes(seconds: float) -> str:
    """Write a time limit."""
    return _("%(n)s minutes", n=round(seconds / 60))


def number(value: float | None, decimals: int = 0) -> str:
    """Write a number with fixed decimals and a true minus."""
    if value is None:
        return NONE
    rounded = round(value, decimals) or 0.0  # never a negative zero
    return f"{rounded:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float | None, decimals: int = 2) -> str:
    """Write a number with its sign."""
    if value is None:
        return NONE
    plus = "+" if round(value, decimals) > 0 else ""
    return plus + number(value, decimals)


def percent(value: float | None) -> str:
    """Write a share; a little is never written as nothing."""
    if value is None:
        return NONE
    whole = f"{100 * value:.0f}"
    return "<1 %" if value > 0 and whole == "0" else f"{whole} %"


def chance(probability: float) -> str:
    """Write a probability in words that people can weigh."""
    if probability >= 0.985:
        return _("more than 49 in 50")
    if probability >= 0.925:
        return _("19 in 20")
    if probability < 0.05:
        return _("less than 1 in 20")
    return _("%(n)s in 10", n=max(1, round(10 * probability)))


def short(code: Any) -> str:
    """Write the first letters of a hash or id."""
    return str(code)[:12]
