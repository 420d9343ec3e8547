"""Any HDF5 reader must open the file, and any NeXus viewer must find something to draw."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import counts, written_run
from tplm_daq.store.layout import POINT_DTYPE


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
