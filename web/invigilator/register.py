"""Puts the pages of invigilators together: what is looked at, and what is done."""

from __future__ import annotations

from web.invigilator import acts, everybody, views
from web.invigilator.blueprint import rooms

__all__ = ["acts", "everybody", "rooms", "views"]
