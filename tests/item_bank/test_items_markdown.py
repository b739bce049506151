"""Texts of items: formulas as MathML, pictures of the bank, and nothing that could run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from item_bank.items.formulas import mathml
from item_bank.items.markdown import (
    images,
    rendered,
    rendered_inline,
    text_problems,
    with_pictures,
)


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"\frac{1}{2}", ["<mfrac>", "<mn>1</mn>", "<mn>2</mn>"]),
        (r"\sqrt{3^2 + 4^2} = 5", ["<msqrt>", "<msup>", "<mo>=</mo>"]),
        ("a < b", ["<mo>&lt;</mo>"]),
        (r"10\,\mathrm{m/s}", ["<mn>10</mn>"]),
        (r"\sum_{i=1}^n x_i", ["<msub><mi>x</mi><mi>i</mi></msub>"]),
        (r"\text{мин}", ["<mtext>мин</mtext>"]),
    ],
)
def test_formulas_become_mathml(latex, parts):
    for html in (rendered(f"Is ${latex}$ so?"), rendered_inline(f"${latex}$")):
        assert '<math display="inline">' in html
        assert all(part in html for part in parts), html
    assert '<math display="block">' in rendered(f"$$\n{latex}\n$$")
    assert rendered(f"So $${latex}$$ is").count("<p>") == 1


@pytest.mark.parametrize(
    "latex",
    ["", " ", r"\foo", r"\frac{1}", r"\frac{1", "}", r"\left( x", "^", "x & y", "x" * 2001],
)
def test_a_formula_that_cannot_be_read_is_refused(latex):
    with pytest.raises(InputError, match=r"a (finished )?formula"):
        mathml(latex)


def test_money_is_no_formula():
    assert rendered_inline("between $5 and $10") == "between $5 and $10"
    assert list(text_problems("between $5 and $10, \\$1$")) == []


def test_a_picture_has_its_source_and_size_from_the_page():
    html = rendered('![A "map"](media:map.svg "Title <1>")')

    assert with_pictures(html, lambda name: f'src="/m/{name}" width="3"') == (
        '<p><img src="/m/map.svg" width="3" alt="A &quot;map&quot;" title="Title &lt;1&gt;"></p>'
    )
    assert [image.address for image in images("![a](media:a.png) | ![b](http://b)")] == [
        "media:a.png",
        "http://b",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("![](media:a.png)", "words for who cannot see it"),
        ("![ ](media:a.png)", "words for who cannot see it"),
        ("![x](a.png)", "a picture of the bank"),
        ("![x](media:../a.png)", "a picture of the bank"),
        ("![x](media:)", "a picture of the bank"),
        ("![x](data:image/png;base64,AA)", "a picture of the bank"),
        ("|a|\n|-|\n|![](media:a.png)|", "words for who cannot see it"),
        (r"$\foo$", "known LaTeX commands"),
    ],
)
def test_what_cannot_be_shown_is_a_problem(text, problem):
    assert any(problem in expected for expected, _ in text_problems(text))


@pytest.mark.parametrize(
    "attack",
    [
        r"$\href{javascript:alert(1)}{x}$",
        r"$\text{<script>alert(1)</script>}$",
        r"$\text{<img src=x onerror=alert(1)>}$",
        r"$\text{</mtext></math><script>alert(1)</script>}$",
        r"$\style{x:expression(1)}{x}$",
        "![x](javascript:alert(1))",
        '![x" onerror="alert(1)](media:a.png)',
        '![x](media:a.png "y\\" onerror=\\"alert(1)")',
        "<math><mtext><script>alert(1)</script></mtext></math>",
    ],
)
def test_no_formula_or_picture_becomes_a_script(attack):
    for html in (rendered(attack), rendered_inline(attack)):
        assert "<script" not in html
        assert 'onerror="' not in html.replace("&quot;", "'")
        assert "href=" not in html.replace("{javascript", "")
        assert not any(f"<{tag}" in html for tag in ("a ", "style", "svg", "iframe"))


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("$\\{}^_&<>!]([)| \nabx1\"'"), max_size=40))
def test_any_text_can_be_shown(text):
    for html in (rendered(text), rendered_inline(text)):
        assert "<script" not in html
    list(text_problems(text))
