from __future__ import annotations

import re

import pytest
from support.sittings import begin, finish

from engine.errors import InputError
from item_bank.exams.accounts import add_staff, list_staff
from item_bank.exams.errors import TooManyAttempts
from item_bank.exams.people import RosterRow, import_roster, read_roster
from item_bank.exams.signing_in import (
    CODE_LETTERS,
    LIMIT_PAIR,
    access_code_hash,
    candidate_by_code,
    new_access_code,
    staff_by_password,
    staff_by_session,
)
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Outcome
from item_bank.store.tables.people import AccessCode

PASSWORD = "a long enough one"


def test_a_code_is_read_however_it_is_typed():
    assert access_code_hash("k", "ABCD-efgh 2345") == access_code_hash("k", "abcdefgh2345")
    assert access_code_hash("k", "ABCD") != access_code_hash("other key", "ABCD")


def test_a_code_signs_its_candidate_in_and_no_other_does(hall):
    assert candidate_by_code(hall.db, hall.codes["Bob"].lower(), address="x") == hall.bob
    assert candidate_by_code(hall.db, "AAAA-BBBB-CCCC", address="x") is None


def test_a_new_code_has_three_groups_of_five_and_shorter_ones_go_on(hall):
    assert re.fullmatch(f"([{CODE_LETTERS}]{{5}}-){{2}}[{CODE_LETTERS}]{{5}}", new_access_code())
    older = access_code_hash(hall.db.secrets().codes, "jh3q-hg99-9sh7")
    with hall.db.write() as session:
        session.get_one(AccessCode, hall.alice.code_id).code_hash = older

    assert candidate_by_code(hall.db, "JH3Q HG99 9SH7", address="x") == hall.alice


def test_importing_a_roster_again_keeps_codes_unless_asked(hall):
    rows = read_roster("roster_id,name\nA,Alice B.\nC,Chen\n", file="r.csv")
    home = hall.alice.organisation_id

    again = import_roster(hall.db, rows, "sums", organisation_id=home)
    assert [bool(person.code) for person in again] == [False, True]
    renamed = candidate_by_code(hall.db, hall.codes["Alice"], address="x")
    assert renamed.name == "Alice B."

    fresh = import_roster(hall.db, rows, "sums", organisation_id=home, reissue=True)
    assert candidate_by_code(hall.db, hall.codes["Alice"], address="x") is None
    assert candidate_by_code(hall.db, fresh[0].code, address="x").candidate_id == (
        hall.alice.candidate_id
    )


def test_where_and_from_where_a_person_sat_is_kept_with_the_outcome(hall):
    rows = read_roster("roster_id,name,country,centre\nA,Alice,TJ,Khujand\n", file="r.csv")
    import_roster(hall.db, rows, "sums", organisation_id=hall.alice.organisation_id)

    sitting = finish(hall, hall.alice, begin(hall, hall.alice))
    import_roster(
        hall.db, [RosterRow("A", "Alice")], "sums", organisation_id=hall.alice.organisation_id
    )

    with hall.db.read() as session:
        outcome = session.get_one(Outcome, sitting.sitting_id)
    assert (outcome.country, outcome.centre) == ("TJ", "Khujand")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_roster_is_read_as_spreadsheets_write_it(sign):
    rows = read_roster(f"\ufeffroster_id{sign}name\r\nA{sign}Alice\r\n", file="r.csv")

    assert [(row.roster_id, row.name) for row in rows] == [("A", "Alice")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv:1: expected a column named roster_id, found an empty file"),
        ("roster_id\nA\n", "r.csv:1: expected a column named name, found roster_id"),
        ("roster_id,name,size\nA,B,C\n", "'size'"),
        (f"roster_id,name,centre\nA,B,{65 * 'x'}\n", "r.csv:2: centre: expected at most 64"),
        ("roster_id,name,breaks\nA,B,1.5\n", "r.csv:2: breaks: expected a number from 0 to 20"),
        ("roster_id,name,font\nA,B,big\n", "r.csv:2: font: expected large, or nothing"),
        ("roster_id,name,contrast\nA,B,low\n", "r.csv:2: contrast: expected high, or nothing"),
        ("roster_id,name\nA\n", "r.csv:2: expected as many fields as the header has"),
        ("roster_id,name\nA,B,C\n", "r.csv:2: expected as many fields as the header has"),
        ("roster_id,name\n,B\n", "r.csv:2: roster_id: expected a text, found nothing"),
        ("roster_id,name,extra_time\nA,B,lots\n", "r.csv:2: extra_time: expected a number"),
        ("roster_id,name,attempts\nA,B,1.5\n", "r.csv:2: attempts: expected a number"),
        ("roster_id,name\nA,B\nA,C\n", "each person once, found A twice"),
        ("roster_id,name\n", "at least one person"),
    ],
)
def test_a_roster_that_is_wrong_is_refused_by_line_and_column(text, message):
    with pytest.raises(InputError) as error:
        read_roster(text, file="r.csv")
    assert message in str(error.value)


def test_staff_sign_in_with_the_right_password_only(db):
    home = organisation(db)
    account = add_staff(db, "Eve@Example.org", "examiner", PASSWORD, organisation_id=home)

    signed_in = staff_by_password(db, " eve@example.ORG ", PASSWORD, address="x")
    assert signed_in == staff_by_session(db, account, 0)
    assert signed_in.role == "examiner"
    assert staff_by_password(db, "eve@example.org", "wrong", address="x") is None
    assert staff_by_password(db, "nobody@example.org", PASSWORD, address="x") is None
    assert [row.email for row in list_staff(db, organisation_id=home)] == ["Eve@Example.org"]


@pytest.mark.parametrize(
    ("email", "role", "password"),
    [
        ("eve", "examiner", PASSWORD),
        ("eve@example.org", "king", PASSWORD),
        ("eve@example.org", "examiner", "short"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(db, email, role, password):
    with pytest.raises(InputError):
        add_staff(db, email, role, password, organisation_id=organisation(db))


def test_guessing_a_password_is_slowed_and_locks_no_one_else_out(db):
    add_staff(db, "eve@example.org", "examiner", PASSWORD, organisation_id=organisation(db))
    for _ in range(LIMIT_PAIR):
        assert staff_by_password(db, "eve@example.org", "guess", address="thief") is None

    with pytest.raises(TooManyAttempts) as error:
        staff_by_password(db, "eve@example.org", PASSWORD, address="thief")
    assert 0 < error.value.seconds <= 15 * 60 + 1
    assert staff_by_password(db, "eve@example.org", PASSWORD, address="office") is not None


def test_a_hall_behind_one_address_is_heard(hall):
    for _ in range(50):
        candidate_by_code(hall.db, "AAAA-AAAA-AAAA", address="hall")

    assert candidate_by_code(hall.db, hall.codes["Alice"], address="hall") == hall.alice


def test_a_roster_says_what_each_person_is_allowed():
    text = (
        "roster_id,name,extra_time,breaks,break_minutes,font,contrast\n"
        "A,Alice,1.25,2,7.5,large,high\nB,Bob,,0,,,\n"
    )
    alice, bob = read_roster(text, file="r.csv")
    assert alice.accommodations == {
        "extra_time": 1.25,
        "breaks": 2,
        "break_minutes": 7.5,
        "font": "large",
        "contrast": "high",
    }
    assert bob.accommodations == {"extra_time": 1.0, "breaks": 0}
