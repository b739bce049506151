"""All pages that hand out documents, so that the application registers them as one."""

from __future__ import annotations

from web.documents import exam_reports
from web.documents.views import documents

__all__ = ["documents", "exam_reports"]
