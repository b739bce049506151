import json
from pathlib import Path

import numpy as np
import pytest

from calibration.matrix import from_dense

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.fixture(scope="session")
def facts():
    return json.loads((REFERENCE / "mirt_dif.json").read_text())


@pytest.fixture(scope="session")
def simulated(facts):
    """The 2PL data of the reference: 1500 persons in A and in B, 20 items."""
    rows = [list(text) for name in "AB" for text in facts["responses"][name]]
    return from_dense(
        np.array(rows, dtype=int), item=facts["items"], group=["A"] * 1500 + ["B"] * 1500
    )
