"""What comes of a scan once the rig is safe: the fit of what is on disk, its report, and the summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tplm_daq.acquire.events import FinishReason
from tplm_daq.analysis.pipeline import Result
from tplm_daq.errors import FitError, InputError, StoreError, TplmError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.recipes.rig import CalibrationReference
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.places import unused
from tplm_daq.workflow.series_index import GOOD_ENDS

RESULT_KEYS = ("method", "diffusivity_cm2_s", "ci95_cm2_s", "standard_error_cm2_s", "systematic_cm2_s")

POINTS_FITTED = "n_points"
"""Stored beside a result: how many points of the run, from the first on, were fitted."""

SKIPPED = "skipped in a hurry; run `tplm analyse` on the file"
"""Why there is no result after a second Ctrl-C."""


@dataclass(frozen=True)
class Recorded:
    """A run file that is closed, why its run ended, the error that ended it early, if one did, and why in words."""

    path: Path
    finish_reason: FinishReason
    error: TplmError | None
    finish_message: str = ""


@dataclass(frozen=True)
class ScanOutcome:
    """What came of a scan; `error` is why it ended early, `fit_error` why there is no result.

    `calibrations` are those whose values the scan took over. `rate_cps_nw` is the rate at the brightest position per
    power, where the rig file has no ``optics.expected_rate`` yet.
    `finish_message` says in words why it ended.
    """

    run_file: Path
    finish_reason: FinishReason
    result: Result | None
    truth: Mapping[str, object] | None
    n_points: int
    n_positions: int
    dwell_s: float
    wall_s: float
    error: TplmError | None = None
    fit_error: str | None = None
    report_file: Path | None = None
    calibrations: tuple[CalibrationReference, ...] = ()
    rate_cps_nw: float | None = None
    finish_message: str = ""

    @property
    def exit_status(self) -> int:
        """Status with which the program ends."""
        return 0 if self.error is None else self.error.exit_status

    @property
    def rest(self) -> Path | None:
        """What to resume to measure what is missing, None if nothing is."""
        return None if self.finish_reason.value in GOOD_ENDS else self.run_file

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm run --json` prints; numbers of a result that does not exist are None."""
        numbers = {} if self.result is None else self.result.to_dict()
        answer: dict[str, object] = {
            "run_file": str(self.run_file),
            "finish_reason": self.finish_reason.value,
            **{key: numbers.get(key) for key in RESULT_KEYS},
            "n_points": self.n_points,
            "n_positions": self.n_positions,
            "dwell_s": self.dwell_s,
            "wall_s": self.wall_s,
            "calibrations": [each.model_dump() for each in self.calibrations],
        }
        if self.truth is not None:
            answer["truth"] = dict(self.truth)
        if self.error is not None:
            answer |= {"error": self.error.to_dict(), "exit_status": self.exit_status}
        if self.rate_cps_nw is not None:
            answer["rate_cps_nw"] = self.rate_cps_nw
        for key, value in (("fit_error", self.fit_error), ("report_file", self.report_file)):
            if value is not None:
                answer[key] = str(value)
        return answer


def conclude(
    recorded: Recorded, recipe: ScanRecipe, wall_s: float, with_report: bool, is_hurried: Callable[[], bool]
) -> ScanOutcome:
    """Fit a closed run file, store the result in it, write the report beside it if wanted; nothing if in a hurry.

    What cannot be stored or written is the outcome's error, unless something else ended the run: the points are safe.
    """
    run = open_run(recorded.path)
    error, report_file = recorded.error, None
    result, fit_error = (None, SKIPPED) if is_hurried() else _fit(run, recipe)
    try:
        if result is not None:
            with RunWriter.reopen(recorded.path) as writer:
                numbers = {**scalars_of(result), POINTS_FITTED: run.n_points}
                writer.write_result(result.method, numbers, result.arrays(), dump_yaml(recipe.analysis))
        if with_report and run.n_points and not is_hurried():
            report_file = write_run_report(run, result, fit_error)
    except (StoreError, InputError) as failure:
        error = failure if error is None else error
    return ScanOutcome(
        run_file=recorded.path,
        finish_reason=recorded.finish_reason,
        result=result,
        truth=run.truth(),
        n_points=run.n_points,
        n_positions=recipe.path.n_positions,
        dwell_s=float(np.sum(run.points["live_s"])),
        wall_s=wall_s,
        error=error,
        fit_error=fit_error,
        report_file=report_file,
        calibrations=calibrations_of(run),
        rate_cps_nw=_rate_to_expect(run, recipe),
        finish_message=recorded.finish_message,
    )


def write_run_report(run: RunFile, result: Result | None, fit_error: str | None) -> Path:
    """Write the report page beside a run file; matplotlib is loaded only for those who want one.

    A page from an earlier part of the run is kept.

    Raises
    ------
    InputError
        It cannot be written.
    """
    from tplm_daq.report.page import write_report
    from tplm_daq.report.view import view_of_run

    path = unused(run.path.with_suffix(".html"))
    write_report(path, [view_of_run(run, result, fit_error)])
    return path


def calibrations_of(run: RunFile) -> tuple[CalibrationReference, ...]:
    """Return the calibrations that are named in the rig of a run file."""
    named = parse_mapping(run.header.rig_text, f"rig of {run.path}").get("calibrations", ())
    return tuple(CalibrationReference.model_validate(each) for each in named)


def scalars_of(result: Result) -> dict[str, object]:
    """Return every number and text of a result that goes into the run file."""
    more = {
        "axis": result.axis,
        "sigma0_error_nm": result.sigma0_error_nm,
        "n_photons": result.n_photons,
        "bias_budget": [f"{term.name}: {term.error_cm2_s:.3g} cm2/s" for term in result.bias_budget],
    }
    if result.deviance_per_dof is not None:
        more["deviance_per_dof"] = result.deviance_per_dof
    return {**result.to_dict(), **more}


def _fit(run: RunFile, recipe: ScanRecipe) -> tuple[Result | None, str | None]:
    """Fit a run; one that cannot be fitted is kept all the same, with the reason."""
    if not run.n_points:
        return None, "there are no points"
    try:
        return analyse_run(run, recipe.analysis), None
    except FitError as error:
        return None, str(error)


def _rate_to_expect(run: RunFile, recipe: ScanRecipe) -> float | None:
    """Return the rate at the brightest position per power, None if the rig knows it or something else weakened it."""
    rig = parse_mapping(run.header.rig_text, f"rig of {run.path}")
    is_known = rig.get("simulation") is not None or rig["optics"].get("expected_rate") is not None
    if is_known or recipe.detection_filter is not None or not run.n_points:
        return None
    points = run.points
    n_visits = np.bincount(points["index"])
    rates_cps = np.bincount(points["index"], points["input_cps"])[n_visits > 0] / n_visits[n_visits > 0]
    return float(rates_cps.max() / recipe.light.average_power_nw)
