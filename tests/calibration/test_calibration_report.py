import numpy as np
import pytest

from calibration.fitting import Options, calibrate
from calibration.matrix import from_dense
from calibration.report import flags, report
from calibration.summary import summary


@pytest.fixture(scope="module")
def calibrated():
    """Ten good items, one keyed the wrong way round (bad), one that all but nobody solves."""
    rng = np.random.default_rng(6)
    theta = rng.normal(size=1500)
    b = np.linspace(-1.5, 1.5, 12)
    p = 1 / (1 + np.exp(-1.5 * (theta[:, None] - b)))
    p[:, 3] = 1 - p[:, 3]
    scores = (rng.random(p.shape) < p).astype(int)
    scores[:, 11] = 0
    scores[:3, 11] = 1
    names = [f"i{k}" for k in range(10)] + ["<i10>", "rare"]
    names[3] = "bad"
    return calibrate(from_dense(scores, item=names), Options())


def page_of(found):
    figures = summary(found, Options(), data_sha256="0" * 64, settings={"model": "2pl"})
    return report(found, figures, title="Calibration of x.csv")


def test_what_is_unusual_about_an_item_is_flagged_and_the_rest_is_not(calibrated):
    found = flags(calibrated)
    assert any("check the key" in text for text in found["bad"])
    assert any("difficulty beyond 4" in text for text in found["rare"])
    assert "only 3 responses with score 1" in found["rare"]
    assert "i5" not in found


def test_remarks_stand_before_everything_else(calibrated):
    text = page_of(calibrated)
    assert "discrimination at its lowest limit (0.01)" in text
    assert text.index("check the key") < text.index("Log-likelihood")


def test_names_of_items_are_escaped(calibrated):
    text = page_of(calibrated)
    assert "<i10>" not in text
    assert "&lt;i10&gt;" in text


def test_every_item_has_its_curve_in_a_short_test(calibrated):
    text = page_of(calibrated)
    for name in ("i0", "i9", "bad", "rare"):
        assert text.count(f">{name}<") >= 2


def test_a_fit_that_did_not_converge_says_no(lsat7):
    found = calibrate(lsat7, Options(max_iterations=2))
    text = page_of(found)
    assert "NO, 2 iterations" in text
    assert "Do not use these parameters" in text
