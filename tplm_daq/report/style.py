"""How figures look, and how they get into a page: one typeface, few colours, units on every axis.

Figures are built without pyplot, so nothing global changes and no window can open. Ink is drawn in one
reserved colour, which becomes `currentColor` in the page: the same figure serves a light and a dark screen.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the text colour of the page."""
DATA, MODEL, SECOND = "#3a87c8", "#e0692a", "#7a9a3c"
"""What was measured, what was fitted, and a second measured curve; legible on white and on near-black."""
COLOUR_MAP = "viridis"

NOTEBOOK_DPI = 100

SVG_HEAD = re.compile(r"^.*?(?=<svg )", re.DOTALL)
SVG_SIZE = re.compile(r' (?:width|height)="[^"]*pt"')

SETTINGS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.4,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.image_inline": True,
}
"""Given to `matplotlib.rc_context` around every drawing function."""


class NotebookFigure(Figure):
    """A figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=NOTEBOOK_DPI, metadata={"Software": None})
        return stream.getvalue()


def new_figure(width_in: float, n_columns: int = 1, height_in: float = 3.1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure.

    Parameters
    ----------
    width_in, height_in : float
        Size in inches.
    n_columns : int
        Panels side by side.

    Returns
    -------
    Figure, list of Axes
        The figure and its panels.
    """
    figure = NotebookFigure(figsize=(width_in, height_in), layout="constrained", facecolor="white")
    return figure, [figure.add_subplot(1, n_columns, i + 1) for i in range(n_columns)]


def svg_of(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element to stand in an HTML page.

    Parameters
    ----------
    figure : Figure
        The figure.
    name : str
        Keeps the identifiers inside the element apart from those of other figures on the page.

    Returns
    -------
    str
        `<svg ...>...</svg>` that fills its column.
    """
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata=nothing, dpi=180)
    svg = SVG_HEAD.sub("", stream.getvalue(), count=1)
    svg = SVG_SIZE.sub("", svg, count=2)
    return _own_identifiers(svg.replace(INK, "currentColor"), name)


def _own_identifiers(svg: str, name: str) -> str:
    """Give every identifier a prefix, because two figures number their parts alike; images need none."""
    svg = re.sub(r' id="image[0-9a-f]+"', "", svg)
    prefix = "f" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
