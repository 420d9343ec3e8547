"""The result of a series: what is stored in the run files of its folder, put together.

Nothing is fitted anew but the series itself: each run speaks through the latest analysis in its file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.series_summary import SeriesRun, SeriesSummary
from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.series_index import GOOD_ENDS, INDEX_NAME, RECIPE_NAME, read_index


def is_series(path: Path) -> bool:
    """Tell whether a path is the folder of a series."""
    return (path / INDEX_NAME).is_file()


def series_summary(folder: Path) -> SeriesSummary:
    """Gather the runs of a series.

    Parameters
    ----------
    folder : Path
        Folder with the index and the run files of a series, which may have been moved.

    Returns
    -------
    SeriesSummary
        Runs with a result, in the order of measuring, and the conditions without one.

    Raises
    ------
    InputError
        There is no index, or it cannot be read.
    """
    runs, left_out = [], []
    for number, line in sorted(read_index(folder).items()):
        label = str(line.get("label", number))
        found = _run_of(folder, line, label)
        if isinstance(found, SeriesRun):
            runs.append(found)
        else:
            left_out.append((label, found))
    return SeriesSummary(_title(folder), folder.name, tuple(runs), tuple(left_out))


def _run_of(folder: Path, line: Mapping[str, object], label: str) -> SeriesRun | str:
    """Return a run with its latest result, or why there is none."""
    if line.get("finish_reason") not in GOOD_ENDS:
        return _failure(line)
    try:
        run = open_run(folder / Path(str(line["run_file"])).name)
    except InputError as error:
        return str(error)
    stored = run.latest_result()
    if stored is None:
        return str(line.get("fit_error", "its file holds no result; `tplm analyse` fits it"))
    power_nw = _mean(run.points["power_nw"])
    if not power_nw > 0:
        return "the average power is not known"
    numbers = stored.values
    rig, conditions = parse_mapping(run.header.rig_text, f"{run.path}, rig"), _values(line)
    simulation = rig.get("simulation")
    sample = simulation.get("sample", "") if isinstance(simulation, dict) else run.header.session.get("sample", "")
    truth = run.truth() or {}
    true_d = truth.get("diffusivity_cm2_s")
    return SeriesRun(
        label=label,
        source=run.path.name,
        is_reference=bool(line.get("is_reference")),
        sample=str(sample),
        detection_filter=str(conditions.get("detection_filter", "")),
        spot=str(conditions.get("spot", "")),
        power_nw=power_nw,
        repetition_rate_hz=run.header.repetition_rate_hz,
        temperature_k=_mean(run.points["temperature_k"]),
        n_photons=int(_number(numbers, "n_photons")),
        diffusivity_cm2_s=_number(numbers, "diffusivity_cm2_s"),
        standard_error_cm2_s=_number(numbers, "standard_error_cm2_s"),
        lifetime_ns=_with_interval(numbers, "lifetime_ns", "lifetime_ci95_ns"),
        tail_exponent=_with_interval(numbers, "tail_exponent", "tail_exponent_ci95"),
        bias_lamp=str(numbers.get("bias_lamp", "")),
        truth_cm2_s=float(true_d) if isinstance(true_d, int | float) else None,
    )


def _failure(line: Mapping[str, object]) -> str:
    """Return how a condition ended that has not ended well, after how many points, and why."""
    n_points, error = line.get("n_points"), line.get("error")
    how = str(line.get("finish_reason", "not measured"))
    after = f" after {n_points} points" if n_points else " before the first point"
    return f"{how}{after}: {error.get('message')}" if isinstance(error, dict) else f"{how}{after}"


def _title(folder: Path) -> str:
    """Return the title in the recipe of the series, or the name of its folder where that is gone."""
    try:
        text = (folder / RECIPE_NAME).read_text(encoding="utf-8")
    except OSError:
        return folder.name
    return str(parse_mapping(text, str(folder / RECIPE_NAME)).get("title", folder.name))


def _values(line: Mapping[str, object]) -> Mapping[str, Any]:
    values = line.get("values")
    return values if isinstance(values, dict) else {}


def _mean(column: NDArray[np.float64]) -> float:
    """Return the mean of what is known of a column, NaN if nothing is."""
    known = column[np.isfinite(column)]
    return float(known.mean()) if len(known) else math.nan


def _number(numbers: Mapping[str, object], name: str) -> float:
    value = numbers.get(name)
    return float(value) if isinstance(value, int | float | np.number) else math.nan


def _with_interval(numbers: Mapping[str, object], name: str, interval: str) -> tuple[float, float, float] | None:
    value, ends = _number(numbers, name), numbers.get(interval)
    if not math.isfinite(value) or ends is None:
        return None
    low, high = np.asarray(ends, dtype=np.float64)
    return value, float(low), float(high)
