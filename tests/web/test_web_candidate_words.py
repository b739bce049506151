"""What a candidate's report says, and that the page and the PDF say the same."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
import typst
from support.report_examples import AT, BEFORE, example, result, without_score

from engine.errors import InputError
from item_bank.exams.delivery_rules import DeliveryRules
from item_bank.exams.language_rules import ONE, OWN
from item_bank.exams.result_rules import ResultRules
from item_bank.results.checking import months_after
from item_bank.store.fonts import CHINESE, LETTERS, families, family, system_fonts
from web.documents.candidate_pdf import candidate_pdf, candidate_sheet
from web.documents.candidate_words import candidate_report
from web.documents.checking import grouped, qr_code
from web.documents.speaking import language_for, speaking
from web.documents.typesetting import TEMPLATES, pdf
from web.formats import iso
from web.language import LANGUAGES

ADDRESS = "https://exams.example.org/verify/ABCDEFGHJKLMNPQR"


@pytest.fixture(params=LANGUAGES)
def language(request, unavailable) -> str:
    """Each language of the pages, as far as this machine has its letters."""
    if request.param == "zh" and family(CHINESE, system_fonts()) is None:
        unavailable("no font with Chinese (Debian: fonts-noto-cjk)")
    return request.param


def words(facts, language="en") -> str:
    """All sentences of a report."""
    with speaking(language):
        return json.dumps(asdict(candidate_report(facts, ADDRESS)), ensure_ascii=False)


def test_a_report_says_everything_that_a_candidate_must_know():
    said = words(example())
    for sentence in (
        "531", "on a scale from 300 to 700", "between 502 and 560 is 19 in 20",
        "The chance that your true level is “Certified” is 9 in 10.",
        "not a percentage of right answers", "about half of them right",
        "Questions: 12. Time used: 12 min 34 s.", "tried out and do not count: 2",
        "Language of the questions: Русский.", "scored in the same way in all its languages",
        "This was attempt 1 of 2. You may begin the next one from 14 Feb 2027 on.",
        "appeal against this result until 14 Feb 2027", "Room 5.",
        "valid until 15 Jan 2029", "ABCD-EFGH-JKLM-NPQR", ADDRESS,
        "too few questions to say", "above",
    ):  # fmt: skip
        assert sentence in said, sentence


def test_nothing_is_said_of_areas_where_none_has_enough_questions():
    none = [area | {"standing": None} for area in result()["domains"]]
    with speaking("en"):
        assert candidate_report(example(result(domains=none)), ADDRESS).areas is None


def test_without_a_score_the_report_says_so_and_draws_nothing(language):
    with speaking(language):
        report = candidate_report(example(without_score()), ADDRESS)
        assert not report.score
        assert not report.band
        assert report.sure is None
        assert candidate_sheet(example(without_score()), ADDRESS)["scale_figure"] is None
    assert len(report.no_score) == 2
    assert "meaning" not in [section.key for section in report.sections]
    assert candidate_pdf(example(without_score()), ADDRESS, language).startswith(b"%PDF")


def test_a_level_by_the_last_answers_stands_without_a_score():
    decided = without_score() | {"level": without_score()["levels"][1]}
    assert "decided by how your last answers compare" in words(example(decided))


def test_an_amended_result_says_when_why_and_what_it_replaces():
    said = words(example(superseded=(BEFORE,)))
    assert "This result was amended on 15 Jan 2027." in said
    assert "It replaces the result of 12 Jan 2027. That result was: 488, Below." in said
    assert "A question was corrected after your exam" in said


def test_the_reason_of_an_amended_result_is_what_was_written_for_candidates():
    notices = ({"en": "Question 7 had two right answers.", "ru": "Два верных ответа."},)
    facts = example(superseded=(BEFORE,), notices=notices)
    assert "Question 7 had two right answers." in words(facts)
    assert "Два верных ответа." in words(facts, "ru")
    assert "A question was corrected" not in words(facts)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"attempt": 2}, "This was attempt 2 of 2. You have no further attempt."),
        ({"delivery": DeliveryRules()}, "as long as the exam is open"),
        ({"rules": ResultRules(), "appeal_until": None}, "Write to those who registered you"),
        ({"parameters": OWN}, "not equally hard in every language"),
        ({"result": result(stop_reason="time")}, "Your time ran out."),
        ({"result": result(stop_reason="terminated")}, "An invigilator ended your exam."),
        ({"result": result(simulated=True)}, "drawn by the software"),
        ({"result": result(release={"note": {"en": "Trial."}})}, "Trial."),
        ({"name": None}, "(name erased)"),
    ],
)
def test_a_report_says_what_is_special_about_a_result(changes, sentence):
    assert sentence in words(example(**changes))


def test_a_report_leaves_out_what_does_not_apply():
    said = words(example(rules=ResultRules(), parameters=ONE, attempts=None, valid_until=None))
    for absent in ("valid until", "one scale", "attempt 1", "amended", "extra"):
        assert absent not in said


def test_a_report_is_whole_in_each_language(language):
    english, said = words(example()), words(example(), language)
    assert "%(" not in said
    if language != "en":
        for sentence in re.findall(r'"([A-Z][a-z]+ [a-z][^"]{20,})"', english):
            assert sentence == "Room 5." or sentence not in said


def test_the_language_of_a_report_is_the_candidates_then_that_of_the_questions():
    assert language_for(example()) == "tg"
    assert language_for(example(language="uz")) == "ru"
    assert language_for(example(result(language="uz"), language=None)) == "en"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [(AT, 24, "2029-01-15"), (AT + 16 * 86_400_000_000, 1, "2027-02-28")],
)
def test_months_later_is_the_same_day_or_the_last_of_the_month(start, months, end):
    assert iso(months_after(start, months)).startswith(end)


def test_the_qr_code_has_no_style_of_its_own():
    drawn = qr_code(ADDRESS)
    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert grouped("ABCDEFGHJ") == "ABCD-EFGH-J"


def test_the_text_of_the_pdf_is_that_of_the_page_with_the_code_on_every_page(
    language, tmp_path, unavailable
):
    tool = shutil.which("pdftotext")
    if tool is None:
        unavailable("no pdftotext (Debian: poppler-utils)")
    file = tmp_path / "report.pdf"
    file.write_bytes(candidate_pdf(example(superseded=(BEFORE,)), ADDRESS, language))
    run = subprocess.run([tool, "-layout", file, "-"], capture_output=True, check=True)
    pages = run.stdout.decode().strip("\f\n").split("\f")
    assert pages
    assert all("ABCD-EFGH-JKLM-NPQR" in page for page in pages)
    printed = re.sub(r"\s", "", "".join(pages))
    with speaking(language):
        report = candidate_report(example(superseded=(BEFORE,)), ADDRESS)
    sentences = [report.title, report.band, *(p for s in report.sections for p in s.paragraphs)]
    sentences += [p for notice in report.notices for p in notice.paragraphs]
    for sentence in sentences:
        assert re.sub(r"\s", "", sentence) in printed, sentence


def test_long_names_and_titles_wrap():
    long = "Absolventenzeugnisprüfungskommission " * 8
    content = result(exam={"code": "sums", "version": 1, "title": {"en": long}})
    assert candidate_pdf(example(content, name=long), ADDRESS, "en").startswith(b"%PDF")


def inked(data, fonts: typst.Fonts, there: list[str]) -> bytes:
    """The first page as a picture."""
    pages = typst.compile(
        str(TEMPLATES / "words.typ"),
        root=str(TEMPLATES),
        font_paths=fonts,
        ignore_system_fonts=True,
        format="png",
        ppi=36,
        sys_inputs={"data": json.dumps({**data, "families": there})},
    )
    return pages[0] if isinstance(pages, list) else pages


def test_chinese_is_drawn_by_its_own_glyphs_not_by_boxes(unavailable):
    """Every character gets another picture than the box that stands for one without a glyph."""
    fonts = system_fonts()
    if family(CHINESE, fonts) is None:
        unavailable("no font with Chinese (Debian: fonts-noto-cjk)")
    there = families(CHINESE, fonts)
    plain = {"title": "x", "language": "zh", "running": "x", "page_of": "x"}

    def drawn(text: str) -> bytes:
        return inked({**plain, "words": text}, fonts, there)

    box = drawn("\U000f0000")  # for private use: no font has it
    pictures = {sign: drawn(sign) for sign in "您的成绩等级"}
    assert box not in pictures.values()
    assert len(set(pictures.values())) == len(pictures)
    with pytest.raises(InputError, match="fonts-noto-cjk"):
        candidate_pdf_without_chinese()


def candidate_pdf_without_chinese() -> bytes:
    letters = family(LETTERS, system_fonts())
    files = [str(one.path) for one in system_fonts().fonts() if one.family == letters]
    folder = {str(Path(file).parent) for file in files}
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=sorted(folder)
    )
    with speaking("zh"):
        return pdf("candidate", candidate_sheet(example(), ADDRESS), fonts=fonts)
