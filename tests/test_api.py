"""What a notebook uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import tplm_daq as tplm
from tests.store.made_runs import written_run
from tplm_daq.errors import InputError
from tplm_daq.workflow.analyse import analyse_file

EXAMPLE = Path(__file__).parent / "data" / "example_line.npz"


@pytest.fixture(scope="module")
def example() -> tplm.Run:
    return tplm.open_run(EXAMPLE)


def test_counts_positions_and_delay_belong_together(example: tplm.Run) -> None:
    assert example.counts.shape == (len(example.positions), len(example.delay)) == (41, 4096)
    assert example.positions[0].tolist() == [-1000.0, 0.0]
    assert np.all(np.diff(example.delay) > 0)


def test_the_analysis_is_that_of_the_command_line(example: tplm.Run) -> None:
    assert example.analyse().to_dict() == analyse_file(EXAMPLE, None, ()).to_dict()
    assert example.analyse("lsq", ["window=2 ns"]).method == "lsq"


def test_a_plot_is_a_figure_with_or_without_a_result(example: tplm.Run) -> None:
    assert len(example.plot().axes) == 4
    assert isinstance(example.plot(example.analyse()), Figure)


def test_a_run_file_keeps_its_points_beside_the_map(tmp_path: Path) -> None:
    run = tplm.open_run(str(written_run(tmp_path / "run.h5", n_points=10)))
    assert run.file is not None
    assert (run.file.n_points, run.file.title) == (10, "OLA/OA film, 10 nW")
    assert run.counts.sum() == run.file.counts().sum()


def test_the_xarray_carries_units_and_conditions(tmp_path: Path) -> None:
    array = tplm.open_run(written_run(tmp_path / "run.h5", n_points=10)).to_xarray()
    assert array.dims == ("position", "delay_ns")
    assert array.attrs["repetition_rate_hz"] == 2.5e6
    assert array.coords["x_nm"].attrs["units"] == "nm"
    assert array.sel(delay_ns=0.1, method="nearest").shape == (5,)
    assert array.coords["dwell_s"].values == pytest.approx(2 * 1.9)


def test_what_is_no_run_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent.h5"):
        tplm.open_run(tmp_path / "absent.h5")
    with pytest.raises(AttributeError, match="no attribute 'close_run'"):
        tplm.close_run  # noqa: B018


def test_the_package_itself_loads_nothing_heavy() -> None:
    program = "import sys, tplm_daq; print(sorted({'numpy', 'h5py', 'matplotlib'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
