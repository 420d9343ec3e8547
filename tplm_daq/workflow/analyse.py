"""Analysis of a file that is already there: a run file or an imported map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tplm_daq.analysis.pipeline import Result, analyse
from tplm_daq.store.importer import load_map
from tplm_daq.workflow.load import load_analysis


def analyse_file(path: Path, method: str | None, assignments: Sequence[str]) -> Result:
    """Fit the map in a file.

    Parameters
    ----------
    path : Path
        Run file (.h5) or imported map (.npz).
    method : str or None
        Estimator; None for the default.
    assignments : sequence of str
        ``KEY=VALUE`` changes of the analysis recipe.

    Raises
    ------
    InputError
        The file or an option cannot be used.
    FitError
        The data cannot be fitted.
    """
    recipe = load_analysis(method, assignments)
    return analyse(load_map(path), recipe)
