import csv
import json
from pathlib import Path

import pytest

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "linking.json").read_text())


@pytest.fixture
def files(tmp_path):
    """Form B is new and form A old; each has an item of its own."""
    rows = REFERENCE["3PL"]["anchors"]
    for name, k in (("old", 1), ("new", 4)):
        lines = ["item,model,a,b,c,se_a,se_b,content"]
        lines += [f"{r[0]},3pl,{r[k]},{r[k + 1]},{r[k + 2]},0.1,0.08,x" for r in rows]
        lines += [f"{name}16,3pl,1.0,0.5,0.2,0.1,0.08,y"]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def link(files, run_command):
    def run(*options, old="old.csv"):
        return run_command(
            "--json", "calibrate", "link", files / "new.csv", files / old,
            "--out", files / "out.csv", *options,
        )  # fmt: skip

    return run


def test_the_command_prints_the_constants_and_writes_new_on_the_old_scale(link, files):
    status, said, _err = link("--bootstrap", "20")
    found = json.loads(said)
    assert status == 0
    assert pytest.approx(REFERENCE["3PL"]["stocking_lord"], abs=1e-5) == (found["A"], found["B"])
    assert (found["method"], found["n_anchors"]) == ("stocking-lord", 15)
    assert found["se"]["A"] > 0
    assert found["se_parameters"]["B"] > 0
    with (files / "out.csv").open() as stream:
        last = list(csv.DictReader(stream))[-1]
    assert last["item"] == "new16"
    assert float(last["a"]) == pytest.approx(1 / found["A"])
    assert float(last["b"]) == pytest.approx(0.5 * found["A"] + found["B"])
    assert float(last["se_b"]) == pytest.approx(0.08 * found["A"])
    assert last["content"] == "y"


def test_anchors_that_stand_out_are_named_and_dropped_when_asked(link):
    _status, said, err = link("--bootstrap", "0")
    assert "anchor08 stands out: flatter" in err
    assert "anchor08" in json.loads(said)["suspect"]
    _status, said, err = link("--bootstrap", "0", "--screen", "robust-z")
    found = json.loads(said)
    assert "anchor08 dropped: flatter" in err
    assert found["n_anchors"] == 15 - len(found["dropped"])
    assert found["se"] is None


@pytest.mark.parametrize("text", ["anchor01\nanchor02\n", "item,x\nanchor01,1\nanchor02,2\n"])
def test_chosen_anchors_come_from_lines_or_from_a_column(link, files, text):
    (files / "anchors.csv").write_text(text)
    status, said, err = link("--anchors", files / "anchors.csv", "--bootstrap", "0")
    assert status == 0
    assert json.loads(said)["anchors"] == ["anchor01", "anchor02"]
    assert "Fewer than five anchors" in err


@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ("anchor01\nold16\n", "anchors.csv:2: expected an item of"),
        ("anchor01\nanchor02\nanchor01\n", "anchors.csv:3: expected each anchor once"),
        ("anchor01\n", "expected at least 2 items in both"),
        ("\n", "expected names of anchors, found none"),
    ],
)
def test_anchors_that_cannot_be_are_refused_in_one_line(link, files, anchors, message):
    (files / "anchors.csv").write_text(anchors)
    refused(link("--anchors", files / "anchors.csv"), files, message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "x"], "--method: expected stocking-lord or haebara"),
        (["--weights", "x"], "--weights: expected normal or uniform"),
        (["--screen", "x"], "--screen: expected none or robust-z"),
        (["--limit", "0"], "--limit: expected a limit above 0"),
        (["--bootstrap", "1"], "--bootstrap: expected 2 to"),
        (["--seed", "-1"], "--seed: expected a seed from 0"),
        (["--anchors", "nowhere.txt"], "nowhere.txt: --anchors: expected a readable file"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(link, files, options, message):
    refused(link(*options), files, message)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["z1,2pl,1,0"], "found none"),
        (["anchor01,2pl,1,0"], "found 1"),
        (["anchor01,2pl,1,0", "anchor02,2pl,1,1"], "expected item anchor01 as in"),
    ],
)
def test_files_that_do_not_match_are_refused_in_one_line(link, files, rows, message):
    (files / "other.csv").write_text("\n".join(["item,model,a,b", *rows]))
    refused(link(old="other.csv"), files, message)


def refused(answer, files, message):
    status, said, err = answer
    assert status == 2
    assert said == ""
    assert err.count("\n") == 1
    assert message in err
    assert not (files / "out.csv").exists()
