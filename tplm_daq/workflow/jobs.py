"""From a recipe of any kind to what checks it or runs it."""

from __future__ import annotations

from pathlib import Path

from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.roles import Operator
from tplm_daq.workflow.align_job import AlignJob
from tplm_daq.workflow.check import CheckReport, check_scan
from tplm_daq.workflow.feasibility import AlignCheck, check_alignment
from tplm_daq.workflow.load import AnyRecipe, Measurement
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.series import SeriesJob
from tplm_daq.workflow.series_check import SeriesCheck, check_series
from tplm_daq.workflow.sweep_job import SweepCheck, check_sweep

AnyCheck = CheckReport | SeriesCheck | AlignCheck | SweepCheck
"""What a recipe would do."""


def check_recipe(recipe: AnyRecipe, rig: RigRecipe) -> AnyCheck:
    """Return what a recipe would do; a lattice needs no rig.

    Raises
    ------
    InputError
        It cannot be done; every reason is listed, one a line.
    """
    return check_sweep(recipe) if isinstance(recipe, KmcRecipe) else check_measurement(recipe, rig)


def check_measurement(recipe: Measurement, rig: RigRecipe) -> CheckReport | SeriesCheck | AlignCheck:
    """Return what a measurement would do on a rig, how long it takes and how precise it becomes.

    Raises
    ------
    InputError
        The rig cannot do this; every reason is listed, one a line.
    """
    match recipe:
        case SeriesRecipe():
            return check_series(recipe, rig)
        case ScanRecipe():
            return check_scan(recipe, rig)
        case _:
            return check_alignment(recipe, rig)


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
