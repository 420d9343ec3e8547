"""The rig outside a scan: every device opened on its own, read twice a second, moved by hand, and let go for a scan.

Each device has a thread of its own that alone talks to it, so that one that hangs or is missing holds up no other.
Orders are put into its queue and return at once; what comes of them, errors included, stands in the next view.
Nothing here can switch the light on: only a scan does, with its guards and its watchdog.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from tplm_daq.errors import InputError, LightMayBeOnError, TplmError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.open import world_of
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.rig.wiring import Wiring
from tplm_daq.roles import Laser, LightGate, Operator, Positioner
from tplm_daq.workflow.device_keeper import DeviceKeeper, DeviceView, Order

TICK_S = 0.05
"""How often simulated time is pushed on (wall clock)."""
FASTEST = 20.0
"""Simulated seconds per second at most, also where a scan runs at full speed: moves are to be seen."""
ROLES = ("laser", "gate", "counter", "detector", "detection_filter", "thermostat", "stage")
LIGHT_OUT_TIMEOUT_S = 2.5
"""A link gives up after 2 s."""
MOTION_TIMEOUT_S = 120.0
"""A reference run of 25 mm at 0.5 mm/s takes 50 s, 5 mm of the stage some 100 s."""


@dataclass(frozen=True)
class SessionView:
    """The devices at one moment; `message` says why none could be opened, or is empty."""

    is_open: bool
    message: str
    devices: tuple[DeviceView, ...]


class RigSession:
    """The devices of one rig outside a scan; all methods but `release` return at once.

    Parameters
    ----------
    recipe : RigRecipe
        Which boxes, where, within which limits.
    operator : Operator
        As for a scan; is not asked for anything.

    Attributes
    ----------
    recipe : RigRecipe
        As given.
    """

    def __init__(self, recipe: RigRecipe, operator: Operator) -> None:
        self.recipe = recipe
        self._operator = operator
        self._closed = tuple(DeviceView(role, *_box(recipe, role)) for role in ROLES if _has(recipe, role))
        self._keepers: Mapping[str, DeviceKeeper] = {}
        self._message = ""
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    @property
    def view(self) -> SessionView:
        """What the devices are and do."""
        keepers = self._keepers
        devices = tuple(keepers[shown.role].view if shown.role in keepers else shown for shown in self._closed)
        return SessionView(bool(keepers), self._message, devices)

    def open(self) -> None:
        """Connect every device; harmless when they are."""
        if self._thread is None or not self._thread.is_alive():
            self._end.clear()
            self._message = ""
            self._thread = threading.Thread(target=self._hold, name="rig-session")
            self._thread.start()

    def release(self) -> None:
        """Stop what moves, close every device, and return when all are closed; harmless when they are."""
        self._end.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def connect(self, role: str) -> None:
        """Connect one device anew, whether it is connected or not; all of them if none is."""
        if role in self._keepers:
            self._keepers[role].connect()
        else:
            self.open()

    def disconnect(self, role: str) -> None:
        """Stop one device and close its connection."""
        if role in self._keepers:
            self._keepers[role].disconnect()

    def make_safe(self, role: str) -> None:
        """Stop one device where it is; put the light out if it is the laser or the gate."""
        self._order(role, Order("stopping", lambda device: device.make_safe()))

    def put_light_out(self) -> bool:
        """Put the light out by laser and gate at once, and return when one has confirmed.

        Returns
        -------
        bool
            Whether there was a connection to ask over.

        Raises
        ------
        LightMayBeOnError
            Neither has confirmed in time.
        """
        answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        asked = [role for role in ("laser", "gate") if role in self._keepers]
        for role in asked:
            self._order(role, Order("putting the light out", partial(_put_out, answers)))
        if not asked:
            return False
        try:
            answers.get(timeout=LIGHT_OUT_TIMEOUT_S)
        except queue.Empty:
            answers_of = {shown.role: shown.message or shown.state.value for shown in self.view.devices}
            failures = [f"{role}: {answers_of[role]}" for role in asked]
            raise LightMayBeOnError(failures) from None
        return True

    def move_detector(self, x_nm: float, y_nm: float) -> None:
        """Move the detector to a place in the sample plane; one out of reach is refused in the view."""
        name = f"moving to x {x_nm:.0f} nm, y {y_nm:.0f} nm"
        self._move("detector", Order(name, lambda device: _move_if_homed(device, x_nm, y_nm)))

    def home_detector(self) -> None:
        """Start the reference run of both detector axes."""
        order = Order("homing", lambda device: device.home(), lambda device: device.is_homed(), MOTION_TIMEOUT_S)
        self._order("detector", order)

    def move_stage(self, x_nm: float, y_nm: float, z_nm: float) -> None:
        """Move the sample stage, in its own coordinates; a place out of reach is refused in the view."""
        name = f"moving to {x_nm * 1e-3:.3f}, {y_nm * 1e-3:.3f}, {z_nm * 1e-3:.3f} um"
        self._move("stage", Order(name, lambda device: device.move_to(x_nm, y_nm, z_nm)))

    def step_stage(self, axis: str, is_forward: bool) -> None:
        """Take one open-loop step of the stage along axis "x", "y" or "z"."""
        self._order("stage", Order(f"one step along {axis}", lambda device: device.step(axis, is_forward)))

    def set_temperature(self, kelvin: float) -> None:
        """Set the temperature of the sample; it is approached at the rig's rate."""
        timeout_s = self.recipe.policies.temperature_timeout_s
        name = f"approaching {kelvin:g} K"
        self._order(
            "thermostat", Order(name, lambda it: it.set_temperature(kelvin), lambda it: it.is_settled(), timeout_s)
        )

    def select_filter(self, name: str) -> None:
        """Put a filter in front of the detector."""
        self._order("detection_filter", Order(f"turning to {name}", lambda device: device.select(name)))

    def _move(self, role: str, order: Order) -> None:
        self._order(role, Order(order.name, order.act, lambda device: device.has_arrived(), MOTION_TIMEOUT_S))

    def _order(self, role: str, order: Order) -> None:
        if role in self._keepers:
            self._keepers[role].order(order)

    def _hold(self) -> None:
        """Hold the rig until it is released."""
        try:
            with RigLock(self.recipe.real_addresses), ExitStack() as stack:
                world = world_of(self.recipe)
                if world is not None:
                    stack.callback(world.close)
                stack.callback(self._let_go)
                self._keepers = {shown.role: self._keeper(shown, world) for shown in self._closed}
                self._pass_time(world)
        except TplmError as error:
            self._message = str(error)

    def _keeper(self, shown: DeviceView, world: SimulatedWorld | None) -> DeviceKeeper:
        return DeviceKeeper(shown, lambda: Wiring(self.recipe, world, self._operator))

    def _let_go(self) -> None:
        keepers, self._keepers = self._keepers, {}
        for keeper in keepers.values():
            keeper.end()
        for keeper in keepers.values():
            keeper.join()

    def _pass_time(self, world: SimulatedWorld | None) -> None:
        """Wait until the end; simulated time, which only passes while somebody sleeps in it, is slept away."""
        simulation = self.recipe.simulation
        while not self._end.wait(TICK_S):
            if world is not None and simulation is not None:
                world.clock.sleep(TICK_S * min(simulation.clock_speed, FASTEST))


def _put_out(answers: queue.SimpleQueue[str], device: Laser | LightGate) -> None:
    device.make_safe()
    answers.put(device.name)


def _move_if_homed(detector: Positioner, x_nm: float, y_nm: float) -> None:
    if not detector.is_homed():
        raise InputError("detector: it is moving, or does not know where it is. Wait, or home it first.")
    detector.move_to(x_nm, y_nm)


def _has(recipe: RigRecipe, role: str) -> bool:
    return role in ("laser", "detector") or getattr(recipe.devices, role) is not None


def _box(recipe: RigRecipe, role: str) -> tuple[str, str]:
    """Return model and address of the box, or boxes, behind a role."""
    devices = recipe.devices
    if role == "laser":
        return f"{devices.laser.model}, {devices.trigger.model}", devices.trigger.address
    if role == "detector":
        x, y = devices.detector_x, devices.detector_y
        return x.model, x.address if x.address == y.address else f"{x.address}, {y.address}"
    device = getattr(devices, role)
    return device.model, device.address
