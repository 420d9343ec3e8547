"""pymeasure's serial adapter with a flush that ends, and ends only when the line is quiet.

pyserial's own flush of the input throws away what has arrived by then: noise that pauses for a moment leaves its rest
to be taken for a reply. Over a network (``socket://``) it goes on for as long as bytes come.
"""

from __future__ import annotations

import time

import serial
from pymeasure.adapters import SerialAdapter

from drivers.bounded_visa import LONGEST_LINE, MOST_NOISE_S, QUIET_MS


class BoundedSerialAdapter(SerialAdapter):
    """A serial port; flushes are bounded as those of a `BoundedVisaAdapter`, all else is pymeasure's."""

    def flush_read_buffer(self) -> None:
        """Read away what has arrived; if anything has, until nothing more comes for `QUIET_MS`.

        Raises
        ------
        ConnectionError
            Bytes have kept coming for `MOST_NOISE_S`.
        OSError
            The port is gone, or the other side has closed.
        """
        if not self.connection.is_open:
            raise serial.PortNotOpenError()
        if not self.connection.in_waiting:
            return
        timeout_s, self.connection.timeout = self.connection.timeout, QUIET_MS / 1e3
        end_s = time.monotonic() + MOST_NOISE_S
        try:
            while self.connection.read(LONGEST_LINE):
                if time.monotonic() > end_s:
                    raise ConnectionError(f"bytes keep coming for {MOST_NOISE_S:g} s; check port and baud rate")
        finally:
            self.connection.timeout = timeout_s
