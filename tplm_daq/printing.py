"""Printing: results and overviews as tables for people; documents for programs are printed by the commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from tplm_daq.analysis.pipeline import Result
    from tplm_daq.rig.probe import SerialPort
    from tplm_daq.store.catalog import Catalogue
    from tplm_daq.workflow.align_job import AlignOutcome
    from tplm_daq.workflow.check import CheckReport, Precision
    from tplm_daq.workflow.devices import DevicesReport
    from tplm_daq.workflow.feasibility import AlignCheck
    from tplm_daq.workflow.kmc import SweepOutcome
    from tplm_daq.workflow.outcome import ScanOutcome
    from tplm_daq.workflow.series_check import SeriesCheck
    from tplm_daq.workflow.series_outcome import SeriesOutcome
    from tplm_daq.workflow.serve import Served
    from tplm_daq.workflow.verify import VerifyReport

USB_BOXES = {"0403:faf0": "a Thorlabs controller such as a KST101", "1fb9:0300": "a Lake Shore 335"}
"""Which box shows this USB id."""

WIDE = 120
"""Columns of a terminal that has room for titles beside file names."""


def print_outcome(console: Console, outcome: ScanOutcome | SeriesOutcome | AlignOutcome) -> None:
    """Print where the files are and what was found, beside the simulated truth if there is one."""
    from tplm_daq.workflow.align_job import AlignOutcome
    from tplm_daq.workflow.series_outcome import SeriesOutcome

    if isinstance(outcome, SeriesOutcome):
        _print_series(console, outcome)
    elif isinstance(outcome, AlignOutcome):
        _print_alignment(console, outcome)
    else:
        _print_scan(console, outcome)


def _print_scan(console: Console, outcome: ScanOutcome) -> None:
    table = _plain_table()
    table.add_row("finished", f"{outcome.finish_reason.value}, {outcome.n_points} points in {outcome.wall_s:.1f} s")
    if outcome.error is not None:
        table.add_row("but" if outcome.finish_reason.value == "completed" else "because", str(outcome.error))
    table.add_row("run file", str(outcome.run_file))
    if outcome.report_file is not None:
        table.add_row("report", str(outcome.report_file))
    if outcome.calibrations:
        table.add_row("calibrated", ", ".join(f"{each.procedure} ({each.file})" for each in outcome.calibrations))
    if outcome.result is not None:
        low, high = outcome.result.ci95_cm2_s
        d = outcome.result.diffusivity_cm2_s
        table.add_row(
            "D", f"[bold]{d:.5f}[/bold] cm²/s, 95 % interval {low:.5f} to {high:.5f} ({outcome.result.method})"
        )
    elif outcome.fit_error is not None:
        table.add_row("D", f"none: {outcome.fit_error}")
    if outcome.truth is not None:
        truth = outcome.truth["diffusivity_cm2_s"]
        table.add_row("truth", f"{truth:.5f} cm²/s (simulated sample)")
    console.print(table, highlight=False, soft_wrap=True)


def _print_alignment(console: Console, outcome: AlignOutcome) -> None:
    table = _plain_table()
    table.add_row("finished", f"{outcome.procedure}, {outcome.n_points} points in {outcome.wall_s:.1f} s")
    table.add_row("kept in", str(outcome.calibration_file))
    table.add_row("valid until", outcome.expires_at)
    truth = outcome.truth or {}
    for name, value in outcome.values.items():
        beside = f"   (simulated: {truth[name]:.9g})" if isinstance(truth.get(name), float) else ""
        table.add_row(name, f"{value:.9g}{beside}")
    console.print(table, highlight=False, soft_wrap=True)


def _print_series(console: Console, outcome: SeriesOutcome) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("condition", "D (cm²/s)", "truth", "end"):
        table.add_column(name)
    for point in outcome.points:
        scan = point.outcome
        result = None if scan is None else scan.result
        d = "" if result is None else f"{result.diffusivity_cm2_s:.4f} ± {1.96 * result.standard_error_cm2_s:.4f}"
        truth = "" if scan is None or scan.truth is None else f"{scan.truth['diffusivity_cm2_s']:.4f}"
        label = f"{point.condition.label}{' (again)' if point.condition.is_reference else ''}"
        table.add_row(label, d, truth, point.finish_reason)
    console.print(table, highlight=False)
    for point in outcome.points:
        if point.error is not None:
            console.print(f"{point.condition.label}: {point.error}", highlight=False, soft_wrap=True)
    if outcome.report_file is not None:
        console.print(f"report  {outcome.report_file}", highlight=False, soft_wrap=True)
    n_good = len(outcome.points) - outcome.n_failed
    console.print(f"{n_good} of {len(outcome.points)} conditions are complete, in {outcome.folder}", highlight=False)


def print_sweep(console: Console, outcome: SweepOutcome) -> None:
    """Print D of the lattice for each condition."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("alpha", "tau_pulse (µs)", "t_exc (µs)", "D per axis (cm²/s)", "radial"):
        table.add_column(name, justify="right")
    for point in outcome.points:
        table.add_row(
            f"{point.alpha:g}",
            f"{point.tau_pulse_us:g}",
            f"{point.t_exc_us:.4g}",
            f"{point.d_sim_cm2_s:.4f} ± {point.standard_error_cm2_s:.4f}",
            f"{point.d_sim_radial_cm2_s:.4f}",
        )
    console.print(table, highlight=False)
    kept = "" if outcome.file is None else f", kept in {outcome.file}"
    console.print(f"{outcome.exciton_steps:.3g} exciton steps in {outcome.seconds:.1f} s{kept}", highlight=False)


def print_verification(console: Console, report: VerifyReport) -> None:
    """Print what was checked, and what does not hold."""
    table = _plain_table()
    for check in report.checks:
        table.add_row("[green]holds[/green]" if check.is_ok else "[red]fails[/red]", check.name, check.detail)
    console.print(table, highlight=False)


def print_result(console: Console, result: Result) -> None:
    """Print the result of an analysis with its warnings."""
    from tplm_daq.analysis.summary import rows_of

    table = _plain_table()
    for name, text in rows_of(result):
        table.add_row(name, f"[bold]{text}[/bold]" if name == "D" else escape(text))
    console.print(table, highlight=False, soft_wrap=True)


def print_check(console: Console, report: CheckReport | SeriesCheck | AlignCheck) -> None:
    """Print what a measurement will do, take and give."""
    from tplm_daq.workflow.feasibility import AlignCheck
    from tplm_daq.workflow.series_check import SeriesCheck

    if isinstance(report, SeriesCheck):
        _print_series_check(console, report)
    elif isinstance(report, AlignCheck):
        valid = _duration(report.valid_for_s)
        console.print(
            f"{report.title} on {report.rig}: {report.procedure}, {report.n_points} points, valid for {valid}",
            highlight=False,
        )
    else:
        _print_scan_check(console, report)


def _print_series_check(console: Console, report: SeriesCheck) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("condition", "time", "counts/s", "± of D = 0.05 cm²/s"):
        table.add_column(name)
    for condition, scan in report.conditions:
        rate = "unknown" if scan.peak_cps is None else f"{scan.peak_cps:.3g}"
        errors = {each.diffusivity_cm2_s: each.relative_standard_error for each in scan.precision}
        error = f"{errors[0.05]:.2%}" if 0.05 in errors else "unknown"
        label = f"{condition.label}{' (again)' if condition.is_reference else ''}"
        table.add_row(label, _duration(scan.time_s), rate, error)
    console.print(f"{report.title} on {report.rig}", highlight=False)
    console.print(table, highlight=False)
    for text in dict.fromkeys(text for _, scan in report.conditions for text in scan.warnings):
        console.print(f"[yellow]warning[/yellow]  {text}", highlight=False)
    console.print(f"{_duration(report.time_s)} in all, {report.disk_mb:.3g} MB at most", highlight=False)


def _records_text(report: CheckReport) -> str:
    """Say how much of the room on the disk is for the counter's records, if any are kept."""
    if report.words_mb is None:
        return ", without the records, of which 1 million photons take 4 MB"
    return f", {report.words_mb:.3g} MB of it for the records of photons" if report.words_mb else ""


def _print_scan_check(console: Console, report: CheckReport) -> None:
    table = _plain_table()
    table.add_row("scan", f"{report.title} on {report.rig}")
    table.add_row("points", f"{report.n_points}: {report.n_positions} positions, {report.n_passes} passes")
    table.add_row("step", f"{report.step_nm:.4g} nm")
    table.add_row("time", f"{_duration(report.time_s)}, of which {_duration(report.dwell_s)} counting")
    table.add_row("homing", f"up to {_duration(report.homing_s)} more if the actuators need it")
    for axis, (low_mm, high_mm) in report.travel_mm.items():
        table.add_row(f"actuator {axis}", f"{low_mm:.3f} to {high_mm:.3f} mm")
    table.add_row("delays", f"{report.n_bins} bins, {report.span_ns:g} of {report.period_ns:g} ns between pulses")
    if report.peak_cps is not None and report.counts_per_pulse is not None:
        table.add_row(
            "rate", f"{report.peak_cps:.3g} counts/s at the centre, {report.counts_per_pulse:.2%} of the pulses"
        )
    else:
        table.add_row("rate", "unknown; give optics.expected_rate in the rig file, such as 2 kcps/nW")
    for each in report.precision:
        table.add_row(f"D = {each.diffusivity_cm2_s:g} cm²/s", _precision_text(each))
    table.add_row("disk", f"{report.disk_mb:.3g} MB at most{_records_text(report)}")
    table.add_row("dose", f"{report.dose_nj:.3g} nJ on the spot")
    for text in report.warnings:
        table.add_row("[yellow]warning[/yellow]", text)
    console.print(table, highlight=False)


def print_devices(console: Console, report: DevicesReport) -> None:
    """Print a line per device, and what to do about those that do not answer."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("role", "status", "who answered", "address"):
        table.add_column(name, overflow="fold")
    colours = {"ok": "green", "failed": "red", "manual": "yellow"}
    for row in report.devices:
        status = f"[{colours[row.status]}]{row.status}[/{colours[row.status]}]"
        who = f"not reached ({row.model})" if row.status == "failed" else row.identity or row.model
        table.add_row(row.role, status, who, row.address)
    console.print(table, highlight=False)
    for row in report.devices:
        if row.status == "failed":
            console.print(f"{row.role}: {row.cause}. {row.advice}", highlight=False, soft_wrap=True)
    if report.n_failed:
        _print_serial_ports(console, report.serial_ports)


def _print_serial_ports(console: Console, ports: Sequence[SerialPort]) -> None:
    console.print("Serial ports of this computer:" if ports else "This computer has no serial ports.")
    for port in ports:
        known = USB_BOXES.get(port.usb_id or "", "")
        words = (port.name, port.usb_id or "no USB", port.serial or "", known or port.description)
        console.print("    " + "  ".join(word for word in words if word), highlight=False)


def print_served(served: Served, as_json: bool) -> None:
    """Print where the doubles are: one line of JSON, or a table."""
    document = served.to_dict()
    if as_json:
        print(json.dumps(document), flush=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("device", "model", "VISA address", "pyserial URL", "device file"):
        table.add_column(name, no_wrap=True)
    for name, place in document["devices"].items():
        table.add_row(name, place["model"], place.get("address", ""), place.get("url", ""), place.get("pty", ""))
    console = Console(width=max(Console().width, WIDE))  # addresses are there to be copied, not to be cut off
    console.print(table, highlight=False)
    console.print(f"counter library and operator at {document['bench']}", highlight=False)


def print_catalogue(console: Console, catalogue: Catalogue) -> None:
    """Print a line per run, with its title where there is room for it, and what could not be read."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    for name in ("D (cm²/s)", "power", "end", "title")[: 4 if console.width >= WIDE else 3]:
        table.add_column(name, no_wrap=True)
    for run in catalogue.runs:
        d = "" if run.diffusivity_cm2_s is None else f"{run.diffusivity_cm2_s:.4f}"
        if run.ci95_cm2_s is not None:
            d += f" ± {(run.ci95_cm2_s[1] - run.ci95_cm2_s[0]) / 2:.4f}"
        power = "" if run.average_power_nw is None else f"{run.average_power_nw:g} nW"
        row = (run.path.name, d, power, run.finish_reason or "cut short", run.title)
        table.add_row(*row[: len(table.columns)])
    if catalogue.runs:
        console.print(table, highlight=False)
    else:
        console.print(f"no such runs in {catalogue.folder}", highlight=False, soft_wrap=True)
    for unreadable in catalogue.unreadable:
        console.print(f"not read: {unreadable.path.name}: {unreadable.reason}", highlight=False, soft_wrap=True)


def _precision_text(each: Precision) -> str:
    """Say how precisely D is known in the end, and after how much."""
    return (
        f"± {each.relative_standard_error:.2%} (standard error) from {each.n_photons:.2g} photons, "
        f"{_duration(each.dwell_s)} counting, {_duration(each.time_s)} in all"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _plain_table() -> Table:
    """Return a table of names and values."""
    return Table(show_header=False, box=None, padding=(0, 2, 0, 0))
