"""From a run file to its result, with what is known of each point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import written_run
from tests.workflow.scanned_runs import N_PASSES, SCENE, scanned_run
from tplm_daq.errors import InputError
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.analyse import analyse_file, analyse_run

TRUTH = SCENE.diffusivity_cm2_s


def z_of(path: Path, **corrections: bool) -> float:
    result = analyse_run(open_run(path), AnalysisRecipe(corrections=Corrections(**corrections)))
    return (result.diffusivity_cm2_s - TRUTH) / result.standard_error_cm2_s


def test_each_pass_is_a_map_with_times_on_the_run_s_clock(tmp_path: Path) -> None:
    run = open_run(scanned_run(tmp_path / "run.h5"))
    passes = run.passes()
    assert len(passes) == N_PASSES
    assert [time_s[0] for _, time_s in passes] == [2.5, 248.5, 494.5, 740.5]
    assert sum(data.counts.sum() for data, _ in passes) == run.map().counts.sum()
    np.testing.assert_array_equal(passes[1][0].x_nm, run.map().x_nm)


def test_drift_between_passes_is_taken_out_and_said(tmp_path: Path) -> None:
    result = analyse_run(open_run(scanned_run(tmp_path / "run.h5", drift_nm=120.0)), AnalysisRecipe())
    assert "drift between passes (centre moved by 9" in " ".join(result.corrections)
    assert abs(result.diffusivity_cm2_s - TRUTH) < 4 * result.standard_error_cm2_s
    assert result.sigma0_nm == pytest.approx(SCENE.sigma0_nm, abs=1.5)
    uncorrected = AnalysisRecipe(corrections=Corrections(drift=False))
    wider = analyse_run(open_run(tmp_path / "run.h5"), uncorrected)
    assert wider.sigma0_nm > result.sigma0_nm + 2
    assert "drift" not in " ".join(wider.corrections)


def test_drift_that_cannot_be_seen_is_a_warning(tmp_path: Path) -> None:
    run = open_run(scanned_run(tmp_path / "run.h5"))
    begun = replace(run, points=run.points[: len(SCENE.position_nm) + 3])
    result = analyse_run(begun, AnalysisRecipe())
    assert result.bias_lamp == "amber"
    assert "Drift is not corrected: 1 of 2 passes show the centre of the spot" in result.warnings[-1]


def test_positions_read_back_are_used_unless_switched_off(tmp_path: Path) -> None:
    run = open_run(scanned_run(tmp_path / "run.h5", off_nm=30.0))
    read, asked = (
        analyse_run(run, AnalysisRecipe(corrections=Corrections(read_back=is_used))) for is_used in (True, False)
    )
    assert read.centre_nm == pytest.approx(0.0, abs=1.5)
    assert asked.centre_nm == pytest.approx(-30.0, abs=1.5)
    assert read.corrections[0] == "positions as read back"
    assert "positions as read back" not in asked.corrections


def test_power_measured_at_each_point_takes_its_fluctuation_out(tmp_path: Path) -> None:
    power = 1 + 0.05 * np.random.default_rng(5).normal(size=(1, len(SCENE.position_nm))).repeat(N_PASSES, axis=0)
    path = scanned_run(tmp_path / "run.h5", relative_power=power)
    result = analyse_run(open_run(path), AnalysisRecipe())
    assert "power measured at each point (varied by" in " ".join(result.corrections)
    assert abs(z_of(path)) < 4
    assert result.bias_lamp == "green"
    without = analyse_run(open_run(path), AnalysisRecipe(method="poisson", corrections=Corrections(power=False)))
    assert without.bias_lamp != "green"


def test_the_same_file_and_recipe_give_the_same_numbers(tmp_path: Path) -> None:
    path = scanned_run(tmp_path / "run.h5", drift_nm=40.0)
    first, again = (analyse_run(open_run(path), AnalysisRecipe()).to_dict() for _ in range(2))
    assert first == again == analyse_file(path, None, ()).to_dict()


def test_the_decay_is_described_by_both_laws(tmp_path: Path) -> None:
    result = analyse_run(open_run(scanned_run(tmp_path / "run.h5")), AnalysisRecipe())
    answer = result.to_dict()
    low, high = answer["lifetime_ci95_ns"]
    assert low < answer["lifetime_ns"] < high
    assert answer["lifetime_ns"] == pytest.approx(SCENE.lifetime_ns, rel=0.01)
    assert answer["tail_exponent"] == pytest.approx(SCENE.tail_exponent, abs=0.02)
    assert answer["decay_verdict"].startswith("The joined law describes the decay best")


def test_a_run_without_points_has_nothing_to_analyse(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of its 0 points can be used"):
        analyse_run(open_run(written_run(tmp_path / "run.h5", n_points=0)), AnalysisRecipe())
