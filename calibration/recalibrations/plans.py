"""Which items a recalibration estimates, which hold or carry the scale, and why.

Called by the command and by ``recalibration``. Imports ``engine``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from calibration.screening import FEW_RESPONSES
from engine.errors import AnswerIsNo, InputError
from engine.items import ItemParameters

FIXED = "fixed"
LINK = "link"
ALL = "all"
PRETEST = "pretest"
STRATEGIES = (FIXED, LINK)
FEWEST_ANCHORS = 2


@dataclass(frozen=True, eq=False)
class Plan:
    """Which items are estimated anew.

    Parameters
    ----------
    way
        ``fixed``, ``link``, or ``all``: linked, and every item is estimated anew.
    free
        Items that get new parameters, in the order of the release.
    kept
        Items that keep the release's parameters although they were asked for, with the reason.
    notes
        What was decided and why, one sentence each.
    anchors
        Operational items with enough responses, through which the scale is found again; none
        where operational items are held.
    """

    way: str
    free: tuple[str, ...]
    kept: dict[str, str]
    notes: tuple[str, ...]
    anchors: tuple[str, ...] = ()


def make_plan(
    release: ItemParameters,
    statuses: Sequence[str],
    counts: Mapping[str, int],
    free: str,
    strategy: str = FIXED,
) -> Plan:
    """Decide which items are free.

    Parameters
    ----------
    release, statuses
        The items and whether each is ``operational`` or ``pretest``.
    counts
        Responses by item.
    free
        ``pretest``, ``all``, or item codes with commas between. Where a release has no pretest
        items, ``pretest`` means ``all``.
    strategy
        ``fixed`` holds the operational items that are not free; ``link`` estimates all items and
        puts them back on the scale. With all items free there is nothing to hold: the strategy is
        ``link``.

    Raises
    ------
    InputError
        For a code that the release does not have, or an unknown strategy.
    AnswerIsNo
        When no item that was asked for has enough responses, or fewer than two items can link.
    """
    if strategy not in STRATEGIES:
        raise InputError(" or ".join(STRATEGIES), strategy, column="--strategy")
    pretest = [n for n, s in zip(release.item, statuses, strict=True) if s == "pretest"]
    notes = []
    if free == PRETEST and not pretest:
        notes.append("The release has no pretest items, so all items are estimated anew.")
        free = ALL
    asked = _asked(release, pretest, free, strategy)
    kept = {
        name: f"keeps the release's parameters: {counts.get(name, 0)} responses, "
        f"fewer than {FEW_RESPONSES}"
        for name in asked
        if counts.get(name, 0) < FEW_RESPONSES
    }
    chosen = tuple(name for name in release.item if name in asked and name not in kept)
    if not chosen:
        raise AnswerIsNo(f"no item has {FEW_RESPONSES} responses: there is nothing to estimate")
    if kept:
        notes.append(
            f"{len(kept)} items with fewer than {FEW_RESPONSES} responses keep the release's "
            "parameters."
        )
    way = ALL if free == ALL else strategy
    found = Plan(way, chosen, kept, tuple(notes))
    return found if way == FIXED else replace(found, anchors=_anchors(release, pretest, counts))


def without_unused(plan: Plan, unused: Mapping[str, Sequence[int]]) -> Plan:
    """Keep the release's parameters of items of which nobody had some score.

    Parameters
    ----------
    plan
        From ``make_plan``.
    unused
        Scores that nobody had, by item; see ``unused.unused_scores``.

    Raises
    ------
    AnswerIsNo
        When nothing is left to estimate, or fewer than two items can link.
    """
    lacking = [name for name in plan.free if name in unused]
    anchors = tuple(name for name in plan.anchors if name not in unused)
    if not lacking and anchors == plan.anchors:
        return plan
    free = tuple(name for name in plan.free if name not in unused)
    reasons = {name: f"nobody had {_scores(unused[name])}" for name in lacking}
    if not free:
        said = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:3])
        raise AnswerIsNo(f"no item has answers for every score ({said}): nothing to estimate")
    if plan.way != FIXED:
        _check_anchors(anchors, "and answers for every score")
    kept = {name: f"keeps the release's parameters: {why}" for name, why in reasons.items()}
    notes = plan.notes
    if lacking:
        said = ", ".join(f"{name} ({why})" for name, why in reasons.items())
        notes = (*notes, f"Items of which a score is unused keep the release's parameters: {said}.")
    return replace(plan, free=free, kept={**plan.kept, **kept}, notes=notes, anchors=anchors)


def _scores(unused: Sequence[int]) -> str:
    return f"a score of {' or '.join(map(str, unused))}"


def _anchors(
    release: ItemParameters, pretest: Sequence[str], counts: Mapping[str, int]
) -> tuple[str, ...]:
    new = set(pretest)
    anchors = tuple(
        name for name in release.item if name not in new and counts.get(name, 0) >= FEW_RESPONSES
    )
    _check_anchors(anchors)
    return anchors


def _check_anchors(anchors: Sequence[str], besides: str = "") -> None:
    if len(anchors) < FEWEST_ANCHORS:
        enough = f"{FEW_RESPONSES} responses {besides}".strip()
        raise AnswerIsNo(
            f"{len(anchors)} operational items have {enough}: "
            "nothing can put new parameters on the release's scale"
        )


def _asked(release: ItemParameters, pretest: Sequence[str], free: str, strategy: str) -> set[str]:
    if free == ALL:
        return set(release.item)
    if free == PRETEST:
        return set(pretest)
    codes = {code.strip() for code in free.split(",") if code.strip()}
    for code in sorted(codes - set(release.item)):
        raise InputError("items of the release, pretest or all", code, column="--free")
    if not codes:
        raise InputError("item codes, pretest or all", repr(free), column="--free")
    if len(codes) == len(release.item) and strategy == FIXED:
        raise InputError(
            "some items to hold the scale (or --free all)", "every item", column="--free"
        )
    return codes
