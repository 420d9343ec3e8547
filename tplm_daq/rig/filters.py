"""Motorised filter wheels: turning one and waiting until it stands, and filters by name in front of the detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.fw102c import FW102C, MOVE_TIMEOUT_S
from tplm_daq.errors import DeviceTimeout, InputError
from tplm_daq.readings import Setting
from tplm_daq.rig.links import Link
from tplm_daq.roles import Clock

POLL_S = 0.1


class Wheel:
    """A filter wheel that has turned when `turn_to` returns.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : FW102C
        The wheel.
    clock : Clock
        On which its moves are waited for.
    """

    def __init__(self, link: Link, driver: FW102C, clock: Clock) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver
        self._clock = clock

    def position(self) -> int:
        """Read the position, counted from 1."""
        with self._link.exclusive():
            return self._driver.position

    def turn_to(self, position: int) -> None:
        """Turn to a position, confirmed by read-back.

        Raises
        ------
        DeviceTimeout
            The wheel has not arrived in 10 s.
        """
        with self._link.exclusive():
            self._driver.position = position
        due_s = self._clock.now() + MOVE_TIMEOUT_S
        while (shown := self.position()) != position:
            if self._clock.now() >= due_s:
                raise DeviceTimeout(
                    self.name,
                    self.address,
                    f"it shows position {shown} {MOVE_TIMEOUT_S:g} s after {position} was sent",
                    "Check that the wheel turns freely.",
                )
            self._clock.sleep(POLL_S)

    def snapshot(self) -> dict[str, Setting]:
        """Return identity, position and settings."""
        with self._link.exclusive():
            return {
                "model": self._driver.id,
                "position": self._driver.position,
                "speed": self._driver.speed,
                "are_sensors_always_on": self._driver.are_sensors_always_on,
            }

    def close(self) -> None:
        """Close the connection; the wheel stays where it is."""
        with self._link.exclusive():
            self._driver.adapter.close()


class DetectionFilter:
    """A wheel of named filters in front of the detector.

    Parameters
    ----------
    wheel : Wheel
        The wheel.
    filters : sequence of str
        Names by position, from position 1 on.
    """

    def __init__(self, wheel: Wheel, filters: Sequence[str]) -> None:
        self.name, self.address = wheel.name, wheel.address
        self._wheel = wheel
        self._filters = tuple(filters)

    def filters(self) -> tuple[str, ...]:
        """Return the names of the filters."""
        return self._filters

    def selected(self) -> str:
        """Read which filter is in front of the detector."""
        return self._filters[self._wheel.position() - 1]

    def select(self, name: str) -> None:
        """Put a filter in front of the detector and return when it is there.

        Raises
        ------
        InputError
            The wheel has no filter of that name.
        DeviceTimeout
            The wheel does not arrive.
        """
        if name not in self._filters:
            raise InputError(
                f"{self.name}: there is no filter {name!r} in the wheel. It holds {', '.join(self._filters)}."
            )
        if self.selected() != name:
            self._wheel.turn_to(self._filters.index(name) + 1)

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity, position and the name of the filter."""
        settings = self._wheel.snapshot()
        return {**settings, "filter": self._filters[int(settings["position"]) - 1]}

    def make_safe(self) -> None:
        """Do nothing: any filter is safe."""

    def close(self) -> None:
        """Close the connection; the wheel stays where it is."""
        self._wheel.close()
