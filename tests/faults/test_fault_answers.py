"""Answers that come twice, late, out of order or made up: cases 1, 2, 5, 6 and 18."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_fault_01_a_double_click_keeps_one_answer(either_site):
    one = either_site.begun()
    form = one.form.filled()
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: one.send("POST", f"{one.at}/answer", form), range(4)))

    assert [reply.status for reply in replies] == [303] * 4
    assert len({reply.location for reply in replies}) == 1
    assert one.open().question.position == 2
    assert either_site.counts(one.sitting) == (1, 2)
    either_site.check(one.sitting)


def test_fault_02_an_old_page_changes_nothing_and_shows_the_current_question(site):
    one = site.begun()
    old = one.form
    one.answer()
    current = one.form.filled()
    reply = one.say(old.filled(1) | {"key": "of-the-page-loaded-again"})

    assert reply.status == 409
    assert reply.says("already answered")
    assert reply.question.filled() == current | {"key": reply.question.hidden["key"]}
    assert site.counts(one.sitting) == (1, 2)


def test_fault_06_a_key_used_with_another_answer_leaves_the_first_one(either_site):
    one = either_site.begun()
    form = one.form
    one.say(form.filled(0))
    before = either_site.contents(one.sitting)
    reply = one.say(form.filled(1))

    assert reply.status == 422
    assert reply.says("first answer to that question stands")
    assert either_site.contents(one.sitting) == before
    assert either_site.events(one.sitting)[-1] == "conflicting_answer_refused"
    either_site.check(one.sitting)


FORGED = (
    {"choice": "of-another-item"},
    {"choice": ["of-another-item", "and-one-more"]},
    {"position": "2"},
    {"position": "0"},
    {"position": "99999"},
    {"position": "1; DROP TABLE responses"},
    {"epoch": "-1"},
    {"key": ""},
)


def test_fault_18_what_the_page_could_not_send_is_refused_and_logged(site):
    one = site.begun()
    form = one.form.filled()
    for forged in FORGED:
        assert one.say(form | forged).status == 400, forged

    assert site.counts(one.sitting) == (0, 1)
    assert site.events(one.sitting).count("foreign_answer_refused") >= 6
    assert one.open().question.position == 1
    assert one.answer().question.position == 2
    site.check(one.sitting)
