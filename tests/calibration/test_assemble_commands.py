"""`tarozu assemble forms` and `tarozu assemble panels`: options, files, answers of no, refusals."""

import csv
import json

import numpy as np
import pytest

from calibration.assembly.wanted import read_blueprint, read_stages, read_targets
from calibration.parameter_file import read_parameters, write_parameters
from engine.blueprints.constraints import broken, constraints_of
from engine.errors import InputError
from engine.items import item_parameters
from engine.models import dispatch

BLUEPRINT = """
[blueprint.content]
sums = { minimum = 3, maximum = 8 }
lines = { minimum = 3 }
"""
EXAM = """
code = "sim"
title = { en = "Simulated" }
bank = "small"
release = "latest"
languages = ["en"]
time_limit_minutes = 60
[estimation]
interim = "map"
final = "wle"
[stopping]
length = %d
[blueprint]
method = "shadow_test"
[blueprint.content]
sums = { minimum = 3, maximum = 8 }
[[levels]]
code = "below"
name = { en = "Below" }
minimum = 200
passed = false
[[levels]]
code = "pass"
name = { en = "Pass" }
minimum = 500
passed = true
"""
STAGES = ("--stage", "4=0", "--stage", "4=-1,0,1", "--stage", "4=-1,1")
QUICK = ("--width", "0", "--tolerance", "0.1")


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def items(n=160):
    rng = np.random.default_rng(4)
    return item_parameters(
        [f"q{row}" for row in range(n)],
        "2pl",
        a=rng.uniform(0.8, 1.8, n),
        b=rng.uniform(-2.5, 2.5, n),
        content=[("sums", "lines", "data")[row % 3] for row in range(n)],
    )


@pytest.fixture
def files(tmp_path):
    status = ["pretest" if row % 10 == 0 else "operational" for row in range(160)]
    write_parameters(tmp_path / "bank.csv", items(), labels={"status": status})
    (tmp_path / "plan.toml").write_text(BLUEPRINT, encoding="utf-8")
    (tmp_path / "exam.toml").write_text(EXAM % 12, encoding="utf-8")
    return tmp_path


@pytest.fixture
def assemble(run_command, files):
    def run(kind, *options, status=0, exam=False):
        source = ("--exam", files / "exam.toml") if exam else ("--blueprint", files / "plan.toml")
        given = ("--parameters", files / "bank.csv", *source, "--out", files / "out")
        found, out, err = run_command("assemble", kind, *given, *options)
        assert found == status, err
        return out if status == 0 else err

    return run


def test_panels_are_written_as_they_were_asked(assemble, files):
    out = assemble("panels", "--panels", "2", *STAGES, *QUICK, "--routing", "number_correct")
    assert "2 panels of 6 modules, 12 items to an examinee, at most 0 in common." in out
    bank, rows = read_parameters(files / "bank.csv"), table(files / "out" / "panels.csv")
    assert len(rows) == 2 * 6 * 4
    assert len({row["item"] for row in rows}) == len(rows)
    assert not any(int(row["item"][1:]) % 10 == 0 for row in rows)
    summary = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    bound = constraints_of(bank, read_blueprint(files / "plan.toml"), 12)
    for panel in ("1", "2"):
        for path in summary["paths"]:
            modules = path.split()
            given = [
                bank.row(row["item"])
                for module in modules
                for row in rows
                if (row["panel"], row["module"]) == (panel, module)
            ]
            assert broken(bound, np.array([given])) == [[]]
    assert summary["blueprint_violations"] == summary["most_shared"] == 0
    assert [one["module"] for one in summary["modules"]] == [
        "1-1",
        "2-1",
        "2-2",
        "2-3",
        "3-1",
        "3-2",
    ]
    for one in summary["modules"]:
        assert 0.9 * one["target"] <= one["minimum"] <= one["maximum"] <= 1.1 * one["target"]
    assert {row["taken"] for row in table(files / "out" / "routing.csv")} >= {"1-1", "1-1 2-2"}


def test_information_is_that_of_the_items(assemble, files):
    assemble("panels", *STAGES, *QUICK)
    bank = read_parameters(files / "bank.csv")
    own = [row for row in table(files / "out" / "panels.csv") if row["module"] == "2-3"]
    rows = [bank.row(row["item"]) for row in own]
    said = [row for row in table(files / "out" / "information.csv") if row["name"] == "2-3"]
    theta = np.array([float(row["theta"]) for row in said])
    expected = dispatch.information(theta, bank)[:, rows].sum(axis=1)
    np.testing.assert_allclose([float(row["information"]) for row in said], expected)


def test_simulated_panels_bring_the_files_of_a_simulation(assemble, files):
    assemble("panels", *STAGES, *QUICK, "--simulate", "300", "--theta", "uniform(-2,2)")
    folder = files / "out" / "simulation"
    paths, persons = table(folder / "paths.csv"), table(folder / "persons.csv")
    assert len(paths) == len(persons) == 300
    theta = np.array([float(row["true_theta"]) for row in persons])
    hard = np.array([row["stage_3"] == "3-2" for row in paths])
    assert hard[theta > 1].mean() > 0.8
    assert hard[theta < -1].mean() < 0.2
    assert len(table(folder / "trajectory.csv")) == 300 * 12
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    outer = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    assert outer["simulation"]["rmse"] == summary["rmse"] < 0.8
    assert summary["blueprint_violations"] == 0
    assert "Simulated multistage test" in (folder / "report.html").read_text(encoding="utf-8")


def test_an_exam_brings_blueprint_estimators_and_levels(assemble, files):
    assemble("panels", *STAGES, *QUICK, "--simulate", "50", exam=True)
    summary = json.loads((files / "out/simulation/summary.json").read_text(encoding="utf-8"))
    assert summary["settings"]["estimation"]["interim"] == "map"
    assert summary["settings"]["estimation"]["final"] == "wle"
    assert summary["decisions"] is not None
    error = assemble("panels", *STAGES[:4], status=2, exam=True)
    assert error == "error: --stage: expected stages that add up to the exam's 12 items, found 8\n"
    error = assemble("panels", *STAGES, "--final", "eap", "--simulate", "9", status=2, exam=True)
    assert "--final: expected no rules beside --exam" in error


def test_forms_are_parallel_and_the_same_for_the_same_seed(assemble, files):
    options = ("--forms", "3", "--length", "12", "--most-shared", "2", "--seed", "5")
    assemble("forms", *options)
    first = (files / "out" / "forms.csv").read_text(encoding="utf-8")
    assemble("forms", *options)
    assert first == (files / "out" / "forms.csv").read_text(encoding="utf-8")
    summary = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["n_forms"] == 3
    assert summary["most_shared"] <= 2
    assert summary["blueprint_violations"] == 0
    for point in summary["information"]:
        assert point["lower"] - 1e-6 <= point["minimum"]
        assert point["maximum"] <= point["upper"] + 1e-6
    rows = table(files / "out" / "forms.csv")
    assert [row["position"] for row in rows] == [str(k) for k in range(1, 13)] * 3
    assert len(table(files / "out" / "information.csv")) == 3 * 33


def test_forms_meet_targets_of_ones_own_and_take_the_exams_length(assemble, files):
    options = ("--points", "-0.5,0.5", "--target", "3.5,3.2", "--tolerance", "0.05")
    assemble("forms", *options, exam=True)
    summary = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["length"] == 12
    for point, target in zip(summary["information"], (3.5, 3.2), strict=True):
        assert 0.95 * target - 1e-6 <= point["minimum"] <= point["maximum"] <= 1.05 * target + 1e-6


def test_an_exam_file_alone_takes_the_items_of_its_release(run_command, files, small_bank):
    short = (EXAM % 4).replace("sums = { minimum = 3, maximum = 8 }", "small = { maximum = 3 }")
    (files / "exam.toml").write_text(short, encoding="utf-8")
    given = ("--exam", files / "exam.toml", "--out", files / "out", "--tolerance", "0.9")
    status, _, err = run_command("assemble", "forms", *given)
    assert status == 0, err
    summary = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["source"]["bank"], summary["source"]["release"]) == ("small", 1)
    assert (summary["length"], summary["blueprint_violations"]) == (4, 0)


def test_reports_draw_what_was_made(assemble, files):
    assemble("panels", "--panels", "2", *STAGES, *QUICK, "--routing", "theta_cuts")
    report = (files / "out" / "report.html").read_text(encoding="utf-8")
    assert report.count("<svg") == 1 + 3 + 1
    assert "Assembled panels" in report
    assert "Routing" in report
    assert "content sums" in report
    assemble("forms", "--length", "10", "--forms", "25", "--most-shared", "10")
    report = (files / "out" / "report.html").read_text(encoding="utf-8")
    assert "pairs of forms" in report


def test_what_cannot_be_had_is_status_1_and_writes_nothing(assemble, files):
    error = assemble("panels", "--panels", "9", *STAGES, *QUICK, status=1)
    assert error.startswith("no 9 panels: module")
    error = assemble("forms", "--length", "12", "--target", "90,90,90", status=1)
    assert "no form 1 of 2" in error
    error = assemble("panels", *STAGES, *QUICK, "--target", "2-3=50", status=1)
    assert "module 2-3: information 50 at theta 1" in error
    assert not (files / "out").exists()


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("panels", (), "--stage: expected a stage for each --stage"),
        ("panels", ("--stage", "8"), "--stage: expected LENGTH=THETA"),
        ("panels", ("--stage", "8=a"), "--stage: expected LENGTH=THETA"),
        ("panels", ("--stage", "8=-1,1"), "--stage: expected a first stage of one module"),
        ("panels", ("--stage", "8=0", "--stage", "8=1,0"), "--stage: expected modules from easy"),
        ("panels", (*STAGES, "--routes", "any"), "--routes: expected one of adjacent, all"),
        ("panels", (*STAGES, "--routing", "lot"), "--routing: expected one of maximum_information"),
        ("panels", (*STAGES, "--panels", "0"), "--panels: expected at least 1"),
        ("panels", (*STAGES, "--tolerance", "2"), "--tolerance: expected a share"),
        ("panels", (*STAGES, "--width", "-1"), "--width: expected a distance"),
        ("panels", (*STAGES, "--target", "4-1=3"), "--target: expected MODULE=INFORMATION"),
        ("panels", (*STAGES, "--target", "2-1=3"), "--target: expected information above 0 at 3"),
        ("panels", (*STAGES, "--theta", "normal(0,1)"), "--theta: expected --simulate N"),
        ("panels", (*STAGES, *QUICK, "--simulate", "0"), "--simulate: expected at least 1"),
        ("panels", (*STAGES, "--simulate", "9", "--estimate", "x"), "--estimate: expected one of"),
        ("forms", (), "--length: expected --length N, or an exam"),
        ("forms", ("--length", "0"), "--length: expected at least 1"),
        ("forms", ("--length", "9", "--forms", "0"), "--forms: expected at least 1"),
        ("forms", ("--length", "9", "--points", "a"), "--points: expected numbers"),
        ("forms", ("--length", "9", "--target", "3"), "--target: expected information above 0"),
        ("forms", ("--length", "9", "--of-most", "2"), "--of-most: expected a share"),
    ],
)
def test_what_makes_no_sense_is_status_2_and_names_the_option(
    assemble, files, kind, options, error
):
    assert error in assemble(kind, *options, status=2)
    assert not (files / "out").exists()


def test_a_bank_is_needed_and_one_blueprint(run_command, files):
    status, _, err = run_command("assemble", "forms", "--out", files / "out", "--length", "5")
    assert (status, err) == (
        2,
        "error: expected --parameters FILE or --exam EXAM.toml, found neither\n",
    )
    both = ("--exam", files / "exam.toml", "--blueprint", files / "plan.toml")
    status, _, err = run_command("assemble", "forms", "--out", files / "out", *both)
    assert status == 2
    assert "--blueprint: expected no blueprint beside --exam" in err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a = ", "a TOML file"),
        ("[blueprint]\n[stopping]\nlength = 3", r"\[blueprint\] alone, found \[stopping\]"),
        ("", "alone, found none"),
        ("[blueprint]\nmethod = 'x'", "blueprint.method: expected one of"),
    ],
)
def test_a_blueprint_file_is_read_strictly(tmp_path, text, error):
    file = tmp_path / "plan.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=error) as refused:
        read_blueprint(file)
    assert refused.value.file == file


def test_a_blueprint_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="a readable file"):
        read_blueprint(tmp_path / "none.toml")


def test_stages_and_targets_are_read_by_module():
    plan = read_stages(("5=-1/1", "4=-1,1"), "all", 0.5)
    assert [module.points for module in plan.modules] == [
        (-1.0, 1.0),
        (-1.5, -1.0, -0.5),
        (0.5, 1.0, 1.5),
    ]
    assert read_targets(("2-2=3/4/5",), plan) == {2: (3.0, 4.0, 5.0)}
