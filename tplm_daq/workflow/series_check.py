"""The dry run of a series: the check of each of its conditions, and their sum."""

from __future__ import annotations

from dataclasses import dataclass

from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.series import Condition, SeriesRecipe
from tplm_daq.workflow.check import CheckReport, check_scan
from tplm_daq.workflow.series import plan_series


@dataclass(frozen=True)
class SeriesCheck:
    """What a series will do, take and give.

    Attributes
    ----------
    title, rig : str
        Of the recipe and of the rig file.
    conditions : tuple of (Condition, CheckReport)
        In the order of measuring.
    """

    title: str
    rig: str
    conditions: tuple[tuple[Condition, CheckReport], ...]

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
    return SeriesCheck(
        recipe.title, rig.name, tuple((each.condition, check_scan(each.scan, each.rig)) for each in planned)
    )
