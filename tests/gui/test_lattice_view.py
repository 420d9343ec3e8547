"""The picture of the lattice."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tplm_daq.gui.lattice_view import HALF_WIDTH_SITES, LatticeView, fast_sites
from tplm_daq.gui.theme import DARK
from tplm_daq.kmc.simulate import Condition, Snapshot


@pytest.fixture
def view(qtbot: QtBot) -> LatticeView:
    made = LatticeView(10.0)
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.show_snapshot(
        Snapshot(
            pulse=0,
            time_ns=1.0,
            condition=Condition(0.08, 400.0),
            exciton_nm=np.array([[0.0, 0.0], [9e9, 0.0]]),
            fast_nm=np.array([[10.0, -20.0], [0.0, 9e9]]),
        )
    )
    return made


def test_fast_sites_stand_where_they_are_and_those_outside_are_left_out() -> None:
    image = fast_sites(np.array([[10.0, -20.0], [-400.0, 400.0], [410.0, 0.0]]), 10.0)
    c = HALF_WIDTH_SITES
    assert {tuple(place) for place in np.argwhere(image)} == {(c - 2, c + 1), (2 * c, 0)}
    assert not fast_sites(np.zeros((0, 2)), 10.0).any()


def test_the_site_under_the_mouse_is_named(view: LatticeView) -> None:
    assert view.describe(11.0, -18.0) == "x 11 nm, y -18 nm: fast"
    assert view.describe(0.0, 0.0) == "x 0 nm, y 0 nm: slow"
    assert view.describe(1e4, 0.0) == ""


def test_excitons_out_of_sight_are_not_drawn(view: LatticeView) -> None:
    assert view._excitons.getData()[0].tolist() == [0.0]
