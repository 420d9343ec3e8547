"""The devices of the rig: how each is, what it reads, connecting and disconnecting, and moves by hand.

Outside a scan the panel looks at a `RigSession`, whose threads own the devices; nothing here waits for one. During a
scan the session is closed, and the panel shows what the points tell.
"""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.device_values import TITLES, all_values, key_values, point_values
from tplm_daq.gui.manual_moves import ManualMoves
from tplm_daq.gui.theme import DARK, Theme
from tplm_daq.store.layout import PointRow
from tplm_daq.workflow.device_keeper import DeviceState, DeviceView
from tplm_daq.workflow.session import RigSession

REFRESH_MS = 200
COLUMNS = ("State", "Device", "Box", "Reading", "What it does, or what to do", "")
STATE, DEVICE, BOX, READING, MESSAGE, BUTTONS = range(len(COLUMNS))
SYMBOLS = {
    DeviceState.CLOSED: "○",
    DeviceState.CONNECTING: "◔",
    DeviceState.READY: "●",
    DeviceState.BUSY: "▶",
    DeviceState.FAILED: "✖",
}
"""State lights that differ in shape, so that their colour is not needed."""
IN_USE = "The scan uses the rig; it shows what the latest point told."


class DevicePanel(QWidget):
    """Table of the devices and moves by hand.

    Parameters
    ----------
    session : RigSession
        The rig outside a scan; closed with `RigSession.release` by whoever starts a scan or ends the program.
    """

    def __init__(self, session: RigSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._is_busy = False
        self._theme = DARK
        self._told: dict[str, str] = {}
        self._table = self._new_table()
        self._moves = ManualMoves(session)
        self._moves.problem.connect(self._show_problem)
        self._connect_all = push_button("Connect all", "Connect every device; switches nothing on", session.open)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setAccessibleName("Messages about the devices")
        top = QHBoxLayout()
        top.addWidget(self._connect_all)
        top.addWidget(self._message, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._moves)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(REFRESH_MS)
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of the state lights from a theme."""
        self._theme = theme
        self.refresh()

    def set_busy(self, is_busy: bool) -> None:
        """Allow no connecting and no moves while a scan uses the rig."""
        self._is_busy = is_busy
        self._told = {}
        self._message.setText(IN_USE if is_busy else "")
        self.refresh()

    def show_point(self, row: PointRow) -> None:
        """Show what a point of the scan under way tells of the devices."""
        self._told = point_values(row)

    def refresh(self) -> None:
        """Show the present state of every device."""
        view = self._session.view
        if view.message:
            self._show_problem(view.message)
        self._connect_all.setEnabled(not self._is_busy and not view.is_open)
        for row, shown in enumerate(view.devices):
            self._show(row, shown)
        self._moves.refresh({shown.role: shown for shown in view.devices}, not self._is_busy)

    def _show(self, row: int, shown: DeviceView) -> None:
        if self._is_busy:
            reading, state, light = self._told.get(shown.role, ""), "in the scan", DeviceState.BUSY
        else:
            reading = key_values(shown.role, shown.settings, self._session.recipe)
            reading = f"last: {reading}" if reading and shown.state is DeviceState.FAILED else reading
            state, light = shown.state.value, shown.state
        for column, text in ((STATE, f"{SYMBOLS[light]} {state}"), (READING, reading), (MESSAGE, shown.message)):
            self._set(row, column, text)
        item = self._table.item(row, STATE)
        if item is not None:
            item.setForeground(QColor(self._colour(light)))
        for column, tip in ((READING, all_values(shown.settings)), (MESSAGE, shown.message)):
            if (cell := self._table.item(row, column)) is not None:
                cell.setToolTip(tip)
        buttons = self._table.cellWidget(row, BUTTONS)
        if buttons is not None:
            buttons.setEnabled(not self._is_busy)

    def _set(self, row: int, column: int, text: str) -> None:
        item = self._table.item(row, column)
        if item is None:
            self._table.setItem(row, column, QTableWidgetItem(text))
        elif item.text() != text:
            item.setText(text)

    def _colour(self, state: DeviceState) -> str:
        theme = self._theme
        return {
            DeviceState.CLOSED: theme.faint,
            DeviceState.CONNECTING: theme.doubtful,
            DeviceState.READY: theme.good,
            DeviceState.BUSY: theme.data,
            DeviceState.FAILED: theme.bad,
        }[state]

    def _new_table(self) -> QTableWidget:
        devices = self._session.view.devices
        table = QTableWidget(len(devices), len(COLUMNS))
        table.setAccessibleName("Devices of the rig")
        table.setHorizontalHeaderLabels(COLUMNS)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)  # Tab leaves the table for its buttons; arrows move within it
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setWordWrap(True)
        for row, shown in enumerate(devices):
            table.setItem(row, DEVICE, QTableWidgetItem(TITLES[shown.role]))
            box = QTableWidgetItem(f"{shown.model}\n{shown.address}")
            table.setItem(row, BOX, box)
            table.setCellWidget(row, BUTTONS, self._row_buttons(shown.role))
        _size_columns(table)
        return table

    def _row_buttons(self, role: str) -> QWidget:
        title, session = TITLES[role].lower(), self._session
        buttons = QWidget()
        layout = QHBoxLayout(buttons)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(push_button("Connect", f"Connect the {title} anew", partial(session.connect, role)))
        layout.addWidget(push_button("Disconnect", f"Let go of the {title}", partial(session.disconnect, role)))
        stop = "Light out" if role in ("laser", "gate") else "Stop"
        layout.addWidget(push_button(stop, f"{stop}: {title}", partial(session.make_safe, role)))
        return buttons

    def _show_problem(self, text: str) -> None:
        self._message.setText(f"⚠ {text}" if text else "")


def _size_columns(table: QTableWidget) -> None:
    """Give readings and messages the room, and let each row be as high as its texts need."""
    header, rows = table.horizontalHeader(), table.verticalHeader()
    assert header is not None and rows is not None
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    for column in (READING, MESSAGE):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
    rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    rows.hide()
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
