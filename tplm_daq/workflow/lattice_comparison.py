"""The lattice under the light of a measured series: D of both, run by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from tplm_daq.analysis.series_table import SeriesTable, require_runs
from tplm_daq.errors import InputError
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Job
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.report.tabular import Tabular
from tplm_daq.workflow.kmc import SweepProgress, run_jobs

FloatArray = NDArray[np.float64]

LEAST_CHANCE = 1e-6
"""Smaller probabilities are not told apart: no error is known so well."""


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Measured and simulated diffusivities, one entry per run, by ascending t_exc.

    Attributes
    ----------
    t_exc_us : ndarray of float64, shape (n_run,)
        Mean time between two excitations of a nanocrystal.
    measured_cm2_s, measured_error_cm2_s : ndarray of float64, shape (n_run,)
        Diffusivity and standard error of the run.
    lattice_cm2_s, lattice_error_cm2_s : ndarray of float64, shape (n_run,)
        The same of the lattice, per axis.
    chi_square : float
        Of the differences.
    p_value : float
        Probability of larger differences by chance, if the lattice were right as it stands.
    """

    t_exc_us: FloatArray
    measured_cm2_s: FloatArray
    measured_error_cm2_s: FloatArray
    lattice_cm2_s: FloatArray
    lattice_error_cm2_s: FloatArray
    chi_square: float
    p_value: float
    row_name = "run"

    def columns(self) -> dict[str, Sequence[object]]:
        """Return one row per run."""
        names = ("t_exc_us", "measured_cm2_s", "measured_error_cm2_s", "lattice_cm2_s", "lattice_error_cm2_s")
        return {name: getattr(self, name).tolist() for name in names}

    def caption(self) -> str:
        """Return how well the lattice describes the series."""
        chance = f"{self.p_value:.2g}" if self.p_value >= LEAST_CHANCE else f"below {LEAST_CHANCE:g}"
        n_runs = len(self.t_exc_us)
        return f"lattice beside {n_runs} runs: chi-square {self.chi_square:.3g}, by chance with probability {chance}"


def compare_with_lattice(
    table: SeriesTable,
    recipe: KmcRecipe,
    folder: Path | None = None,
    n_workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[SweepProgress], None] | None = None,
) -> Comparison:
    """Simulate the lattice with the excitation probability and the pulse spacing of each run of a series.

    Parameters
    ----------
    table : SeriesTable
        The series, at one temperature.
    recipe : KmcRecipe
        Lattice, recording, pulses and seed; its own conditions are not looked at.
    folder, n_workers, scheduler, on_progress
        As for `run_jobs`.

    Raises
    ------
    InputError
        A run has more excitations per nanocrystal and pulse than a probability can be.
    FitError
        Some run has no diffusivity, error or light.
    """
    require_runs(table, 1)
    if table.excitons_per_pulse.max() > 1.0:
        worst = int(np.argmax(table.excitons_per_pulse))
        raise InputError(
            f"run {worst + 1} of the series has {table.excitons_per_pulse[worst]:.3g} excitations per nanocrystal and "
            "pulse; the lattice excites a site with a probability, at most 1. Leave that run out."
        )
    order = np.argsort(table.t_exc_us, kind="stable")
    rows = table.rows([int(index) for index in order])
    jobs = [
        Job(recipe, Condition(float(alpha), 1e9 / float(rate_hz)))
        for alpha, rate_hz in zip(rows.excitons_per_pulse, rows.repetition_rate_hz, strict=True)
    ]
    distinct = list(dict.fromkeys(jobs))
    points = dict(zip(distinct, run_jobs(distinct, folder, n_workers, scheduler, on_progress).points, strict=True))
    lattice = np.array([points[job].d_sim_cm2_s for job in jobs])
    error = np.array([points[job].standard_error_cm2_s for job in jobs])
    difference = rows.diffusivity_cm2_s - lattice
    chi_square = float(np.sum(difference**2 / (rows.standard_error_cm2_s**2 + error**2)))
    return Comparison(
        t_exc_us=rows.t_exc_us,
        measured_cm2_s=rows.diffusivity_cm2_s,
        measured_error_cm2_s=rows.standard_error_cm2_s,
        lattice_cm2_s=lattice,
        lattice_error_cm2_s=error,
        chi_square=chi_square,
        p_value=float(chdtrc(len(jobs), chi_square)),
    )
