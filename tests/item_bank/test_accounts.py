"""Accounts of the staff: who may still sign in after what was done to an account."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select
from support.sittings import SetClock

from engine.errors import InputError
from item_bank.exams import accounts
from item_bank.exams.accounts import RESET_LIFETIME, add_staff, list_staff
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.errors import NotAllowed, NotFound, TooManyAttempts
from item_bank.exams.signing_in import (
    LIMIT_ACCOUNT,
    LIMIT_ADDRESS,
    LIMIT_PAIR,
    candidate_by_code,
    staff_by_password,
    staff_by_session,
)
from item_bank.exams.verification import verify
from item_bank.store.schema import organisation
from item_bank.store.tables.people import PasswordReset
from item_bank.store.tables.records import SiteEvent

OLD, NEW = "a long enough one", "another that is long"
EVE = "eve@example.org"


@pytest.fixture
def actor(db):
    return command_line(organisation(db))


@pytest.fixture
def eve(db, actor) -> str:
    return add_staff(db, EVE, "administrator", OLD, organisation_id=actor.organisation_id)


@pytest.fixture
def ann(db, actor) -> str:
    return add_staff(db, "ann@e.org", "administrator", OLD, organisation_id=actor.organisation_id)


def signs_in(db, password: str, *, address: str = "office", **given) -> bool:
    return staff_by_password(db, EVE, password, address=address, **given) is not None


def kinds(db) -> list[tuple[str, object]]:
    with db.read() as session:
        events = session.scalars(select(SiteEvent).order_by(SiteEvent.number)).all()
        return [(event.kind, event.payload.get("by")) for event in events]


def test_a_disabled_account_is_shut_at_once_and_opens_again_with_its_password(db, actor, eve, ann):
    accounts.disable(db, actor, eve)
    assert not signs_in(db, OLD)
    assert staff_by_session(db, eve, 0) is None
    assert staff_by_session(db, eve, 1) is None
    with pytest.raises(NotAllowed, match="already"):
        accounts.disable(db, actor, eve)

    accounts.enable(db, actor, eve)
    assert signs_in(db, OLD)
    assert staff_by_session(db, eve, 0) is None, "what began before stays ended"
    with pytest.raises(NotAllowed):
        accounts.enable(db, actor, eve)
    assert kinds(db)[-2:] == [
        ("account_disabled", "command line"),
        ("account_enabled", "command line"),
    ]
    assert verify(db).problems == ()


def test_the_last_administrator_cannot_be_disabled(db, actor, eve, ann):
    accounts.disable(db, actor, ann)

    with pytest.raises(NotAllowed, match="last administrator"):
        accounts.disable(db, actor, eve)
    assert signs_in(db, OLD)


def test_an_account_gets_another_role_at_once_and_the_last_administrator_keeps_it(
    db, actor, eve, ann
):
    accounts.set_role(db, actor, eve, "examiner")

    assert staff_by_session(db, eve, 0).role == "examiner"
    assert kinds(db)[-1] == ("role_set", "command line")
    with pytest.raises(NotAllowed, match="already"):
        accounts.set_role(db, actor, eve, "examiner")
    with pytest.raises(NotAllowed, match="last administrator"):
        accounts.set_role(db, actor, ann, "author")
    with pytest.raises(InputError, match="'candidate'"):
        accounts.set_role(db, actor, ann, "candidate")
    accounts.set_role(db, actor, eve, "administrator")
    accounts.disable(db, actor, ann)
    accounts.set_role(db, actor, ann, "author")  # who is disabled keeps nobody in
    assert verify(db).problems == ()


def test_a_new_password_ends_every_session_that_began_before(db, actor, eve):
    accounts.set_password(db, actor, eve, NEW)

    assert (signs_in(db, OLD), signs_in(db, NEW)) == (False, True)
    assert staff_by_session(db, eve, 0) is None


def test_a_person_changes_the_own_password_with_the_old_one(db, eve):
    person = staff_by_session(db, eve, 0)
    assert accounts.change_password(db, person, "not the old one", NEW, address="x") is None
    assert signs_in(db, OLD)

    after = accounts.change_password(db, person, OLD, NEW, address="x")

    assert staff_by_session(db, eve, after.epoch) == after
    assert staff_by_session(db, eve, 0) is None
    assert signs_in(db, NEW)
    assert kinds(db)[-1] == ("password_changed", eve)


def test_an_open_session_is_no_way_to_guess_the_password(db, eve):
    person = staff_by_session(db, eve, 0)
    for _ in range(LIMIT_PAIR):
        accounts.change_password(db, person, "a guess that is long", NEW, address="x")

    with pytest.raises(TooManyAttempts):
        accounts.change_password(db, person, OLD, NEW, address="x")
    assert signs_in(db, OLD)


def test_a_link_sets_a_password_once(db, actor, eve):
    token = accounts.issue_reset(db, actor, eve)
    assert accounts.email_of_link(db, token) == EVE
    assert signs_in(db, OLD), "the old password goes on until then"

    assert accounts.use_link(db, token, NEW)

    assert (signs_in(db, OLD), signs_in(db, NEW)) == (False, True)
    assert staff_by_session(db, eve, 0) is None
    assert not accounts.use_link(db, token, OLD)
    assert accounts.email_of_link(db, token) is None
    assert signs_in(db, NEW)
    with db.read() as session:
        assert token not in str(session.execute(select(PasswordReset.__table__)).all())


def test_a_link_ends_after_a_day_with_a_newer_one_and_with_the_account(db, actor, eve, ann):
    clock = SetClock()
    db = replace(db, clock=clock)
    first = accounts.issue_reset(db, actor, eve)
    second = accounts.issue_reset(db, actor, eve)
    assert accounts.email_of_link(db, first) is None
    clock.at += RESET_LIFETIME - 1
    assert accounts.email_of_link(db, second) == EVE
    clock.at += 1
    assert not accounts.use_link(db, second, NEW)

    third = accounts.issue_reset(db, actor, eve)
    accounts.disable(db, actor, eve)
    assert not accounts.use_link(db, third, NEW)
    with pytest.raises(NotAllowed):
        accounts.issue_reset(db, actor, eve)
    assert not accounts.use_link(db, "", NEW)


@pytest.mark.parametrize("act", [accounts.disable, accounts.enable, accounts.issue_reset])
def test_an_account_of_another_organisation_is_not_there(db, eve, act):
    with pytest.raises(NotFound):
        act(db, Actor("a" * 32, "b" * 32, "administrator", "Mallory"), eve)
    assert signs_in(db, OLD)


@pytest.mark.parametrize("password", ["short", "x" * 201])
def test_a_password_has_a_length(db, actor, eve, password):
    with pytest.raises(InputError, match="10 to 200"):
        accounts.set_password(db, actor, eve, password)


# --- guessing --------------------------------------------------------------------------------


def guess(db, n: int, address: str) -> None:
    for _ in range(n):
        try:
            signs_in(db, "a wrong password", address=address)
        except TooManyAttempts:
            return


def test_nobody_is_shut_out_of_a_browser_that_knows_the_account(db, eve):
    guess(db, LIMIT_PAIR + 1, "office")
    with pytest.raises(TooManyAttempts):
        signs_in(db, OLD)

    assert signs_in(db, OLD, browser="known")
    for _ in range(LIMIT_PAIR):
        signs_in(db, "a wrong password", browser="known")
    with pytest.raises(TooManyAttempts):
        signs_in(db, OLD, browser="known")


def test_a_right_code_is_heard_however_many_wrong_ones_came_from_the_hall(db, small_bank):
    from support.sittings import open_hall

    hall = open_hall(db)
    for _ in range(LIMIT_ADDRESS):
        assert candidate_by_code(hall.db, "AAAA-AAAA-AAAA", address="hall") is None

    with pytest.raises(TooManyAttempts):
        candidate_by_code(hall.db, "AAAA-AAAA-AAAA", address="hall")
    assert candidate_by_code(hall.db, hall.codes["Alice"], address="hall") == hall.alice
    assert LIMIT_ADDRESS > LIMIT_ACCOUNT > LIMIT_PAIR


# --- the commands ----------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_commands_keep_accounts(db, eve, ann, run_command):
    status, said, noted = run_command("--json", "user", "reset", EVE)
    assert status == 0
    assert accounts.use_link(db, json.loads(said)["token"], NEW)
    assert "Shown once" in noted

    assert run_command("user", "password", EVE, "--password-stdin", stdin=f"{OLD}\n")[0] == 0
    assert signs_in(db, OLD)
    assert run_command("user", "password", EVE, "--password-stdin", stdin="short\n")[0] == 2
    assert run_command("user", "role", "ann@e.org", "--role", "author")[0] == 0
    assert run_command("user", "role", EVE, "--role", "author")[0] == 1
    assert run_command("user", "role", EVE, "--role", "candidate")[0] == 2
    assert run_command("user", "role", "ann@e.org", "--role", "administrator")[0] == 0
    assert run_command("user", "disable", EVE)[0] == 0
    assert "disabled" in run_command("user", "list")[1]
    assert run_command("user", "disable", "ann@e.org")[0] == 1
    assert run_command("user", "reset", EVE)[0] == 1
    assert run_command("user", "enable", EVE)[0] == 0
    assert run_command("user", "enable", "nobody@example.org")[0] == 2
    listed = list_staff(db, organisation_id=organisation(db))
    assert [row.disabled for row in listed] == [False, False]
