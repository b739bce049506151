import csv
import json
import re

import numpy as np
import pytest
from support.response_files import wide_file

FILES = {"parameters.csv", "persons.csv", "item_fit.csv", "summary.json", "report.html"}
SUMMARY = {
    "model",
    "backend",
    "n_persons",
    "n_items",
    "n_responses",
    "log_likelihood",
    "log_posterior",
    "n_parameters",
    "aic",
    "bic",
    "converged",
    "iterations",
    "seconds",
    "latent_mean",
    "latent_sd",
    "reliability_marginal",
    "reliability_empirical",
    "data_sha256",
    "settings",
    "versions",
}


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def random_wide(path, n=300, n_items=6, seed=1, header=True, missing=0.0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    b = np.linspace(-1, 1, n_items)
    scores = (rng.random((n, n_items)) < 1 / (1 + np.exp(b - theta[:, None]))).astype(int)
    seen = rng.random(scores.shape) >= missing
    rows = [
        ",".join(str(x) if ok else "" for x, ok in zip(own, mask, strict=True))
        for own, mask in zip(scores, seen, strict=True)
    ]
    names = [f"i{k}" for k in range(n_items)]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path


def test_lsat7_is_fitted_as_mirt_fits_it(run_command, lsat7_file, tmp_path, mirt):
    out = tmp_path / "new" / "out"
    status, said, _err = run_command("--json", "calibrate", "fit", lsat7_file, "--out", out)
    facts = mirt["fits"]["lsat7_2pl"]
    summary = json.loads((out / "summary.json").read_text())
    assert status == 0
    assert {path.name for path in out.iterdir()} == FILES
    assert set(summary) >= SUMMARY
    assert json.loads(said) == summary
    assert summary["converged"] is True
    assert summary["log_likelihood"] == pytest.approx(-2658.8051, abs=1e-3)
    assert summary["aic"] == pytest.approx(facts["aic"], abs=1e-4)
    assert summary["bic"] == pytest.approx(facts["bic"], abs=1e-4)
    assert summary["reliability_marginal"] == pytest.approx(facts["marginal_reliability"], abs=1e-6)
    assert summary["reliability_empirical"] == pytest.approx(
        facts["empirical_reliability"], abs=1e-5
    )
    for row in table(out / "parameters.csv"):
        fact = facts["items"][row["item"]]
        assert row["model"] == "2pl"
        assert float(row["a"]) == pytest.approx(fact["par"]["a"], abs=2e-6)
        assert float(row["b"]) == pytest.approx(fact["par"]["b"], abs=2e-6)
        assert float(row["se_a"]) == pytest.approx(fact["se"]["a"], rel=1e-5)
        assert float(row["se_b"]) == pytest.approx(fact["se"]["b"], rel=1e-5)
        assert row["c"] == row["d"] == ""
    persons = table(out / "persons.csv")
    assert list(persons[0]) == ["person", "theta", "se", "n_items", "log_likelihood"]
    total = sum(float(row["log_likelihood"]) for row in persons)
    assert total == pytest.approx(summary["log_likelihood"])
    fit = table(out / "item_fit.csv")
    assert ",".join(fit[0]) == (
        "item,n,p_value,point_biserial,infit,outfit,rmsd,s_x2,s_x2_df,s_x2_p,notes"
    )
    assert float(fit[1]["s_x2"]) == pytest.approx(facts["item_fit"]["Item.2"]["s_x2"], abs=1e-3)


def test_a_3pl_has_its_default_prior_and_an_empty_d(run_command, lsat7_file, tmp_path, mirt):
    out = tmp_path / "out"
    run_command("calibrate", "fit", lsat7_file, "--model", "3pl", "--out", out)
    summary = json.loads((out / "summary.json").read_text())
    facts = mirt["fits"]["lsat7_3pl_normprior"]
    assert summary["settings"]["priors"] == ["c=normal-logit(-1.386294,0.5)"]
    assert summary["log_likelihood"] == pytest.approx(facts["log_likelihood"], abs=1e-5)
    for row in table(out / "parameters.csv"):
        assert float(row["c"]) == pytest.approx(facts["items"][row["item"]]["par"]["g"], abs=1e-5)
        assert row["d"] == ""


def test_scores_are_those_of_the_fit(run_command, lsat7_file, tmp_path):
    out, scores = tmp_path / "out", tmp_path / "scores.csv"
    run_command("calibrate", "fit", lsat7_file, "--out", out)
    status, said, _err = run_command(
        "--json", "calibrate", "score", lsat7_file, out / "parameters.csv", "--out", scores
    )
    assert status == 0
    assert json.loads(said)["n_persons"] == 1000
    own, fitted = table(scores), table(out / "persons.csv")
    assert list(own[0]) == ["person", "theta", "se", "n_items"]
    for one, other in zip(own, fitted, strict=True):
        assert float(one["theta"]) == pytest.approx(float(other["theta"]), abs=1e-5)


@pytest.mark.parametrize("estimator", ["map", "mle", "wle"])
def test_every_estimator_of_the_engine_scores(run_command, lsat7_file, tmp_path, estimator):
    out, scores = tmp_path / "out", tmp_path / "scores.csv"
    run_command("calibrate", "fit", lsat7_file, "--out", out)
    status, *_said = run_command(
        "calibrate", "score", lsat7_file, out / "parameters.csv",
        "--estimator", estimator, "--out", scores,
    )  # fmt: skip
    assert status == 0
    assert len(table(scores)) == 1000


def test_the_sum_score_estimator_knows_the_total_only(run_command, tmp_path):
    bank = tmp_path / "bank.csv"
    bank.write_text("item,model,a,b\ni1,2pl,0.6,0\ni2,2pl,1.5,0.4\ni3,2pl,1,-0.7\n")
    answers = tmp_path / "answers.csv"
    answers.write_text("person,i1,i2,i3\np1,1,0,0\np2,0,1,0\np3,0,1,1\np4,,,1\n")
    found = {}
    for estimator in ("eap", "eap-sum"):
        out = tmp_path / "scores.csv"
        run_command("calibrate", "score", answers, bank, "--estimator", estimator, "--out", out)
        found[estimator] = [float(row["theta"]) for row in table(out)]
    assert found["eap"][0] < found["eap"][1]
    assert found["eap-sum"][0] == found["eap-sum"][1] < found["eap-sum"][2]
    assert found["eap"][0] < found["eap-sum"][0] < found["eap"][1]
    assert found["eap-sum"][3] == pytest.approx(found["eap"][3], abs=1e-12)


def test_persons_without_responses_have_empty_cells(run_command, tmp_path):
    path = random_wide(tmp_path / "data.csv")
    path.write_text(path.read_text() + ",,,,,\n")
    out = tmp_path / "out"
    run_command("calibrate", "fit", path, "--out", out)
    last = table(out / "persons.csv")[-1]
    assert (last["theta"], last["se"], last["n_items"]) == ("", "", "0")
    assert json.loads((out / "summary.json").read_text())["n_persons"] == 300


def test_items_taken_out_stand_in_item_fit_with_the_reason(run_command, tmp_path):
    path = random_wide(tmp_path / "data.csv")
    lines = path.read_text().splitlines()
    lines = [lines[0] + ",easy"] + [line + ",1" for line in lines[1:]]
    path.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    status, _said, err = run_command("calibrate", "fit", path, "--out", out)
    assert status == 0
    assert "Items taken out: easy (dropped: every score is 1)" in err
    assert table(out / "item_fit.csv")[-1]["notes"] == "dropped: every score is 1"
    assert len(table(out / "parameters.csv")) == 6


def test_fixed_items_stay_as_they_are(run_command, tmp_path):
    path, out = random_wide(tmp_path / "data.csv"), tmp_path / "out"
    fix = tmp_path / "fix.csv"
    fix.write_text("item,model,a,b,content\ni0,2pl,1.1,-0.9,x\ni1,rasch,1,-0.5,y\n")
    status, *_said = run_command("calibrate", "fit", path, "--fix", fix, "--out", out)
    rows = table(out / "parameters.csv")
    assert status == 0
    assert (rows[0]["a"], rows[0]["b"], rows[0]["se_a"], rows[0]["content"]) == (
        "1.1", "-0.9", "", "x",
    )  # fmt: skip
    assert rows[1]["model"] == "rasch"
    summary = json.loads((out / "summary.json").read_text())
    assert summary["latent_mean"] != 0
    assert summary["n_parameters"] == 4 * 2 + 2


def test_a_model_file_gives_each_item_its_model(run_command, tmp_path):
    path, out = random_wide(tmp_path / "data.csv"), tmp_path / "out"
    models = tmp_path / "models.csv"
    models.write_text("item,model\ni0,3pl\ni1,rasch\n")
    run_command("calibrate", "fit", path, "--model-file", models, "--out", out)
    assert [row["model"] for row in table(out / "parameters.csv")][:3] == ["3pl", "rasch", "2pl"]


def test_groups_are_summarised(run_command, tmp_path):
    path, out = random_wide(tmp_path / "data.csv"), tmp_path / "out"
    lines = path.read_text().splitlines()
    lines = [lines[0] + ",sex"] + [f"{x},{'mf'[k % 2]}" for k, x in enumerate(lines[1:])]
    path.write_text("\n".join(lines) + "\n")
    status, *_said = run_command("calibrate", "fit", path, "--group", "sex", "--out", out)
    groups = json.loads((out / "summary.json").read_text())["groups"]
    assert status == 0
    assert list(groups) == ["f", "m"]
    assert (groups["f"]["latent_mean"], groups["f"]["latent_sd"]) == (0.0, 1.0)
    assert groups["m"]["n_persons"] == 150


def test_auto_takes_2pl_for_two_categories_and_gpcm_for_more(run_command, tmp_path, science):
    rng = np.random.default_rng(1)
    scores, _all = science.dense()
    path, out = tmp_path / "data.csv", tmp_path / "out"
    both = np.column_stack((scores, scores[:, 0] > rng.integers(0, 3, len(scores))))
    path.write_text("a,b,c,d,e\n" + "\n".join(",".join(map(str, row)) for row in both) + "\n")
    run_command("calibrate", "fit", path, "--model", "auto", "--out", out)
    assert [row["model"] for row in table(out / "parameters.csv")] == ["gpcm"] * 4 + ["2pl"]


def test_not_converged_is_status_1_with_everything_written(run_command, lsat7_file, tmp_path):
    out = tmp_path / "out"
    status, _said, err = run_command(
        "calibrate", "fit", lsat7_file, "--max-iterations", "2", "--out", out
    )
    assert status == 1
    assert "not converged after 2 iterations" in err
    assert json.loads((out / "summary.json").read_text())["converged"] is False
    assert {path.name for path in out.iterdir()} == FILES


def test_girth_fits_complete_data(run_command, lsat7_file, tmp_path, mirt):
    out = tmp_path / "out"
    status, *_said = run_command("calibrate", "fit", lsat7_file, "--backend", "girth", "--out", out)
    assert status == 0
    for row in table(out / "parameters.csv"):
        fact = mirt["fits"]["lsat7_2pl"]["items"][row["item"]]["par"]
        assert float(row["a"]) == pytest.approx(fact["a"], abs=0.01)
        assert row["se_a"] == ""
    assert "girth" in json.loads((out / "summary.json").read_text())["versions"]


def test_routed_data_have_blanks_where_they_are_not_admissible(run_command, tmp_path):
    path, out = random_wide(tmp_path / "data.csv", n=600, missing=0.4), tmp_path / "out"
    run_command("calibrate", "fit", path, "--routed", "--out", out)
    for row in table(out / "item_fit.csv"):
        assert row["point_biserial"] == row["s_x2"] == row["s_x2_p"] == ""
        assert "routed" in row["notes"]
        assert float(row["rmsd"]) < 0.1


def test_an_existing_folder_keeps_its_other_files(run_command, lsat7_file, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    status, *_said = run_command("calibrate", "fit", lsat7_file, "--out", out)
    assert status == 0
    assert {path.name for path in out.iterdir()} == FILES | {"mine.txt"}


def test_two_fits_of_the_same_data_are_the_same(run_command, lsat7_file, tmp_path):
    for name in ("one", "two"):
        run_command("calibrate", "fit", lsat7_file, "--out", tmp_path / name)
    for name in ("parameters.csv", "persons.csv", "item_fit.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_report_has_its_charts_inside_and_no_address(run_command, lsat7_file, tmp_path):
    out = tmp_path / "out"
    run_command("calibrate", "fit", lsat7_file, "--out", out)
    text = (out / "report.html").read_text()
    assert text.count("<svg") >= 4
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)
    for word in ("Item.3", "What to look at", "tarozu", "2pl"):
        assert word in text


BAD_DATA = [
    ("", "found an empty file"),
    ("i1,i2\n", "found none"),
    ("i1,i2\n1,0\n0,x\n", ":3: i2: expected an integer score"),
    ("i1,i2\n1,0\n0\n", ":3: expected 2 cells"),
    ("i1,i2\n1,0\n0,\0\n", ":3: expected text, found a NUL byte"),
    ("i1,i2\n1,2\n2,1\n1,1\n", "expected scores from 0 (or --recode)"),
    ("i1,i2\n0,0\n2,1\n2,1\n", "i1: expected scores from 0 to 1 (model 2pl)"),
    ("i1\n0\n1\n1\n", "expected at least 2 items that vary"),
    ("i1,i2\n0,1\n", "expected at least 2 items that vary"),
    ("i1,i2\n0,1\n0,1\n", "expected at least 2 items that vary"),
    ("person,i1,i2\np,1,0\np,0,1\n", ":3: person: expected one row per person"),
    ("person,item,score\na,x,1\na,x,0\n", ":3: item: expected one response per person and item"),
    ("person,item,score\na,x,1\n,y,0\n", ":3: person: expected a value in every row of person"),
    ("i1,i1\n1,0\n", ":1: i1: expected column names that differ"),
    ("i1,i2\n1,0\n\n0,1\n", ":3: expected 2 cells as in the header, found an empty line"),
    ("i1;i2\n1,5;0\n", ":2: i1: expected an integer score"),
    ("i1,i2\n1,-1\n", ":2: i2: expected an integer score"),
]


@pytest.mark.parametrize(("text", "message"), BAD_DATA)
def test_bad_data_end_as_one_line_with_nothing_written(run_command, tmp_path, text, message):
    path, out = tmp_path / "data.csv", tmp_path / "out"
    path.write_text(text)
    status, said, err = run_command("calibrate", "fit", path, "--out", out)
    assert status == 2
    assert said == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv"]


BAD_OPTIONS = [
    (["--model", "5pl"], "expected one of rasch"),
    (["--backend", "mirt"], "expected mml or girth"),
    (["--backend", "girth", "--model", "3pl"], "3pl"),
    (["--se", "bootstrap"], "expected oakes or none"),
    (["--prior", "c=beta(5,17)"], "expected one of a=lognormal(MEAN,SD)"),
    (["--prior", "a=lognormal(0,0)"], "standard deviation above 0"),
    (["--prior", "a=lognormal(0,x)"], "expected two numbers"),
    (["--quadrature", "2"], "expected 5 to 1001 points"),
    (["--tolerance", "0"], "expected a tolerance above 0"),
    (["--max-iterations", "0"], "expected at least 1 iteration"),
    (["--group", "sex"], "expected a column sex"),
    (["--fix", "none.csv"], "expected a readable file"),
    (["--model-file", "none.csv"], "expected a readable file"),
    (["--scheduler", "nowhere"], "expected the address of a Dask scheduler that answers"),
    (["--density", "kernel"], "expected normal or histogram"),
    (["--quadrature", "many"], "many"),
    (["--backend", "girth", "--density", "histogram"], "expected a normal density"),
    (["--backend", "girth", "--scheduler", "tcp://x:1"], "expected the backend mml"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_bad_options_end_as_one_line(run_command, lsat7_file, tmp_path, options, message):
    out = tmp_path / "out"
    status, said, err = run_command("calibrate", "fit", lsat7_file, "--out", out, *options)
    assert status == 2
    assert said == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not out.exists()


def test_girth_refuses_what_it_would_get_wrong(run_command, tmp_path):
    complete = random_wide(tmp_path / "complete.csv")
    missing = random_wide(tmp_path / "missing.csv", missing=0.3)
    for path, options, message in (
        (complete, ["--routed"], "expected data that no adaptive test routed"),
        (missing, [], "expected complete data"),
        (complete, ["--prior", "a=lognormal(0,0.5)"], "expected no priors"),
    ):
        status, _said, err = run_command(
            "calibrate", "fit", path, "--backend", "girth", "--out", tmp_path / "out", *options
        )
        assert status == 2
        assert message in err
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be_is_refused_before_the_work(
    run_command, lsat7_file, tmp_path
):
    out = tmp_path / "out"
    out.write_text("in the way")
    status, _said, err = run_command("calibrate", "fit", lsat7_file, "--out", out)
    assert status == 2
    assert "expected a folder" in err
    assert out.read_text() == "in the way"


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        ("item,model,a,b\nx,2pl,1,0\n", [], "expected items that have parameters"),
        ("item,model,a,b\ni1,2pl,-1,0\n", [], ":2: a: expected a discrimination above 0"),
        ("item,model,a,b\ni1,2pl,1,0\n", ["--estimator", "mean"], "expected one of eap"),
        ("item,model,a,b\ni1,2pl,1,0\n", ["--prior-sd", "0"], "standard deviation above 0"),
        ("item,model,a,b\ni1,2pl,1,0\n", [], "expected scores from 0 to 1, found a score of 2"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_line(
    run_command, tmp_path, parameters, options, message
):
    (tmp_path / "r.csv").write_text("i1,i2\n1,0\n2,1\n")
    (tmp_path / "p.csv").write_text(parameters)
    status, _said, err = run_command(
        "calibrate", "score", tmp_path / "r.csv", tmp_path / "p.csv",
        "--out", tmp_path / "out.csv", *options,
    )  # fmt: skip
    assert status == 2
    assert err.count("\n") == 1
    assert message in err
    assert not (tmp_path / "out.csv").exists()


def test_items_without_parameters_are_left_out_and_named(run_command, tmp_path):
    (tmp_path / "r.csv").write_text("i1,i2\n1,0\n0,1\n")
    (tmp_path / "p.csv").write_text("item,model,a,b\ni1,2pl,1,0\n")
    status, _said, err = run_command(
        "calibrate", "score", tmp_path / "r.csv", tmp_path / "p.csv", "--out", tmp_path / "o.csv"
    )
    assert status == 0
    assert "without parameters and left out: i2" in err
    assert [row["n_items"] for row in table(tmp_path / "o.csv")] == ["1", "1"]


def test_what_was_fitted_with_recode_is_scored_and_checked_with_it(run_command, tmp_path, lsat7):
    counted = lsat7.with_scores(lsat7.score + 1)
    file, folder = wide_file(counted, tmp_path / "from_one.csv"), tmp_path / "fit"
    assert (
        run_command("calibrate", "fit", file, "--recode", "--se", "none", "--out", folder)[0] == 0
    )
    given = (file, folder / "parameters.csv")
    for name, options in (("score", ()), ("fit-check", ("--parallel", 0))):
        command = ("calibrate", name, *given, *options, "--out", tmp_path / name)
        assert run_command(*command)[0] == 2
        assert run_command(*command, "--recode")[0] == 0
    first, again = (
        path.read_text().splitlines()[1].split(",")
        for path in (folder / "persons.csv", tmp_path / "score")
    )
    assert float(first[1]) == pytest.approx(float(again[1]), abs=1e-6)
