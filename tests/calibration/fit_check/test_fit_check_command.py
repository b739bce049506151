import csv
import json

import numpy as np
import pytest

FILES = {"item_fit.csv", "model_fit.json", "local_dependence.csv", "report.html"}
OF_FIT = [
    "item", "n", "p_value", "point_biserial", "infit", "outfit", "rmsd",
    "s_x2", "s_x2_df", "s_x2_p",
]  # fmt: skip


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def parameters(run_command, lsat7_file, tmp_path):
    run_command("calibrate", "fit", lsat7_file, "--out", tmp_path / "fit", "--se", "none")
    return tmp_path / "fit" / "parameters.csv"


@pytest.fixture
def check(run_command, lsat7_file, parameters, tmp_path):
    def run(*arguments, responses=lsat7_file, given=parameters):
        return run_command(
            "--json", "calibrate", "fit-check", responses, given, "--out", tmp_path / "out",
            *arguments,
        )  # fmt: skip

    return run


def test_a_fit_is_checked_as_mirt_checks_it(check, facts, tmp_path):
    status, said, err = check("--parallel", "5")
    out, theirs = tmp_path / "out", facts["lsat7_2pl"]["M2"]
    figures = json.loads((out / "model_fit.json").read_text())
    assert (status, err) == (0, "")
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads(said) == figures
    assert figures["m2"] == pytest.approx(theirs["M2"], abs=1e-3)
    assert figures["m2_df"] == theirs["df"]
    assert figures["rmsea"] == pytest.approx(theirs["RMSEA"], abs=1e-5)
    assert figures["srmsr"] == pytest.approx(theirs["SRMSR"], abs=1e-5)
    assert figures["n_dimensions"] == 1
    pairs = table(out / "local_dependence.csv")
    assert len(pairs) == 10
    q3 = facts["lsat7_2pl"]["Q3"]
    assert float(pairs[0]["q3"]) == pytest.approx(q3[0][1], abs=1e-5)
    assert "<svg" in (out / "report.html").read_text()


def test_item_fit_has_the_columns_and_figures_of_fit_and_residuals(check, tmp_path):
    check("--parallel", "0")
    own, of_fit = (table(tmp_path / name / "item_fit.csv") for name in ("out", "fit"))
    assert list(own[0]) == [*OF_FIT, "residual", "residual_theta", "notes"]
    for mine, theirs in zip(own, of_fit, strict=True):
        for name in OF_FIT[1:]:
            assert float(mine[name]) == pytest.approx(float(theirs[name]), abs=1e-6)
        assert abs(float(mine["residual_theta"])) <= 6


def test_what_routed_data_do_not_allow_is_blank_with_the_reason(check, tmp_path):
    status, said, _err = check("--routed", "--held")
    figures = json.loads(said)
    assert status == 0
    for name in ("m2", "c2", "rmsea", "alpha", "n_dimensions"):
        assert figures[name] is None
    assert set(figures["notes"]) == {"m2", "c2", "parallel_analysis", "alpha"}
    assert all("routed" in text for text in figures["notes"].values())
    for row in table(tmp_path / "out" / "item_fit.csv"):
        assert row["s_x2"] == row["point_biserial"] == ""
        assert "routed" in row["notes"]
        assert row["infit"]
        assert row["residual"]
    for row in table(tmp_path / "out" / "local_dependence.csv"):
        assert row["ld_x2"] == ""
        assert row["q3"]
        assert "routed" in row["notes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parallel", "-1"], "--parallel: expected 0 to 1000 draws"),
        (["--seed", "-1"], "--seed: expected a seed of at least 0"),
        (["--quadrature", "2"], "--quadrature: expected 5 to 1001 points"),
        (["--ignore", "nothing"], "expected a column nothing"),
    ],
)
def test_bad_options_are_one_line_and_nothing_is_written(check, tmp_path, arguments, message):
    status, said, err = check(*arguments)
    assert (status, said) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("responses", "given", "message"),
    [
        ("x,y\n1,0\n0,1\n", None, "expected at least 2 items with parameters"),
        ("Item.1,Item.2\n2,0\n0,1\n", None, "expected scores from 0 to 1"),
        ("Item.1,Item.2\n1,a\n0,1\n", None, ":2: Item.2: expected an integer score"),
        (None, "item,model,a,b\nItem.1,2pl,1\n", "expected 4 cells as in the header"),
        (None, "item,model,a\nItem.1,2pl,1\n", "b"),
    ],
)
def test_bad_files_are_one_line_and_nothing_is_written(
    check, lsat7_file, parameters, tmp_path, responses, given, message
):
    files = {"responses": lsat7_file, "given": parameters}
    for name, text in (("responses", responses), ("given", given)):
        if text is not None:
            files[name] = tmp_path / f"bad-{name}.csv"
            files[name].write_text(text)
    status, _said, err = check(**files)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_polytomous_test_has_c2_and_says_why_it_has_no_m2(run_command, science, fitted, tmp_path):
    from calibration.parameter_file import write_parameters

    scores = science.dense()[0]
    file = tmp_path / "science.csv"
    lines = [",".join(science.item), *(",".join(map(str, row)) for row in scores.tolist())]
    file.write_text("\n".join(lines) + "\n")
    given = tmp_path / "p.csv"
    write_parameters(given, fitted["science_graded"][1].items)
    status, said, _err = run_command(
        "--json",
        "calibrate",
        "fit-check",
        file,
        given,
        "--out",
        tmp_path / "out",
        "--parallel",
        "3",
    )
    figures = json.loads(said)
    assert status == 0
    assert figures["m2"] is None
    assert figures["notes"]["m2"] == "10 moments are too few for 16 free parameters"
    assert figures["c2"] == pytest.approx(19.1769, abs=1e-3)
    assert figures["rmsea"] == figures["c2_rmsea"]
    assert np.isclose(sum(figures["eigenvalues"]), 4)
