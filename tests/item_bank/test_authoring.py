"""What people do to items is kept, and publishing refuses by name what is not ready."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from support.banks import small_bank_document
from support.sittings import begin, open_hall

from engine.errors import AnswerIsNo, InputError
from item_bank.exams.accounts import add_staff
from item_bank.exams.verification import verify
from item_bank.items.authoring.actors import actor_by_email
from item_bank.items.authoring.imported import Terms
from item_bank.items.authoring.listing import Wanted, bank_page, bank_standings
from item_bank.items.authoring.moves import comment_on, lift_hold, move_item, sign_off
from item_bank.items.authoring.records import commitment
from item_bank.items.formats.json_file import read_json
from item_bank.items.imports import import_bank
from item_bank.items.life_cycle import Actor, MayNot, State
from item_bank.items.releases import publish, release_items
from item_bank.store.schema import organisation
from item_bank.store.tables.authoring import ItemComment, ItemMove, SignOff
from item_bank.store.tables.records import SiteEvent
from item_bank.store.triggers import drop_triggers


def without_parameters(document):
    del document["items"][0]["parameters"]


def imported(db, tmp_path, change=lambda _document: None, **options):
    document = small_bank_document(3)
    change(document)
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(document))
    return import_bank(db, read_json(path), organisation_id=organisation(db), **options)


def demanding(document):
    document["bank"] |= {"review": "required", "languages": ["en", "ru"]}


@pytest.fixture
def home(db) -> str:
    return organisation(db)


@pytest.fixture
def people(db, home) -> dict[str, Actor]:
    """Staff of every role, and a second author."""
    made = {}
    for name, role in [("writer", "author"), ("reader", "author"), ("examiner", "examiner"),
                       ("judge", "psychometrician"), ("admin", "administrator")]:  # fmt: skip
        email = f"{name}@example.org"
        add_staff(db, email, role, "weigh-with-care", organisation_id=home)
        made[name] = actor_by_email(db, email, organisation_id=home)
    return made


def move(db, item, to, actor, reason=""):
    home = organisation(db)
    return move_item(db, "small", item, State(to), actor, reason, organisation_id=home)


def sign(db, item, language, actor, **options):
    home = organisation(db)
    return sign_off(db, "small", item, language, actor, organisation_id=home, **options)


def standing(db, item="S-01"):
    return bank_standings(db, "small", organisation_id=organisation(db), item=item)[0]


def events(db, kind) -> list[dict]:
    with db.read() as session:
        rows = session.scalars(select(SiteEvent).where(SiteEvent.kind == kind))
        return [row.payload for row in rows]


def test_an_item_goes_from_draft_to_retired_by_the_hands_of_those_who_may(
    db, home, people, tmp_path
):
    imported(db, tmp_path, demanding, terms=Terms(editor=people["writer"]))
    assert {one.state for one in bank_standings(db, "small", organisation_id=home)} == {"draft"}

    sign(db, "S-01", "", people["reader"])
    move(db, "S-01", "reviewed", people["writer"])
    for language in ("en", "ru"):
        sign(db, "S-01", language, people["writer"])
    move(db, "S-01", "translated", people["writer"])
    move(db, "S-01", "pretest", people["admin"])
    publish(db, "small", organisation_id=home)
    move(db, "S-01", "operational", people["judge"], "fits well")
    second = publish(db, "small", organisation_id=home)
    assert release_items(db, second.id, "en").statuses == ("operational",)
    move(db, "S-01", "held", people["examiner"], "seen on a forum")
    lift_hold(db, "small", "S-01", people["admin"], organisation_id=home)
    move(db, "S-01", "retired", people["admin"], "worn out")

    with db.read() as session:
        kept = session.scalars(select(ItemMove).order_by(ItemMove.at)).all()
        last = kept[-1]
        states = [row.to_state for row in kept]
        assert (last.account_id, last.role, last.reason) == (
            people["admin"].id,
            "administrator",
            "worn out",
        )
    assert states == ["reviewed", "translated", "pretest", "operational", "held", "operational",
                      "retired"]  # fmt: skip
    assert verify(db).problems == ()


def test_a_move_is_on_the_chain_with_who_when_and_a_commitment_to_why(db, home, people, small_bank):
    move(db, "S-01", "retired", people["judge"], "worn out")
    (event,) = events(db, "item_moved")
    with db.read() as session:
        kept = session.scalars(select(ItemMove)).one()

    assert (event["item"], event["from"], event["to"]) == ("S-01", "operational", "retired")
    assert (event["by"], event["role"]) == (people["judge"].id, "psychometrician")
    assert event["reason"] == commitment(kept.salt, "worn out")
    assert "worn out" not in json.dumps(event)
    assert verify(db).problems == ()


def test_a_refused_move_leaves_everything_as_it_was(db, people, small_bank):
    for to, actor, reason in [
        ("reviewed", people["judge"], "x"),
        ("retired", people["writer"], "x"),
        ("retired", people["judge"], " "),
    ]:
        with pytest.raises(AnswerIsNo):
            move(db, "S-01", to, actor, reason)

    assert standing(db).state == "operational"
    assert events(db, "item_moved") == []


def test_who_wrote_a_text_cannot_review_it(db, people, tmp_path):
    imported(db, tmp_path, demanding, terms=Terms(editor=people["writer"]))

    with pytest.raises(MayNot, match="who edited it last"):
        sign(db, "S-01", "", people["writer"])
    sign(db, "S-01", "", people["reader"])
    assert standing(db).reviewed


def test_a_new_text_is_no_longer_signed_off_and_ends_reviewed(db, people, tmp_path):
    imported(db, tmp_path, demanding)
    sign(db, "S-01", "", people["reader"])
    move(db, "S-01", "reviewed", people["reader"])

    def reworded(document):
        demanding(document)
        document["items"][0]["variants"]["en"]["stem"] = "How much is 1 + 2?"

    imported(db, tmp_path, reworded)

    assert (standing(db).state, standing(db).reviewed) == ("draft", False)
    assert [event["role"] for event in events(db, "item_moved")][-1] == "import"


def test_back_in_draft_sign_offs_are_given_anew(db, people, tmp_path):
    imported(db, tmp_path, demanding)
    sign(db, "S-01", "", people["reader"])
    move(db, "S-01", "reviewed", people["reader"])
    move(db, "S-01", "draft", people["writer"], "choice C is ambiguous")

    assert not standing(db).reviewed
    sign(db, "S-01", "", people["reader"])
    assert standing(db).reviewed


def test_a_sign_off_is_of_the_text_that_was_read(db, people, tmp_path):
    imported(db, tmp_path, demanding)

    with pytest.raises(AnswerIsNo, match="was edited meanwhile"):
        sign(db, "S-01", "", people["reader"], seen="0" * 64)


def test_a_hold_leaves_running_sittings_and_names_who_placed_it(db, people, small_bank):
    hall = open_hall(db)
    begin(hall, hall.alice)
    move(db, "S-06", "held", people["examiner"], "seen on a forum")

    (event,) = events(db, "item_held")
    assert event["by"] == people["examiner"].id
    assert (standing(db, "S-06").shown, standing(db, "S-06").state) == ("held", "operational")
    with pytest.raises(MayNot, match="only an administrator or a psychometrician may"):
        lift_hold(db, "small", "S-06", people["examiner"], organisation_id=organisation(db))
    assert verify(db).problems == ()


def test_comments_stand_beside_the_chain(db, home, people, small_bank):
    comment_on(db, "small", "S-01", "ru", people["reader"], " Clearer? ", organisation_id=home)
    (event,) = events(db, "item_commented")

    with db.read() as session:
        comment = session.scalars(select(ItemComment)).one()
        assert (comment.text, comment.language, comment.id) == ("Clearer?", "ru", event["comment"])
    assert "Clearer" not in json.dumps(event)
    with pytest.raises(InputError, match="a comment of 1 to 4000 characters"):
        comment_on(db, "small", "S-01", "", people["reader"], " ", organisation_id=home)
    with pytest.raises(MayNot):
        comment_on(db, "small", "S-01", "", Actor(), "hello", organisation_id=home)


# --- publishing --------------------------------------------------------------------------------


def refusal(db) -> str:
    with pytest.raises(AnswerIsNo) as caught:
        publish(db, "small", organisation_id=organisation(db))
    return str(caught.value)


def test_publishing_names_items_without_a_translation(db, tmp_path):
    def change(document):
        del document["items"][1]["variants"]["ru"]

    imported(db, tmp_path, change)

    assert "item S-02 (ru): no text in this language" in refusal(db)


def test_publishing_names_a_language_that_the_bank_demands_and_no_item_has(db, tmp_path):
    imported(db, tmp_path, lambda d: d["bank"].update(languages=["en", "tg"]))

    assert refusal(db).count("(tg): no text in this language") == 3


def test_publishing_names_what_is_not_signed_off_where_the_bank_demands_it(db, people, tmp_path):
    imported(db, tmp_path)

    def later(document):
        demanding(document)

    imported(db, tmp_path, later)
    publish(db, "small", organisation_id=organisation(db))  # signed off by the first import

    def reworded(document):
        demanding(document)
        document["items"][0]["variants"]["en"]["stem"] = "How much is 1 + 2?"
        document["items"][0]["parameters"]["b"] = -1.9

    imported(db, tmp_path, reworded, terms=Terms(editor=people["writer"]))
    said = refusal(db)

    newer = "its text (revision 2) is newer than its sign-off (revision 1)"
    assert f"item S-01: no sign-off of its review: {newer}" in said
    assert f"item S-01 (ru): no sign-off of this text: {newer}" in said
    assert "S-02" not in said
    for language in ("", "en", "ru"):
        sign(db, "S-01", language, people["reader"])
    assert publish(db, "small", organisation_id=organisation(db)).number == 2


def test_an_import_stands_for_sign_offs_only_where_none_are_demanded_or_it_says_so(db, tmp_path):
    imported(db, tmp_path, demanding)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(SignOff)) == 0

    def operational(document):
        demanding(document)
        for item in document["items"]:
            item["status"] = "operational"

    with pytest.raises(InputError, match="item S-01: status: expected draft"):
        imported(db, tmp_path, operational)
    imported(db, tmp_path, operational, terms=Terms(signed_off=True))
    with db.read() as session:
        assert set(session.scalars(select(SignOff.signed_by))) == {"import"}
    assert publish(db, "small", organisation_id=organisation(db)).number == 1


def test_publishing_lists_eight_and_counts_the_rest(db, tmp_path):
    imported(db, tmp_path, lambda d: d["bank"].update(languages=["tg", "zh", "kk", "uz"]))

    assert "and 4 more: tarozu bank publish small --dry-run" in refusal(db)


def test_items_reviewed_or_translated_are_in_no_release(db, home, people, tmp_path):
    imported(db, tmp_path, terms=Terms(status="translated"))

    with pytest.raises(AnswerIsNo, match="no item to release"):
        publish(db, "small", organisation_id=home)


# --- lists -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), 3),
        (Wanted(state="draft"), 1),
        (Wanted(state="operational"), 2),
        (Wanted(area="large"), 1),
        (Wanted(missing="ru"), 1),
        (Wanted(text="s-03"), 1),
        (Wanted(text="будет 2"), 1),
        (Wanted(text="nothing of the kind"), 0),
        (Wanted(page=99), 3),
    ],
)
def test_a_bank_is_narrowed_by_state_area_language_and_text(db, home, tmp_path, wanted, found):
    def change(document):
        document["items"][0]["status"] = "draft"
        del document["items"][2]["variants"]["ru"]

    imported(db, tmp_path, change, terms=Terms(signed_off=True))
    with db.write() as session:
        from item_bank.items.authoring.records import import_sign_offs
        from item_bank.items.authoring.standings import standings
        from item_bank.items.releases import bank_by_code

        bank = bank_by_code(session, "small", organisation_id=home)
        draft = standings(session, bank)[0]
        session.add_all(import_sign_offs(bank, draft.item.id, draft.revision.id, ["en", "ru"], 1))

    page = bank_page(db, "small", wanted, organisation_id=home)

    assert page.total == len(page.lines) == found
    assert page.counts == {"draft": 1, "operational": 2}


# --- the commands ------------------------------------------------------------------------------


def test_the_commands_move_sign_and_tell(db, run_command, people, tmp_path):
    imported(db, tmp_path, demanding, terms=Terms(editor=people["writer"]))

    def run(*arguments):
        return run_command("--json", "bank", *arguments)

    status, out, err = run("move", "small", "S-01", "reviewed")
    assert (status, out) == (1, "")
    assert "it lacks a review that is signed off" in err
    assert run("sign-off", "small", "S-01", "--as", "reader@example.org")[0] == 0
    for language in ("en", "ru"):
        status, out, _ = run("sign-off", "small", "S-01", "S-02", "--language", language,
                             "--as", "admin@example.org")  # fmt: skip
        assert status == 0
    assert json.loads(out)[1]["signed_off"] == ["en", "ru"]
    status, out, _ = run("move", "small", "S-01", "reviewed", "--as", "writer@example.org")
    assert (status, json.loads(out)["state"]) == (0, "reviewed")
    status, _, err = run("move", "small", "S-01", "retired", "--reason", "x", "--as",
                         "writer@example.org")  # fmt: skip
    assert (status, "only an administrator or a psychometrician may move it" in err) == (1, True)
    assert run("move", "small", "S-01", "ready")[0] == 2
    assert run("sign-off", "small", "S-01", "--as", "nobody@example.org")[0] == 2
    assert len(json.loads(run("status", "small")[1])) == 3
    said = run_command("bank", "status", "small", "S-01")[1]
    assert "S-01 is reviewed." in said
    assert "translated: is open." in said
    assert "3 items: 2 draft, 1 reviewed." in run_command("bank", "status", "small")[1]


def test_a_dry_run_of_publishing_lists_everything_that_is_lacking(db, run_command, tmp_path):
    imported(db, tmp_path, lambda d: d["bank"].update(languages=["tg", "zh", "kk", "uz"]))

    status, out, err = run_command("--json", "bank", "publish", "small", "--dry-run")

    assert status == 1
    assert len(json.loads(out)["lacking"]) == 12
    assert "its items lack something" in err


def test_an_import_may_name_a_state_and_who_wrote_it(db, run_command, people, tmp_path):
    path = tmp_path / "new.json"
    path.write_text(json.dumps(small_bank_document(2)))

    status, _, _ = run_command("bank", "import", path, "--status", "pretest", "--as",
                               "writer@example.org")  # fmt: skip

    assert status == 0
    assert standing(db).state == "pretest"
    assert standing(db).editor == people["writer"].id
    assert run_command("bank", "import", path, "--status", "held")[0] == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE item_moves SET reason = 'another'", "its move is not as the site chain has it"),
        ("UPDATE sign_offs SET id = 'x' WHERE signed_by <> 'import'", "does not have it"),
    ],
)
def test_the_audit_sees_a_move_or_a_sign_off_that_was_changed(
    db, people, small_bank, change, problem
):
    sign(db, "S-01", "", people["reader"])
    move(db, "S-01", "retired", people["judge"], "worn out")
    with db.engine.connect() as connection:
        drop_triggers(connection)
        connection.execute(text(change))
        connection.commit()

    (found,) = verify(db).problems
    assert problem in found.problem


def test_moves_and_sign_offs_are_never_changed(db, people, small_bank):
    sign(db, "S-01", "", people["reader"])

    with pytest.raises(DatabaseError, match="append-only"), db.write() as session:
        session.execute(text("UPDATE sign_offs SET language = 'ru'"))


def test_parameters_of_a_draft_item_wait_over_releases_for_its_review(db, home, people, tmp_path):
    def half(document):
        for item in document["items"][1:]:
            item["status"] = "draft"

    imported(db, tmp_path, half)
    publish(db, "small", organisation_id=home)
    assert standing(db, "S-02").has_parameters

    move(db, "S-02", "operational", people["judge"], "as the panel judged it")
    second = publish(db, "small", organisation_id=home)

    assert release_items(db, second.id, "en").items.item == ("S-01", "S-02")


def test_an_item_that_is_moved_while_a_release_is_made_keeps_it_from_being_published(
    db, home, tmp_path
):
    imported(db, tmp_path)

    def moves_an_item(connection) -> int:
        connection.execute(text("UPDATE items SET status = 'draft' WHERE code = 'S-01'"))
        return 1_800_000_000_000_000

    with pytest.raises(AnswerIsNo, match="item S-01 was moved meanwhile"):
        publish(replace(db, clock=moves_an_item), "small", organisation_id=home)


def test_an_import_says_on_the_chain_who_brought_it_and_what_it_stands_for(db, people, tmp_path):
    imported(db, tmp_path, terms=Terms(editor=people["writer"], signed_off=True))
    (event,) = events(db, "bank_imported")

    assert (event["by"], event["signed_off"], event["sign_offs"]) == (people["writer"].id, True, 9)
