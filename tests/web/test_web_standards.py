"""Pages of standard setting: from a new study to its approval, rating, and who sees what."""

from __future__ import annotations

import io

import pytest
from support.standard_studies import ratings_at
from support.visitors import HTMX, Visitor

from item_bank.exams.accounts import add_staff
from item_bank.exams.actors import Actor
from item_bank.results.standards import acts
from item_bank.results.standards.acts import NewMember
from item_bank.results.standards.plans import NewStudy
from item_bank.results.standards.ratings import Rating, rate, standing_ratings
from item_bank.results.standards.records import studies, study
from item_bank.store.schema import organisation

PASSWORD = "weigh-with-care"
LIST = "/staff/standards"


@pytest.fixture
def enter(app, hall):
    """Sign in by role and name; gives the visitor and who acts."""

    def sign_in(role: str, name: str = "") -> tuple[Visitor, Actor]:
        home, email = organisation(hall.db), f"{name or role}@example.org"
        account = add_staff(hall.db, email, role, PASSWORD, organisation_id=home)
        one = Visitor(app)
        one.sign_in_staff(email, PASSWORD)
        return one, Actor(account, home, role, name or role)

    return sign_in


@pytest.fixture
def made(hall, enter):
    """A study with three panellists, the first with an account; whoever made it, and the first."""

    def make(**changes):
        maker, actor = enter("psychometrician")
        ann, _ = enter("examiner", "ann")
        own = acts.create_study(hall.db, actor, NewStudy("sums", "certified", **changes))
        panel = [NewMember("P1", "Ann", "ann@example.org"), NewMember("P2", "Ben"),
                 NewMember("P3", "Cem")]  # fmt: skip
        acts.set_panel(hall.db, actor, own, panel)
        return facts_of(hall, own), maker, actor, ann

    return make


def facts_of(hall, own):
    return study(hall.db, own, organisation_id=organisation(hall.db))


def rate_all(hall, actor, facts, thetas=(0.1, 0.3, 0.5)):
    rate(hall.db, actor, facts.id, ratings_at(facts, thetas), round_seen=facts.round)


def test_an_empty_list_says_what_comes_here_and_only_keepers_begin_studies(enter):
    keeper, _ = enter("psychometrician")
    assert "No study yet" in keeper.get(LIST).text
    assert "/staff/standards/new" in keeper.page
    other, _ = enter("examiner")
    assert "/staff/standards/new" not in other.get(LIST).text
    assert other.get(f"{LIST}/new").status_code == 403


def test_a_study_is_made_by_its_form_and_a_fault_keeps_what_was_typed(hall, enter):
    keeper, _ = enter("psychometrician")
    keeper.get(f"{LIST}/new")
    assert "sums/certified" in keeper.page
    assert "sums/below" not in keeper.page
    form = {"level": "sums/certified", "method": "angoff", "how": "form", "n": "400", "rp": "0.67",
            "rule": "between", "statistic": "mean", "title": "Pass mark",
            "candidate": "Can add."}  # fmt: skip

    refused = keeper.post(f"{LIST}/new", form)
    assert refused.status_code == 422
    assert "expected from 3 to 12 items, found 400" in refused.text
    assert 'value="Pass mark"' in refused.text
    keeper.post(f"{LIST}/new", form | {"n": "6"}, follow_redirects=True)

    assert "Now add its panel" in keeper.page
    assert "Can add." in keeper.page
    assert studies(hall.db, organisation_id=organisation(hall.db))[0].title == "Pass mark"


def test_the_panel_by_form_and_by_file(hall, made):
    facts, keeper, _, _ = made()
    address = f"{LIST}/{facts.id}"
    keeper.get(address)
    member = {"panellist": "P4", "name": "Dan", "account": "nobody@example.org"}
    refused = keeper.post(f"{address}/panel", member)
    assert refused.status_code == 422
    assert 'value="Dan"' in refused.text
    keeper.post(f"{address}/panel", member | {"account": ""}, follow_redirects=True)
    assert "Dan is on the panel" in keeper.page

    def send(text: str, **more: str):
        file = (io.BytesIO(text.encode()), "ratings.csv")
        return keeper.post(f"{address}/file", {"file": file, **more}, follow_redirects=True)

    assert "ratings.csv:2: item: expected an item" in send("panellist,item,rating\nP1,X,5\n").text
    right = "panellist,item,rating\nP1,S-01,60\n"
    assert "Nothing was changed" in send(right, check="yes").text
    assert standing_ratings(hall.db, facts, 1) == {}
    assert "1 ratings of round 1 are read" in send(right).text
    keeper.get(address)
    keeper.post(f"{address}/panel/P4/remove", follow_redirects=True)
    assert "P4 is off the panel" in keeper.page
    assert keeper.post(f"{address}/panel/P1/remove").status_code == 409


def test_a_panellist_rates_question_by_question_with_the_key_and_without_scripts(hall, made):
    facts, _, _, ann = made()
    ann.get(f"{LIST}/{facts.id}")
    assert "Your ratings" in ann.page
    assert "Enter on behalf" not in ann.page
    ann.get(f"{LIST}/{facts.id}/rate/P1", follow_redirects=True)
    assert "Question 1 of 12" in ann.page
    assert "What is 1 + 2?" in ann.page
    assert "<dd>B: 3</dd>" in ann.page
    assert 'name="rating"' in ann.page

    place = f"{LIST}/{facts.id}/rate/P1/1"
    said = ann.post(place, {"round": "1", "rating": "65"}, follow_redirects=True)
    assert "Question 2 of 12" in said.text
    assert standing_ratings(hall.db, facts, 1)["P1"] == {"S-01": 65}
    wrong = ann.post(place, {"round": "1", "rating": "165"})
    assert (wrong.status_code, "Nothing was saved" in wrong.text) == (422, True)
    ann.post(place, {"round": "1", "rating": "70", "then": "stop"}, follow_redirects=True)
    assert "1 of 12" in ann.page


def test_htmx_gets_a_line_that_says_what_was_saved(hall, made):
    facts, _, _, ann = made()
    place = f"{LIST}/{facts.id}/rate/P1/3"
    ann.get(place)

    said = ann.post(place, {"round": "1", "rating": "40"}, headers=HTMX)
    assert said.text.strip() == "Saved: 40 %. 1 of 12 rated."
    ann.get(place)
    empty = {"round": "1", "rating": ""}
    assert "Not saved" in ann.post(place, empty, headers=HTMX).text


def test_nobody_but_the_panellist_and_keepers_enters_ratings(hall, made, enter):
    facts, keeper, _, ann = made()
    other, _ = enter("examiner", "eve")
    for visitor, panellist, status in ((other, "P1", 403), (ann, "P2", 403), (keeper, "P2", 200)):
        page = visitor.get(f"{LIST}/{facts.id}/rate/{panellist}/1")
        assert page.status_code == status
    assert "on behalf of Ben" in keeper.page
    assert ann.get(f"{LIST}/{facts.id}/rate/P9/1").status_code == 404
    assert ann.get(f"{LIST}/{facts.id}/rate/P1/13").status_code == 404


def test_a_round_shows_to_the_panel_once_it_is_closed_and_then_cannot_change(hall, made):
    facts, keeper, actor, ann = made()
    rate_all(hall, actor, facts)
    address = f"{LIST}/{facts.id}"
    assert "Nothing to see yet" in ann.get(address).text
    assert ann.get(f"{address}/ratings.csv").text == "panellist,item,rating\n"
    assert "judges-caption" in keeper.get(address).text

    keeper.post(f"{address}/close-round", {"round": "1"}, follow_redirects=True)
    assert "Round 2 is open" in keeper.page
    assert keeper.post(f"{address}/close-round", {"round": "1"}).status_code == 409
    assert "In round 1 the judges’ cuts lie from 505 to 525" in ann.get(address).text
    assert "P1,S-01," in ann.get(f"{address}/ratings.csv").text
    late = ann.post(f"{address}/rate/P1/1", {"round": "1", "rating": "5"})
    assert (late.status_code, "Round 1 is closed" in late.text) == (409, True)
    assert "In round 1 the panel said" in ann.get(f"{address}/rate/P1/1").text


def test_a_closed_study_is_approved_by_another_person(hall, made, enter):
    facts, keeper, actor, ann = made()
    rate_all(hall, actor, facts)
    address = f"{LIST}/{facts.id}"
    keeper.get(address)
    keeper.post(f"{address}/close", follow_redirects=True)
    assert "<strong>515</strong>" in keeper.page
    assert keeper.post(f"{address}/approve").status_code == 403
    maker, boss = enter("administrator")
    ann.get(address)
    ann.post(f"{address}/approve", follow_redirects=True)

    assert "Approved by ann" in ann.page
    assert "minimum = 515" in ann.page
    assert "study = 1" in ann.page
    maker.get(address)
    assert maker.post(f"{address}/discard").status_code == 409
    assert "515" in ann.get(LIST).text
    assert boss.role == "administrator"


def test_a_bookmark_is_placed_between_two_questions(hall, made):
    facts, keeper, actor, ann = made(method="bookmark")
    address = f"{LIST}/{facts.id}/rate/P1"
    page = ann.get(address).text
    assert page.count("Place bookmark here") == 13
    assert "No bookmark yet" in page

    ann.post(address, {"round": "1", "bookmark": "5"}, follow_redirects=True)
    assert "Saved: the bookmark stands before place 5" in ann.page
    assert ann.page.count("mastered") >= 4
    part = ann.post(address, {"round": "1", "bookmark": "6"}, headers=HTMX).text
    assert "<html" not in part
    assert "before place 6" in part
    ann.get(address)
    assert ann.post(address, {"round": "1", "bookmark": "99"}).status_code == 422
    assert ann.get(f"{address}/1").status_code == 404
    marks = [Rating("P2", "", 7), Rating("P3", "", 8)]
    rate(hall.db, actor, facts.id, marks, round_seen=1)
    assert "Table of judges" in keeper.get(f"{LIST}/{facts.id}").text


def test_a_study_set_aside_takes_no_ratings(hall, made):
    facts, keeper, _, ann = made()
    keeper.get(f"{LIST}/{facts.id}")
    keeper.post(f"{LIST}/{facts.id}/discard", follow_redirects=True)
    assert "set aside" in keeper.page
    ann.get(f"{LIST}/{facts.id}/rate/P1/1")
    assert (
        ann.post(f"{LIST}/{facts.id}/rate/P1/1", {"round": "1", "rating": "5"}).status_code == 409
    )
