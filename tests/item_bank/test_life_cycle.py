"""The life cycle of items as rules: which moves there are, who may make them, what they ask for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.accounts import STAFF_ROLES
from item_bank.items.authoring.alternatives import without_alternative
from item_bank.items.authoring.imported import Arrival, Terms, brings_sign_offs, state_after
from item_bank.items.life_cycle import (
    OPERATOR,
    READERS,
    RULES,
    Actor,
    MayNot,
    Standing,
    State,
    check_move,
    check_sign_off,
    offers,
    state_named,
)

READY = Standing(
    code="Q1",
    state=State.DRAFT,
    review_required=True,
    demanded=("en", "ru"),
    texts=frozenset({"en", "ru"}),
    editor="writer",
    reviewers=frozenset({"reader"}),
    signed=frozenset({"en", "ru"}),
    has_parameters=True,
)
WITH_REVIEW = {
    "draft": {"reviewed", "held", "retired"},
    "reviewed": {"draft", "translated", "held", "retired"},
    "translated": {"draft", "pretest", "operational", "held", "retired"},
    "pretest": {"draft", "operational", "held", "retired"},
    "operational": {"draft", "pretest", "held", "retired"},
    "retired": {"draft", "held"},
}
WITHOUT = WITH_REVIEW | {
    "draft": {"reviewed", "pretest", "operational", "held", "retired"},
    "reviewed": {"draft", "translated", "pretest", "operational", "held", "retired"},
}
UNHELD = [state for state in State if state != State.HELD]


def refused(standing, to, role=OPERATOR, reason="because", match="item Q1") -> None:
    with pytest.raises(AnswerIsNo, match=match):
        check_move(standing, to, role, reason)


@pytest.mark.parametrize(("required", "ways"), [(True, WITH_REVIEW), (False, WITHOUT)])
@pytest.mark.parametrize(("state", "to"), list(itertools.product(UNHELD, State)), ids=str)
def test_each_move_is_allowed_or_refused(required, ways, state, to):
    standing = replace(READY, state=state, review_required=required)
    if to in ways[state]:
        check_move(standing, to, OPERATOR, "because")
    else:
        refused(standing, to, match="already|it can go to")


@pytest.mark.parametrize(("state", "to"), list(itertools.product(UNHELD, State)), ids=str)
def test_a_held_item_goes_on_where_it_was_or_leaves(state, to):
    held = replace(READY, state=state, held=True)
    away = to in {State.RETIRED, State.DRAFT} and (state, to) in RULES
    if away or (to == state and state != State.RETIRED):
        check_move(held, to, OPERATOR, "because")
    else:
        refused(held, to)


@pytest.mark.parametrize(("move", "rule"), RULES.items(), ids=map("-".join, RULES))
def test_each_move_is_open_to_its_roles_and_to_no_other(move, rule):
    state, to = move
    standing = replace(READY, state=state, review_required=False)
    for role in STAFF_ROLES:
        if role in rule.roles:
            check_move(standing, to, role, "because")
        else:
            with pytest.raises(MayNot, match=f"only an? .* may move it from {state} to {to}"):
                check_move(standing, to, role, "because")


def test_only_a_psychometrician_lets_an_item_count():
    who = {rule.roles for (_, to), rule in RULES.items() if to == State.OPERATIONAL}

    assert who == {frozenset({"psychometrician"})}


@pytest.mark.parametrize("to", ["held", "retired", "draft", "operational"])
def test_a_move_that_takes_away_or_lets_count_asks_for_a_reason(to):
    state = State.REVIEWED if to == "draft" else State.TRANSLATED

    refused(replace(READY, state=state), State(to), reason="  ", match="lacks a reason")


def test_a_review_is_signed_by_another_person_than_the_last_editor():
    refused(replace(READY, reviewers=frozenset()), State.REVIEWED, match="a review that is signed")
    own = replace(READY, reviewers=frozenset({"writer"}))
    refused(own, State.REVIEWED, match="another person than the one who edited it last")
    check_move(replace(READY, editor=None), State.REVIEWED, "author", "")


def test_translated_asks_for_a_signed_text_in_each_demanded_language():
    reviewed = replace(READY, state=State.REVIEWED)
    half = replace(reviewed, texts=frozenset({"en"}), signed=frozenset())

    refused(half, State.TRANSLATED, match="a text in ru; a sign-off of the text in en")
    check_move(replace(reviewed, demanded=("en",), texts=frozenset({"en"})),
               State.TRANSLATED, "author", "")  # fmt: skip


@pytest.mark.parametrize("to", [State.PRETEST, State.OPERATIONAL])
def test_what_is_given_to_candidates_has_parameters(to):
    bare = replace(READY, state=State.TRANSLATED, has_parameters=False)

    refused(bare, to, match="parameters of its newest revision")


def test_a_bank_that_demands_reviews_has_no_way_round_them():
    refused(READY, State.OPERATIONAL, match="it can go to reviewed, held, retired")
    unread = replace(READY, state=State.TRANSLATED, reviewers=frozenset(), signed=frozenset())
    refused(unread, State.PRETEST, match="review.*sign-off of the text in en")


def test_an_item_without_a_text_needs_nobody_to_read_it():
    bare = replace(READY, has_text=False, texts=frozenset(), reviewers=frozenset())

    check_move(bare, State.REVIEWED, "author", "")
    check_move(replace(bare, state=State.REVIEWED), State.TRANSLATED, "author", "")


def test_an_offer_says_what_a_move_lacks_and_whom_it_is_open_to():
    standing = replace(READY, state=State.TRANSLATED, has_parameters=False)
    by_state = {offer.to: offer for offer in offers(standing)}

    assert by_state[State.PRETEST].missing == ("parameters of its newest revision",)
    assert by_state[State.OPERATIONAL].asks_reason
    assert not by_state[State.OPERATIONAL].open_to("administrator")
    assert by_state[State.HELD].open_to("examiner")
    assert not by_state[State.HELD].open_to("author")


def test_the_word_for_a_held_item_is_held_unless_it_is_retired():
    assert replace(READY, held=True).shown == State.HELD
    assert replace(READY, held=True, state=State.RETIRED).shown == State.RETIRED


def test_a_state_is_one_of_seven():
    assert state_named("pretest") == State.PRETEST
    with pytest.raises(InputError, match=r"expected one of draft, reviewed, .*, found 'ready'"):
        state_named("ready")


# --- sign-offs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(READERS))
def test_staff_that_work_on_items_may_sign_off(role):
    check_sign_off(READY, "", Actor(role, "somebody"))
    check_sign_off(replace(READY, signed=frozenset()), "ru", Actor(role, "somebody"))


@pytest.mark.parametrize(
    ("language", "actor", "match"),
    [
        ("", Actor(), "a person's"),
        ("", Actor("candidate", "x"), "a person's"),
        ("", Actor("author", "writer"), "who edited it last"),
        ("", Actor("author", "reader"), "already"),
        ("en", Actor("author", "other"), "already"),
        ("tg", Actor("author", "other"), "no text in tg"),
    ],
)
def test_a_sign_off_that_says_nothing_is_refused(language, actor, match):
    with pytest.raises(AnswerIsNo, match=match):
        check_sign_off(READY, language, actor)


# --- imports -----------------------------------------------------------------------------------


def arrives(before=None, says=None, *, parameters=True, revised=True) -> Arrival:
    return Arrival("Q1", before, says, parameters, revised)


@pytest.mark.parametrize(
    ("arrival", "terms", "state"),
    [
        (arrives(), Terms(), "operational"),
        (arrives(parameters=False), Terms(), "draft"),
        (arrives(), Terms(status="pretest"), "pretest"),
        (arrives(says="draft"), Terms(status="pretest"), "draft"),
        (arrives("draft"), Terms(), "operational"),
        (arrives("draft", parameters=False), Terms(), "draft"),
        (arrives("pretest"), Terms(), "pretest"),
        (arrives("pretest", "operational"), Terms(), "operational"),
        (arrives("reviewed"), Terms(), "draft"),
        (arrives("translated", revised=False), Terms(), "translated"),
        (arrives("retired"), Terms(), "retired"),
    ],
)
def test_a_file_says_the_state_of_items_where_no_review_is_demanded(arrival, terms, state):
    assert state_after(arrival, terms, review_required=False) == state


@pytest.mark.parametrize(
    ("arrival", "state"),
    [
        (arrives(), "draft"),
        (arrives("operational"), "operational"),
        (arrives("operational", "operational"), "operational"),
        (arrives("reviewed"), "draft"),
        (arrives("draft"), "draft"),
    ],
)
def test_where_reviews_are_demanded_new_items_are_drafts_and_others_stay(arrival, state):
    assert state_after(arrival, Terms(), review_required=True) == state
    assert not brings_sign_offs(state, Terms(), review_required=True)


@pytest.mark.parametrize("arrival", [arrives(says="operational"), arrives("draft", "pretest")])
def test_where_reviews_are_demanded_a_file_moves_nothing_unless_reviewed_elsewhere(arrival):
    with pytest.raises(InputError, match="item Q1: status: expected draft, as the bank demands"):
        state_after(arrival, Terms(), review_required=True)
    elsewhere = Terms(signed_off=True)
    assert state_after(arrival, elsewhere, review_required=True) == arrival.says
    assert brings_sign_offs("operational", elsewhere, review_required=True)


def test_a_file_does_not_bring_a_retired_item_back():
    with pytest.raises(InputError, match="as the item is retired"):
        state_after(arrives("retired", "operational"), Terms(), review_required=False)


# --- alternatives ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"stem": "What is ![a map](media:map.png)?"}, 0),
        ({"stem": "What is ![](media:map.png)?"}, 1),
        ({"choices": [["A", "![](media:a.png)"], ["B", "![b](media:b.png)"]]}, 1),
        ({"image": {"media": "map.png", "alt": "A map", "width": 1, "height": 1}}, 0),
        ({"image": {"media": "map.png", "alt": " ", "width": 1, "height": 1}}, 1),
        ({"title": "Tower", "audio": "tower.mp3", "transcript": "Cleared to land."}, 0),
        ({"title": "Tower", "audio": "tower.mp3", "transcript": ""}, 1),
        ({"title": "Tower", "audio": "tower.mp3"}, 1),
    ],
)
def test_pictures_and_sounds_without_an_alternative_are_found_wherever_they_stand(content, found):
    assert len(list(without_alternative(content))) == found
