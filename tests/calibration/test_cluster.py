"""Simulations on Dask workers: the record of one machine, whatever happens to the workers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import distributed
import numpy as np
import pytest
from support.reference_banks import FOLDER

from calibration.parameter_file import read_parameters
from calibration.simulations import cluster
from calibration.simulations.cluster import simulate_on_cluster
from calibration.simulations.examinees import Examinees, drawn_examinees
from engine.errors import InputError
from engine.rules.designs import ExamDesign
from engine.rules.pretest import PretestRules
from engine.rules.stopping import StoppingRules
from engine.simulation.run import Surroundings, simulate

ROOT = Path(__file__).parents[2]
BANK = FOLDER / "catr_bank_3pl.csv"
RECORD = ("rows", "scores", "theta", "se", "length", "stop_code", "final_theta", "final_se")
DESIGN = ExamDesign(stop=StoppingRules(length=20), randomesque=3)

# Workers are told to go while they are still busy with what Dask itself does.
pytestmark = pytest.mark.filterwarnings("ignore:Creating scratch directories:UserWarning")


@contextlib.contextmanager
def workers(n):
    options = {"n_workers": n, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, silence_logs="CRITICAL") as local:
        yield local


@pytest.fixture(scope="module")
def two_workers():
    with workers(2) as local:
        yield local


@pytest.fixture(scope="module")
def bank():
    return read_parameters(BANK)


def on_cluster(local, bank, design, examinees, pretest=None, advance=lambda _n: None):
    tried = np.zeros(len(bank), dtype=bool) if pretest is None else pretest
    address = getattr(local, "scheduler_address", local)
    return simulate_on_cluster(
        address, bank, design, examinees, seed=7, pretest=tried, advance=advance
    )


def same(one, other):
    for name in RECORD:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.usage.sittings == other.usage.sittings
    np.testing.assert_array_equal(one.usage.given, other.usage.given)


def test_the_record_is_that_of_one_machine(two_workers, bank):
    people, done = drawn_examinees("normal(0,1)", 5000, 7), []
    found = on_cluster(two_workers, bank, DESIGN, people, advance=done.append)
    same(simulate(bank, DESIGN, theta=people.theta, seed=7), found)
    assert sum(done) == 5000
    assert len(done) > 2
    assert found.items is bank


def test_one_worker_finds_what_two_do(two_workers, bank):
    people = drawn_examinees("normal(0,1)", 3000, 7)
    design = ExamDesign(stop=StoppingRules(se=0.4, max_items=20), interim="map")
    with workers(1) as alone:
        same(on_cluster(alone, bank, design, people), on_cluster(two_workers, bank, design, people))


def test_recorded_answers_go_to_the_workers_that_need_them(two_workers, bank):
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 2, (3000, len(bank)))
    observed = rng.random(scores.shape) < 0.5
    people = Examinees(tuple(map(str, range(3000))), scores=scores, observed=observed)
    found = on_cluster(two_workers, bank, DESIGN, people)
    same(simulate(bank, DESIGN, scores=scores, observed=observed, seed=7), found)


def test_examinees_who_see_each_other_stay_together(two_workers, bank):
    from engine.exposure.rules import ExposureRules

    design = ExamDesign(
        stop=StoppingRules(length=10), exposure=ExposureRules("eligibility", max_rate=0.25)
    )
    people = drawn_examinees("normal(0,1)", 600, 7)
    around = Surroundings(pretest=np.zeros(len(bank), dtype=bool))
    found = on_cluster(two_workers, bank, design, people)
    same(simulate(bank, design, theta=people.theta, seed=7, surroundings=around), found)


def test_a_worker_killed_in_the_middle_is_survived(bank):
    people = drawn_examinees("normal(0,1)", 20_000, 7)
    design = ExamDesign(stop=StoppingRules(length=30))
    begun = threading.Event()
    with workers(2) as local:
        victim = next(iter(local.workers.values())).pid

        def kill():
            begun.wait(60)
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = on_cluster(local, bank, design, people, advance=lambda _n: begun.set())
        killer.join()
    assert not _alive(victim)
    same(simulate(bank, design, theta=people.theta, seed=7), found)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def processes(folder):
    """A scheduler and a worker as processes of their own, found by a file."""
    file = folder / "scheduler.json"
    place = ["--scheduler-file", file, "--dashboard-address", ":0"]
    commands = [
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *place],
        [sys.executable, "-m", "distributed.cli.dask_worker", *place, "--no-nanny"],
    ]
    running = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        for _ in range(300):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], running[0]
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_scheduler_that_goes_away_is_named(bank, tmp_path, monkeypatch):
    people = drawn_examinees("normal(0,1)", 40_000, 7)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with processes(tmp_path) as (address, scheduler):
        with pytest.raises(InputError, match=r"a cluster that stays until .* lost"):
            on_cluster(address, bank, DESIGN, people, advance=lambda _n: scheduler.kill())
        assert scheduler.wait() == -signal.SIGKILL


def test_a_scheduler_without_workers_is_named(bank, monkeypatch):
    monkeypatch.setattr("calibration.cluster.CONNECT_SECONDS", 0.5)
    with workers(0) as local, pytest.raises(InputError, match="at least one worker, found none"):
        on_cluster(local, bank, DESIGN, drawn_examinees("normal(0,1)", 10, 7))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "here"])
def test_a_scheduler_that_does_not_answer_is_one_line(run_command, tmp_path, monkeypatch, address):
    monkeypatch.setattr("calibration.cluster.CONNECT_SECONDS", 0.5)
    status, _, err = _simulate(run_command, tmp_path / "out", address)
    assert status == 2
    wanted = "error: --scheduler: expected the address of a Dask scheduler that answers"
    assert err.splitlines()[-1].startswith(wanted)
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_one_line(run_command, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, _, err = _simulate(run_command, tmp_path / "out", "tcp://127.0.0.1:1")
    assert status == 2
    assert err.splitlines()[-1].startswith("error: --scheduler: expected the package distributed")


def test_the_command_writes_the_same_tables(two_workers, run_command, tmp_path):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert _simulate(run_command, alone)[0] == 0
    assert _simulate(run_command, shared, two_workers.scheduler_address)[0] == 0
    for name in ("trajectory.csv", "persons.csv", "items.csv"):
        assert (alone / name).read_bytes() == (shared / name).read_bytes()
    one, other = (json.loads((of / "summary.json").read_text()) for of in (alone, shared))
    for timing in ("seconds", "examinees_per_second"):
        assert one.pop(timing) != other.pop(timing)
    assert one == other
    assert len((alone / "persons.csv").read_text().splitlines()) == 2501


def test_a_refusal_of_the_engine_comes_back_from_the_worker(two_workers, bank):
    design = ExamDesign(stop=StoppingRules(length=5), pretest=PretestRules(count=2, last=4))
    with pytest.raises(InputError, match="expected") as refused:
        on_cluster(two_workers, bank, design, drawn_examinees("normal(0,1)", 10, 7))
    with pytest.raises(InputError) as here:
        simulate(bank, design, theta=np.zeros(3))
    assert str(refused.value) == str(here.value)


def test_workers_of_another_version_are_refused(two_workers, bank, monkeypatch):
    monkeypatch.setattr(cluster, "versions", lambda: {"tarozu": "9.9"})
    with pytest.raises(InputError, match=r"workers with tarozu 9\.9, found workers with tarozu 0"):
        on_cluster(two_workers, bank, DESIGN, drawn_examinees("normal(0,1)", 10, 7))


def _simulate(run_command, out, address=None):
    options = ["simulate", "--parameters", BANK, "--n", 2500, "--stop", "length=8", "--out", out]
    return run_command(*options, *(["--scheduler", address] if address else []))
