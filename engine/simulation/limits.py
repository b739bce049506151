"""What each examinee of a block may be given next: pools, items to try out, limits that yield.

The same decisions as in `engine.session`, on arrays. Called by `engine.simulation.run`. Imports the
engine's own parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Bools, Ints
from engine.blueprints import balance, content_shares
from engine.criteria.situation import Situation
from engine.exposure.barriers import BARRIERS, barriers, come_up, narrowed
from engine.exposure.rules import stratum_of
from engine.rules.pretest import is_place, pick, worth
from engine.simulation.crowd import Crowd, Setting
from engine.simulation.simulated import Simulated


def waiting(setting: Setting, crowd: Crowd, codes: Ints, n: int) -> Ints:
    """Reasons to stop, without those that must wait for the blueprint's minimums."""
    if setting.bound is None or not (codes >= 0).any():
        return codes
    rows = balance.packed(crowd.rows[:, :n], crowd.scored[:, :n])
    assert setting.design.blueprint is not None
    return balance.wait_for_minimums(setting.bound, rows, codes, setting.design.blueprint.stages)


def balanced(
    setting: Setting,
    crowd: Crowd,
    now: Situation,
    limits: dict[str, Bools],
    record: Simulated,
    trying: Ints,
) -> tuple[Crowd, Bools]:
    """Keep of everybody's free items those that keep the blueprint.

    Also which limits had to yield to it, shape ``(n_persons, n_limits)``.
    """
    blueprint, bound = setting.design.blueprint, setting.bound
    yielded = np.zeros((len(crowd.who), len(limits)), dtype=np.bool_)
    if blueprint is None or bound is None:
        return crowd, yielded
    free, choosing = crowd.free.copy(), np.flatnonzero(trying < 0)
    rows = balance.packed(now.given.rows, now.given.present)[choosing]
    before = [tuple(np.flatnonzero(crowd.form[person]).tolist()) for person in choosing]
    found = balance.balanced(
        blueprint,
        bound,
        rows,
        free[choosing],
        lambda people: setting.chooser.worth(
            now.only(choosing[people]), crowd.free[choosing[people]]
        ),
        before,
        [tuple(row for row in crowd.stage[person].tolist() if row >= 0) for person in choosing],
        [np.broadcast_to(mask, free.shape)[choosing] for mask in limits.values()],
    )
    free[choosing], yielded[choosing] = found.eligible, found.yielded
    crowd.form[:] = False
    for person, form, stage in zip(choosing.tolist(), found.forms, found.stages, strict=True):
        crowd.form[person, list(form.rows) if form else []] = True
        crowd.stage[person] = [*stage, *[-1] * (crowd.stage.shape[1] - len(stage))]
    record.blueprint_events[crowd.who[choosing]] += found.happened
    left = free.astype(np.int64) @ setting.masks.T.astype(np.int64)
    return replace(crowd, free=free, left=left), yielded


def trying_out(setting: Setting, crowd: Crowd, n: int, record: Simulated) -> Ints:
    """Item to try out with each examinee now; -1 for one who gets an item that counts."""
    rules, seeds = setting.design.pretest, setting.seeds[crowd.who]
    rows = np.flatnonzero(setting.pretest)
    due = is_place(rules, seeds, n)
    nobody = np.full(len(due), -1, dtype=np.int64)
    if not due.any() or setting.found is None:
        return nobody
    some = due & crowd.untried.any(axis=1)
    record.pretest_missing[crowd.who[due & ~some]] += 1
    if not some.any():
        return nobody
    found = setting.found
    worths = worth(rules, crowd.theta, setting.items, rows, found.given, found.knowledge)
    return np.where(some, pick(worths, crowd.untried, seeds, n, rows), -1)


def limits_of(setting: Setting, crowd: Crowd) -> dict[str, Bools]:
    """Soft limits on what each examinee may be given."""
    excluded = setting.around.excluded
    return barriers(
        setting.design.exposure,
        setting.items,
        crowd.theta,
        setting.seeds[crowd.who],
        setting.found,
        rejected=crowd.rejected,
        excluded=None if excluded is None else excluded[crowd.who],
    )


def allowed_items(
    setting: Setting,
    crowd: Crowd,
    limits: dict[str, Bools],
    area: Ints,
    record: Simulated,
    strata: tuple[int, Bools, Bools],
    before: Bools,
) -> Bools:
    """Free items of each examinee's pool within the limits, which yield where nothing is left.

    ``before`` has the limits that had to yield to the blueprint, shape ``(n_persons, n_limits)``,
    and ``strata`` has the first examinee of the block, the strata of theta met, and those in which
    the draw of eligible items did not yield.
    """
    first, visited, feasible = strata
    choosing = area >= 0
    people = crowd.who - first
    stratum = stratum_of(crowd.theta, setting.design.exposure)
    visited[people[choosing], stratum[choosing]] = True
    if not limits:
        return crowd.free
    allowed, yielded = narrowed(_in_area(setting, crowd, area), limits)
    yielded |= before
    places = np.array([BARRIERS.index(name) for name in limits])
    record.yielded[np.ix_(crowd.who, places)] += yielded
    if "eligibility" in limits:
        gave_way = yielded[:, -1]
        feasible[people[gave_way], stratum[gave_way]] = False
    return allowed


def _in_area(setting: Setting, crowd: Crowd, area: Ints) -> Bools:
    """Free items of each examinee's pool; none where there is no pool."""
    mine = (area >= 0)[:, None]
    if setting.design.content_shares:
        mine = mine & setting.masks[area]
    return crowd.free & mine


def note_rejections(
    setting: Setting,
    crowd: Crowd,
    limits: dict[str, Bools],
    area: Ints,
    candidates: Ints,
    now: Situation,
) -> None:
    """Note which items Sympson-Hetter turned away, where strata of theta make that matter."""
    design = setting.design
    if design.exposure.method != "sympson_hetter" or not design.exposure.strata:
        return
    some = come_up(crowd.free, limits)
    if setting.bound is not None:
        rows = balance.packed(now.given.rows, now.given.present)
        some = balance.come_up(setting.bound, rows, some)
    turned = _in_area(setting, replace(crowd, free=some), area) & ~limits["sympson_hetter"]
    values = setting.chooser.values(now)
    last = np.maximum((candidates >= 0).sum(axis=1) - 1, 0)
    row = np.take_along_axis(candidates, last[:, None], axis=1)
    chosen = np.take_along_axis(values, np.maximum(row, 0), axis=1)
    crowd.rejected[:] |= turned & (values >= chosen) & (row >= 0)


def needed_pool(setting: Setting, crowd: Crowd, record: Simulated, trying: Ints) -> Ints:
    """Pool from which each examinee's next item comes; -1 where none is asked, or all are empty."""
    shares = setting.design.content_shares
    if not shares:
        return np.where(trying >= 0, -1, 0)
    short = content_shares.shortfalls(crowd.counts, shares, crowd.n)
    area, skipped = content_shares.needed_area(short, crowd.left > 0)
    area = np.where(trying >= 0, -1, area)
    record.area_missing[crowd.who[(area >= 0) & skipped.any(axis=1)]] = True
    return area
