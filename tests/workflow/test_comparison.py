"""Several runs beside each other, as their files have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.rig.conftest import rig_recipe
from tests.store.made_runs import header, row, written_run
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.comparison import compare_runs

RESULT = {"diffusivity_cm2_s": 0.05, "standard_error_cm2_s": 0.001, "n_photons": 1e6}


def measured(path: Path, power_nw: float, d_cm2_s: float, **changes: object) -> Path:
    """Write a run of one point with a stored result."""
    with RunWriter.create(path, header(rig_text=dump_yaml(rig_recipe()), **changes)) as writer:
        writer.append(row(0, power_nw=power_nw, temperature_k=299.0), np.ones(32, dtype=np.uint32))
        writer.finish("completed")
        writer.write_result("poisson", {**RESULT, "diffusivity_cm2_s": d_cm2_s}, {}, "kind: analysis\n")
    return path


def test_light_temperature_and_diffusivity_come_from_the_files(tmp_path: Path) -> None:
    paths = [
        measured(tmp_path / f"{i}.h5", power_nw, d) for i, (power_nw, d) in enumerate([(10.0, 0.05), (1.0, 0.012)])
    ]
    runs = compare_runs(paths)
    assert runs.table is not None
    assert runs.paths == tuple(paths)
    assert runs.table.t_exc_us == pytest.approx([5.0, 50.0])
    assert runs.table.diffusivity_cm2_s.tolist() == [0.05, 0.012]
    assert runs.table.temperature_k.tolist() == [299.0, 299.0]
    assert runs.table.spot_fwhm_nm.tolist() == [500.0, 500.0]
    assert runs.truth_cm2_s.tolist() == [0.05, 0.05]
    assert runs.left_out == ()


def test_a_real_run_has_no_truth(tmp_path: Path) -> None:
    runs = compare_runs([measured(tmp_path / "real.h5", 10.0, 0.05, truth=None)])
    assert np.isnan(runs.truth_cm2_s).all()


def test_what_has_no_place_in_a_series_is_left_out_with_the_reason(tmp_path: Path) -> None:
    good = measured(tmp_path / "good.h5", 10.0, 0.05)
    dark = measured(tmp_path / "dark.h5", float("nan"), 0.05)
    bare = written_run(tmp_path / "bare.h5")
    runs = compare_runs([good, dark, bare, tmp_path / "gone.h5"])
    assert runs.paths == (good,)
    reasons = "\n".join(runs.left_out)
    assert "dark.h5: its average power is not known" in reasons
    assert "bare.h5: it has no result" in reasons
    assert "gone.h5" in reasons


def test_nothing_gives_no_table() -> None:
    assert compare_runs([]).table is None
