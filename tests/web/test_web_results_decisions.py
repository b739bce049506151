"""Pages of results: what candidates may see of theirs, what examiners do, and public codes."""

from __future__ import annotations

import re

import pytest
from support.signed_results import PASSWORD, amended, finished, signed_exam
from support.sittings import EXAM, open_hall
from support.visitors import HTMX, Visitor

from item_bank.exams.accounts import add_staff
from item_bank.store.schema import organisation
from item_bank.store.tables.outcomes import Outcome
from web.app import create_app
from web.settings import Settings

SECRET_WORDS = "seen with a telephone"


@pytest.fixture
def hall(db, small_bank, request):
    """A hall whose exam asks for as many signatures as the test says; none by default."""
    needed = getattr(request, "param", 0)
    return open_hall(db, exam=signed_exam(needed) if needed else EXAM)


@pytest.fixture
def app(hall):
    return create_app(hall.db, Settings())


@pytest.fixture
def examiner(app, hall):
    """Sign an examiner in by name."""

    def sign_in(name: str = "ann", role: str = "examiner") -> Visitor:
        email = f"{name}@example.org"
        add_staff(hall.db, email, role, PASSWORD, organisation_id=organisation(hall.db))
        one = Visitor(app)
        one.sign_in_staff(email, PASSWORD)
        return one

    return sign_in


def outcome(hall, sitting) -> Outcome:
    with hall.db.read() as session:
        return session.get_one(Outcome, sitting)


def decide(visitor: Visitor, sitting: str, act: str, **fields: str):
    """Press a button of the panel on the report."""
    visitor.get(f"/staff/sittings/{sitting}")
    form = {"act": act, "seen": visitor.field("seen"), **fields}
    return visitor.post(f"/staff/sittings/{sitting}/decision", form, follow_redirects=True)


@pytest.mark.parametrize("hall", [1], indirect=True)
def test_a_result_that_waits_tells_its_candidate_nothing_of_the_score(hall, alice, examiner):
    sitting = finished(hall)
    page = alice.get(f"/sitting/{sitting}/result")

    assert page.status_code == 200
    assert "Your result is being reviewed" in page.text
    score = f"{outcome(hall, sitting).score:.0f}"
    assert score not in page.text
    assert "answer-score" not in page.text
    assert "Your result is being reviewed" in alice.get("/home").text
    assert alice.get(f"/results/{sitting}/report.pdf").status_code == 404

    decide(examiner(), sitting, "signed")

    assert score in alice.get(f"/sitting/{sitting}/result").text
    assert "See your result" in alice.get("/home").text


@pytest.mark.parametrize("hall", [2], indirect=True)
def test_two_examiners_sign_many_after_a_page_that_lists_them(hall, examiner):
    sitting, ann, ben = finished(hall), examiner("ann"), examiner("ben")
    for one in (ann, ben):
        one.get("/staff/results")
        chosen = re.search(r'name="result" value="([^"]+)"', one.page)
        assert chosen, "it stands in the list of what awaits this signature"
        one.post("/staff/results/sign", {"result": chosen[1]})
        assert "Sign 1 result?" in one.page
        assert outcome(hall, sitting).state == "awaiting", "nothing is signed by looking"
        one.post("/staff/results/sign", {"result": chosen[1], "confirmed": "1"},
                 follow_redirects=True)  # fmt: skip
        assert "Signed: 1." in one.page
        assert "Nothing waits for your signature" in one.page

    assert outcome(hall, sitting).state == "released"


@pytest.mark.parametrize("hall", [2], indirect=True)
def test_a_page_that_is_behind_signs_nothing(hall, examiner):
    sitting, ann, ben = finished(hall), examiner("ann"), examiner("ben")
    ben.get(f"/staff/sittings/{sitting}")
    old = ben.field("seen")
    assert "Signatures under result 1: 1 of 2" in decide(ann, sitting, "signed").text

    said = ben.post(f"/staff/sittings/{sitting}/decision", {"act": "signed", "seen": old},
                    headers=HTMX)  # fmt: skip

    assert "somebody has decided" in said.text.lower()
    assert "<html" not in said.text, "htmx gets the panel alone"
    assert outcome(hall, sitting).state == "awaiting"


def test_an_invalidated_result_says_why_in_plain_words_and_how_to_appeal(hall, alice, examiner):
    sitting, ann = finished(hall), examiner()
    page = decide(ann, sitting, "invalidated", category="irregularity", reason=SECRET_WORDS)
    assert "Decision: invalidated" in page.text
    assert SECRET_WORDS in page.text

    seen = alice.get(f"/sitting/{sitting}/result").text

    assert "Your result was withdrawn" in seen
    assert "The rules of the exam were not kept." in seen
    assert SECRET_WORDS not in seen
    assert "Appeal against this result" in seen
    assert f"{outcome(hall, sitting).score:.0f}" not in seen
    assert "Your result was withdrawn" in alice.get("/home").text


def test_an_appeal_goes_from_the_result_to_the_examiner_and_back(hall, alice, examiner):
    sitting, ann = finished(hall), examiner()
    alice.get(f"/sitting/{sitting}/result")
    address = f"/sitting/{sitting}/result/appeal"
    assert alice.post(address, {"appeal": " "}).status_code == 422
    alice.post(address, {"appeal": "Question <3> was wrong."}, follow_redirects=True)
    assert "Your appeal is being looked at." in alice.page
    assert alice.post(address, {"appeal": "again"}).status_code == 422

    assert "Question &lt;3&gt; was wrong." in ann.get("/staff/results/appeals").text
    ann.get(f"/staff/sittings/{sitting}")
    answer = re.search(rf"/staff/sittings/{sitting}/appeals/\w+", ann.page)
    assert answer
    form = {"answer": "We looked again.", "outcome": "dismissed"}
    ann.post(answer[0], form, follow_redirects=True)

    assert "The appeal is answered" in ann.page
    page = alice.get(f"/sitting/{sitting}/result").text
    assert "Your appeal was dismissed." in page
    assert "We looked again." in page


def test_a_correction_is_told_at_the_top_and_the_earlier_result_stays_readable(hall, alice):
    sitting = finished(hall)
    before = f"{outcome(hall, sitting).score:.0f}"
    alice.get(f"/sitting/{sitting}/result")
    assert "was corrected" not in alice.page
    amended(hall, sitting)

    page = alice.get(f"/sitting/{sitting}/result").text
    assert "Your result was corrected on" in page
    assert alice.get(f"/sitting/{sitting}/result").text.count("was corrected on") == 1
    alice.post(f"/sitting/{sitting}/result/read", {"number": "2"}, follow_redirects=True)
    assert "Your result was corrected on" not in alice.page
    assert f"/sitting/{sitting}/result/1" in alice.page

    earlier = alice.get(f"/sitting/{sitting}/result/1").text
    assert before in earlier
    assert "does not stand any more" in earlier
    assert alice.get(f"/sitting/{sitting}/result/2").status_code == 404


def test_administrators_see_and_write_notes_but_do_not_decide(hall, examiner):
    sitting = finished(hall)
    office = examiner("office", "administrator")

    page = office.get(f"/staff/sittings/{sitting}").text
    assert "Examiners decide on results" in page
    assert 'name="act"' not in page
    note = office.post(f"/staff/sittings/{sitting}/notes", {"note": "Called us."}, headers=HTMX)
    assert "Called us." in note.text
    form = {"act": "held", "reason": "r"}
    assert office.post(f"/staff/sittings/{sitting}/decision", form).status_code == 403


@pytest.mark.parametrize("tab", ["mine", "awaiting", "held", "released", "invalidated"])
def test_every_list_says_what_will_be_in_it(hall, examiner, tab):
    page = examiner().get(f"/staff/results?tab={tab}").text

    assert "Nothing here" in page
    assert 'aria-current="page">' in page


def test_a_code_is_checked_by_anybody_without_a_score(hall, visitor):
    sitting = finished(hall)
    code, score = outcome(hall, sitting).verification, outcome(hall, sitting).score
    typed = "%20".join(code[i : i + 4].lower() for i in range(0, 16, 4))

    page = visitor.get(f"/verify?code={typed}", follow_redirects=True)

    assert page.status_code == 200
    assert "This result is genuine, and it stands." in page.text
    assert "Alice" in page.text
    assert "Sums" in page.text
    assert f"{score:.0f}" not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("code", ["2345-6789-ABCD-EFGH", "nonsense", "A" * 200])
def test_wrong_codes_look_alike(visitor, code):
    page = visitor.get(f"/verify/{code}")

    assert page.status_code == 404
    assert "No result has this code." in page.text
