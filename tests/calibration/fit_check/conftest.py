import json
from pathlib import Path

import pytest

from calibration.mml import Settings, fit

REFERENCE = Path(__file__).parents[2] / "reference"
MODELS = {
    "lsat6_2pl": "2pl",
    "lsat6_rasch": "rasch",
    "lsat6_1pl": "1pl",
    "lsat7_2pl": "2pl",
    "science_graded": "grm",
    "science_gpcm": "gpcm",
}


@pytest.fixture(scope="session")
def facts():
    return json.loads((REFERENCE / "mirt_model_fit.json").read_text())["fits"]


@pytest.fixture(scope="session")
def fitted(lsat6, lsat7, science):
    """Data and fit by name."""
    data = {"lsat6": lsat6, "lsat7": lsat7, "science": science}
    found = {}
    for name, model in MODELS.items():
        matrix = data[name.split("_")[0]]
        settings = Settings(max_iterations=2000)
        found[name] = (matrix, fit(matrix, (model,) * matrix.n_items, settings))
    return found
