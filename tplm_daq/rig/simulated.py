"""Starts the doubles of a simulated rig and says where they are; from there on nothing knows that they are doubles."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.roles import Clock, Operator


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
        Ends all doubles.
    """

    clock: Clock
    visa_addresses: dict[str, str]
    urls: dict[str, str]
    library: ctypes.CDLL
    operator: Operator
    truth: Callable[[float, float], dict[str, Any]]
    close: Callable[[], None]


def start_doubles(recipe: RigRecipe) -> SimulatedWorld:
    """Start every double of the rig file's simulation on loopback.

    Raises
    ------
    ValueError
        The rig file has no section `simulation`.
    """
    from simulators.bench import AxisPlace, Bench, BenchSettings
    from simulators.clock import SimClock
    from simulators.noise import NoiseSettings
    from simulators.operator import OperatorDouble
    from simulators.optics import OpticsSettings
    from simulators.sample import PRESETS, SampleSettings

    simulation, optics = recipe.simulation, recipe.optics
    if simulation is None:
        raise ValueError("the rig file has no section `simulation`")
    noise = NoiseSettings(
        seed=simulation.seed,
        power_rms=simulation.power_noise,
        drift_nm_per_min=simulation.drift_nm_min,
        spot_spread=simulation.spot_variation,
    )
    settings = BenchSettings(
        seed=simulation.seed,
        sample=SampleSettings(surface=PRESETS[simulation.sample], brightness=simulation.brightness),
        noise=noise,
        optics=OpticsSettings(
            detector_um=optics.detector_width_mm * 1e3, magnifications=(optics.magnification_x, optics.magnification_y)
        ),
        axes={
            "x": AxisPlace(recipe.devices.detector_x.centre_mm, recipe.devices.detector_x.direction),
            "y": AxisPlace(recipe.devices.detector_y.centre_mm, recipe.devices.detector_y.direction),
        },
        is_homed=simulation.is_homed,
    )
    clock = SimClock(simulation.clock_speed)
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
