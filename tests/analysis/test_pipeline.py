"""One call from counts to a result: the example, partial scans, and everything the report draws."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, drawn, expected_counts
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

DATA = Path(__file__).parents[1] / "data"
SCENE = Scene(bin_width_ns=0.032, span_ns=20.0, centre_nm=30.0)
KEYS = [
    "method",
    "diffusivity_cm2_s",
    "standard_error_cm2_s",
    "ci95_cm2_s",
    "systematic_cm2_s",
    "sigma0_nm",
    "centre_nm",
    "background_counts_per_bin",
    "lifetime_ns",
    "t0_ns",
    "bias_lamp",
    "corrections",
    "warnings",
]


@pytest.fixture(scope="module")
def line_map():
    return drawn(SCENE, seed=11)


@pytest.fixture(scope="module")
def example():
    with np.load(DATA / "example_line.npz") as file:
        x_nm = file["position_nm"]
        data = TimePositionMap(
            file["counts"],
            x_nm,
            np.zeros(len(x_nm)),
            file["delay_ns"],
            dwell_s=np.full(len(x_nm), float(file["dwell_s"])),
            repetition_rate_hz=float(file["repetition_rate_hz"]),
        )
    return data, json.loads((DATA / "example_line.json").read_text())


def test_the_example_is_fitted_within_its_errors(example):
    data, truth = example
    result = analyse(data, AnalysisRecipe())
    assert abs(result.diffusivity_cm2_s - truth["diffusivity_cm2_s"]) < 3 * result.standard_error_cm2_s
    assert abs(result.sigma0_nm - truth["sigma0_nm"]) < 3 * result.sigma0_error_nm
    assert result.standard_error_cm2_s < 0.01 * truth["diffusivity_cm2_s"]
    assert result.centre_nm == pytest.approx(truth["centre_nm"], abs=1.0)
    assert result.t0_ns == pytest.approx(truth["t0_ns"], abs=0.002)
    assert result.response_fwhm_ns == pytest.approx(truth["response_fwhm_ns"], abs=0.004)
    assert result.lifetime_ns == pytest.approx(truth["lifetime_ns"], rel=0.01)
    assert result.deviance_per_dof == pytest.approx(1.0, abs=0.15)
    dark = truth["dark_cps"] * 20.0 * 0.004e-9 * 2.5e6
    assert result.background_counts_per_bin == pytest.approx(dark, abs=0.004)


@pytest.mark.parametrize("method", ["lsq", "paper"])
def test_the_other_methods_come_near_on_the_example(example, method):
    data, truth = example
    result = analyse(data, AnalysisRecipe(method=method))
    assert result.method == method
    assert result.diffusivity_cm2_s == pytest.approx(truth["diffusivity_cm2_s"], rel=0.15)
    assert ("not calibrated" in " ".join(result.warnings)) == (method == "paper")


def test_a_good_scan_is_green_and_lists_what_was_corrected(line_map):
    result = analyse(line_map, AnalysisRecipe())
    assert (result.bias_lamp, result.warnings) == ("green", ())
    assert "dead time of 95 ns (blind for up to 0.74 % of the pulses)" in result.corrections
    assert "flat background and tail of earlier pulses" in result.corrections
    assert result.systematic_cm2_s == pytest.approx(0.02 * result.diffusivity_cm2_s, rel=0.02)


@pytest.mark.parametrize("method", ["auto", "poisson", "lsq", "paper"])
def test_the_dictionary_has_the_keys_of_the_command_line_and_plain_values(line_map, method):
    answer = analyse(line_map, AnalysisRecipe(method=method)).to_dict()
    assert list(answer)[: len(KEYS)] == KEYS
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["method"] == ("poisson" if method == "auto" else method)
    low, high = answer["ci95_cm2_s"]
    assert low < answer["diffusivity_cm2_s"] < high


def test_the_curves_fit_together(line_map):
    result = analyse(line_map, AnalysisRecipe())
    curves = result.arrays()
    assert {len(curves[name]) for name in curves if name.startswith("msd")} == {len(curves["msd_age_ns"])}
    pull = (curves["msd_nm2"] - curves["msd_fit_nm2"]) / curves["msd_error_nm2"]
    assert abs(np.mean(pull**2) - 1) < 4 * np.sqrt(2 / len(pull))
    fitted = np.isfinite(curves["decay_model"])
    assert curves["decay_counts"].sum() == line_map.counts.sum()
    assert curves["decay_model"][fitted] == pytest.approx(curves["decay_counts"][fitted], rel=0.2, abs=200)
    for name in ("early", "late"):
        counts, model = curves[f"profile_{name}_counts"], curves[f"profile_{name}_model"]
        assert np.sum((counts - model) ** 2 / model) < 41 + 5 * np.sqrt(2 * 41)
    assert result.late.age_ns > 2.7 > 0.2 > result.early.age_ns


def test_the_zero_of_delay_and_the_axis_are_arbitrary(line_map):
    here = analyse(line_map, AnalysisRecipe())
    moved = replace(line_map, delay_ns=line_map.delay_ns - 5.3, x_nm=line_map.y_nm, y_nm=line_map.x_nm)
    there = analyse(moved, AnalysisRecipe())
    assert (here.axis, there.axis) == ("x", "y")
    assert there.diffusivity_cm2_s == pytest.approx(here.diffusivity_cm2_s, rel=1e-5)
    assert there.t0_ns == pytest.approx(here.t0_ns - 5.3, abs=1e-5)


def test_the_order_of_the_positions_does_not_matter(line_map):
    order = np.random.default_rng(0).permutation(41)
    shuffled = replace(line_map, counts=line_map.counts[order], x_nm=line_map.x_nm[order])
    expected = analyse(line_map, AnalysisRecipe()).diffusivity_cm2_s
    assert analyse(shuffled, AnalysisRecipe()).diffusivity_cm2_s == pytest.approx(expected, rel=1e-6)


def test_pile_up_that_cannot_be_corrected_is_said_and_budgeted(line_map):
    result = analyse(replace(line_map, dead_time_ns=None), AnalysisRecipe(method="lsq"))
    assert result.bias_lamp == "amber"
    assert "is not corrected: dead_time_ns is not given" in result.warnings[0]
    assert result.systematic_cm2_s > 2e-4
    unknown = analyse(replace(line_map, dwell_s=None), AnalysisRecipe())
    assert "Pile-up is not known" in unknown.warnings[0]


def test_a_usual_dead_time_is_found_where_it_must_have_mattered():
    """5 % of the pulses give a count; the file does not say with what dead time."""
    scene = replace(SCENE, peak_cps=125e3, dwell_s=3.2)
    data = replace(drawn(scene, seed=12), dead_time_ns=None)
    result = analyse(data, AnalysisRecipe())
    assert "dead time of 95 ns" in result.corrections[0]
    assert "dead_time_ns is not given; the usual 95 ns are assumed" in " ".join(result.warnings)
    assert abs(result.diffusivity_cm2_s - 0.07) < 3 * result.standard_error_cm2_s


def test_no_dead_time_is_assumed_where_the_counts_show_none():
    """As many counts per pulse, of a simulation that knows no dead time."""
    scene = replace(SCENE, peak_cps=125e3, dwell_s=3.2, dead_time_ns=None)
    result = analyse(drawn(scene, seed=12), AnalysisRecipe())
    assert not any("dead time" in done for done in result.corrections)
    assert "the counts are likelier without pile-up" in " ".join(result.warnings)
    assert abs(result.diffusivity_cm2_s - 0.07) < 3 * result.standard_error_cm2_s


def test_counts_beyond_the_dead_time_are_refused(line_map):
    with pytest.raises(FitError, match="Dead time cannot be corrected: .* check dwell, repetition rate and dead time"):
        analyse(replace(line_map, dwell_s=np.full(41, 0.1)), AnalysisRecipe())


def test_a_window_beyond_the_delays_says_what_is_possible(line_map):
    with pytest.raises(FitError, match="ends 16 ns after the pulse at 4.9.* set window to at most 14.9 ns"):
        analyse(line_map, AnalysisRecipe(window="16 ns"))


def test_a_window_of_few_bins_is_refused(line_map):
    with pytest.raises(FitError, match="Only 3 bins of 0.992 ns fit into the window of 3 ns; at least 4"):
        analyse(line_map, AnalysisRecipe(bin_width="1 ns"))


@pytest.mark.parametrize("scale", [1.0, 0.02, 1e-3])
def test_a_scan_in_progress_gives_a_sound_number_or_a_reason(scale):
    """Every state of a one-way scan, from the first position to the last, at high and low counts."""
    expected = expected_counts(SCENE) * scale
    complete = as_map(SCENE, np.random.default_rng(5).poisson(expected), dwell_s=np.full(41, 20.0 * scale))
    n_results = 0
    for n_done in range(42):
        dwell_s = np.where(np.arange(41) < n_done, complete.dwell_s, 0.0)
        try:
            result = analyse(replace(complete, dwell_s=dwell_s), AnalysisRecipe())
        except FitError as reason:
            assert len(str(reason)) > 30
            continue
        n_results += 1
        assert abs(result.diffusivity_cm2_s - 0.07) < 5 * result.standard_error_cm2_s
        assert all(math.isfinite(value) for value in result.to_dict().values() if isinstance(value, float))
    assert n_results >= 15


@pytest.mark.parametrize("level", [0.001, 2.0])
@pytest.mark.parametrize("method", ["poisson", "lsq", "paper"])
def test_dark_counts_alone_never_give_a_number(method, level):
    for seed in range(5):
        counts = np.random.default_rng(seed).poisson(level, (41, SCENE.n_bins))
        with pytest.raises(FitError):
            analyse(as_map(SCENE, counts), AnalysisRecipe(method=method))


def test_delays_that_start_at_the_pulse_are_fitted_with_a_warning(line_map):
    start = np.searchsorted(line_map.delay_ns, 4.85)
    late = replace(line_map, counts=line_map.counts[:, start:], delay_ns=line_map.delay_ns[start:])
    result = analyse(late, AnalysisRecipe())
    assert "No delays before the pulse" in result.warnings[0]
    assert abs(result.diffusivity_cm2_s - 0.07) < 4 * result.standard_error_cm2_s
