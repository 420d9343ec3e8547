"""The programme of the reproduction: which recipes are carried out, and which figure needs which of them.

Several figures share a measurement: the power series serves 1D, 1E, 1F, 2, 4A and the numbers in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tplm_daq.errors import InputError

FOLDER = "configs/paper"
RIG = f"{FOLDER}/rig_paper.yaml"


@dataclass(frozen=True)
class Item:
    """A recipe of the programme.

    Attributes
    ----------
    name : str
        Of its folder.
    file : str
        The recipe, in `FOLDER`; one that begins with ``kmc_`` is a lattice.
    changes : tuple of str
        ``KEY=VALUE``, applied to the recipe.
    quick : tuple of str
        Further changes in the quick programme.
    """

    name: str
    file: str
    changes: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        """The recipe as one names it on the command line."""
        return f"{FOLDER}/{self.file}"

    @property
    def is_lattice(self) -> bool:
        """Whether the lattice is simulated instead of the rig being used."""
        return self.file.startswith("kmc_")


def _limit(dwell: str) -> Item:
    name = f"limit-{dwell.replace(' ', '')}"
    quick = ("vary.1.average_power=[2 nW]",)
    return Item(name, "series_limit.yaml", (f"scan.passes.dwell={dwell}",), quick)


ITEMS = {
    item.name: item
    for item in (
        Item("snapshot", "kmc_snapshot.yaml"),
        Item("lattice", "kmc_lattice.yaml"),
        Item("power", "series_power.yaml", quick=("vary.0.average_power=[0.5 nW, 2 nW, 5 nW, 10 nW, 20 nW]",)),
        Item("constant-power", "series_constant_power.yaml"),
        Item(
            "rate",
            "series_rate.yaml",
            quick=(
                "vary.0.repetition_rate=[1 MHz, 5 MHz, 20 MHz]",
                "vary.0.average_power=[1 nW, 5 nW, 20 nW]",
            ),
        ),
        Item("rare", "series_rare.yaml"),
        Item(
            "reversibility",
            "series_reversibility.yaml",
            quick=("vary.0.spot=[[2500 um, 2500 um], [2505 um, 2500 um]]",),
        ),
        Item(
            "filters",
            "series_filters.yaml",
            quick=("vary.0.average_power=[10 nW]", "vary.1.detection_filter=[open, OD 0.3, OD 0.6]"),
        ),
        Item("temperature", "series_temperature.yaml", quick=("vary.2.temperature=[300 K, 150 K, 50 K]",)),
        Item("treatments", "series_treatments.yaml", quick=("vary.1.average_power=[1 nW, 2.5 nW, 5 nW, 20 nW]",)),
        Item("cold", "series_cold.yaml", quick=("vary.1.average_power=[0.5 nW, 1 nW, 2 nW, 6 nW, 20 nW]",)),
        *map(_limit, ("10 s", "30 s", "90 s")),
    )
}
"""In the order of working, by name."""

LIMITS = tuple(name for name in ITEMS if name.startswith("limit-"))


@dataclass(frozen=True)
class PaperPart:
    """A figure, or figures that belong together, and the items of the programme it needs."""

    title: str
    needs: tuple[str, ...]


LIGHT = ("power", "rate", "constant-power")

PARTS = {
    "1D": PaperPart("Decay of the photoluminescence against power", ("power",)),
    "1E": PaperPart("Time-position map", ("power",)),
    "1F": PaperPart("Mean squared displacement", ("power",)),
    "2A-E": PaperPart("Power, rate, and rate at constant power", LIGHT),
    "2F-H": PaperPart("D against power, rate and excitons per pulse", LIGHT),
    "3A": PaperPart("Reversibility at four spots", ("reversibility",)),
    "3B": PaperPart("Filters before the detector", ("filters",)),
    "3C": PaperPart("Temperature, two ligands", ("temperature",)),
    "3E": PaperPart("Surface treatments", ("treatments",)),
    "4A": PaperPart("D against the time between excitations", ("power", "cold")),
    "4D": PaperPart("The lattice after many pulses", ("snapshot",)),
    "4E": PaperPart("D of the lattice against the time between excitations", ("lattice", "power")),
    "S2": PaperPart("Recovery of small diffusivities", LIMITS),
    "text": PaperPart("Numbers in the text", ("power", "rare", "treatments")),
}
"""What can be reproduced, by the name it has in the paper."""


def chosen_parts(asked: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the parts that are meant, in the paper's order; all if nothing is asked for.

    Raises
    ------
    InputError
        There is no such figure; the message lists those there are.

    Examples
    --------
    >>> chosen_parts(["4e", "2B"])
    ('2A-E', '4E')
    """
    meant = {_part_of(name) for name in asked}
    return tuple(name for name in PARTS if name in meant or not asked)


def items_of(parts: Iterable[str]) -> tuple[Item, ...]:
    """Return what is needed for some parts, each once, in the order of working."""
    needed = {name for part in parts for name in PARTS[part].needs}
    return tuple(item for name, item in ITEMS.items() if name in needed)


def _part_of(asked: str) -> str:
    """Return the part that has a figure; single panels of several that belong together are understood."""
    wanted = asked.strip().lower().removeprefix("fig.").strip()
    for name in PARTS:
        first, _, last = name.partition("-")
        panels = [f"{first[0]}{chr(code)}" for code in range(ord(first[-1]), ord(last) + 1)] if last else []
        if wanted in (each.lower() for each in (name, *panels)):
            return name
    raise InputError(f"{asked}: there is no such figure. There are {', '.join(PARTS)}; without any, all are made.")
