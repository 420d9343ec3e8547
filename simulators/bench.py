"""The bench: one sample, one optical path and every double of a rig, wired as on the optical table.

The trigger generator's pulses reach the laser, the gate line its slow gate input; the laser's light
excites the sample at the temperature of the thermostat's platform; the actuators hold the detector in the image;
the counter gets the laser's sync and the detector's pulses. The stage moves the sample (`mount.py`).
Byte-stream doubles are served on loopback; the counter is a function table. One lock and one clock serve all of them.

Whenever a double is about to change what reaches the detector, photons up to that instant are counted
under the old conditions first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from simulators.anc350 import ANC350
from simulators.cryostation import Cryostation
from simulators.double import Double
from simulators.emission import FAR_NS, Emission, uniform_emission
from simulators.faults import Fault
from simulators.fw102c import FW102C, Filters
from simulators.kst101 import KST101
from simulators.lakeshore335 import LakeShore335
from simulators.mishaps import arrange, require_possible
from simulators.mount import Mount
from simulators.noise import Noise, NoiseSettings
from simulators.optics import Microscope, OpticsSettings
from simulators.pdl800d import PDL800D, Light
from simulators.picoharp300.table import PicoHarpTable
from simulators.pm100d import PM100D
from simulators.sample import Conditions, Sample, SampleSettings
from simulators.server import DoubleServer, let_arrive
from simulators.tcspc.table import CounterTable
from simulators.trigger import TriggerGenerator

TRIGGER_LOAD_OHM = 50.0
GATE_LOAD_OHM = float("inf")
SECOND_NS = 1_000_000_000
MOVING_STEP_NS = 20_000_000
"""How long an image may be taken as still while an actuator moves."""
DARK_PERIOD_NS = 1000.0
"""Stand-in for the period where there are no pulses and only dark counts arrive."""
REPEATABILITY_UM = 0.05
"""Standard deviation of where a spindle stops, 0.1 nm at the sample (ours)."""
MAX_OFFSET_NM = 80.0
"""The spot lies up to this far from the optical axis along x and y, drawn from the seed (ours)."""
_PLACE = 7


@dataclass(frozen=True)
class AxisPlace:
    """How an actuator holds the detector: `position_mm = centre_mm + direction * image_mm`."""

    centre_mm: float = 12.5
    direction: int = 1


@dataclass(frozen=True)
class Attenuation:
    """A filter wheel in the laser's beam, and a power meter on a pick-off behind it.

    Attributes
    ----------
    densities : tuple of float
        Optical density of each position, 6 or 12 of them.
    sample_per_meter : float
        Power at the sample over power at the meter.
    """

    densities: tuple[float, ...]
    sample_per_meter: float


@dataclass(frozen=True)
class BenchSettings:
    """What makes up a bench.

    Attributes
    ----------
    seed : int
        Of everything that is drawn.
    sample, noise, optics : SampleSettings, NoiseSettings, OpticsSettings
        The virtual experiment.
    axes : mapping of str to AxisPlace
        "x" and "y".
    is_homed : bool
        Whether the actuators have been homed before the program starts.
    attenuation : Attenuation or None
        Wheel and power meter, if the bench has them; the laser's own attenuator is open then.
    counter : callable
        Makes the counter's library from its world, its detector and a seed: `PicoHarpTable`, `TimeHarpTable`, or one of
        them with options.
    thermostat : str
        "lakeshore335" or "cryostation".
    gate_channel : int
        Output of the gate's generator that is wired to the laser.
    faults : tuple of Fault
        What goes wrong, and when.
    defocus_nm : float
        How far below the focal plane the sample is before the stage is moved.
    """

    seed: int = 1
    sample: SampleSettings = SampleSettings()
    noise: NoiseSettings = NoiseSettings()
    optics: OpticsSettings = OpticsSettings()
    axes: Mapping[str, AxisPlace] = field(default_factory=lambda: {"x": AxisPlace(), "y": AxisPlace()})
    is_homed: bool = False
    attenuation: Attenuation | None = None
    counter: Callable[..., CounterTable] = PicoHarpTable
    thermostat: Literal["lakeshore335", "cryostation"] = "lakeshore335"
    gate_channel: int = 1
    faults: tuple[Fault, ...] = ()
    detection_densities: tuple[float, ...] | None = None
    defocus_nm: float = 0.0


class BenchClock(Protocol):
    """What a bench needs of a clock, simulated or real."""

    def now_ns(self) -> int:
        """Return the time in ns; it stands still while the bench's lock is held."""

    def before_each_step(self, settle: Callable[[], None]) -> None:
        """Call `settle` before each step, if time moves in steps."""


class Bench:
    """All doubles of one simulated rig, served.

    Parameters
    ----------
    settings : BenchSettings
        The virtual experiment.
    clock : BenchClock
        Simulated or real time.
    lock : context manager, optional
        The lock during which the clock stands still; a lock of the bench's own otherwise, for a clock that waits.

    Attributes
    ----------
    servers : dict of str to DoubleServer
        The byte-stream doubles by role: trigger, gate, thermostat, stage, detector_x, detector_y, and attenuator and
        power_meter if the bench has them.
    counter : CounterTable
        Function table of the simulated vendor library.
    laser : PDL800D
        The laser's panel, for an operator's double to turn.
    lock : context manager
        Held by whoever touches a double.
    """

    def __init__(
        self, settings: BenchSettings, clock: BenchClock, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self.lock = threading.RLock() if lock is None else lock
        self._settings = settings
        self._clock = clock
        self._noise = Noise(settings.noise)
        self._microscope = Microscope(Sample(settings.sample), settings.optics)
        x_nm, y_nm = np.random.default_rng([settings.seed, _PLACE]).uniform(-MAX_OFFSET_NM, MAX_OFFSET_NM, 2)
        self.laser = PDL800D()
        self._trigger, self._gate = TriggerGenerator(), TriggerGenerator()
        self._thermostat = LakeShore335(seed=settings.seed) if settings.thermostat == "lakeshore335" else Cryostation()
        self._stage = ANC350(seed=settings.seed)
        spot_nm = (float(x_nm), float(y_nm))
        self._mount = Mount(self._stage, spot_nm, settings.sample.is_single_emitter, settings.defocus_nm)
        self._axes = {
            name: KST101(
                serial=26000001 + i,
                is_homed=settings.is_homed,
                seed=settings.seed + i,
                repeatability_um=REPEATABILITY_UM,
            )
            for i, name in enumerate("xy")
        }
        self._darkness = uniform_emission(self._microscope.detector.dark_cps, DARK_PERIOD_NS)
        self._emission = self._darkness
        self._emission_key: tuple[object, ...] | None = None
        self.counter = settings.counter(self, self._microscope.detector, seed=settings.seed)
        doubles: dict[str, Double] = {
            "trigger": self._trigger,
            "gate": self._gate,
            "thermostat": self._thermostat,
            "stage": self._stage,
            "detector_x": self._axes["x"],
            "detector_y": self._axes["y"],
        }
        self._attenuator = self._add_attenuation(settings.attenuation, doubles)
        self._detection_filters: Filters | None = None
        if settings.detection_densities is not None:
            doubles["detection_filter"] = wheel = FW102C(len(settings.detection_densities))
            self._detection_filters = Filters(wheel, settings.detection_densities)
        self.laser.before_change = self.counter.settle
        for double in doubles.values():
            double.before_change = self.counter.settle
        require_possible(settings.faults, {"counter": self.counter, **doubles})
        self.servers = {role: DoubleServer(double, clock, self.lock) for role, double in doubles.items()}
        clock.before_each_step(lambda: let_arrive(tuple(self.servers.values()), self.lock))
        if settings.faults:
            clock.before_each_step(arrange(settings.faults, self))

    def now_ns(self) -> int:
        """Return the simulated time in ns."""
        return self._clock.now_ns()

    def light(self) -> Light:
        """Return what the laser emits with the voltages that are at its inputs now."""
        gate = self._gate.channels[self._settings.gate_channel].levels_into(GATE_LOAD_OHM)
        trigger = self._trigger.channels[1]
        light = self.laser.light(
            trigger.edges_hz, trigger.levels_into(TRIGGER_LOAD_OHM), None if gate is None else gate[1]
        )
        return light if self._attenuator is None else light.behind(self._attenuator.density)

    def sync_rate_hz(self) -> float:
        """Return the rate of the laser's sync output in Hz, 0 without pulses."""
        return self.light().repetition_rate_hz * self.counter.syncs_per_pulse

    def emission(self, time_ns: int) -> Emission:
        """Return what reaches the detector from `time_ns` on while nobody changes anything.

        Power noise and drift are held for a second each; in that time the spot drifts by 0.02 nm.
        """
        light = self.light()
        if light.repetition_rate_hz <= 0:
            return self._darkness
        second = time_ns // SECOND_NS
        places_nm = (self._detector_nm("x", time_ns), self._detector_nm("y", time_ns))
        shift = self._mount.shift(time_ns)
        passed = 1.0 if self._detection_filters is None else self._detection_filters.transmission
        key = (light, self._thermostat.temperature_k, second, places_nm, shift, passed)
        if key != self._emission_key:
            drift = self._noise.drift(second * SECOND_NS)
            centre_nm = self._mount.centre_nm(shift)
            x_nm = places_nm[0] - centre_nm[0] - drift.x_nm
            y_nm = places_nm[1] - centre_nm[1] - drift.y_nm
            factor = passed * self._noise.power_factor(time_ns)
            factor *= self._noise.spot_brightness(self._mount.film_spot(shift))
            until_ns = self._steady_until_ns(time_ns)
            self._emission = self._microscope.emission(
                self._conditions(light), x_nm, y_nm, factor, until_ns, shift.defocus_nm
            )
            self._emission_key = key
        return self._emission

    def truth(self, average_power_nw: float, repetition_rate_hz: float) -> dict[str, object]:
        """Return what a perfect analysis would find under these conditions; for the record only."""
        conditions = Conditions(average_power_nw, repetition_rate_hz, self._thermostat.temperature_k)
        shift = self._mount.shift(self.now_ns())
        magnification_x, magnification_y = self._settings.optics.magnifications
        return {
            **self._microscope.truth(conditions, self._mount.centre_nm(shift), shift.defocus_nm),
            "focus_z_nm": self._mount.focus_z_nm,
            "magnification_x": magnification_x,
            "magnification_y": magnification_y,
        }

    def close(self) -> None:
        """Stop serving."""
        for server in self.servers.values():
            server.close()

    def _add_attenuation(self, attenuation: Attenuation | None, doubles: dict[str, Double]) -> Filters | None:
        """Put wheel and meter into the beam."""
        if attenuation is None:
            return None
        self.laser.panel.attenuator_od = 0.0
        doubles["attenuator"] = wheel = FW102C(len(attenuation.densities))
        doubles["power_meter"] = meter = PM100D(seed=self._settings.seed)
        meter.incident_w = lambda: self.light().average_power_nw * 1e-9 / attenuation.sample_per_meter
        return Filters(wheel, attenuation.densities)

    def _conditions(self, light: Light) -> Conditions:
        return Conditions(light.average_power_nw, light.repetition_rate_hz, self._thermostat.temperature_k)

    def _detector_nm(self, name: str, time_ns: int) -> float:
        place = self._settings.axes[name]
        magnification = self._settings.optics.magnifications["xy".index(name)]
        image_mm = place.direction * (self._axes[name].position_mm_at(time_ns) - place.centre_mm)
        return image_mm * 1e6 / magnification

    def _steady_until_ns(self, time_ns: int) -> int:
        soon_ns = time_ns + MOVING_STEP_NS
        is_moving = self._mount.shift(time_ns) != self._mount.shift(soon_ns) or any(
            axis.position_mm_at(time_ns) != axis.position_mm_at(soon_ns) for axis in self._axes.values()
        )
        return min(self._noise.steady_until_ns(time_ns), soon_ns if is_moving else FAR_NS)
