import numpy as np
import pytest
from support.reference_banks import every_model_bank

from calibration.parameter_file import (
    StandardErrors,
    no_errors,
    read_parameter_file,
    read_parameters,
    write_parameters,
)
from engine.errors import InputError
from engine.items import item_parameters

MIXED = """item,model,a,b,c,d,b1,b2,b3,se_a,se_b,content
i1,2pl,1.5,-0.25,,,,,,0.1,0.2,algebra
i2,3pl,0.8,1,0.2,,,,,,,
i3,4pl,1.1,0,0.15,0.97,,,,,,
i4,gpcm,0.9,,,,-1,0.5,0.25,,,geometry
i5,grm,1.2,,,,-1,0.5,,,,
i6,rasch,,0.5,,,,,,,,
i7,pcm,1,,,,0.1,,,,,
"""


def written(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "parameters.csv"
    path.write_bytes(text.encode(encoding))
    return path


def some_items():
    return item_parameters(
        ("i1", "i2", "i3"),
        ("3pl", "gpcm", "rasch"),
        a=np.array([1 / 3, 0.7, 1.0]),
        b=np.array([-0.1, np.nan, 2.5]),
        c=np.array([0.2, 0.0, 0.0]),
        d=np.ones(3),
        thresholds=np.array([[-0.1, np.nan], [-1.0, 0.3], [2.5, np.nan]]),
        content=("algebra", "", "geometry"),
    )


def test_every_model_is_read_where_its_columns_stand(tmp_path):
    items = read_parameters(written(tmp_path, MIXED))
    assert items.item == ("i1", "i2", "i3", "i4", "i5", "i6", "i7")
    assert items.model == ("2pl", "3pl", "4pl", "gpcm", "grm", "rasch", "pcm")
    np.testing.assert_array_equal(items.a, [1.5, 0.8, 1.1, 0.9, 1.2, 1.0, 1.0])
    np.testing.assert_array_equal(items.c[1:3], [0.2, 0.15])
    assert items.d[2] == 0.97
    np.testing.assert_array_equal(items.thresholds[3], [-1, 0.5, 0.25])
    np.testing.assert_array_equal(items.thresholds[0], [-0.25, np.nan, np.nan])
    assert items.content[:4] == ("algebra", "", "", "geometry")


def test_standard_errors_and_labels_are_kept(tmp_path):
    found = read_parameter_file(written(tmp_path, MIXED))
    assert found.se.a[0] == 0.1
    assert found.se.b[0] == 0.2
    assert np.isnan(found.se.a[1])
    assert found.labels["content"][3] == "geometry"


def test_what_is_written_is_read_again_digit_for_digit(tmp_path):
    items = some_items()
    se = no_errors(3, 2)
    se = StandardErrors(np.array([0.1, 1 / 7, np.nan]), se.b, se.c, se.d, se.thresholds)
    path = tmp_path / "parameters.csv"
    write_parameters(path, items, se, labels={"language": ("tg", "", "")})
    found = read_parameter_file(path)
    for name in ("a", "b", "c", "d", "thresholds"):
        np.testing.assert_array_equal(getattr(found.items, name), getattr(items, name))
    np.testing.assert_array_equal(found.se.a, se.a)
    assert found.items.content == items.content
    assert found.labels["language"] == ("tg", "", "")


def test_a_column_that_a_model_lacks_is_empty_or_absent(tmp_path):
    path = tmp_path / "parameters.csv"
    write_parameters(path, some_items())
    header, first, second, third = path.read_text().splitlines()
    assert header == "item,model,a,b,c,d,b1,b2,content"
    assert first.split(",")[5:] == ["", "", "", "algebra"]
    assert second == "i2,gpcm,0.7,,,,-1.0,0.3,"
    assert third == "i3,rasch,1.0,2.5,,,,,geometry"


def test_semicolons_with_decimal_commas_are_read(tmp_path):
    items = read_parameters(written(tmp_path, "item;model;a;b\ni1;2pl;1,25;-0,5\n"))
    assert (items.a[0], items.b[0]) == (1.25, -0.5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path, encoding):
    path = written(tmp_path, "item,model,a,b\nсавол,2pl,1,0\n", encoding=encoding)
    assert read_parameters(path).item == ("савол",)


def test_an_item_may_stand_once_per_language(tmp_path):
    path = written(tmp_path, "item,model,a,b,language\ni1,2pl,1,0,ru\ni1,2pl,1,0.5,tg\n")
    assert read_parameters(path, language="tg").b[0] == 0.5
    with pytest.raises(InputError, match=r"parameters.csv:3: item: expected one row per item"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header line, found an empty file"),
        ("item,model,a,b\n", "expected at least one item"),
        ("item,a,b\ni1,1,0\n", ":1: expected a column model"),
        ("item,model,a,b\ni1,2pl,1\n", ":2: expected 4 cells as in the header, found 3 cells"),
        (
            "item,model,a,b\ni1,2pl,x,0\n",
            ":2: a: expected a number or an empty cell for item i1, found 'x'",
        ),
        ("item,model,a,b\ni1,2pl,nan,0\n", ":2: a: expected a number"),
        (
            "item,model,a,b\ni1,2pl,0,0\n",
            ":2: a: expected a discrimination above 0 for item i1, found 0.0",
        ),
        ("item,model,a,b\ni1,2pl,,0\n", ":2: a: expected a value for model 2pl"),
        ("item,model,a,b\ni1,2pl,1,\n", ":2: b: expected a value for model 2pl"),
        ("item,model,a,b\ni1,5pl,1,0\n", ":2: model: expected one of rasch"),
        ("item,model,a,b\n,2pl,1,0\n", ":2: item: expected an item identifier"),
        ("item,model,a,b\ni1,2pl,1,0\n\ni2,2pl,1,0\n", ":3: expected 4 cells"),
        ("item,model,a,b,a\ni1,2pl,1,0,1\n", ":1: a: expected column names that differ"),
        ("item,model,a,b,colour\ni1,2pl,1,0,1\n", ":1: colour: expected a column of a parameter"),
        ("item,model,a,b,c\ni1,2pl,1,0,0.2\n", ":2: c: expected an empty cell for model 2pl"),
        ("item,model,a,b,c\ni1,3pl,1,0,1.2\n", ":2: c: expected a lower asymptote"),
        ("item,model,a,b,c,d\ni1,4pl,1,0,0.2,0.1\n", ":2: d: expected an upper asymptote"),
        ("item,model,a,b1,b2\ni1,grm,1,1,0\n", ":2: b2: expected thresholds in ascending order"),
        ("item,model,a,b1,b2\ni1,gpcm,1,,0\n", ":2: b1: expected a value"),
        ("item,model,a,b1,b3\ni1,gpcm,1,0,0\n", ":1: b3: expected a column"),
        ("item,model,a,b\ni1,rasch,1.2,0\n", ":2: a: expected 1 or an empty cell"),
        ("item,model,a,b,se_a\ni1,2pl,1,0,-1\n", ":2: se_a: expected a standard error from 0"),
        ("item,model,slope1\ni1,nrm,1\n", ":2: intercept1: expected a value for model nrm"),
        ("item,model,a,slope1,intercept1\ni1,nrm,1,1,0\n", ":2: a: expected an empty cell"),
        ("item,model,b1,slope1,intercept1\ni1,nrm,1,1,0\n", ":2: b1: expected an empty cell"),
        ("item,model,slope1,slope2,intercept1\ni1,nrm,1,1,0\n", ":2: intercept1: expected as many"),
        ("item,model,slope1,intercept1\ni1,nrm,0,1\n", ":2: slope1: expected a slope other than 0"),
        ("item,model,a,b,slope1\ni1,2pl,1,0,1\n", ":2: slope1: expected an empty cell"),
        ("item,model,a,b\ni1,2pl,1,\0\n", ":2: expected text, found a NUL byte"),
        ('item,model,a,b\ni1,2pl,1,"0\n', "expected well-formed CSV"),
    ],
)
def test_errors_say_where_what_was_expected_and_what_was_found(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_parameters(path)
    assert message in str(caught.value)
    assert "parameters.csv" in str(caught.value)


def test_nominal_items_survive_the_file(tmp_path):
    items = every_model_bank()
    write_parameters(tmp_path / "all.csv", items)
    found = read_parameters(tmp_path / "all.csv")
    for name in ("a", "b", "c", "d", "thresholds", "slopes", "intercepts"):
        assert np.array_equal(getattr(found, name), getattr(items, name), equal_nan=True), name
    assert (found.model, found.content) == (items.model, items.content)


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_bytes(b"item,model,a,b\ni\xff,2pl,1,0\n")
    with pytest.raises(InputError, match=r":2: expected text in UTF-8, found byte 0xff"):
        read_parameters(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing.csv: expected a readable file"):
        read_parameters(tmp_path / "nothing.csv")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    with pytest.raises(InputError, match="expected a file that can be written"):
        write_parameters(tmp_path / "no folder" / "parameters.csv", some_items())
    assert list(tmp_path.iterdir()) == []
