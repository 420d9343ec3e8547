"""Series in a notebook: its runs as a table, the relaxation that they say, figures, and the lattice beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesGroup, SeriesSummary
from tplm_daq.api.run import Run, open_run
from tplm_daq.errors import FitError, InputError
from tplm_daq.report.tabular import Tabular
from tplm_daq.workflow.kmc import DEFAULT_RECIPE, load_kmc
from tplm_daq.workflow.lattice_comparison import Comparison, compare_with_lattice
from tplm_daq.workflow.series_result import is_series, series_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEFT_TO_SUMMARY = ("fluence_uj_cm2", "forster_radius_nm", "forster_radius_error_nm")
"""Numbers of a run that follow from others; `summary` has them."""


@dataclass(frozen=True, repr=False)
class Series(Tabular):
    """A series as it was when it was opened: one row per run that has a result.

    Attributes
    ----------
    folder : Path
        Where its runs are.
    summary : SeriesSummary
        Every run with its numbers, and what they say together.
    """

    folder: Path
    summary: SeriesSummary
    row_name = "run"
    not_shown = ("run_file", "sample")

    def __len__(self) -> int:
        return len(self.summary.runs)

    def __getitem__(self, number: int) -> Run:
        """Open one run, counted from 0 in the order of measuring; -1 is the last."""
        try:
            return open_run(self.folder / self.summary.runs[number].source)
        except IndexError:
            raise IndexError(f"there is no run {number}: {self.folder.name} has {len(self)} runs, from 0") from None

    @property
    def relaxation(self) -> Relaxation:
        """How D falls with the time between two excitations of a nanocrystal.

        Raises
        ------
        FitError
            The series does not say, or several samples or temperatures say it each: see ``summary.groups``.
        """
        found = self._one_group("a relaxation time").relaxation
        if isinstance(found, str):
            raise FitError(found)
        return found

    def compare_with_lattice(
        self, recipe: str = DEFAULT_RECIPE, n_pulses: int | None = None, changes: Sequence[str] = ()
    ) -> Comparison:
        """Simulate the lattice of nanocrystals under the light of each run.

        Parameters
        ----------
        recipe : str
            Lattice recipe; its own conditions are not looked at.
        n_pulses : int, optional
            Pulses per condition, in place of the recipe's.
        changes : sequence of str
            ``KEY=VALUE`` changes of the recipe.

        Raises
        ------
        InputError
            The recipe cannot be used, or the light is too strong for the lattice.
        FitError
            The series has several samples or temperatures.
        """
        wanted = load_kmc(recipe, n_pulses=n_pulses, assignments=changes)
        return compare_with_lattice(self._one_group("a comparison").table, wanted)

    def plot(self, lattice: Comparison | None = None, what: str = "enhancement") -> Figure:
        """Draw the series; a notebook shows the figure, elsewhere its `savefig` writes it.

        Parameters
        ----------
        lattice : Comparison, optional
            From `compare_with_lattice`, to stand beside the enhancement.
        what : str
            "enhancement" (D against the time between excitations), "conditions" or "decays".

        Raises
        ------
        InputError
            There is no such figure, or nothing for it was measured.
        """
        from tplm_daq.report.series_figures import draw_conditions, draw_decays, draw_enhancement

        drawn: dict[str, Callable[[], Figure | None]] = {
            "enhancement": lambda: draw_enhancement(self.summary, _curve(lattice)),
            "conditions": lambda: draw_conditions(self.summary),
            "decays": lambda: draw_decays(self.summary),
        }
        if what not in drawn:
            raise InputError(f"there is no plot '{what}'. Choose one of {', '.join(drawn)}.")
        figure = drawn[what]() if self.summary.runs else None
        if figure is None:
            raise InputError(f"{self.folder}: nothing was measured that could be drawn as {what}.")
        return figure

    def columns(self) -> dict[str, Sequence[object]]:
        """Return one row per run: its condition, t_exc in us, D and standard error in cm2/s, ..."""
        runs: list[dict[str, object]] = self.summary.to_dict()["runs"]
        return {name: [run[name] for run in runs] for name in (runs[0] if runs else ()) if name not in LEFT_TO_SUMMARY}

    def caption(self) -> str:
        """Return title, number of runs, and what they say of the relaxation."""
        said = [f"{self.summary.title}: {len(self)} runs with a result"]
        said += [f"{label}: left out, {reason}" for label, reason in self.summary.left_out]
        return "\n".join([*said, *map(_relaxation_text, self.summary.groups)])

    def _one_group(self, purpose: str) -> SeriesGroup:
        groups = self.summary.groups
        if len(groups) != 1:
            raise FitError(
                f"{self.folder.name} has {len(groups)} groups of one sample at one temperature, and {purpose} needs "
                "one. They are in `summary.groups`."
            )
        return groups[0]


def open_series(folder: str | Path) -> Series:
    """Open the folder of a series.

    Parameters
    ----------
    folder : str or Path
        The folder with `series.jsonl` and the run files.

    Returns
    -------
    Series
        What is in it now; runs without a result are left out, with the reason.

    Raises
    ------
    InputError
        It is not the folder of a series, or its index cannot be read.
    """
    folder = Path(folder)
    if not is_series(folder):
        what = "is a file" if folder.is_file() else "has no series.jsonl" if folder.is_dir() else "no such folder"
        raise InputError(
            f"{folder}: {what}. Give the folder that `tplm run` made for a series; open_run opens one run."
        )
    return Series(folder, series_summary(folder))


def _curve(lattice: Comparison | None) -> tuple[np.ndarray, ...] | None:
    return None if lattice is None else (lattice.t_exc_us, lattice.lattice_cm2_s, lattice.lattice_error_cm2_s)


def _relaxation_text(group: SeriesGroup) -> str:
    name = f"{group.name}: " if group.name else ""
    found = group.relaxation
    if isinstance(found, str):
        return f"{name}no relaxation time: {found}"
    low_us, high_us = found.tau_ci95_us
    end = f"to {high_us:.3g} µs" if np.isfinite(high_us) else "with no upper limit"
    return (
        f"{name}relaxation time {found.tau_us:.2f} µs, 95 % interval {low_us:.3g} {end}; "
        f"D from {found.d_inf_cm2_s[0]:.4f} (rare excitation) to {found.d_0_cm2_s[0]:.4f} cm²/s (frequent)"
    )
