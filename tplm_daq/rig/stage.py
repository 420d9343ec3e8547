"""The sample stage role played by an attocube ANC350."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.anc350 import ANC350
from tplm_daq.errors import DeviceError, LimitError
from tplm_daq.readings import Setting
from tplm_daq.rig.links import Link

AXES = ("x", "y", "z")
"""The controller's axes 0, 1 and 2."""

TRAVEL_NM = (0.0, 5e6)
"""Travel of an ANPx101; the rig file may narrow it."""

N_POLLS_ON_TARGET = 2
"""Polls in a row that must see an axis on its target before its loop is opened."""


@dataclass
class Move:
    """Where an axis was sent, and how often in a row it has been seen there."""

    target_nm: float
    n_seen: int = 0

    @property
    def is_done(self) -> bool:
        """Whether the axis has been seen there often enough."""
        return self.n_seen >= N_POLLS_ON_TARGET


class PiezoStage:
    """Three piezo axes under the sample.

    The controller closes the loop while an axis moves. Once the axis is there the loop is opened again: the positioner
    holds its place by friction, and neither hums nor heats.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : ANC350
        The controller.
    limits_nm : mapping of str to tuple of float, optional
        Lowest and highest position in nm of the axes "x", "y" and "z"; an axis that is missing has all its travel.
    """

    def __init__(self, link: Link, driver: ANC350, limits_nm: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver
        self._limits_nm = dict.fromkeys(AXES, TRAVEL_NM) | dict(limits_nm or {})
        self._moves: dict[str, Move] = {}

    def limits_nm(self, axis: str) -> tuple[float, float]:
        """Return the lowest and highest position in nm that axis "x", "y" or "z" may be taken to."""
        return self._limits_nm[axis]

    def position_nm(self) -> tuple[float, float, float]:
        """Read the three axes in nm; DeviceError if a sensor is lost."""
        with self._link.exclusive():
            x, y, z = (axis.sensed_nm() for axis in self._driver.axes.values())
        return float(x), float(y), float(z)

    def move_to(self, x_nm: float, y_nm: float, z_nm: float) -> None:
        """Start moving all axes; a target beyond the limits raises LimitError before anything is sent."""
        targets_nm = dict(zip(AXES, (x_nm, y_nm, z_nm), strict=True))
        for axis, target_nm in targets_nm.items():
            self._check(axis, target_nm)
        self._moves.clear()
        for number, (axis, target_nm) in enumerate(targets_nm.items()):
            with self._link.exclusive():
                self._driver.axes[number].move_to(round(target_nm))
            self._moves[axis] = Move(target_nm)

    def has_arrived(self) -> bool:
        """Tell whether all axes are at their targets; False if they were not sent anywhere."""
        for axis, move in self._moves.items():
            if not move.is_done:
                self._look(axis, move)
        return len(self._moves) == len(AXES) and all(move.is_done for move in self._moves.values())

    def step(self, axis: str, is_forward: bool) -> None:
        """Take one step of some 100 nm in open loop, which needs no sensor."""
        self._moves.pop(axis, None)
        with self._link.exclusive():
            self._driver.axes[AXES.index(axis)].step(is_forward)

    def stop(self) -> None:
        """Stop all axes where they are, the others even if one does not answer."""
        self._moves.clear()
        failures: list[DeviceError] = []
        for driver in self._driver.axes.values():
            try:
                with self._link.exclusive():
                    driver.stop()
            except DeviceError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def snapshot(self) -> Mapping[str, Setting]:
        """Return positions, settings and states of the axes."""
        values: dict[str, Setting] = {}
        with self._link.exclusive():
            for name, axis in zip(AXES, self._driver.axes.values(), strict=True):
                values[f"{name}_position_nm"] = float(axis.position_nm)
                values[f"{name}_amplitude_v"] = float(axis.amplitude_v)
                values[f"{name}_frequency_hz"] = float(axis.frequency_hz)
                values[f"{name}_target_range_nm"] = float(axis.target_range_nm)
                values[f"{name}_is_connected"] = bool(axis.is_connected)
                values[f"{name}_is_output_on"] = bool(axis.output_enabled)
        return values

    def make_safe(self) -> None:
        """Stop all axes; their outputs stay as they are, so that nothing jumps."""
        self.stop()

    def close(self) -> None:
        """Close the connection."""
        with self._link.exclusive():
            self._driver.adapter.close()

    def _look(self, axis: str, move: Move) -> None:
        """Count polls on target, and open the loop after the last."""
        with self._link.exclusive():
            driver = self._driver.axes[AXES.index(axis)]
            move.n_seen = move.n_seen + 1 if driver.has_arrived() else 0
            if move.is_done:
                driver.stop()

    def _check(self, axis: str, target_nm: float) -> None:
        low_nm, high_nm = self._limits_nm[axis]
        if not low_nm <= target_nm <= high_nm:
            raise LimitError(
                f"{self.name} {axis}",
                target_nm,
                low_nm,
                high_nm,
                "nm",
                "Choose a place further inside, or correct the limits of the stage in the rig file.",
            )
