"""Writes the report of one or several runs: a page to be mailed, printed or put beside a paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from tplm_daq.analysis.result import Figure as Merit
from tplm_daq.analysis.result import Result
from tplm_daq.report.figures import draw_decay, draw_map, draw_msd, draw_profiles
from tplm_daq.report.html import figure, grid, table, write_page
from tplm_daq.report.images import draw_images, is_raster
from tplm_daq.report.numbers import label_and_unit, value_with_error
from tplm_daq.report.view import RunView

LAMP_MEANS = {
    "green": "nothing known speaks against the number",
    "amber": "read the warnings before using the number",
    "red": "do not use the number",
}


def write_report(path: Path, views: Sequence[RunView]) -> None:
    """Write the report of one or several runs.

    Parameters
    ----------
    path : Path
        The HTML file; must not exist.
    views : sequence of RunView
        Runs in the order of the page; several get a table of comparison first.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    write_page(path, _title(views), _page(views))


def _title(views: Sequence[RunView]) -> str:
    return views[0].title if len(views) == 1 else f"{len(views)} runs"


def _page(views: Sequence[RunView]) -> Iterator[str]:
    """Yield the lines of the page."""
    if len(views) > 1:
        yield f"<h1>{escape(_title(views))}</h1>"
        yield from _comparison(views)
    for number, view in enumerate(views, start=1):
        yield from _run(view, number, is_alone=len(views) == 1)


def _comparison(views: Sequence[RunView]) -> Iterator[str]:
    """Yield a table with one row per run."""
    names = ("run", "file", "D (cm²/s)", "95 % interval (cm²/s)", "method")
    rows = []
    for number, view in enumerate(views, start=1):
        result = view.result
        cells = (
            ("not fitted", "", "")
            if result is None
            else (
                value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s),
                "{:.4g} to {:.4g}".format(*result.ci95_cm2_s),
                result.method,
            )
        )
        name = f'<a href="#run-{number}">{escape(view.title)}</a>'
        rows.append((name, escape(view.source), *map(escape, cells)))
    yield from grid(names, rows)


def _run(view: RunView, number: int, is_alone: bool) -> Iterator[str]:
    """Yield the section of one run."""
    heading = "h1" if is_alone else "h2"
    yield f'<section id="run-{number}"><{heading}>{escape(view.title)}</{heading}>'
    yield f'<p class="source">{escape(view.source)}</p>'
    if view.result is None:
        yield f'<p class="lamp red">No diffusivity: {escape(view.fit_error or "the data were not analysed")}</p>'
        yield _overview(view, number)
    else:
        yield from _headline(view.result, view.truth_cm2_s)
        yield from _figures(view, view.result, number)
        yield from _numbers(view.result, view.truth_cm2_s)
    yield from table("Conditions", view.conditions)
    yield from _origin(view)
    yield "</section>"


def _headline(result: Result, truth_cm2_s: float | None) -> Iterator[str]:
    """Yield the diffusivity in large type, and how far to trust it."""
    value = value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s)
    low, high = result.ci95_cm2_s
    yield f'<p class="headline">D = {value} cm²/s</p>'
    truth = "" if truth_cm2_s is None else f"; the simulated sample has {truth_cm2_s:.4g} cm²/s"
    yield (
        f"<p>± is the standard error. 95 % interval {low:.5f} to {high:.5f} cm²/s (statistical); systematic error "
        f"{result.systematic_cm2_s:.2g} cm²/s; per axis, along {' and '.join(result.axis)}{truth}.</p>"
    )
    yield f'<p class="lamp {result.bias_lamp}">{result.bias_lamp}: {LAMP_MEANS[result.bias_lamp]}</p>'
    if result.warnings:
        yield "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in result.warnings) + "</ul>"


def _figures(view: RunView, result: Result, number: int) -> Iterator[str]:
    """Yield the four figures with their captions."""
    yield _overview(view, number)
    yield '<div class="row">'
    yield figure(
        draw_profiles(result),
        f"profiles-{number}",
        f"{'Row through the spot' if result.axis == 'xy' else 'Spot'} at mean exciton ages of "
        f"{result.early.age_ns:.2f} and {result.late.age_ns:.2f} ns, summed over the delay bins near either end of the "
        "fit window. Bars: square root of the counts. Lines: fit, pixel included.",
    )
    yield figure(
        draw_msd(result),
        f"msd-{number}",
        "Mean squared displacement, σ²(t) − σ²(0), one point per delay bin with its standard error. Line: 2 D t with "
        "the diffusivity quoted, shaded with its 95 % interval. Extreme points may lie outside the frame.",
    )
    yield figure(
        draw_decay(result, view.data.bin_width_ns),
        f"decay-{number}",
        f"Photoluminescence decay, all positions. Line: exponential with a lifetime of {result.lifetime_ns:.3g} ns "
        f"under a response of {1e3 * result.response_fwhm_ns:.3g} ps full width at half maximum"
        + ("." if result.tail is None else f", then a power law, t⁻ⁿ with n = {result.tail.exponent:.3g}."),
    )
    yield "</div>"


def _overview(view: RunView, number: int) -> str:
    """Return the figure that shows all counts: the map of a line scan, the images of a raster."""
    data, result = view.data, view.result
    photons = f"{int(data.counts.sum()):,} photons at {len(data.x_nm)} positions."
    if is_raster(data):
        return figure(draw_images(data, result), f"images-{number}", f"{photons} {_about_images(result)}", is_wide=True)
    return figure(draw_map(data, result), f"map-{number}", f"{photons} {_about_map(result)}", is_wide=True)


def _about_map(result: Result | None) -> str:
    """Say what the map of a line scan shows."""
    spot = "" if result is None else "; dashed: fitted centre ± standard deviation of the spot, without the pixel"
    return (
        f"(a) Each delay scaled to its maximum{spot}. (b) All counts, scaled to the mean dwell. Nothing is subtracted "
        "or smoothed."
    )


def _about_images(result: Result | None) -> str:
    """Say what the images of a raster show."""
    spot = "" if result is None else " Cross: fitted centre. Dashed: fitted standard deviation, without the pixel."
    return (
        "(a) All delays; (b, c, d) parts of the time after the pulse. Each is scaled to its maximum at mean dwell, a "
        f"tile stands for a position, and nothing is subtracted or smoothed.{spot}"
    )


def _numbers(result: Result, truth_cm2_s: float | None) -> Iterator[str]:
    """Yield the table of the result, the corrections and the systematic errors."""
    rows = {
        "diffusivity D": f"{value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s)} cm²/s",
        "method": result.method,
        **_spot(result),
        **_decay_rows(result),
        "background": f"{result.background_counts_per_bin:.3g} counts per recorded bin",
        "pulse arrives at": f"{result.t0_ns:.4g} ns of the recorded delay",
        "photons in the fit window": f"{result.n_photons:,}",
        "corrections": "; ".join(result.corrections) or "none",
    }
    if result.deviance_per_dof is not None:
        rows["deviance per degree of freedom"] = f"{result.deviance_per_dof:.3f}"
    if truth_cm2_s is not None:
        deviation = (result.diffusivity_cm2_s - truth_cm2_s) / result.standard_error_cm2_s
        rows["simulated sample"] = f"{truth_cm2_s:.4g} cm²/s ({deviation:+.1f} standard errors away)"
    yield from table("Result", rows)
    yield from table("Figures of merit, with 95 % intervals", dict(map(_merit, result.figures)))
    yield from table("Systematic error", {term.name: f"{term.error_cm2_s:.2g} cm²/s" for term in result.bias_budget})


def _decay_rows(result: Result) -> dict[str, str]:
    """Return the rows about the decay."""
    rows = {
        "lifetime in the window": "{:.4g} ns ({:.4g} to {:.4g})".format(result.lifetime_ns, *result.lifetime_ci95_ns)
    }
    if result.tail is not None:
        rows["exponent of the late power law"] = "{:.4g} ({:.4g} to {:.4g})".format(
            result.tail.exponent, *result.tail.ci95
        )
        rows["laws of the decay compared"] = result.tail.verdict
    return rows


def _spot(result: Result) -> dict[str, str]:
    """Return the rows about width and centre of the spot, of a raster along both axes."""
    width, centre = "spot σ(0), laser and optics", "centre"
    if result.sigma0_xy_nm is not None and result.centre_xy_nm is not None:
        return {
            width: "{:.1f} nm along x, {:.1f} nm along y".format(*result.sigma0_xy_nm),
            centre: "x {:.1f} nm, y {:.1f} nm".format(*result.centre_xy_nm),
        }
    return {
        width: f"{value_with_error(result.sigma0_nm, result.sigma0_error_nm)} nm",
        centre: f"{result.centre_nm:.4g} nm",
    }


def _merit(merit: Merit) -> tuple[str, str]:
    """Return what a figure of merit is called, and its value with its interval."""
    label, unit = label_and_unit(merit.name)
    low, high = merit.ci95
    return label, f"{merit.value:.3g} ({low:.3g} to {high:.3g}) {unit}".rstrip()


def _origin(view: RunView) -> Iterator[str]:
    """Yield what is needed to do it again."""
    if view.recipe_text:
        yield f"<details><summary>Recipe</summary><pre>{escape(view.recipe_text)}</pre></details>"
    if view.provenance:
        versions = ", ".join(f"{escape(name)} {escape(version)}" for name, version in view.provenance.items())
        yield f'<p class="source">Measured with {versions}.</p>'
