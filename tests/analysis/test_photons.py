"""Scans drawn photon by photon, with everything that can be wrong with one; each must give the diffusivity back.

A test of n scans allows four standard errors of their mean deviation.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.photons import Sample, measure
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.recipes.analysis import AnalysisRecipe

QUICK = Sample(
    diffusivity_cm2_s=0.15,
    x_nm=np.linspace(-1000.0, 1000.0, 21),
    y_nm=np.zeros(21),
    pixel_nm=150.0,
    n_excitons=1e5,
    dark_counts=5.0,
)
GRID_NM = np.linspace(-900.0, 900.0, 9)
GRID_X_NM, GRID_Y_NM = (axis.ravel() for axis in np.meshgrid(GRID_NM, GRID_NM))

CASES = {
    "clean": QUICK,
    "dim": replace(QUICK, n_excitons=2e4),
    "background": replace(QUICK, dark_counts=100.0),
    "off-centre": replace(QUICK, centre_nm=(150.0, 60.0)),
    "pile-up": replace(QUICK, dead_time_ns=95.0, dwell_s=0.04),
    "wrap-around at 40 MHz": replace(QUICK, repetition_rate_hz=4e7, span_ns=25.0),
    "dead time of four periods": replace(QUICK, repetition_rate_hz=4e7, span_ns=25.0, dead_time_ns=95.0, dwell_s=0.01),
    "drift there and back": replace(QUICK, drift_nm=80.0),
    "wide response": replace(QUICK, response_ns=0.3),
    "halo": replace(QUICK, halo_light=0.3),
    "ellipse along the axes": replace(QUICK, sigma_nm=(264.0, 220.0)),
    "map of a tilted ellipse": replace(
        QUICK, x_nm=GRID_X_NM, y_nm=GRID_Y_NM, sigma_nm=(264.0, 220.0), angle=0.6, n_excitons=3e4
    ),
}


def deviations(sample, n_seeds):
    """(D - truth) / standard error of each scan."""
    results = [analyse(measure(sample, seed), AnalysisRecipe()) for seed in range(n_seeds)]
    return np.array([(r.diffusivity_cm2_s - sample.diffusivity_cm2_s) / r.standard_error_cm2_s for r in results])


@pytest.mark.parametrize("sample", CASES.values(), ids=CASES)
def test_two_scans_give_the_diffusivity_back(sample):
    z = deviations(sample, 2)
    assert abs(z.mean()) < 4 / np.sqrt(2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sample", CASES.values(), ids=CASES)
def test_sixty_scans_scatter_around_the_diffusivity_as_their_errors_say(sample):
    z = deviations(sample, 60)
    print(f"\n  bias {z.mean():+.2f} +- {1 / np.sqrt(60):.2f} standard errors, spread {z.std(ddof=1):.2f}")
    assert abs(z.mean()) < 4 / np.sqrt(60)
    assert abs(z.std(ddof=1) - 1) < 4 / np.sqrt(2 * 60)
