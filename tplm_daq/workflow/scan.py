"""One scan from recipe to result: the rig is opened, the scan recorded, the rig made safe, the data analysed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tplm_daq.acquire.events import Listener
from tplm_daq.errors import Aborted, LightMayBeOnError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.workflow.align_job import align_first
from tplm_daq.workflow.calibrated import with_calibrations
from tplm_daq.workflow.check import require_feasible
from tplm_daq.workflow.event_log import EventLog
from tplm_daq.workflow.notify import notify, telling_failure
from tplm_daq.workflow.outcome import Recorded, ScanOutcome, conclude
from tplm_daq.workflow.places import make_folder, new_path
from tplm_daq.workflow.recording import Recording
from tplm_daq.workflow.steering import Steering


class ScanJob(Steering):
    """A scan that may be watched and steered from other threads while `run` works.

    Parameters
    ----------
    recipe, rig_recipe : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    folder : Path
        Where the run file goes; made if absent.
    operator : Operator
        Who turns knobs.
    with_report : bool
        Whether a report page is written beside the run file.
    listeners : iterable of callable
        Receive the runner's events in its thread.
    """

    def __init__(
        self,
        recipe: ScanRecipe,
        rig_recipe: RigRecipe,
        folder: Path,
        operator: Operator,
        with_report: bool = False,
        listeners: Iterable[Listener] = (),
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.rig_recipe = rig_recipe
        self.folder = folder
        self.operator = operator
        self.with_report = with_report
        self.listeners.extend(listeners)

    def run(self) -> ScanOutcome:
        """Open the rig, scan, make it safe, analyse, write the report if wanted.

        Raises
        ------
        TplmError
            There is no run file: the rig could not be opened or prepared, or the file not be created.
        """
        began_s = time.monotonic()
        require_feasible(self.recipe, self.rig_recipe)
        make_folder(self.folder)
        self.require_wanted("before the rig was opened")
        with telling_failure(self.rig_recipe.policies.at_end_run):
            recorded = self._record()
        self.measured()
        wall_s = time.monotonic() - began_s
        outcome = conclude(recorded, self.recipe, wall_s, self.with_report, lambda: self.is_in_a_hurry)
        if outcome.error is None and self.abort_message is not None:
            outcome = replace(outcome, error=Aborted(f"{self.abort_message}, after the last point"))
        notify(self.rig_recipe.policies.at_end_run, outcome.to_dict())
        return outcome

    def _record(self) -> Recorded:
        recorded = None
        try:
            calibrated = with_calibrations(self.rig_recipe, self.folder)
            with (
                RigLock(calibrated.real_addresses),
                open_rig(calibrated, self.operator, self.checkpoint) as rig,
                EventLog() as events,
            ):
                rig_recipe = align_first(rig, self.recipe, self.rig_recipe, self.folder, self, events.on_event)
                path = new_path(self.folder, self.recipe.title)
                recorded = Recording(rig, self.recipe, rig_recipe, path, self, events).run()
        except LightMayBeOnError as error:
            if recorded is None:
                raise
            return replace(recorded, error=error)
        return recorded
