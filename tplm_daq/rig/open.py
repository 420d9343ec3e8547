"""Opens a rig: model name to driver, address to link, and everything that failed in one list.

Connecting identifies each box and reads its state; it switches nothing on. Where the network allows it, light has
connections of its own for putting it out, so that a scan that hangs on one link cannot keep it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drivers.anc350 import ANC350, SILENCE_S
from drivers.gate import LightGateLine
from drivers.kst101 import KST101
from drivers.lakeshore335 import MINIMUM_GAP_S, LakeShore335
from drivers.pdl800d import PDL800D
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import load_library
from drivers.trigger import TriggerGenerator
from tplm_daq.errors import DeviceError, RigError, TplmError
from tplm_daq.recipes.rig import BENCH, DOUBLE, RigRecipe
from tplm_daq.rig.axes import Axis, DetectorAxes
from tplm_daq.rig.counter import HistogramCounter
from tplm_daq.rig.light import GateLine, TriggeredLaser
from tplm_daq.rig.links import REPLY_TIMEOUT_S, Link, PacedAdapter, WallClock, open_serial, visa_library
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.planning import travels
from tplm_daq.rig.safe_state import SafetyStep
from tplm_daq.rig.simulated import SimulatedWorld, find_served, start_doubles
from tplm_daq.rig.stage import PiezoStage
from tplm_daq.rig.thermostat import CryostatThermostat
from tplm_daq.roles import Clock, Operator, Setting

T = TypeVar("T")
AnyDevice = TriggeredLaser | GateLine | HistogramCounter | Axis | CryostatThermostat | PiezoStage

VISA_TIMEOUT_MS = round(REPLY_TIMEOUT_S * 1e3)
EXPECTED_COUNTER = "Check that the counter is on and connected by USB and that no other program uses it."
CHECK_GENERATOR = "Check the generator's power, its network cable and its address."
CHECK_ACTUATOR = "Check power and USB of the controller, its port name, and that Kinesis is closed."
CHECK_THERMOSTAT = "Check power, cable and the interface chosen on the front panel."
CHECK_STAGE = "Check power, the network cable, and that the controller has the Ethernet option."


def open_rig(recipe: RigRecipe, operator: Operator) -> Rig:
    """Connect to every box of a rig file.

    Parameters
    ----------
    recipe : RigRecipe
        Which boxes, where.
    operator : Operator
        Who turns knobs; on a simulated rig a double of an operator takes this place.

    Returns
    -------
    Rig
        To be used as a context manager.

    Raises
    ------
    RigError
        One or more boxes cannot be used; every one of them is listed, and all connections are closed again.
    """
    opening = Opening(recipe, world_of(recipe), operator)
    try:
        return opening.rig()
    except TplmError:
        opening.give_up()
        raise


def world_of(recipe: RigRecipe) -> SimulatedWorld | None:
    """Return the doubles that a rig file asks for, started here or served elsewhere; None for a real rig."""
    if recipe.simulation is not None:
        return start_doubles(recipe)
    address = recipe.devices.counter.address
    return find_served(address) if address.startswith(BENCH) else None


class Opening:
    """The state of an opening rig: what is open, what failed, and the doubles if there are any."""

    def __init__(self, recipe: RigRecipe, world: SimulatedWorld | None, operator: Operator) -> None:
        self._recipe = recipe
        self._devices = recipe.devices
        self._world = world
        self._clock: Clock = WallClock() if world is None else world.clock
        self._operator = operator if world is None else world.operator
        self._failures: list[TplmError] = []
        self._closers: list[Callable[[], None]] = []
        self._light_paths: list[SafetyStep] = []
        self._visa: dict[str, Any] = {"timeout": VISA_TIMEOUT_MS, "visa_library": visa_library()}

    def rig(self) -> Rig:
        """Open every device, in an order in which light can be put out first."""
        devices = self._devices
        laser = self._attempt(self._laser)
        gate = self._attempt(self._gate) if devices.gate is not None else None
        counter = self._attempt(self._counter)
        x = self._attempt(lambda: self._axis("x"))
        y = self._attempt(lambda: self._axis("y"))
        thermostat = self._attempt(self._thermostat) if devices.thermostat is not None else None
        stage = self._attempt(self._stage) if devices.stage is not None else None
        if self._failures or laser is None or counter is None or x is None or y is None:
            raise RigError(self._failures)
        return Rig(
            clock=self._clock,
            laser=laser,
            gate=gate,
            counter=counter,
            detector=DetectorAxes(x, y),
            thermostat=thermostat,
            stage=stage,
            light_paths=self._light_paths,
            are_heaters_off_at_end=self._recipe.policies.temperature_at_end == "heater_off",
            truth=None if self._world is None else self._world.truth,
            closers=self._closers,
            end_doubles=self._end_doubles,
        )

    def ask(self, role: str) -> Mapping[str, Setting]:
        """Open the device of one role, return what it tells of itself, and close it again.

        Raises
        ------
        DeviceError
            It cannot be used.
        """
        openers: dict[str, Callable[[], AnyDevice]] = {
            "trigger": self._laser,
            "gate": self._gate,
            "counter": self._counter,
            "detector_x": lambda: self._axis("x"),
            "detector_y": lambda: self._axis("y"),
            "thermostat": self._thermostat,
            "stage": self._stage,
        }
        try:
            return openers[role]().snapshot()
        finally:
            self._close_devices()

    def give_up(self) -> None:
        """Close what was opened; failures to close do not matter any more."""
        self._close_devices()
        self._end_doubles()

    def _close_devices(self) -> None:
        for closer in self._closers:
            self._attempt(closer)
        self._closers.clear()

    def _end_doubles(self) -> None:
        if self._world is not None:
            self._world.close()

    def _attempt(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except TplmError as error:
            self._failures.append(error)
            return None

    def _visa_address(self, role: str, address: str) -> str:
        return self._world.visa_addresses[role] if self._world is not None and address == DOUBLE else address

    def _laser(self) -> TriggeredLaser:
        device = self._devices.trigger
        address = self._visa_address("trigger", device.address)
        link, generator = self._connect_trigger("trigger", address)
        laser = TriggeredLaser(
            link, generator, PDL800D(self._devices.laser.head), device, self._recipe.limits, self._operator
        )
        self._closers.append(laser.close)
        self._add_light_path("the laser's trigger", address, laser.turn_off, self._own_trigger)
        return laser

    def _gate(self) -> GateLine:
        device = self._devices.gate
        assert device is not None
        address = self._visa_address("gate", device.address)
        gate = self._connect_gate("gate", address)
        self._closers.append(gate.close)
        self._add_light_path("the light gate", address, gate.block, self._own_gate)
        return gate

    def _add_light_path(
        self, name: str, address: str, shared: Callable[[], None], own: Callable[[str], Callable[[], None]]
    ) -> None:
        """Use a connection of its own where the interface allows a second one."""
        self._light_paths.append(SafetyStep(name, own(address) if address.startswith("TCPIP") else shared))

    def _own_trigger(self, address: str) -> Callable[[], None]:
        link, generator = self._connect_trigger("trigger (to put the light out)", address)

        def put_out() -> None:
            with link.exclusive():
                generator.is_output_on = False

        self._closers.append(generator.adapter.close)
        return put_out

    def _own_gate(self, address: str) -> Callable[[], None]:
        gate = self._connect_gate("gate (to put the light out)", address)
        self._closers.append(gate.close)
        return gate.block

    def _connect_trigger(self, name: str, address: str) -> tuple[Link, TriggerGenerator]:
        link = Link(name, address, CHECK_GENERATOR)
        with link.exclusive():
            generator = TriggerGenerator(
                address,
                name,
                max_frequency_hz=self._recipe.limits.repetition_rate_hz,
                **self._visa,
            )
            generator.identify()
        return link, generator

    def _connect_gate(self, name: str, address: str) -> GateLine:
        device = self._devices.gate
        assert device is not None
        link = Link(name, address, CHECK_GENERATOR)
        with link.exclusive():
            driver = LightGateLine(
                address, name, open_v=device.open_level_v, closed_v=device.closed_level_v, **self._visa
            )
            driver.identify()
        return GateLine(link, driver)

    def _counter(self) -> HistogramCounter:
        device = self._devices.counter
        link = Link("counter", device.address, EXPECTED_COUNTER)
        with link.exclusive():
            if self._world is not None:
                self._world.attach()
                library = self._world.library
            else:
                library = load_library(None if device.address == "phlib" else device.address)
            driver = PicoHarp300(library, device.serial)
            driver.open()
            driver.initialise()
        counter = HistogramCounter(link, driver, device, self._recipe.optics.detector_dead_time_ns, self._clock)
        self._closers.append(counter.close)
        return counter

    def _axis(self, name: str) -> Axis:
        travel = travels(self._recipe)[name]
        role, device = travel.name, travel.device
        url = self._world.urls[role] if self._world is not None and device.address == DOUBLE else device.address
        link = Link(role, url, CHECK_ACTUATOR)
        with link.exclusive():
            adapter = PacedAdapter(open_serial(url, KST101.serial_settings), self._clock, KST101.write_interval_s)
            self._closers.append(adapter.close)
            driver = KST101(adapter, role, travel_mm=(device.lowest_mm, device.highest_mm))
            info = driver.info
            if device.serial is not None and device.serial != str(info.serial):
                raise DeviceError(
                    role,
                    url,
                    f"controller {info.serial} ({info.model}) answers, not {device.serial}",
                    "Correct the port or the serial number in the rig file.",
                )
            driver.configure()
        return Axis(link, driver, device, travel.magnification)

    def _thermostat(self) -> CryostatThermostat:
        device, limits = self._devices.thermostat, self._recipe.limits
        assert device is not None
        address = self._visa_address("thermostat", device.address)
        link = Link("thermostat", address, CHECK_THERMOSTAT)
        with link.exclusive():
            driver = LakeShore335(
                address,
                "thermostat",
                max_setpoint_k=limits.highest_temperature_k,
                max_ramp_rate_k_per_min=limits.temperature_rate_k_min,
                **self._visa,
            )
            driver.adapter = PacedAdapter(driver.adapter, self._clock, MINIMUM_GAP_S)
            driver.identify()
        thermostat = CryostatThermostat(link, driver, device, limits)
        self._closers.append(thermostat.close)
        return thermostat

    def _stage(self) -> PiezoStage:
        device = self._devices.stage
        assert device is not None
        address = self._visa_address("stage", device.address)
        link = Link("stage", address, CHECK_STAGE)
        with link.exclusive():
            driver = ANC350(address, "stage", max_amplitude_v=device.max_amplitude_v, **self._visa)
            driver.start_synchronise()
            self._clock.sleep(SILENCE_S)
            driver.finish_synchronise()
        stage = PiezoStage(link, driver)
        self._closers.append(stage.close)
        return stage
