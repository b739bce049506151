"""Corrections in the browser: propose, dry run, two signatures, applied; compromised items."""

from __future__ import annotations

import re

import pytest
from support.corrections import PASSWORD, person, sit, standing, wrong_key
from support.visitors import Visitor

from item_bank.items.items import hold_item
from item_bank.results.handlers import LONG
from item_bank.results.short_work import HANDLERS
from item_bank.store.jobs import run_pending
from item_bank.store.long_work import run_long
from item_bank.store.tables.items import Item

CORRECTIONS = "/staff/corrections"


@pytest.fixture
def enter(app, hall):
    def sign_in(name: str, role: str = "examiner") -> Visitor:
        person(hall, name, role)
        one = Visitor(app)
        one.sign_in_staff(f"{name}@staff.example", PASSWORD)
        return one

    return sign_in


@pytest.fixture
def met(hall):
    """Alice's sitting, and the id and code of its first item."""
    from sqlalchemy import select

    sitting = sit(hall, hall.alice)
    code = standing(hall, sitting)["path"][0]["item"]
    with hall.db.read() as session:
        return sitting, session.scalars(select(Item.id).where(Item.code == code)).one(), code


def work(hall):
    run_pending(hall.db, HANDLERS)
    run_long(hall.db, LONG)


def effect(page):
    return re.search(r'name="effect" value="(\w+)"', page)[1]


def test_a_key_is_corrected_from_the_items_page_to_the_amended_result(hall, enter, met):
    sitting, item_id, code = met
    before = standing(hall, sitting)
    nora, omar = enter("nora"), enter("omar")
    assert f"{CORRECTIONS}/new/item/{item_id}" in nora.get(f"/staff/items/{item_id}").text

    nora.get(f"{CORRECTIONS}/new/item/{item_id}")
    form = {"revision": "1", "kind": "key", "reason": "Mistyped.", **wrong_key(code)}
    nora.post(f"{CORRECTIONS}/new/item/{item_id}", form, follow_redirects=True)
    assert "Nothing has changed" in nora.page
    nora.post(f"{CORRECTIONS}/1/dry-run", follow_redirects=True)
    assert "Under way" in nora.page
    work(hall)
    assert "1 of 1 sittings would have another score or level" in nora.get(f"{CORRECTIONS}/1").text
    assert standing(hall, sitting) == before

    changes = nora.get(f"{CORRECTIONS}/1/changes").text
    assert "Alice" in changes
    lines = nora.client.get(f"{CORRECTIONS}/1/changes.csv?show=all").text.splitlines()
    assert len(lines) == 2
    assert "Alice" in lines[1]

    nora.get(f"{CORRECTIONS}/1")
    nora.post(f"{CORRECTIONS}/1/sign", {"effect": effect(nora.page)}, follow_redirects=True)
    assert "another person must sign it, too" in nora.page
    omar.get(f"{CORRECTIONS}/1")
    omar.post(f"{CORRECTIONS}/1/sign", {"effect": effect(omar.page)}, follow_redirects=True)
    assert "Under way" in omar.page
    work(hall)
    assert "1 results amended" in omar.get(f"{CORRECTIONS}/1").text
    assert standing(hall, sitting)["score"] < before["score"]
    report = omar.get(f"/staff/sittings/{sitting}").text
    assert ">was 1</a>" in report
    omar.get(f"{CORRECTIONS}/1")
    omar.post(f"{CORRECTIONS}/1/undo", follow_redirects=True)
    assert "Correction 2: another key" in omar.page


def test_the_candidate_reads_what_was_corrected(hall, app, enter, met):
    sitting, _, code = met
    nora, omar = enter("nora"), enter("omar")
    nora.get(f"{CORRECTIONS}/new/item/{met[1]}")
    form = {"revision": "1", "kind": "drop", "reason": "Faulty.", "notice-en": "Told so."}
    nora.post(f"{CORRECTIONS}/new/item/{met[1]}", form)
    nora.post(f"{CORRECTIONS}/1/dry-run", follow_redirects=True)
    work(hall)
    for one in (nora, omar):
        one.get(f"{CORRECTIONS}/1")
        one.post(f"{CORRECTIONS}/1/sign", {"effect": effect(one.page)})
    work(hall)
    alice = Visitor(app)
    alice.sign_in(hall.codes["Alice"])
    assert "Told so." in alice.get(f"/sitting/{sitting}/result").text
    assert code not in alice.page


def test_cut_scores_are_corrected_from_the_exams_page(hall, enter, met):
    nora = enter("nora", "psychometrician")
    nora.get(f"{CORRECTIONS}/new/exam/sums")
    form = {"minimum-below": "300", "minimum-certified": "650", "version": "1", "reason": "Typo."}
    nora.post(f"{CORRECTIONS}/new/exam/sums", form, follow_redirects=True)
    assert "Correction 1: other cut scores" in nora.page
    nora.post(f"{CORRECTIONS}/1/dry-run")
    work(hall)
    page = nora.get(f"{CORRECTIONS}/1").text
    assert "signed by examiners" in page
    assert "Alice" not in nora.get(f"{CORRECTIONS}/1/changes?show=all").text
    assert "Alice" not in nora.client.get(f"{CORRECTIONS}/1/changes.csv?show=all").text
    nora.get(f"{CORRECTIONS}/1")
    nora.post(f"{CORRECTIONS}/1/withdraw", follow_redirects=True)
    assert "No result was changed" in nora.page


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"kind": "key", "key": "{", "reason": "x"}, "a key such as"),
        ({"kind": "key", "key": '{"correct": "Z"}', "reason": "x"}, "one of the choices"),
        ({"kind": "drop", "reason": ""}, "a reason of 1"),
        ({"kind": "drop", "reason": "x", "revision": "9"}, "number of a revision"),
        ({"kind": "drop", "reason": "x", "revision": "no"}, "number of a revision"),
    ],
)
def test_a_form_that_is_wrong_keeps_what_was_written(hall, enter, met, form, expected):
    nora = enter("nora")
    nora.get(f"{CORRECTIONS}/new/item/{met[1]}")
    response = nora.post(f"{CORRECTIONS}/new/item/{met[1]}", {"revision": "1"} | form)
    assert response.status_code == 422
    assert expected in response.text
    assert "No corrections yet" in nora.get(CORRECTIONS).text


def test_the_proposal_may_hold_the_item(hall, enter, met):
    chief = enter("chief", "administrator")
    chief.get(f"{CORRECTIONS}/new/item/{met[1]}")
    form = {"revision": "1", "kind": "drop", "reason": "Faulty.", "hold": "1"}
    chief.post(f"{CORRECTIONS}/new/item/{met[1]}", form, follow_redirects=True)
    assert "The item is held" in chief.page


def test_compromised_items_are_computed_without_and_results_invalidated(hall, enter, met):
    sitting, _, code = met
    nora = enter("nora")
    assert "None" in nora.get(f"{CORRECTIONS}/compromised").text
    home = hall.alice.organisation_id
    hold_item(hall.db, "small", code, "Leaked.", organisation_id=home, compromised=True)
    assert code in nora.get(f"{CORRECTIONS}/compromised").text
    assert nora.get(f"{CORRECTIONS}/compromised/bank/small").status_code == 404
    nora.get(f"{CORRECTIONS}/compromised")
    response = nora.post(f"{CORRECTIONS}/compromised/compute/small")
    assert "/staff/work/" in response.headers["Location"]
    work(hall)
    page = nora.get(f"{CORRECTIONS}/compromised/bank/small?show=all").text
    assert "Alice" in page
    assert "1 of 1" in page
    assert sitting in nora.client.get(f"{CORRECTIONS}/compromised/csv/small").text
    form = {"sitting": sitting, "category": "irregularity", "reason": "Met leaked items."}
    nora.get(f"{CORRECTIONS}/compromised/bank/small?show=all")
    nora.post(f"{CORRECTIONS}/compromised/bank/small?show=all", form)
    assert "1 results are invalidated" in nora.page
    assert "invalidated</td>" in nora.page
