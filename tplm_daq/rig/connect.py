"""From a model name in the rig file to its driver, from an address to a link: one function per role.

Connecting identifies each box and reads its state; it switches nothing on.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.anc350 import ANC350, SILENCE_S
from drivers.gate import LightGateLine
from drivers.kst101 import KST101
from drivers.lakeshore335 import MINIMUM_GAP_S, LakeShore335
from drivers.pdl800d import PDL800D
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import load_library
from drivers.trigger import TriggerGenerator
from tplm_daq.errors import DeviceError
from tplm_daq.recipes.devices import CounterDevice, GateDevice, StageDevice, ThermostatDevice
from tplm_daq.rig.axes import Axis
from tplm_daq.rig.counter import HistogramCounter
from tplm_daq.rig.light import GateLine, TriggeredLaser
from tplm_daq.rig.links import Link, PacedAdapter, open_serial
from tplm_daq.rig.planning import travels
from tplm_daq.rig.stage import PiezoStage
from tplm_daq.rig.thermostat import CryostatThermostat
from tplm_daq.rig.wiring import Wiring

CHECK_COUNTER = "Check that the counter is on and connected by USB and that no other program uses it."
CHECK_GENERATOR = "Check the generator's power, its network cable and its address."
CHECK_ACTUATOR = "Check power and USB of the controller, its port name, and that Kinesis is closed."
CHECK_THERMOSTAT = "Check power, cable and the interface chosen on the front panel."
CHECK_STAGE = "Check power, the network cable, and that the controller has the Ethernet option."


def laser(wiring: Wiring) -> TriggeredLaser:
    """Connect the trigger generator of the laser."""
    devices = wiring.recipe.devices
    link, generator = _trigger(wiring, "trigger", wiring.visa_address("trigger", devices.trigger.address))
    role = TriggeredLaser(
        link, generator, PDL800D(devices.laser.head), devices.trigger, wiring.recipe.limits, wiring.operator
    )
    wiring.closers.append(role.close)
    return role


def own_trigger(wiring: Wiring, address: str) -> Callable[[], None]:
    """Connect the trigger generator a second time; return what puts the light out over this connection."""
    link, generator = _trigger(wiring, "trigger (to put the light out)", address)

    def put_out() -> None:
        with link.exclusive():
            generator.is_output_on = False

    wiring.closers.append(generator.adapter.close)
    return put_out


def gate(wiring: Wiring, device: GateDevice) -> GateLine:
    """Connect the light gate."""
    role = _gate(wiring, "gate", device, wiring.visa_address("gate", device.address))
    wiring.closers.append(role.close)
    return role


def own_gate(wiring: Wiring, device: GateDevice, address: str) -> Callable[[], None]:
    """Connect the light gate a second time; return what closes it over this connection."""
    role = _gate(wiring, "gate (to put the light out)", device, address)
    wiring.closers.append(role.close)
    return role.block


def counter(wiring: Wiring, device: CounterDevice) -> HistogramCounter:
    """Open the counter through its vendor's library."""
    link = Link("counter", device.address, CHECK_COUNTER)
    with link.exclusive():
        if wiring.world is not None:
            wiring.world.attach()
            library = wiring.world.library
        else:
            library = load_library(None if device.address == "phlib" else device.address)
        driver = PicoHarp300(library, device.serial)
        driver.open()
        driver.initialise()
    role = HistogramCounter(link, driver, device, wiring.recipe.optics.detector_dead_time_ns, wiring.clock)
    wiring.closers.append(role.close)
    return role


def axis(wiring: Wiring, name: str) -> Axis:
    """Connect the actuator of detector axis "x" or "y"."""
    travel = travels(wiring.recipe)[name]
    role, device = travel.name, travel.device
    url = wiring.serial_address(role, device.address)
    link = Link(role, url, CHECK_ACTUATOR)
    with link.exclusive():
        adapter = PacedAdapter(open_serial(url, KST101.serial_settings), wiring.clock, KST101.write_interval_s)
        wiring.closers.append(adapter.close)
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


def thermostat(wiring: Wiring, device: ThermostatDevice) -> CryostatThermostat:
    """Connect the temperature controller."""
    limits = wiring.recipe.limits
    address = wiring.visa_address("thermostat", device.address)
    link = Link("thermostat", address, CHECK_THERMOSTAT)
    with link.exclusive():
        driver = LakeShore335(
            address,
            "thermostat",
            max_setpoint_k=limits.highest_temperature_k,
            max_ramp_rate_k_per_min=limits.temperature_rate_k_min,
            **wiring.visa,
        )
        driver.adapter = PacedAdapter(driver.adapter, wiring.clock, MINIMUM_GAP_S)
        driver.identify()
    role = CryostatThermostat(link, driver, device, limits)
    wiring.closers.append(role.close)
    return role


def stage(wiring: Wiring, device: StageDevice) -> PiezoStage:
    """Connect the sample stage and bring its telegrams into step."""
    address = wiring.visa_address("stage", device.address)
    link = Link("stage", address, CHECK_STAGE)
    with link.exclusive():
        driver = ANC350(address, "stage", max_amplitude_v=device.max_amplitude_v, **wiring.visa)
        driver.start_synchronise()
        wiring.clock.sleep(SILENCE_S)
        driver.finish_synchronise()
    role = PiezoStage(link, driver)
    wiring.closers.append(role.close)
    return role


def _trigger(wiring: Wiring, name: str, address: str) -> tuple[Link, TriggerGenerator]:
    link = Link(name, address, CHECK_GENERATOR)
    with link.exclusive():
        generator = TriggerGenerator(
            address, name, max_frequency_hz=wiring.recipe.limits.repetition_rate_hz, **wiring.visa
        )
        generator.identify()
    return link, generator


def _gate(wiring: Wiring, name: str, device: GateDevice, address: str) -> GateLine:
    link = Link(name, address, CHECK_GENERATOR)
    with link.exclusive():
        driver = LightGateLine(address, name, open_v=device.open_level_v, closed_v=device.closed_level_v, **wiring.visa)
        driver.identify()
    return GateLine(link, driver)
