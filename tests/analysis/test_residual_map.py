"""Residuals over position and delay: noise where the model is right, structure where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.grown_runs import PIXEL_NM, picture_of, recipe_of
from tplm_daq.analysis.residual_map import residual_map
from tplm_daq.analysis.result import Result
from tplm_daq.gui.picture import Picture

AGE_NS = slice(105, 160)
"""Columns of about 50 ps from shortly after the pulse at 5 ns."""


@pytest.fixture(scope="module")
def picture() -> Picture:
    return picture_of(recipe_of("path.n_positions=21"), n_peak=100.0)


def residuals(picture: Picture, result: Result, dwell_s: np.ndarray | None = None) -> np.ndarray:
    grown = picture.grown
    assert grown is not None
    counts, age_ns = grown.counts[:, AGE_NS], grown.delay_ns[AGE_NS] - result.t0_ns
    dwells_s = grown.dwell_s if dwell_s is None else dwell_s
    return residual_map(counts, grown.along_nm, age_ns, dwells_s, 0.03, PIXEL_NM, result)


def test_the_right_model_leaves_noise(picture: Picture) -> None:
    assert picture.result is not None
    deviation = residuals(picture, picture.result)
    assert deviation.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * deviation.size))
    assert abs(deviation.mean()) < 4 / np.sqrt(deviation.size)


def test_a_wrong_width_shows_as_structure(picture: Picture) -> None:
    assert picture.result is not None
    wrong = replace(picture.result, sigma0_nm=0.7 * picture.result.sigma0_nm)
    deviation = residuals(picture, wrong)
    assert deviation.std() > 2.0
    assert deviation[10].mean() < 0 < deviation[5].mean()


def test_positions_without_dwell_are_left_blank(picture: Picture) -> None:
    assert picture.result is not None and picture.grown is not None
    dwell_s = picture.grown.dwell_s.copy()
    dwell_s[3] = 0.0
    deviation = residuals(picture, picture.result, dwell_s)
    assert np.isnan(deviation[3]).all()
    assert np.isfinite(np.delete(deviation, 3, axis=0)).all()
