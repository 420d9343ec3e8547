"""How a job ended, in words: why, where its data are, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tplm_daq.acquire.events import FinishReason
from tplm_daq.errors import Aborted
from tplm_daq.report.numbers import values_found
from tplm_daq.workflow.align_job import AlignOutcome
from tplm_daq.workflow.kmc import SweepOutcome
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.series_outcome import SeriesOutcome

FEW = 2
"""Of what an alignment found, the first ones are told in the message."""
Kind = Literal["good", "doubtful", "bad"]
AnyOutcome = ScanOutcome | SeriesOutcome | AlignOutcome | SweepOutcome


def error_of(ending: AnyOutcome | BaseException) -> BaseException | None:
    """Return the error that ended a job, None if none did."""
    if isinstance(ending, BaseException):
        return ending
    return ending.error if isinstance(ending, ScanOutcome | SeriesOutcome) else None


def rest_of(ending: AnyOutcome | BaseException) -> Path | None:
    """Return the run file or series with which Resume goes on, None if nothing is missing."""
    return ending.rest if isinstance(ending, ScanOutcome | SeriesOutcome) else None


def reason_of(ending: AnyOutcome | BaseException) -> str:
    """Return why a job has to be looked at before the next one begins; empty if it has not."""
    error = error_of(ending)
    if error is not None:
        return str(error)
    return _failures(ending) if isinstance(ending, SeriesOutcome) else ""


def words_of(ending: AnyOutcome | BaseException) -> tuple[Kind, str]:
    """Return how good an ending is, and what to tell the operator."""
    error, where = error_of(ending), _where(ending)
    if isinstance(error, Aborted):
        return "doubtful", f"Ended: {error}.{where}"
    if reason := reason_of(ending):
        return "bad", f"{reason.removesuffix('.')}.{where}"
    match ending:
        case SeriesOutcome():
            return "good", f"The series of {len(ending.points)} conditions is complete.{where}"
        case AlignOutcome():
            found = [f"{name} {value} {unit}".strip() for name, value, unit, _ in values_found(ending.values, {})[:FEW]]
            return "good", f"Aligned, {ending.procedure}: {', '.join(found)}.{where}"
        case SweepOutcome():
            return "good", f"{len(ending.points)} conditions of the lattice in {ending.seconds:.1f} s.{where}"
        case ScanOutcome():
            return _words_of_scan(ending, where)
        case _:
            return "bad", f"The job ended with {type(ending).__name__}, and nobody knows why."


def _words_of_scan(outcome: ScanOutcome, where: str) -> tuple[Kind, str]:
    """Tell whether all was measured that was asked for, and why there is no D if there is none."""
    without_d = f" There is no D: {outcome.fit_error}." if outcome.fit_error else ""
    is_good = outcome.finish_reason is not FinishReason.MAX_TIME and not without_d
    why = f": {outcome.finish_message}" if outcome.finish_message else ""
    return "good" if is_good else "doubtful", f"The scan is complete{why}.{without_d}{where}"


def _failures(outcome: SeriesOutcome) -> str:
    """Return which conditions of a series failed, and how to go on."""
    if not outcome.n_failed:
        return ""
    reasons = dict.fromkeys(str(point.error) for point in outcome.points if point.error is not None)
    return (
        f"{outcome.n_failed} of {len(outcome.points)} conditions failed; the others are kept. {' '.join(reasons)} "
        f"Resume, or `tplm resume {outcome.folder}`, measures what is missing."
    )


def _where(ending: AnyOutcome | BaseException) -> str:
    match ending:
        case ScanOutcome():
            rest = "" if ending.rest is None else f"; Resume, or `tplm resume {ending.rest}`, measures the rest"
            return f" Data: {ending.run_file}{rest}"
        case SeriesOutcome():
            return f" Data: {ending.folder}"
        case AlignOutcome():
            return f" Kept in {ending.calibration_file}"
        case SweepOutcome():
            return "" if ending.file is None else f" Data: {ending.file}"
        case _:
            return ""
