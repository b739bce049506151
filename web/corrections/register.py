"""The blueprint of corrections with all its views."""

from __future__ import annotations

from web.corrections import acts, compromised, proposing, views
from web.corrections.blueprint import corrections

__all__ = ["acts", "compromised", "corrections", "proposing", "views"]
