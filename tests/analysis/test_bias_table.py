"""What biases D, with and without each correction: the table of docs/statistics.md.

Scans are a thousand times as long as real ones, so that what is left is bias and not noise. ``make statistics`` prints
the rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, drawn, expected_counts
from tests.analysis.test_choice import Halo
from tplm_daq.analysis.passes import Pass, analyse_passes
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

DIFFUSIVITIES = (0.01, 0.05, 0.15)
PLAIN = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.05, span_ns=12.0, sigma0_nm=212.0)
FINE = replace(PLAIN, bin_width_ns=0.016, span_ns=9.0)
POISSON = AnalysisRecipe(method="poisson")
PAPER = AnalysisRecipe(method="paper")
PILE_UP = replace(PLAIN, dead_time_ns=95.0, peak_cps=125e3, dwell_s=3.2)
AT_40_MHZ = replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7)
AT_10_MHZ = replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=1e7)

SWITCHED = {
    "pile-up, 5 % of the pulses": ("dead_time", PILE_UP, 0.6),
    "pile-up, 1 % of the pulses": ("dead_time", replace(PILE_UP, peak_cps=25e3), 0.6),
    "tail of earlier pulses, 40 MHz": ("wrap_around", AT_40_MHZ, 2.0),
    "level before the pulse not used, 40 MHz": ("background_prior", AT_40_MHZ, 2.0),
    "tail of earlier pulses, 10 MHz": ("wrap_around", AT_10_MHZ, 1.0),
    "response of 300 ps": ("response", replace(PLAIN, response_fwhm_ns=0.3), 0.6),
}


def long_scan(scene, **changes):
    return drawn(type(scene)(**{**vars(scene), **changes, "dwell_s": 1e3 * scene.dwell_s}), 0)


def biases(estimate):
    """Relative bias in percent for each diffusivity."""
    return np.array([100 * (estimate(d).diffusivity_cm2_s / d - 1) for d in DIFFUSIVITIES])


def row(name, paper, without, corrected):
    """Print one row: bias of D in percent for the three diffusivities."""
    cells = (" / ".join(f"{value:+.2f}" for value in each) if each is not None else "–" for each in (paper, without))
    print(f"\n| {name} | {' | '.join(cells)} | {' / '.join(f'{value:+.2f}' for value in corrected)} |")


@pytest.mark.parametrize("name", SWITCHED)
def test_corrections_remove_the_bias(name):
    switch, scene, most = SWITCHED[name]
    off = POISSON.model_copy(update={"corrections": Corrections(**{switch: False})})
    scans = {d: long_scan(scene, diffusivity_cm2_s=d) for d in DIFFUSIVITIES}
    without, corrected = biases(lambda d: analyse(scans[d], off)), biases(lambda d: analyse(scans[d], POISSON))
    row(name, biases(lambda d: analyse(scans[d], PAPER)), without, corrected)
    assert np.all(np.abs(corrected) < most)
    assert np.abs(without).sum() > np.abs(corrected).sum()


def test_a_halo_biases_one_gaussian_and_not_two():
    scans = {d: long_scan(Halo(**vars(PLAIN)), diffusivity_cm2_s=d) for d in DIFFUSIVITIES}
    one, auto = biases(lambda d: analyse(scans[d], POISSON)), biases(lambda d: analyse(scans[d], AnalysisRecipe()))
    row("halo, a tenth as high, 2.5 x as wide", biases(lambda d: analyse(scans[d], PAPER)), one, auto)
    assert np.all(one > 5)
    assert np.all(np.abs(auto) < 1)


def test_the_level_of_the_background_is_always_fitted():
    def scan(diffusivity_cm2_s):
        scene = replace(PLAIN, diffusivity_cm2_s=diffusivity_cm2_s, dwell_s=2e4)
        expected = expected_counts(scene)
        expected += 0.01 * expected.max()
        return as_map(scene, np.random.default_rng(0).poisson(expected), dwell_s=None)

    scans = {d: scan(d) for d in DIFFUSIVITIES}
    corrected = biases(lambda d: analyse(scans[d], POISSON))
    row("flat background, 1 % of the peak", biases(lambda d: analyse(scans[d], PAPER)), None, corrected)
    assert np.all(np.abs(corrected) < 0.6)


def moving(diffusivity_cm2_s, n_passes, drift_nm):
    """Passes in one direction while the spot moves steadily along the line; without noise."""
    order, passes = np.arange(41), []
    for number in range(n_passes):
        shift_nm = drift_nm * (number + order / 41) / n_passes
        here = replace(
            PLAIN,
            diffusivity_cm2_s=diffusivity_cm2_s,
            position_nm=PLAIN.position_nm - shift_nm,
            dwell_s=20.0 / n_passes,
        )
        data = as_map(replace(here, position_nm=PLAIN.position_nm), expected_counts(here), dead_time_ns=1e-6)
        passes.append(Pass(data, (number * 41.0 + order) * here.dwell_s))
    return passes


def test_drift_is_taken_out_of_several_passes():
    off = POISSON.model_copy(update={"corrections": Corrections(drift=False)})
    one = biases(lambda d: analyse(moving(d, 1, 50.0)[0].data, POISSON))
    corrected = biases(lambda d: analyse_passes(moving(d, 5, 50.0), POISSON))
    without = biases(lambda d: analyse_passes(moving(d, 5, 50.0), off))
    row("drift of 50 nm: one pass, then five passes", None, one, without)
    row("drift of 50 nm: five passes", None, without, corrected)
    assert np.all(np.abs(one) > 2)
    assert np.all(np.abs(corrected) < 0.3)


def scatter(change, recipe, n=60):
    """Standard deviation of D in percent over scans without counting noise."""
    found = []
    for d in DIFFUSIVITIES:
        scene = replace(PLAIN, diffusivity_cm2_s=d)
        values = [analyse(change(scene, np.random.default_rng(seed)), recipe).diffusivity_cm2_s for seed in range(n)]
        found.append(100 * np.std(values) / d)
    return np.array(found)


def test_positions_as_read_back_do_not_scatter_d():
    def asked(scene, rng):
        off_nm = rng.normal(0.0, 10.0, 41)
        counts = expected_counts(replace(scene, position_nm=scene.position_nm + off_nm))
        return as_map(scene, counts, dwell_s=None)

    def read_back(scene, rng):
        moved = replace(scene, position_nm=scene.position_nm + rng.normal(0.0, 10.0, 41))
        return as_map(moved, expected_counts(moved), dwell_s=None)

    without, corrected = scatter(asked, POISSON, 30), scatter(read_back, POISSON, 5)
    row("positions off by 10 nm rms (standard deviation)", None, without, corrected)
    assert np.all(without > 0.4)
    assert np.all(corrected < 0.05)


def test_gains_of_the_positions_scatter_d_less_if_they_are_fitted():
    def uneven(scene, rng):
        return as_map(scene, expected_counts(scene) * (1.0 + 0.01 * rng.normal(size=(41, 1))), dwell_s=None)

    without = scatter(uneven, POISSON, 30)
    corrected = scatter(uneven, POISSON.model_copy(update={"gain_spread": 0.01}), 15)
    row("light uneven by 1 % rms (standard deviation)", None, without, corrected)
    assert np.all(without > 0.1)
    assert np.all(corrected < without)
