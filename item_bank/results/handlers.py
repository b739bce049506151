"""Long work by its kind, and what plans work without anybody asking for it.

Read by the worker (`web/upkeep.py`). A handler is called with the database, the job and its
progress (`store/long_work.py`) and may run twice; a plan is called every twenty seconds, in the
lane of short work, and must be cheap when there is nothing to plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from item_bank.results import precision
from item_bank.results.cohorts import item_statistics
from item_bank.results.cohorts.item_use import STATISTICS
from item_bank.results.corrections import long as corrections
from item_bank.results.exports.archive import make_research
from item_bank.results.exports.making import JOBS, make_responses, make_results
from item_bank.results.flags import exam_flags, long
from item_bank.store.database import Database
from item_bank.store.long_work import LongHandler

LONG: Mapping[str, LongHandler] = {
    JOBS["results"]: make_results,
    JOBS["responses"]: make_responses,
    JOBS["research"]: make_research,
    precision.KIND: precision.study_precision,
    exam_flags.JOB: long.look_through,
    STATISTICS: item_statistics.item_statistics,
    corrections.DRY_RUN: corrections.run_dry,
    corrections.APPLY: corrections.run_apply,
    corrections.COMPROMISED: corrections.run_compromised,
}
PLANS: tuple[Callable[[Database], None], ...] = (precision.plan_precision, long.plan_flags)
