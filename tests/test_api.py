"""What a notebook uses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import tplm_daq as tplm
from tests.end_to_end.program import QUICK
from tests.store.made_runs import counts, header, row, written_run
from tplm_daq.analysis.relaxation import enhancement
from tplm_daq.analysis.summary import line_of, rows_of
from tplm_daq.api.run import PLOTS
from tplm_daq.errors import FitError, InputError
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_file
from tplm_daq.workflow.series_index import append_line

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


def test_decay_and_profile_are_sums_of_the_counts(example: tplm.Run) -> None:
    assert example.decay.tolist() == example.counts.sum(axis=0).tolist()
    middle_ns = example.delay[700]
    assert example.profile(middle_ns, 0.001).tolist() == example.counts[:, 700].tolist()
    width_ns = 2.1 * example.map.bin_width_ns
    assert example.profile(middle_ns, width_ns).tolist() == example.counts[:, 699:702].sum(axis=1).tolist()
    with pytest.raises(InputError, match=r"no delay bin lies within 0\.1 ns around 900 ns\. The delays run from"):
        example.profile(900.0)


@pytest.mark.parametrize("what", PLOTS)
def test_a_plot_is_a_picture_that_a_notebook_shows(example: tplm.Run, what: str) -> None:
    figure = example.plot(example.analyse(), what)
    assert isinstance(figure, Figure)
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_map_needs_no_result_and_other_names_are_none(example: tplm.Run) -> None:
    assert len(example.plot().axes) == 4
    with pytest.raises(InputError, match="there is no plot 'spectrum'. Choose one of map, decay, profiles, msd"):
        example.plot(what="spectrum")


def test_a_result_shows_what_matters(example: tplm.Run) -> None:
    result = example.analyse()
    assert repr(result) == line_of(result)
    assert repr(result).startswith(f"D = {result.diffusivity_cm2_s:.5f} cm²/s, 95 % interval ")
    assert repr(result).endswith(f"(poisson), lamp {result.bias_lamp}")
    page = result._repr_html_()
    for name, text in rows_of(result):
        assert f">{name}</th>" in page
        assert escape(text) in page


def test_a_run_shows_what_it_is(example: tplm.Run, tmp_path: Path) -> None:
    assert repr(example) == f"Run example_line.npz: {example.counts.sum():,} photons, 41 positions x 4096 bins"
    assert "<td>41</td>" in example._repr_html_()
    run = tplm.open_run(written_run(tmp_path / "run.h5", finish_reason=None))
    assert "OLA/OA film, 10 nW; " in repr(run)
    assert repr(run).endswith("cut short or going on")
    assert "<h3>OLA/OA film, 10 nW</h3>" in run._repr_html_()
    assert "film 3" in run._repr_html_()
    assert "kind: scan" not in repr(run.file)


def test_a_run_file_keeps_its_points_beside_the_map(tmp_path: Path) -> None:
    run = tplm.open_run(str(written_run(tmp_path / "run.h5", n_points=10)))
    assert run.file is not None
    assert (run.file.n_points, run.file.title) == (10, "OLA/OA film, 10 nW")
    assert run.counts.sum() == run.file.counts().sum()
    assert run.file.points.x_nm.tolist() == run.file.points["x_nm"].tolist()
    assert run.file.points[7].live_s == 1.9


def test_the_xarray_carries_units_and_conditions(tmp_path: Path) -> None:
    array = tplm.open_run(written_run(tmp_path / "run.h5", n_points=10)).to_xarray()
    assert array.dims == ("position", "delay_ns")
    assert array.attrs["repetition_rate_hz"] == 2.5e6
    assert array.coords["x_nm"].attrs["units"] == "nm"
    assert array.sel(delay_ns=0.1, method="nearest").shape == (5,)
    assert array.coords["dwell_s"].values == pytest.approx(2 * 1.9)


def test_a_package_that_is_missing_is_named_with_what_to_type(
    example: tplm.Run, series: tplm.Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
    for hand_on in (example.to_xarray, series.to_xarray):
        with pytest.raises(InputError, match="^to_xarray needs the package xarray: pip install xarray$"):
            hand_on()
    with pytest.raises(InputError, match="^to_pandas needs the package pandas: pip install pandas$"):
        series.to_pandas()


def test_what_is_no_run_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent.h5"):
        tplm.open_run(tmp_path / "absent.h5")
    with pytest.raises(AttributeError, match="no attribute 'close_run'"):
        tplm.close_run  # noqa: B018


def test_a_notebook_shows_an_error_without_a_traceback() -> None:
    assert InputError("no such file")._render_traceback_() == ["InputError: no such file"]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> tplm.Series:
    """Five powers with the diffusivities of a relaxation in 6 us, and a run without a result."""
    home = tmp_path_factory.mktemp("series")
    for number, power_nw in enumerate((1.0, 4.0, 8.0, 16.0, 1.0, 2.0)):
        path = home / f"run-{number}.h5"
        with RunWriter.create(path, header()) as writer:
            writer.append(row(0, power_nw=power_nw), counts(0))
            if power_nw != 2.0:
                d = float(enhancement(np.array(50.0 / power_nw), 0.15, 0.01, 6.0))
                numbers = {"diffusivity_cm2_s": d, "standard_error_cm2_s": 0.001, "n_photons": 1000}
                writer.write_result("poisson", numbers | {"bias_lamp": "green"}, {}, "kind: analysis\n")
        line = {"condition": number, "label": f"{power_nw:g} nW", "run_file": path.name, "is_reference": number == 4}
        append_line(home, {**line, "finish_reason": "completed"})
    return tplm.open_series(home)


def test_a_series_is_a_table_of_its_runs(series: tplm.Series) -> None:
    frame = series.to_pandas()
    assert len(series) == len(frame) == 5
    assert frame["t_exc_us"].tolist() == pytest.approx([50.0, 12.5, 6.25, 3.125, 50.0])
    assert frame["is_reference"].tolist() == [False, False, False, False, True]
    data = series.to_xarray()
    assert data["diffusivity_cm2_s"].dims == ("run",)
    assert data["diffusivity_cm2_s"].attrs["units"] == "cm^2/s"
    page = series._repr_html_()
    assert "0.0100 ± 0.0010" in page
    assert "2 nW: left out, its file holds no result" in page
    assert "run-0.h5" not in page


def test_the_runs_of_a_series_open_by_number(series: tplm.Series) -> None:
    assert series[1].path.name == "run-1.h5"
    assert series[-1].path.name == "run-4.h5"
    assert len(list(series)) == 5
    with pytest.raises(IndexError, match="there is no run 5: .* has 5 runs, from 0"):
        series[5]


def test_a_series_tells_its_relaxation_time(series: tplm.Series) -> None:
    assert series.relaxation.tau_us == pytest.approx(6.0, abs=0.01)
    assert "relaxation time 6.00 µs" in repr(series)
    without = replace(series, summary=replace(series.summary, runs=series.summary.runs[:2]))
    with pytest.raises(FitError, match="at least 4"):
        without.relaxation  # noqa: B018
    runs = tuple(replace(run, sample=name) for run, name in zip(series.summary.runs, "aabbb", strict=True))
    two = replace(series, summary=replace(series.summary, runs=runs))
    with pytest.raises(
        FitError, match="has 2 groups of one sample at one temperature, and a relaxation time needs one"
    ):
        two.relaxation  # noqa: B018


def test_the_lattice_stands_beside_a_series(series: tplm.Series) -> None:
    found = series.compare_with_lattice(n_pulses=30)
    assert found.to_pandas()["t_exc_us"].tolist() == pytest.approx([3.125, 6.25, 12.5, 50.0, 50.0])
    assert "chi-square" in repr(found)
    assert " ± " in found._repr_html_()
    (panel,) = series.plot(found).axes
    assert "lattice" in panel.get_legend_handles_labels()[1]
    assert "lattice" not in series.plot().axes[0].get_legend_handles_labels()[1]


def test_a_series_draws_what_was_varied_and_says_what_was_not(series: tplm.Series) -> None:
    assert isinstance(series.plot(what="conditions"), Figure)
    with pytest.raises(InputError, match="nothing was measured that could be drawn as decays"):
        series.plot(what="decays")
    with pytest.raises(InputError, match="there is no plot 'map'. Choose one of enhancement, conditions, decays"):
        series.plot(what="map")


def test_what_is_no_series_is_refused_with_what_is_one(series: tplm.Series, tmp_path: Path) -> None:
    for path, what in (
        (tmp_path, "has no series.jsonl"),
        (tmp_path / "none", "no such folder"),
        (EXAMPLE, "is a file"),
    ):
        with pytest.raises(InputError, match=f"{what}. Give the folder that `tplm run` made for a series"):
            tplm.open_series(path)


def test_a_simulated_scan_is_that_of_the_command_line(tmp_path: Path) -> None:
    run = tplm.simulate("configs/scan_line.yaml", QUICK, tmp_path)
    assert isinstance(run, tplm.Run)
    assert run.file is not None
    assert (run.file.finish_reason, run.file.n_points, run.path.parent) == ("completed", 18, tmp_path)
    assert run.file.latest_result().values["diffusivity_cm2_s"] == run.analyse().diffusivity_cm2_s


def test_a_single_change_is_still_a_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'Write a list of texts: \["passes.dwell=2s"\]'):
        tplm.simulate("configs/scan_line.yaml", "passes.dwell=2s", tmp_path)


def test_a_real_rig_or_an_alignment_is_not_for_a_notebook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no simulated rig. Measure on it with `tplm run`"):
        tplm.simulate("configs/scan_line.yaml", folder=tmp_path, rig="configs/rig_lab.yaml")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="is an alignment"):
        tplm.simulate("configs/align_dark.yaml", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_simulated_lattice_is_a_table(tmp_path: Path) -> None:
    found = tplm.simulate_lattice([0.08], ["0.1 us", "0.4 us"], n_pulses=20, folder=tmp_path)
    assert found.to_xarray()["t_exc_us"].values == pytest.approx([1.25, 5.0])
    assert repr(found).startswith("SweepOutcome: lattice: 2 conditions, ")
    assert tplm.simulate_lattice([0.08], ["0.1 us"], n_pulses=20, folder=tmp_path).n_reused == 1


def test_the_package_itself_loads_nothing_heavy() -> None:
    program = "import sys, tplm_daq; print(sorted({'numpy', 'h5py', 'matplotlib'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
