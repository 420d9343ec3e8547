"""A run at a glance."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.report.drawn_runs import example_map
from tplm_daq.gui.thumbnail import N_COLUMNS, thumbnail


def test_a_line_is_positions_by_delays_and_brightest_in_its_middle_at_the_pulse() -> None:
    data = example_map()
    levels = thumbnail(data)
    assert levels.dtype == np.uint8
    assert levels.shape == (len(data.x_nm), N_COLUMNS)
    row, column = np.unravel_index(levels.argmax(), levels.shape)
    assert abs(row - len(data.x_nm) // 2) <= 2
    assert column < N_COLUMNS / 3


def test_positions_are_in_order_however_they_were_taken() -> None:
    data = example_map()
    order = np.random.default_rng(1).permutation(len(data.x_nm))
    mixed = dataclasses.replace(
        data, counts=data.counts[order], x_nm=data.x_nm[order], y_nm=data.y_nm[order], dwell_s=None
    )
    assert np.array_equal(thumbnail(mixed), thumbnail(data))


def test_a_raster_is_its_image() -> None:
    data = example_map()
    y_nm, x_nm = (axis.ravel() for axis in np.mgrid[-400:401:100, -400:401:100].astype(float))
    spot = np.exp(-(x_nm**2 + y_nm**2) / (2 * 200.0**2))[:, None] * np.full(len(data.delay_ns), 1000)
    raster = dataclasses.replace(data, counts=spot.astype(np.int64), x_nm=x_nm, y_nm=y_nm, dwell_s=None)
    levels = thumbnail(raster)
    assert levels.shape == (9, 9)
    assert np.unravel_index(levels.argmax(), levels.shape) == (4, 4)


def test_a_run_without_counts_is_dark() -> None:
    data = example_map()
    assert not thumbnail(dataclasses.replace(data, counts=np.zeros_like(data.counts))).any()
