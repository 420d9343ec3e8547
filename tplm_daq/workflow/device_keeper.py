"""The keeper of one device: a thread that alone opens it, reads it, carries out orders and closes it.

Errors become values: the view says what failed and what to do next, and the thread goes on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from tplm_daq.errors import DeviceTimeout, InputError, TplmError
from tplm_daq.readings import Setting
from tplm_daq.rig import connect
from tplm_daq.rig.axes import DetectorAxes
from tplm_daq.rig.connect_role import connect_role
from tplm_daq.rig.wiring import Wiring
from tplm_daq.roles import Device

POLL_S = 0.5
"""How often a device is read (wall clock)."""
ARRIVAL_POLL_S = 0.1
"""How often a device that moves is asked whether it is there (wall clock)."""


class DeviceState(Enum):
    """How a device is."""

    CLOSED = "not connected"
    CONNECTING = "connecting"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True)
class DeviceView:
    """A device at one moment.

    Attributes
    ----------
    role, model, address : str
        As in the rig file.
    state : DeviceState
        How it is.
    settings : mapping of str to Setting
        What it told of itself at the last reading, units in the keys; empty before the first.
    limits_nm : mapping of str to tuple of float
        Lowest and highest position by axis, of a device that moves.
    choices : tuple of str
        Names to choose from, of a device that has such.
    message : str
        What it is doing, why it refused or failed and what to do next; or empty.
    """

    role: str
    model: str
    address: str
    state: DeviceState = DeviceState.CLOSED
    settings: Mapping[str, Setting] = field(default_factory=dict)
    limits_nm: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Order:
    """Something to be done with a device: what it is called, and what tells that it is done if it takes time."""

    name: str
    act: Callable[[Any], None]
    is_done: Callable[[Any], bool] | None = None
    timeout_s: float = 0.0


class _Sign(Enum):
    """What a keeper is told beside orders."""

    CONNECT = 0
    DISCONNECT = 1
    END = 2


class DeviceKeeper:
    """Keeps one device; connects it at once.

    Parameters
    ----------
    closed : DeviceView
        The device before it is connected.
    wire : callable
        Returns the wiring for a new connection.
    """

    def __init__(self, closed: DeviceView, wire: Callable[[], Wiring]) -> None:
        self.view = closed
        self._closed = closed
        self._wire = wire
        self._wiring: Wiring | None = None
        self._device: Device | None = None
        self._under_way: tuple[Order, float] | None = None
        self._refusal = ""
        self._queue: queue.SimpleQueue[Order | _Sign] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"device-{closed.role}", daemon=True)
        self._thread.start()

    def order(self, order: Order) -> None:
        """Have something done; a device that is not connected says so."""
        self._queue.put(order)

    def connect(self) -> None:
        """Connect anew."""
        self._queue.put(_Sign.CONNECT)

    def disconnect(self) -> None:
        """Close the connection."""
        self._queue.put(_Sign.DISCONNECT)

    def end(self) -> None:
        """Close the connection for good."""
        self._queue.put(_Sign.END)

    def join(self) -> None:
        """Return when it is closed for good."""
        self._thread.join()

    def _work(self) -> None:
        task: Order | _Sign | None = _Sign.CONNECT
        try:
            while task is not _Sign.END:
                try:
                    self._do(task)
                except InputError as refusal:
                    self._refusal = str(refusal)
                except TplmError as error:
                    self._under_way = None
                    self._show(DeviceState.FAILED, str(error))
                task = self._next()
        finally:
            self._close()

    def _next(self) -> Order | _Sign | None:
        """Return the next task, or None when it is time to read the device."""
        if self._device is None:
            return self._queue.get()
        try:
            return self._queue.get(timeout=POLL_S if self._under_way is None else ARRIVAL_POLL_S)
        except queue.Empty:
            return None

    def _do(self, task: Order | _Sign | None) -> None:
        if task is _Sign.CONNECT:
            self._open()
        elif task is _Sign.DISCONNECT:
            self._close()
        elif isinstance(task, Order):
            if self._device is None:
                self._show(self.view.state, f"not connected, so nothing was done: {task.name}")
            else:
                self._carry_out(task, self._device)
        if self._device is not None:
            self._look(self._device)

    def _carry_out(self, order: Order, device: Device) -> None:
        self._refusal = ""
        self._show(DeviceState.BUSY, order.name)
        order.act(device)
        self._under_way = None
        if order.is_done is not None and self._wiring is not None:
            self._under_way = (order, self._wiring.clock.now() + order.timeout_s)

    def _look(self, device: Device) -> None:
        """Read the device, and see whether what is under way has ended."""
        if self._under_way is not None and self._wiring is not None:
            order, due_s = self._under_way
            if order.is_done is None or order.is_done(device):
                self._under_way = None
            elif self._wiring.clock.now() >= due_s:
                cause = f"{order.name} has not ended after {order.timeout_s:g} s"
                raise DeviceTimeout(device.name, device.address, cause, "Stop it and see what holds it.")
        self.view = replace(self.view, settings=dict(device.snapshot()))
        if self._under_way is not None:
            self._show(DeviceState.BUSY, self._under_way[0].name)
        else:
            self._show(DeviceState.READY, self._refusal)

    def _open(self) -> None:
        self._close()
        self._show(DeviceState.CONNECTING, "")
        self._wiring = self._wire()
        try:
            device = open_device(self._wiring, self._closed.role)
        except TplmError:
            self._close_connections()
            raise
        axes = {"detector": "xy", "stage": "xyz"}.get(self._closed.role, "")
        limits_nm = {axis: device.limits_nm(axis) for axis in axes}
        choices = device.filters() if self._closed.role == "detection_filter" else ()
        self.view = replace(self._closed, limits_nm=limits_nm, choices=choices)
        self._device = device

    def _close(self) -> None:
        """Stop what is under way and close the connection; a device that is lost cannot be stopped any more."""
        device, self._device = self._device, None
        message = ""
        if device is not None and self._under_way is not None:
            try:
                device.make_safe()
            except TplmError as error:
                message = str(error)
        self._under_way, self._refusal = None, ""
        self._close_connections()
        self.view = replace(self._closed, message=message)

    def _close_connections(self) -> None:
        if self._wiring is not None:
            for closer in self._wiring.closers:
                try:
                    closer()
                except TplmError:
                    continue  # it is given up either way
            self._wiring = None

    def _show(self, state: DeviceState, message: str) -> None:
        self.view = replace(self.view, state=state, message=message)


def open_device(wiring: Wiring, role: str) -> Any:
    """Connect the device, or the pair of axes, of one role; KeyError if the rig has none.

    Raises
    ------
    DeviceError
        It cannot be used.
    """
    match role:
        case "laser":
            return connect.laser(wiring)
        case "detector":
            return DetectorAxes(connect.axis(wiring, "x"), connect.axis(wiring, "y"))
    return connect_role(wiring, role)
