"""The opened rig: its roles, its way to the safe state, and its end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import TracebackType
from typing import Any, Self

from tplm_daq.errors import LightMayBeOnError, TplmError
from tplm_daq.readings import Setting
from tplm_daq.rig.axes import DetectorAxes
from tplm_daq.rig.counter import HistogramCounter
from tplm_daq.rig.filters import DetectionFilter
from tplm_daq.rig.light import GateLine, TriggeredLaser
from tplm_daq.rig.safe_state import SafetyStep, make_safe
from tplm_daq.rig.stage import PiezoStage
from tplm_daq.rig.thermostat import CryostationThermostat, LakeShoreThermostat
from tplm_daq.rig.watchdog import Watchdog
from tplm_daq.roles import Clock, Device

logger = logging.getLogger(__name__)

Truth = Callable[[float, float], dict[str, Any]]


class Rig:
    """One microscope with all its boxes connected; leaving its context makes it safe and closes everything.

    Attributes
    ----------
    clock : Clock
        Of the wall, or simulated.
    laser, gate, counter, detector, detection_filter, thermostat, stage
        The roles; None where the rig has no such box.
    truth : callable or None
        On a simulated rig: from average power in nW and repetition rate in Hz to what is true.
    """

    def __init__(
        self,
        clock: Clock,
        laser: TriggeredLaser,
        gate: GateLine | None,
        counter: HistogramCounter,
        detector: DetectorAxes,
        detection_filter: DetectionFilter | None,
        thermostat: LakeShoreThermostat | CryostationThermostat | None,
        stage: PiezoStage | None,
        light_paths: Sequence[SafetyStep],
        watchdog: Watchdog,
        are_heaters_off_at_end: bool,
        truth: Truth | None,
        closers: Sequence[Callable[[], None]],
        end_doubles: Callable[[], None],
    ) -> None:
        self.clock = clock
        self.laser = laser
        self.gate = gate
        self.counter = counter
        self.detector = detector
        self.detection_filter = detection_filter
        self.thermostat = thermostat
        self.stage = stage
        self.truth = truth
        self._light_paths = tuple(light_paths)
        self._watchdog = watchdog
        self._is_light_known_out = True
        self._are_heaters_off_at_end = are_heaters_off_at_end
        self._closers = tuple(closers)
        self._end_doubles = end_doubles

    def __enter__(self) -> Self:
        """Return the rig itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the rig safe and close every connection, whatever happened."""
        try:
            self.make_safe()
        finally:
            self.close()

    def devices(self) -> dict[str, Device]:
        """Return the devices by role, those that the rig has."""
        roles: dict[str, Device | None] = {
            "laser": self.laser,
            "gate": self.gate,
            "counter": self.counter,
            "detector": self.detector,
            "detection_filter": self.detection_filter,
            "thermostat": self.thermostat,
            "stage": self.stage,
        }
        return {name: device for name, device in roles.items() if device is not None}

    def snapshot(self) -> dict[str, Mapping[str, Setting] | str]:
        """Return every device's settings by role; the reason as text for one that does not tell."""
        found: dict[str, Mapping[str, Setting] | str] = {}
        for role, device in self.devices().items():
            try:
                found[role] = device.snapshot()
            except TplmError as error:
                found[role] = str(error)
        return found

    def check_watchdog(self) -> None:
        """Raise DeviceError if nobody guards the light any more, or the guard has put it out."""
        self._watchdog.check()

    def put_light_out(self) -> tuple[str, ...]:
        """Put the light out by every path at once, from any thread, and return when the first one confirms it.

        It stays out until the laser is prepared anew. Nothing else is touched: whoever drives the rig goes on, and is
        to be told. A rig that is closed, and so has been made safe, is left alone.

        Returns
        -------
        tuple of str
            One sentence per path that had failed by then.

        Raises
        ------
        LightMayBeOnError
            No path to the light confirmed that it is out.
        """
        self.laser.forbid()
        failures: list[str] = []
        pool = ThreadPoolExecutor(max(1, len(self._light_paths)), thread_name_prefix="light-off")
        names = {pool.submit(path.act): path.name for path in self._light_paths}
        pool.shutdown(wait=False)
        for answer in as_completed(names):
            if (failure := answer.exception()) is None:
                return tuple(failures)
            failures.append(f"{names[answer]} failed ({failure})")
        if not self._closers:
            return ()
        raise LightMayBeOnError(failures)

    def make_safe(self) -> None:
        """Put the light out by every path, stop counting and moving, apply the temperature policy.

        Raises
        ------
        LightMayBeOnError
            No path to the light confirmed that it is out.
        """
        others = [
            SafetyStep("stopping the counter", self.counter.make_safe),
            SafetyStep("stopping the detector", self.detector.make_safe),
        ]
        if self.stage is not None:
            others.append(SafetyStep("stopping the stage", self.stage.make_safe))
        if self.thermostat is not None and self._are_heaters_off_at_end:
            others.append(SafetyStep("switching the heaters off", self.thermostat.heaters_off))
        self._is_light_known_out = False
        for failure in make_safe(self._light_paths, others):
            logger.error("safe state: %s", failure)
        self._is_light_known_out = True

    def close(self) -> None:
        """Close every connection at once, so that one that hangs holds up no other (harmless when repeated).

        Light that could not be confirmed to be out is left to the watchdog, which goes on trying.
        """
        closers, self._closers = self._closers, ()
        try:
            if closers:
                with ThreadPoolExecutor(len(closers), thread_name_prefix="closing") as pool:
                    for failure in pool.map(_failure_of, closers):
                        if failure is not None:
                            logger.warning("closing: %s", failure)
        finally:
            if self._is_light_known_out:
                self._watchdog.end()
            else:
                self._watchdog.abandon()
            self._end_doubles()


def _failure_of(closer: Callable[[], None]) -> TplmError | None:
    try:
        closer()
    except TplmError as error:
        return error
    return None
