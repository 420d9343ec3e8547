"""Several runs beside each other: their light, temperature and diffusivity, read from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.series_table import SeriesTable, series_table
from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.results import StoredResult

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ComparedRuns:
    """Runs that can be drawn in one plot.

    Attributes
    ----------
    paths : tuple of Path
        Their files, one per row of the table.
    labels : tuple of str
        Their titles.
    table : SeriesTable or None
        What was measured; None if no run is left.
    truth_cm2_s : ndarray of float64, shape (n_run,)
        Diffusivity of the simulated sample; NaN where there is none.
    left_out : tuple of str
        Why other runs are missing, one sentence each.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...]
    table: SeriesTable | None
    truth_cm2_s: FloatArray
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """One run."""

    path: Path
    label: str
    columns: Mapping[str, float]
    truth_cm2_s: float


def compare_runs(paths: Sequence[Path]) -> ComparedRuns:
    """Read the newest result and the conditions of several runs.

    A run that has no result, or whose power is not known, is left out with the reason.

    Parameters
    ----------
    paths : sequence of Path
        Run files.
    """
    rows, left_out = [], []
    for path in paths:
        try:
            rows.append(_row(path))
        except InputError as error:
            left_out.append(str(error))
    table = None
    if rows:
        table = series_table(**{name: [row.columns[name] for row in rows] for name in rows[0].columns})
    return ComparedRuns(
        paths=tuple(row.path for row in rows),
        labels=tuple(row.label for row in rows),
        table=table,
        truth_cm2_s=np.array([row.truth_cm2_s for row in rows], dtype=np.float64),
        left_out=tuple(left_out),
    )


def _row(path: Path) -> _Row:
    run = open_run(path)
    result = run.latest_result()
    if result is None:
        raise InputError(f"{path.name}: it has no result; `tplm analyse` says why.")
    rig = validate(RigRecipe, parse_mapping(run.header.rig_text, f"{path}, rig"), f"{path}, rig")
    columns = {
        "power_nw": _known(run, "power_nw", "average power"),
        "repetition_rate_hz": run.header.repetition_rate_hz,
        "spot_fwhm_nm": rig.optics.laser_fwhm_nm,
        "temperature_k": _mean(run, "temperature_k"),
        "n_photons": _number(result, "n_photons"),
        "diffusivity_cm2_s": _number(result, "diffusivity_cm2_s"),
        "standard_error_cm2_s": _number(result, "standard_error_cm2_s"),
    }
    truth = (run.truth() or {}).get("diffusivity_cm2_s")
    return _Row(path, run.title, columns, float(truth) if isinstance(truth, int | float) else float("nan"))


def _known(run: RunFile, name: str, what: str) -> float:
    value = _mean(run, name)
    if not value > 0:
        raise InputError(f"{run.path.name}: its {what} is not known, so it has no place in a series.")
    return value


def _mean(run: RunFile, name: str) -> float:
    """Return the mean of a column over the points that have it, NaN if none has."""
    column = np.asarray(run.points[name], dtype=np.float64)
    known = column[np.isfinite(column)]
    return float(known.mean()) if len(known) else float("nan")


def _number(result: StoredResult, name: str) -> float:
    value = result.values.get(name)
    return float(value) if isinstance(value, int | float | np.number) else float("nan")
