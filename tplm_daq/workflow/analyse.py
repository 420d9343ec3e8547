"""Analysis of what is already there: a run file with its passes, or an imported map.

`analyse_run` is the only way from a run file to a result: after a scan, on the command line, in a report and when a
stored result is verified. The result follows from the file and the recipe alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.passes import FEWEST_PASSES, Pass, analyse_passes
from tplm_daq.analysis.pipeline import Result, analyse
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections
from tplm_daq.store.importer import is_run_name, load_map
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.load import load_analysis


def analyse_file(path: Path, method: str | None, assignments: Sequence[str]) -> Result:
    """Fit what is in a file.

    Parameters
    ----------
    path : Path
        Run file (.h5) or imported map (.npz, .csv, .ptu).
    method : str or None
        Estimator; None for the default.
    assignments : sequence of str
        ``KEY=VALUE`` changes of the analysis recipe.

    Raises
    ------
    InputError
        The file or an option cannot be used.
    FitError
        The data cannot be fitted.
    """
    recipe = load_analysis(method, assignments)
    return analyse_run(open_run(path), recipe) if is_run_name(path) else analyse(load_map(path), recipe, with_laws=True)


def analyse_run(run: RunFile, recipe: AnalysisRecipe) -> Result:
    """Fit a run, corrected for what is known of each of its points.

    Parameters
    ----------
    run : RunFile
        The run, complete or not.
    recipe : AnalysisRecipe
        How to fit, and what to correct.

    Returns
    -------
    Result
        With the power law of the late decay.

    Raises
    ------
    InputError
        There are no points.
    FitError
        The data cannot be fitted.
    """
    points, done = _corrected_points(run.points, recipe.corrections)
    corrected = replace(run, points=points)
    n_passes, is_line = len(np.unique(points["pass"])), run.header.position_axis != "xy"
    if recipe.corrections.drift and is_line and n_passes >= FEWEST_PASSES:
        passes = [Pass(data, time_s) for data, time_s in corrected.passes()]
        result = analyse_passes(passes, recipe, with_laws=True)
    else:
        result = analyse(corrected.map(), recipe, with_laws=True)
    return replace(result, corrections=(*done, *result.corrections))


def _corrected_points(points: NDArray[np.void], corrections: Corrections) -> tuple[NDArray[np.void], tuple[str, ...]]:
    """Return the points where and with the light they were measured, as far as that is known, and what was done."""
    points, done = points.copy(), list[str]()
    readback_nm = [points[f"{axis}_readback_nm"] for axis in "xy"]
    if not corrections.read_back:
        for column in readback_nm:
            column[:] = np.nan
    elif np.isfinite(readback_nm).any():
        done.append("positions as read back")
    power_nw = points["power_nw"]
    if (
        corrections.power
        and len(points)
        and np.isfinite(power_nw).all()
        and np.ptp(power_nw) > 0
        and power_nw.min() > 0
    ):
        relative = power_nw / power_nw.mean()
        points["live_s"] *= relative
        done.append(f"power measured at each point (varied by {100 * relative.std():.2g} % rms)")
    return points, tuple(done)
