"""The sample stage role played by an attocube ANC350."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.anc350 import ANC350
from tplm_daq.rig.links import Link
from tplm_daq.roles import Setting


class PiezoStage:
    """Three piezo axes under the sample.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : ANC350
        The controller.
    """

    def __init__(self, link: Link, driver: ANC350) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver

    def position_nm(self) -> tuple[float, float, float]:
        """Read the three axes in nm."""
        with self._link.exclusive():
            x, y, z = (axis.position_nm for axis in self._driver.axes.values())
        return float(x), float(y), float(z)

    def snapshot(self) -> Mapping[str, Setting]:
        """Return positions and states of the axes."""
        values: dict[str, Setting] = {}
        with self._link.exclusive():
            for number, axis in self._driver.axes.items():
                values[f"axis_{number}_position_nm"] = float(axis.position_nm)
                values[f"axis_{number}_is_connected"] = bool(axis.is_connected)
                values[f"axis_{number}_is_output_on"] = bool(axis.output_enabled)
        return values

    def make_safe(self) -> None:
        """Stop all axes, the others even if one does not answer."""
        failures: list[Exception] = []
        for axis in self._driver.axes.values():
            try:
                with self._link.exclusive():
                    axis.stop()
            except (OSError, ValueError) as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def close(self) -> None:
        """Close the connection."""
        with self._link.exclusive():
            self._driver.adapter.close()
