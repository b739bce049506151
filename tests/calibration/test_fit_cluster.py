"""Fits on Dask workers: the result of one machine, whatever happens to the workers."""

import contextlib
import json
import os
import signal

import distributed
import numpy as np
import pytest
from support.response_files import wide_file

from calibration.fit_cluster import spread_over
from calibration.matrix import from_dense
from calibration.mml import fit

pytestmark = pytest.mark.filterwarnings("ignore:Creating scratch directories:UserWarning")


@contextlib.contextmanager
def workers(n):
    options = {"n_workers": n, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, silence_logs="CRITICAL") as local:
        yield local


@pytest.fixture
def matrix(monkeypatch):
    monkeypatch.setattr("calibration.design.BLOCK", 256)
    rng = np.random.default_rng(1)
    chance = 1 / (1 + np.exp(-(rng.normal(size=(5000, 1)) - np.linspace(-2, 2, 10))))
    observed = rng.random(chance.shape) < 0.8
    return from_dense((rng.random(chance.shape) < chance).astype(int), observed)


def same(one, other):
    assert one.iterations == other.iterations
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-13)
    for name in ("a", "b"):
        np.testing.assert_allclose(
            getattr(one.items, name), getattr(other.items, name), rtol=0, atol=1e-10
        )


def test_the_result_is_that_of_one_machine_also_when_a_worker_is_killed(matrix):
    here = fit(matrix, ["2pl"] * 10)
    with workers(2) as local, spread_over(local.scheduler_address) as spread:
        same(fit(matrix, ["2pl"] * 10, spread=spread), here)
        killed = []

        def kill_once(iteration, _log_l):
            if iteration == 2:
                process = next(iter(local.workers.values())).pid
                killed.append(process)
                os.kill(process, signal.SIGKILL)

        found = fit(matrix, ["2pl"] * 10, spread=spread, progress=kill_once)
    assert killed
    same(found, here)


def test_the_command_takes_a_scheduler(run_command, lsat7, tmp_path):
    path = wide_file(lsat7, tmp_path / "data.csv")
    run_command("calibrate", "fit", path, "--out", tmp_path / "here")
    with workers(1) as local:
        there = ("--scheduler", local.scheduler_address, "--out", tmp_path / "there")
        assert run_command("calibrate", "fit", path, *there)[0] == 0
    for name in ("parameters.csv", "persons.csv"):
        assert (tmp_path / "here" / name).read_text() == (tmp_path / "there" / name).read_text()
    summary = json.loads((tmp_path / "there" / "summary.json").read_text())
    assert summary["settings"]["scheduler"].startswith("tcp://")
