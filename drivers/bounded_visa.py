"""pymeasure's VISA adapter with an opening and reads that end, whatever is on the wire.

A box that is switched off does not refuse a connection: its host just does not answer, and pyvisa-py gives up after
10 s with a plain Exception. pyvisa reads a line for as long as bytes come, so that a box that sends without end holds
its reader for ever; and pymeasure reads away what nobody asked for byte by byte, which for a million bytes takes a
minute. pyvisa-py's own flush of a network connection does not return once the other side has closed (0.8, its tcpip.py,
clear).
"""

from __future__ import annotations

import time
from typing import Any

import pyvisa
from pymeasure.adapters import VISAAdapter
from pyvisa.constants import InterfaceType, StatusCode

from drivers.visa_errors import is_of_pyvisa_py

OPEN_WITHIN_MS = 3000
"""How long a host may take to accept a connection; on a laboratory's network it takes some ms."""
LONGEST_LINE = 4096
"""Bytes; the longest reply of the boxes here has some hundreds."""
QUIET_MS = 20
"""Silence after which noise counts as over; a USB serial port hands bytes on every 16 ms."""
MOST_NOISE_S = 5.0
"""How long bytes may keep coming before the line is given up; a million of them on a network take less."""


class BoundedVisaAdapter(VISAAdapter):
    """A VISA connection; opening, lines and flushes are bounded, all else is pymeasure's.

    Parameters
    ----------
    resource_name : str or int
        VISA address, or number of a GPIB device.
    **kwargs
        For pymeasure's VISAAdapter.

    Raises
    ------
    TimeoutError
        Nobody answers at the address within `OPEN_WITHIN_MS`.
    ConnectionError
        The address cannot be found, or does not let itself be opened.
    pyvisa.errors.Error
        As the VISA library of a vendor says it.
    """

    def __init__(self, resource_name: Any, **kwargs: Any) -> None:
        kwargs.setdefault("open_timeout", OPEN_WITHIN_MS)
        try:
            super().__init__(resource_name, **kwargs)
        except Exception as error:
            if not is_of_pyvisa_py(error):
                raise
            raise _not_opened(error) from error

    def _read(self, **kwargs: Any) -> str:
        """Read one line; ConnectionError if it does not end."""
        data, status = self._read_some(LONGEST_LINE)
        if status == StatusCode.success_max_count_read:
            raise ConnectionError(f"{LONGEST_LINE} bytes came without the end of a line; check address and baud rate")
        text: str = data.decode(self.connection.encoding)
        return text.removesuffix(self.connection.read_termination or "")

    def flush_read_buffer(self) -> None:
        """Read away what has arrived; if anything has, until nothing more comes for `QUIET_MS`.

        Raises
        ------
        ConnectionError
            Bytes have kept coming for `MOST_NOISE_S`.
        """
        timeout_ms, self.connection.timeout = self.connection.timeout, 0
        end_s = time.monotonic() + MOST_NOISE_S
        try:
            while self._has_read(1):
                if time.monotonic() > end_s:
                    raise ConnectionError(f"bytes keep coming for {MOST_NOISE_S:g} s; check address and baud rate")
                self.connection.timeout = QUIET_MS
                if self.connection.interface_type == InterfaceType.asrl:
                    super().flush_read_buffer()
                else:
                    self._has_read(LONGEST_LINE)
        finally:
            self.connection.timeout = timeout_ms

    def _has_read(self, n_bytes: int) -> bool:
        """Read away bytes; tell whether that many, or the end of a line or message, came in time."""
        try:
            self._read_some(n_bytes)
        except pyvisa.errors.VisaIOError as error:
            if error.error_code != StatusCode.error_timeout:
                raise
            return False
        return True

    def _read_some(self, n_bytes: int) -> tuple[bytes, StatusCode]:
        """Read up to the end of a line or message, or as many bytes."""
        connection = self.connection
        with connection.ignore_warning(StatusCode.success_device_not_present, StatusCode.success_max_count_read):
            data, status = connection.visalib.read(connection.session, n_bytes)
        return bytes(data), status


def _not_opened(error: Exception) -> OSError:
    """Return what pyvisa-py means when it cannot open a connection; the cause stands behind its exception, if any."""
    if isinstance(error.__context__, OSError):
        return ConnectionError(f"cannot be reached ({error.__context__.strerror})")
    if str(StatusCode.error_timeout.value) in str(error):
        return TimeoutError(f"nobody answers at this address within {OPEN_WITHIN_MS / 1e3:g} s")
    return ConnectionError(f"cannot be opened ({error})")
