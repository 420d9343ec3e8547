"""The map as it grows keeps every photon, whatever it is joined to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gui.grown_runs import CENTRE_NM, drawn_counts, grown, recipe_of
from tplm_daq.gui.growing import MOST_CELLS, MOST_COLUMNS, GrowingMap, layout_of


def test_nothing_is_there_before_the_first_point() -> None:
    assert GrowingMap(recipe_of()).latest() is None


def test_joined_bins_hold_the_photons_of_the_recorded_ones() -> None:
    recipe = recipe_of("path.n_positions=9")
    counts = drawn_counts(recipe, 40.0)
    latest = grown(recipe, counts).latest()
    assert latest is not None
    assert latest.column_ns == pytest.approx(0.048)
    np.testing.assert_array_equal(latest.decay, counts.sum(axis=0))
    np.testing.assert_array_equal(latest.counts[4, :3], counts[4, :9].reshape(3, 3).sum(axis=1))
    assert latest.n_photons == counts.sum()
    np.testing.assert_allclose(latest.rate_cps[2], latest.counts[2] / 2.0)


def test_positions_are_those_asked_for() -> None:
    recipe = recipe_of("path.n_positions=5", "path.half_width=400nm")
    latest = grown(recipe, drawn_counts(recipe, 40.0)).latest()
    assert latest is not None
    np.testing.assert_allclose(latest.along_nm, CENTRE_NM + np.array([-400, -200, 0, 200, 400]))


def test_a_view_does_not_change_when_a_point_is_added() -> None:
    recipe = recipe_of("path.n_positions=5")
    counts = drawn_counts(recipe, 40.0)
    growing = grown(recipe, counts)
    before = growing.latest()
    assert before is not None
    assert growing.latest() is before
    n_before = before.n_photons
    growing.add(0, (0.0, 0.0), 1.0, counts[2])
    after = growing.latest()
    assert after is not None
    assert before.n_photons == n_before
    assert after.n_photons == n_before + counts[2].sum()
    assert after.dwell_s[0] == 3.0


@pytest.mark.parametrize(
    ("changes", "n_bins"),
    [((), 65_536), (("path.n_positions=2001",), 65_536), (("counter.bin_width=512ps",), 3)],
    ids=["many bins", "many positions and bins", "three bins"],
)
def test_the_map_drawn_stays_small(changes: tuple[str, ...], n_bins: int) -> None:
    recipe = recipe_of(*changes)
    growing = GrowingMap(recipe)
    growing.add(0, (0.0, 0.0), 1.0, np.ones(n_bins, dtype=np.uint32))
    latest = growing.latest()
    assert latest is not None
    assert 2 <= latest.counts.shape[1] <= MOST_COLUMNS
    assert latest.counts.size <= MOST_CELLS
    assert latest.n_photons == n_bins


def test_a_raster_knows_the_cell_of_each_position() -> None:
    recipe = recipe_of("path.n_x=5", "path.n_y=6", name="scan_map")
    layout = layout_of(recipe)
    assert layout.shape == (6, 5)
    x_nm = np.full(30, np.nan)
    x_nm[layout.cell] = layout.offset_nm[:, 0]
    np.testing.assert_allclose(x_nm.reshape(6, 5), np.tile(np.linspace(-720, 720, 5), (6, 1)))


def test_columns_are_never_none() -> None:
    recipe = recipe_of("path.n_positions=5")
    latest = grown(recipe, drawn_counts(recipe, 40.0)).latest()
    assert latest is not None
    assert latest.columns(5.0, 5.2).stop - latest.columns(5.0, 5.2).start in (4, 5)
    assert latest.columns(-9.0, -8.0) == slice(0, 1)
    assert latest.columns(1e3, 1e3).stop == len(latest.delay_ns)
