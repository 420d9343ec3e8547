"""What a check found, as a few lines for the operator."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape

from pyqtgraph import siFormat

from tplm_daq.workflow.check import CheckReport

PERCENT = 100.0


def check_text(report: CheckReport, now: datetime) -> str:
    """Return time, rates, pile-up and precision of a scan as rich text.

    Parameters
    ----------
    report : CheckReport
        What the check found.
    now : datetime
        From which the end is reckoned.
    """
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
            f"± {PERCENT * each.relative_standard_error:.2g} % (standard error) from {each.n_photons:.2g} photons "
            f"in {duration(each.time_s)}",
        )
        for each in report.precision
    ]
    rows.append(("room, dose", f"{report.disk_mb:.0f} MB on disk, {report.dose_nj * 1e-3:.3g} µJ on the spot"))
    table = "".join(f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td>{text}</td></tr>" for name, text in rows)
    warnings = "".join(f"<p>⚠ {escape(warning)}</p>" for warning in report.warnings)
    return f"<table>{table}</table>{warnings}"


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
