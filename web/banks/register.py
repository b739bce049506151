"""Puts the pages of banks together: what is looked at, what is done, and previews."""

from __future__ import annotations

from web.banks import acts, preview
from web.banks.views import banks

__all__ = ["acts", "banks", "preview"]
