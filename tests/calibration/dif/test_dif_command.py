import csv
import json

import numpy as np
import pytest
from support.group_data import two_groups

from item_bank.demo.build import build_demo
from item_bank.store.database import open_database

PROMISED = ["item", "statistic", "df", "p", "p_adjusted", "effect", "ets_class"]
BANK = "low-altitude"


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def written(matrix, path, header="group"):
    scores, observed = matrix.dense()
    rows = [
        ",".join([*(str(x) if seen else "" for x, seen in zip(own, mask, strict=True)), group])
        for own, mask, group in zip(scores, observed, matrix.group, strict=True)
    ]
    path.write_text("\n".join([",".join([*matrix.item, header]), *rows]) + "\n")
    return path


@pytest.fixture
def responses(tmp_path):
    matrix = two_groups(np.random.default_rng(21), 500, 7, shift=1.2)
    return written(matrix, tmp_path / "form.csv")


@pytest.fixture
def dif(run_command, responses, tmp_path):
    def run(*arguments, file=responses, group="group", out=tmp_path / "dif.csv"):
        return run_command(
            "--json", "calibrate", "dif", file, "--group", group, "--out", out, *arguments
        )

    return run


def test_the_reference_data_give_the_figures_of_r(run_command, simulated, facts, tmp_path):
    file = written(simulated, tmp_path / "sim.csv")
    out = tmp_path / "mh.csv"
    status, said, _err = run_command("calibrate", "dif", file, "--group", "group", "--out", out)
    assert status == 0
    assert "B against A" in said
    rows = table(out)
    assert list(rows[0])[: len(PROMISED)] == PROMISED
    for row in rows:
        chi_square, p, odds = facts["mantel_haenszel"][row["item"]]
        assert float(row["statistic"]) == pytest.approx(chi_square, abs=1e-6)
        assert float(row["p"]) == pytest.approx(p, abs=1e-6)
        assert float(row["effect"]) == pytest.approx(2.35 * np.log(odds), abs=1e-6)
        assert row["df"] == "1"
        assert row["ets_class"] in "ABC"


@pytest.mark.parametrize("method", ["mantel-haenszel", "logistic", "lr"])
def test_every_method_writes_a_table_a_report_and_says_what_it_flagged(dif, tmp_path, method):
    status, said, err = dif("--method", method)
    figures = json.loads(said)
    assert (status, err) == (0, "")
    assert "1" in figures["groups"][0]["flagged"]
    rows = table(tmp_path / "dif.csv")
    assert list(rows[0])[: len(PROMISED)] == PROMISED
    assert list(rows[0])[-2:] == ["flagged", "notes"]
    flagged = [row["item"] for row in rows if row["flagged"] == "1"]
    assert flagged == figures["groups"][0]["flagged"]
    page = (tmp_path / "dif.html").read_text()
    assert "harder for B" in page
    assert "<svg" in page


def test_pass_rates_are_written_with_a_cut(dif, tmp_path):
    status, said, _err = dif("--cut", "0", "--cut", "0.5", "--report", tmp_path / "r.html")
    rows = table(tmp_path / "dif-pass-rates.csv")
    assert status == 0
    assert [(row["cut"], row["group"]) for row in rows] == [
        ("0.0", "A"), ("0.0", "B"), ("0.5", "A"), ("0.5", "B"),
    ]  # fmt: skip
    assert json.loads(said)["pass_rates"][1]["by_group"] == float(rows[1]["by_group"])
    assert "Pass rates" in (tmp_path / "r.html").read_text()
    assert not (tmp_path / "dif.html").exists()


def test_a_given_reference_group_is_the_reference(dif, tmp_path):
    status, said, _err = dif("--reference", "B", "--no-purify")
    assert status == 0
    assert json.loads(said)["reference"] == "B"
    rows = table(tmp_path / "dif.csv")
    assert {row["group"] for row in rows} == {"A"}
    assert float(rows[0]["effect"]) > 1
    assert {row["purified_statistic"] for row in rows} == {""}


def test_given_parameters_are_held(dif, run_command, responses, tmp_path):
    run_command(
        "calibrate",
        "fit",
        responses,
        "--ignore",
        "group",
        "--out",
        tmp_path / "fit",
        "--se",
        "none",
    )
    parameters = tmp_path / "fit" / "parameters.csv"
    status, _said, _err = dif("--method", "lr", "--parameters", parameters, "--no-purify")
    rows = table(tmp_path / "dif.csv")
    assert status == 0
    assert float(rows[0]["p"]) < 1e-4
    assert {row["df"] for row in rows} == {"2"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "wald"], "--method: expected one of mantel-haenszel, logistic, lr"),
        (["--reference", "C"], "--reference: expected one of A, B, found 'C'"),
        (["--alpha", "0"], "--alpha: expected a level between 0 and 1"),
        (["--strata", "1"], "--strata: expected 2 to 1000 strata"),
        (["--cut", "7"], "--cut: expected a theta between -6 and 6"),
        (["--model", "irt"], "--model: expected one of rasch"),
        (["--since", "2026-01-01"], "--since: expected --bank with it"),
        (["--quadrature", "3"], "--quadrature: expected 5 to 1001"),
        (["--bank", "low-altitude"], "expected a file of responses, or --bank CODE, found both"),
        (["--parameters", "none.csv"], "none.csv: expected a readable file"),
    ],
)
def test_bad_options_are_one_line_and_nothing_is_written(dif, tmp_path, arguments, message):
    before = set(tmp_path.iterdir())
    status, said, err = dif(*arguments)
    assert (status, said) == (2, "")
    assert err.startswith(f"error: {message}") or message in err
    assert err.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,group\n1,0,A\n0,1,A\n", "--group: expected at least 2 groups of persons"),
        ("a,b,group\n1,0,A\n0,x,B\n", ":3: b: expected an integer score"),
        ("a,b,group\n1,0,\n0,1,B\n", ":2: group: expected a value in every row of group"),
        ("a,b,sex\n1,0,A\n0,1,B\n", ":1: expected a column group"),
        ("a,b,group\n1,0,A\n1,0,B\n", "expected at least 2 items that vary"),
        ("", "expected a header line"),
    ],
)
def test_bad_files_are_one_line_and_nothing_is_written(dif, tmp_path, text, message):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    status, _said, err = dif(file=file)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "dif.csv").exists()
    assert not (tmp_path / "dif.html").exists()


def test_a_report_may_not_replace_the_table(dif, tmp_path):
    status, _said, err = dif("--report", tmp_path / "dif.csv")
    assert status == 2
    assert "another file" in err


def test_nothing_comparable_is_the_answer_no(dif, tmp_path):
    file = tmp_path / "apart.csv"
    file.write_text("a,b,group\n1,0,A\n1,0,A\n0,0,B\n0,0,B\n1,1,A\n1,1,A\n")
    status, _said, err = dif(file=file)
    assert status == 1
    assert "no item could be compared" in err
    assert (tmp_path / "dif.csv").exists()


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demonstration")
    database = open_database(f"sqlite:///{folder / 'demo.db'}")
    build_demo(database, sittings=80)
    database.close()
    return folder / "demo.db"


@pytest.mark.parametrize(("group", "method"), [("language", "mantel-haenszel"), ("country", "lr")])
def test_recorded_sittings_are_compared_by_language_and_country(
    demonstration, run_command, tmp_path, group, method
):
    out = tmp_path / "dif.csv"
    status, said, err = run_command(
        "--json", "--database", f"sqlite:///{demonstration}", "calibrate", "dif",
        "--bank", BANK, "--group", group, "--method", method, "--out", out, "--no-purify",
    )  # fmt: skip
    rows = table(out)
    groups = {row["group"] for row in rows}
    assert status in {0, 1}
    assert "80 of 80 sittings are simulated" in err
    assert len(rows) == 125 * len(groups)
    assert {each["group"] for each in json.loads(said)["groups"]} == groups
    assert all(row["statistic"] or row["notes"] for row in rows)


def test_other_groups_of_recorded_sittings_are_refused_with_what_there_is(
    demonstration, run_command, tmp_path
):
    out = tmp_path / "dif.csv"
    status, _said, err = run_command(
        "--database", f"sqlite:///{demonstration}", "calibrate", "dif",
        "--bank", BANK, "--group", "sex", "--out", out,
    )  # fmt: skip
    assert status == 2
    assert "expected language or country" in err
    assert not out.exists()


def test_scores_from_one_are_refused_unless_recoded_to_the_same_figures(dif, responses, tmp_path):
    header, *lines = responses.read_text().splitlines()
    shifted = [line.translate(str.maketrans("01", "12")) for line in lines]
    file = tmp_path / "shifted.csv"
    file.write_text("\n".join([header, *shifted]) + "\n")
    assert dif()[0] == 0
    as_they_were = (tmp_path / "dif.csv").read_text()
    status, _out, err = dif(file=file, out=tmp_path / "none.csv")
    assert (status, (tmp_path / "none.csv").exists()) == (2, False)
    assert "expected scores from 0 (or --recode), found scores from 1 to 2" in err
    assert dif("--recode", file=file)[0] == 0
    assert (tmp_path / "dif.csv").read_text() == as_they_were
