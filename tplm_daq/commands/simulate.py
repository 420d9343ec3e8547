"""Commands about the lattice: kmc."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tplm_daq.commands.options import JsonOption, print_json
from tplm_daq.terminal import offer_lattices

DEFAULT_LATTICE = "configs/kmc_quick.yaml"


def kmc(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Lattice recipe.", autocompletion=offer_lattices)
    ] = DEFAULT_LATTICE,
    alpha: Annotated[
        list[float],
        typer.Option(metavar="A", help="Probability that a pulse excites a site in the centre; may be repeated."),
    ] = [],
    tau_pulse: Annotated[
        list[str], typer.Option(metavar="TIME", help='Pulse spacing such as "0.4 us"; may be repeated.')
    ] = [],
    pulses: Annotated[int | None, typer.Option(metavar="N", help="Pulses per condition.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Seed; the same seed gives the same numbers.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes on this machine.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler that does the work instead.")
    ] = None,
    set_: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe.")] = [],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder in which the points are kept.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate excitons on the lattice of nanocrystals.

    Several values of alpha and tau-pulse form a product. With --out a sweep goes on where it was interrupted.
    """
    from rich.console import Console

    from tplm_daq.printing.outcomes import print_sweep
    from tplm_daq.watching import SweepDisplay
    from tplm_daq.workflow.kmc import load_kmc, run_sweep

    wanted = load_kmc(recipe, alpha, tau_pulse, pulses, seed, set_)
    console = Console(stderr=True)
    with SweepDisplay(console) as display:
        outcome = run_sweep(wanted, out, workers, scheduler, display.on_progress)
    print_sweep(console, outcome)
    if as_json:
        print_json(outcome.to_dict())
