"""From a model name in the rig file to its driver, from an address to a link: one function per role.

Connecting identifies each box and reads its state; it switches nothing on.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.anc350 import ANC350, SILENCE_S
from drivers.anc350_library import LibraryAdapter
from drivers.anc350_library import load_library as load_anc350_library
from drivers.cryostation import Cryostation
from drivers.fw102c import FW102C, MOVE_TIMEOUT_S
from drivers.gate import LightGateLine
from drivers.kst101 import KST101
from drivers.lakeshore335 import MINIMUM_GAP_S, LakeShore335
from drivers.pdl800d import PDL800D
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import PHLIB
from drivers.pm100d import PM100D
from drivers.timeharp260.device import TimeHarp260
from drivers.timeharp260.library import TH260LIB
from drivers.trigger import TriggerGenerator
from tplm_daq.errors import DeviceError
from tplm_daq.recipes.devices import (
    ANC350_LIBRARY,
    CounterDevice,
    CryostationDevice,
    GateDevice,
    StageDevice,
    ThermostatDevice,
    TimeHarpDevice,
)
from tplm_daq.recipes.wheels import WHEEL_POSITIONS, AttenuatorDevice, FilterDevice, PowerMeterDevice
from tplm_daq.rig.attenuator import AttenuatedPower, Densities
from tplm_daq.rig.axes import Axis
from tplm_daq.rig.counter import HistogramCounter
from tplm_daq.rig.filters import DetectionFilter, Wheel
from tplm_daq.rig.light import GateLine, TriggeredLaser
from tplm_daq.rig.links import Link, PacedAdapter, open_serial
from tplm_daq.rig.planning import travels
from tplm_daq.rig.power_meter import PowerMeter
from tplm_daq.rig.stage import PiezoStage
from tplm_daq.rig.thermostat import CryostationThermostat, LakeShoreThermostat
from tplm_daq.rig.wiring import Wiring

CHECK_COUNTER = "Check that the counter is on and connected to this computer and that no other program uses it."
CHECK_GENERATOR = "Check the generator's power, its network cable and its address."
CHECK_ACTUATOR = "Check power and USB of the controller, its port name, and that Kinesis is closed."
CHECK_THERMOSTAT = "Check power, cable and the interface chosen on the front panel."
CHECK_CRYOSTATION = 'Check that its program runs on its computer, with "Enable External Control" ticked.'
CHECK_WHEEL = "Check the wheel's power, its USB cable and the name of its port."
CHECK_METER = "Check the meter's power and USB cable, and that its driver is the one for VISA."
CHECK_STAGE = "Check power, the network cable, and that the controller has the Ethernet option."


def laser(wiring: Wiring) -> TriggeredLaser:
    """Connect the trigger generator of the laser."""
    devices = wiring.recipe.devices
    link, generator = _trigger(wiring, "trigger", wiring.visa_address("trigger", devices.trigger.address))
    return TriggeredLaser(
        link,
        generator,
        PDL800D(devices.laser.head),
        devices.trigger,
        wiring.recipe.limits,
        wiring.operator,
        _attenuated_power(wiring),
    )


def own_trigger(wiring: Wiring, address: str) -> Callable[[], None]:
    """Connect the trigger generator a second time; return what puts the light out over this connection."""
    link, generator = _trigger(wiring, "trigger (to put the light out)", address)

    def put_out() -> None:
        with link.exclusive():
            generator.is_output_on = False

    return put_out


def gate(wiring: Wiring, device: GateDevice) -> GateLine:
    """Connect the light gate."""
    return _gate(wiring, "gate", device, wiring.visa_address("gate", device.address))


def own_gate(wiring: Wiring, device: GateDevice, address: str) -> Callable[[], None]:
    """Connect the light gate a second time; return what closes it over this connection."""
    return _gate(wiring, "gate (to put the light out)", device, address).block


def attenuator(wiring: Wiring, device: AttenuatorDevice) -> Wheel:
    """Connect the filter wheel in the laser's beam."""
    return _wheel(wiring, "attenuator", device.address, WHEEL_POSITIONS[device.model])


def power_meter(wiring: Wiring, device: PowerMeterDevice) -> PowerMeter:
    """Connect the power meter, and set its wavelength and averaging."""
    address = wiring.visa_address("power_meter", device.address)
    link = Link("power_meter", address, CHECK_METER, wiring.clock)
    with link.exclusive():
        driver = PM100D(address, "power_meter", **wiring.visa)
        wiring.close_at_end(link, driver.adapter.close)
        driver.identify()
        driver.wavelength = device.wavelength_nm
        driver.averaging = device.averaging
    return PowerMeter(link, driver, device.sample_per_meter, wiring.clock)


def counter(wiring: Wiring, device: CounterDevice | TimeHarpDevice) -> HistogramCounter:
    """Open the counter through its vendor's library."""
    link = Link("counter", device.address, CHECK_COUNTER, wiring.clock)
    with link.exclusive():
        driver = _counter_driver(wiring, device)
        driver.open()
        role = HistogramCounter(link, driver, device, wiring.recipe.optics.detector_dead_time_ns, wiring.clock)
        wiring.closers.append(role.close)
        driver.initialise()
        _check_board(driver, device)
    return role


def axis(wiring: Wiring, name: str) -> Axis:
    """Connect the actuator of detector axis "x" or "y"."""
    travel = travels(wiring.recipe)[name]
    role, device = travel.name, travel.device
    url = wiring.serial_address(role, device.address)
    link = Link(role, url, CHECK_ACTUATOR, wiring.clock)
    with link.exclusive():
        adapter = PacedAdapter(open_serial(url, KST101.serial_settings), wiring.clock, KST101.write_interval_s)
        wiring.close_at_end(link, adapter.close)
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


def thermostat(
    wiring: Wiring, device: ThermostatDevice | CryostationDevice
) -> LakeShoreThermostat | CryostationThermostat:
    """Connect the temperature controller or the cryostat."""
    return _cryostation(wiring, device) if isinstance(device, CryostationDevice) else _lakeshore(wiring, device)


def _lakeshore(wiring: Wiring, device: ThermostatDevice) -> LakeShoreThermostat:
    limits = wiring.recipe.limits
    address = wiring.visa_address("thermostat", device.address)
    link = Link("thermostat", address, CHECK_THERMOSTAT, wiring.clock)
    with link.exclusive():
        driver = LakeShore335(
            address,
            "thermostat",
            max_setpoint_k=limits.highest_temperature_k,
            max_ramp_rate_k_per_min=limits.temperature_rate_k_min,
            **wiring.visa,
        )
        driver.adapter = PacedAdapter(driver.adapter, wiring.clock, MINIMUM_GAP_S)
        wiring.close_at_end(link, driver.adapter.close)
        driver.identify()
    return LakeShoreThermostat(link, driver, device, limits)


def _cryostation(wiring: Wiring, device: CryostationDevice) -> CryostationThermostat:
    limits = wiring.recipe.limits
    address = wiring.visa_address("thermostat", device.address)
    link = Link("thermostat", address, CHECK_CRYOSTATION, wiring.clock)
    with link.exclusive():
        driver = Cryostation(
            address,
            "thermostat",
            max_setpoint_k=limits.highest_temperature_k,
            has_blank=device.has_blank,
            **wiring.visa,
        )
        wiring.close_at_end(link, driver.adapter.close)
        driver.identify()
    return CryostationThermostat(link, driver, device.thermometer, limits, wiring.clock)


def stage(wiring: Wiring, device: StageDevice) -> PiezoStage:
    """Connect the sample stage and bring its telegrams into step."""
    address = wiring.visa_address("stage", device.address)
    link = Link("stage", address, CHECK_STAGE, wiring.clock)
    with link.exclusive():
        way: LibraryAdapter | str = address
        if device.library is not None:
            way = LibraryAdapter(load_anc350_library(*_file_of(device.library)), device.serial)
        options = {} if device.library is not None else wiring.visa
        driver = ANC350(way, "stage", max_amplitude_v=device.max_amplitude_v, **options)
        wiring.close_at_end(link, driver.adapter.close)
        driver.start_synchronise()
        wiring.clock.sleep(SILENCE_S)
        driver.finish_synchronise()
    return PiezoStage(link, driver, device.ranges_nm)


def _file_of(library: str) -> tuple[str, ...]:
    """Return the file of the stage's library, nothing for the one with the usual name."""
    return () if library == ANC350_LIBRARY else (library,)


def _counter_driver(wiring: Wiring, device: CounterDevice | TimeHarpDevice) -> PicoHarp300 | TimeHarp260:
    vendor, usual_name = (PHLIB, "phlib") if isinstance(device, CounterDevice) else (TH260LIB, "th260lib")
    if wiring.world is not None:
        wiring.world.attach()
        library = wiring.world.library
    else:
        library = vendor.load(None if device.address == usual_name else device.address)
    if isinstance(device, CounterDevice):
        return PicoHarp300(library, device.serial)
    return TimeHarp260(library, device.serial, device.input)


def _check_board(driver: PicoHarp300 | TimeHarp260, device: CounterDevice | TimeHarpDevice) -> None:
    """Raise DeviceError if the rig file says of a TimeHarp that it is the other board."""
    if isinstance(driver, TimeHarp260) and isinstance(device, TimeHarpDevice):
        found = "pico" if driver.is_pico else "nano"
        if device.board not in (None, found):
            cause = f"it is a {found}, and the rig file has board: {device.board}"
            raise DeviceError("counter", device.address, cause, f"Write board: {found}.")


def _attenuated_power(wiring: Wiring) -> AttenuatedPower | None:
    """Connect wheel and meter, if the rig has them; the operator is not asked for the power then."""
    wheel, meter = wiring.recipe.devices.attenuator, wiring.recipe.devices.power_meter
    if wheel is None or meter is None:
        return None
    return AttenuatedPower(
        attenuator(wiring, wheel),
        power_meter(wiring, meter),
        Densities(wheel.densities, wheel.energies_fj or ()),
        meter.tolerance,
        wiring.clock,
    )


def detection_filter(wiring: Wiring, device: FilterDevice) -> DetectionFilter:
    """Connect the filter wheel in front of the detector."""
    wheel = _wheel(wiring, "detection_filter", device.address, len(device.filters))
    return DetectionFilter(wheel, device.filters)


def _wheel(wiring: Wiring, role: str, address: str, n_positions: int) -> Wheel:
    url = wiring.serial_address(role, address)
    link = Link(role, url, CHECK_WHEEL, wiring.clock)
    with link.exclusive():
        adapter = open_serial(url, FW102C.serial_settings)
        adapter.connection.timeout = MOVE_TIMEOUT_S
        wiring.close_at_end(link, adapter.close)
        driver = FW102C(adapter, role, n_positions)
        driver.identify()
    return Wheel(link, driver, wiring.clock)


def _trigger(wiring: Wiring, name: str, address: str) -> tuple[Link, TriggerGenerator]:
    link = Link(name, address, CHECK_GENERATOR, wiring.clock)
    with link.exclusive():
        generator = TriggerGenerator(
            address, name, max_frequency_hz=wiring.recipe.limits.repetition_rate_hz, **wiring.visa
        )
        wiring.close_at_end(link, generator.adapter.close)
        generator.identify()
    return link, generator


def _gate(wiring: Wiring, name: str, device: GateDevice, address: str) -> GateLine:
    link = Link(name, address, CHECK_GENERATOR, wiring.clock)
    with link.exclusive():
        driver = LightGateLine(
            address, name, device.channel, open_v=device.open_level_v, closed_v=device.closed_level_v, **wiring.visa
        )
        wiring.close_at_end(link, driver.adapter.close)
        driver.identify()
    return GateLine(link, driver)
