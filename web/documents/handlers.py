"""Long work of the shell: documents that are typeset for many."""

from __future__ import annotations

from collections.abc import Mapping

from item_bank.store.long_work import LongHandler
from web.cohorts.technical import job
from web.documents.batches import KIND, make_reports

LONG: Mapping[str, LongHandler] = {KIND: make_reports, job.KIND: job.make_report}
