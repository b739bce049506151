"""Puts the pages of standard setting together: studies, what is done to them, rating."""

from __future__ import annotations

from web.standards import acts, rating
from web.standards.views import standards

__all__ = ["acts", "rating", "standards"]
