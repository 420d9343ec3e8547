"""What came of a measurement, a simulation or an analysis, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tplm_daq.printing.tables import plain_table, print_whole, table_of
from tplm_daq.workflow.calibrated import calibrated_text

if TYPE_CHECKING:
    from pathlib import Path

    from tplm_daq.analysis.pipeline import Result
    from tplm_daq.workflow.align_job import AlignOutcome
    from tplm_daq.workflow.kmc import SweepOutcome
    from tplm_daq.workflow.outcome import ScanOutcome
    from tplm_daq.workflow.series_outcome import SeriesOutcome
    from tplm_daq.workflow.verify import VerifyReport

LABELS = 14
"""Columns that the names of a table of names and values take at most, with what is between."""


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
    table = plain_table()
    table.add_row("finished", f"{outcome.finish_reason.value}, {outcome.n_points} points in {outcome.wall_s:.1f} s")
    if outcome.error is not None:
        table.add_row("but" if outcome.finish_reason.value == "completed" else "because", str(outcome.error))
    table.add_row("run file", str(outcome.run_file))
    if outcome.report_file is not None:
        table.add_row("report", str(outcome.report_file))
    if outcome.calibrations:
        table.add_row("calibrated", calibrated_text(outcome.calibrations))
    if outcome.result is not None:
        low, high = outcome.result.ci95_cm2_s
        d = outcome.result.diffusivity_cm2_s
        table.add_row(
            "D", f"[bold]{d:.5f}[/bold] cm²/s, 95 % interval {low:.5f} to {high:.5f} ({outcome.result.method})"
        )
    elif outcome.fit_error is not None:
        table.add_row("D", f"none: {outcome.fit_error}")
    if outcome.rate_cps_nw is not None:
        rate = f"optics: {{expected_rate: {outcome.rate_cps_nw * 1e-3:.3g} kcps/nW}}"
        table.add_row("rate", f"{rate} in the rig file lets `tplm check` predict rate and precision")
    if outcome.truth is not None:
        truth = outcome.truth["diffusivity_cm2_s"]
        table.add_row("truth", f"{truth:.5f} cm²/s (simulated sample)")
    longest = max(len(str(file)) for file in (outcome.run_file, outcome.report_file))
    print_whole(console, table, max(console.width, longest + LABELS))
    _print_how_to_go_on(console, outcome.rest)


def _print_alignment(console: Console, outcome: AlignOutcome) -> None:
    from tplm_daq.report.numbers import values_found

    table = plain_table()
    table.add_row("finished", f"{outcome.procedure}, {outcome.n_points} points in {outcome.wall_s:.1f} s")
    table.add_row("kept in", str(outcome.calibration_file))
    table.add_row("valid until", outcome.expires_at)
    for name, value, unit, true in values_found(outcome.values, outcome.truth or {}):
        table.add_row(name, f"{value} {unit}".rstrip() + (f"   (simulated: {true})" if true else ""))
    console.print(table, highlight=False, soft_wrap=True)


def _print_series(console: Console, outcome: SeriesOutcome) -> None:
    table = table_of("condition", "D (cm²/s, ± 95 %)", "truth", "end")
    for point in outcome.points:
        scan = point.outcome
        result = None if scan is None else scan.result
        d = "" if result is None else f"{result.diffusivity_cm2_s:.4f} ± {1.96 * result.standard_error_cm2_s:.4f}"
        truth = "" if scan is None or scan.truth is None else f"{scan.truth['diffusivity_cm2_s']:.4f}"
        table.add_row(point.condition.name, d, truth, point.finish_reason)
    console.print(table, highlight=False)
    for point in outcome.points:
        if point.error is not None:
            console.print(f"{point.condition.label}: {point.error}", highlight=False, soft_wrap=True)
    if outcome.report_file is not None:
        console.print(f"report  {outcome.report_file}", highlight=False, soft_wrap=True)
    n_good = len(outcome.points) - outcome.n_failed
    ended = f"{n_good} of {outcome.n_conditions} conditions are complete, in {outcome.folder}"
    console.print(ended, highlight=False, soft_wrap=True)
    _print_how_to_go_on(console, outcome.rest)


def _print_how_to_go_on(console: Console, rest: Path | None) -> None:
    if rest is not None:
        console.print(escape(f"To measure what is missing: tplm resume {rest}"), highlight=False, soft_wrap=True)


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
    table = plain_table()
    for check in report.checks:
        table.add_row("[green]holds[/green]" if check.is_ok else "[red]fails[/red]", check.name, check.detail)
    console.print(table, highlight=False)


def print_in_folder(console: Console, report: VerifyReport) -> None:
    """Print a line for a run of many, and what does not hold."""
    verdict = "[red]fails[/red]" if report.exit_status else "[green]holds[/green]"
    console.print(f"{verdict}  {escape(str(report.run_file))}", highlight=False, soft_wrap=True)
    for check in report.checks:
        if not check.is_ok:
            console.print(f"       {check.name}: {escape(check.detail)}", highlight=False, soft_wrap=True)


def print_result(console: Console, result: Result) -> None:
    """Print the result of an analysis with its warnings."""
    from tplm_daq.analysis.summary import rows_of

    table = plain_table()
    for name, text in rows_of(result):
        table.add_row(name, f"[bold]{text}[/bold]" if name == "D" else escape(text))
    console.print(table, highlight=False, soft_wrap=True)
