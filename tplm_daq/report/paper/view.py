"""What the page of the reproduction shows, gathered so that drawing needs no file: panels, rows of comparison, sources.

Panels hold numbers with their units in the labels; how they look is the business of `draw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.result import Result
from tplm_daq.kmc.simulate import Snapshot
from tplm_daq.photons.histogram import TimePositionMap

FloatArray = NDArray[np.float64]


class Verdict(StrEnum):
    """How a row of comparison ends."""

    AGREES = "agrees"
    EXPLAINED = "differs, explained"
    FAILS = "fails"


class Origin(StrEnum):
    """Where our number comes from, and so what an agreement is worth."""

    RECOVERED = "input, recovered"
    EMERGED = "result"
    CALCULATED = "calculation"


@dataclass(frozen=True)
class Row:
    """One number or statement of the paper beside ours.

    Attributes
    ----------
    quantity, paper, ours : str
        What is compared, with units and errors in the texts.
    origin : Origin
        Whether our number is an input of the simulator that was recovered, a result, or a calculation.
    rule : str
        When it counts as agreement.
    verdict : Verdict
        Whether it does.
    explanation : str
        Why it differs or fails; empty where it agrees, unless there is something to know.
    """

    quantity: str
    paper: str
    ours: str
    origin: Origin
    rule: str
    verdict: Verdict
    explanation: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the row as plain texts, and whether it agrees."""
        return {
            "quantity": self.quantity,
            "paper": self.paper,
            "ours": self.ours,
            "origin": self.origin.value,
            "rule": self.rule,
            "agreement": self.verdict is Verdict.AGREES,
            "verdict": self.verdict.value,
            "explanation": self.explanation,
        }


@dataclass(frozen=True)
class Points:
    """Marks with bars.

    Attributes
    ----------
    x, y : ndarray of float64, shape (n_point,)
        Places.
    low, high : ndarray of float64, shape (n_point,), or None
        Ends of the bars; None only where there is no error, as for the truth of the simulated sample.
    label : str
        For the legend; empty for none.
    colour : int
        Number of a colour; marks and curves that belong together have the same.
    is_truth : bool
        Whether these are inputs of the simulator, drawn as rings.
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray | None
    high: FloatArray | None
    label: str = ""
    colour: int = 0
    is_truth: bool = False


@dataclass(frozen=True)
class Curve:
    """A line, with a band of its 95 % interval if `low` and `high` are given; attributes as of `Points`."""

    x: FloatArray
    y: FloatArray
    label: str = ""
    colour: int = 0
    is_dashed: bool = False
    low: FloatArray | None = None
    high: FloatArray | None = None


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title, x_label, y_label : str
        Units stand in the labels.
    points, curves : sequence
        What is in it.
    is_x_log, is_y_log : bool
        Whether an axis is logarithmic.
    ticks : mapping of float to str or None
        Names in place of numbers along x.
    from_zero : bool
        Whether a linear y axis includes 0.
    """

    title: str
    x_label: str
    y_label: str
    points: Sequence[Points] = ()
    curves: Sequence[Curve] = ()
    is_x_log: bool = False
    is_y_log: bool = False
    ticks: dict[float, str] | None = None
    from_zero: bool = True
    y_limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class MapDrawing:
    """The counts of one scan over delay and position."""

    data: TimePositionMap
    result: Result


@dataclass(frozen=True)
class LatticeDrawing:
    """A lattice at one moment, each nanocrystal in its place.

    Attributes
    ----------
    snapshot : Snapshot
        Sites and excitons.
    spacing_nm, spot_sigma_nm : float
        Distance of sites, and standard deviation of the spot.
    """

    snapshot: Snapshot
    spacing_nm: float
    spot_sigma_nm: float


Drawing = tuple[Panel, ...] | MapDrawing | LatticeDrawing


@dataclass(frozen=True)
class Source:
    """What a figure was made from.

    Attributes
    ----------
    recipe : str
        The recipe in the folder of recipes.
    changes : tuple of str
        What was changed in it.
    links : tuple of (str, str)
        Label and path, relative to the page, of the recipe as carried out and of every file of data.
    """

    recipe: str
    changes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper, made anew.

    Attributes
    ----------
    name, title : str
        Name in the paper, and what it shows.
    caption : str
        What was done, and what the marks and lines are.
    drawing : Drawing or None
        What to draw; None for a table alone.
    rows : tuple of Row
        Paper and ours.
    notes : tuple of str
        What else to know, such as conditions that failed.
    sources : tuple of Source
        Recipes and files.
    """

    name: str
    title: str
    caption: str
    drawing: Drawing | None
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class PaperPage:
    """The whole reproduction.

    Attributes
    ----------
    figures : tuple of PaperFigure
        In the paper's order.
    inputs : mapping of str to str
        What was put into the simulator.
    conduct : tuple of str
        How it was carried out: time, quick or full, versions.
    """

    figures: tuple[PaperFigure, ...]
    inputs: dict[str, str] = field(default_factory=dict)
    conduct: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """Return how many rows end in a verdict."""
        return sum(row.verdict is verdict for figure in self.figures for row in figure.rows)
