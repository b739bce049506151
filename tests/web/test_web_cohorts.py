"""Pages of cohorts: what they show to whom, with filters, sorted tables and without any sitting."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from support.cohort_data import add_outcomes, add_usage
from support.sittings import begin, finish
from support.visitors import HTMX

from item_bank.items.releases import release_items
from item_bank.results.handlers import LONG
from item_bank.results.studies import NewStudy, record_study
from item_bank.store.long_work import run_long

HERE = "/staff/exams/sums/cohort"
PAGES = ("", "/precision", "/groups", "/time", "/items", "/alarms")


@pytest.fixture
def made(hall):
    add_usage(hall.db, hall.exam,
              list(release_items(hall.db, hall.exam.release_id, "en").items.item), 300)  # fmt: skip
    return add_outcomes(hall.db, hall.exam, 300, simulated=0.1)


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_page_without_sittings_says_what_will_be_there(staff):
    one = staff("examiner")

    for place in PAGES:
        assert one.get(HERE + place).status_code == 200, place
        assert "None" not in text(one.page), place
        if place not in {"/items", "/alarms"}:
            assert "No finished sittings yet" in one.page, place


def test_every_plot_has_a_reading_and_every_page_a_table(staff, made):
    one = staff("psychometrician")
    for place in PAGES:
        one.get(HERE + place)
        figures = re.findall(r"<figure>.*?</figure>", one.page, re.DOTALL)
        for figure in figures:
            caption = re.search(r'<figcaption id="([\w-]+)">(.+?)</figcaption>', figure, re.DOTALL)
            assert caption[2].strip().endswith("."), place
            assert f'aria-labelledby="{caption[1]}"' in figure, place
        if place != "/alarms":
            assert figures, place
            assert "<table" in one.page, place
        assert "nan" not in text(one.page).lower().split(), place
        assert "None" not in text(one.page), place


def test_htmx_gets_what_changes_alone(staff, made):
    one = staff("examiner")

    for place in PAGES:
        part = one.client.get(HERE + place, headers=HTMX).text
        assert "<html" not in part, place
        assert part.strip() in one.get(HERE + place).text, place


def test_filters_narrow_what_is_counted_and_stay_in_the_addresses(staff, made):
    one = staff("examiner")

    one.get(f"{HERE}?language=ru&attempts=first&state=any")

    n = ((made["language"] == "ru") & (made["attempt"] == 1)).sum()
    assert f"<dt>Sittings</dt><dd>{n}</dd>" in one.page
    assert one.page.count("language=ru&amp;attempts=first&amp;state=any") >= 6
    assert '<option value="ru" selected>' in one.page


def test_a_date_that_is_none_is_said_and_left_out(staff, made):
    one = staff("examiner")

    assert one.get(f"{HERE}?since=yesterday").status_code == 200
    assert "The dates could not be read" in one.page
    one.get(f"{HERE}?since=2001-01-01&until=2001-12-31")
    assert "No such sittings" in one.page


def test_an_address_that_asks_for_nothing_known_is_answered(staff, made):
    one = staff("examiner")

    for place in PAGES:
        for query in ("version=x&page=9999999&sort=nothing", "page=-1&by=name&state=no&show=all",
                      "country=%3Ci%3E&q=%3Cb%3E&sittings=maybe"):  # fmt: skip
            assert one.get(f"{HERE}{place}?{query}").status_code == 200, (place, query)


def test_tables_sort_both_ways_and_page(staff, made):
    one = staff("examiner")
    names = lambda: re.findall(r'<th scope="row">(Centre \d+|not known)', one.page)  # noqa: E731

    one.get(f"{HERE}/groups?by=centre&sort=name")
    up = names()
    assert up == sorted(up, key=lambda name: (name == "not known", name)) or up[0] == "not known"
    assert 'aria-sort="ascending"' in one.page
    one.get(f"{HERE}/groups?by=centre&sort=-name")
    assert names() == up[::-1]
    one.get(f"{HERE}/groups?by=centre&q=centre+07")
    assert names() == ["Centre 07"]
    one.get(f"{HERE}/items?sort=-given&show=never")
    assert re.findall(r"(\d+) item", text(one.page))[-1] == "1"


def test_small_groups_are_seen_by_those_who_may_open_single_sittings(staff, made):
    judge, examiner = staff("psychometrician"), staff("examiner")
    address = f"{HERE}/groups?by=centre"

    judge.get(address)
    examiner.get(address)

    assert "fewer than 10" in judge.page
    assert judge.page.count("<tr>") == examiner.page.count("<tr>")
    small = re.search(r"<tr><th scope=\"row\">(Centre \d+)</th><td colspan", judge.page)[1]
    assert f"{small} <span" in examiner.page
    narrowed = f"{HERE}?centre={small.replace(' ', '+')}"
    judge.get(narrowed)
    assert "Fewer than 10 sittings" in judge.page
    assert "<table" not in judge.page
    examiner.get(narrowed)
    assert "<table" in examiner.page


def test_the_simulation_is_shown_beside_the_cohort(staff, hall, made):
    rows = [{"theta": t, "score": 500 + 50 * t, "csem": 14.25} for t in (-2.0, 0.0, 2.0)]
    at_cut = {"level": "certified", "accuracy": 0.913, "consistency": 0.874}
    summary = {"n": 10000, "accuracy": 0.91, "consistency": 0.87, "by_cut": [at_cut]}
    one = staff("psychometrician")
    one.get(f"{HERE}/precision")
    assert "Not simulated yet." in one.page

    with hall.db.write() as session:
        new = NewStudy("precision", hall.exam.organisation_id, "worker", summary, rows,
                       {"exam_version": hall.exam.version_id}, hall.exam.exam_id)  # fmt: skip
        record_study(hall.db, session, new)
    one.get(f"{HERE}/precision")

    assert "14.2 at 500" in one.page
    assert "10000 simulated sittings" in one.page
    assert "Not simulated yet." not in one.page


def test_item_statistics_are_asked_for_and_shown_with_their_date(staff, hall):
    finish(hall, hall.alice, begin(hall, hall.alice))
    one = staff("psychometrician")
    one.get(f"{HERE}/items")
    assert "Compute item statistics" in one.page

    response = one.post(f"{HERE}/items")
    assert response.status_code == 303
    assert run_long(hall.db, LONG) == 1
    one.get(response.headers["Location"])
    assert "Item statistics of sums" in one.page
    one.get(f"{HERE}/items?sort=-n")

    assert "Compute anew" in one.page
    assert "answers in 1 sittings" in one.page
    assert 'aria-sort="descending"' in one.page


def test_results_are_exported_with_the_same_filters_by_those_who_may(staff, made):
    judge, examiner = staff("psychometrician"), staff("examiner")
    address = f"{HERE}/groups?language=ru&sittings=real&state=released"

    judge.get(address)
    examiner.get(address)

    link = unescape(re.search(r'href="([^"]+)">Parquet<', judge.page)[1])
    asked = parse_qs(urlsplit(link).query)
    assert asked == {"what": ["results"], "format": ["parquet"], "simulated": ["without"],
                     "state": ["released"], "language": ["ru"]}  # fmt: skip
    assert judge.get(link).status_code == 200
    assert "Parquet" not in examiner.page


def test_an_exam_leads_to_its_cohort(staff, made):
    one = staff("examiner")
    one.get("/staff/exams/sums")

    assert f'href="{HERE}"' in one.page


def test_another_organisations_exam_has_no_cohort(staff, hall, tmp_path):
    from support.neighbours import move_in

    move_in(hall, tmp_path)
    one = staff("examiner")

    assert one.get("/staff/exams/neighbours/cohort").status_code == 404
