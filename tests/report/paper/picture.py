"""Draws docs/img/paper-4a-4e.png from a reproduction that has been made: ``python tests/report/paper/picture.py``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tplm_daq.report.paper.draw import draw
from tplm_daq.workflow.paper.lattice import enhancement
from tplm_daq.workflow.paper.measured import Measured
from tplm_daq.workflow.paper.memory import relaxation
from tplm_daq.workflow.paper.reproduce import plan_reproduction


def main(made: Path, picture: Path) -> None:
    """Draw the measured relaxation at 300 K and 50 K, and the lattice over it."""
    plan = plan_reproduction(["4A", "4E"], made, is_quick=False)
    measured = Measured(plan.tasks, made)
    lattice = replace(enhancement(measured).drawing[1], title="c  300 K, and the lattice")
    panels = (*relaxation(measured).drawing, lattice)
    draw(panels).savefig(picture, dpi=200, facecolor="white")
    print(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
