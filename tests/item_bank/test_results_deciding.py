"""Deciding on results: who may do what, in which state, and what it leads to."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from support.signed_results import amended, finished, signed_exam, staff_actor
from support.sittings import open_hall

from item_bank.exams.actors import Actor, command_line
from item_bank.exams.decided import Act
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.verification import verify
from item_bank.results import deciding
from item_bank.results.decisions import Refusal, Refused, refusals
from item_bank.store.tables.outcomes import Decision, Outcome
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.sittings import Result, Sitting, SittingEvent

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def signed(db, small_bank):
    """A hall whose exam asks for two signatures."""
    return open_hall(db, exam=signed_exam(2))


def outcome_of(hall, sitting) -> Outcome:
    with hall.db.read() as session:
        return session.get_one(Outcome, sitting)


def refused(act) -> Refusal:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.why


def test_an_exam_without_signatures_releases_its_results_by_its_rule(hall):
    sitting = finished(hall)

    assert outcome_of(hall, sitting).state == "released"
    with hall.db.read() as session:
        (row,) = session.scalars(select(Decision)).all()
    assert (row.act, row.by, row.account_id) == ("released", "exam rule", None)
    assert verify(hall.db).problems == ()


def test_two_examiners_sign_and_the_second_signature_releases(signed):
    sitting, ann, ben = finished(signed), staff_actor(signed, "ann"), staff_actor(signed, "ben")

    assert deciding.sign(signed.db, ann, sitting) == "awaiting"
    assert refused(lambda: deciding.sign(signed.db, ann, sitting)) is Refusal.SIGNED_BEFORE
    assert deciding.sign(signed.db, ben, sitting) == "released"

    assert outcome_of(signed, sitting).released_at == signed.clock.at
    assert refused(lambda: deciding.sign(signed.db, ben, sitting)) is Refusal.IS_RELEASED


def test_of_two_examiners_who_look_at_once_only_one_signs_first(signed):
    sitting, ann, ben = finished(signed), staff_actor(signed, "ann"), staff_actor(signed, "ben")
    both_saw = deciding.standing(signed.db, ann, sitting).stamp

    deciding.sign(signed.db, ann, sitting, seen=both_saw)

    late = refused(lambda: deciding.sign(signed.db, ben, sitting, seen=both_saw))
    assert late is Refusal.MOVED_ON
    assert deciding.standing(signed.db, ben, sitting).missing == 1


@pytest.mark.parametrize("role", ["administrator", "psychometrician", "author", "invigilator"])
def test_only_examiners_decide(signed, role):
    sitting = finished(signed)
    other = staff_actor(signed, "other", role)

    said = refusals(deciding.standing(signed.db, other, sitting), other)

    assert set(said.values()) == {Refusal.NOT_EXAMINER}
    assert refused(lambda: deciding.sign(signed.db, other, sitting)) is Refusal.NOT_EXAMINER


def test_the_command_line_signs_in_nobodys_name(signed):
    sitting = finished(signed)
    host = command_line(signed.alice.organisation_id)

    assert refused(lambda: deciding.sign(signed.db, host, sitting)) is Refusal.NO_ACCOUNT


def test_a_result_is_not_released_without_its_signatures(signed):
    sitting, ann = finished(signed), staff_actor(signed, "ann")

    why = refused(lambda: deciding.release(signed.db, ann, sitting))

    assert why is Refusal.SIGNATURES_MISSING


def test_a_held_result_is_signed_but_released_by_hand(signed):
    sitting, ann, ben = finished(signed), staff_actor(signed, "ann"), staff_actor(signed, "ben")
    deciding.hold(signed.db, ann, sitting, "the invigilator's report is missing")

    deciding.sign(signed.db, ann, sitting)
    assert deciding.sign(signed.db, ben, sitting) == "held"
    deciding.release(signed.db, ben, sitting, "the report came")

    assert outcome_of(signed, sitting).state == "released"


def test_a_released_result_can_be_held_and_released_again(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    deciding.hold(hall.db, ann, sitting, "likeness to another")
    assert outcome_of(hall, sitting).state == "held"
    assert refused(lambda: deciding.hold(hall.db, ann, sitting, "again")) is Refusal.IS_HELD
    hall.clock.pass_seconds(60)
    deciding.release(hall.db, ann, sitting)

    assert outcome_of(hall, sitting).released_at == hall.clock.at


def test_an_invalidated_result_counts_for_nothing_until_it_is_reinstated(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    deciding.invalidate(hall.db, ann, sitting, "irregularity", "a telephone was used")
    with hall.db.read() as session:
        assert session.get_one(Sitting, sitting).status == "invalidated"
    for act in (Act.SIGNED, Act.RELEASED, Act.HELD, Act.INVALIDATED):
        said = refusals(deciding.standing(hall.db, ann, sitting), ann)
        assert said[act] is Refusal.IS_INVALIDATED
    deciding.reinstate(hall.db, ann, sitting, "it was a calculator")

    assert outcome_of(hall, sitting).state == "released"
    with hall.db.read() as session:
        assert session.get_one(Sitting, sitting).status == "finished"
    assert verify(hall.db).problems == ()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_reason_is_given_and_has_bounds(hall, reason):
    sitting, ann = finished(hall), staff_actor(hall, "ann")

    for act in (deciding.hold, deciding.reinstate):
        assert refused(lambda act=act: act(hall.db, ann, sitting, reason)) is Refusal.REASON
    with pytest.raises(NotAllowed):
        deciding.invalidate(hall.db, ann, sitting, "no such kind", "r")


def test_what_was_typed_stands_beside_the_chains(hall):
    sitting, ann = finished(hall), staff_actor(hall, "ann")
    deciding.hold(hall.db, ann, sitting, "secret words")

    with hall.db.read() as session:
        link = session.scalars(select(SittingEvent).where(SittingEvent.kind == "result_held")).one()
        site = session.scalars(select(SiteEvent).where(SiteEvent.kind == "result_held")).one()
        head = session.get_one(Sitting, sitting).chain_head
    assert "secret" not in str(link.payload) + str(site.payload)
    assert set(link.payload["reason"]) == {"message", "commitment"}
    assert (site.payload["sitting"], site.payload["head"]) == (sitting, head)
    assert site.payload["by"] == link.payload["by"] == ann.id


def test_somebody_elses_sitting_is_not_there(hall):
    sitting = finished(hall)
    stranger = Actor("0" * 32, "1" * 32, "examiner", "stranger")

    for act in (deciding.sign, deciding.standing):
        with pytest.raises(NotFound):
            act(hall.db, stranger, sitting)


def test_an_amended_result_stands_and_a_released_one_stays_released(hall):
    sitting = finished(hall)

    assert amended(hall, sitting) == 2

    stands = outcome_of(hall, sitting)
    assert (stands.result_number, stands.score, stands.state) == (2, 555.0, "released")
    with hall.db.read() as session:
        assert len(session.scalars(select(Result)).all()) == 2
    assert verify(hall.db).problems == ()


def test_a_newer_result_needs_new_signatures(signed):
    sitting, ann, ben = finished(signed), staff_actor(signed, "ann"), staff_actor(signed, "ben")
    deciding.sign(signed.db, ann, sitting)

    amended(signed, sitting)

    stands = deciding.standing(signed.db, ann, sitting)
    assert (stands.number, stands.missing, stands.state) == (2, 2, "awaiting")
    deciding.sign(signed.db, ann, sitting)
    assert deciding.sign(signed.db, ben, sitting) == "released"
