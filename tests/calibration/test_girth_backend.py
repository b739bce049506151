import numpy as np
import pytest

from calibration.girth_backend import girth_fit
from calibration.matrix import from_dense
from calibration.mml import Settings, fit
from engine.errors import InputError

SETTINGS = Settings()


@pytest.mark.parametrize("model", ["rasch", "1pl", "2pl"])
def test_girth_and_mml_agree_on_complete_data(lsat7, model):
    found, own = girth_fit(lsat7, [model] * 5, SETTINGS), fit(lsat7, [model] * 5)
    np.testing.assert_allclose(found.items.a, own.items.a, atol=0.01)
    np.testing.assert_allclose(found.items.b, own.items.b, atol=0.02)
    assert found.log_likelihood == pytest.approx(own.log_likelihood, abs=0.05)
    assert found.log_likelihood <= own.log_likelihood + 1e-6
    assert found.n_parameters == own.n_parameters
    assert found.converged


def test_girth_and_mml_agree_on_partial_credit(science):
    found, own = girth_fit(science, ["gpcm"] * 4, SETTINGS), fit(science, ["gpcm"] * 4)
    np.testing.assert_allclose(found.items.thresholds, own.items.thresholds, atol=0.02)


@pytest.mark.parametrize(
    ("model", "message"),
    [("3pl", "threepl_mml fails with numpy 2"), ("4pl", "4pl"), ("pcm", "pcm")],
)
def test_models_that_girth_lacks_are_refused_by_name(lsat7, model, message):
    with pytest.raises(InputError, match=message):
        girth_fit(lsat7, [model] * 5, SETTINGS)


def test_routed_data_groups_mixed_models_and_fixed_items_are_refused(lsat7):
    scores, observed = lsat7.dense()
    models = ["2pl"] * 5
    groups = ["a", "b"] * 500
    with pytest.raises(InputError, match="no adaptive test routed"):
        girth_fit(from_dense(scores, observed, routed=True), models, SETTINGS)
    with pytest.raises(InputError, match="expected one group"):
        girth_fit(from_dense(scores, group=groups), models, SETTINGS)
    with pytest.raises(InputError, match="one model for all"):
        girth_fit(lsat7, ["2pl", "1pl", "2pl", "2pl", "2pl"], SETTINGS)
    with pytest.raises(InputError, match="no fixed items"):
        girth_fit(lsat7, models, SETTINGS, held=True)
