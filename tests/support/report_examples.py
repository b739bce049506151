"""A result with everything that a report may say, without a database."""

from __future__ import annotations

from typing import Any

from item_bank.exams.delivery_rules import DeliveryRules
from item_bank.exams.language_rules import SHARED
from item_bank.exams.outcomes import RELEASED
from item_bank.exams.result_rules import ResultRules
from item_bank.results.checking import months_after
from item_bank.results.report_facts import ReportFacts, Superseded
from item_bank.store.clock import DAY

AT = 1_800_000_000_000_000  # 15 January 2027, 08:00 UTC
NAMES = {"en": "Sums", "ru": "Суммы", "tg": "Ҷамъи ададҳо", "zh": "加法考试"}
PASSED = {
    "en": "Certified",
    "ru": "Сертифицирован",
    "tg": "Сазовори сертификат",
    "zh": "已获得认证",
}
BELOW = {"en": "Below", "ru": "Ниже", "tg": "Поёнтар", "zh": "未获得认证"}


def level(code: str, name: dict[str, str], minimum: float, chance: float | None) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "minimum": minimum,
        "passed": code == "certified",
        "probability": chance,
    }


def result(**changes: Any) -> dict[str, Any]:
    """A canonical result as far as a candidate's report reads it."""
    levels = [level("below", BELOW, 300, 0.09), level("certified", PASSED, 500, 0.91)]
    areas = [
        {"area": "small", "name": {"en": "Small", "zh": "小数"}, "standing": "above", "n": 7},
        {"area": "large", "name": {}, "standing": None, "n": 3},
    ]
    whole = {
        "number": 1,
        "sitting": "5" * 32,
        "language": "ru",
        "simulated": False,
        "exam": {"code": "sums", "version": 2, "title": NAMES},
        "release": {"note": {}},
        "finished_at": AT,
        "seconds_used": 754.0,
        "stop_reason": "se",
        "n_items": 10,
        "n_tried_out": 2,
        "scale": {"minimum": 300, "maximum": 700, "decimals": 0},
        "score": 531.0,
        "band": [502.0, 560.0],
        "level": levels[1],
        "levels": levels,
        "domains": areas,
    }
    return whole | changes


def without_score(**changes: Any) -> dict[str, Any]:
    """A result whose answers were too few for a score."""
    levels = [level("below", BELOW, 300, None), level("certified", PASSED, 500, None)]
    gone = {"score": None, "band": None, "level": None, "levels": levels, "domains": []}
    return result(**gone, stop_reason="time", **changes)


def example(content: dict[str, Any] | None = None, **changes: Any) -> ReportFacts:
    """What a report is written from."""
    values = {
        "result": content or result(),
        "made_at": AT,
        "superseded": (),
        "notices": (),
        "state": RELEASED,
        "verification": "ABCDEFGHJKLMNPQR",
        "released_at": AT,
        "appeal_until": AT + 30 * DAY,
        "valid_until": months_after(AT, 24),
        "attempt": 1,
        "attempts": 2,
        "name": "Фирӯза Ҷӯраева",
        "roster_id": "A",
        "language": "tg",
        "rules": ResultRules(appeal={"en": "Room 5."}, valid_months=24),
        "delivery": DeliveryRules(retake_days=30.0),
        "parameters": SHARED,
    }
    return ReportFacts(**values | changes)


BEFORE = Superseded(1, AT - 3 * DAY, 488.0, level("below", BELOW, 300, 0.8))
