"""PHLib 3.0 with one simulated device attached: what `ctypes` would find in the vendor's library.

No Python exception can cross the C border. One that is not a refusal becomes the error code HARDWARE_F01; its traceback
is logged and returned by PH_GetHardwareDebugInfo, so that the driver's error message carries it.

Source: phlib.h and errorcodes.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

import logging
import traceback
from typing import NamedTuple

import numpy as np

from simulators.detection import DetectorSettings
from simulators.picoharp300.device import INSTANCE_RUNNING, INVALID_ARGUMENT, Device, Readiness, Refused
from simulators.picoharp300.face import SIGNATURES, Answer, FunctionTable, Value
from simulators.picoharp300.world import World

DEVICE_OPEN_FAIL = -1
DEVICE_NOT_OPEN = -10
NOT_INITIALIZED = -22
NOT_CALIBRATED = -23
HARDWARE_F01 = -64

VERSION = "3.0"

_MISSING = {
    Readiness.OPEN: DEVICE_NOT_OPEN,
    Readiness.INITIALISED: NOT_INITIALIZED,
    Readiness.CALIBRATED: NOT_CALIBRATED,
}

_log = logging.getLogger(__name__)


class Function(NamedTuple):
    """What is behind a function of the table.

    Attributes
    ----------
    method : str
        Method of `Device` that does the work; the integers go in, what it returns goes out through the pointers.
    needs : Readiness
        How far the device must be brought up.
    is_idle_only : bool
        Whether it is refused during a measurement.
    """

    method: str
    needs: Readiness = Readiness.INITIALISED
    is_idle_only: bool = False


_FUNCTIONS = {
    "PH_OpenDevice": Function("open", Readiness.CLOSED),
    "PH_CloseDevice": Function("close", Readiness.CLOSED),
    "PH_Initialize": Function("initialise", Readiness.OPEN, is_idle_only=True),
    "PH_GetHardwareInfo": Function("hardware_info"),
    "PH_GetSerialNumber": Function("serial_number"),
    "PH_GetFeatures": Function("features"),
    "PH_GetBaseResolution": Function("base_resolution"),
    "PH_GetHardwareDebugInfo": Function("debug_info", Readiness.OPEN),
    "PH_Calibrate": Function("calibrate", is_idle_only=True),
    "PH_SetInputCFD": Function("set_discriminator", is_idle_only=True),
    "PH_SetSyncDiv": Function("set_sync_divider", is_idle_only=True),
    "PH_SetSyncOffset": Function("set_sync_offset", is_idle_only=True),
    "PH_SetStopOverflow": Function("set_stop_overflow", is_idle_only=True),
    "PH_SetBinning": Function("set_binning", is_idle_only=True),
    "PH_SetOffset": Function("set_offset", is_idle_only=True),
    "PH_SetMultistopEnable": Function("set_multistop", is_idle_only=True),
    "PH_ClearHistMem": Function("clear_histogram", is_idle_only=True),
    "PH_StartMeas": Function("start", Readiness.CALIBRATED, is_idle_only=True),
    "PH_StopMeas": Function("stop"),
    "PH_CTCStatus": Function("status"),
    "PH_GetHistogram": Function("histogram"),
    "PH_GetResolution": Function("resolution"),
    "PH_GetCountRate": Function("count_rate"),
    "PH_GetFlags": Function("flags"),
    "PH_GetElapsedMeasTime": Function("elapsed_ms"),
    "PH_GetWarnings": Function("warnings"),
    "PH_GetWarningsText": Function("warnings_text"),
}
"""The functions that take a device index; the other two need no device."""


class PicoHarpTable(FunctionTable):
    """The simulated vendor library with one device attached.

    Parameters
    ----------
    world : World
        The bench around the counter.
    detector : DetectorSettings, optional
        Photodiode and dead times.
    seed : int
        Of the photons.
    serial : str
        Serial number of the device, at most 7 characters.
    index : int
        Device index at which it is found, 0 to 7.
    """

    def __init__(
        self,
        world: World,
        detector: DetectorSettings | None = None,
        seed: int = 0,
        serial: str = "1000123",
        index: int = 0,
    ) -> None:
        super().__init__("phlib (simulated)")
        self._world = world
        self._device = Device(world, detector or DetectorSettings(), seed, serial)
        self._device_index = index
        self._faults: dict[str, list[int]] = {}

    def settle(self) -> None:
        """Count all photons up to now; the bench calls this before any change of what reaches the detector."""
        with self._world.lock:
            self._device.settle()

    def inject(self, function: str, *codes: int) -> None:
        """Let the next calls of `function` return these codes, one each, without doing anything."""
        if function not in SIGNATURES:
            raise KeyError(f"phlib (simulated): no function {function}")
        self._faults.setdefault(function, []).extend(codes)

    def answer(self, function: str, numbers: tuple[int, ...]) -> Answer:
        """Do what `function` does: check the state, call the device, return code and results."""
        if function == "PH_GetLibraryVersion":
            return 0, (VERSION,)
        if function == "PH_GetErrorString":
            return 0, (f"ERROR {numbers[0]}",)
        with self._world.lock:
            try:
                return 0, self._do(function, *numbers)
            except Refused as refusal:
                return refusal.code, ()
            except Exception:  # noqa: BLE001 - no exception can pass into C; it becomes code, log entry and debug text
                self._device.fault = traceback.format_exc()
                _log.exception("simulated %s failed", function)
                return HARDWARE_F01, ()

    def _do(self, function: str, index: int, *numbers: int) -> tuple[Value, ...]:
        """Call the device, if it may be called, and return what it says."""
        row = _FUNCTIONS[function]
        self._admit(function, row, index)
        if index != self._device_index:
            return ()
        found = getattr(self._device, row.method)(*numbers)
        values = found if isinstance(found, tuple) else () if found is None else (found,)
        return tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in values)

    def _admit(self, name: str, row: Function, index: int) -> None:
        """Raise Refused if the call is not possible in the present state."""
        if self._faults.get(name):
            raise Refused(self._faults[name].pop(0))
        if not 0 <= index <= 7:
            raise Refused(INVALID_ARGUMENT)
        if name == "PH_OpenDevice" and index != self._device_index:
            raise Refused(DEVICE_OPEN_FAIL)
        readiness = self._device.readiness if index == self._device_index else Readiness.CLOSED
        for step in range(1, row.needs + 1):
            if readiness < step:
                raise Refused(_MISSING[Readiness(step)])
        if row.is_idle_only and self._device.is_running:
            raise Refused(INSTANCE_RUNNING)
