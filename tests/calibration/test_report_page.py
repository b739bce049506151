import re

import altair as alt

from calibration.report_page import facts, figure, page, paragraph, svg, table


def a_chart():
    values = [{"x": 0, "y": 1}, {"x": 1, "y": 2}]
    return alt.Chart(alt.Data(values=values)).mark_line().encode(x="x:Q", y="y:Q")


def test_a_page_asks_nothing_of_the_world_outside():
    text = page("Report <1>", [("Head", figure(a_chart(), "It rises."))])
    outside = set(re.findall(r"(?:src|href)=\"([^\"]*)\"", text))
    assert not {address for address in outside if not address.startswith("#")}
    assert "<script" not in text
    assert "@import" not in text


def test_titles_and_headings_are_escaped():
    text = page("Report <1>", [("A & B", "<p>body</p>")])
    assert "<title>Report &lt;1&gt;</title>" in text
    assert "<h2>A &amp; B</h2>" in text
    assert "<p>body</p>" in text


def test_a_page_has_a_dark_and_a_print_style():
    text = page("Report", [])
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


def test_a_chart_becomes_svg_without_an_xml_declaration():
    drawn = svg(a_chart())
    assert drawn.startswith("<svg")
    assert drawn.rstrip().endswith("</svg>")


def test_numbers_stand_to_the_right_and_unknown_values_are_blank():
    text = table(["item", "b"], [["one", -1.23456], ["two", float("nan")], ["<x>", None]])
    assert '<th scope="col" class="n">b</th>' in text
    assert '<td class="n">\N{MINUS SIGN}1.235</td>' in text
    assert text.count("<td></td>") == 2
    assert "&lt;x&gt;" in text


def test_facts_and_paragraphs_are_escaped():
    assert "&lt;" in facts([("n", "<5")])
    assert "&lt;" in paragraph("<5", attention=True)
