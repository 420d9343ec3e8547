"""Wiring: what every device of a rig needs to be connected, and what was connected so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tplm_daq.recipes.addresses import DOUBLE
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.links import REPLY_TIMEOUT_S, Link, WallClock, forget_old_handlers, visa_library
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.roles import Clock, Operator

VISA_TIMEOUT_MS = round(REPLY_TIMEOUT_S * 1e3)


class Wiring:
    """The rig file, the clock, the operator and the doubles if there are any.

    Parameters
    ----------
    recipe : RigRecipe
        Which boxes, where, within which limits.
    world : SimulatedWorld or None
        The doubles; None on a real rig.
    operator : Operator
        Who turns knobs; on a simulated rig a double of an operator takes this place.

    Attributes
    ----------
    closers : list of callable
        Close what was connected, in the order of connecting.
    """

    def __init__(self, recipe: RigRecipe, world: SimulatedWorld | None, operator: Operator) -> None:
        forget_old_handlers()
        self.recipe = recipe
        self.world = world
        self.clock: Clock = WallClock() if world is None else world.clock
        self.operator = operator if world is None else world.operator
        self.closers: list[Callable[[], None]] = []
        self.visa: Mapping[str, Any] = {"timeout": VISA_TIMEOUT_MS, "visa_library": visa_library()}

    def close_at_end(self, link: Link, close: Callable[[], None]) -> None:
        """Have a connection closed at the end, even while an exchange over it hangs; its failure is the link's."""

        def act() -> None:
            with link.our_errors():
                close()

        self.closers.append(act)

    def visa_address(self, role: str, address: str) -> str:
        """Return the VISA resource name behind an address of the rig file."""
        return self.world.visa_addresses[role] if self.world is not None and address == DOUBLE else address

    def serial_address(self, role: str, address: str) -> str:
        """Return the port name or pyserial URL behind an address of the rig file."""
        return self.world.urls[role] if self.world is not None and address == DOUBLE else address
