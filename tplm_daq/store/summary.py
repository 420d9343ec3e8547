"""One run file in a line: what was measured and what came of it, without reading counts.

Only scalars, and the column of powers, are read: some milliseconds per file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows
from tplm_daq.store.opening import reading
from tplm_daq.store.results import result_names
from tplm_daq.store.tree import read_value

RESULT_SHOWN = ("diffusivity_cm2_s", "ci95_cm2_s", "bias_lamp")
"""Values of a stored result that a summary shows."""


@dataclass(frozen=True)
class RunSummary:
    """One run file in a list; None stands for what the file does not say.

    Attributes
    ----------
    path : Path
        The file.
    title, sample : str
        Title of the recipe, and the sample that the operator noted ("" if none).
    start_time : datetime
        Start, with its zone.
    finish_reason : str or None
        Why the run ended; None if it was cut short or is still going on.
    n_points : int
        Acknowledged points.
    repetition_rate_hz : float
        Laser repetition rate asked for.
    average_power_nw : float or None
        Mean over the points of the average power at the sample.
    method : str or None
        Estimator of the newest stored result; None if there is no result.
    diffusivity_cm2_s : float or None
        Its diffusivity.
    ci95_cm2_s : tuple of float or None
        Its statistical 95 % interval, low and high.
    bias_lamp : str or None
        How far to trust it.
    """

    path: Path
    title: str
    sample: str
    start_time: datetime
    finish_reason: str | None
    n_points: int
    repetition_rate_hz: float
    average_power_nw: float | None
    method: str | None
    diffusivity_cm2_s: float | None
    ci95_cm2_s: tuple[float, float] | None
    bias_lamp: str | None

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON takes them."""
        changed = {
            "path": str(self.path),
            "start_time": self.start_time.isoformat(timespec="milliseconds"),
            "ci95_cm2_s": None if self.ci95_cm2_s is None else list(self.ci95_cm2_s),
        }
        return {**asdict(self), **changed}


def summarise(path: Path) -> RunSummary:
    """Return the summary of a run file, finished, cut short or still growing.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RunSummary
        What is in it now.

    Raises
    ------
    InputError
        If it is damaged or not a run file, with the reason.
    """
    with reading(path) as entry:
        return _summary(path, entry)


def _summary(path: Path, entry: h5py.Group) -> RunSummary:
    """Read the scalars of a run file."""
    session, points = entry[layout.SESSION], entry[layout.POINTS]
    result = _newest_result(entry)
    interval = result.get("ci95_cm2_s")
    return RunSummary(
        path=path,
        title=str(read_value(entry[layout.TITLE])),
        sample=str(read_value(session["sample"])) if "sample" in session else "",
        start_time=_with_zone(datetime.fromisoformat(str(read_value(entry[layout.START_TIME])))),
        finish_reason=str(read_value(entry[layout.FINISH_REASON])) if layout.FINISH_REASON in entry else None,
        n_points=count_rows(points),
        repetition_rate_hz=float(entry[layout.SOURCE][layout.REPETITION_RATE][()]),
        average_power_nw=_mean_power_nw(points),
        method=result.get(layout.METHOD),
        diffusivity_cm2_s=result.get("diffusivity_cm2_s"),
        ci95_cm2_s=None if interval is None else (float(interval[0]), float(interval[1])),
        bias_lamp=result.get("bias_lamp"),
    )


def _newest_result(entry: h5py.Group) -> dict[str, Any]:
    """Return what a summary shows of the newest stored analysis; empty if there is none."""
    names = result_names(entry)
    if not names:
        return {}
    group = entry[names[-1]]
    result = group[layout.RESULT]
    shown = {name: read_value(result[name]) for name in RESULT_SHOWN if name in result}
    return {layout.METHOD: read_value(group[layout.METHOD]), **shown}


def _mean_power_nw(points: h5py.Group) -> float | None:
    """Return the mean power over the acknowledged points, None if the rig does not know it."""
    power_nw = points["power_nw"][: count_rows(points)]
    known = power_nw[np.isfinite(power_nw)]
    return float(known.mean()) if len(known) else None


def _with_zone(time: datetime) -> datetime:
    """Return a time with its zone; one written without is taken as local."""
    return time if time.tzinfo is not None else time.astimezone()
