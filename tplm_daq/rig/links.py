"""Links: one lock, one pace and one set of exceptions per connection.

A driver speaks the protocol of its box and nothing else. Whoever uses it from the rig does so inside
`Link.exclusive()`, which keeps other threads out for the whole request and reply and turns what pymeasure,
pyvisa, pyserial and the drivers raise into this program's errors, with the device's name and
address. Pauses that a box needs between messages are kept on the rig's clock, never by sleeping in a
driver.
"""

from __future__ import annotations

import functools
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyvisa
import serial
from pymeasure.adapters import Adapter
from pyvisa.constants import StatusCode

from drivers.bounded_serial import BoundedSerialAdapter
from drivers.serial_ports import resolve
from tplm_daq.errors import DeviceError, DeviceTimeout, LinkError, TplmError
from tplm_daq.roles import Clock

REPLY_TIMEOUT_S = 2.0
"""How long a reply may take before the link counts as broken (wall clock; a device answers in milliseconds)."""

_UNKNOWN = "the VISA library knows no box or alias of this name"
VISA_CAUSES: dict[int, str] = {
    StatusCode.error_timeout: "no answer in time",
    StatusCode.error_resource_not_found: _UNKNOWN,
    StatusCode.error_invalid_resource_name: _UNKNOWN,
}
"""What VISA says in words of its own; for the rest its own will do."""


class WallClock:
    """The clock of a real rig."""

    def __init__(self) -> None:
        self._never = threading.Event()

    def now(self) -> float:
        """Return the time in s since an arbitrary zero; it never goes backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds`."""
        self._never.wait(max(seconds, 0.0))

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Do nothing: time passes by itself."""
        yield

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Do nothing: time passes by itself."""
        yield


def forget_old_handlers() -> None:
    """Take out all but one of the handlers that pymeasure adds to a logger with every adapter, and never takes out.

    A process that opens a rig for every run of a week would otherwise hold thousands of them.
    """
    for name in tuple(logging.root.manager.loggerDict):
        if name.rpartition(".")[2] == "Adapter":
            logger = logging.getLogger(name)
            for handler in [each for each in logger.handlers if isinstance(each, logging.NullHandler)][1:]:
                logger.removeHandler(handler)


class Link:
    """The connection to one device: its name and address in messages, its lock, its exceptions.

    Parameters
    ----------
    name : str
        Name of the device in the rig file.
    address : str
        Where it is, as the operator knows it.
    advice : str
        What to check when it does not answer.
    clock : Clock, optional
        Clock of the rig, which must not wait for a thread that waits for the link; the wall's otherwise.
    """

    def __init__(self, name: str, address: str, advice: str, clock: Clock | None = None) -> None:
        self.name = name
        self.address = address
        self.advice = advice
        self._clock = WallClock() if clock is None else clock
        self._lock = threading.RLock()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the link for one exchange or more.

        Raises
        ------
        DeviceTimeout, LinkError, DeviceError
            The device did not answer, the connection broke, or the device refused.
        """
        if not self._lock.acquire(blocking=False):
            with self._clock.standing_aside():
                self._lock.acquire()
        try:
            with self.our_errors():
                yield
        finally:
            self._lock.release()

    @contextmanager
    def our_errors(self) -> Iterator[None]:
        """Turn what libraries and drivers raise into errors with the device's name, without holding the link.

        Raises
        ------
        DeviceTimeout, LinkError, DeviceError
            The device did not answer, the connection broke, or the device refused.
        """
        try:
            yield
        except TplmError:
            raise
        except pyvisa.errors.VisaIOError as error:
            kind = DeviceTimeout if error.error_code == StatusCode.error_timeout else LinkError
            cause = VISA_CAUSES.get(error.error_code, error.description.rstrip("."))
            raise kind(self.name, self.address, cause, self.advice) from error
        except TimeoutError as error:
            raise DeviceTimeout(self.name, self.address, _sentence(error), self.advice) from error
        except (ConnectionError, serial.SerialException, pyvisa.errors.Error) as error:
            raise LinkError(self.name, self.address, _sentence(error), self.advice) from error
        except (OSError, ValueError) as error:
            raise DeviceError(self.name, self.address, _sentence(error), self.advice) from error


class PacedAdapter(Adapter):
    """A pymeasure adapter that keeps a pause after each message, on the rig's clock.

    Parameters
    ----------
    inner : Adapter
        The adapter that does the talking.
    clock : Clock
        Clock of the rig.
    pause_s : float
        Least time between the end of a message or reply and the next message, in s.
    """

    def __init__(self, inner: Adapter, clock: Clock, pause_s: float) -> None:
        super().__init__()
        self.inner = inner
        self.connection = inner.connection
        self._clock = clock
        self._pause_s = pause_s
        self._free_at_s = clock.now()

    def _write(self, command: str, **kwargs: Any) -> None:
        self._keep_pause()
        self.inner.write(command, **kwargs)
        self._spoke()

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._keep_pause()
        self.inner.write_bytes(content, **kwargs)
        self._spoke()

    def _read(self, **kwargs: Any) -> str:
        reply: str = self.inner.read(**kwargs)
        self._spoke()
        return reply

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        reply: bytes = self.inner.read_bytes(count, break_on_termchar=break_on_termchar, **kwargs)
        self._spoke()
        return reply

    def flush_read_buffer(self) -> None:
        """Discard what has arrived and was not read."""
        self.inner.flush_read_buffer()

    def close(self) -> None:
        """Close the connection (harmless when repeated)."""
        if hasattr(self, "inner"):
            self.inner.close()

    def _keep_pause(self) -> None:
        self._clock.sleep(self._free_at_s - self._clock.now())

    def _spoke(self) -> None:
        self._free_at_s = self._clock.now() + self._pause_s


@functools.cache
def visa_library() -> str:
    """Return the VISA library that pyvisa chooses here: the vendor's if there is one, else pyvisa-py.

    Looked up once, because pyvisa searches the disk for vendor libraries anew at every opening.
    """
    found = pyvisa.ResourceManager().visalib
    return "@py" if type(found).__module__.startswith("pyvisa_py") else "@ivi"


def open_serial(address: str, settings: dict[str, Any]) -> BoundedSerialAdapter:
    """Open a serial port by its name, the serial number behind it (``serial://26001234``) or a pyserial URL."""
    port = serial.serial_for_url(resolve(address), **{**settings, "timeout": REPLY_TIMEOUT_S})
    return BoundedSerialAdapter(port)


def _sentence(error: BaseException) -> str:
    """Return what an error says, without the system's numbers; noise from a line in it becomes visible and harmless."""
    text = re.sub(r"\[Errno -?\d+\] ", "", str(error).strip()) or type(error).__name__
    text = text.replace(".\n", ". ")  # two sentences of pyvisa-py
    shown = (each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return "".join(shown).rstrip(".")
