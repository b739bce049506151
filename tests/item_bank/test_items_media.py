"""Bank files with media and stimuli: read, refused, kept, exported and shown again."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from support import item_types
from support.item_types import MEDIA, PNG, SVG, WAV, document, write

from engine.errors import InputError
from item_bank.exams.verification import verify
from item_bank.items.formats import media_files, zip_file
from item_bank.items.formats.json_file import bank_from_folder, read_json
from item_bank.items.formats.reading import check_bank_file, read_bank_file
from item_bank.items.formats.writing import write_bank
from item_bank.items.imports import import_bank
from item_bank.items.items import revision
from item_bank.items.overview import bank_source
from item_bank.items.presentation import media_of, presented
from item_bank.items.releases import publish, release_items
from item_bank.items.scoring import max_score, score, shuffled_order
from item_bank.store.pictures import picture_size
from item_bank.store.schema import organisation
from item_bank.store.svg import check_svg


def with_stimulus(**changes):
    """Two items about a map with a picture, and one about a radio message."""
    content = document("order", "match", "rating_scale", "hotspot", stimuli=True)
    for item, name in zip(content["items"], ("MAP", "MAP", "RADIO"), strict=False):
        item["stimulus"] = name
    content["stimuli"][0]["variants"]["en"]["text"] += "\n\n![The map](media:map.png)"
    return content | changes


ALL = {**MEDIA, "map.png": PNG}


def taken(db, tmp_path, content=None, media=ALL):
    home = organisation(db)
    path = write(tmp_path, content or with_stimulus(), media)
    return import_bank(db, read_json(path), organisation_id=home)


# --- files -------------------------------------------------------------------------------------


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["bank.json", "bank.zip"])
def test_a_bank_is_read_back_as_it_was_written(tmp_path, name):
    source = read_json(write(tmp_path / "one", with_stimulus(), ALL))
    (tmp_path / "two").mkdir()
    file = tmp_path / "two" / name

    write_bank(source, file)
    again = read_bank_file(file)

    assert again.items == source.items
    assert again.stimuli == source.stimuli
    assert again.media == source.media == ALL
    with pytest.raises(InputError, match="a new file"):
        write_bank(source, file)


def test_the_same_bank_is_the_same_archive(tmp_path):
    source = read_json(write(tmp_path, with_stimulus(), ALL))
    write_bank(source, tmp_path / "a.zip")
    write_bank(source, tmp_path / "b.zip")

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_another_medium_beside_an_export_is_not_written_over(tmp_path):
    source = read_json(write(tmp_path / "one", with_stimulus(), ALL))
    out = tmp_path / "two"
    (out / "media").mkdir(parents=True)
    (out / "media" / "map.png").write_bytes(b"mine")

    with pytest.raises(InputError, match="another that is there"):
        write_bank(source, out / "bank.json")
    assert not (out / "bank.json").exists()
    write_bank(source, out / "bank.json", force=True)
    assert (out / "media" / "map.png").read_bytes() == PNG


def test_a_folder_has_its_media_and_stimuli_beside(tmp_path):
    content = with_stimulus()
    write(tmp_path, content["bank"], ALL)
    area = {"area": "small", "stimuli": content["stimuli"], "items": content["items"]}
    (tmp_path / "items").mkdir()
    import json

    (tmp_path / "items" / "small.json").write_text(json.dumps(area))

    source = bank_from_folder(tmp_path)

    assert [one.code for one in source.stimuli] == ["MAP", "RADIO"]
    assert source.media == ALL


@pytest.mark.parametrize(
    ("media", "problem"),
    [
        ({"field.svg": None}, "item AIR-20: variants.en: expected a file media/field.svg, found"),
        ({"map.png": None}, "stimulus MAP: variants.en: expected a file media/map.png, found none"),
        ({"radio.wav": PNG}, "stimulus RADIO: variants.en: expected a sound in media/radio.wav"),
        ({"map.png": WAV}, "stimulus MAP: variants.en: expected a picture in media/map.png"),
        ({"map.png": b"GIF89a"}, "or Ogg file in media/map.png"),
        ({"map.png": PNG[:20]}, "a picture that says its width and height in media/map.png"),
        ({"field.svg": SVG.replace(b"cx", b"onload")}, "without scripts and references"),
    ],
)
def test_a_medium_that_is_missing_or_refused_is_named(tmp_path, media, problem):
    path = write(tmp_path, with_stimulus(), {})
    for name, data in (ALL | media).items():
        if data is not None:
            (tmp_path / "media" / name).write_bytes(data)

    (error,) = check_bank_file(path).errors

    assert problem in error
    assert f"{path}:" in error


def test_media_that_are_too_large_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path, with_stimulus(), ALL)

    monkeypatch.setattr(media_files, "MAX_BYTES", 20)
    assert any("at most 0 MiB" in error for error in check_bank_file(path).errors)
    monkeypatch.undo()
    monkeypatch.setattr(media_files, "MAX_TOTAL", 100)
    assert any("in all" in error for error in check_bank_file(path).errors)


BANK = '{"format": "tarozu-bank", "version": 1, "bank": {"code": "z"}, "items": []}'


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"bank.json": BANK, "../evil.txt": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK, "media/../../evil": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK, "/etc/passwd": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK, "media\\evil": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK, "media/a/b.png": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK, "media/.hidden": "x"}, "only bank.json and media/NAME in it"),
        ({"bank.json": BANK}, "a list of items"),
        ({"bank.json": "{"}, "expected JSON"),
        ({"bank.json": b"\xff\xfe\x00"}, "UTF-8"),
    ],
)
def test_an_archive_that_is_no_bank_is_refused(tmp_path, files, problem):
    report = check_bank_file(zipped(tmp_path / "bank.zip", files))

    assert problem in report.errors[0]


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_file, "MAX_BYTES", 1000)
    bomb = zipped(tmp_path / "bank.zip", {"bank.json": BANK, "media/a.png": b"\0" * 100_000})

    (error,) = check_bank_file(bomb).errors

    assert bomb.stat().st_size < 1000
    assert "media/a.png: expected at most" in error


def test_an_archive_that_lies_about_its_sizes_is_read_no_further(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_file, "MAX_BYTES", 1000)
    path = zipped(tmp_path / "bank.zip", {"bank.json": BANK, "media/a.png": b"\0" * 100_000})
    true, lie = struct.pack("<L", 100_000), struct.pack("<L", 10)
    path.write_bytes(path.read_bytes().replace(true, lie))

    (error,) = check_bank_file(path).errors

    assert "expected a sound zip archive" in error or "expected at most" in error


@pytest.mark.parametrize("cut", [30, 60, -30])
def test_a_broken_archive_is_refused_without_a_traceback(tmp_path, cut):
    path = zipped(tmp_path / "bank.zip", {"bank.json": BANK, "media/a.png": PNG})
    path.write_bytes(path.read_bytes()[:cut])

    report = check_bank_file(path)

    assert report.errors or report.unsupported


def test_a_file_that_stands_twice_in_an_archive_is_refused(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("bank.json", BANK)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("bank.json", BANK)
    (tmp_path / "bank.zip").write_bytes(stream.getvalue())

    assert "stand once" in check_bank_file(tmp_path / "bank.zip").errors[0]


def test_another_package_is_said_to_be_unsupported(tmp_path):
    report = check_bank_file(zipped(tmp_path / "p.zip", {"imsmanifest.xml": "<manifest/>"}))

    assert report.unsupported == ("a package (QTI is not read yet)",)


HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE svg [<!ENTITY x "y">]>' + HEAD + b"/>",
        b'<?xml-stylesheet href="x.css"?>' + HEAD + b"/>",
        HEAD + b'><a xlink:href="&#106;avascript:alert(1)"/></svg>',
        HEAD + b'><a xlink:href="java\nscript:alert(1)"/></svg>',
        HEAD + b'><image xlink:href="data:image/svg+xml;base64,AAAA"/></svg>',
        HEAD + b'><use xlink:href="other.svg#x"/></svg>',
        HEAD + b'><script xmlns="http://www.w3.org/1999/xhtml"/></svg>',
        HEAD + b'><x:script xmlns:x="http://www.w3.org/2000/svg"/></svg>',
        HEAD + b'><p xmlns="http://www.w3.org/1999/xhtml"/></svg>',
        HEAD + b'><set attributeName="href" to="javascript:alert(1)"/></svg>',
        HEAD + b'><rect ONCLICK="alert(1)"/></svg>',
        HEAD + b"><style>rect { fill: u\\72l(http://x) }</style></svg>",
        HEAD + b"><style>rect { fill: url(//x) }</style></svg>",
        HEAD + b'><rect filter="url( https://x )"/></svg>',
        HEAD + b"><rect></svg>",
        b"<svg/>",
    ],
)
def test_no_svg_can_hide_a_script_or_a_reference(content):
    with pytest.raises(InputError, match="SVG"):
        check_svg(content)


def test_sizes_are_read_from_every_kind_of_picture():
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x14\x00\x1e\x03" + bytes(20)
    webp = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x1d\0\0\x13\0\0"
    lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<L", 29 | 19 << 14)
    lossy = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 30, 20)
    boxed = b'<svg xmlns="x" viewBox="0 0 30 20.2">'

    assert picture_size(PNG, "image/png") == (30, 20)
    assert picture_size(jpeg, "image/jpeg") == (30, 20)
    assert [picture_size(one, "image/webp") for one in (webp, lossless, lossy)] == [(30, 20)] * 3
    assert picture_size(boxed, "image/svg+xml") == (30, 20)
    assert picture_size(b"\xff\xd8\xff\xff\xff", "image/jpeg") is None
    assert picture_size(WAV, "audio/wav") is None


# --- stimuli -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d["items"][0].update(stimulus="NO"), "item AIR-24: stimulus: expected one of"),
        (lambda d: d["stimuli"].append(d["stimuli"][0]), "codes that occur once"),
        (
            lambda d: d["items"][0]["variants"].update(ru=d["items"][0]["variants"]["en"]),
            "item AIR-24: stimulus: expected stimulus MAP in language ru, found none",
        ),
        (
            lambda d: d["stimuli"][1]["variants"]["en"].pop("transcript"),
            "stimulus RADIO: variants.en.transcript: expected a transcript",
        ),
        (
            lambda d: d["stimuli"][1]["variants"]["en"].update(audio="../radio.wav"),
            "stimulus RADIO: variants.en.audio: expected the name of a medium",
        ),
        (
            lambda d: d["stimuli"][0]["variants"]["en"].pop("text"),
            "stimulus MAP: variants.en.text: expected text",
        ),
        (lambda d: d["stimuli"][0].update(colour=1), "only code and variants"),
        (lambda d: d["stimuli"][0].update(variants=[]), "stimulus MAP: variants: expected texts"),
        (lambda d: d["stimuli"][0].update(code=""), "a code of at most 64"),
        (lambda d: d.update(stimuli={}), "a list of stimuli"),
        (lambda d: d["stimuli"].append(5), "stimuli[2]: expected a stimulus as an object"),
    ],
)
def test_a_stimulus_that_is_wrong_is_named(tmp_path, change, problem):
    content = with_stimulus()
    change(content)

    errors = check_bank_file(write(tmp_path, content, ALL)).errors

    assert any(problem in error for error in errors), errors


def test_items_are_shown_with_their_stimulus_and_media(db, tmp_path):
    taken(db, tmp_path)
    release = publish(db, "types", organisation_id=organisation(db))
    items = release_items(db, release.id, "en")
    ids = dict(zip(items.items.item, items.revision_ids, strict=True))

    def address(medium):
        return f"/media/{medium.sha256[:8]}?a&b"

    spot = presented(db, ids["AIR-20"], "en", address)
    about_map = presented(db, ids["AIR-24"], "en", address, order=["B", "C", "A"])
    about_radio = presented(db, ids["SELF-01"], "en", address)

    assert items.items.attributes.stimulus == ("MAP", "MAP", "RADIO", "")
    assert spot.picture.address.startswith("/media/")
    assert spot.stimulus is None
    assert about_map.stimulus.code == "MAP"
    assert (
        '?a&amp;b" width="30" height="20" loading="eager" alt="The map"' in about_map.stimulus.html
    )
    assert "<td>R1</td>" in about_map.stimulus.html
    assert [option.id for option in about_map.options] == ["B", "C", "A"]
    assert about_radio.stimulus.sound.media_type == "audio/wav"
    assert "<em>Tower:</em>" in about_radio.stimulus.sound.transcript_html
    assert {m.media_type for m in media_of(db, ids["SELF-01"]).values()} == {"audio/wav"}
    assert {m.media_type for m in media_of(db, ids["AIR-24"]).values()} == {"image/png"}
    with pytest.raises(InputError, match="item AIR-24: expected text in language ru, found none"):
        presented(db, ids["AIR-24"], "ru", address)


def test_the_same_file_changes_nothing_and_an_export_is_the_bank(db, tmp_path):
    first = taken(db, tmp_path)
    assert first.new == ("AIR-24", "AIR-21", "SELF-01", "AIR-20")
    assert not taken(db, tmp_path).changed

    source = bank_source(db, "types", organisation_id=organisation(db))
    (tmp_path / "out").mkdir()
    write_bank(source, tmp_path / "out" / "bank.zip")
    again = read_bank_file(tmp_path / "out" / "bank.zip")

    assert source.media == ALL
    assert not import_bank(db, again, organisation_id=organisation(db)).changed


def test_a_changed_stimulus_makes_new_revisions_of_its_items(db, tmp_path):
    taken(db, tmp_path)
    home = organisation(db)
    before = publish(db, "types", organisation_id=home)
    content = with_stimulus()
    content["stimuli"][0]["variants"]["en"]["title"] = "Another route"

    report = taken(db, tmp_path, content)
    after = publish(db, "types", organisation_id=home)

    assert report.revised == ("AIR-24", "AIR-21")
    titles = [
        presented(
            db, release_items(db, one.id, "en").revision_ids[0], "en", str
        ).stimulus.title_html
        for one in (before, after)
    ]
    assert titles == ["A route", "Another route"]
    assert (
        bank_source(db, "types", organisation_id=home, release=1).stimuli[0].variants["en"]["title"]
        == "A route"
    )
    assert verify(db).problems == ()


def test_a_changed_medium_makes_a_new_revision(db, tmp_path):
    taken(db, tmp_path)

    report = taken(db, tmp_path, media={**ALL, "field.svg": SVG.replace(b"15", b"16")})

    assert report.revised == ("AIR-20",)


@pytest.mark.parametrize(
    ("spoil", "media", "problem"),
    [
        ("MAP", ALL, "item AIR-21: expected all items about stimulus MAP, whose text changed"),
        (None, {**ALL, "map.png": PNG[:-1] + b"\1"}, "all items about stimulus MAP"),
        ("SPOT", {**ALL, "field.svg": SVG + b"\n"}, "item AIR-20: expected another name for field"),
    ],
)
def test_a_file_that_changes_what_other_items_show_is_refused(db, tmp_path, spoil, media, problem):
    taken(db, tmp_path)
    content = with_stimulus()
    if spoil == "MAP":
        content["stimuli"][0]["variants"]["en"]["title"] = "Another route"
    if spoil == "SPOT":
        content["items"][0]["variants"]["en"]["stem"] = "![x](media:field.svg)"
        content["items"][3:] = []
    else:
        del content["items"][1]

    with pytest.raises(InputError, match=problem):
        taken(db, tmp_path, content, media)


def test_parameters_alone_leave_stimulus_and_media(db, tmp_path):
    taken(db, tmp_path)
    path = tmp_path / "p.csv"
    path.write_text("item,model,a,b,stimulus\nAIR-20,2pl,1.3,0.1,\n", encoding="utf-8")

    report = import_bank(
        db, read_bank_file(path), organisation_id=organisation(db), bank_code="types"
    )

    assert (report.revised, report.parameters) == ((), ("AIR-20",))


def test_the_audit_finds_a_changed_medium_or_stimulus(db, tmp_path):
    taken(db, tmp_path)
    publish(db, "types", organisation_id=organisation(db))
    from sqlalchemy import text

    from item_bank.store.triggers import drop_triggers

    with db.engine.begin() as connection:
        drop_triggers(connection)
        connection.execute(text("UPDATE media SET content = :x WHERE width = 30"), {"x": b"x"})
        connection.execute(
            text("UPDATE stimulus_variants SET content = :x WHERE language = 'en'"), {"x": "{}"}
        )

    found = [one.problem for one in verify(db).problems]

    assert sum("its bytes do not match its hash" in one for one in found) == 1
    assert sum("its revision does not match its hash" in one for one in found) == 2


def test_an_item_of_every_type_is_published_presented_and_scored_from_the_database(db, tmp_path):
    content = item_types.document()
    del content["items"][2]["variants"]["ru"], content["items"][2]["key"]["accepted"]["ru"]
    taken(db, tmp_path, content, MEDIA)
    release = publish(db, "types", organisation_id=organisation(db))
    arrays = release_items(db, release.id, "en")

    assert set(arrays.items.attributes.labels["key"]) == {""}  # none has one correct choice
    for row, of in zip(arrays.points, arrays.revision_ids, strict=True):
        one = revision(db, of)
        shown = presented(db, of, "en", str, order=shuffled_order(one.type, one.key, 1, 1))
        assert row == tuple(range(max_score(one.type, one.key) + 1))
        assert shown.type == one.type
        assert score(one.type, one.key, None, "en") == 0
