"""pymeasure's VISA adapter with reads that end, whatever is on the wire.

pyvisa reads a line for as long as bytes come, so that a box that sends without end holds its reader for ever; and
pymeasure reads away what nobody asked for byte by byte, which for a million bytes takes a minute. pyvisa-py's own flush
of a network connection does not return once the other side has closed (0.8, its tcpip.py, clear).
"""

from __future__ import annotations

import time
from typing import Any

import pyvisa
from pymeasure.adapters import VISAAdapter
from pyvisa.constants import InterfaceType, StatusCode

LONGEST_LINE = 4096
"""Bytes; the longest reply of the boxes here has some hundreds."""
QUIET_MS = 20
"""Silence after which noise counts as over; a USB serial port hands bytes on every 16 ms."""
MOST_NOISE_S = 5.0
"""How long bytes may keep coming before the line is given up; a million of them on a network take less."""


class BoundedVisaAdapter(VISAAdapter):
    """A VISA connection; lines and flushes are bounded, all else is pymeasure's."""

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
