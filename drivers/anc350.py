"""Driver of an attocube ANC350 piezo positioner controller (resistive sensors) over Ethernet.

Read positions and states, and run closed-loop moves; the controller closes the loop. Stepping by hand,
scanner voltages, triggers, encoders and the capacitance measurement are not covered. The unit needs the
Ethernet licence, and listens at TCP port 2101: ``TCPIP::<host>::2101::SOCKET``.

No method waits. Connecting therefore takes two calls: `start_synchronise`, then `SILENCE_S` seconds that the
caller lets pass while the unit keeps silent, then `finish_synchronise`. The same pair brings a link that raised
FramingError or TimeoutError back in step.

Sources: attocube headers `ucprotocol.h` (2009, 2013) and `anc350v4_protocol.h` 1.2 (2018). Telegrams are in
`drivers/uc_codec.py`, the properties of an axis in `drivers/anc350_axis.py`.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pymeasure.instruments import Instrument
from pyvisa import VisaIOError
from pyvisa.constants import StatusCode

from drivers.anc350_axis import Anc350Error, Axis, within
from drivers.uc_codec import MAX_CORRELATION, Address, Operation, Telegram, TelegramReader

SILENCE_S = 2.0
"""How long the unit pauses its output when asked to synchronise."""

MAX_AMPLITUDE_V = 70.0
MAX_TELEGRAMS_ASIDE = 64  # telegrams that may come between a request and its ACK


class ANC350(Instrument):
    """The controller with its three axes `axis_0` to `axis_2`, also `axes[0]` to `axes[2]`.

    Parameters
    ----------
    adapter : pymeasure Adapter or str
        Link to the unit; a string is a VISA resource name.
    name : str
        How messages call the unit.
    travel_nm : tuple of int
        Lowest and highest target in nm.
    max_amplitude_v : float
        Highest amplitude in V that may be set, at most 70.
    """

    axes = Instrument.MultiChannelCreator(Axis, (0, 1, 2), prefix="axis_")

    def __init__(
        self,
        adapter: Any,
        name: str = "attocube ANC350",
        travel_nm: tuple[int, int] = (0, 5_000_000),
        max_amplitude_v: float = 60.0,
        **kwargs: Any,
    ) -> None:
        within("max_amplitude_v", "V", "the controller ends there")(max_amplitude_v, (0.0, MAX_AMPLITUDE_V))
        kwargs.setdefault("tcpip", {"timeout": 500})
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        for axis in self.axes.values():
            axis.target_nm_values = travel_nm
            axis.amplitude_v_values = (0.0, max_amplitude_v)
        self._reader = TelegramReader()
        self._request = Telegram(Operation.GET, Address.HARDWARE_ID)

    hardware_id = Instrument.measurement("GET HARDWARE_ID 0", """Get the hardware id (int, -1 unless set).""", cast=int)

    events_enabled = Instrument.setting(
        "SET EVENTS 0 %d",
        """Set whether the unit tells positions and states unasked (bool); this driver skips them.""",
        set_process=bool,
        check_set_errors=True,
    )

    def start_synchronise(self) -> None:
        """Ask the unit to keep silent for `SILENCE_S`; wait that long, then call `finish_synchronise`."""
        self._send(Telegram(Operation.SET, Address.SYNCHRONISE, words=(0,)))

    def finish_synchronise(self) -> None:
        """Discard what arrived before the silence, check that the unit answers, and turn its events off."""
        self.adapter.flush_read_buffer()
        self._reader.clear()
        _ = self.hardware_id
        self.events_enabled = False

    def shutdown(self) -> None:
        """Stop every axis and switch its output off; the positioners hold their places by friction."""
        for axis in self.axes.values():
            axis.stop()
            axis.output_enabled = False
        super().shutdown()

    def write(self, command: str) -> None:
        """Send a request such as ``SET AMPLITUDE 0 30000`` or ``GET POSITION 2`` (names as in `Address`)."""
        operation, address, index, *words = command.split()
        correlation = self._request.correlation % MAX_CORRELATION + 1
        values = tuple(int(word) for word in words)
        self._request = Telegram(Operation[operation], Address[address], int(index), correlation, values)
        self._send(self._request)

    def read(self) -> str:
        """Return the value in the ACK to the last request, in decimal digits.

        Raises
        ------
        TimeoutError
            No ACK came.
        ConnectionError
            The link is broken or out of step, or the ACK carries no value.
        Anc350Error
            The unit refused.
        """
        words = self._acknowledgement().words
        if len(words) < 2:
            raise ConnectionError(f"{self.name}: the ACK to {self._describe()} carries no value; check the firmware.")
        return str(words[1])

    def check_set_errors(self) -> list[Any]:
        """Read the ACK to the last SET; raises as `read` does."""
        self._acknowledgement()
        return []

    def _acknowledgement(self) -> Telegram:
        """Return the ACK to the last request; skip what the unit tells unasked and ACKs to older requests."""
        asked = self._request
        for _ in range(MAX_TELEGRAMS_ASIDE):
            answer = self._receive()
            if answer.operation != Operation.ACK or answer.correlation != asked.correlation:
                continue
            if (answer.address, answer.index) != (asked.address, asked.index):
                raise ConnectionError(f"{self.name}: an ACK to another request than {self._describe()}; synchronise.")
            if answer.reason:
                raise Anc350Error(
                    f"{self.name}: {self._describe()} was refused: {answer.reason_text} (reason {answer.reason}); "
                    "check the value against the positioner, and the address against the firmware."
                )
            return answer
        raise TimeoutError(f"{self.name}: {MAX_TELEGRAMS_ASIDE} telegrams, none the ACK to {self._describe()}.")

    def _describe(self) -> str:
        asked = self._request
        return " ".join([asked.operation.name, Address(asked.address).name, str(asked.index), *map(str, asked.words)])

    def _send(self, telegram: Telegram) -> None:
        try:
            self.write_bytes(telegram.encode())
        except VisaIOError as error:
            self._raise_link_error(error)

    def _receive(self) -> Telegram:
        while (telegram := self._reader.next_telegram()) is None:
            n_wanted = self._reader.n_missing
            try:
                data = self.read_bytes(n_wanted)
            except VisaIOError as error:
                self._raise_link_error(error)
            self._reader.feed(data)
            if len(data) < n_wanted:
                raise TimeoutError(self._no_acknowledgement())
        return telegram

    def _raise_link_error(self, error: VisaIOError) -> NoReturn:
        if error.error_code == StatusCode.error_timeout:
            raise TimeoutError(self._no_acknowledgement()) from error
        raise ConnectionError(f"{self.name}: {error.description} Check network and power.") from error

    def _no_acknowledgement(self) -> str:
        return (
            f"{self.name}: no ACK to {self._describe()} in time; check power, network and Ethernet licence, "
            "and close Daisy if it holds the unit."
        )
