"""Passes over a line while the spot drifts."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, expected_counts
from tplm_daq.analysis.passes import Pass, align_passes, analyse_passes
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections

SCENE = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.1, span_ns=10.0)
UNCORRECTED = AnalysisRecipe(corrections=Corrections(drift=False))


def drifting(n_passes, drift_nm, seed=None, axis="x"):
    """One-way passes while the spot moves steadily along the line; without noise unless there is a seed."""
    order = np.arange(41)
    passes = []
    for number in range(n_passes):
        shift_nm = drift_nm * (number + order / 41) / n_passes
        here = replace(SCENE, position_nm=SCENE.position_nm - shift_nm, dwell_s=20.0 / n_passes)
        counts = expected_counts(here)
        if seed is not None:
            counts = np.random.default_rng([seed, number]).poisson(counts)
        data = as_map(replace(here, position_nm=SCENE.position_nm, axis=axis), counts)
        passes.append(Pass(data, (number * 41.0 + order) * here.dwell_s))
    return passes


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("n_passes", [2, 5])
def test_a_steady_drift_of_50_nm_is_taken_out(n_passes, axis):
    passes = drifting(n_passes, 50.0, axis=axis)
    corrected = analyse_passes(passes, AnalysisRecipe()).diffusivity_cm2_s
    without = analyse_passes(passes, UNCORRECTED).diffusivity_cm2_s
    assert abs(corrected / 0.07 - 1) < 2e-3
    assert abs(without / 0.07 - 1) > 0.03 / n_passes


def test_the_drift_is_said():
    result = analyse_passes(drifting(5, 50.0, seed=1), AnalysisRecipe())
    assert result.corrections[0].startswith("drift between passes (centre moved by ")
    assert abs(result.diffusivity_cm2_s - 0.07) < 4 * result.standard_error_cm2_s


def test_the_centres_of_the_passes_are_those_of_the_spot():
    aligned = align_passes(drifting(5, 50.0, seed=2))
    assert aligned.drift_nm == pytest.approx(40.0, abs=4.0)
    assert np.diff(aligned.centre_nm) == pytest.approx(10.0, abs=4.0)
    assert len(aligned.data.x_nm) == 5 * 41


def test_a_pass_that_has_just_begun_takes_the_drift_of_the_others():
    passes = drifting(4, 40.0, seed=3)
    begun = replace(passes[3].data, dwell_s=np.where(np.arange(41) < 3, 5.0, 0.0))
    aligned = align_passes([*passes[:3], Pass(begun, passes[3].time_s)])
    assert len(aligned.centre_nm) == 3
    shift_nm = passes[3].data.x_nm - aligned.data.x_nm[-41:]
    assert shift_nm[2] - (passes[0].data.x_nm - aligned.data.x_nm[:41])[2] == pytest.approx(30.0, abs=4.0)


def test_one_pass_shows_no_drift():
    with pytest.raises(FitError, match="1 of 1 passes show the centre of the spot; drift needs 2"):
        align_passes(drifting(1, 10.0, seed=4))


@pytest.mark.parametrize("order", ["there", "back"])
def test_the_decay_is_right_though_drift_leaves_some_positions_with_half_the_time(order):
    passes = drifting(2, 40.0)
    if order == "back":
        passes = [passes[0], Pass(passes[1].data, passes[1].time_s[0] + passes[1].time_s[-1] - passes[1].time_s)]
    found = analyse_passes(passes, AnalysisRecipe())
    assert found.lifetime_ns == pytest.approx(SCENE.lifetime_ns, rel=0.01)
