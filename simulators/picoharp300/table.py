"""PHLib 3.0 as a function table: what `ctypes` would find in the vendor's library, backed by the simulated device.

Each attribute is a raw C function at an address, without any declared types, exactly as after loading the real library:
a driver that declares a wrong type or forgets a pointer fails here as it would there. Types and order of the arguments
are the vendor header's.

No Python exception can cross the C border. One that is not a refusal becomes the error code HARDWARE_F01; its traceback
is logged and returned by PH_GetHardwareDebugInfo, so that the driver's error message carries it.

Source: phlib.h and errorcodes.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

import ctypes
import logging
import traceback
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_char, c_double, c_int, c_uint, c_void_p
from typing import Any, NamedTuple

import numpy as np

from simulators.detection import DetectorSettings
from simulators.picoharp300.device import INSTANCE_RUNNING, INVALID_ARGUMENT, Device, Readiness, Refused
from simulators.picoharp300.world import World

DEVICE_OPEN_FAIL = -1
DEVICE_NOT_OPEN = -10
NOT_INITIALIZED = -22
NOT_CALIBRATED = -23
HARDWARE_F01 = -64

_TEXT = POINTER(c_char)
_INT = POINTER(c_int)
_DOUBLE = POINTER(c_double)
_COUNTS = POINTER(c_uint)

_MISSING = {
    Readiness.OPEN: DEVICE_NOT_OPEN,
    Readiness.INITIALISED: NOT_INITIALIZED,
    Readiness.CALIBRATED: NOT_CALIBRATED,
}

_log = logging.getLogger(__name__)


class Function(NamedTuple):
    """A row of the vendor's header.

    Attributes
    ----------
    method : str
        Method of `Device` that does the work; the integers go in, what it returns goes out through the pointers.
    arguments : tuple of type
        C types after the device index.
    needs : Readiness
        How far the device must be brought up.
    is_idle_only : bool
        Whether it is refused during a measurement.
    """

    method: str
    arguments: tuple[Any, ...]
    needs: Readiness = Readiness.INITIALISED
    is_idle_only: bool = False


_FUNCTIONS = {
    "PH_OpenDevice": Function("open", (_TEXT,), Readiness.CLOSED),
    "PH_CloseDevice": Function("close", (), Readiness.CLOSED),
    "PH_Initialize": Function("initialise", (c_int,), Readiness.OPEN, is_idle_only=True),
    "PH_GetHardwareInfo": Function("hardware_info", (_TEXT, _TEXT, _TEXT)),
    "PH_GetSerialNumber": Function("serial_number", (_TEXT,)),
    "PH_GetFeatures": Function("features", (_INT,)),
    "PH_GetBaseResolution": Function("base_resolution", (_DOUBLE, _INT)),
    "PH_GetHardwareDebugInfo": Function("debug_info", (_TEXT,), Readiness.OPEN),
    "PH_Calibrate": Function("calibrate", (), is_idle_only=True),
    "PH_SetInputCFD": Function("set_discriminator", (c_int, c_int, c_int), is_idle_only=True),
    "PH_SetSyncDiv": Function("set_sync_divider", (c_int,), is_idle_only=True),
    "PH_SetSyncOffset": Function("set_sync_offset", (c_int,), is_idle_only=True),
    "PH_SetStopOverflow": Function("set_stop_overflow", (c_int, c_int), is_idle_only=True),
    "PH_SetBinning": Function("set_binning", (c_int,), is_idle_only=True),
    "PH_SetOffset": Function("set_offset", (c_int,), is_idle_only=True),
    "PH_SetMultistopEnable": Function("set_multistop", (c_int,), is_idle_only=True),
    "PH_ClearHistMem": Function("clear_histogram", (c_int,), is_idle_only=True),
    "PH_StartMeas": Function("start", (c_int,), Readiness.CALIBRATED, is_idle_only=True),
    "PH_StopMeas": Function("stop", ()),
    "PH_CTCStatus": Function("status", (_INT,)),
    "PH_GetHistogram": Function("histogram", (_COUNTS, c_int)),
    "PH_GetResolution": Function("resolution", (_DOUBLE,)),
    "PH_GetCountRate": Function("count_rate", (c_int, _INT)),
    "PH_GetFlags": Function("flags", (_INT,)),
    "PH_GetElapsedMeasTime": Function("elapsed_ms", (_DOUBLE,)),
    "PH_GetWarnings": Function("warnings", (_INT,)),
    "PH_GetWarningsText": Function("warnings_text", (_TEXT, c_int)),
}


class PicoHarpTable(ctypes.CDLL):
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
        super().__init__("phlib (simulated)", handle=0)
        self._world = world
        self._device = Device(world, detector or DetectorSettings(), seed, serial)
        self._device_index = index
        self._faults: dict[str, list[int]] = {}
        # The thunks must live as long as the addresses are in use.
        self._thunks = {
            name: CFUNCTYPE(c_int, c_int, *row.arguments)(self._guarded(name, row)) for name, row in _FUNCTIONS.items()
        }
        self._thunks["PH_GetLibraryVersion"] = CFUNCTYPE(c_int, _TEXT)(_get_library_version)
        self._thunks["PH_GetErrorString"] = CFUNCTYPE(c_int, _TEXT, c_int)(_get_error_string)

    def __getitem__(self, name: Any) -> Any:
        """Return a fresh, undeclared function of the table, as `ctypes.CDLL` does."""
        if name not in self._thunks:
            raise AttributeError(f"phlib (simulated): undefined symbol: {name}")
        return self._FuncPtr(ctypes.cast(self._thunks[name], c_void_p).value or 0)

    def settle(self) -> None:
        """Count all photons up to now; the bench calls this before any change of what reaches the detector."""
        with self._world.lock:
            self._device.settle()

    def inject(self, function: str, *codes: int) -> None:
        """Let the next calls of `function` return these codes, one each, without doing anything."""
        if function not in self._thunks:
            raise KeyError(f"phlib (simulated): no function {function}")
        self._faults.setdefault(function, []).extend(codes)

    def _guarded(self, name: str, row: Function) -> Callable[..., int]:
        """Return the Python side of a thunk: it checks the state, calls, writes the results, returns a code."""

        def call(index: int, *arguments: Any) -> int:
            with self._world.lock:
                try:
                    self._admit(name, row, index)
                    if index == self._device_index:
                        self._do(row, arguments)
                except Refused as refusal:
                    return refusal.code
                except Exception:  # noqa: BLE001 - no exception can pass into C; it becomes code, log entry and debug text
                    self._device.fault = traceback.format_exc()
                    _log.exception("simulated %s failed", name)
                    return HARDWARE_F01
            return 0

        return call

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

    def _do(self, row: Function, arguments: tuple[Any, ...]) -> None:
        """Call the device with the integers and write what it returns through the pointers."""
        values = getattr(self._device, row.method)(*(value for value in arguments if isinstance(value, int)))
        pointers = [value for value in arguments if not isinstance(value, int)]
        for pointer, value in zip(pointers, values if isinstance(values, tuple) else (values,), strict=False):
            _write(pointer, value)


def _write(pointer: Any, value: object) -> None:
    """Put a result where the caller wants it."""
    if isinstance(value, str):
        text = value.encode("latin-1", "replace")[:16383] + b"\0"
        ctypes.memmove(pointer, text, len(text))
    elif isinstance(value, np.ndarray):
        ctypes.memmove(pointer, value.ctypes.data, value.nbytes)
    else:
        pointer[0] = value


def _get_library_version(text: Any) -> int:
    """Write the version."""
    _write(text, "3.0")
    return 0


def _get_error_string(text: Any, code: int) -> int:
    """Write a text for an error code."""
    _write(text, f"ERROR {code}")
    return 0
