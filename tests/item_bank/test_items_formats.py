"""Bank files: read strictly, every problem named with its place, and written as they were read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.banks import small_bank_document
from support.mutations import mutated

import item_bank.demo
from calibration.parameter_file import read_parameter_file
from engine.errors import InputError
from item_bank.items.bank_files import BankSource, ItemSource
from item_bank.items.content import PARAMETERS_ONLY
from item_bank.items.formats.csv_file import csv_text, read_csv
from item_bank.items.formats.json_file import bank_document, bank_from_folder, read_json
from item_bank.items.formats.reading import check_bank_file, read_bank_file
from item_bank.items.formats.writing import bank_text, write_new
from item_bank.items.plans import Parameters
from item_bank.items.presentation import rendered, rendered_inline
from item_bank.store.canonical import canonical_json

HEADER = "item,model,a,b,c,d,b1,b2,se_a,content,language,status\n"


def csv_problems(tmp_path, text):
    path = tmp_path / "bank.csv"
    path.write_text(text)
    return [problem.removeprefix(f"{path}:") for problem in check_bank_file(path).errors]


def json_problems(tmp_path, change):
    document = small_bank_document(2)
    change(document)
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(document, indent=1))
    return [problem.removeprefix(f"{path}:") for problem in check_bank_file(path).errors]


def test_every_problem_of_a_csv_file_is_listed_with_line_and_column(tmp_path):
    rows = [
        "A1,2pl,1.2,0.5,,,,,0.1,x,,",
        "A1,2pl,1.2,0.5,,,,,0.1,x,,",
        "=A2,2pl,0,0.5,,,,,,x,,",
        "A3,3pl,1,0.5,0.7,,,,,x,,",
        "A4,3pl,1,NaN,0.2,,,,,x,,",
        "A5,grm,1,,,,1,0.5,,x,,",
        "A6,9pl,1,0,,,,,,x,,",
        "A7,2pl,1",
        "A8,2pl,1,,,,,,-1,x,,lost",
        "A9,4pl,1,0,.2,.1,,,,x,xx-,",
        "B1,2pl,1,0,,,,,-1,x,,",
    ]

    problems = csv_problems(tmp_path, HEADER + "\n".join(rows))

    places = [problem.split(": expected")[0] for problem in problems]
    assert places == [
        *("3: item", "4: item", "4: a", "5: c", "6: b", "7: b2", "8: model", "9"),
        *("10: status", "10: b", "11: language", "11: d", "12: se_a"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a header line, found an empty file"),
        ("item,a\nA,1\n", "expected a column model"),
        ("item,model,a,b,colour\nA,2pl,1,0,red\n", "1: colour: expected a column of a parameter"),
        ("item,model,a,a,b\nA,2pl,1,1,0\n", "1: a: expected columns that stand once"),
        ("item,model,a,b\n", "expected at least one item, found none"),
        ('item,model,a,b\n"A,2pl,1,0\n', "expected CSV, found unexpected end of data"),
        ("item,model,a,b\nA,2pl,\x001,0\n", "expected text, found a NUL character"),
        ("item,model,a,b\nA,irt,1,0\n", "2: model: expected one of rasch, 1pl, 2pl, 3pl, 4pl, grm"),
        ("item,model,a,b\nA,2pl,1;5,0\n", "2: a: expected a number or an empty cell"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused(tmp_path, text, problem):
    assert any(problem in found for found in csv_problems(tmp_path, text))


def test_a_missing_file_is_one_problem(tmp_path):
    with pytest.raises(InputError, match="no such file or directory"):
        read_bank_file(tmp_path / "none.csv")


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_bytes(b"item,model,a,b\nA\xe9,2pl,1,0\n")

    with pytest.raises(InputError, match=r"bank.csv:2: expected UTF-8 text, found byte 0xe9"):
        read_bank_file(path)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "item,model,a,b\nЗадание 1,2pl,1.5,-0.25\n"),
        ("utf-16", "item,model,a,b\nЗадание 1,2pl,1.5,-0.25\n"),
        ("utf-8", "item;model;a;b\r\nЗадание 1;2pl;1,5;-0,25\r\n\r\n"),
        ("utf-8", "item\tmodel\ta\tb\nЗадание 1\t2pl\t1.5\t-0.25\n"),
    ],
)
def test_the_usual_ways_to_save_a_table_are_read(tmp_path, encoding, text):
    path = tmp_path / "bank.csv"
    path.write_bytes(text.encode(encoding))

    (item,) = read_csv(path).items

    assert (item.code, item.type) == ("Задание 1", PARAMETERS_ONLY)
    assert item.parameters[""] == Parameters("2pl", {"a": 1.5, "b": -0.25}, {})


def test_each_model_keeps_its_own_parameters(tmp_path):
    path = tmp_path / "bank.csv"
    rows = [
        "R,rasch,,0.5,,,,,,,,",
        "L,4pl,1.1,0.5,.2,.9,,,,,,",
        "G,grm,1.3,,,,-1,1,.05,,,",
        "P,pcm,1,,,,1,-1,,,,",
    ]
    path.write_text(HEADER + "\n".join(rows))

    sets = [item.parameters[""] for item in read_csv(path).items]

    assert [s.values for s in sets] == [
        {"a": 1, "b": 0.5},
        {"a": 1.1, "b": 0.5, "c": 0.2, "d": 0.9},
        {"a": 1.3, "thresholds": [-1, 1]},
        {"a": 1, "thresholds": [1, -1]},
    ]
    assert sets[2].se == {"a": 0.05}


def test_an_item_may_stand_once_for_each_language(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("item,model,a,b,language\nA,2pl,1,0,en\nA,2pl,1,0.5,ru\n")

    (item,) = read_csv(path).items

    assert {lang: p.values["b"] for lang, p in item.parameters.items()} == {"en": 0, "ru": 0.5}


numbers = st.floats(-5, 5, allow_nan=False).map(lambda x: x + 0.0)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 5), numbers, st.floats(0, 0.5), st.floats(0.51, 1)), min_size=1
    )
)
def test_what_is_written_as_csv_reads_back_to_the_last_digit(tmp_path_factory, rows):
    items = tuple(
        ItemSource(
            f"I{n}",
            content_area="",
            parameters={"": Parameters("4pl", dict(zip("abcd", r, strict=True)), {})},
        )
        for n, r in enumerate(rows)
    )
    path = tmp_path_factory.mktemp("csv") / "bank.csv"
    path.write_text(csv_text(items))

    assert read_csv(path).items == items


def test_the_demonstration_bank_reads_back_as_it_was_written(tmp_path):
    source = bank_from_folder(Path(item_bank.demo.__file__).parent)
    path = tmp_path / "bank.json"
    write_new(path, bank_text(source, path))
    (tmp_path / "media").mkdir()
    for name, content in source.media.items():
        (tmp_path / "media" / name).write_bytes(content)
    again = read_json(path)

    assert len(source.items) == 125
    assert (again.stimuli, again.media) == (source.stimuli, source.media)
    assert (again.items, again.code, again.about) == (source.items, source.code, source.about)
    assert bank_document(again) == json.loads(path.read_text())


def described_bank():
    document = small_bank_document(3)
    for number, item in enumerate(document["items"], start=1):
        item.update(words=10 * number, seconds=22.5, labels={"topic": f"t{number}"})
    return document


def test_numbers_and_labels_of_items_survive_json_and_csv(tmp_path):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(described_bank()))
    source = read_json(path)
    about = source.items[1].about
    assert (about["words"], about["seconds"], about["labels"]) == (20, 22.5, {"topic": "t2"})
    (tmp_path / "again.json").write_text(bank_text(source, tmp_path / "again.json"))
    assert read_json(tmp_path / "again.json").items == source.items
    (tmp_path / "bank.csv").write_text(csv_text(source.items))
    header = (tmp_path / "bank.csv").read_text().splitlines()[0]
    assert header.endswith("stimulus,cognitive_level,competency,words,seconds,label:topic")
    again = read_csv(tmp_path / "bank.csv")
    assert [item.about for item in again.items] == [item.about for item in source.items]
    found = read_parameter_file(tmp_path / "bank.csv").items.attributes
    assert found.labels["topic"] == ("t1", "t2", "t3")
    assert found.numbers["words"].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": "many"}, "words: expected a number from 0, found 'many'"),
        ({"seconds": -1}, "seconds: expected a number from 0, found -1"),
        ({"words": True}, "words: expected a number from 0, found True"),
        ({"labels": ["topic"]}, "labels: expected an object of texts by label"),
        ({"labels": {"key": "A"}}, "labels: expected a label of small letters"),
        ({"labels": {"topic": ""}}, "labels.topic: expected 1 to 200 characters"),
    ],
)
def test_wrong_numbers_and_labels_are_named(tmp_path, change, message):
    problems = json_problems(tmp_path, lambda document: document["items"][0].update(change))
    assert len(problems) == 1
    assert message in problems[0]


def test_a_wrong_number_in_a_csv_file_is_named(tmp_path):
    text = "item,model,a,b,words,label:Topic\nI1,2pl,1,0,-3,x\n"
    problems = csv_problems(tmp_path, text)
    assert problems[0].startswith("1: label:Topic: expected a column")
    assert "2: words: expected a number from 0, found" in problems[1]


def test_problems_of_a_json_item_name_it_and_its_line(tmp_path):
    def spoil(document):
        first, second = document["items"]
        first["key"]["correct"] = "E"
        first["variants"]["ru"]["choices"].pop("A")
        first["parameters"]["a"] = -1
        second["variants"]["en"]["stem"] = " "
        second["colour"] = "red"
        second["content_area"] = "huge"

    problems = json_problems(tmp_path, spoil)

    found = [problem.split(": expected")[0].split(": ", 1)[1] for problem in problems]
    assert sorted(found) == sorted(
        [
            "item S-01: parameters.a",
            "item S-01: key.correct",
            "item S-01: variants.ru.choices",
            "item S-02: colour",
            "item S-02: variants.en.stem",
        ]
    )
    assert all(problem.split(":")[0].isdecimal() for problem in problems)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d.update(format="other"), '"format": "tarozu-bank"'),
        (lambda d: d.update(items=[]), "a list of items"),
        (lambda d: d.update(extra=1), "extra: expected only"),
        (lambda d: d["items"].append(d["items"][0]), "codes that occur once"),
        (lambda d: d["items"][0].update(type="essay"), "one of single_choice"),
        (lambda d: d["items"][0].update(content_area="huge"), "the bank's content areas"),
        (lambda d: d["items"][0]["variants"].update(EN={}), "a language such as en"),
        (lambda d: d["items"][0].update(enemies="S-02"), "a list of item codes"),
        (lambda d: d["items"][0]["parameters"].update(b=True), "a number, found True"),
        (
            lambda d: d["items"][0].update(parameters={"model": "grm", "a": 1, "thresholds": [0]}),
            "a model with two categories",
        ),
        (lambda d: d["items"][0]["variants"]["en"]["choices"].update(A="1", B="1"), "that differ"),
    ],
)
def test_each_rule_of_a_json_bank_is_kept(tmp_path, change, problem):
    assert any(problem in found for found in json_problems(tmp_path, change))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"format": "tarozu-bank",\n"version": }', "bank.json:2: column 12: expected JSON"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ('{"a": NaN}', "a: expected a finite number, found nan"),
        ("[1, 2]", '"format": "tarozu-bank"'),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(tmp_path, text, problem):
    path = tmp_path / "bank.json"
    path.write_text(text)

    assert problem in check_bank_file(path).errors[0]


def test_a_package_and_xml_are_named_as_not_supported(tmp_path):
    for name, start in (("a.zip", b"PK\x03\x04rest"), ("a.xml", b"<?xml version='1.0'?><item/>")):
        path = tmp_path / name
        path.write_bytes(start)

        assert "QTI" in check_bank_file(path).unsupported[0]
        with pytest.raises(InputError, match="QTI is not read yet"):
            read_bank_file(path)


def test_an_export_does_not_write_over_a_file(tmp_path):
    path = tmp_path / "bank.csv"
    write_new(path, "one")

    with pytest.raises(InputError, match="one that is there"):
        write_new(path, "two")
    write_new(path, "two", force=True)

    assert path.read_text() == "two"
    with pytest.raises(InputError, match=r"ends in \.json, \.zip or \.csv"):
        bank_text(BankSource("", ()), tmp_path / "bank.xlsx")


def test_markdown_becomes_safe_html():
    assert rendered("Wind **5 m/s** & rain") == "<p>Wind <strong>5 m/s</strong> &amp; rain</p>"
    assert rendered_inline("a<b and b>c") == "a&lt;b and b&gt;c"
    assert "<td>1</td>" in rendered("| a |\n|---|\n| 1 |")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://example.org/x.png)",
        "<img src=x onerror=alert(1)>",
        "<https://example.org>",
    ],
)
def test_no_text_of_an_item_becomes_a_script_link_or_picture(attack):
    for html in (rendered(attack), rendered_inline(attack)):
        assert not any(f"<{tag}" in html for tag in ("script", "a", "img"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_json_bank_however_strange_is_more_than_a_list_of_problems(tmp_path_factory, data):
    document = small_bank_document(2)
    for _ in range(data.draw(st.integers(1, 3))):
        document = mutated(data.draw, document)
    path = tmp_path_factory.mktemp("json") / "bank.json"
    path.write_text(json.dumps(document))

    report = check_bank_file(path)

    assert all(str(error).startswith(str(path)) for error in report.errors)
    if not report.errors:
        canonical_json(bank_document(read_json(path))).encode()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("AB12,;\"'.-\n\r\te=+ \x00é", max_size=40), max_size=6))
def test_no_table_however_strange_is_more_than_a_list_of_problems(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("csv") / "bank.csv"
    text = "item,model,a,b,c,d,b1,se_a,content\n" + "\n".join(f"I{line}" for line in lines)
    path.write_bytes(text.encode())

    report = check_bank_file(path)

    assert all(str(error).startswith(str(path)) for error in report.errors)
