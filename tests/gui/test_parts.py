"""The smaller parts of the window: words, bars, log, questions, keys."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QLabel, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.grown_runs import picture_of, recipe_of
from tplm_daq.acquire.events import RunState
from tplm_daq.errors import Aborted, DeviceError
from tplm_daq.gui.asking import Question, WindowOperator
from tplm_daq.gui.help import KEYS, HelpDialog
from tplm_daq.gui.live_view import LiveView
from tplm_daq.gui.log_panel import MOST_LINES, LogPanel
from tplm_daq.gui.message_bar import MessageBar
from tplm_daq.gui.questions import Questions
from tplm_daq.gui.run_bar import RunBar
from tplm_daq.gui.status import Light, Status, StopWatch
from tplm_daq.gui.theme import DARK, LIGHT, Theme
from tplm_daq.gui.window import Window
from tplm_daq.store.layout import PointFlags, PointRow
from tplm_daq.workflow.load import load_rig
from tplm_daq.workflow.nobody import Nobody

RIG = load_rig("configs/rig_sim.yaml", [])


def row(input_cps: float, sync_hz: float = 2.5e6) -> PointRow:
    place = (0.0,) * 6
    return PointRow(2, 0, *place, 1.0, 1.0, sync_hz, input_cps, 300.0, 10.0, PointFlags(0), 0.0, 1.0)


@pytest.fixture
def bar(qtbot: QtBot) -> RunBar:
    shown = RunBar()
    qtbot.addWidget(shown)
    shown.set_theme(DARK)
    shown.set_rig(RIG)
    shown.show()
    return shown


@pytest.mark.parametrize(
    ("state", "is_busy", "word", "steerable"),
    [
        (RunState.IDLE, False, "IDLE", False),
        (RunState.IDLE, True, "STARTING", False),
        (RunState.PREPARING, True, "PREPARING", True),
        (RunState.RUNNING, True, "SCANNING", True),
        (RunState.PAUSED, True, "PAUSED", True),
        (RunState.FINISHING, True, "MAKING SAFE", False),
        (RunState.FINISHED, True, "MAKING SAFE", False),
        (RunState.FINISHED, False, "DONE", False),
    ],
)
def test_the_state_is_a_word_and_decides_what_can_be_pressed(
    bar: RunBar, state: RunState, is_busy: bool, word: str, steerable: bool
) -> None:
    bar.show_status(Status(state, is_busy))
    assert bar.state.text() == word
    assert (bar.pause.isEnabled(), bar.finish_pass.isEnabled()) == (steerable, steerable)
    assert (bar.run.isEnabled(), bar.abort.isEnabled()) == (not is_busy, is_busy)
    assert bar.light_off.isEnabled()


def test_progress_tells_points_pass_and_time_left(bar: RunBar) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 100, 410, 75.0, row(18_000.0)))
    assert bar.progress.text() == "100 of 410 points · pass 3 · 1 min 15 s left"


@pytest.mark.parametrize(
    ("input_cps", "colour"), [(18_000.0, DARK.good), (60_000.0, DARK.doubtful), (400_000.0, DARK.bad)]
)
def test_the_gauge_warns_of_pile_up(bar: RunBar, input_cps: float, colour: str) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 1, 2, None, row(input_cps)))
    assert colour in bar.gauge.styleSheet()
    assert "of pulses · sync 2.5 MHz" in bar.gauge.text()
    assert 0 < bar.gauge.value() <= 1000


def test_rates_have_the_room_they_need_beside_d(bar: RunBar) -> None:
    bar.resize(1366, 90)
    bar.show_result(picture_of(recipe_of("path.n_positions=21")))
    bar.show_status(Status(RunState.RUNNING, True, 1, 2, None, row(18_300.0), light=Light.ON))
    QApplication.processEvents()
    assert bar.gauge.fontMetrics().horizontalAdvance(bar.gauge.text()) < bar.gauge.width()


def test_a_rate_that_nobody_knows_leaves_the_gauge_alone(bar: RunBar) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 1, 2, None, row(18_000.0, sync_hz=float("nan"))))
    assert bar.gauge.text() == "no counts yet"


def test_d_stands_in_the_colour_of_the_lamp(bar: RunBar) -> None:
    picture = picture_of(recipe_of("path.n_positions=21"))
    bar.show_result(picture)
    assert picture.result is not None
    assert bar.diffusivity.text().startswith(f"D {picture.result.diffusivity_cm2_s:.4f} ± ")
    assert picture.result.bias_lamp in bar.diffusivity.toolTip()


@pytest.mark.parametrize("light", Light)
def test_the_light_is_a_word(bar: RunBar, light: Light) -> None:
    bar.show_status(Status(light=light))
    assert bar.light.text() == light.value.upper()


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_every_colour_can_be_read(theme: Theme) -> None:
    ground = luminance(theme.ground)
    for name, least in (("text", 7), ("faint", 7), ("good", 4.5), ("doubtful", 4.5), ("bad", 4.5), ("data", 4.5)):
        light, dark = sorted([ground, luminance(getattr(theme, name))], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, name


def test_the_stop_watch_leaves_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("tplm_daq.gui.status.time.monotonic", lambda: now[0])
    watch = StopWatch()
    assert watch.left_s(0.0) is None
    watch.enter(RunState.RUNNING)
    now[0] = 4.0
    watch.enter(RunState.PAUSED)
    now[0] = 100.0
    assert watch.left_s(0.2) is None
    watch.enter(RunState.RUNNING)
    now[0] = 102.0
    assert watch.left_s(1 / 3) == pytest.approx(12.0)


def test_the_log_filters_by_level_and_text(qtbot: QtBot) -> None:
    panel = LogPanel()
    qtbot.addWidget(panel)
    logger = logging.getLogger("tplm_daq.test")
    logger.setLevel(logging.INFO)
    logger.info("the stage has arrived")
    logger.warning("the rate is high")
    logger.error("the stage is lost")
    panel.refresh()
    shown = panel.table.model()
    assert shown is not None
    assert shown.rowCount() == 3
    panel.level.setCurrentText("Warnings")
    assert shown.rowCount() == 2
    panel.text.setText("STAGE")
    assert shown.rowCount() == 1
    qtbot.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().endswith("error\tthe stage is lost")
    panel.set_theme(LIGHT)
    panel.stop()
    logger.error("nobody hears this")
    panel.refresh()
    assert panel.lines.rowCount() == 3


def test_the_log_forgets_the_oldest(qtbot: QtBot) -> None:
    panel = LogPanel()
    qtbot.addWidget(panel)
    logger = logging.getLogger("tplm_daq.test")
    logger.setLevel(logging.INFO)
    for _ in range(2):
        for number in range(MOST_LINES - 10):
            logger.info("%d", number)
        panel.refresh()
    panel.stop()
    assert panel.lines.rowCount() == MOST_LINES
    assert panel.lines.data(panel.lines.index(MOST_LINES - 1, 2)) == str(MOST_LINES - 11)


@pytest.mark.parametrize("answer", ["It is set", "Stop the scan"])
def test_the_operator_is_asked_in_the_window_and_answers(qtbot: QtBot, answer: str) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    questions, asked, outcome = Questions(parent), list[Question](), list[str]()
    operator = WindowOperator("somebody", asked.append, lambda: False)

    def ask() -> None:
        try:
            operator.set_by_hand("Set the laser to 10 nW.", {"average_power_nw": 10.0})
            outcome.append("done")
        except Aborted as error:
            outcome.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    qtbot.waitUntil(lambda: bool(asked))
    questions.ask(asked[0])
    (box,) = parent.findChildren(QMessageBox)
    assert "average power: 10 nW" in box.text()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        qtbot.keyClick(box.focusWidget() or box, key)  # of somebody who was typing when the box came
    assert not asked[0].answered.is_set()
    (button,) = [each for each in box.buttons() if each.text().replace("&", "") == answer]
    button.click()
    thread.join()
    questions.close_answered()
    assert not box.isVisible()
    assert outcome == ["done" if answer == "It is set" else "the operator declined: Set the laser to 10 nW."]


def test_a_question_ends_with_the_run_or_with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Question] = []
    with pytest.raises(Aborted, match="ended while waiting for: turn it"):
        WindowOperator("somebody", asked.append, lambda: True).set_by_hand("turn it", {})
    assert asked[0].answered.is_set()
    monkeypatch.setattr("tplm_daq.gui.asking.PATIENCE_S", 0.0)
    with pytest.raises(Aborted, match="nobody answered"):
        WindowOperator("somebody", asked.append, lambda: False).set_by_hand("turn it", {})
    with pytest.raises(Aborted, match="turn it"):
        Nobody().set_by_hand("turn it", {})


def test_a_failure_is_told_with_its_cause_and_the_next_step(qtbot: QtBot) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.tell_ending(DeviceError("stage", "TCPIP::1", "nothing answers", "Check the cable."))
    assert bar.text.text() == "✖  stage at TCPIP::1: nothing answers. Check the cable."
    qtbot.mouseClick(bar.dismiss, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_a_scan_that_waits_says_for_what_and_that_it_goes_on_by_itself(qtbot: QtBot, bar: RunBar) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 3, 9, waiting="temperature is 270 K"))
    assert bar.state.text() == "WAITING"
    messages = MessageBar()
    qtbot.addWidget(messages)
    messages.show_waiting("temperature is 270 K")
    assert "temperature is 270 K. It goes on by itself" in messages.text.text()
    messages.dismiss.click()
    messages.show_waiting("temperature is 270 K")
    assert not messages.isVisible()
    messages.show()
    messages.show_waiting("")
    assert not messages.isVisible()
    messages.show_waiting("no sync")
    messages.tell("bad", "something else")
    messages.show_waiting("")
    assert messages.isVisible()


def test_every_key_calls_something_that_exists_and_is_listed(qtbot: QtBot) -> None:
    for key in KEYS:
        assert callable(getattr(LiveView if key.is_of_live_view else Window, key.act))
    assert len({key.keys for key in KEYS}) == len(KEYS)
    parent = QWidget()
    qtbot.addWidget(parent)
    (text,) = [label.text() for label in HelpDialog(parent).findChildren(QLabel, "keys")]
    assert all(key.keys in text and key.what in text for key in KEYS)


def test_what_is_asked_of_the_operator_is_seen_at_once(bar: RunBar) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 3, 9, 75.0, row(18_000.0), is_held=True))
    assert (bar.state.text(), bar.pause.text()) == ("PAUSING", "Go on\tF6")
    assert bar.progress.text().endswith("F6 goes on")
    bar.show_status(Status(RunState.RUNNING, True, 3, 9, 75.0, row(18_000.0), is_last_pass=True))
    assert bar.progress.text().endswith("ends after this pass")
    assert not bar.finish_pass.isEnabled()


def test_before_the_first_point_the_bar_says_what_is_done(bar: RunBar) -> None:
    bar.show_status(Status(RunState.RUNNING, True, 1, 2, None, row(18_000.0)))
    bar.show_status(Status(RunState.PREPARING, True, doing="approaching 50 K, it is at 120.3 K"))
    assert bar.progress.text() == "approaching 50 K, it is at 120.3 K"
    assert bar.gauge.text() == "no counts yet"


def test_the_buttons_stay_where_they_are_while_words_change(bar: RunBar) -> None:
    bar.resize(1366, 90)
    places = set()
    for state, light in ((RunState.IDLE, Light.OUT), (RunState.RUNNING, Light.ON), (RunState.FINISHING, Light.OUT)):
        bar.show_status(Status(state, True, light=light))
        QApplication.processEvents()
        places.add((bar.pause.x(), bar.abort.x(), bar.abort.width()))
    assert len(places) == 1


def test_no_digit_of_d_is_cut_off_in_a_narrow_window(bar: RunBar) -> None:
    bar.show_result(picture_of(recipe_of("path.n_positions=21")))
    bar.show_status(Status(RunState.RUNNING, True, 1, 2, None, row(18_300.0), light=Light.ON))
    bar.resize(bar.minimumSizeHint())
    QApplication.processEvents()
    assert bar.diffusivity.width() >= bar.diffusivity.sizeHint().width()
