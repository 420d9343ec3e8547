"""What can be done with files that are already there: list them, report on them, write them in other formats.

Listing and exporting load neither the fits nor matplotlib, so that they answer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tplm_daq.errors import FitError, InputError
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import validate
from tplm_daq.store.catalog import ANY, Catalogue, Range, read_catalogue
from tplm_daq.store.export import check_format, export_map
from tplm_daq.store.importer import is_run_name, load_map
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.load import load_analysis

if TYPE_CHECKING:
    from tplm_daq.analysis.pipeline import Result
    from tplm_daq.report.view import RunView

WITHOUT_RECIPE = "`tplm analyse` fits the data with the default recipe."
"""What to do about a run whose recipe cannot be used."""


def list_runs(
    folder: Path,
    text: str = "",
    since: date | None = None,
    until: date | None = None,
    power_nw: Range = ANY,
    diffusivity_cm2_s: Range = ANY,
) -> Catalogue:
    """Return what has been measured.

    Parameters
    ----------
    folder : Path
        Where run files are; folders in it are looked through too.
    text : str
        Part of title or sample, in any case.
    since, until : date or None
        First and last day.
    power_nw, diffusivity_cm2_s : Range
        Average power, and D of the newest stored result.

    Returns
    -------
    Catalogue
        The runs that match, the oldest first, and files that cannot be read with the reason.

    Raises
    ------
    InputError
        There is no such folder, or the dates are exchanged.
    """
    return read_catalogue(folder).select(text, since, until, power_nw, diffusivity_cm2_s)


def export_run(path: Path, to: str, out: Path | None = None) -> Path:
    """Write the map of a run file, or of an imported file, in another format.

    Parameters
    ----------
    path : Path
        Run file (.h5) or imported map (.npz, .csv).
    to : str
        "npz", "csv" or "ptu"; the last holds the counter's own records if the run kept them.
    out : Path or None
        File to write, which must not exist; None for the same name with the format's suffix.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        The file cannot be read, the format does not exist, or the target exists or cannot be made.
    StoreError
        The disk does not take it.
    """
    check_format(to)
    target = path.with_suffix(f".{to}") if out is None else out
    export_map(load_map(path), to, target, open_run(path).tags() if is_run_name(path) else None)
    return target


def report_runs(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write one page about one or several files, each fitted anew, or about a series.

    A run file is fitted as its own recipe says, an imported map with the default analysis recipe. The runs of a series
    speak through their stored results.

    Parameters
    ----------
    paths : sequence of Path
        Run files (.h5) and imported maps (.npz, .csv), in the order of the page, or the folder of one series.
    out : Path or None
        Page to write, which must not exist; None for the first file's name with the suffix .html.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        There is no file, one cannot be read, or the page exists or cannot be written. Nothing is written then.
    """
    from tplm_daq.report.page import write_report
    from tplm_daq.report.series_page import write_series_report
    from tplm_daq.workflow.series_result import is_series, series_summary

    if not paths:
        raise InputError("a report needs a file. Name one or several run files; `tplm runs` lists them.")
    if len(paths) == 1 and is_series(paths[0]):
        target = paths[0] / "series.html" if out is None else out
        write_series_report(target, series_summary(paths[0]))
        return target
    target = paths[0].with_suffix(".html") if out is None else out
    write_report(target, [_view_of_file(path) for path in paths])
    return target


def stored_analysis(run: RunFile) -> AnalysisRecipe:
    """Return the analysis recipe with which a run was made.

    Parameters
    ----------
    run : RunFile
        The run.

    Returns
    -------
    AnalysisRecipe
        The section `analysis` of its recipe.

    Raises
    ------
    InputError
        The recipe in the file cannot be read, or asks for something that this version does not know.
    """
    try:
        data = parse_mapping(run.header.recipe_text, f"{run.path}, recipe")
    except InputError as error:
        raise InputError(f"{run.path}: the recipe in it cannot be read. {WITHOUT_RECIPE}") from error
    if not isinstance(data.get("analysis"), dict):
        raise InputError(f"{run.path}: the recipe in it has no section analysis. {WITHOUT_RECIPE}")
    return validate(AnalysisRecipe, data["analysis"], f"{run.path}, recipe, analysis")


def _view_of_file(path: Path) -> RunView:
    """Return what a report shows of a run file or an imported map."""
    from tplm_daq.analysis.pipeline import analyse
    from tplm_daq.report.view import RunView, conditions_of_map, view_of_run
    from tplm_daq.workflow.analyse import analyse_run

    if is_run_name(path):
        run = open_run(path)
        recipe = stored_analysis(run)
        return view_of_run(run, *_fitted(lambda: analyse_run(run, recipe)))
    data = load_map(path)
    recipe = load_analysis(None, ())
    result, fit_error = _fitted(lambda: analyse(data, recipe, with_laws=True))
    return RunView(path.stem, path.name, data, result, fit_error, conditions=conditions_of_map(data))


def _fitted(fit: Callable[[], Result]) -> tuple[Result | None, str | None]:
    """Return the result, or why there is none."""
    try:
        return fit(), None
    except FitError as error:
        return None, str(error)
