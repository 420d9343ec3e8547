"""Going on with a run that was cut short: reads its file in the background, once, before the job begins."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from tplm_daq.gui.background import LatestJob
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.resume import ResumableSeries, load_on_rig
from tplm_daq.workflow.resume_run import ResumableRun

Resumable = ResumableRun | ResumableSeries


class Resuming(QObject):
    """Reads what is to go on; what is asked for meanwhile is ignored.

    Parameters
    ----------
    rig : RigRecipe
        The microscope.
    parent : QObject
        The window.

    Attributes
    ----------
    ready : signal (object)
        A `Resumable` whose job can begin.
    refused : signal (str)
        Why there is none.
    """

    ready = pyqtSignal(object)
    refused = pyqtSignal(str)

    def __init__(self, rig: RigRecipe, parent: QObject) -> None:
        super().__init__(parent)
        self._rig = rig
        self._job = LatestJob("resuming", self)
        self._job.done.connect(self._answer)
        self.is_busy = False

    def start(self, path: Path) -> None:
        """Read a run file or the folder of a series."""
        if not self.is_busy:
            self.is_busy = True
            self._job.start(lambda: load_on_rig(path, self._rig))

    def stop(self) -> None:
        """Drop what is being read."""
        self.is_busy = False

    def _answer(self, outcome: object) -> None:
        if not self.is_busy:
            return
        self.is_busy = False
        if isinstance(outcome, Resumable):
            self.ready.emit(outcome)
        else:
            self.refused.emit(str(outcome))
