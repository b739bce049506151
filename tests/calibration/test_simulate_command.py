"""`tarozu simulate` as written in its contract: options, files, columns, exit statuses."""

import csv
import json
import tomllib

import numpy as np
import pytest
from support.reference_banks import FOLDER, every_model_bank, reference

from calibration.matrix import from_dense
from calibration.parameter_file import write_parameters
from calibration.simulations.examinees import drawn_examinees, recorded_examinees
from engine.errors import InputError
from engine.items import item_parameters
from engine.rules.designs import design_from_mapping, design_to_mapping

BANK = FOLDER / "catr_bank_3pl.csv"
RESPONSES = FOLDER / "catr_responses_3pl.csv"
EXAM = """
code = "sim"
title = { en = "Simulated" }
bank = "small"
release = "latest"
languages = ["en"]
time_limit_minutes = 60

[selection]
criterion = "max_information"
randomesque = 3
start_theta = 0.5
[selection.content]
%s

[estimation]
interim = "map"
final = "eap"
grid = [-4, 4, 33]

[stopping]
length = %d

[[levels]]
code = "pass"
name = { en = "Pass" }
minimum = 200
passed = true
"""


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def simulate(run_command, tmp_path):
    def run(*options, status=0):
        arguments = ("simulate", "--out", tmp_path / "out", *options)
        found, out, err = run_command(*arguments)
        assert found == status, err
        return out, err

    run.folder = tmp_path / "out"
    return run


def test_catrs_trajectories_come_out_item_by_item(simulate):
    simulate(
        "--parameters", BANK, "--responses", RESPONSES, "--grid", "-4,4,33", "--stop", "length=30"
    )
    rows = table(simulate.folder / "trajectory.csv")
    assert list(rows[0]) == ["person", "position", "item", "score", "theta", "se"]
    for run in reference("catr_trajectories.json")["runs"]["3pl_mfi_eap"]:
        found = [row for row in rows if row["person"] == str(run["examinee"])]
        assert [int(row["position"]) for row in found] == list(range(1, 31))
        assert [row["item"] for row in found] == [f"i{number:03}" for number in run["items"]]
        assert [int(row["score"]) for row in found] == run["responses"]
        assert [float(row["theta"]) for row in found] == pytest.approx(run["theta"], abs=1e-8)
        assert [float(row["se"]) for row in found] == pytest.approx(run["se"], abs=1e-8)


@pytest.mark.parametrize(
    "options",
    [
        "--select mepv --grid -5,5,51",
        "--select interval_information --information-interval 1.5",
        "--select a_stratified --a-strata 3 --block-by-difficulty",
        "--select urry --estimate map",
    ],
)
def test_criteria_and_their_options_reach_the_simulator(simulate, options):
    simulate("--parameters", BANK, "--n", 40, "--stop", "length=6", "--seed", 3, *options.split())
    given = [row["item"] for row in table(simulate.folder / "trajectory.csv")]
    simulate("--parameters", BANK, "--n", 40, "--stop", "length=6", "--seed", 3)
    assert [row["item"] for row in table(simulate.folder / "trajectory.csv")] != given


def test_a_bank_with_nominal_items_can_be_simulated(simulate, tmp_path):
    write_parameters(tmp_path / "all.csv", every_model_bank())
    simulate("--parameters", tmp_path / "all.csv", "--n", 50, "--stop", "length=160")
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["mean_length"] == 160.0
    assert summary["rmse"] == pytest.approx(summary["mean_se"], rel=0.4)


def test_a_criterion_that_a_bank_cannot_have_names_the_item(simulate, tmp_path):
    write_parameters(tmp_path / "all.csv", every_model_bank())
    options = ("--parameters", tmp_path / "all.csv", "--stop", "length=5", "--select", "urry")
    _, err = simulate(*options, status=2)
    assert "--select: expected items for which urry is defined, found item m060 of model grm" in err


def test_all_files_are_written_and_agree_with_each_other(simulate):
    out, _ = simulate("--parameters", BANK, "--n", 120, "--stop", "length=12", "--seed", 5)
    persons = table(simulate.folder / "persons.csv")
    items = table(simulate.folder / "items.csv")
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert list(persons[0]) == ["person", "true_theta", "theta", "se", "n_items", "stop_reason"]
    assert list(items[0]) == ["item", "exposure_rate"]
    wanted = [
        "n",
        "mean_length",
        "bias",
        "rmse",
        "mean_se",
        "coverage_95",
        "max_exposure",
        "overlap",
        "blueprint_violations",
        "seconds",
        "examinees_per_second",
    ]
    assert list(summary)[: len(wanted)] == wanted
    assert (summary["n"], summary["mean_length"]) == (120, 12.0)
    error = [float(row["theta"]) - float(row["true_theta"]) for row in persons]
    assert summary["bias"] == pytest.approx(np.mean(error))
    assert summary["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(error))))
    rates = [float(row["exposure_rate"]) for row in items]
    assert sum(rates) == pytest.approx(12.0)
    assert summary["max_exposure"] == max(rates)
    last = [row for row in table(simulate.folder / "trajectory.csv") if row["position"] == "12"]
    assert [row["theta"] for row in last] == [row["theta"] for row in persons]
    assert "120 examinees, 12.0 items on average" in out


def test_the_report_stands_alone(simulate):
    simulate("--parameters", BANK, "--n", 60, "--stop", "length=10")
    text = (simulate.folder / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<svg") >= 5
    for outside in ("<script", "<link", "src=", "@import", "url("):
        assert outside not in text
    assert text.index("RMSE") < text.index("<figure") < text.index("<table")
    assert text.index("Settings") > text.rindex("<figure")


def test_the_bank_is_held_against_the_exam(simulate):
    content = ("--content", "A=0.5", "--content", "B=0.25", "--content", "C=0.25")
    aims = ("--target-se", 0.3, "--exposure", "eligibility", "--max-exposure", 0.1)
    simulate("--parameters", BANK, "--n", 60, "--stop", "length=20", *content, *aims)
    bank = json.loads((simulate.folder / "summary.json").read_text())["bank"]
    assert (bank["test_length"], bank["se_target"], bank["max_exposure_target"]) == (20, 0.3, 0.1)
    assert bank["information"]["needed"] == pytest.approx(1 / 0.09 - 1)
    assert list(bank["information_by_area"]) == ["A", "B", "C"]
    assert [size["needed"] for size in bank["sizes"]] == [200, 100, 50, 50]
    for best, se in zip(bank["information"]["best"], bank["information"]["best_se"], strict=True):
        assert (best < bank["information"]["needed"]) == (se > 0.3)
    never = set(bank["never_used"])
    rows = table(simulate.folder / "items.csv")
    assert never == {row["item"] for row in rows if float(row["exposure_rate"]) == 0}
    text = (simulate.folder / "report.html").read_text(encoding="utf-8")
    assert text.count('class="attention"') >= len(bank["missing"]) > 0
    for heading in ("By ability", "What tests consist of", "The bank"):
        assert f"<h2>{heading}</h2>" in text


def test_what_one_language_lacks_is_named(simulate, tmp_path):
    header, *rows = BANK.read_text().splitlines()
    b = header.split(",").index("b")

    def harder(row):
        cells = row.split(",")
        return ",".join([*cells[:b], str(float(cells[b]) + 4.0), *cells[b + 1 :]])

    both = [f"{row},en" for row in rows] + [f"{harder(row)},tg" for row in rows]
    (tmp_path / "bank.csv").write_text("\n".join([f"{header},language", *both]) + "\n")
    options = ("--language", "en", "--n", 50, "--stop", "length=20", "--target-se", 0.4)
    simulate("--parameters", tmp_path / "bank.csv", *options)
    bank = json.loads((simulate.folder / "summary.json").read_text())["bank"]
    assert list(bank["information_by_language"]) == ["en", "tg"]
    low = bank["information"]["theta"].index(-1.0)
    english, tajik = (of["best"][low] for of in bank["information_by_language"].values())
    assert english > bank["information"]["needed"] > tajik
    assert any(text.startswith("Language tg: ") for text in bank["missing"])
    assert "in each language" in (simulate.folder / "report.html").read_text()


def test_without_an_aim_nothing_is_held_against_the_bank(simulate):
    simulate("--parameters", BANK, "--n", 20, "--stop", "length=5")
    bank = json.loads((simulate.folder / "summary.json").read_text())["bank"]
    assert (bank["missing"], bank["information"]["needed"]) == ([], None)
    assert "--target-se names one" in (simulate.folder / "report.html").read_text(encoding="utf-8")


def test_the_same_seed_writes_the_same_tables(simulate):
    options = ("--parameters", BANK, "--n", 40, "--stop", "se=0.4", "--randomesque", 4)
    simulate(*options, "--seed", 3)
    first = (simulate.folder / "trajectory.csv").read_bytes()
    simulate(*options, "--seed", 3)
    assert (simulate.folder / "trajectory.csv").read_bytes() == first
    simulate(*options, "--seed", 4)
    assert (simulate.folder / "trajectory.csv").read_bytes() != first


def test_json_goes_to_stdout(run_command, tmp_path):
    arguments = ("--json", "simulate", "--parameters", BANK, "--n", 20, "--stop", "length=5")
    status, out, _ = run_command(*arguments, "--out", tmp_path / "out")
    assert status == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "summary.json").read_text())


def test_recorded_answers_are_compared_with_all_of_them(simulate):
    simulate("--parameters", BANK, "--responses", RESPONSES, "--stop", "length=30")
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["n"] == 50
    assert summary["coverage_95"] is None
    assert 0 < summary["rmse"] < 0.5
    assert summary["source"]["compared_with"] == "the estimate from all recorded answers"
    assert {row["true_theta"] for row in table(simulate.folder / "persons.csv")} == {""}


def test_content_shares_are_kept(simulate):
    content = ("--content", "A=0.5", "--content", "B=0.25", "--content", "C=0.25")
    simulate("--parameters", BANK, "--n", 30, "--stop", "length=12", *content)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["blueprint_violations"] == 0
    assert summary["settings"]["selection"]["content"] == {"A": 0.5, "B": 0.25, "C": 0.25}


@pytest.mark.parametrize("estimator", ["map", "mle", "wle"])
def test_every_estimator_runs(simulate, estimator):
    options = ("--n", 20, "--estimate", estimator, "--theta", "grid(-2,2,5)")
    simulate("--parameters", BANK, "--stop", "length=8", *options)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert [band["theta"] for band in summary["by_theta"]] == [-2, -1, 0, 1, 2]


def test_precision_rules_stop_at_different_lengths(simulate):
    options = ("--stop", "se=0.45", "--stop", "length=40", "--min-items", 5)
    simulate("--parameters", BANK, "--n", 80, "--theta", "uniform(-3,3)", *options)
    persons = table(simulate.folder / "persons.csv")
    assert {row["stop_reason"] for row in persons} <= {"se", "length"}
    assert len({row["n_items"] for row in persons}) > 3
    assert min(int(row["n_items"]) for row in persons) >= 5


def test_an_exam_file_brings_its_rules_to_given_parameters(simulate, tmp_path):
    exam = tmp_path / "exam.toml"
    exam.write_text(EXAM % ("A = 0.5\nB = 0.5", 8))
    simulate("--exam", exam, "--parameters", BANK, "--n", 20)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["mean_length"] == 8
    assert summary["settings"]["estimation"]["interim"] == "map"
    assert summary["source"]["exam"] == "sim"


def test_an_exam_file_alone_takes_the_items_of_its_release(simulate, tmp_path, small_bank):
    exam = tmp_path / "exam.toml"
    exam.write_text(EXAM % ("small = 0.5\nlarge = 0.5", 6))
    simulate("--exam", exam, "--n", 20)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert (summary["source"]["bank"], summary["source"]["release"]) == ("small", 1)
    assert len(table(simulate.folder / "items.csv")) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--select foo", "--select: expected one of max_information, interval_information, urry"),
        ("--select a_stratified", "--stop length: expected length or max_items, by which"),
        ("--a-strata 1", "--a-strata: expected at least 2 strata"),
        ("--information-interval 0", "--information-interval: expected a number above 0"),
        ("--select mpwi --grid -4,4,4", "--grid: expected grid points at most the prior's"),
        ("--estimate ml", "--estimate: expected one of eap, map, mle, wle, found 'ml'"),
        ("--exposure lottery", "--exposure: expected one of none, progressive, restricted"),
        ("--exposure sympson-hetter", "--max-exposure: expected a rate for --exposure sympson"),
        ("--exposure restricted --max-exposure 2", "--max-exposure: expected a rate above 0"),
        (
            "--exposure sympson-hetter --max-exposure 0.01 --stop length=15",
            "--max-exposure: expected a rate above 0.05, test length over bank size",
        ),
        ("--exposure progressive --stop se=0.3", "--stop length: expected length or max_items"),
        ("--exposure none --acceleration 2", "--acceleration: expected no acceleration"),
        ("--exposure-strata 0", "--exposure-strata: expected no strata"),
        (
            "--exposure eligibility --max-exposure 0.2 --exposure-strata 1,0",
            "--exposure-strata: expected ascending cuts of theta",
        ),
        ("--start-range 1,0", "--start-range: expected [low, high]"),
        ("--stop sprt=0.3", "--cut: expected a cut for --stop sprt"),
        ("--stop sprt=0.3 --stop glr=0.3 --cut 0", "--stop: expected one of confidence, sprt"),
        ("--stop sprt=-1 --cut 0", "--stop: expected a number above 0"),
        ("--stop sprt=1 --cut 0 --error-rates 0.6,0.1", "--error-rates: expected an error rate"),
        ("--stop confidence=0.9 --cut 0 --error-rates 0.1,0.1", "--error-rates: expected no error"),
        ("--pretest 2", "--pretest-positions: expected positions for --pretest"),
        ("--pretest 2 --pretest-positions x", "--pretest-positions: expected positions such as"),
        ("--pretest 2 --pretest-positions 3", "--pretest-positions: expected 2 positions"),
        ("--pretest-positions 3", "--pretest-positions: expected no positions without"),
        ("--max-exposure 0.2", "--max-exposure: expected no limit"),
        ("--stop length=2.5", "--stop: expected length=N, a whole number"),
        ("--stop se=small", "--stop: expected se=X, a number"),
        ("--stop time=3", "--stop: expected one of length, se, information, best-information"),
        ("--stop se=0.3 --stop se=0.2", "--stop: expected each stopping rule once"),
        ("--stop se=-1", "--stop se: expected a number above 0, found -1.0"),
        ("--stop length=301", "--stop length: expected a bank with at least 301 items"),
        ("--grid 1,2", "--grid: expected LOW,HIGH,N"),
        ("--grid 4,-4,33", "--grid: expected a grid from low to high"),
        ("--theta normal(0,-1)", "--theta: expected a standard deviation above 0"),
        ("--theta beta(1,1)", "--theta: expected normal(MEAN,SD)"),
        ("--theta grid(0,1,2.5)", "--theta: expected a whole number of points"),
        ("--n 0", "--n: expected at least 1 examinee"),
        ("--randomesque 0", "--randomesque: expected a whole number from 1"),
        ("--content A=0.5", "--content: expected shares that add up to 1"),
        ("--content Z=1", "--content: expected one of the bank's content areas (A, B, C)"),
        ("--content A", "--content: expected AREA=SHARE"),
        ("--target-se 0", "--target-se: expected a standard error above 0, found 0"),
        ("--scheduler here", "--scheduler: expected the address of a Dask scheduler"),
        (f"--responses {RESPONSES} --n 5", "--n: expected no drawn examinees beside --responses"),
        ("--exam x.toml --stop se=0.3", "--stop: expected no rules beside --exam"),
        ("--exam nowhere.toml", "nowhere.toml: expected a readable file"),
        ("--responses nowhere.csv", "nowhere.csv: expected a readable file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(simulate, options, message):
    _, err = simulate("--parameters", BANK, *options.split(), status=2)
    assert err.splitlines()[-1].startswith(f"error: {message}")
    assert not simulate.folder.exists()
    assert list(simulate.folder.parent.glob(".out*")) == []


EXPOSURES = {
    "restricted": ("--exposure", "restricted", "--max-exposure", 0.3),
    "progressive": ("--exposure", "progressive"),
    "progressive with a ceiling": ("--exposure", "progressive", "--max-exposure", 0.3),
    "proportional": ("--exposure", "proportional", "--acceleration", 2),
    "eligibility": ("--exposure", "eligibility", "--max-exposure", 0.3),
    "eligibility by strata": (
        "--exposure", "eligibility", "--max-exposure", 0.3, "--exposure-strata", "-0.5,0.5",
    ),
    "sympson-hetter": ("--exposure", "sympson-hetter", "--max-exposure", 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPOSURES)
def test_exposure_control_lowers_the_highest_rate(simulate, name):
    simulate("--parameters", BANK, "--n", 500, "--stop", "length=12", *EXPOSURES[name])
    summary = json.loads((simulate.folder / "summary.json").read_text())
    limit = 0.3 + 5 * np.sqrt(0.3 * 0.7 / 500) if "--max-exposure" in EXPOSURES[name] else 0.95
    assert summary["max_exposure"] < limit
    assert summary["limits_yielded"] == {}


def test_sympson_hetter_leaves_its_parameters_for_an_exam_file(simulate, tmp_path):
    options = ("--exposure", "sympson-hetter", "--max-exposure", 0.3, "--exposure-strata", "0")
    simulate("--parameters", BANK, "--n", 100, "--stop", "length=12", *options)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["source"]["sympson_hetter"]["converged"]
    table = tomllib.loads((simulate.folder / "exposure.toml").read_text(encoding="utf-8"))
    assert table["exposure"]["strata"] == [0.0]
    design = design_from_mapping({**table, "stopping": {"length": 12}})
    frozen = dict(design.exposure.k)
    assert frozen.keys() == summary["settings"]["exposure"]["k"].keys()


def test_prices_are_left_for_an_exam_file(simulate):
    options = ("--exposure", "priced", "--max-exposure", 0.3)
    simulate("--parameters", BANK, "--n", 100, "--stop", "length=8", *options)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    assert summary["source"]["priced"]["rounds"] >= 30
    table = tomllib.loads((simulate.folder / "exposure.toml").read_text(encoding="utf-8"))
    design = design_from_mapping({**table, "stopping": {"length": 8}})
    assert dict(design.exposure.prices).keys() == summary["settings"]["exposure"]["prices"].keys()
    assert design_from_mapping(design_to_mapping(design)) == design


def test_a_cut_brings_decisions_into_the_summary_and_the_report(simulate):
    options = ("--stop", "sprt=0.4", "--cut", 0.2, "--max-items", 30, "--error-rates", "0.1,0.1")
    simulate("--parameters", BANK, "--n", 300, *options)
    summary = json.loads((simulate.folder / "summary.json").read_text())
    decisions = summary["decisions"]
    assert decisions["cuts"] == [0.2]
    assert 0.8 < decisions["simulated"]["accuracy"] < 1
    assert 0.7 < decisions["simulated"]["consistency"] < decisions["simulated"]["accuracy"]
    assert set(summary["stop_reasons"]) == {"sprt", "max_items"}
    assert "Decisions" in (simulate.folder / "report.html").read_text()


def test_items_with_the_status_pretest_are_tried_out_and_never_scored(simulate, tmp_path):
    rows = BANK.read_text().splitlines()
    marked = [f"{row},{'pretest' if k % 10 == 0 else 'operational'}" for k, row in enumerate(rows)]
    bank = tmp_path / "bank.csv"
    bank.write_text("\n".join([f"{rows[0]},status", *marked[1:]]) + "\n")
    places = ("--pretest", 2, "--pretest-positions", "2-10")
    simulate("--parameters", bank, "--n", 50, "--stop", "length=10", *places)
    given = table(simulate.folder / "trajectory.csv")
    assert list(given[0])[-1] == "scored"
    tried = {row["item"] for row in given if row["scored"] == "0"}
    assert tried <= {rows[k].split(",")[0] for k in range(10, 301, 10)}
    assert tried.isdisjoint({row["item"] for row in given if row["scored"] == "1"})
    assert {row["n_items"] for row in table(simulate.folder / "persons.csv")} == {"12"}
    simulate("--parameters", bank, "--n", 20, "--stop", "length=10")
    assert "scored" not in table(simulate.folder / "trajectory.csv")[0]


def test_bands_of_theta_say_error_exposure_and_overlap(simulate):
    simulate("--parameters", BANK, "--n", 60, "--theta", "grid(-1,1,3)", "--stop", "length=8")
    summary = json.loads((simulate.folder / "summary.json").read_text())
    for band in summary["by_theta"]:
        for name in ("bias", "rmse", "sem_simulated", "sem_information", "max_exposure", "overlap"):
            assert isinstance(band[name], float)


def test_without_a_bank_there_is_nothing_to_simulate(simulate):
    _, err = simulate(status=2)
    assert "--parameters FILE or --exam EXAM.toml, found neither" in err


def test_a_score_beyond_the_items_categories_names_file_and_item(simulate, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("person,i001,i002\np,1,2\n")
    _, err = simulate("--parameters", BANK, "--responses", wrong, "--stop", "length=2", status=2)
    assert "wrong.csv: item i002: expected a score from 0 to 1, found 2" in err


def test_answers_to_unknown_items_are_left_out_and_named(simulate, tmp_path):
    some = tmp_path / "some.csv"
    some.write_text("person,i001,i002,x9\np,1,0,1\nq,0,1,1\n")
    _, err = simulate("--parameters", BANK, "--responses", some, "--stop", "length=2")
    assert "1 items without parameters were left out: x9" in err
    assert "were left out: x9" in (simulate.folder / "report.html").read_text()


def test_responses_without_any_known_item_are_refused():
    items = item_parameters(["a"], "2pl", a=1.0, b=0.0)
    with pytest.raises(InputError, match="responses to items of the bank"):
        recorded_examinees(from_dense([[1]], item=["z"]), items)


def test_recorded_answers_follow_the_rows_of_the_bank():
    items = item_parameters(["a", "b", "c"], "2pl", a=1.0, b=[0.0, 1.0, 2.0])
    matrix = from_dense([[1, 0], [0, 1]], [[1, 1], [1, 0]], item=["c", "a"])
    found = recorded_examinees(matrix, items)
    assert found.scores.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert found.observed.tolist() == [[True, False, True], [False, False, True]]


def test_drawn_thetas_have_their_distribution():
    normal = drawn_examinees("normal(1, 2)", 20_000, 3).theta
    assert (normal.mean(), normal.std()) == (pytest.approx(1, abs=0.05), pytest.approx(2, abs=0.05))
    uniform = drawn_examinees("uniform(-3,3)", 20_000, 3).theta
    assert (uniform.min(), uniform.max()) == (
        pytest.approx(-3, abs=0.01),
        pytest.approx(3, abs=0.01),
    )
    grid = drawn_examinees("grid(-1,1,3)", 7, 3).theta
    assert grid.tolist() == [-1, 0, 1, -1, 0, 1, -1]
