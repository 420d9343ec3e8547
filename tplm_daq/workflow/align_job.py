"""One alignment from recipe to calibration file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tplm_daq.acquire.events import FinishReason, Listener, Message, Step
from tplm_daq.acquire.prepare import prepare
from tplm_daq.acquire.runner import Plan, Runner
from tplm_daq.recipes.align import AlignRecipe, alignment_model
from tplm_daq.recipes.load import dump_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.store.calibrations import FOLDER, Calibration, Stored, write_calibration
from tplm_daq.store.writer import local_time
from tplm_daq.workflow.align_procedures import procedure
from tplm_daq.workflow.align_steps import Findings, Ready, Walk
from tplm_daq.workflow.calibrated import rig_key, with_calibrations
from tplm_daq.workflow.feasibility import require_alignable
from tplm_daq.workflow.notify import notify, telling_failure
from tplm_daq.workflow.places import make_folder
from tplm_daq.workflow.steering import Steering


@dataclass(frozen=True)
class AlignOutcome:
    """What an alignment found.

    Attributes
    ----------
    procedure : str
        Which one.
    calibration_file : Path
        Where it is kept.
    sha256 : str
        Of that file; runs refer to it by this.
    expires_at : str
        Until when it is used.
    values : mapping of str to float
        What was found, units in the names.
    truth : mapping or None
        What is true of a simulated rig.
    n_points : int
        Points taken.
    wall_s : float
        From the start to the closed rig.
    """

    procedure: str
    calibration_file: Path
    sha256: str
    expires_at: str
    values: Mapping[str, float]
    truth: Mapping[str, object] | None
    n_points: int
    wall_s: float
    finish_reason: FinishReason = FinishReason.COMPLETED
    exit_status: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm run --json` prints for an alignment."""
        answer = asdict(self)
        answer |= {"calibration_file": str(self.calibration_file), "finish_reason": self.finish_reason.value}
        del answer["exit_status"]
        return {key: value for key, value in answer.items() if value is not None}


class AlignJob(Steering):
    """An alignment that may be watched and steered from other threads while `run` works.

    Parameters
    ----------
    recipe, rig_recipe : AlignRecipe, RigRecipe
        What is wanted, and on which microscope.
    folder : Path
        Folder of the run files, in which calibrations have a folder of their own; made if absent.
    operator : Operator
        Who turns knobs.
    listeners : iterable of callable
        Receive the runner's events in its thread.
    """

    def __init__(
        self,
        recipe: AlignRecipe,
        rig_recipe: RigRecipe,
        folder: Path,
        operator: Operator,
        listeners: Iterable[Listener] = (),
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.rig_recipe = rig_recipe
        self.folder = folder
        self.operator = operator
        self.listeners.extend(listeners)

    def run(self) -> AlignOutcome:
        """Open the rig, follow the procedure, make the rig safe, and keep what was found.

        Raises
        ------
        TplmError
            Nothing was found, for whatever reason; nothing is kept then.
        """
        began_s = time.monotonic()
        require_alignable(self.recipe, self.rig_recipe)
        make_folder(self.folder)
        calibrated = with_calibrations(self.rig_recipe, self.folder)
        self.require_wanted("before the rig was opened")
        with (
            telling_failure(self.rig_recipe.policies.at_end_run),
            RigLock(calibrated.real_addresses),
            open_rig(calibrated, self.operator, self.checkpoint) as rig,
        ):
            following = Following(rig, self.recipe, calibrated, self, self.listeners)
            findings = following.run()
            light = self.recipe.light
            truth = None if rig.truth is None else rig.truth(light.average_power_nw, light.repetition_rate_hz)
        self.measured()
        stored = keep(self.recipe, self.rig_recipe, self.folder, findings)
        outcome = AlignOutcome(
            procedure=self.recipe.procedure,
            calibration_file=stored.path,
            sha256=stored.sha256,
            expires_at=stored.calibration.expires_at.isoformat(timespec="seconds"),
            values=findings.values,
            truth=truth,
            n_points=following.runner.status.n_done,
            wall_s=time.monotonic() - began_s,
        )
        notify(self.rig_recipe.policies.at_end_run, outcome.to_dict())
        return outcome


class Following:
    """A procedure that is followed on an opened rig, which is left in its safe state, and open.

    Attributes
    ----------
    runner : Runner
        Takes the points.
    latest : None
        There is no live fit of D.
    """

    latest: Any = None

    def __init__(
        self,
        rig: Rig,
        recipe: AlignRecipe,
        rig_recipe: RigRecipe,
        steering: Steering,
        listeners: Iterable[Listener],
    ) -> None:
        self._rig = rig
        self._recipe = recipe
        self._rig_recipe = rig_recipe
        self._walk: Walk | None = None
        self.runner = Runner(rig)
        for listener in listeners:
            self.runner.listen(listener)
        steering.take_over(self)

    def run(self) -> Findings:
        """Follow the procedure to its end; TplmError if it does not come to one."""
        self.runner.run(self._prepare)
        assert self._walk is not None
        assert self._walk.findings is not None
        return self._walk.findings

    def put_light_out(self) -> tuple[str, ...]:
        """Put the light out over connections of its own, from any thread."""
        return self._rig.put_light_out()

    def _prepare(self) -> Plan:
        runner = self.runner
        prepared = prepare(self._rig, self._recipe, self._rig_recipe, runner.checkpoint, runner.tell)
        ready = Ready(self._rig, self._rig_recipe, prepared, runner.checkpoint)
        self._walk = Walk(procedure(ready, self._recipe), self._recipe.n_points)
        return Plan(self._walk, prepared.settings, self._walk)


def align_first(
    rig: Rig, recipe: ScanRecipe, rig_recipe: RigRecipe, folder: Path, steering: Steering, log: Listener
) -> RigRecipe:
    """Do what a scan wants to be aligned first, except where a calibration is still valid; listeners get no points.

    Parameters
    ----------
    rig : Rig
        The opened rig; it is left in its safe state, and open.
    recipe, rig_recipe : ScanRecipe, RigRecipe
        The scan, and the rig as the rig file has it.
    folder : Path
        Folder of the run files.
    steering : Steering
        Whoever may end or hold the job, and who listens.
    log : callable
        Listens as well: the event log of the scan.

    Returns
    -------
    RigRecipe
        With all calibrations that are valid now.

    Raises
    ------
    TplmError
        A procedure did not come to its end.
    """
    for name in recipe.align_first:
        calibrated = with_calibrations(rig_recipe, folder)
        if all(known.procedure != name for known in calibrated.calibrations):
            wanted = _under_circumstances_of(recipe, name)
            following = Following(rig, wanted, calibrated, steering, _without_points((log, *steering.listeners)))
            following.runner.inform(f"aligning first: {name}")
            keep(wanted, rig_recipe, folder, following.run())
    return with_calibrations(rig_recipe, folder)


def keep(recipe: AlignRecipe, rig_recipe: RigRecipe, folder: Path, findings: Findings) -> Stored:
    """Write what a procedure found into a calibration file; StoreError if the disk does not take it."""
    made_at = local_time()
    calibration = Calibration(
        procedure=recipe.procedure,
        rig=rig_recipe.name,
        depends_on=rig_key(rig_recipe, recipe.procedure),
        made_at=made_at,
        expires_at=made_at + timedelta(seconds=recipe.valid_for_s),
        values=findings.values,
        measured=findings.measured,
        recipe_text=dump_yaml(recipe),
    )
    return write_calibration(folder / FOLDER, calibration)


def _without_points(listeners: Iterable[Listener]) -> list[Listener]:
    """Keep points and states of an alignment from listeners that expect those of the scan after it."""

    def filtered(listen: Listener) -> Listener:
        return lambda event: listen(event) if isinstance(event, Message | Step) else None

    return [filtered(listen) for listen in listeners]


def _under_circumstances_of(recipe: ScanRecipe, name: str) -> AlignRecipe:
    """Return the recipe of a procedure as it is by itself, with light, counting, temperature and spot of a scan."""
    circumstances = {"light", "counter", "temperature_k", "spot_nm", "detection_filter"}
    data = recipe.model_dump(mode="json", exclude_none=True, include=circumstances)
    data |= {"kind": "align", "procedure": name, "title": f"{name} for {recipe.title}"[:120]}
    return validate(alignment_model(data, name), data, name)
