"""The dry run of a series: the check of each of its conditions, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tplm_daq.errors import InputError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.series import Condition, SeriesRecipe
from tplm_daq.workflow.check import CheckReport, check_scan
from tplm_daq.workflow.series import PlannedScan, plan_series


@dataclass(frozen=True)
class SeriesCheck:
    """What a series will do, take and give.

    Attributes
    ----------
    title, rig : str
        Of the recipe and of the rig file.
    conditions : tuple of (Condition, CheckReport)
        In the order of measuring.
    by_hand : str
        What somebody has to do between them, empty if nothing.
    """

    title: str
    rig: str
    conditions: tuple[tuple[Condition, CheckReport], ...]
    by_hand: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know beforehand, each once."""
        of_scans = (text for _, report in self.conditions for text in report.warnings)
        return tuple(dict.fromkeys(text for text in (self.by_hand, *of_scans) if text))

    @property
    def time_s(self) -> float:
        """Estimated time of all scans in s; waiting for temperatures comes on top."""
        return sum(report.time_s for _, report in self.conditions)

    @property
    def disk_mb(self) -> float:
        """Room for the counts of all scans, at most."""
        return sum(report.disk_mb for _, report in self.conditions)

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm check --json` prints for a series."""
        return {
            "title": self.title,
            "rig": self.rig,
            "time_s": self.time_s,
            "disk_mb": self.disk_mb,
            "warnings": list(self.warnings),
            "points": [
                {
                    "condition": condition.index,
                    "label": condition.label,
                    "is_reference": condition.is_reference,
                    **report.to_dict(),
                }
                for condition, report in self.conditions
            ],
        }


def check_series(recipe: SeriesRecipe, rig: RigRecipe) -> SeriesCheck:
    """Check every condition of a series against a rig.

    Raises
    ------
    InputError
        A condition is not possible; every reason is listed with its condition.
    """
    planned = plan_series(recipe, rig)
    conditions = tuple((each.condition, check_scan(each.scan, each.rig)) for each in planned)
    return SeriesCheck(recipe.title, rig.name, conditions, _asked_for(rig, planned))


def require_same_light(recipe: SeriesRecipe, rig: RigRecipe) -> None:
    """Refuse to take the laser as set for a series whose conditions need it set differently by hand.

    Raises
    ------
    InputError
        They do.
    """
    if _asked_for(rig, planned := plan_series(recipe, rig)):
        raise InputError(
            f"--yes takes the laser as set, but the {len(planned)} conditions of this series need it set differently, "
            "and the rig has no attenuator. Leave --yes out and stay at the terminal, which asks before each condition."
        )


def _asked_for(rig: RigRecipe, planned: Sequence[PlannedScan]) -> str:
    """Say that somebody has to turn the laser's knobs between conditions, if so."""
    lights = {(each.scan.light.average_power_nw, each.scan.light.repetition_rate_hz) for each in planned}
    if rig.is_simulated or rig.devices.attenuator is not None or len(lights) == 1:
        return ""
    return (
        f"The laser is set by hand: somebody is asked before each of the {len(planned)} conditions, and the series "
        "ends if nobody answers."
    )
