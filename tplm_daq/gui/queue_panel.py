"""Runs that wait for their turn: added, put in order, doubled, removed, and started one after the other.

A run that fails goes back to waiting with its reason, and the queue stops, so that a fault at night is not repeated
until the morning.
"""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QListWidget, QVBoxLayout, QWidget

from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.recipe_kinds import asks_for, kind_of
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.load import AnyRecipe


@dataclass(frozen=True)
class QueuedRun:
    """A recipe, the rig it runs on, and why it did not work the last time."""

    recipe: AnyRecipe
    rig: RigRecipe
    reason: str = ""

    @property
    def text(self) -> str:
        """How it stands in the list."""
        kind = kind_of(self.recipe).name
        lines = [self.recipe.title, f"{kind}: {asks_for(self.recipe)}", *([f"✖ {self.reason}"] if self.reason else [])]
        return "\n    ".join(lines)


class QueuePanel(QWidget):
    """The queue.

    Attributes
    ----------
    run_requested : signal (object, object)
        A recipe, and the `RigRecipe` whose turn it is; answered by `run_ended`.
    edit_requested : signal (object)
        A recipe that somebody wants to see in the form.
    changed : signal (int)
        So many runs wait.
    """

    run_requested = pyqtSignal(object, object)
    edit_requested = pyqtSignal(object)
    changed = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: list[QueuedRun] = []
        self._under_way: QueuedRun | None = None
        self._is_busy = False
        self._head = QLabel()
        self._head.setWordWrap(True)
        self._head.setAccessibleName("State of the queue")
        self._list = QListWidget()
        self._list.setAccessibleName("Runs in the queue")
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.currentRowChanged.connect(lambda: self._enable())
        self._list.itemActivated.connect(lambda: self._edit())
        self._go_on = push_button("&Start the queue", "Run the queue, one after the other", self._start_next)
        self._go_on.setCheckable(True)
        self._up = push_button("Move up", "Move the run up", lambda: self._move(-1), "Alt+Up", self._list)
        self._down = push_button("Move down", "Move the run down", lambda: self._move(1), "Alt+Down", self._list)
        self._double = push_button("Duplicate", "Add the run a second time", self._duplicate, "Ctrl+D", self._list)
        self._remove = push_button("Remove", "Remove the run from the queue", self._drop, "Del", self._list)
        self._show_in_form = push_button("Edit", "Show the recipe in the form", self._edit)
        self._lay_out()
        self._enable()

    @property
    def runs(self) -> tuple[QueuedRun, ...]:
        """What waits, the next one first."""
        return tuple(self._runs)

    @property
    def is_started(self) -> bool:
        """Whether the next run begins by itself."""
        return self._go_on.isChecked()

    def add(self, recipe: AnyRecipe, rig: RigRecipe) -> None:
        """Let a run wait behind the others; it begins at once if the queue is started and nothing is under way."""
        self._runs.append(QueuedRun(recipe, rig))
        self._show(len(self._runs) - 1)
        self._start_next()

    def set_busy(self, is_busy: bool) -> None:
        """Begin no run while one is under way, from the queue or not."""
        self._is_busy = is_busy

    def run_ended(self, reason: str) -> None:
        """Take note that a run is over, from the queue or not, and begin the next one.

        `reason` says why it failed and is empty if it did not; a failure stops the queue.
        """
        run, self._under_way = self._under_way, None
        if reason:
            self._go_on.setChecked(False)
        if reason and run is not None:
            self._runs.insert(0, QueuedRun(run.recipe, run.rig, reason))
            self._show(0)
        self._start_next()

    def _start_next(self) -> None:
        if self.is_started and self._runs and not self._is_busy and self._under_way is None:
            self._under_way = self._runs.pop(0)
            self._show(0)
            self.run_requested.emit(self._under_way.recipe, self._under_way.rig)
        self._enable()

    def _move(self, by: int) -> None:
        here = self._list.currentRow()
        there = here + by
        if here >= 0 and 0 <= there < len(self._runs):
            self._runs[here], self._runs[there] = self._runs[there], self._runs[here]
            self._show(there)

    def _duplicate(self) -> None:
        here = self._list.currentRow()
        if here >= 0:
            chosen = self._runs[here]
            self._runs.insert(here + 1, QueuedRun(chosen.recipe, chosen.rig))
            self._show(here + 1)

    def _drop(self) -> None:
        here = self._list.currentRow()
        if here >= 0:
            del self._runs[here]
            self._show(min(here, len(self._runs) - 1))

    def _edit(self) -> None:
        here = self._list.currentRow()
        if here >= 0:
            self.edit_requested.emit(self._runs[here].recipe)

    def _show(self, chosen: int) -> None:
        self._list.clear()
        for number, run in enumerate(self._runs, start=1):
            self._list.addItem(f"{number}. {run.text}")
        self._list.setCurrentRow(chosen)
        self._enable()

    def _enable(self) -> None:
        here, last = self._list.currentRow(), len(self._runs) - 1
        self._up.setEnabled(here > 0)
        self._down.setEnabled(0 <= here < last)
        for button in (self._double, self._remove, self._show_in_form):
            button.setEnabled(here >= 0)
        self._go_on.setText("&Stop after this run" if self.is_started else "&Start the queue")
        self._head.setText(self._state())
        self.changed.emit(len(self._runs))

    def _state(self) -> str:
        """Return what the queue does, and what comes next."""
        n_runs = len(self._runs)
        waiting = "1 run waits" if n_runs == 1 else f"{n_runs} runs wait"
        begins = "begins by itself" if n_runs == 1 else "begin by themselves"
        if self._under_way is not None:
            after = f"{waiting}, and {begins}." if self.is_started else f"{waiting}; the queue stops after it."
            return f"▶ {self._under_way.recipe.title} is under way. {after}"
        if not n_runs:
            at_once = " What is added begins at once." if self.is_started else ""
            return f"Nothing waits. Ctrl+Return in the tab Recipe adds the recipe to the queue.{at_once}"
        return f"{waiting}, and {begins} once {'what is under way has ended' if self.is_started else 'it is started'}."

    def _lay_out(self) -> None:
        buttons = QVBoxLayout()
        for button in (self._go_on, self._up, self._down, self._double, self._remove, self._show_in_form):
            buttons.addWidget(button)
        buttons.addStretch(1)
        left = QVBoxLayout()
        left.addWidget(self._head)
        left.addWidget(self._list, 1)
        layout = QHBoxLayout(self)
        layout.addLayout(left, 1)
        layout.addLayout(buttons)
