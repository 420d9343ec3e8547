"""D against what was varied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QCheckBox, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from tests.gui.waiting import choose_file, wait_for
from tplm_daq.analysis.relaxation import enhancement
from tplm_daq.analysis.series_table import series_table
from tplm_daq.gui.diffusivity_plot import ABSCISSAE, Z95
from tplm_daq.gui.series_plot import NOTHING, SeriesPlot
from tplm_daq.gui.theme import DARK, LIGHT
from tplm_daq.kmc.observe import Observation
from tplm_daq.workflow.comparison import ComparedRuns

POWERS_NW = np.array([1.0, 2.0, 5.0, 10.0, 20.0])


def compared(**changes: object) -> ComparedRuns:
    d_cm2_s = enhancement(50.0 / POWERS_NW, 0.15, 0.01, 6.0)
    columns = {"temperature_k": 300.0, **changes}
    table = series_table(POWERS_NW, 2.5e6, d_cm2_s, 0.002, **columns)  # type: ignore[arg-type]
    labels = tuple(f"{power_nw:g} nW" for power_nw in POWERS_NW)
    return ComparedRuns((Path("run.h5"),) * 5, labels, table, d_cm2_s, ("dark.h5: its power is not known.",))


def lattice_point(alpha: float, d_sim_cm2_s: float) -> Observation:
    none = np.zeros(0)
    return Observation(alpha, 400.0, d_sim_cm2_s, 0.001, none, none, none, none, none.astype(np.int32), none, 1, 0.1)


@pytest.fixture
def series(qtbot: QtBot) -> SeriesPlot:
    made = SeriesPlot()
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.resize(700, 500)
    made.show()
    made.set_runs(compared())
    wait_for(qtbot, lambda: said(made).startswith("τ"))
    return made


def said(series: SeriesPlot) -> str:
    return next(each for each in series.findChildren(QLabel) if each.accessibleName() == "Relaxation fit").text()


def choose(series: SeriesPlot, number: int) -> None:
    box = series.findChild(QComboBox)
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(number)


def test_runs_stand_where_their_light_puts_them_with_their_interval(series: SeriesPlot) -> None:
    x, y = series.plot._points.getData()
    assert x.tolist() == pytest.approx([50.0, 25.0, 10.0, 5.0, 2.5])
    assert y[-1] == pytest.approx(enhancement(np.array([2.5]), 0.15, 0.01, 6.0)[0])
    assert series.plot._errors.opts["height"] == pytest.approx(np.full(5, 2 * Z95 * 0.002))


def test_the_relaxation_is_drawn_and_said_beside_what_was_left_out(series: SeriesPlot) -> None:
    assert said(series).startswith("τ = 6.00 ± ")
    assert "dark.h5: its power is not known." in said(series)
    x, y = series.plot._fit.getData()
    assert np.interp(6.0, x, y) == pytest.approx(0.01 + 0.14 / np.e, rel=1e-3)


@pytest.mark.parametrize(
    ("number", "values"), [(1, POWERS_NW), (2, np.full(5, 2.5)), (3, np.full(5, 300.0)), (4, np.arange(1.0, 6.0))]
)
def test_another_abscissa_shows_the_same_runs_without_the_fit(
    series: SeriesPlot, number: int, values: np.ndarray
) -> None:
    choose(series, number)
    assert series.plot._points.getData()[0].tolist() == pytest.approx(values.tolist())
    assert series.plot.item.getAxis("bottom").labelText == ABSCISSAE[number].label
    assert series.plot._fit.getData()[0] is None
    assert said(series) == "dark.h5: its power is not known."


def test_why_there_is_no_fit_is_said(qtbot: QtBot, series: SeriesPlot) -> None:
    series.set_runs(compared(temperature_k=[300.0, 300.0, 4.0, 4.0, 4.0]))
    wait_for(qtbot, lambda: said(series).startswith("No relaxation fit. The runs lie 296 K apart"))
    series.set_runs(NOTHING)
    assert said(series) == ""


def test_the_lattice_is_drawn_against_t_exc_only(series: SeriesPlot) -> None:
    series.set_lattice([lattice_point(0.08, 0.06), lattice_point(0.04, 0.03)])
    assert series.plot._lattice.getData()[0].tolist() == pytest.approx([5.0, 10.0])
    choose(series, 1)
    assert series.plot._lattice.getData()[0] is None
    choose(series, 0)
    assert series.plot._lattice.getData()[1].tolist() == [0.06, 0.03]


def test_a_logarithmic_abscissa_takes_points_and_errors_along(series: SeriesPlot) -> None:
    box = series.findChild(QCheckBox)
    assert isinstance(box, QCheckBox)
    box.setChecked(True)
    assert series.plot._points.getData()[0].tolist() == pytest.approx(np.log10(50.0 / POWERS_NW).tolist())
    assert series.plot._errors.opts["x"].tolist() == pytest.approx(np.log10(50.0 / POWERS_NW).tolist())
    assert series.plot.describe(1.0, 0.0).startswith("10 µs · ")
    box.setChecked(False)
    assert series.plot._errors.opts["x"].tolist() == pytest.approx((50.0 / POWERS_NW).tolist())


def test_under_the_mouse_is_the_nearest_run_with_its_interval(series: SeriesPlot) -> None:
    assert series.plot.describe(24.0, 0.0) == "25 µs · 0.0122 ± 0.0039 cm²/s · 2 nW"


def test_what_is_drawn_can_be_saved_as_a_picture(series: SeriesPlot, tmp_path: Path) -> None:
    path = tmp_path / "a_series.png"
    series._picture.click()
    choose_file(series, path.with_suffix(""))
    assert said(series) == f"Saved as {path}."
    assert path.read_bytes().startswith(b"\x89PNG")
    series._save_or_tell(tmp_path / "no" / "x.png")
    assert "cannot be written" in said(series)


def test_the_legend_is_readable_in_both_themes(series: SeriesPlot) -> None:
    series.set_theme(LIGHT)
    named = {label.text: label.opts["color"].name() for _, label in series.plot._legend.items}
    assert named == dict.fromkeys(("relaxation fit", "truth (simulated)", "measured, 95 %"), LIGHT.text)
    series.set_lattice([lattice_point(0.08, 0.05)])
    assert "lattice (KMC)" in {label.text for _, label in series.plot._legend.items}
