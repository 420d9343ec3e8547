"""What a measurement will be, and what there is: boxes, doubles, run files; for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from tplm_daq.printing.tables import duration, plain_table, print_whole, table_of

if TYPE_CHECKING:
    from pathlib import Path

    from tplm_daq.rig.probe import SerialPort
    from tplm_daq.store.catalog import Catalogue
    from tplm_daq.workflow.calibrated import Calibrations
    from tplm_daq.workflow.check import CheckReport, Precision
    from tplm_daq.workflow.devices import DevicesReport
    from tplm_daq.workflow.feasibility import AlignCheck
    from tplm_daq.workflow.series_check import SeriesCheck
    from tplm_daq.workflow.serve import Served

USB_BOXES = {"0403:faf0": "a Thorlabs controller such as a KST101", "1fb9:0300": "a Lake Shore 335"}
"""Which box shows this USB id."""

WIDE = 120
"""Columns of a terminal that has room for titles beside file names."""


def print_check(console: Console, report: CheckReport | SeriesCheck | AlignCheck, calibrations: Calibrations) -> None:
    """Print what a measurement will do, take and give, and which calibrations it takes over and leaves."""
    from tplm_daq.workflow.feasibility import AlignCheck
    from tplm_daq.workflow.series_check import SeriesCheck

    calibrated = [(name, escape(text)) for name, text in calibrations.told()]
    if isinstance(report, SeriesCheck):
        _print_series_check(console, report)
    elif isinstance(report, AlignCheck):
        valid = duration(report.valid_for_s)
        console.print(
            f"{report.title} on {report.rig}: {report.procedure}, {report.n_points} points, valid for {valid}",
            highlight=False,
        )
    else:
        _print_scan_check(console, report, calibrated)
        return
    for row in calibrated:
        console.print("  ".join(row), highlight=False, soft_wrap=True)


def _print_series_check(console: Console, report: SeriesCheck) -> None:
    table = table_of("condition", "time", "counts/s", "± of D = 0.05 cm²/s")
    for condition, scan in report.conditions:
        rate = "unknown" if scan.peak_cps is None else f"{scan.peak_cps:.3g}"
        errors = {each.diffusivity_cm2_s: each.relative_standard_error for each in scan.precision}
        error = f"{errors[0.05]:.2%}" if 0.05 in errors else "unknown"
        table.add_row(condition.name, duration(scan.time_s), rate, error)
    console.print(f"{report.title} on {report.rig}", highlight=False)
    console.print(table, highlight=False)
    for text in report.warnings:
        console.print(f"[yellow]warning[/yellow]  {text}", highlight=False)
    console.print(f"{duration(report.time_s)} in all, {report.disk_mb:.3g} MB at most", highlight=False)


def _records_text(report: CheckReport) -> str:
    """Say how much of the room on the disk is for the counter's records, if any are kept."""
    if report.words_mb is None:
        return ", without the records, of which 1 million photons take 4 MB"
    return f", {report.words_mb:.3g} MB of it for the records of photons" if report.words_mb else ""


def _print_scan_check(console: Console, report: CheckReport, calibrated: Sequence[tuple[str, str]]) -> None:
    table = plain_table()
    table.add_row("scan", f"{report.title} on {report.rig}")
    table.add_row("points", f"{report.n_points}: {report.n_positions} positions, {report.n_passes} passes")
    table.add_row("step", f"{report.step_nm:.4g} nm")
    table.add_row("time", f"{duration(report.time_s)}, of which {duration(report.dwell_s)} counting")
    table.add_row("homing", f"up to {duration(report.homing_s)} more if the actuators need it")
    for axis, (low_mm, high_mm) in report.travel_mm.items():
        table.add_row(f"actuator {axis}", f"{low_mm:.3f} to {high_mm:.3f} mm")
    table.add_row("delays", f"{report.n_bins} bins, {report.span_ns:g} of {report.period_ns:g} ns between pulses")
    if report.peak_cps is not None and report.counts_per_pulse is not None:
        table.add_row(
            "rate", f"{report.peak_cps:.3g} counts/s at the centre, {report.counts_per_pulse:.2%} of the pulses"
        )
    else:
        table.add_row("rate", "unknown")
    for each in report.precision:
        table.add_row(f"D = {each.diffusivity_cm2_s:g} cm²/s", _precision_text(each))
    table.add_row("disk", f"{report.disk_mb:.3g} MB at most{_records_text(report)}")
    table.add_row("dose", f"{report.dose_nj:.3g} nJ on the spot")
    for row in calibrated:
        table.add_row(*row)
    for text in report.warnings:
        table.add_row("[yellow]warning[/yellow]", text)
    console.print(table, highlight=False)


def _precision_text(each: Precision) -> str:
    """Say how precisely D is known in the end, and after how much."""
    return (
        f"± {each.relative_standard_error:.2%} (standard error) from {each.n_photons:.2g} photons, "
        f"{duration(each.dwell_s)} counting, {duration(each.time_s)} in all"
    )


def print_devices(console: Console, report: DevicesReport) -> None:
    """Print a line per device, and what to do about those that do not answer."""
    table = table_of("role", "status", "who answered", "address")
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


def print_served(console: Console, served: Served, rig_file: Path | None) -> None:
    """Print where the doubles are, and how another program uses them."""
    table = table_of("device", "model", "VISA address", "pyserial URL", "device file")
    for role, place in served.places.items():
        table.add_row(role, served.models[role], place.address, place.url, place.pty or "")
    print_whole(console, table)
    console.print(f"counter library and operator at {served.bench}", highlight=False)
    if rig_file is not None:
        told = f"In another terminal: tplm run RECIPE --rig {rig_file}"
        console.print(escape(told), highlight=False, soft_wrap=True)
    console.print("Ctrl-C ends it.")


def print_catalogue(console: Console, catalogue: Catalogue) -> None:
    """Print a line per run: its title where there is room, and last its file, to be copied into other commands."""
    titled = ("title",) if console.width >= WIDE else ()
    table = table_of("D (cm²/s, ± 95 %)", "power", "end", *titled, "file")
    for run in catalogue.runs:
        d = "" if run.diffusivity_cm2_s is None else f"{run.diffusivity_cm2_s:.4f}"
        if run.ci95_cm2_s is not None:
            d += f" ± {(run.ci95_cm2_s[1] - run.ci95_cm2_s[0]) / 2:.4f}"
        power = "" if run.average_power_nw is None else f"{run.average_power_nw:g} nW"
        titles = (escape(run.title),) if titled else ()
        table.add_row(d, power, run.finish_reason or "cut short", *titles, escape(str(run.path)))
    if catalogue.runs:
        print_whole(console, table)
    else:
        console.print(f"no such runs in {catalogue.folder}", highlight=False, soft_wrap=True)
    for unreadable in catalogue.unreadable:
        console.print(f"not read: {unreadable.path.name}: {unreadable.reason}", highlight=False, soft_wrap=True)
