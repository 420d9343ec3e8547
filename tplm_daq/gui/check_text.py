"""What a check found, as a few lines or a table for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from pyqtgraph import siFormat

from tplm_daq.gui.plots import SUPERSCRIPTS
from tplm_daq.workflow.calibrated import Calibrations
from tplm_daq.workflow.check import CheckReport
from tplm_daq.workflow.feasibility import AlignCheck
from tplm_daq.workflow.jobs import AnyCheck
from tplm_daq.workflow.series_check import SeriesCheck
from tplm_daq.workflow.sweep_job import SweepCheck

Rows = Sequence[tuple[str, str]]
"""Names and what is said of them."""
PERCENT = 100.0
TYPICAL_D = 0.05
"""In cm2/s: a series tells the precision of each condition as if D were this."""


def check_text(found: AnyCheck, calibrations: Calibrations, now: datetime) -> str:
    """Return what a recipe takes and gives as rich text.

    Parameters
    ----------
    found : AnyCheck
        What the check found.
    calibrations : Calibrations
        Those that the run would take over, and those that it would leave.
    now : datetime
        From which the end is reckoned.
    """
    calibrated = [(name, escape(text)) for name, text in calibrations.told()]
    match found:
        case CheckReport():
            return _scan_text(found, calibrated, now)
        case SeriesCheck():
            return _series_text(found, calibrated, now)
        case SweepCheck():
            return _sweep_text(found)
        case AlignCheck():
            rows = [("points", f"{found.n_points}"), ("believed for", duration(found.valid_for_s)), *calibrated]
            return f"{_table(rows)}<p>What it finds is used by all runs of this rig until then.</p>"


def _scan_text(report: CheckReport, calibrated: Rows, now: datetime) -> str:
    """Return time, rates, pile-up, precision and calibrations of a scan."""
    end = now + timedelta(seconds=report.time_s)
    rows = [
        ("time", f"<b>{duration(report.time_s)}</b>, counting {duration(report.dwell_s)}; ends {end:%a %H:%M}"),
        ("points", f"{report.n_points} = {report.n_positions} positions × {report.n_passes} passes"),
        ("delays", f"{report.span_ns:g} of {report.period_ns:g} ns, {report.n_bins} bins"),
        ("sync divider", f"{report.sync_divider}"),
        ("step", f"{report.step_nm:.1f} nm"),
    ]
    if report.peak_cps is not None and report.counts_per_pulse is not None:
        rate = siFormat(report.peak_cps, precision=3, suffix="cps")
        rows.append(("peak rate", f"{rate}, {PERCENT * report.counts_per_pulse:.2g} % of the pulses give a count"))
    rows += [
        (
            f"if D is {each.diffusivity_cm2_s:g} cm²/s",
            f"± {PERCENT * each.relative_standard_error:.2g} % (standard error) from "
            f"{large_number(each.n_photons)} photons in {duration(each.time_s)}",
        )
        for each in report.precision
    ]
    rows.append(("room, dose", f"{report.disk_mb:.0f} MB on disk, {report.dose_nj * 1e-3:.3g} µJ on the spot"))
    rows += calibrated
    return _table(rows) + _warned(report.warnings)


def _series_text(found: SeriesCheck, calibrated: Rows, now: datetime) -> str:
    """Return time, rate and precision of every condition, and of the whole, with its calibrations."""
    end = now + timedelta(seconds=found.time_s)
    whole = [
        ("time", f"<b>{duration(found.time_s)}</b>; ends {end:%a %H:%M}, waiting for temperatures not counted"),
        ("room", f"{found.disk_mb:.0f} MB on disk"),
        *calibrated,
    ]
    heads = ("condition", "time", "rate", f"± of D = {TYPICAL_D:g} cm²/s")
    cells = [heads]
    for condition, scan in found.conditions:
        errors = {each.diffusivity_cm2_s: each.relative_standard_error for each in scan.precision}
        rate = "unknown" if scan.peak_cps is None else siFormat(scan.peak_cps, precision=3, suffix="cps")
        error = f"{PERCENT * errors[TYPICAL_D]:.2g} %" if TYPICAL_D in errors else "unknown"
        cells.append((f"{condition.index + 1}. {condition.name}", duration(scan.time_s), rate, error))
    return f"{_table(whole)}<br>{_table(cells)}{_warned(found.warnings)}"


def _sweep_text(found: SweepCheck) -> str:
    """Return the conditions of a sweep and how much work they are."""
    processes = "one process" if found.n_workers == 1 else f"{found.n_workers} processes"
    whole = [
        ("conditions", f"{len(found.conditions)}, {found.n_pulses} pulses each"),
        ("work", f"{large_number(found.exciton_steps)} exciton steps in {processes}; no device is used"),
    ]
    cells = [("α", "pulses every", "t_exc")]
    for condition in found.conditions:
        spacing_us = condition.tau_pulse_ns * 1e-3
        cells.append((f"{condition.alpha:g}", f"{spacing_us:g} µs", f"{spacing_us / condition.alpha:.3g} µs"))
    return f"{_table(whole)}<br>{_table(cells)}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of cells; the first cell of each is plain text, the others may be rich."""
    lines = (
        f"<td>{escape(first)}&nbsp;&nbsp;</td>" + "".join(f"<td>{cell}&nbsp;&nbsp;</td>" for cell in cells)
        for first, *cells in rows
    )
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _warned(warnings: Sequence[str]) -> str:
    return "".join(f"<p>⚠ {escape(warning)}</p>" for warning in warnings)


def large_number(value: float) -> str:
    """Return a number to its second digit, as one writes it.

    Examples
    --------
    >>> large_number(3.24e6), large_number(9.96e5), large_number(870.0), large_number(0.0)
    ('3.2·10⁶', '1.0·10⁶', '870', '0')
    """
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{value:.0f}" if int(exponent) < 4 else f"{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def duration(seconds: float) -> str:
    """Return a time as one says it.

    Examples
    --------
    >>> duration(45.2), duration(1105.0), duration(40_000.0)
    ('45 s', '18 min', '11 h 07 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
