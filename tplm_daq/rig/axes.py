"""The detector positioner: moves both axes to coordinates of the sample plane and reads them back.

Targets are checked against the travel of the rig file (`planning.py`) before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.apt_messages import Status
from drivers.kst101 import KST101
from tplm_daq.errors import DeviceError
from tplm_daq.readings import Position, Setting
from tplm_daq.recipes.devices import ActuatorDevice
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import AxisTravel


@dataclass
class Axis:
    """One actuator with its place in the image plane.

    Attributes
    ----------
    link : Link
        Lock, name and address.
    driver : KST101
        The controller.
    device : ActuatorDevice
        Centre, direction, travel and tolerance from the rig file.
    magnification : float
        Image over sample distance along this axis.
    target_mm : float or None
        Where the axis was last sent.
    is_there : bool
        Whether it has been seen to stand still there.
    is_homed : bool
        Whether it has been seen to be homed and to stand still.
    """

    link: Link
    driver: KST101
    device: ActuatorDevice
    magnification: float
    target_mm: float | None = None
    is_there: bool = False
    is_homed: bool = False

    @property
    def travel(self) -> AxisTravel:
        """Its place and reach in the image plane."""
        return AxisTravel(self.link.name, self.device, self.magnification)

    def to_mm(self, sample_nm: float) -> float:
        """Return the actuator position for a sample-plane coordinate."""
        return self.travel.to_mm(sample_nm)

    def to_nm(self, actuator_mm: float) -> float:
        """Return the sample-plane coordinate for an actuator position."""
        return self.travel.to_nm(actuator_mm)

    def check(self, sample_nm: float) -> float:
        """Return the target in mm; LimitError if the travel does not reach it."""
        return self.travel.check(sample_nm)

    def travel_time_s(self, sample_nm: float) -> float:
        """Estimate the time to a coordinate from the last target, or from where the axis is if there is none."""
        start_mm = self.target_mm
        if start_mm is None:
            with self.link.exclusive():
                start_mm = self.driver.position_mm
        return self.travel.move_time_s(self.to_nm(start_mm), sample_nm)

    def require_stayed(self, position_mm: float) -> None:
        """Raise DeviceError if it has arrived and yet is not where it was sent: moved by hand, or its count is lost."""
        if self.is_there and self.target_mm is not None:
            deviation_mm = position_mm - self.target_mm
            if abs(deviation_mm) > self.device.tolerance_mm:
                raise DeviceError(
                    self.link.name,
                    self.link.address,
                    f"it had arrived at {self.target_mm:.4f} mm and now says {position_mm:.4f} mm "
                    f"(tolerance {self.device.tolerance_mm:g} mm)",
                    "It was moved, or its controller was off for a moment and must be homed; start again",
                )

    def confirm(self) -> None:
        """Make sure that an order has reached the controller: orders have no reply, but replies keep their order."""
        _ = self.driver.status

    def snapshot(self) -> dict[str, Setting]:
        """Return identity, settings and position of this axis."""
        with self.link.exclusive():
            info, settings, position_mm = self.driver.info, self.driver.settings, self.driver.position_mm
            status = self.driver.status
        return {
            "model": info.model,
            "serial": str(info.serial),
            "firmware": info.firmware,
            "position_mm": position_mm,
            "status": int(status),
            "is_homed": bool(status & Status.HOMED),
            "velocity_mm_s": settings.velocity_mm_s,
            "acceleration_mm_s2": settings.acceleration_mm_s2,
            "backlash_mm": settings.backlash_mm,
            "magnification": self.magnification,
            "centre_mm": self.device.centre_mm,
            "direction": self.device.direction,
        }


class DetectorAxes:
    """Moves the detector along x and y, both at once.

    Parameters
    ----------
    x, y : Axis
        The two actuators.
    """

    name = "detector"

    def __init__(self, x: Axis, y: Axis) -> None:
        self._axes = {"x": x, "y": y}
        self.address = f"{x.link.address} and {y.link.address}"

    def limits_nm(self, axis: str) -> tuple[float, float]:
        """Return the lowest and highest reachable coordinate of axis "x" or "y" in nm."""
        return self._axes[axis].travel.limits_nm()

    def is_homed(self) -> bool:
        """Tell whether both actuators have been homed and stand still."""
        for axis in self._axes.values():
            with axis.link.exclusive():
                axis.is_homed = axis.driver.is_homed and not axis.driver.is_moving
        return all(axis.is_homed for axis in self._axes.values())

    def home(self) -> None:
        """Start the reference run of both axes."""
        for axis in self._axes.values():
            axis.target_mm, axis.is_there = None, False
            with axis.link.exclusive():
                axis.driver.enabled = True
                axis.driver.home()
                axis.confirm()

    def move_to(self, x_nm: float, y_nm: float) -> None:
        """Start moving; an axis that is there already is left alone."""
        targets_mm = {name: self._axes[name].check(nm) for name, nm in (("x", x_nm), ("y", y_nm))}
        for name, target_mm in targets_mm.items():
            axis = self._axes[name]
            if axis.target_mm != target_mm:
                with axis.link.exclusive():
                    if axis.target_mm is None:
                        axis.driver.enabled = True
                    axis.driver.move_to(target_mm)
                axis.target_mm, axis.is_there = target_mm, False

    def has_arrived(self) -> bool:
        """Tell whether both axes stand still at their targets."""
        for axis in self._axes.values():
            if axis.target_mm is not None and not axis.is_there:
                with axis.link.exclusive():
                    axis.is_there = axis.driver.has_arrived(axis.target_mm, axis.device.tolerance_mm)
        return all(axis.is_there for axis in self._axes.values())

    def stragglers(self) -> str:
        """Name the axes that have not arrived yet, or not found their reference."""
        late = [axis.link.name for axis in self._axes.values() if axis.target_mm is not None and not axis.is_there]
        unhomed = [axis.link.name for axis in self._axes.values() if not axis.is_homed]
        return " and ".join(late or unhomed or [self.name])

    def travel_time_s(self, x_nm: float, y_nm: float) -> float:
        """Estimate how long a move from the last target to this one takes, in s."""
        return max(self._axes["x"].travel_time_s(x_nm), self._axes["y"].travel_time_s(y_nm))

    def position(self) -> Position:
        """Read where both actuators are.

        Raises
        ------
        DeviceError
            An actuator that had arrived is elsewhere now.
        """
        readings = {}
        for name, axis in self._axes.items():
            with axis.link.exclusive():
                readings[name] = axis.driver.position_mm
            axis.require_stayed(readings[name])
        return Position(
            self._axes["x"].to_nm(readings["x"]), self._axes["y"].to_nm(readings["y"]), readings["x"], readings["y"]
        )

    def snapshot(self) -> Mapping[str, Setting]:
        """Return the snapshots of both axes with the axis in front of each key."""
        return {f"{name}_{key}": value for name, axis in self._axes.items() for key, value in axis.snapshot().items()}

    def make_safe(self) -> None:
        """Stop both axes where they are, the second even if the first does not answer."""
        try:
            self._stop("x")
        finally:
            self._stop("y")

    def close(self) -> None:
        """Close both connections."""
        for axis in self._axes.values():
            with axis.link.exclusive():
                axis.driver.adapter.close()

    def _stop(self, name: str) -> None:
        axis = self._axes[name]
        axis.target_mm, axis.is_there = None, False
        with axis.link.exclusive():
            axis.driver.stop()
            axis.confirm()
