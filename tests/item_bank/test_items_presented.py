"""What a page shows of an item: safe HTML in pieces, and no id or key that it should not have."""

from __future__ import annotations

import pytest
from support.item_types import ITEMS, item

from item_bank.items.content import stored_key, stored_variant
from item_bank.items.presentation import Texts, presented_item, presented_stimulus
from item_bank.items.presented import Gap, with_names
from item_bank.store.media import MediumInfo

SOUND = MediumInfo("2", "b" * 64, "audio/wav")
PICTURE = MediumInfo("1", "a" * 64, "image/svg+xml", 160, 100)
TEXTS = Texts({"field.svg": PICTURE, "radio.wav": SOUND}, lambda medium: f"/m/{medium.sha256[:4]}")


def shown(kind, order=(), **changes):
    one = item(kind)
    one["variants"]["en"].update(changes)
    key = stored_key(kind, one["key"], one["variants"])
    content = stored_variant(kind, one["variants"]["en"])
    return presented_item(kind, content, key, "en", TEXTS, order)


@pytest.mark.parametrize("kind", sorted(ITEMS))
def test_every_type_is_shown_without_its_key(kind):
    page = repr(shown(kind, rationale="the reason why"))

    assert "the reason why" not in page
    assert not any(word in page for word in ("correct", "accepted", "scoring", "tolerance", "'KьЮ"))
    assert shown(kind).stem_html.startswith("<p>")


def test_choices_and_columns_are_shown_in_the_order_drawn():
    assert [o.id for o in shown("order", ["B", "C", "A"]).options] == ["B", "C", "A"]
    match = shown("match", ["c3", "c1", "c2"])
    assert [o.id for o in match.columns] == ["c3", "c1", "c2"]
    assert [o.id for o in match.rows] == ["r1", "r2"]
    assert match.options == ()
    assert [o.id for o in shown("rating_scale").options] == ["never", "often", "always"]


def test_a_stem_with_gaps_is_cut_at_them():
    stem = "| a |\n|---|\n| [[gap2]] |\n\n**Then** [[gap1]]"
    page = shown("inline_choice", stem=stem)

    assert [p.id if isinstance(p, Gap) else "" for p in page.parts] == ["", "gap2", "", "gap1", ""]
    assert page.gaps[0].options[0].html == "height"
    joined = "".join("<select></select>" if isinstance(p, Gap) else p for p in page.parts)
    assert "<td><select></select></td>" in joined
    assert joined.count("<p>") == joined.count("</p>") == 1


def test_a_number_has_its_unit_and_a_text_its_label():
    assert shown("numeric_entry").unit_html == "min"
    assert "<mfrac>" in shown("numeric_entry").stem_html
    assert shown("numeric_entry", unit="$m^2$").unit_html.startswith("<math")
    assert shown("text_entry").label_html == "Q code"
    assert shown("text_entry").max_length == 200
    assert shown("order").max_length == 0


def test_areas_have_their_shapes_and_labels():
    page = shown("hotspot")

    assert (page.picture.address, page.picture.width, page.picture.height) == ("/m/aaaa", 160, 100)
    assert page.picture.alt == "Plan of a field with three marked places"
    assert [(a.id, a.shape) for a in page.areas] == [
        ("P1", "rect"),
        ("P2", "circle"),
        ("P3", "poly"),
    ]
    assert page.areas[1].coords == (100, 70, 15)


def test_pictures_may_stand_in_choices():
    page = shown("order", choices={"A": "![x](media:field.svg)", "B": "b", "C": "c"})

    assert page.options[0].html == (
        '<img src="/m/aaaa" width="160" height="100" loading="eager" alt="x">'
    )


def test_every_id_can_be_given_another_name():
    def name(kind, one):
        return f"<{kind}>"

    match = with_names(shown("match"), name)
    gaps = with_names(shown("inline_choice"), name)
    spot = with_names(shown("hotspot"), name)

    assert {o.id for o in match.rows} == {"<row>"}
    assert {o.id for o in match.columns} == {"<column>"}
    assert [g.id for g in gaps.gaps] == ["<gap>", "<gap>"]
    assert gaps.gaps[1].options[0].id == "<gap:gap2>"
    assert "[[gap1]]" not in repr(gaps)
    assert {a.id for a in spot.areas} == {"<area>"}
    assert {o.id for o in with_names(shown("order"), name).options} == {"<choice>"}


def test_a_stimulus_has_its_sound_and_what_is_said():
    said = {"title": "A *message*", "audio": "radio.wav", "transcript": "Hold."}
    stimulus = presented_stimulus("R", said, TEXTS)

    assert stimulus.title_html == "A <em>message</em>"
    assert (stimulus.sound.address, stimulus.sound.media_type) == ("/m/bbbb", "audio/wav")
    assert stimulus.sound.transcript_html == "<p>Hold.</p>"
    assert stimulus.html == ""
