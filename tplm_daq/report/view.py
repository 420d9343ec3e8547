"""What a report shows of one run, gathered so that drawing needs no file and no device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tplm_daq.analysis.result import Result
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.reader import RunFile


@dataclass(frozen=True)
class RunView:
    """One run or imported file in a report.

    Attributes
    ----------
    title, source : str
        Heading, and the name of the file it came from.
    data : TimePositionMap
        Counts per position.
    result : Result or None
        What analysis found; None if it could not be fitted.
    fit_error : str or None
        Why there is no result.
    conditions : mapping of str to str
        What was measured, under which conditions: rows of a table, units in the texts.
    truth_cm2_s : float or None
        Diffusivity of the simulated sample, to stand beside the measured one.
    recipe_text : str or None
        Recipe of the run, YAML.
    provenance : mapping of str to str
        Versions of the program and of what it stands on.
    """

    title: str
    source: str
    data: TimePositionMap
    result: Result | None
    fit_error: str | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)
    truth_cm2_s: float | None = None
    recipe_text: str | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)


def view_of_run(run: RunFile, result: Result | None, fit_error: str | None = None) -> RunView:
    """Gather what a report shows of a run file.

    Parameters
    ----------
    run : RunFile
        The run.
    result : Result or None
        Its analysis.
    fit_error : str or None
        Why there is none.

    Returns
    -------
    RunView
        Ready to be drawn.

    Raises
    ------
    InputError
        If the run has no points.
    """
    truth = run.truth() or {}
    true_diffusivity = truth.get("diffusivity_cm2_s")
    return RunView(
        title=run.title,
        source=run.path.name,
        data=run.map(),
        result=result,
        fit_error=fit_error,
        conditions=conditions_of_run(run),
        truth_cm2_s=float(true_diffusivity) if isinstance(true_diffusivity, int | float) else None,
        recipe_text=run.header.recipe_text,
        provenance={name: str(version) for name, version in run.environment().items()},
    )


def conditions_of_map(data: TimePositionMap) -> dict[str, str]:
    """Return what an imported map says about how it was measured, units in the texts."""
    rows = {"positions": str(len(data.x_nm)), "delay bins": f"{len(data.delay_ns)} of {1e3 * data.bin_width_ns:.4g} ps"}
    if data.dwell_s is not None:
        rows["counting time"] = f"{data.dwell_s.sum():.4g} s"
    if data.repetition_rate_hz is not None:
        rows["repetition rate"] = f"{data.repetition_rate_hz / 1e6:.5g} MHz"
    return rows | {"detector pixel at the sample": "{:.4g} nm × {:.4g} nm (x × y)".format(*data.pixel_nm)}


def conditions_of_run(run: RunFile) -> dict[str, str]:
    """Return the rows of the table of conditions; what the rig does not know is left out."""
    points, header = run.points, run.header
    session = {key.replace("_", " "): text for key, text in header.session.items() if text}
    rows = {
        "started": run.start_time,
        "ended": f"{run.end_time} ({run.finish_reason})" if run.end_time else "cut short, or still going on",
        "points": f"{run.n_points} at {len(np.unique(points['index']))} positions, "
        f"{points['pass'].max() + 1} pass{'es' if points['pass'].max() else ''}",
        "counting time": f"{points['live_s'].sum():.4g} s",
        "repetition rate": f"{header.repetition_rate_hz / 1e6:.5g} MHz",
        "average power": _mean_text(points["power_nw"], "nW"),
        "temperature": _mean_text(points["temperature_k"], "K"),
        "highest detector rate": _largest_text(points["input_cps"], "counts/s"),
        "detector pixel at the sample": f"{header.pixel_nm[0]:.4g} nm × {header.pixel_nm[1]:.4g} nm (x × y)",
        "suspect points": str(int(np.count_nonzero(points["flags"]))),
    }
    return session | {name: text for name, text in rows.items() if text}


def _mean_text(values: np.ndarray, unit: str) -> str:
    """Return mean and standard deviation of a column as text, nothing if it is not known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return ""
    spread = f" ± {known.std(ddof=1):.2g}" if len(known) > 1 and known.std() > 0 else ""
    return f"{known.mean():.4g}{spread} {unit}"


def _largest_text(values: np.ndarray, unit: str) -> str:
    """Return the largest value of a column as text, nothing if it is not known."""
    known = values[np.isfinite(values)]
    return f"{known.max():.4g} {unit}" if len(known) else ""
