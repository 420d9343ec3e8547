"""The reproduction as a whole: what is to be done, and the page that is made of it once it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tplm_daq.errors import FitError
from tplm_daq.report.paper.view import Origin, PaperFigure, PaperPage, Verdict
from tplm_daq.workflow.paper import controls, decays, lattice, light, limit, maps, memory, numbers, samples
from tplm_daq.workflow.paper.inputs import simulator_inputs
from tplm_daq.workflow.paper.measured import Measured
from tplm_daq.workflow.paper.programme import PARTS, chosen_parts, items_of
from tplm_daq.workflow.paper.rows import missing
from tplm_daq.workflow.paper.tasks import LatticeTask, SeriesTask, Task, load_task
from tplm_daq.workflow.places import new_path

MADE: dict[str, Callable[[Measured], PaperFigure]] = {
    "1D": decays.decays,
    "1E": maps.time_position_map,
    "1F": maps.displacement,
    "2A-E": light.series,
    "2F-H": light.correlations,
    "3A": controls.there_and_back,
    "3B": controls.filters,
    "3C": samples.temperatures,
    "3E": samples.treatments,
    "4A": memory.relaxation,
    "4D": lattice.snapshot,
    "4E": lattice.enhancement,
    "S2": limit.small_diffusivities,
    "text": numbers.text_numbers,
}
"""What makes each part of the programme from what was measured."""


@dataclass(frozen=True)
class Plan:
    """What a reproduction does.

    Attributes
    ----------
    parts : tuple of str
        Names of figures.
    tasks : tuple of Task
        What they need, in the order of working.
    out : Path
        Folder of everything.
    is_quick : bool
        Whether this is the quick programme.
    """

    parts: tuple[str, ...]
    tasks: tuple[Task, ...]
    out: Path
    is_quick: bool

    @property
    def unfinished(self) -> tuple[tuple[LatticeTask, ...], tuple[SeriesTask, ...]]:
        """The tasks of which something is left: lattices, and series."""
        left = [task for task in self.tasks if task.n_done < task.n_conditions]
        return (
            tuple(task for task in left if isinstance(task, LatticeTask)),
            tuple(task for task in left if isinstance(task, SeriesTask)),
        )

    def seconds_left(self, n_processes: int) -> float:
        """About how long the rest takes here, if so many series are measured at a time."""
        series = [task.seconds_left for task in self.tasks if isinstance(task, SeriesTask)]
        lattices = sum(task.seconds_left for task in self.tasks if isinstance(task, LatticeTask))
        return lattices + max(sum(series) / n_processes, *series, 0.0)

    @property
    def microscope_seconds(self) -> float:
        """How long all of it would take at a microscope."""
        return sum(task.microscope_seconds for task in self.tasks)

    def name_of(self, task: Task) -> str:
        """Return a task's name with the figures that need it, such as ``power (1D and 7 others)``."""
        first, *others = (part for part in self.parts if task.item.name in PARTS[part].needs)
        count = f" and {len(others)} other{'s' * (len(others) > 1)}" if others else ""
        return f"{task.item.name} ({first}{count})"


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Attributes
    ----------
    page : PaperPage
        Figures with their rows.
    report_file : Path
        The page on the disk.
    """

    page: PaperPage
    report_file: Path

    @property
    def exit_status(self) -> int:
        """Status with which the program ends: 1 if a row fails."""
        return int(self.page.count(Verdict.FAILS) > 0)

    def to_dict(self) -> dict[str, object]:
        """Return what ``tplm reproduce --json`` prints."""
        return {
            "report_file": str(self.report_file),
            "n_agree": self.page.count(Verdict.AGREES),
            "n_explained": self.page.count(Verdict.EXPLAINED),
            "n_failed": self.page.count(Verdict.FAILS),
            "figures": [
                {
                    "figure": each.name,
                    "title": each.title,
                    "rows": [row.to_dict() for row in each.rows],
                    "notes": list(each.notes),
                    "files": [path for source in each.sources for _, path in source.links],
                }
                for each in self.page.figures
            ],
        }


def plan_reproduction(figures: Sequence[str], out: Path, is_quick: bool) -> Plan:
    """Return what is to be done for some figures; nothing is opened or written.

    Parameters
    ----------
    figures : sequence of str
        Names in the paper, such as 4E; none for all.
    out : Path
        Folder for everything that is made.
    is_quick : bool
        Whether fewer conditions are measured, with fewer photons.

    Raises
    ------
    InputError
        There is no such figure, or a recipe does not hold.
    """
    parts = chosen_parts(figures)
    return Plan(parts, tuple(load_task(item, out, is_quick) for item in items_of(parts)), out, is_quick)


def write_reproduction(plan: Plan) -> Reproduction:
    """Make every figure of a plan whose tasks are done, and write the page.

    Raises
    ------
    InputError
        Something has not been measured, or the page cannot be written.
    """
    from tplm_daq.report.paper.page import write_paper_page

    measured = Measured(plan.tasks, plan.out)
    figures = tuple(_made(name, measured) for name in plan.parts)
    page = PaperPage(figures, simulator_inputs(), _conduct(plan))
    path = new_path(plan.out, "paper-quick" if plan.is_quick else "paper", ".html")
    write_paper_page(path, page)
    return Reproduction(page, path)


def _made(name: str, measured: Measured) -> PaperFigure:
    """Make one part; one that cannot be made is a row that fails."""
    try:
        return MADE[name](measured)
    except FitError as reason:
        row = missing("the figure", "", str(reason), Origin.EMERGED)
        return PaperFigure(name, PARTS[name].title, "It cannot be made from these data.", None, (row,))


def _conduct(plan: Plan) -> tuple[str, ...]:
    """Say how it was done."""
    told = [
        f"{sum(task.n_conditions for task in plan.tasks)} scans and conditions of the lattice, from the recipes in "
        f"configs/paper; at a microscope {plan.microscope_seconds / 3600:.1f} h, without waiting for temperatures."
    ]
    if plan.is_quick:
        told.append(
            "Quick programme: fewer conditions; what was changed stands beside each recipe. Tests can find less."
        )
    return tuple(told)
