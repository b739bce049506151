import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from calibration.response_file import read_responses
from engine.errors import InputError


def written(tmp_path, text, *, encoding="utf-8", name="responses.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


WIDE = "person,i1,i2,i3\nanna,1,0,\nbob,0,,1\n"
LONG = "person,item,score,time\nanna,i1,1,10\nanna,i2,0,9\nbob,i1,0,3\nbob,i3,1,\n"


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_wide_and_long_files_say_the_same(tmp_path, text):
    matrix = read_responses(written(tmp_path, text))
    assert matrix.person == ("anna", "bob")
    assert matrix.item == ("i1", "i2", "i3")
    scores, observed = matrix.dense()
    np.testing.assert_array_equal(observed, [[True, True, False], [True, False, True]])
    np.testing.assert_array_equal(scores, [[1, 0, 0], [0, 0, 1]])


def test_persons_without_a_column_are_numbered(tmp_path):
    assert read_responses(written(tmp_path, "i1,i2\n1,0\n0,1\n")).person == ("1", "2")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WIDE, "utf-8-sig"),
        (WIDE, "utf-16"),
        (WIDE.replace(",", ";"), "utf-8"),
        (WIDE.replace(",", "\t"), "utf-16"),
        (WIDE.replace("\n", "\r\n"), "utf-8"),
        (WIDE + "\n\n", "utf-8"),
        (WIDE.replace(",1", ",1.0"), "utf-8"),
        (WIDE.replace(",\n", ",NA\n").replace(",,", ",NA,"), "utf-8"),
        (WIDE.replace(",", ";").replace("1", "1,0").replace("i1,0", "i1"), "utf-8"),
        (WIDE.replace("anna", '"anna"'), "utf-8"),
    ],
)
def test_usual_spellings_of_the_same_table_are_understood(tmp_path, text, encoding):
    matrix = read_responses(written(tmp_path, text, encoding=encoding))
    np.testing.assert_array_equal(matrix.dense()[0], [[1, 0, 0], [0, 0, 1]])
    assert matrix.item == ("i1", "i2", "i3")


def test_a_group_column_is_no_item(tmp_path):
    path = written(tmp_path, "person,i1,sex,i2\na,1,f,0\nb,0,m,1\n")
    matrix = read_responses(path, group="sex")
    assert matrix.group == ("f", "m")
    assert matrix.item == ("i1", "i2")


def test_a_group_column_of_a_long_file_belongs_to_the_person(tmp_path):
    text = "person,item,score,sex\na,i1,1,f\nb,i1,0,m\na,i2,0,f\n"
    assert read_responses(written(tmp_path, text), group="sex").group == ("f", "m")


def test_columns_that_are_no_items_can_be_named(tmp_path):
    path = written(tmp_path, "i1,age,i2\n1,44,0\n")
    assert read_responses(path, ignore=["age"]).item == ("i1", "i2")


@pytest.mark.parametrize("kind", [pa.int8(), pa.float64(), pa.bool_()])
def test_parquet_says_the_same_as_csv(tmp_path, kind):
    columns = {
        "person": ["anna", "bob"],
        "i1": pa.array([1, 0]).cast(kind),
        "i2": pa.array([0, None]).cast(kind),
        "i3": pa.array([None, 1]).cast(kind),
    }
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.table(columns), path)
    found, expected = read_responses(path), read_responses(written(tmp_path, WIDE))
    assert found.sha256() == expected.sha256()


def test_long_parquet_is_read(tmp_path):
    columns = {"person": [1, 1, 2], "item": ["a", "b", "a"], "score": [2, 0, 1]}
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.table(columns), path)
    matrix = read_responses(path)
    assert matrix.person == ("1", "2")
    np.testing.assert_array_equal(matrix.dense()[0], [[2, 0], [1, 0]])


BAD = [
    ("", "expected a header line, found an empty file"),
    ("i1,i2\n", "expected at least one row of responses, found none"),
    ("person\np\n", ":1: expected at least one item column"),
    ("i1,i2\n1\n", ":2: expected 2 cells as in the header, found 1 cells"),
    ("i1,i2\n1,0\n1,0,1\n", ":3: expected 2 cells as in the header, found 3 cells"),
    ("i1,i2\n1,0\n\n1,1\n", ":3: expected 2 cells as in the header, found an empty line"),
    ("i1,i2\n1,yes\n", ":2: i2: expected an integer score from 0"),
    ("i1,i2\n1,0.5\n", ":2: i2: expected an integer score from 0"),
    ("i1;i2\n1;0,5\n", ":2: i2: expected an integer score from 0"),
    ("i1,i2\n1,-1\n", ":2: i2: expected an integer score from 0"),
    ("i1,i2\n1,99999\n", ":2: i2: expected an integer score from 0 to 49"),
    ("i1,i2\n1,1e0\n", ":2: i2: expected an integer score from 0"),
    ("i1,i2\n1,\u0661\n", ":2: i2: expected an integer score from 0"),
    ("i1,i2\n1,\0\n", ":2: expected text, found a NUL byte"),
    ("i1,i1\n1,1\n", ":1: i1: expected column names that differ"),
    ("i1,\n1,1\n", ":1: expected a column name, found none in column 2"),
    ('i1,i2\n1,"1\n', "expected well-formed CSV"),
    ("i1,person\n1,p\n", ":1: expected person as the first column"),
    ("person,i1\np,1\nq,1\np,0\n", ":4: person: expected one row per person (as on line 2)"),
    ("person,i1\np,1\n,1\n", ":3: person: expected a value in every row of person"),
    ("person,item,score\np,i1,1\np,i1,0\n", ":3: item: expected one response per person and item"),
    ("person,item,score\np,,1\n", ":2: item: expected a value in every row of item"),
    ("person,item,score\np,i1,x\n", ":2: score: expected an integer score"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_errors_say_where_what_was_expected_and_what_was_found(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        read_responses(written(tmp_path, text))
    assert message in str(caught.value)
    assert "responses.csv" in str(caught.value)


def test_a_group_that_does_not_exist_or_changes_is_named(tmp_path):
    with pytest.raises(InputError, match="expected a column sex, found none"):
        read_responses(written(tmp_path, WIDE), group="sex")
    text = "person,item,score,sex\np,i1,1,f\np,i2,1,m\n"
    with pytest.raises(InputError, match=r":3: sex: expected one group per person"):
        read_responses(written(tmp_path, text), group="sex")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["1", "0"], "i1: expected a column of integers, found type string"),
        ([1.5, 0.0], ":1: i1: expected an integer score"),
        ([0, -1], ":2: i1: expected an integer score"),
    ],
)
def test_errors_in_parquet_name_row_and_column(tmp_path, column, message):
    path = tmp_path / "responses.parquet"
    parquet.write_table(pa.table({"i1": column}), path)
    with pytest.raises(InputError) as caught:
        read_responses(path)
    assert message in str(caught.value)


def test_a_parquet_file_cut_short_is_named(tmp_path):
    path = tmp_path / "responses.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match="expected a readable Parquet file"):
        read_responses(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.csv: expected a readable file"):
        read_responses(tmp_path / "none.csv")
