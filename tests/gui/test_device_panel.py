"""The device panel on the simulated rig: what it shows is what the devices are, and its buttons move them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from PyQt6.QtWidgets import QLabel, QLineEdit, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from tests.gui.waiting import connected_session, device, is_settled, wait_for
from tests.rig.conftest import Nobody, rig_recipe
from tests.store.made_runs import row
from tplm_daq.gui.device_panel import BUTTONS, MESSAGE, READING, STATE, DevicePanel
from tplm_daq.gui.theme import DARK, LIGHT
from tplm_daq.workflow.device_keeper import DeviceState
from tplm_daq.workflow.session import RigSession

WHEEL = (
    "devices.detection_filter={model: fw102c, address: double, filters: [open, OD 1, OD 2, OD 3, OD 4, blocked], "
    "densities: [0, 1, 2, 3, 4, 10]}"
)


@pytest.fixture
def session() -> Iterator[RigSession]:
    with connected_session(WHEEL) as opened:
        yield opened


@pytest.fixture
def panel(qtbot: QtBot, session: RigSession) -> DevicePanel:
    made = DevicePanel(session)
    qtbot.addWidget(made)
    made.resize(1366, 700)
    made.show()
    wait_for(qtbot, lambda: is_settled(session) and all(shown.settings for shown in session.view.devices))
    made.refresh()
    return made


def table(panel: DevicePanel) -> QTableWidget:
    found = panel.findChild(QTableWidget)
    assert isinstance(found, QTableWidget)
    return found


def cell(panel: DevicePanel, role: str, column: int) -> str:
    panel.refresh()
    roles = [shown.role for shown in panel._session.view.devices]
    item = table(panel).item(roles.index(role), column)
    assert item is not None
    return item.text()


def button(panel: DevicePanel, name: str) -> QPushButton:
    return next(each for each in panel.findChildren(QPushButton) if each.accessibleName() == name)


def write(panel: DevicePanel, name: str, text: str) -> None:
    next(each for each in panel.findChildren(QLineEdit) if each.accessibleName() == name).setText(text)


def message(panel: DevicePanel) -> str:
    labels = panel.findChildren(QLabel)
    return next(each for each in labels if each.accessibleName() == "Messages about the devices").text()


def test_every_device_has_a_row_with_state_and_reading(panel: DevicePanel, session: RigSession) -> None:
    for shown in session.view.devices:
        assert cell(panel, shown.role, STATE) == "● ready"
        assert cell(panel, shown.role, READING)
    assert cell(panel, "laser", READING) == "light off"
    assert cell(panel, "detection_filter", READING) == "open"


def test_nothing_connected_is_shown_as_such_and_one_button_connects_all(qtbot: QtBot) -> None:
    session = RigSession(rig_recipe("simulation.speed=20"), Nobody())
    panel = DevicePanel(session)
    qtbot.addWidget(panel)
    assert cell(panel, "stage", STATE) == "○ not connected"
    assert not any(group.isEnabled() for group in panel._moves._groups.values())
    button(panel, "Connect every device; switches nothing on").click()
    try:
        wait_for(qtbot, lambda: cell(panel, "stage", STATE) == "● ready")
    finally:
        session.release()


def test_one_device_is_left_and_taken_again(qtbot: QtBot, panel: DevicePanel) -> None:
    button(panel, "Let go of the sample stage").click()
    wait_for(qtbot, lambda: cell(panel, "stage", STATE) == "○ not connected")
    assert not panel._moves._groups["stage"].isEnabled()
    button(panel, "Connect the sample stage anew").click()
    wait_for(qtbot, lambda: cell(panel, "stage", STATE) == "● ready")
    assert panel._moves._groups["stage"].isEnabled()


def test_go_to_moves_the_detector_and_jog_from_there(qtbot: QtBot, panel: DevicePanel, session: RigSession) -> None:
    write(panel, "Detector x", "0.5 um")
    write(panel, "Detector y", "-200 nm")
    button(panel, "Move the detector to x, y").click()
    wait_for(qtbot, lambda: cell(panel, "detector", READING) == "x +0.500 µm, y -0.200 µm")
    wait_for(qtbot, lambda: device(session, "detector").state is DeviceState.READY)
    write(panel, "Detector jog step", "100 nm")
    button(panel, "Jog detector x back").click()
    wait_for(qtbot, lambda: cell(panel, "detector", READING) == "x +0.400 µm, y -0.200 µm")
    wait_for(qtbot, lambda: device(session, "detector").state is DeviceState.READY)
    button(panel, "Reference run of both detector axes").click()
    wait_for(qtbot, lambda: cell(panel, "detector", STATE) == "▶ busy")
    button(panel, "Stop the detector where it is").click()
    wait_for(qtbot, lambda: cell(panel, "detector", STATE) == "● ready")


def test_there_is_no_jog_from_an_unknown_place(qtbot: QtBot, panel: DevicePanel, session: RigSession) -> None:
    session.disconnect("detector")
    wait_for(qtbot, lambda: device(session, "detector").state is DeviceState.CLOSED)
    panel._moves._groups["detector"].setEnabled(True)
    button(panel, "Jog detector x back").click()
    assert message(panel) == "⚠ The detector has not told where it is. Connect it first."


def test_a_length_without_unit_is_refused_before_anything_moves(panel: DevicePanel, session: RigSession) -> None:
    write(panel, "Detector x", "500")
    button(panel, "Move the detector to x, y").click()
    assert message(panel) == '⚠ Detector x is \'500\': a length needs its unit. Write "500 nm" or "0.5 um".'
    assert device(session, "detector").state is DeviceState.READY
    write(panel, "Detector x", "0 um")
    button(panel, "Move the detector to x, y").click()
    assert message(panel) == ""


def test_a_place_out_of_reach_is_refused_by_the_limits_which_are_shown(qtbot: QtBot, panel: DevicePanel) -> None:
    assert "-24.24 … 24.24 µm" in [label.text() for label in panel.findChildren(QLabel)]
    write(panel, "Detector x", "1 mm")
    button(panel, "Move the detector to x, y").click()
    wait_for(qtbot, lambda: "is outside -24242.4 to 24242.4 nm" in cell(panel, "detector", MESSAGE))


def test_stage_temperature_and_filter_follow_their_buttons(
    qtbot: QtBot, panel: DevicePanel, session: RigSession
) -> None:
    for axis in "xyz":
        write(panel, f"Stage {axis}", "2.6 mm")
    button(panel, "Move the stage to x, y, z").click()
    wait_for(qtbot, lambda: cell(panel, "stage", MESSAGE) == "moving to 2600.000, 2600.000, 2600.000 um")
    button(panel, "Stop the stage where it is").click()
    wait_for(qtbot, lambda: cell(panel, "stage", STATE) == "● ready")
    button(panel, "One step of the stage along z, forward").click()
    write(panel, "Temperature to approach", "299 K")
    button(panel, "Approach this temperature").click()
    wait_for(qtbot, lambda: cell(panel, "thermostat", MESSAGE) == "approaching 299 K")
    panel._moves._filter.setCurrentText("OD 2")
    button(panel, "Turn the wheel to this filter").click()
    wait_for(qtbot, lambda: cell(panel, "detection_filter", READING) == "OD 2")
    button(panel, "Light out: light gate").click()
    wait_for(qtbot, lambda: cell(panel, "gate", READING) == "closed")


def test_during_a_scan_points_tell_and_nothing_can_be_moved(
    qtbot: QtBot, panel: DevicePanel, session: RigSession
) -> None:
    session.release()
    panel.set_busy(True)
    panel.show_point(dataclasses.replace(row(2), y_readback_nm=0.0))
    assert cell(panel, "detector", READING) == "x +0.201 µm, y +0.000 µm"
    assert cell(panel, "detector", STATE) == cell(panel, "stage", STATE) == "▶ in the scan"
    assert cell(panel, "stage", READING) == ""
    assert "The scan uses the rig" in message(panel)
    assert not any(group.isEnabled() for group in panel._moves._groups.values())
    assert not any(table(panel).cellWidget(line, BUTTONS).isEnabled() for line in range(7))  # type: ignore[union-attr]
    panel.set_busy(False)
    assert cell(panel, "detector", READING) == ""
    assert button(panel, "Connect every device; switches nothing on").isEnabled()


def test_lights_have_the_colours_of_the_theme_and_a_shape(panel: DevicePanel) -> None:
    for theme in (DARK, LIGHT):
        panel.set_theme(theme)
        item = table(panel).item(0, STATE)
        assert item is not None
        assert item.foreground().color().name() == theme.good


def test_every_control_has_a_name(panel: DevicePanel) -> None:
    controls = [*panel.findChildren(QPushButton), panel._moves._filter]
    controls += [each for each in panel.findChildren(QLineEdit) if each.objectName() != "qt_spinbox_lineedit"]
    assert all(control.accessibleName() for control in controls)


def test_a_jog_out_of_the_travel_is_refused_and_leaves_the_targets_alone(panel: DevicePanel) -> None:
    write(panel, "Detector x", "1 um")
    button(panel, "Jog detector x back").click()
    assert message(panel).startswith("⚠ No jog to x -25.353 µm, which is outside -24.24 to 24.24 µm")
    assert panel._moves._targets["detector"]["x"].text() == "1 um"


def test_what_a_failed_device_read_before_is_told_as_such(panel: DevicePanel, session: RigSession) -> None:
    counter = device(session, "counter")
    row_of_counter = [shown.role for shown in session.view.devices].index("counter")
    panel._show(row_of_counter, dataclasses.replace(counter, state=DeviceState.FAILED, message="unplugged"))
    item = table(panel).item(row_of_counter, READING)
    assert item is not None
    assert item.text().startswith("last: sync none, counts ")
