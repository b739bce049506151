"""Cells of tables that people open in spreadsheets. Used by everything that writes CSV."""

from __future__ import annotations

from typing import Any

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""By which spreadsheets know UTF-8."""


def no_formula(value: Any) -> Any:
    """Put a quote before a text that a spreadsheet would take for a formula."""
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value
