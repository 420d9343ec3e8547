"""The operator's double: a pair of hands that turns the simulated laser's knobs as asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from simulators.pdl800d import PDL800D


class OperatorDouble:
    """Sets the simulated laser as a person with a power meter at the sample would.

    Parameters
    ----------
    laser : PDL800D
        The panel whose knobs are turned.
    lock : context manager
        The bench's lock.
    """

    name = "operator's double"

    def __init__(self, laser: PDL800D, lock: AbstractContextManager[object]) -> None:
        self._laser = laser
        self._lock = lock

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Turn the attenuator until the sample gets ``average_power_nw`` at ``repetition_rate_hz``.

        Raises
        ------
        ValueError
            The request is about something else, or the laser cannot give it.
        """
        if set(quantities) != {"average_power_nw", "repetition_rate_hz"}:
            raise ValueError(f"the operator's double does not know how to: {what}")
        with self._lock:
            self._laser.turn("trigger_source", "external")
            self._laser.set_average_power(quantities["average_power_nw"], quantities["repetition_rate_hz"])
