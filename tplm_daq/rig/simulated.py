"""Starts the doubles of a simulated rig, or finds those that `tplm serve` has started, and says where they are.

From there on nothing knows that they are doubles. Doubles started here live in simulated time; served ones in real
time, for any number of programs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tplm_daq.errors import InputError
from tplm_daq.recipes.devices import CounterDevice, TimeHarpDevice
from tplm_daq.recipes.rig import SINGLE_EMITTER, RigRecipe
from tplm_daq.rig.links import Link, WallClock
from tplm_daq.roles import Clock, Operator

CHECK_BENCH = "Start `tplm serve` again and take over the addresses that it prints."


def _nothing() -> None:
    """Attach to doubles that are in this process."""


@dataclass(frozen=True)
class SimulatedWorld:
    """What a simulated rig has instead of hardware.

    Attributes
    ----------
    clock : Clock
        Simulated time.
    visa_addresses, urls : dict of str to str
        Where each byte-stream double is, by role, for VISA and for pyserial.
    library : ctypes.CDLL
        Function table of the simulated counter library.
    operator : Operator
        Hands for the simulated laser.
    truth : callable
        From average power in nW and repetition rate in Hz to what a perfect analysis would find.
    close : callable
        Ends all doubles, or the connection to served ones.
    attach : callable
        Makes sure that the counter's library is there; OSError if not.
    """

    clock: Clock
    visa_addresses: dict[str, str]
    urls: dict[str, str]
    library: ctypes.CDLL
    operator: Operator
    truth: Callable[[float, float], dict[str, Any]]
    close: Callable[[], None]
    attach: Callable[[], None] = _nothing


@dataclass(frozen=True)
class ServedPlace:
    """Where a served double is: VISA resource name, pyserial URL, and a serial device file or None."""

    address: str
    url: str
    pty: str | None


@dataclass(frozen=True)
class ServedWorld:
    """Doubles in real time for other programs: address of the bench, places by role, and how to end it."""

    bench: str
    places: dict[str, ServedPlace]
    close: Callable[[], None]


@dataclass(frozen=True)
class PresetNumbers:
    """What a preset puts into the simulated sample: diffusivities for rare and frequent excitation, memory at 300 K."""

    d_inf_cm2_s: float
    d_0_cm2_s: float
    tau_relax_us: float


@dataclass(frozen=True)
class SampleNumbers:
    """What is put into the simulated sample, to be told apart from what is found out.

    Attributes
    ----------
    presets : mapping of str to PresetNumbers
        By name.
    relaxation_k : float
        The memory at T is that at 300 K times exp[relaxation_k (1/T - 1/300 K)].
    relative_diffusivity : mapping of float to float
        Temperature in K to D at 1 nW relative to 300 K.
    powers_nw, lifetimes_ns, tail_exponents : tuple of float
        Lifetime and exponent at the lower and the higher power; linear in log(power) between, constant outside.
    """

    presets: Mapping[str, PresetNumbers]
    relaxation_k: float
    relative_diffusivity: Mapping[float, float]
    powers_nw: tuple[float, float]
    lifetimes_ns: tuple[float, float]
    tail_exponents: tuple[float, float]


def sample_numbers() -> SampleNumbers:
    """Return what is put into the simulated sample."""
    from simulators.sample import PRESETS, SampleSettings

    settings = SampleSettings()
    return SampleNumbers(
        presets={name: PresetNumbers(**asdict(surface)) for name, surface in PRESETS.items()},
        relaxation_k=settings.relaxation_k,
        relative_diffusivity=dict(zip(settings.temperatures_k, settings.relative_diffusivity, strict=True)),
        powers_nw=(settings.low_power_nw, settings.high_power_nw),
        lifetimes_ns=settings.lifetimes_ns,
        tail_exponents=settings.tail_exponents,
    )


def start_doubles(recipe: RigRecipe) -> SimulatedWorld:
    """Start every double of the rig file's simulation on loopback.

    Raises
    ------
    ValueError
        The rig file has no section `simulation`.
    InputError
        It asks for a fault that cannot happen to a device.
    """
    from simulators.bench import Bench
    from simulators.clock import SimClock
    from simulators.operator import OperatorDouble

    settings = _bench_settings(recipe)
    assert recipe.simulation is not None
    clock = SimClock(recipe.simulation.clock_speed, round(recipe.simulation.start_s * 1e9))
    with _possible():
        bench = Bench(settings, clock)
    return SimulatedWorld(
        clock=clock,
        visa_addresses={role: server.visa_address for role, server in bench.servers.items()},
        urls={role: server.url for role, server in bench.servers.items()},
        library=bench.counter,
        operator=OperatorDouble(bench.laser, bench.lock),
        truth=bench.truth,
        close=bench.close,
    )


def find_served(counter: CounterDevice | TimeHarpDevice) -> SimulatedWorld:
    """Return the world behind a served bench; nothing is connected before `attach`.

    Parameters
    ----------
    counter : CounterDevice or TimeHarpDevice
        Whose address is ``bench://HOST:PORT`` as `tplm serve` prints it.
    """
    from simulators.picoharp300.face import PHLIB
    from simulators.serving.far import FarBench
    from simulators.timeharp260.face import TH260LIB

    bench = FarBench(counter.address, PHLIB if isinstance(counter, CounterDevice) else TH260LIB)
    link = Link("bench", bench.address, CHECK_BENCH)

    def truth(average_power_nw: float, repetition_rate_hz: float) -> dict[str, Any]:
        with link.exclusive():
            return bench.truth(average_power_nw, repetition_rate_hz)

    return SimulatedWorld(
        clock=WallClock(),
        visa_addresses={},
        urls={},
        library=bench.library,
        operator=_HandsAtBench(bench.name, bench.set_by_hand, link),
        truth=truth,
        close=bench.close,
        attach=bench.connect,
    )


def serve_doubles(recipe: RigRecipe) -> ServedWorld:
    """Start every double of the rig file's simulation in real time, on addresses that other programs can use.

    Raises
    ------
    ValueError
        The rig file has no section `simulation`.
    InputError
        It asks for a fault that cannot happen to a device.
    """
    from simulators.serving.bench import ServedBench

    settings = _bench_settings(recipe)
    with _possible():
        served = ServedBench(settings)
    wanted = {role for role, device in recipe.devices if device is not None}
    places = {
        role: ServedPlace(place.address, place.url, place.pty)
        for role, place in served.places.items()
        if role in wanted
    }
    return ServedWorld(served.address, places, served.close)


class _HandsAtBench:
    """The operator's double of a served bench; what goes wrong there becomes an error of this program."""

    def __init__(self, name: str, act: Callable[[str, Mapping[str, float]], None], link: Link) -> None:
        self.name = name
        self._act = act
        self._link = link

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Have it done at the bench."""
        with self._link.exclusive():
            self._act(what, quantities)


@contextmanager
def _possible() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise InputError(f"rig file, simulation.faults: {error}") from error


def _bench_settings(recipe: RigRecipe) -> Any:
    """Return the `BenchSettings` that a rig file describes."""
    from simulators.bench import Attenuation, AxisPlace, BenchSettings
    from simulators.faults import Fault
    from simulators.noise import NoiseSettings
    from simulators.optics import OpticsSettings
    from simulators.sample import PRESETS, SampleSettings

    simulation, optics = recipe.simulation, recipe.optics
    if simulation is None:
        raise ValueError("the rig file has no section `simulation`")
    true = 1.0 + simulation.magnification_error
    faults = [each for each in simulation.faults if not each.is_over_by(simulation.start_s)]
    noise = NoiseSettings(
        seed=simulation.seed,
        power_rms=simulation.power_noise,
        drift_nm_per_min=simulation.drift_nm_min,
        spot_spread=simulation.spot_variation,
    )
    wheel, meter, gate = recipe.devices.attenuator, recipe.devices.power_meter, recipe.devices.gate
    thermostat, detection = recipe.devices.thermostat, recipe.devices.detection_filter
    return BenchSettings(
        seed=simulation.seed,
        sample=SampleSettings(
            surface=PRESETS.get(simulation.sample, SampleSettings.surface),
            brightness=simulation.brightness,
            is_single_emitter=simulation.sample == SINGLE_EMITTER,
        ),
        noise=noise,
        optics=OpticsSettings(
            laser_fwhm_nm=optics.laser_fwhm_nm,
            psf_fwhm_nm=optics.psf_fwhm_nm,
            detector_um=optics.detector_width_mm * 1e3,
            magnifications=simulation.magnification or (optics.magnification_x * true, optics.magnification_y * true),
        ),
        axes={
            "x": AxisPlace(recipe.devices.detector_x.centre_mm, recipe.devices.detector_x.direction),
            "y": AxisPlace(recipe.devices.detector_y.centre_mm, recipe.devices.detector_y.direction),
        },
        counter=_counter(recipe.devices.counter),
        is_homed=simulation.is_homed,
        attenuation=None
        if wheel is None or meter is None
        else Attenuation(simulation.attenuator_densities or wheel.densities, meter.sample_per_meter),
        thermostat="lakeshore335" if thermostat is None else thermostat.model,
        gate_channel=1 if gate is None else gate.channel,
        faults=tuple(Fault(each.fault, each.device, each.at_transaction, each.at_s, each.count) for each in faults),
        detection_densities=None if detection is None else simulation.detection_densities or detection.known_densities,
        defocus_nm=simulation.defocus_nm,
    )


def _counter(device: CounterDevice | TimeHarpDevice) -> Callable[..., Any]:
    """Return what makes the double of a rig file's counter on a bench."""
    from simulators.picoharp300.table import PicoHarpTable
    from simulators.timeharp260.device import NANO, PICO
    from simulators.timeharp260.table import TimeHarpTable

    if isinstance(device, CounterDevice):
        return PicoHarpTable
    kind = NANO if device.board == "nano" else PICO
    return partial(TimeHarpTable, kind=kind, n_inputs=device.input + 1, connected=device.input)
