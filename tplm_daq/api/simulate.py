"""Measurements of a notebook: a recipe carried out on a simulated rig, and the lattice of nanocrystals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tplm_daq.api.run import Run, open_run
from tplm_daq.api.series import Series, open_series
from tplm_daq.errors import InputError
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.kmc import DEFAULT_RECIPE, SweepOutcome, load_kmc, run_sweep
from tplm_daq.workflow.load import load_measurement
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.series import SeriesJob
from tplm_daq.workflow.series_outcome import SeriesOutcome

DEFAULT_RIG = "configs/rig_sim.yaml"


def simulate(
    recipe: str | Path, changes: Sequence[str] = (), folder: str | Path = "runs", rig: str | Path = DEFAULT_RIG
) -> Run | Series:
    """Carry out a scan or a series on a simulated rig, as `tplm run` does, and open what was measured.

    Parameters
    ----------
    recipe : str or Path
        Recipe of a scan or a series; shipped ones are found from anywhere.
    changes : sequence of str
        ``KEY=VALUE`` changes of the recipe, and of the rig with the prefix ``rig.``.
    folder : str or Path
        Where the files go; made if absent.
    rig : str or Path
        Rig file of a simulated rig.

    Returns
    -------
    Run or Series
        Opened.

    Raises
    ------
    InputError
        A recipe or change cannot be used, or the rig is a real one.
    TplmError
        The measurement failed; what was measured is kept in the folder.
    """
    if isinstance(changes, str):
        raise InputError(f'changes is the text "{changes}". Write a list of texts: ["{changes}"].')
    wanted, rig_recipe = load_measurement(str(recipe), str(rig), changes)
    if not rig_recipe.is_simulated:
        raise InputError(
            f"{rig}: is no simulated rig. Measure on it with `tplm run` or `tplm gui`, which ask the operator and end "
            "safely on Ctrl-C; then open the file here."
        )
    job: ScanJob | SeriesJob
    if isinstance(wanted, SeriesRecipe):
        job = SeriesJob(wanted, rig_recipe, Path(folder), Nobody())
    elif isinstance(wanted, ScanRecipe):
        job = ScanJob(wanted, rig_recipe, Path(folder), Nobody())
    else:
        raise InputError(f"{recipe}: is an alignment. Run it with `tplm run`; its result is used until it expires.")
    outcome = job.run()
    if outcome.error is not None:
        raise outcome.error
    return open_series(outcome.folder) if isinstance(outcome, SeriesOutcome) else open_run(outcome.run_file)


def simulate_lattice(
    alpha: Sequence[float] = (),
    tau_pulse: Sequence[str] = (),
    n_pulses: int | None = None,
    seed: int | None = None,
    recipe: str | Path = DEFAULT_RECIPE,
    folder: str | Path | None = None,
) -> SweepOutcome:
    """Simulate excitons on the lattice of nanocrystals, as `tplm kmc` does.

    Parameters
    ----------
    alpha : sequence of float
        Probabilities that a pulse excites a nanocrystal in the centre; those of the recipe if empty.
    tau_pulse : sequence of str
        Times between pulses, such as ``"0.4 us"``; those of the recipe if empty. With `alpha` they form a product.
    n_pulses, seed : int, optional
        In place of the recipe's.
    recipe : str or Path
        Lattice recipe; shipped ones are found from anywhere.
    folder : str or Path, optional
        Where points are kept, and taken from if they are there.

    Returns
    -------
    SweepOutcome
        One row per condition.

    Raises
    ------
    InputError
        The sweep cannot be done as it is asked for.
    """
    wanted = load_kmc(str(recipe), alpha, tau_pulse, n_pulses, seed)
    return run_sweep(wanted, None if folder is None else Path(folder))
