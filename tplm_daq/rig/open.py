"""Opens a rig: every box connected, and everything that failed in one list.

Where the network allows it, light has connections of its own for putting it out, so that a scan that hangs on one
link cannot keep it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from tplm_daq.errors import RigError, TplmError
from tplm_daq.readings import Setting
from tplm_daq.recipes.devices import BENCH, GateDevice
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig import connect
from tplm_daq.rig.axes import DetectorAxes
from tplm_daq.rig.connect_role import connect_role
from tplm_daq.rig.light import GateLine, TriggeredLaser
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.safe_state import SafetyStep
from tplm_daq.rig.simulated import SimulatedWorld, find_served, start_doubles
from tplm_daq.rig.watchdog import LightPath, Watchdog
from tplm_daq.rig.wiring import Wiring
from tplm_daq.roles import Operator

Box = TypeVar("Box")
Role = TypeVar("Role")


def _go_on() -> None:
    """Nobody wants the opening to end."""


def open_rig(recipe: RigRecipe, operator: Operator, checkpoint: Callable[[], None] = _go_on) -> Rig:
    """Connect to every box of a rig file.

    Parameters
    ----------
    recipe : RigRecipe
        Which boxes, where.
    operator : Operator
        Who turns knobs; on a simulated rig a double of an operator takes this place.
    checkpoint : callable
        Called before each box, which may take seconds to turn out dead; raises Aborted if somebody wants to stop.

    Returns
    -------
    Rig
        To be used as a context manager.

    Raises
    ------
    RigError
        One or more boxes cannot be used; every one of them is listed, and all connections are closed again.
    Aborted
        By the checkpoint; all connections are closed again.
    """
    opening = Opening(recipe, world_of(recipe), operator, checkpoint)
    try:
        return opening.rig()
    except TplmError:
        opening.give_up()
        raise


def world_of(recipe: RigRecipe) -> SimulatedWorld | None:
    """Return the doubles that a rig file asks for, started here or served elsewhere; None for a real rig."""
    if recipe.simulation is not None:
        return start_doubles(recipe)
    counter = recipe.devices.counter
    return find_served(counter) if counter.address.startswith(BENCH) else None


class Opening:
    """The state of an opening rig: what is connected, what failed, and the doubles if there are any."""

    def __init__(
        self,
        recipe: RigRecipe,
        world: SimulatedWorld | None,
        operator: Operator,
        checkpoint: Callable[[], None] = _go_on,
    ) -> None:
        self._checkpoint = checkpoint
        self._wiring = Wiring(recipe, world, operator)
        self._devices = recipe.devices
        self._failures: list[TplmError] = []
        self._light_paths: list[SafetyStep] = []
        self._watched: list[LightPath] = []
        self._watchdog: Watchdog | None = None

    def rig(self) -> Rig:
        """Open every device, in an order in which light can be put out first, and have the light guarded."""
        wiring, devices = self._wiring, self._devices
        self._watchdog = Watchdog()
        laser = self._attempt(self._laser)
        gate = self._attempt_if(devices.gate, self._gate)
        counter = self._attempt(lambda: connect.counter(wiring, devices.counter))
        x = self._attempt(lambda: connect.axis(wiring, "x"))
        y = self._attempt(lambda: connect.axis(wiring, "y"))
        detection_filter = self._attempt_if(
            devices.detection_filter, lambda device: connect.detection_filter(wiring, device)
        )
        cryostat = devices.thermostat
        thermostat = None if cryostat is None else self._attempt(lambda: connect.thermostat(wiring, cryostat))
        stage = self._attempt_if(devices.stage, lambda device: connect.stage(wiring, device))
        if self._failures or laser is None or counter is None or x is None or y is None:
            raise RigError(self._failures)
        self._watchdog.guard(self._watched, wiring.recipe.policies.watchdog_timeout_s, wiring.visa["visa_library"])
        return Rig(
            clock=wiring.clock,
            laser=laser,
            gate=gate,
            counter=counter,
            detector=DetectorAxes(x, y),
            detection_filter=detection_filter,
            thermostat=thermostat,
            stage=stage,
            light_paths=self._light_paths,
            watchdog=self._watchdog,
            are_heaters_off_at_end=wiring.recipe.policies.temperature_at_end == "heater_off",
            truth=None if wiring.world is None else wiring.world.truth,
            closers=wiring.closers,
            end_doubles=self._end_doubles,
        )

    def ask(self, role: str) -> Mapping[str, Setting]:
        """Open the device of one role, return what it tells of itself, and close it again.

        Raises
        ------
        DeviceError
            It cannot be used.
        """
        try:
            return connect_role(self._wiring, role).snapshot()
        finally:
            self._close_devices()

    def give_up(self) -> None:
        """Close what was opened; failures to close do not matter any more."""
        if self._watchdog is not None:
            self._watchdog.end()
        self._close_devices()
        self._end_doubles()

    def _laser(self) -> TriggeredLaser:
        laser = connect.laser(self._wiring)
        self._add_light_path(laser.light_path, laser.turn_off, connect.own_trigger)
        return laser

    def _gate(self, device: GateDevice) -> GateLine:
        gate = connect.gate(self._wiring, device)
        self._add_light_path(gate.light_path, gate.block, lambda wiring, at: connect.own_gate(wiring, device, at))
        return gate

    def _add_light_path(
        self, path: LightPath, shared: Callable[[], None], own: Callable[[Wiring, str], Callable[[], None]]
    ) -> None:
        """Use a connection of its own where the interface allows a second one."""
        put_out = own(self._wiring, path.address) if path.address.startswith("TCPIP") else shared
        self._light_paths.append(SafetyStep(path.name, put_out))
        self._watched.append(path)

    def _attempt(self, connect_it: Callable[[], Role]) -> Role | None:
        self._checkpoint()
        try:
            return connect_it()
        except TplmError as error:
            self._failures.append(error)
            return None

    def _attempt_if(self, device: Box | None, connect_it: Callable[[Box], Role]) -> Role | None:
        return None if device is None else self._attempt(lambda: connect_it(device))

    def _close_devices(self) -> None:
        for closer in self._wiring.closers:
            with suppress(TplmError):
                closer()
        self._wiring.closers.clear()

    def _end_doubles(self) -> None:
        if self._wiring.world is not None:
            self._wiring.world.close()
