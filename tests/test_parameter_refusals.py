"""A parameter that makes no sense is refused at every door, with item, field and value."""

from __future__ import annotations

import json

import numpy as np
import pytest

from calibration.parameter_file import read_parameters
from engine.errors import InputError
from engine.items import item_parameters
from item_bank.items.formats.reading import check_bank_file

HEADER = ("item", "model", "a", "b", "c", "d", "b1", "b2", "slope1", "slope2", "intercept1")
WRONG = {
    "a of 0": ({"model": "2pl", "a": 0, "b": 0}, "a", "0"),
    "a below 0": ({"model": "3pl", "a": -1.5, "b": 0, "c": 0.2}, "a", "-1.5"),
    "a that is no number": ({"model": "2pl", "a": "NaN", "b": 0}, "a", "nan"),
    "a without end": ({"model": "2pl", "a": "1e999", "b": 0}, "a", "inf"),
    "b that is no number": ({"model": "2pl", "a": 1, "b": "NaN"}, "b", "nan"),
    "c below 0": ({"model": "3pl", "a": 1, "b": 0, "c": -0.1}, "c", "-0.1"),
    "c of 1": ({"model": "3pl", "a": 1, "b": 0, "c": 1}, "c", "1"),
    "d below c": ({"model": "4pl", "a": 1, "b": 0, "c": 0.4, "d": 0.3}, "d", "0.3"),
    "d equal to c": ({"model": "4pl", "a": 1, "b": 0, "c": 0.4, "d": 0.4}, "d", "0.4"),
    "d above 1": ({"model": "4pl", "a": 1, "b": 0, "c": 0.1, "d": 1.2}, "d", "1.2"),
    "thresholds out of order": ({"model": "grm", "a": 1, "b1": 1, "b2": 0.5}, "b2", "0.5"),
    "equal thresholds": ({"model": "grm", "a": 1, "b1": 0.5, "b2": 0.5}, "b2", "0.5"),
    "a threshold that is no number": ({"model": "grm", "a": 1, "b1": 0, "b2": "NaN"}, "b2", "nan"),
    "a step that is left out": ({"model": "gpcm", "a": 1, "b2": 0.5}, "b1", "empty"),
    "no slope at all": ({"model": "nrm", "slope1": 0, "intercept1": 1}, "slope1", "0"),
    "a slope without end": ({"model": "nrm", "slope1": "1e999", "intercept1": 1}, "slope1", "inf"),
}
LISTS = {"b": "thresholds", "slope": "slopes", "intercept": "intercepts"}


def cases(*, without=()):
    names = [name for name in WRONG if name not in without]
    return pytest.mark.parametrize(
        ("given", "field", "value"), [WRONG[n] for n in names], ids=names
    )


def written_csv(tmp_path, given):
    path = tmp_path / "bank.csv"
    good = {"item": "G1", "model": "2pl", "a": 1, "b": 0}
    rows = [good, {**good, "item": "G2"}, {"item": "W-7", **given}]
    lines = [",".join(str(row.get(name, "")) for name in HEADER) for row in rows]
    path.write_text("\n".join([",".join(HEADER), *lines]) + "\n")
    return path


def as_lists(given):
    """Columns b1, b2, slope1, ... as the lists that files in JSON and the engine have."""
    values = {}
    for name, value in given.items():
        number = float(value) if name != "model" else value
        first = name.rstrip("0123456789")
        if name != first:
            values.setdefault(LISTS[first], [np.nan, np.nan])[int(name[-1]) - 1] = number
        else:
            values[name] = number
    return values


def assert_names(message, place, field, value):
    """The message has the place and the field in it, and the value after `found`."""
    assert place in message
    assert "W-7" in message
    head, found = message.split(", found ")
    assert field in head.split(": expected")[0]
    shown = {"nan": ("nan", "NaN", "empty"), "inf": ("inf", "1e999"), "empty": ("empty", "nan")}
    assert any(word in found for word in shown.get(value, (value,)))


@cases(without=["a threshold that is no number"])  # in arrays NaN is the end of a row
def test_the_engine_names_item_field_and_value(given, field, value):
    values = as_lists(given)
    values = {name: [x] if isinstance(x, list) else x for name, x in values.items()}
    with pytest.raises(InputError) as caught:
        item_parameters(["W-7"], values.pop("model"), **values)
    first = field.rstrip("0123456789")
    assert_names(str(caught.value), "item W-7", LISTS[first] if first != field else field, value)


@cases()
def test_a_parameter_file_is_refused_with_line_and_column(tmp_path, given, field, value):
    path = written_csv(tmp_path, given)
    with pytest.raises(InputError) as caught:
        read_parameters(path)
    assert_names(str(caught.value), f"{path}:4: {field}: ", field, value)


@cases()
def test_a_bank_in_csv_is_refused_with_line_and_column(tmp_path, given, field, value):
    path = written_csv(tmp_path, given)
    (message,) = check_bank_file(path).errors
    assert_names(message, f"{path}:4: {field}: ", field, value)


NOT_IN_JSON = ("no number", "without end", "left out")


@cases(without=[name for name in WRONG if any(part in name for part in NOT_IN_JSON)])
def test_a_bank_in_json_is_refused_with_line_and_key(tmp_path, given, field, value):
    values = as_lists(given)
    values = {n: [s for s in x if not np.isnan(s)] if n in LISTS.values() else x
              for n, x in values.items()}  # fmt: skip
    path = tmp_path / "bank.json"
    item = {"code": "W-7", "parameters": values}
    good = {"code": "G1", "parameters": {"model": "2pl", "a": 1, "b": 0}}
    document = {"format": "tarozu-bank", "version": 1, "items": [good, item]}
    path.write_text(json.dumps(document, indent=1))
    (message,) = check_bank_file(path).errors
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"W-7"' in text)
    first = field.rstrip("0123456789")
    name = LISTS[first] if first != field else field
    assert_names(message, f"{path}:{line}: item W-7: parameters.{name}: ", name, value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_json_has_finite_numbers_only(tmp_path, number):
    path = tmp_path / "bank.json"
    item = f'{{"code": "W-7", "parameters": {{"model": "2pl", "a": {number}, "b": 0}}}}'
    path.write_text(f'{{"format": "tarozu-bank", "version": 1, "items": [{item}]}}')
    (message,) = check_bank_file(path).errors
    assert message.startswith(f"{path}:1: item W-7: parameters.a: expected a finite number, found")


@pytest.mark.parametrize("name", ["a of 0", "d equal to c", "thresholds out of order"])
@pytest.mark.parametrize("command", ["simulate", "score", "import"])
def test_commands_end_with_status_2_and_one_line(tmp_path, run_command, command, name):
    given, field, value = WRONG[name]
    path = written_csv(tmp_path, given)
    (tmp_path / "responses.csv").write_text("G1,G2\n1,0\n")
    out = tmp_path / "out"
    arguments = {
        "simulate": ("simulate", "--parameters", path, "--n", "5", "--out", out),
        "score": ("calibrate", "score", tmp_path / "responses.csv", path, "--out", out),
        "import": ("bank", "import", path, "--bank", "x"),
    }[command]
    status, _, err = run_command(*arguments)
    assert status == 2
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert_names(err, f"{path}:4: {field}: ", field, value)
    assert not out.exists()
