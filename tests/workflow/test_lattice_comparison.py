"""The lattice beside a measured series: the conditions of each run, and what the differences amount to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.kmc.recipes import small
from tplm_daq.analysis.series_table import series_table
from tplm_daq.errors import InputError
from tplm_daq.workflow.kmc import run_sweep
from tplm_daq.workflow.lattice_comparison import compare_with_lattice

POWER_NW = [5.0, 20.0, 10.0, 5.0]


def test_each_run_meets_the_lattice_under_its_own_light(tmp_path: Path) -> None:
    lattice = run_sweep(small(alpha=(0.16, 0.08, 0.04), tau_pulse_ns=("400 ns",)), n_workers=1).points
    d = np.array([point.d_sim_cm2_s for point in lattice])
    table = series_table(POWER_NW, 2.5e6, [d[2] + 0.03, d[0], d[1], d[2] - 0.03], 0.01)
    found = compare_with_lattice(table, small(), tmp_path, n_workers=1)
    assert found.t_exc_us == pytest.approx([2.5, 5.0, 10.0, 10.0])
    assert found.lattice_cm2_s == pytest.approx(d[[0, 1, 2, 2]])
    assert found.measured_cm2_s - found.lattice_cm2_s == pytest.approx([0.0, 0.0, 0.03, -0.03])
    error = lattice[2].standard_error_cm2_s
    assert found.chi_square == pytest.approx(2 * 0.03**2 / (0.01**2 + error**2))
    again = compare_with_lattice(table, small(), tmp_path, n_workers=1)
    assert np.array_equal(again.lattice_cm2_s, found.lattice_cm2_s)


def test_more_excitations_than_a_probability_are_refused() -> None:
    table = series_table([5.0, 20.0], 31.25e3, [0.01, 0.02], 0.001)
    with pytest.raises(InputError, match=r"run 2 of the series has 12.8 excitations.*Leave that run out"):
        compare_with_lattice(table, small())
