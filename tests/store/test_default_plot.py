"""Any HDF5 reader must open the file, and any NeXus viewer must find something to draw."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from silx.io import nxdata

from tests.store.made_runs import counts, header, row, written_run
from tplm_daq.store.layout import POINT_DTYPE
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter

DOC = Path(__file__).resolve().parents[2] / "docs" / "file-format.md"
N_X, N_Y, N_BIN = 4, 3, 32


def default_plot(file: h5py.File) -> h5py.Group:
    """Follow @default from the root as a viewer does."""
    group: h5py.Group = file
    while "default" in group.attrs:
        group = group[group.attrs["default"]]
    return group


@pytest.mark.parametrize("finish_reason", ["completed", None])
def test_the_default_chain_ends_in_a_complete_nxdata(tmp_path: Path, finish_reason: str | None) -> None:
    with h5py.File(written_run(tmp_path / "run.h5", finish_reason=finish_reason)) as file:
        data = default_plot(file)
        assert data.attrs["NX_class"] == "NXdata"
        signal = data[data.attrs["signal"]]
        assert "units" in signal.attrs
        axes = [data[name] for name in data.attrs["axes"]]
        assert [len(axis) for axis in axes] == list(signal.shape)
        assert all("units" in axis.attrs for axis in axes)


def test_the_finished_plot_is_the_map_with_its_errors(tmp_path: Path) -> None:
    with h5py.File(written_run(tmp_path / "run.h5")) as file:
        data = default_plot(file)
        assert data.name == "/entry/data"
        assert (data.attrs["signal"], list(data.attrs["axes"])) == ("counts", ["x_nm", "delay_ns"])
        expected = counts(0).astype(int) + counts(5) + counts(10)
        np.testing.assert_array_equal(data["counts"][0], expected)
        np.testing.assert_allclose(data["counts_errors"][0], np.sqrt(expected), rtol=1e-6)
        assert data["delay_ns"] == file["entry/delay_ns"]
        assert data["delay_ns"].attrs["units"] == "ns"


def test_a_scan_along_y_is_drawn_along_y(tmp_path: Path) -> None:
    with h5py.File(written_run(tmp_path / "run.h5", position_axis="y")) as file:
        assert list(default_plot(file).attrs["axes"]) == ["y_nm", "delay_ns"]


def raster_run(path: Path, n_points: int) -> Path:
    """Write a serpentine raster of 100 nm steps, read back 1 nm further along x, at the same places in each pass."""
    with RunWriter.create(path, header(N_BIN, position_axis="xy")) as writer:
        for number in range(n_points):
            n_pass, index = divmod(number, N_X * N_Y)
            y, x = divmod(index, N_X)
            x_nm = 100.0 * (x if y % 2 == 0 else N_X - 1 - x)
            places = {"x_nm": x_nm, "x_readback_nm": x_nm + 1.0, "y_nm": 100.0 * y}
            writer.append(row(number, pass_index=n_pass, index=index, **places), counts(number, N_BIN))
        writer.finish("completed")
    return path


def test_a_raster_is_an_image_for_each_delay(tmp_path: Path) -> None:
    with h5py.File(raster_run(tmp_path / "run.h5", 2 * N_X * N_Y)) as file:
        plot = nxdata.get_default(file)
        assert plot.is_valid
        assert plot.signal.shape == (N_Y, N_X, N_BIN)
        assert plot.axes_dataset_names == ["y_nm", "x_nm", "delay_ns"]
        assert plot.axes[0][()].tolist() == [0.0, 100.0, 200.0]
        assert plot.axes[1][()].tolist() == [1.0, 101.0, 201.0, 301.0]
        assert plot.errors.shape == plot.signal.shape
        # the last column of the second row is the fifth point of the first pass
        np.testing.assert_array_equal(plot.signal[1, -1], counts(4).astype(int) + counts(16))
        assert plot.signal[0, 0, 0] == 0 + 12
        data = default_plot(file)
        assert data["dwell_s"].shape == (N_Y, N_X)
        assert list(data.attrs["dwell_s_indices"]) == [0, 1]
        assert (data.attrs["y_nm_indices"], data.attrs["x_nm_indices"]) == (0, 1)


@pytest.mark.parametrize(("n_rows", "dimensions"), [(1, ()), (2, (2, N_X))])
def test_two_rows_are_a_raster_and_one_is_a_list(n_rows: int, dimensions: tuple[int, ...], tmp_path: Path) -> None:
    with h5py.File(raster_run(tmp_path / "run.h5", n_rows * N_X)) as file:
        data = default_plot(file)
        assert data["counts"].shape == (*(dimensions or (N_X,)), N_BIN)
        assert data.attrs["x_nm_indices"] == len(dimensions[:1])


@pytest.mark.parametrize("n_points", [1, N_X, N_X + 2, N_X * N_Y - 1])
def test_a_raster_cut_short_in_its_first_pass_is_a_list_of_what_there_is(n_points: int, tmp_path: Path) -> None:
    with h5py.File(raster_run(tmp_path / "run.h5", n_points)) as file:
        plot = nxdata.get_default(file)
        assert plot.is_valid
        assert plot.signal.shape == (n_points, N_BIN)
        data = default_plot(file)
        assert list(data.attrs["axes"]) == [".", "delay_ns"]
        assert data["x_nm"].shape == data["y_nm"].shape == (n_points,)


def test_the_example_in_the_documentation_reads_a_raster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (
        each for each in re.findall(r"```python\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL) if "map.h5" in each
    )
    raster_run(tmp_path / "map.h5", N_X * N_Y)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    assert capsys.readouterr().out == "4 x 3 positions, x from 1 to 301 nm\n"


@pytest.mark.parametrize("n_points", [N_X + 2, N_X * N_Y, 2 * N_X * N_Y - 3])
def test_the_reader_gives_the_same_map_of_a_raster_whole_or_cut_short(n_points: int, tmp_path: Path) -> None:
    data = open_run(raster_run(tmp_path / "run.h5", n_points)).map()
    n_position = min(n_points, N_X * N_Y)
    assert data.counts.shape == (n_position, N_BIN)
    assert data.x_nm[:6].tolist() == [1.0, 101.0, 201.0, 301.0, 301.0, 201.0]
    assert data.y_nm[:6].tolist() == [0.0, 0.0, 0.0, 0.0, 100.0, 100.0]
    assert data.dwell_s is not None
    assert data.dwell_s.sum() == pytest.approx(1.9 * n_points)


def test_every_group_has_a_class_and_every_quantity_a_unit(tmp_path: Path) -> None:
    without = {"pass", "index", "flags", "format_version"}

    def check(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group):
            assert "NX_class" in item.attrs, name
        elif item.dtype.kind in "iuf" and name.split("/")[-1] not in without:
            assert "units" in item.attrs, name

    with h5py.File(written_run(tmp_path / "run.h5")) as file:
        file.visititems(check)


def test_columns_and_counts_have_the_promised_shapes(tmp_path: Path) -> None:
    with h5py.File(written_run(tmp_path / "run.h5")) as file:
        entry = file["entry"]
        assert set(entry["points"]) == set(POINT_DTYPE.names or ())
        assert {column.shape for column in entry["points"].values()} == {(12,)}
        assert (entry["counts"].shape, entry["counts"].dtype, entry["counts"].chunks) == ((12, 32), "uint32", (1, 32))


def test_the_superblock_has_no_mark_that_keeps_a_killed_file_shut(tmp_path: Path) -> None:
    assert written_run(tmp_path / "run.h5").read_bytes()[8] == 0
