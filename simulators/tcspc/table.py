"""A vendor library with one simulated device attached: what `ctypes` would find in the library's file.

No Python exception can cross the C border. One that is not a refusal becomes the error code HARDWARE_F01; its traceback
is logged and returned by GetHardwareDebugInfo, so that the driver's error message carries it.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from simulators.faults import GARBLED_FRAME, PORT_CLOSED, SILENCE, TRUNCATED_FRAME, Line
from simulators.tcspc.device import CounterDevice, Readiness
from simulators.tcspc.face import Answer, Face, FunctionTable, Value
from simulators.tcspc.refusal import (
    DEVICE_NOT_OPEN,
    DEVICE_OPEN_FAIL,
    HARDWARE_F01,
    INSTANCE_RUNNING,
    INVALID_ARGUMENT,
    NOT_CALIBRATED,
    NOT_INITIALIZED,
    USB_BULKRD_FAIL,
    USB_GETIFINFO_FAIL,
    USB_VCMD_FAIL,
    Refused,
)
from simulators.tcspc.world import World

_MISSING = {
    Readiness.OPEN: DEVICE_NOT_OPEN,
    Readiness.INITIALISED: NOT_INITIALIZED,
    Readiness.CALIBRATED: NOT_CALIBRATED,
}

LIBRARY_FAULTS = {
    SILENCE: USB_VCMD_FAIL,
    GARBLED_FRAME: USB_BULKRD_FAIL,
    TRUNCATED_FRAME: USB_BULKRD_FAIL,
    PORT_CLOSED: USB_GETIFINFO_FAIL,
}
"""What a fault of the USB line makes the library return; a transfer is never late or old (ours)."""

_log = logging.getLogger(__name__)


class Function(NamedTuple):
    """What is behind a function of the table.

    Attributes
    ----------
    method : str
        Method of the device that does the work; the integers go in, what it returns goes out through the pointers.
    needs : Readiness
        How far the device must be brought up.
    is_idle_only : bool
        Whether it is refused during a measurement.
    """

    method: str
    needs: Readiness = Readiness.INITIALISED
    is_idle_only: bool = False


class LibraryFacts(NamedTuple):
    """What a vendor library is.

    Attributes
    ----------
    face : Face
        What a program sees of it.
    version : str
        The version it tells.
    n_indices : int
        Device indices.
    functions : mapping of str to Function
        What is behind those that take a device index, by name without the prefix.
    """

    face: Face
    version: str
    n_indices: int
    functions: Mapping[str, Function]


class CounterTable(FunctionTable):
    """A simulated vendor library with one device attached.

    Parameters
    ----------
    facts : LibraryFacts
        Which library.
    world : World
        The bench around the counter.
    device : CounterDevice
        What is attached.
    index : int
        Device index at which it is found.

    Attributes
    ----------
    device : CounterDevice
        What is attached.
    line : Line
        Its USB line; faults strike there.
    syncs_per_pulse : int
        Fault: what the sync cable makes of a pulse of the laser, 0 if it is off, 2 if it rings.
    """

    def __init__(self, facts: LibraryFacts, world: World, device: CounterDevice, index: int) -> None:
        super().__init__(facts.face, "simulated")
        self._facts = facts
        self._world = world
        self.device = device
        self.line = Line()
        self.syncs_per_pulse = 1
        self._device_index = index
        self._faults: dict[str, list[int]] = {}

    def settle(self) -> None:
        """Count all photons up to now; the bench calls this before any change of what reaches the detector."""
        with self._world.lock:
            self.device.settle()

    def inject(self, function: str, *codes: int) -> None:
        """Let the next calls of `function` return these codes, one each, without doing anything."""
        if function not in self.face.signatures:
            raise KeyError(f"{self._name}: no function {function}")
        self._faults.setdefault(function, []).extend(codes)

    def answer(self, function: str, numbers: tuple[int, ...]) -> Answer:
        """Do what `function` does: check the state, call the device, return code and results."""
        name = function.removeprefix(self.face.prefix)
        if name == "GetLibraryVersion":
            return 0, (self._facts.version,)
        if name == "GetErrorString":
            return 0, (f"ERROR {numbers[0]}",)
        with self._world.lock:
            try:
                return 0, self._do(name, *numbers)
            except Refused as refusal:
                return refusal.code, ()
            except Exception:  # noqa: BLE001 - no exception can pass into C; it becomes code, log entry and debug text
                self.device.fault = traceback.format_exc()
                _log.exception("simulated %s failed", function)
                return HARDWARE_F01, ()

    def _do(self, name: str, index: int, *numbers: int) -> tuple[Value, ...]:
        """Call the device, if it may be called, and return what it says."""
        row = self._facts.functions[name]
        self._cross_line()
        self._admit(name, row, index)
        if index != self._device_index:
            return ()
        found = getattr(self.device, row.method)(*numbers)
        values = found if isinstance(found, tuple) else () if found is None else (found,)
        return tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in values)

    def _cross_line(self) -> None:
        """Count the call, and raise Refused if the USB line fails."""
        fault = self.line.suffer(self._world.now_ns())
        if fault is not None and fault.name in LIBRARY_FAULTS:
            raise Refused(LIBRARY_FAULTS[fault.name])

    def _admit(self, name: str, row: Function, index: int) -> None:
        """Raise Refused if the call is not possible in the present state."""
        faults = self._faults.get(self.face.prefix + name)
        if faults:
            raise Refused(faults.pop(0))
        if not 0 <= index < self._facts.n_indices:
            raise Refused(INVALID_ARGUMENT)
        if name == "OpenDevice" and index != self._device_index:
            raise Refused(DEVICE_OPEN_FAIL)
        readiness = self.device.readiness if index == self._device_index else Readiness.CLOSED
        for step in range(1, row.needs + 1):
            if readiness < step:
                raise Refused(_MISSING[Readiness(step)])
        if row.is_idle_only and self.device.is_running:
            raise Refused(INSTANCE_RUNNING)
