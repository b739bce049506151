"""Standard-setting studies: items, panels, rounds, files, closing, approval, and exam files."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select
from support.signed_results import staff_actor
from support.sittings import EXAM, begin, finish, open_hall
from support.standard_studies import PANEL, ratings_at

from engine.errors import InputError
from item_bank.exams.actors import Actor, command_line
from item_bank.exams.cut_scores import cut_scores_hash
from item_bank.exams.designs import apply_exam, check_exam
from item_bank.exams.errors import NotAllowed, NotFound
from item_bank.exams.results import result_of
from item_bank.exams.verification import verify
from item_bank.results.standards import acts
from item_bank.results.standards.acts import NewMember
from item_bank.results.standards.feedback import current_round, rounds
from item_bank.results.standards.plans import ItemChoice, NewStudy
from item_bank.results.standards.rating_files import ratings_csv, read_ratings
from item_bank.results.standards.ratings import Rating, rate, standing_ratings
from item_bank.results.standards.records import studies, study
from item_bank.store.schema import organisation
from item_bank.store.tables.base import new_id
from item_bank.store.tables.records import SiteEvent
from item_bank.store.tables.standards import CutScores

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LEVEL = "certified"


@pytest.fixture
def maker(hall) -> Actor:
    return staff_actor(hall, "psy", "psychometrician")


def made(hall, maker, **changes):
    study_id = acts.create_study(hall.db, maker, NewStudy("sums", LEVEL, **changes))
    acts.set_panel(hall.db, maker, study_id, PANEL)
    return facts_of(hall, study_id)


def facts_of(hall, study_id):
    return study(hall.db, study_id, organisation_id=organisation(hall.db))


def closed(hall, maker, thetas=(0.1, 0.3, 0.5)):
    facts = made(hall, maker)
    rate(hall.db, maker, facts.id, ratings_at(facts, thetas), round_seen=1)
    acts.close_study(hall.db, maker, facts.id)
    return facts_of(hall, facts.id)


def test_a_study_takes_all_items_in_use_and_an_order_of_its_own_only_by_list(hall, maker):
    assert len(made(hall, maker).items) == 12
    listed = made(hall, maker, items=ItemChoice("list", codes=("S-07", "S-02", "S-11")))
    assert listed.items.item == ("S-07", "S-02", "S-11")
    assert listed.number == 2
    assert [row.number for row in studies(hall.db, organisation_id=maker.organisation_id)] == [2, 1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level": "no"}, "level: expected a level of the exam: below, certified"),
        ({"level": "below"}, "a level that begins above 300"),
        ({"method": "guess"}, "method: expected one of angoff, bookmark"),
        ({"version": 7}, "version: expected a version from 1 to 1"),
        ({"response_probability": 67}, "from 0.5 to below 1"),
        ({"items": ItemChoice("form", 40)}, "from 3 to 12 items, found 40"),
        ({"items": ItemChoice("list", codes=("S-01", "X"))}, "in use in the exam, found 'X'"),
        ({"items": ItemChoice("list", codes=("S-01", "S-02"))}, "at least 3 items in use, found 2"),
    ],
)
def test_what_no_study_can_be_is_refused_by_name(hall, maker, changes, said):
    new = NewStudy(**{"exam": "sums", "level": LEVEL} | changes)
    with pytest.raises(InputError, match=said):
        acts.create_study(hall.db, maker, new)
    assert studies(hall.db, organisation_id=maker.organisation_id) == []


@pytest.mark.parametrize("role", ["examiner", "author", "invigilator"])
def test_only_psychometricians_and_administrators_make_studies(hall, role):
    with pytest.raises(NotAllowed):
        acts.create_study(hall.db, staff_actor(hall, "other", role), NewStudy("sums", LEVEL))


def test_a_panellist_rates_on_the_own_account_and_staff_on_behalf(hall, maker):
    facts = made(hall, maker)
    ann = staff_actor(hall, "ann")
    acts.set_panel(hall.db, maker, facts.id, [NewMember("P1", "Ann", "ann@example.org", "A")])

    assert rate(hall.db, ann, facts.id, [Rating("P1", "S-01", 60)], round_seen=1) == 1
    assert rate(hall.db, maker, facts.id, [Rating("P2", "S-01", 55)], round_seen=1) == 1
    with pytest.raises(NotAllowed):
        rate(hall.db, ann, facts.id, [Rating("P2", "S-02", 60)], round_seen=1)
    assert standing_ratings(hall.db, facts, 1) == {"P1": {"S-01": 60}, "P2": {"S-01": 55}}
    assert facts_of(hall, facts.id).member("P1").table == "A"
    with pytest.raises(NotAllowed, match="what was said stays"):
        acts.remove_member(hall.db, maker, facts.id, "P1")
    acts.remove_member(hall.db, maker, facts.id, "P3")
    assert len(facts_of(hall, facts.id).panel) == 2


def test_a_rating_stands_until_a_later_round_changes_it_and_closed_rounds_stay(hall, maker):
    facts = made(hall, maker)
    rate(hall.db, maker, facts.id, ratings_at(facts, (0.0, 0.0, 1.0)), round_seen=1)
    assert acts.close_round(hall.db, maker, facts.id, round_seen=1) == 2
    one = Rating("P1", "S-01", 5)
    with pytest.raises(NotAllowed, match="round 1 is closed"):
        rate(hall.db, maker, facts.id, [one], round_seen=1)
    with pytest.raises(NotAllowed, match="round 1 is closed already"):
        acts.close_round(hall.db, maker, facts.id, round_seen=1)

    rate(hall.db, maker, facts.id, [one], round_seen=2)

    assert standing_ratings(hall.db, facts, 1)["P1"]["S-01"] != 5
    second = standing_ratings(hall.db, facts, 2)
    assert (second["P1"]["S-01"], len(second["P1"])) == (5, 12)
    now = current_round(hall.db, facts_of(hall, facts.id))
    assert (now.movement.judges, now.movement.moved) == (3, 1)


def test_others_see_what_comes_of_a_round_only_once_it_is_closed(hall, maker):
    facts = made(hall, maker)
    ann = staff_actor(hall, "ann")
    rate(hall.db, maker, facts.id, ratings_at(facts, (0.0, 0.2, 0.4)), round_seen=1)

    assert rounds(hall.db, ann, facts_of(hall, facts.id)) == []
    assert len(rounds(hall.db, maker, facts_of(hall, facts.id))) == 1
    acts.close_round(hall.db, maker, facts.id, round_seen=1)
    assert len(rounds(hall.db, ann, facts_of(hall, facts.id))) == 1


def test_closing_gives_the_cut_its_score_its_error_and_its_impact(hall, maker):
    finish(hall, hall.alice, begin(hall, hall.alice))
    facts = closed(hall, maker)

    result = facts.result
    assert result["theta"] == pytest.approx(0.3, abs=1e-6)
    assert result["minimum"] == 515  # 500 + 50 theta, rounded up
    assert result["se"] == pytest.approx(0.2 / 3**0.5, abs=1e-6)
    assert result["se_points"] == pytest.approx(10 / 3**0.5, abs=1e-4)
    assert [row["errors"] for row in result["impact"]["rows"]] == [-2, -1, 0, 1, 2]
    assert (result["impact"]["candidates"], result["impact"]["simulated"]) == (1, False)
    assert "Ann" not in str(result)
    with pytest.raises(NotAllowed):
        rate(hall.db, maker, facts.id, [Rating("P1", "S-01", 5)], round_seen=1)


def test_a_cut_needs_two_panellists(hall, maker):
    facts = made(hall, maker)
    with pytest.raises(NotAllowed, match="nobody has rated"):
        acts.close_round(hall.db, maker, facts.id, round_seen=1)
    rate(hall.db, maker, facts.id, [Rating("P1", "S-01", 50)], round_seen=1)
    with pytest.raises(NotAllowed, match="2 panellists; 1 have one"):
        acts.close_study(hall.db, maker, facts.id)


def test_a_round_that_nobody_rated_in_does_not_count(hall, maker):
    facts = made(hall, maker)
    rate(hall.db, maker, facts.id, ratings_at(facts, (0.0, 0.2, 0.4)), round_seen=1)
    acts.close_round(hall.db, maker, facts.id, round_seen=1)

    assert acts.close_study(hall.db, maker, facts.id)["round"] == 1
    assert facts_of(hall, facts.id).round == 1


def test_the_median_has_a_larger_error_than_the_mean(hall, maker):
    facts = made(hall, maker, statistic="median")
    rate(hall.db, maker, facts.id, ratings_at(facts, (0.0, 0.1, 1.0)), round_seen=1)

    found = current_round(hall.db, facts)

    assert found.theta == pytest.approx(0.1, abs=1e-6)
    assert found.se == pytest.approx(found.panel.se * (np.pi / 2) ** 0.5)


def test_an_examiner_other_than_the_maker_approves_and_it_stands_in_the_chain(hall, maker):
    facts = closed(hall, maker)
    for wrong in (maker, command_line(maker.organisation_id), staff_actor(hall, "w", "author")):
        with pytest.raises(NotAllowed):
            acts.approve_study(hall.db, wrong, facts.id)
    ann = staff_actor(hall, "ann")

    acts.approve_study(hall.db, ann, facts.id)

    assert facts_of(hall, facts.id).approved_by_name == "ann"
    with hall.db.read() as session:
        kinds = session.scalars(select(SiteEvent.kind).order_by(SiteEvent.number)).all()
    own = [kind for kind in kinds if kind.startswith("standard_study_")]
    assert own == [f"standard_study_{act}" for act in ("created", "closed", "approved")]
    assert verify(hall.db).problems == ()
    with pytest.raises(NotAllowed, match="the study is approved"):
        acts.discard_study(hall.db, maker, facts.id)


def test_an_administrator_who_made_a_study_does_not_approve_it(hall):
    admin = staff_actor(hall, "adm", "administrator")
    facts = closed(hall, admin)
    with pytest.raises(NotAllowed, match="whoever made the study"):
        acts.approve_study(hall.db, admin, facts.id)
    acts.approve_study(hall.db, staff_actor(hall, "two", "administrator"), facts.id)


def test_a_bookmark_study_from_marks_to_the_cut(hall, maker):
    facts = made(hall, maker, method="bookmark", rule="item")
    places = facts.booklet.places
    marks = [Rating("P1", "", 5), Rating("P2", "", 7), Rating("P3", "", 7)]
    rate(hall.db, maker, facts.id, marks, round_seen=1)

    result = acts.close_study(hall.db, maker, facts.id)

    assert result["theta"] == pytest.approx(np.mean([places[4].theta, *[places[6].theta] * 2]))
    with pytest.raises(InputError, match="a whole number from 1 to 13, found 14"):
        read_ratings("panellist,bookmark\nP1,14\n", facts, file="b.csv")


def test_a_study_of_another_organisation_is_not_there(hall, maker):
    facts = made(hall, maker)
    stranger = Actor(new_id(), new_id(), "administrator", "Carl")
    with pytest.raises(NotFound):
        study(hall.db, facts.id, organisation_id=stranger.organisation_id)
    with pytest.raises(NotFound):
        acts.close_study(hall.db, stranger, facts.id)


# --- files -------------------------------------------------------------------------------------


def test_ratings_read_back_as_they_were_written(hall, maker):
    facts = made(hall, maker)
    given = [Rating("P1", "S-01", 62.5), Rating("P2", "S-02", 40)]
    rate(hall.db, maker, facts.id, given, round_seen=1)

    text = ratings_csv(facts, standing_ratings(hall.db, facts, 1))

    assert text == "panellist,item,rating\nP1,S-01,62.5\nP2,S-02,40\n"
    assert read_ratings(text, facts, file="r.csv") == given


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("panellist,item\nP1,S-01\n", "r.csv:1: expected a column named rating"),
        ("panellist,item,rating,x\nP1,S-01,5,1\n", "r.csv:1: x: expected one of"),
        ("panellist,item,rating\nP9,S-01,50\n", "r.csv:2: panellist: expected the code of a panel"),
        ("panellist,item,rating\nP1,S-01,50\nP1,S-99,5\n", "r.csv:3: item: expected an item of"),
        ("panellist,item,rating\nP1,S-01,101\n", "r.csv:2: rating: expected a number from 0 to"),
        ("panellist,item,rating\nP1,S-01,half\n", "r.csv:2: rating: expected a number, found 'hal"),
        ("panellist,item,rating\nP1,S-01,5\nP1,S-01,6\n", "r.csv:3: expected each rating once"),
        ("panellist,item,rating\nP1,S-01\n", "r.csv:2: expected as many fields"),
        ("panellist,item,rating\n", "at least one rating"),
    ],
)
def test_a_fault_in_a_file_is_named_by_line_and_column(hall, maker, text, said):
    facts = made(hall, maker)
    with pytest.raises(InputError) as caught:
        read_ratings(text, facts, file="r.csv")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (NewMember("", "Ann"), "panellist"),
        (NewMember("P 1", "Ann"), "letters, digits"),
        (NewMember("P4", ""), "name"),
        (NewMember("P4", "Ann", "no@example.org"), "e-mail of a staff account"),
    ],
)
def test_a_panellist_needs_a_code_a_name_and_an_account_that_is_there(hall, maker, member, said):
    facts = made(hall, maker)
    with pytest.raises(InputError, match=said):
        acts.set_panel(hall.db, maker, facts.id, [member])


# --- exam files --------------------------------------------------------------------------------


def with_study(number: int, minimum: int) -> str:
    text = EXAM.replace("minimum = 500", f"minimum = {minimum}")
    return f"{text}[cut_scores]\nstudy = {number}\n"


def apply(hall, text):
    return apply_exam(hall.db, text, organisation_id=organisation(hall.db), file="sums.toml")


def test_an_exam_takes_the_cut_of_an_approved_study_and_no_other(hall, maker):
    facts = closed(hall, maker)
    with pytest.raises(InputError, match=r"cut_scores.study: .* found study 1, which is closed"):
        apply(hall, with_study(1, 515))
    acts.approve_study(hall.db, staff_actor(hall, "ann"), facts.id)
    with pytest.raises(InputError, match=r"cut_scores\.study: .* found 2"):
        apply(hall, with_study(2, 515))
    wrong = r"levels.certified.minimum: expected 515, the cut of study 1, found 500"
    with pytest.raises(InputError, match=wrong):
        apply(hall, with_study(1, 500))
    home = organisation(hall.db)
    with pytest.raises(InputError, match=wrong):
        check_exam(hall.db, with_study(1, 500), organisation_id=home, file="sums.toml")

    loaded, _ = apply(hall, with_study(1, 515))

    row = recorded(hall, loaded)
    assert row.source == {"kind": "study", "study": 1, "text": ""}
    assert [level["minimum"] for level in row.levels] == [300, 515]


def recorded(hall, loaded) -> CutScores:
    with hall.db.read() as session:
        return session.get_one(CutScores, (loaded.exam_id, cut_scores_hash(loaded.plan)))


def test_every_apply_records_the_cut_scores_once_with_the_newest_source(hall):
    first = recorded(hall, hall.exam)
    assert first.source == {"kind": "exam file", "text": "exam file"}

    named, _ = apply(hall, f'{EXAM}[cut_scores]\nsource = "Council, 2026"\n')
    apply(hall, f'{EXAM}[cut_scores]\nsource = "Council, 2026"\n')

    apply(hall, EXAM)  # names no source, and takes none away

    again = recorded(hall, named)
    assert (again.hash, again.recorded_at) == (first.hash, first.recorded_at)
    assert again.source["text"] == "Council, 2026"
    with hall.db.read() as session:
        query = select(SiteEvent).where(SiteEvent.kind == "cut_scores_recorded")
        assert len(session.scalars(query).all()) == 2


def test_a_result_names_the_version_of_its_cut_scores(db, small_bank):
    hall = open_hall(db)
    sitting = finish(hall, hall.alice, begin(hall, hall.alice))

    content = result_of(hall.db, sitting.sitting_id, candidate=hall.alice)

    assert content["scale"]["cut_scores"] == cut_scores_hash(hall.exam.plan)[:12]


def test_names_make_no_new_version_of_cut_scores_and_minima_do(hall):
    renamed, _ = apply(hall, EXAM.replace('en = "Certified"', 'en = "Passed"'))
    moved, _ = apply(hall, EXAM.replace("minimum = 500", "minimum = 510"))

    assert cut_scores_hash(renamed.plan) == cut_scores_hash(hall.exam.plan)
    assert cut_scores_hash(moved.plan) != cut_scores_hash(hall.exam.plan)


# --- the command -------------------------------------------------------------------------------


def test_a_study_from_the_command_line_to_the_exam_file(hall, run_command, tmp_path):
    staff_actor(hall, "ann")
    panel, ratings = tmp_path / "panel.csv", tmp_path / "ratings.csv"
    panel.write_text("panellist,name\nP1,Ann\nP2,Ben\n", encoding="utf-8")
    made = ["standard", "create", "sums", "--level", "certified", "--form", "6", "--panel"]
    status, said, _ = run_command(*made, panel)
    assert (status, said) == (
        0,
        "Study 1: certified of sums, angoff, 6 items, 2 panellists; round 1 is open.\n",
    )
    home = organisation(hall.db)
    own = studies(hall.db, organisation_id=home)[0].id
    rows = [
        f"{one.panellist},{one.item},{one.value}"
        for one in ratings_at(facts_of(hall, own), (0.1, 0))
    ]
    ratings.write_text("\n".join(["panellist,item,rating", *rows, ""]), encoding="utf-8")

    said = [
        run_command("standard", *words)[:2]
        for words in (
            ("import", 1, ratings, "--dry-run"),
            ("import", 1, ratings),
            ("close-round", 1),
            ("approve", 1, "--account", "ann@example.org"),
            ("close", 1),
            ("approve", 1, "--account", "ann@example.org"),
            ("discard", 1),
        )
    ]

    assert [status for status, _ in said] == [0, 0, 0, 1, 0, 0, 1]
    assert said[0][1] == "Study 1, round 1: the file is right; it has 12 ratings.\n"
    assert said[4][1].startswith("Study 1 is closed: certified from 503 (SE 2.5 points).")
    assert "minimum = 503 for level certified, and [cut_scores] study = 1" in said[5][1]
    status, shown, _ = run_command("standard", "show", 1)
    assert status == 0
    assert "round 1 cuts at 502.5 (SE 2.5), so certified begins at 503" in shown
    assert "P2" in shown
    assert "approved" in run_command("standard", "list")[1]
    assert run_command("standard", "show", 9)[0] == 2
    assert run_command("standard", "show", 1, "--round", 5)[0] == 2
