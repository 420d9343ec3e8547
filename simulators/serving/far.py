"""The other end of the bench's socket: a counter library and a pair of hands whose bench is in another process.

To a driver `FarLibrary` is the vendor's library as `CounterTable` is: raw C functions at addresses. Only what they do
happens elsewhere. A bench that does not answer any more shows as HARDWARE_F01, with the reason as debug information.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from simulators.serving.messages import receive, send
from simulators.tcspc.face import Answer, Face, FunctionTable
from simulators.tcspc.refusal import HARDWARE_F01

TIMEOUT_S = 10.0
"""A bench answers in milliseconds unless its computer is very busy."""


class FarBench:
    """A connection to a served bench, made by `connect`.

    Parameters
    ----------
    address : str
        ``bench://HOST:PORT`` as the serving program says it.
    face : Face
        Which library its counter must have.

    Attributes
    ----------
    address : str
        The same.
    library : FarLibrary
        Function table of its counter.
    """

    name = "operator's double"

    def __init__(self, address: str, face: Face) -> None:
        self.address = address
        self.library = FarLibrary(self, face)
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def connect(self) -> None:
        """Connect, anew if need be.

        Raises
        ------
        ConnectionError
            No bench is served there, or one with another counter.
        """
        with self._lock:
            self._hang_up()
            try:
                place = urlsplit(self.address)
                self._connection = socket.create_connection((place.hostname, place.port), TIMEOUT_S)
            except (OSError, ValueError) as error:  # the latter: a port beyond 65535
                raise ConnectionError(f"no bench is served at {self.address} ({error}). Start `tplm serve`") from error
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found, wanted = self.request({"call": "library"})[0].get("done"), self.library.face.name
        if found != wanted:
            self.close()
            raise ConnectionError(
                f"the counter that is served at {self.address} has the library {found}, and {wanted} is looked for. "
                "Write the counter's model as `tplm serve` has it"
            )

    def close(self) -> None:
        """Disconnect (harmless when repeated)."""
        with self._lock:
            self._hang_up()

    def request(self, content: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Send one message and return the reply.

        Raises
        ------
        ConnectionError
            The bench is not there any more; the connection is given up.
        """
        with self._lock:
            if self._connection is None:
                raise ConnectionError(f"not connected to the bench at {self.address}")
            try:
                send(self._connection, content)
                return receive(self._connection)
            except (OSError, EOFError, ValueError) as error:
                self._hang_up()
                raise ConnectionError(f"the bench at {self.address} does not answer any more ({error})") from error

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Have the hands at the bench do it.

        Raises
        ------
        ValueError
            They cannot.
        ConnectionError
            The bench is not there any more.
        """
        reply, _ = self.request({"call": "set_by_hand", "what": what, "quantities": dict(quantities)})
        if "refused" in reply:
            raise ValueError(reply["refused"])

    def truth(self, average_power_nw: float, repetition_rate_hz: float) -> dict[str, Any]:
        """Return what is true of the served sample under these conditions; for the record only."""
        light = {"average_power_nw": average_power_nw, "repetition_rate_hz": repetition_rate_hz}
        reply, _ = self.request({"call": "truth", **light})
        done: dict[str, Any] = reply["done"]
        return done

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


class FarLibrary(FunctionTable):
    """The function table of a counter on a bench elsewhere.

    Parameters
    ----------
    bench : FarBench
        Connection to it.
    face : Face
        Of which library.
    """

    def __init__(self, bench: FarBench, face: Face) -> None:
        super().__init__(face, f"simulated at {bench.address}")
        self._bench = bench
        self._fault = ""

    def answer(self, function: str, numbers: tuple[int, ...]) -> Answer:
        """Have the function called at the bench."""
        if self._fault and function == f"{self.face.prefix}GetHardwareDebugInfo":
            return 0, (self._fault,)
        try:
            reply, block = self._bench.request({"call": function, "numbers": list(numbers)})
        except ConnectionError as error:
            self._fault = str(error)
            return HARDWARE_F01, ()
        return reply["code"], tuple(block if value is None else value for value in reply["values"])
