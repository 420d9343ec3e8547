"""What the live view draws: one consistent, immutable view of a run, growing or read from its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.result import Result
from tplm_daq.errors import FitError
from tplm_daq.gui.derived import Derived, derive, pulse_arrival_ns
from tplm_daq.gui.growing import GrowingMap, GrownMap
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.store.layout import row_of
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.comparison import ComparedRuns
from tplm_daq.workflow.live import LiveResult

LEAST_GROWTH = 1.01
"""A step of the history has at least so many times the photons of the one before: memory stays flat for days."""


@dataclass(frozen=True)
class Step:
    """D in cm2/s with its 95 % interval and bias lamp, after some photons in the fit window."""

    n_photons: int
    diffusivity_cm2_s: float
    ci95_cm2_s: tuple[float, float]
    lamp: str


@dataclass(frozen=True)
class SeriesSoFar:
    """The series that a scan belongs to.

    Attributes
    ----------
    place : str
        Which condition it is, of how many.
    varied : tuple of str
        Keys of the quantities that are varied.
    runs : ComparedRuns
        The conditions measured before, with their results.
    """

    place: str
    varied: tuple[str, ...]
    runs: ComparedRuns


@dataclass(frozen=True)
class Picture:
    """Everything to be drawn of one run.

    Attributes
    ----------
    title : str
        Of the recipe.
    window_ns : float
        Delays after the pulse that are fitted.
    grown : GrownMap or None
        Counts; None before the first point.
    live : LiveResult or None
        The latest fit, or why there is none.
    history : tuple of Step
        How D converged.
    derived : Derived or None
        Decay laws and residuals.
    target_precision : float or None
        Standard error of D relative to D at which the scan ends.
    truth_cm2_s : float or None
        Of the simulated sample, once the run is over.
    series : SeriesSoFar or None
        The series that the run belongs to, while that is under way.
    """

    title: str = ""
    window_ns: float = 3.0
    grown: GrownMap | None = None
    live: LiveResult | None = None
    history: tuple[Step, ...] = ()
    derived: Derived | None = None
    target_precision: float | None = None
    truth_cm2_s: float | None = None
    series: SeriesSoFar | None = None

    @property
    def result(self) -> Result | None:
        """The latest fit, None if there is none."""
        return None if self.live is None else self.live.result

    @property
    def t0_ns(self) -> float:
        """Delay at which the pulse arrives, in ns."""
        return 0.0 if self.grown is None else pulse_arrival_ns(self.grown, self.result)


class History:
    """Keeps how D converged, in steps of photons.

    Attributes
    ----------
    steps : tuple of Step
        So far, the oldest first.
    """

    def __init__(self) -> None:
        self.steps: tuple[Step, ...] = ()

    def add(self, result: Result) -> None:
        """Add a fit, in place of the last step if that was hardly older."""
        low, high = result.ci95_cm2_s
        step = Step(result.n_photons, result.diffusivity_cm2_s, (low, high), result.bias_lamp)
        kept = self.steps
        if len(kept) > 1 and step.n_photons < LEAST_GROWTH * kept[-2].n_photons:
            kept = kept[:-1]
        self.steps = (*kept, step)


def picture_of_file(path: Path) -> Picture:
    """Read a run file, finished, cut short or growing, and fit it as its recipe says.

    Parameters
    ----------
    path : Path
        The file, which is only read.

    Raises
    ------
    InputError
        It cannot be read, or its recipe cannot be used.
    """
    run = open_run(path)
    recipe = validate(ScanRecipe, parse_mapping(run.header.recipe_text, f"{path}, recipe"), f"{path}, recipe")
    growing = GrowingMap(recipe)
    for record, counts in zip(run.points, run.counts(), strict=True):
        row = row_of(record)
        growing.add(row.index, row.path_nm, row.live_s, counts)
    history = History()
    try:
        live = LiveResult(analyse(run.map(), recipe.analysis), run.n_points)
    except FitError as error:
        live = LiveResult(None, run.n_points, str(error))
    if live.result is not None:
        history.add(live.result)
    grown, truth = growing.latest(), run.truth() or {}
    true_cm2_s = truth.get("diffusivity_cm2_s")
    return Picture(
        title=f"{run.title} — {path.name}",
        window_ns=recipe.analysis.window_ns,
        grown=grown,
        live=live,
        history=history.steps,
        derived=None if grown is None else derive(grown, live.result, recipe.light.repetition_rate_hz),
        target_precision=recipe.passes.target_precision,
        truth_cm2_s=float(true_cm2_s) if isinstance(true_cm2_s, int | float) else None,
    )
