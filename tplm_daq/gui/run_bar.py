"""The bar on top: state and light to be read from across the room, D, rates, progress, and what steers."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from tplm_daq.acquire.events import RunState
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.status import Light, Status
from tplm_daq.gui.theme import DARK, LAMP_WORDS, Theme, lamp_colour
from tplm_daq.recipes.rig import RigRecipe

STATE_WORDS = {
    RunState.IDLE: "IDLE",
    RunState.PREPARING: "PREPARING",
    RunState.PAUSED: "PAUSED",
    RunState.FINISHING: "MAKING SAFE",
}
END_WORDS = {"good": "DONE", "doubtful": "ENDED", "bad": "FAILED"}
NORMAL_95 = 1.96
SEEN_THROUGH = 90
"""Of 255: how much of its ground the gauge covers, so that the numbers on it can be read."""
D_TEXT = "D {:.4f} ± {:.4f} cm²/s"
INTERVAL = "± is half of the 95 % interval, statistical; systematic errors come on top of it"


class RunBar(QWidget):
    """State, light, D, rates, progress and buttons.

    Attributes
    ----------
    run, pause, finish_pass, abort, light_off : QPushButton
        What steers; `connect_to` connects them with the window.
    """

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._rig: RigRecipe | None = None
        self.state = _label("State of the scan", "MAKING SAFE", 17)
        self.light = _label("State of the light", Light.MOSTLY_DARK.value.upper(), 17)
        for label in (self.state, self.light):  # the buttons below stay where they are while words change
            label.setMinimumWidth(label.sizeHint().width())
        self.simulated = _label("Kind of rig", "SIMULATED", 13)
        self.simulated.setToolTip("Every device is a double: nothing here touches hardware")
        self.simulated.hide()
        self.diffusivity = _label("Diffusivity", D_TEXT.format(0.0, 0.0), 16)
        self.diffusivity.setMinimumWidth(self.diffusivity.sizeHint().width())
        self.gauge = QProgressBar()
        self.gauge.setAccessibleName("Count rate and pile-up")
        self.gauge.setRange(0, 1000)
        self.gauge.setValue(0)
        self.gauge.setFormat("no counts yet")
        self.gauge.setMinimumWidth(200)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the scan")
        self.progress.setFormat("no scan")
        self.run = _button("Run", "F5", "Start the recipe")
        self.pause = _button("Pause", "F6", "Hold the scan before its next point, or go on")
        self.finish_pass = _button("Finish pass", "F7", "End the scan after the pass under way")
        self.abort = _button("Abort", "F8", "End the scan now; what is measured is kept")
        self.light_off = _button("LIGHT OFF", "F12", "Put the light out at once by every path, and end the scan")
        self.light_off.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # a stray space bar must not end a scan; F12 does
        font = self.light_off.font()
        font.setBold(True)
        font.setPointSize(15)
        self.light_off.setFont(font)
        self.light_off.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Expanding)
        self._lay_out()
        self.show_status(Status())

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setVerticalSpacing(4)
        for column, widget in enumerate((self.state, self.light, self.simulated, self.diffusivity, self.gauge)):
            grid.addWidget(widget, 0, column)
        buttons = QHBoxLayout()
        for button in (self.run, self.pause, self.finish_pass, self.abort):
            buttons.addWidget(button)
        grid.addLayout(buttons, 1, 0, 1, 3)
        grid.addWidget(self.progress, 1, 3, 1, 2)
        grid.addWidget(self.light_off, 0, 5, 2, 1)
        grid.setColumnStretch(4, 1)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.light_off.setStyleSheet(
            "QPushButton { background: #c81e1e; color: white; border: 2px solid #7f1010; border-radius: 5px;"
            " padding: 4px 14px; } QPushButton:hover { background: #e02b2b; }"
        )
        _paint(self.simulated, theme.doubtful, theme.ground)

    def connect_to(self, window: QWidget) -> None:
        """Let every button do what its key does: call the method of the window."""
        acts = {
            "run_recipe": self.run,
            "pause_or_go_on": self.pause,
            "finish_pass": self.finish_pass,
            "abort": self.abort,
            "light_off": self.light_off,
        }
        for act, button in acts.items():
            button.clicked.connect(lambda _=False, act=act: getattr(window, act)())

    def set_rig(self, rig: RigRecipe) -> None:
        """Take over the limits of pile-up, and say whether the rig is simulated."""
        self._rig = rig
        self.simulated.setVisible(rig.is_simulated)

    def propose(self, title: str) -> None:
        """Say which recipe would be run."""
        self.run.setToolTip(f"Start “{title}” (F5)" if title else "Start the recipe (F5), once it is complete")

    def show_status(self, status: Status) -> None:
        """Show where the scan is."""
        theme = self._theme
        state = RunState.FINISHING if status.is_busy and status.state is RunState.FINISHED else status.state
        endings = {"good": theme.good, "doubtful": theme.doubtful, "bad": theme.bad}
        colours = {
            RunState.RUNNING: theme.doubtful if status.waiting else theme.data,
            RunState.PAUSED: theme.doubtful,
            RunState.FINISHED: endings[status.ended],
        }
        _show(self.state, _words(status, state), colours.get(state, theme.faint), theme.ground)
        lights = {Light.OUT: theme.good, Light.UNKNOWN: theme.faint, Light.MAY_BE_ON: theme.bad}
        _show(self.light, status.light.value.upper(), lights.get(status.light, theme.doubtful), theme.ground)
        self._show_progress(status)
        self._show_rates(status)
        self.run.setEnabled(not status.is_busy)
        is_steerable = status.is_busy and state in (RunState.PREPARING, RunState.RUNNING, RunState.PAUSED)
        self.pause.setEnabled(is_steerable and status.can_pause)
        self.finish_pass.setEnabled(is_steerable and status.has_passes and not status.is_last_pass)
        self.abort.setEnabled(status.is_busy)
        self.pause.setText("Go on\tF6" if status.is_held else "Pause\tF6")

    def show_result(self, picture: Picture) -> None:
        """Show D with its interval, in words and the colour of the bias lamp."""
        result = picture.result
        if result is None or not math.isfinite(result.standard_error_cm2_s):
            _show(self.diffusivity, "D …", self._theme.raised, self._theme.faint)
            return
        half = NORMAL_95 * result.standard_error_cm2_s
        text = D_TEXT.format(result.diffusivity_cm2_s, half)
        _show(self.diffusivity, text, self._theme.raised, lamp_colour(self._theme, result.bias_lamp))
        lamp = f"Bias lamp {result.bias_lamp}: {LAMP_WORDS[result.bias_lamp]}"
        self.diffusivity.setToolTip("\n".join((INTERVAL, lamp, *result.warnings)))

    def _show_progress(self, status: Status) -> None:
        if status.n_points == 0:
            self.progress.setMaximum(0 if status.is_busy and not status.doing else 1)
            self.progress.setValue(0)
            self.progress.setFormat(f"{status.before}{status.doing}".removesuffix(" · "))
            return
        self.progress.setMaximum(status.n_points)
        self.progress.setValue(status.n_done)
        left = "" if status.left_s is None or not status.is_busy else f" · {duration(status.left_s)} left"
        if status.is_busy and status.is_last_pass:
            left = " · ends after this pass"
        elif status.waiting:
            left = ""
        elif status.is_busy and status.is_held:
            left = " · F6 goes on"
        number = "" if status.row is None or not status.has_passes else f" · pass {status.row.pass_index + 1}"
        what = "points" if status.can_pause else "conditions"
        self.progress.setFormat(f"{status.before}{status.n_done} of {status.n_points} {what}{number}{left}")

    def _show_rates(self, status: Status) -> None:
        row, rig = status.row, self._rig
        if row is None:
            self.gauge.setValue(0)
            self.gauge.setFormat("no counts yet")
        if row is None or rig is None or not row.sync_hz > 0:
            return
        ratio = row.input_cps / row.sync_hz
        warn, stop = rig.guards.rate_ratio_warn, rig.guards.rate_ratio_stop
        theme = self._theme
        colour = theme.good if ratio < warn else theme.doubtful if ratio < stop else theme.bad
        self.gauge.setValue(round(1000 * min(ratio / stop, 1.0)))
        when = " " if status.is_busy else " last: "
        rates = f"{rate_text(row.input_cps)} · {100 * ratio:.2f} % of pulses · sync {row.sync_hz * 1e-6:.4g} MHz"
        self.gauge.setFormat(when + rates)
        self.gauge.setToolTip(
            f"Pile-up: warned of above {100 * warn:.1f} %, stopped above {100 * stop:.1f} % of the pulses"
        )
        red, green, blue, _ = QColor(colour).getRgb()
        filled = f"background: rgba({red}, {green}, {blue}, {SEEN_THROUGH}); border-bottom: 4px solid {colour};"
        sheet = f"QProgressBar {{ text-align: left; }} QProgressBar::chunk {{ {filled} }}"
        if self.gauge.styleSheet() != sheet:
            self.gauge.setStyleSheet(sheet)


def _words(status: Status, state: RunState) -> str:
    if state is RunState.FINISHED:
        return END_WORDS[status.ended]
    if state is RunState.RUNNING and status.waiting:
        return "WAITING"
    if state is RunState.RUNNING and status.is_held:
        return "PAUSING"
    return "STARTING" if status.is_busy and state is RunState.IDLE else STATE_WORDS.get(state, status.verb)


def duration(seconds: float) -> str:
    """Return a time as one says it.

    Examples
    --------
    >>> duration(5.2), duration(62), duration(7260)
    ('5 s', '1 min 2 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate_text(rate_cps: float) -> str:
    """Return a count rate with a fitting unit.

    Examples
    --------
    >>> rate_text(180.0), rate_text(18_300.0), rate_text(2.5e6)
    ('180 cps', '18.3 kcps', '2.5 Mcps')
    """
    for scale, unit in ((1e6, "Mcps"), (1e3, "kcps")):
        if rate_cps >= scale:
            return f"{rate_cps / scale:.3g} {unit}"
    return f"{rate_cps:.0f} cps"


def _label(name: str, text: str, point_size: int) -> QLabel:
    label = QLabel(text)
    label.setAccessibleName(name)
    font = label.font()
    font.setPointSize(point_size)
    font.setBold(True)
    label.setFont(font)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setContentsMargins(5, 2, 5, 2)
    return label


def _button(text: str, key: str, what: str) -> QPushButton:
    button = QPushButton(f"{text}\t{key}")
    button.setAccessibleName(text.capitalize())
    button.setToolTip(f"{what} ({key})")
    return button


def _show(label: QLabel, text: str, ground: str, ink: str) -> None:
    if label.text() != text:
        label.setText(text)
    _paint(label, ground, ink)


def _paint(label: QLabel, ground: str, ink: str) -> None:
    sheet = f"QLabel {{ background: {ground}; color: {ink}; border-radius: 4px; }}"
    if label.styleSheet() != sheet:
        label.setStyleSheet(sheet)
