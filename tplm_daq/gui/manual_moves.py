"""Moves by hand, within the limits of the rig file: detector, sample stage, temperature, filter.

Every button becomes an order of the rig session and returns at once. What is typed is checked here, what is asked for
is checked by the device's limits before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QGridLayout, QGroupBox, QHBoxLayout, QLabel, QPushButton, QWidget

from tplm_daq.errors import InputError
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.quantity_edit import QuantityEdit
from tplm_daq.recipes.base import Kelvin, Nanometres
from tplm_daq.rig.planning import travels
from tplm_daq.workflow.device_keeper import DeviceState, DeviceView
from tplm_daq.workflow.session import RigSession

LENGTH, TEMPERATURE = get_args(Nanometres)[1], get_args(Kelvin)[1]
MOVABLE = (DeviceState.READY, DeviceState.BUSY)


class ManualMoves(QWidget):
    """The controls of all devices that can be moved; `problem` says what is wrong with what was typed."""

    problem = pyqtSignal(str)

    def __init__(self, session: RigSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._groups: dict[str, QGroupBox] = {}
        self._targets: dict[str, dict[str, QuantityEdit]] = {}
        self._limits: dict[str, dict[str, QLabel]] = {}
        self._filter = QComboBox()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        present = {shown.role for shown in session.view.devices}
        for role, make in (
            ("detector", self._detector),
            ("stage", self._stage),
            ("thermostat", self._thermostat),
            ("detection_filter", self._detection_filter),
        ):
            if role in present:
                self._groups[role] = make()
                layout.addWidget(self._groups[role])
        layout.addStretch(1)

    def refresh(self, devices: Mapping[str, DeviceView], is_allowed: bool) -> None:
        """Enable what can be moved now, and show how far."""
        for role, group in self._groups.items():
            shown = devices[role]
            group.setEnabled(is_allowed and shown.state in MOVABLE)
            for axis, label in self._limits.get(role, {}).items():
                low_nm, high_nm = shown.limits_nm.get(axis, (None, None))
                text = "" if low_nm is None or high_nm is None else f"{low_nm * 1e-3:.4g} … {high_nm * 1e-3:.4g} µm"
                label.setText(text)
            if role == "detection_filter" and self._filter.count() != len(shown.choices):
                self._filter.clear()
                self._filter.addItems(shown.choices)

    def _detector(self) -> QGroupBox:
        group, grid = _group("Detector in the sample plane")
        self._axes(grid, "detector", "xy", "0 um", self._go_detector)
        step = QuantityEdit("Detector jog step", LENGTH, "100 nm")
        grid.addWidget(QLabel("jog by"), 2, 0)
        grid.addWidget(step, 2, 1)
        jogs = QHBoxLayout()
        for axis, sign, symbol in (("x", -1, "◀"), ("x", 1, "▶"), ("y", -1, "▼"), ("y", 1, "▲")):
            name = f"Jog detector {axis} {'further' if sign > 0 else 'back'}"
            jogs.addWidget(self._button(f"{axis} {symbol}", name, partial(self._jog, step, axis, sign)))
        grid.addLayout(jogs, 2, 2)
        grid.addWidget(self._button("Go to", "Move the detector to x, y", self._go_detector), 3, 1)
        ends = QHBoxLayout()
        ends.addWidget(self._button("Home", "Reference run of both detector axes", self._session.home_detector))
        ends.addWidget(self._stop("detector"))
        grid.addLayout(ends, 3, 2)
        return group

    def _stage(self) -> QGroupBox:
        group, grid = _group("Sample stage")
        self._axes(grid, "stage", "xyz", "2.5 mm", self._go_stage)
        for row, axis in enumerate("xyz"):
            for column, is_forward in enumerate((False, True)):
                button = self._button(
                    "step +" if is_forward else "step −",
                    f"One step of the stage along {axis}, {'forward' if is_forward else 'backward'}",
                    partial(self._session.step_stage, axis, is_forward),
                )
                grid.addWidget(button, row, 3 + column)
        grid.addWidget(self._button("Go to", "Move the stage to x, y, z", self._go_stage), 3, 1)
        grid.addWidget(self._stop("stage"), 3, 2)
        return group

    def _thermostat(self) -> QGroupBox:
        group, grid = _group("Temperature")
        limits = self._session.recipe.limits
        target = QuantityEdit("Temperature to approach", TEMPERATURE, "295 K")
        self._targets["thermostat"] = {"k": target}
        grid.addWidget(target, 0, 0)
        grid.addWidget(self._button("Set", "Approach this temperature", self._set_temperature), 0, 1)
        rate = f"at {limits.temperature_rate_k_min:g} K/min"
        bounds = f"{limits.lowest_temperature_k:g} … {limits.highest_temperature_k:g} K, {rate}"
        grid.addWidget(_faint(bounds), 1, 0, 1, 2)
        grid.setRowStretch(2, 1)
        return group

    def _detection_filter(self) -> QGroupBox:
        group, grid = _group("Detection filter")
        self._filter.setAccessibleName("Filter in front of the detector")
        grid.addWidget(self._filter, 0, 0)
        grid.addWidget(self._button("Select", "Turn the wheel to this filter", self._select_filter), 0, 1)
        grid.setRowStretch(1, 1)
        return group

    def _axes(self, grid: QGridLayout, role: str, axes: str, text: str, go: Callable[[], None]) -> None:
        self._targets[role], self._limits[role] = {}, {}
        for row, axis in enumerate(axes):
            edit = QuantityEdit(f"{role.capitalize()} {axis}", LENGTH, text)
            edit.returnPressed.connect(partial(self._attempt, go))
            limits = _faint("")
            grid.addWidget(QLabel(axis), row, 0, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(edit, row, 1)
            grid.addWidget(limits, row, 2)
            self._targets[role][axis], self._limits[role][axis] = edit, limits

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        return push_button(text, name, lambda: self._attempt(act))

    def _stop(self, role: str) -> QPushButton:
        return self._button("Stop", f"Stop the {role} where it is", partial(self._session.make_safe, role))

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except InputError as error:
            self.problem.emit(str(error))
        else:
            self.problem.emit("")

    def _go_detector(self) -> None:
        targets = self._targets["detector"]
        self._session.move_detector(targets["x"].value(), targets["y"].value())

    def _go_stage(self) -> None:
        targets = self._targets["stage"]
        self._session.move_stage(*(targets[axis].value() for axis in "xyz"))

    def _jog(self, step: QuantityEdit, axis: str, sign: int) -> None:
        """Move by a step from where the detector is."""
        here = next(shown for shown in self._session.view.devices if shown.role == "detector")
        if not here.settings:
            raise InputError("The detector has not told where it is. Connect it first.")
        places = travels(self._session.recipe)
        target_nm = {name: places[name].to_nm(float(here.settings[f"{name}_position_mm"])) for name in "xy"}
        target_nm[axis] += sign * step.value()
        for name, place_nm in target_nm.items():
            low_nm, high_nm = places[name].limits_nm()
            if not low_nm <= place_nm <= high_nm:
                raise InputError(
                    f"No jog to {name} {place_nm * 1e-3:.3f} µm, which is outside {low_nm * 1e-3:.2f} to "
                    f"{high_nm * 1e-3:.2f} µm; after a reference run the detector stands there. Go to x, y first."
                )
        for name, edit in self._targets["detector"].items():
            edit.set_value(round(target_nm[name], 1))
        self._session.move_detector(target_nm["x"], target_nm["y"])

    def _set_temperature(self) -> None:
        self._session.set_temperature(self._targets["thermostat"]["k"].value())

    def _select_filter(self) -> None:
        self._session.select_filter(self._filter.currentText())


def _group(title: str) -> tuple[QGroupBox, QGridLayout]:
    group = QGroupBox(title)
    return group, QGridLayout(group)


def _faint(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "read-out")
    return label
