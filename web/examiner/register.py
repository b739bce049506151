"""Puts the pages of examiners together: signing in, the list of sittings, the report of one."""

from __future__ import annotations

from web.examiner import listing, reports
from web.examiner.views import examiner

__all__ = ["examiner", "listing", "reports"]
