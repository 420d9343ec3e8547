"""The lattice panel: the light of the recipe, the film while one looks, and D_sim as it grows."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.waiting import wait_for
from tplm_daq.errors import InputError
from tplm_daq.gui.excitation import Excitation, condition_of, sweep_recipe
from tplm_daq.gui.kmc_panel import NO_RECIPE, KmcPanel
from tplm_daq.gui.lattice_film import LatticeFilm
from tplm_daq.gui.theme import DARK
from tplm_daq.kmc.simulate import Condition
from tplm_daq.recipes.kmc import Lattice
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.load import load_scan


def recipe(*changes: str) -> ScanRecipe:
    return load_scan("scan_line.yaml", "rig_sim.yaml", changes)[0]


@pytest.fixture
def panel(qtbot: QtBot) -> KmcPanel:
    made = KmcPanel()
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.resize(1200, 600)
    made.show()
    made.set_recipe(recipe())
    return made


def text(panel: KmcPanel, name: str) -> str:
    return next(each for each in panel.findChildren(QLabel) if each.accessibleName() == name).text()


def button(panel: KmcPanel, name: str) -> QPushButton:
    return next(each for each in panel.findChildren(QPushButton) if each.accessibleName() == name)


@pytest.mark.parametrize(("power", "rate", "t_exc_us"), [("10nW", "2.5MHz", 5.0), ("1nW", "2.5MHz", 50.0)])
def test_the_light_of_the_recipe_is_simulated(power: str, rate: str, t_exc_us: float) -> None:
    condition = condition_of(recipe(f"light.average_power={power}", f"light.repetition_rate={rate}").light)
    assert condition.tau_pulse_ns * 1e-3 / condition.alpha == pytest.approx(t_exc_us)


def test_the_excitation_is_told_with_its_units(panel: KmcPanel) -> None:
    assert text(panel, "Excitation that is simulated") == (
        "10 nW, 2.5 MHz: α = 0.08, pulses every 0.4 µs, t_exc = <b>5 µs</b>"
    )
    panel.set_recipe(None)
    assert text(panel, "Excitation that is simulated") == NO_RECIPE
    assert not button(panel, "Simulate D at several times between excitations").isEnabled()


def test_the_film_runs_while_it_is_seen_and_not_otherwise(qtbot: QtBot, panel: KmcPanel) -> None:
    wait_for(qtbot, lambda: "fast sites; D_sim of these pulses" in text(panel, "State of the simulation"))
    assert panel.lattice._excitons.getData()[0].size > 0
    panel.hide()
    wait_for(qtbot, lambda: not [each for each in threading.enumerate() if each.name == "lattice"])
    panel.show()
    wait_for(qtbot, lambda: bool([each for each in threading.enumerate() if each.name == "lattice"]))
    panel.stop()


def test_the_film_can_be_held_and_goes_on(qtbot: QtBot, panel: KmcPanel) -> None:
    button(panel, "Hold the film, or go on").click()
    wait_for(qtbot, lambda: not [each for each in threading.enumerate() if each.name == "lattice"])
    button(panel, "Hold the film, or go on").click()
    assert [each for each in threading.enumerate() if each.name == "lattice"]
    panel.stop()


def test_d_sim_grows_point_by_point_and_falls_with_t_exc(
    qtbot: QtBot, panel: KmcPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tplm_daq.gui.excitation.EXCITONS_WANTED", 5000)
    monkeypatch.setattr("tplm_daq.gui.excitation.FEWEST_PULSES", 60)
    panel.stop()
    counts: list[int] = []
    panel.swept.connect(lambda points: counts.append(len(points)))
    button(panel, "Simulate D at several times between excitations").click()
    wait_for(qtbot, lambda: "7 conditions in" in text(panel, "State of the simulation"))
    assert counts == [1, 2, 3, 4, 5, 6, 7]
    t_exc_us, d_sim_cm2_s = panel.series.plot._lattice.getData()
    assert t_exc_us.tolist() == pytest.approx([0.625, 1.25, 2.5, 5.0, 10.0, 20.0, 40.0])
    assert d_sim_cm2_s[0] > 3 * d_sim_cm2_s[-1]


def test_light_that_is_too_strong_for_the_lattice_is_told(panel: KmcPanel) -> None:
    panel.set_recipe(recipe("light.average_power=100nW", "light.repetition_rate=1 MHz"))
    panel.sweep()
    assert "2 excitons per site and pulse" in text(panel, "State of the simulation")
    with pytest.raises(InputError, match="Choose less power"):
        sweep_recipe(Excitation(Lattice(), Condition(2.0, 1000.0), ""))


def test_a_time_lapse_shows_the_lattice_getting_fast(qtbot: QtBot) -> None:
    film = LatticeFilm(Lattice(size=201), Condition(0.08, 400.0), 1, is_time_lapse=True)
    wait_for(qtbot, lambda: film.latest is not None and film.latest.n_pulses > 40)
    film.close()
    frame = film.latest
    assert frame is not None
    assert frame.snapshot.time_ns == pytest.approx(1.0)
    assert len(frame.snapshot.fast_nm) > 1000
    assert 0.01 < frame.d_sim_cm2_s < 0.12
    assert np.isfinite(frame.snapshot.exciton_nm).all()
