"""From a recipe of any kind to what checks it or runs it."""

from __future__ import annotations

from pathlib import Path

from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.roles import Operator
from tplm_daq.workflow.align_job import AlignJob
from tplm_daq.workflow.calibrated import Calibrations, calibrated_by, look_up
from tplm_daq.workflow.check import CheckReport, check_scan
from tplm_daq.workflow.feasibility import AlignCheck, check_alignment
from tplm_daq.workflow.load import AnyRecipe, Measurement
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.series import SeriesJob
from tplm_daq.workflow.series_check import SeriesCheck, check_series
from tplm_daq.workflow.sweep_job import SweepCheck, check_sweep

MeasurementCheck = CheckReport | SeriesCheck | AlignCheck
"""What a measurement would do."""
AnyCheck = MeasurementCheck | SweepCheck
"""What a recipe would do."""


def check_recipe(recipe: AnyRecipe, rig: RigRecipe, folder: Path) -> tuple[AnyCheck, Calibrations]:
    """Return what a recipe would do, as `check_measurement`; a lattice needs neither rig nor calibrations.

    Raises
    ------
    InputError
        It cannot be done; every reason is listed, one a line.
    """
    if isinstance(recipe, KmcRecipe):
        return check_sweep(recipe), Calibrations((), ())
    return check_measurement(recipe, rig, folder)


def check_measurement(recipe: Measurement, rig: RigRecipe, folder: Path) -> tuple[MeasurementCheck, Calibrations]:
    """Return what a measurement would do, how long and how precisely, and which calibrations it would take over.

    Parameters
    ----------
    recipe : Measurement
        What is to be measured.
    rig : RigRecipe
        As the rig file has it.
    folder : Path
        Folder of the run files, with the calibrations.

    Raises
    ------
    InputError
        The rig cannot do this; every reason is listed, one a line.
    """
    calibrations = look_up(rig, folder)
    calibrated = calibrated_by(calibrations, rig)
    match recipe:
        case SeriesRecipe():
            return check_series(recipe, calibrated), calibrations
        case ScanRecipe():
            return check_scan(recipe, calibrated), calibrations
        case _:
            return check_alignment(recipe, calibrated), calibrations


def make_job(
    recipe: Measurement, rig: RigRecipe, folder: Path, operator: Operator, with_report: bool
) -> ScanJob | SeriesJob | AlignJob:
    """Return the job that carries out a measurement; nothing is opened before it runs."""
    match recipe:
        case SeriesRecipe():
            return SeriesJob(recipe, rig, folder, operator, with_report)
        case ScanRecipe():
            return ScanJob(recipe, rig, folder, operator, with_report)
        case _:
            return AlignJob(recipe, rig, folder, operator)
