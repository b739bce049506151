"""Exposure control and classification in real sittings: they run, and replay from the log."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update
from support.sittings import EXAM, begin, finish, open_hall, respond

from item_bank.exams.candidate_views import view
from item_bank.exams.designs import apply_exam
from item_bank.exams.replay import replay
from item_bank.exams.snapshots import read_snapshot
from item_bank.exams.usage import counted
from item_bank.items.items import hold_item
from item_bank.items.releases import release_parameters
from item_bank.store.schema import organisation
from item_bank.store.tables.sittings import PresentedItem, Sitting
from item_bank.store.tables.usage import UsageCounter

CLASSIFYING = '[classification]\nmethod = "glr"\ndelta = 0.6\nalpha = 0.2\nbeta = 0.2\n'
RULES = {
    "progressive": '[exposure]\nmethod = "progressive"\n',
    "proportional": '[exposure]\nmethod = "proportional"\n',
    "sympson_hetter": '[exposure]\nmethod = "sympson_hetter"\nstrata = [0.0]\n[exposure.k]\n',
}


def k_of_all(db):
    items = release_parameters(db, "small", organisation_id=organisation(db)).items
    return "".join(f'"{item}" = [0.6, 0.4]\n' for item in items.item)


@pytest.mark.parametrize("name", RULES)
def test_a_sitting_under_exposure_control_ends_and_replays(db, small_bank, name):
    rules = RULES[name] + (k_of_all(db) if name == "sympson_hetter" else "")
    text = EXAM.replace("[stopping]", f"{rules}{CLASSIFYING}[stopping]")
    hall = open_hall(db, exam=text)
    for candidate, language in ((hall.alice, "en"), (hall.bob, "ru")):
        end = finish(hall, candidate, begin(hall, candidate, language))
        assert end.status == "finished"
        assert replay(hall.db, end.sitting_id).problems == ()


COUNTING = {
    "ceiling": "[exposure]\nceiling = 0.5\n",
    "eligibility": '[exposure]\nmethod = "eligibility"\nmax_rate = 0.4\n',
    "eligibility by stratum": '[exposure]\nmethod = "eligibility"\nmax_rate = 0.4\nstrata = [0]\n',
    "both": '[exposure]\nmethod = "eligibility"\nmax_rate = 0.4\nceiling = 0.7\n',
}


def with_rules(rules):
    return EXAM.replace("[stopping]", f"{rules}[stopping]")


def many_sittings(hall, n):
    """Alice sits again and again; every sitting has another seed."""
    return [finish(hall, hall.alice, begin(hall, hall.alice)).sitting_id for _ in range(n)]


def presented_in(db, sitting_id):
    with db.read() as session:
        return session.scalars(
            select(PresentedItem)
            .where(PresentedItem.sitting_id == sitting_id)
            .order_by(PresentedItem.position)
        ).all()


def counters(db):
    with db.read() as session:
        found = session.scalars(select(UsageCounter)).all()
    return {(c.strata[:4], c.stratum, c.item): (c.given, c.barred) for c in found}


@pytest.mark.parametrize("name", COUNTING)
def test_rules_that_count_over_sittings_hold_in_sittings_which_replay(db, small_bank, name):
    rules = COUNTING[name] + "avoid_earlier = false\n"
    hall = open_hall(db, exam=with_rules(rules), attempts=50)
    ids = many_sittings(hall, 8)
    steps = [step for one in ids for step in presented_in(hall.db, one)]
    assert all("usage" in step.trace for step in steps)
    read = [step.trace["usage"] for step in steps[-5:]]
    assert any(usage.get("full") or usage.get("chances") for usage in read)
    assert [replay(hall.db, one).problems for one in ids] == [()] * 8


def test_an_item_at_the_ceiling_is_withheld_unless_nothing_else_is_left(db, small_bank):
    text = with_rules("[exposure]\nceiling = 0.7\navoid_earlier = false\n")
    hall = open_hall(db, exam=text, attempts=50)
    steps = [s for one in many_sittings(hall, 12) for s in presented_in(hall.db, one)]
    full = [step for step in steps if step.trace["usage"]["full"]]
    assert full
    for step in full:
        yielded = "ceiling_yielded" in step.trace["events"]
        assert (step.row in step.trace["usage"]["full"]) is yielded
    assert max(map([step.row for step in steps].count, range(12))) < 12


@pytest.mark.parametrize("name", COUNTING)
def test_counters_are_what_the_logs_add_up_to(db, small_bank, name):
    rules = COUNTING[name] + "avoid_earlier = false\n"
    hall = open_hall(db, exam=with_rules(rules), attempts=50)
    ids = many_sittings(hall, 5)
    begin(hall, hall.bob, "ru")  # one that still runs counts, too
    with hall.db.read() as session:
        ids = list(session.scalars(select(Sitting.id)))
        snapshots = [read_snapshot(hall.db, session, one) for one in ids]
    added = sum((counted(one) for one in snapshots), start=Counter())
    places = {place for _, place in added}
    expected = {
        (place[0][:4], *place[1:]): (added["given", place], added["barred", place])
        for place in places
    }
    found = counters(hall.db)
    assert {place: counts for place, counts in found.items() if counts != (0, 0)} == expected
    assert found["", -1, ""] == (6, 0)


def test_nothing_of_today_gets_into_a_replay(db, small_bank):
    """Counters, holds and other sittings change afterwards: the past stays what it was."""
    hall = open_hall(db, exam=with_rules(COUNTING["both"]), attempts=50)
    ids = many_sittings(hall, 3)
    many_sittings(hall, 3)
    with hall.db.write() as session:
        session.execute(update(UsageCounter).values(given=UsageCounter.given * 7 + 3, barred=2))
    for code in ("S-05", "S-06", "S-07"):
        hold_item(hall.db, "small", code, "leaked", organisation_id=organisation(hall.db))
    assert [replay(hall.db, one).problems for one in ids] == [()] * 3
    with hall.db.write() as session:
        session.execute(delete(UsageCounter))
    assert [replay(hall.db, one).problems for one in ids] == [()] * 3


def test_a_new_version_goes_on_counting(db, small_bank):
    hall = open_hall(db, exam=with_rules(COUNTING["ceiling"]), attempts=50)
    many_sittings(hall, 2)
    text = with_rules(COUNTING["ceiling"]).replace("max_items = 8", "max_items = 5")
    apply_exam(hall.db, text, organisation_id=organisation(hall.db))
    many_sittings(hall, 1)
    assert counters(hall.db)["", -1, ""] == (3, 0)


def test_sittings_that_run_side_by_side_all_count(db, small_bank):
    hall = open_hall(db, exam=with_rules(COUNTING["both"] + "avoid_earlier = false\n"))
    sitting_now = [(hall.alice, begin(hall, hall.alice)), (hall.bob, begin(hall, hall.bob, "ru"))]

    def sit(pair):
        candidate, now = pair
        while now.question is not None:
            respond(hall, candidate, now)
            now = view(hall.db, candidate, now.sitting_id)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(sit, sitting_now))
    total = sum(len(presented_in(hall.db, now.sitting_id)) for _, now in sitting_now)
    found = counters(hall.db)
    given = [n for place, (n, _) in found.items() if place[:2] == ("", -1) and place[2]]
    assert sum(given) == total
    for _, now in sitting_now:
        assert replay(hall.db, now.sitting_id).problems == ()
