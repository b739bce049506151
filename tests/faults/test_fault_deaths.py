"""The server dies by kill -9 while it takes an answer: cases 7 and 8."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from support.candidates import AWAY, Candidate, Fields
from support.fault_sites import Site
from support.holding import before_commit, in_transaction, until
from werkzeug.datastructures import MultiDict

from item_bank.exams import answering
from item_bank.exams.snapshots import read_snapshot
from item_bank.exams.steps import Answer, Decision, decide
from web.candidate.responses import response_from_form


def decision_on(site: Site, one: Candidate, form: Fields) -> Decision:
    """What the server has to decide upon this form, computed here."""
    with site.db.read() as session:
        snapshot = read_snapshot(site.db, session, one.sitting)
    sent = answering._sent(
        site.db, snapshot, 1, lambda shown: response_from_form(shown, MultiDict(form))
    )
    return decide(site.db, snapshot, Answer(sent.response, form["key"], int(form["epoch"])))


@contextmanager
def asking(one: Candidate, form: Fields):
    """Post an answer beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(one.say, form)


def dies(site: Site, reply: Future) -> None:
    """Kill the server; whoever waited for it learns that the line is cut."""
    assert not reply.done()
    site.server.kill()
    with pytest.raises(AWAY):
        reply.result(30)


def as_decided(site: Site, one: Candidate, decision: Decision) -> bool:
    """One response, and the item and the order of choices that were to come next."""
    assert site.counts(one.sitting) == (1, 2)
    item = site.presented(one.sitting)[1]
    return (item.row, tuple(item.choice_order)) == (
        decision.step.next_item,
        decision.choice_order,
    )


def test_fault_07_kill_between_selection_and_commit_loses_and_doubles_nothing(either_site):
    site, one = either_site, either_site.begun()
    form = one.form.filled()
    decision = decision_on(site, one, form)
    with before_commit(site) as wait, asking(one, form) as reply:
        wait()
        dies(site, reply)
    assert site.counts(one.sitting) == (0, 1)
    site.server.start()

    assert one.open().question.position == 1
    assert one.persist(form).status == 303
    assert as_decided(site, one, decision)
    site.check(one.sitting)


def test_fault_08_kill_in_a_transaction_leaves_nothing_of_it(either_site):
    site, one = either_site, either_site.begun()
    form = one.form.filled()
    decision = decision_on(site, one, form)
    with in_transaction(site) as wait, asking(one, form) as reply:
        wait()
        dies(site, reply)
    assert site.counts(one.sitting) == (0, 1)
    assert site.events(one.sitting) == ["started", "presented"]
    site.server.start()

    assert one.persist(form).status == 303
    assert as_decided(site, one, decision)
    site.check(one.sitting)


def test_fault_08_kill_before_the_reply_leaves_all_of_it(site):
    one = site.begun()
    form = one.form.filled()
    with asking(one, form):
        until(lambda: site.responses(one.sitting), "the answer is kept")
        site.server.kill()
    kept = site.counts(one.sitting), site.presented(one.sitting)[1].row
    site.server.start()

    assert one.persist(form).status == 303
    assert (site.counts(one.sitting), site.presented(one.sitting)[1].row) == kept
    assert kept[0] == (1, 2)
    assert one.open().question.position == 2
    site.check(one.sitting)
