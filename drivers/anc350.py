"""Driver of an attocube ANC350 piezo positioner controller (resistive sensors).

Positions and states, closed-loop moves (the controller closes the loop), single steps and the capacitance of the
piezos. Runs without end, scanner voltages, triggers and encoders are not covered. Over Ethernet the unit needs the
Ethernet licence, and listens at TCP port 2101: ``TCPIP::<host>::2101::SOCKET``; `drivers/anc350_library.py` is the
way over USB.

No method waits. Connecting therefore takes two calls: `start_synchronise`, then `SILENCE_S` seconds that the
caller lets pass while the unit keeps silent, then `finish_synchronise`. The same pair brings a link that raised
FramingError or TimeoutError back in step; a little noise is skipped, and after more of it a request that may be
repeated is put again.

Sources: attocube headers `ucprotocol.h` (2009, 2013) and `anc350v4_protocol.h` 1.2 (2018). Telegrams are in
`drivers/uc_codec.py`, the properties of an axis in `drivers/anc350_axis.py`.
"""

from __future__ import annotations

from typing import Any

from pymeasure.instruments import Instrument

from drivers.anc350_axis import Anc350Error, Axis
from drivers.anc350_limits import MAX_AMPLITUDE_V, MAX_FREQUENCY_HZ, drive_limits, within
from drivers.bounded_visa import BoundedVisaAdapter
from drivers.uc_codec import (
    MAX_CORRELATION,
    VERSION_ADDRESSES,
    Address,
    FramingError,
    Operation,
    Telegram,
    TelegramReader,
    text_of,
)
from drivers.visa_errors import no_answer, os_errors

SILENCE_S = 2.0
"""How long the unit pauses its output when asked to synchronise."""

MAX_TELEGRAMS_ASIDE = 64  # telegrams that may come between a request and its ACK
MAX_NOISE = 512  # bytes that fit no telegram and are skipped before an ACK
SILENCE = "check power, network and Ethernet licence, and close Daisy if it holds the unit"
NOT_TWICE = (Address.STEP_FORWARD, Address.STEP_BACKWARD)  # every other request may be repeated


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
        if isinstance(adapter, (int, str)):
            adapter, kwargs = BoundedVisaAdapter(adapter, **kwargs), {}
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.max_amplitude_v = max_amplitude_v
        for axis in self.axes.values():
            axis.limit_travel(travel_nm)
            axis.limit_drive((0.0, max_amplitude_v), MAX_FREQUENCY_HZ)
        self._told: dict[tuple[int, int], int] = {}
        self._reader = TelegramReader()
        self._request = Telegram(Operation.GET, Address.HARDWARE_ID)

    hardware_id = Instrument.measurement("GET HARDWARE_ID 0", """Get the hardware id (int, -1 unless set).""", cast=int)

    events_enabled = Instrument.setting(
        "SET EVENTS 0 %d",
        """Set whether the unit tells positions and states unasked (bool); this driver skips them.""",
        set_process=bool,
        check_set_errors=True,
    )

    sensor_voltage_v = Instrument.measurement(
        "GET SENSOR_VOLTAGE 0",
        """Measure the voltage of the position sensors of all axes in V (float).""",
        cast=int,
        get_process=lambda millivolts: millivolts / 1000,
    )

    @property
    def firmware(self) -> str:
        """Get the firmware versions that the unit's parts tell (str).

        Anc350Error if it tells none, as before firmware 4.
        """
        self._told.clear()
        self._set(Address.REQUEST_VERSION, 1)
        _ = self.hardware_id  # what is told comes before the ACK to this
        words = [(address, index) for address in VERSION_ADDRESSES for index in range(7)]
        versions = ["", "", "", ""]
        for address, index in words:
            versions[VERSION_ADDRESSES.index(address)] += text_of(self._told.get((address, index), 0))
        if not any(versions):
            raise Anc350Error(f"{self.name}: no firmware version was told; look it up in Daisy.")
        return ", ".join(filter(None, versions))

    def limit_drive(self, temperature_k: float) -> None:
        """Set the limits of amplitude and step rate of all axes for a temperature in K; sends nothing."""
        limits = drive_limits(temperature_k)
        for axis in self.axes.values():
            axis.limit_drive((limits.lowest_v, min(limits.highest_v, self.max_amplitude_v)), limits.highest_hz)

    def lower_sensor_voltage(self, voltage_v: float) -> None:
        """Lower the voltage of all position sensors: less heat, more noise; raising it is left to Daisy.

        Raises
        ------
        ValueError
            It is higher than the present voltage; nothing was set.
        """
        within("sensor voltage", "V", "it is only lowered here")(voltage_v, (0.0, self.sensor_voltage_v))
        self._set(Address.SENSOR_VOLTAGE, round(voltage_v * 1000))

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

    def _set(self, address: Address, value: int) -> None:
        self.write(f"SET {address.name} 0 {value}")
        self.check_set_errors()

    def _acknowledgement(self) -> Telegram:
        """Return the ACK to the last request, put again if noise has swallowed it and nothing happens twice."""
        try:
            return self._await_acknowledgement()
        except FramingError:
            if self._request.address in NOT_TWICE:
                raise
        self.adapter.flush_read_buffer()
        self._reader.clear()
        self._send(self._request)
        return self._await_acknowledgement()

    def _await_acknowledgement(self) -> Telegram:
        """Skip what the unit tells unasked and ACKs to older requests."""
        asked = self._request
        for _ in range(MAX_TELEGRAMS_ASIDE):
            answer = self._receive()
            if answer.operation == Operation.TELL and answer.words:
                self._told[answer.address, answer.index] = answer.words[0]
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
        with os_errors(self.name, SILENCE):
            self.write_bytes(telegram.encode())

    def _receive(self) -> Telegram:
        """Return the next telegram; FramingError after more than `MAX_NOISE` bytes that fit none."""
        n_noise = 0
        while True:
            try:
                telegram = self._reader.next_telegram()
            except FramingError:
                n_noise += 1
                if n_noise > MAX_NOISE:
                    raise
                continue
            if telegram is not None:
                return telegram
            n_wanted = self._reader.n_missing
            data = self._read_in_time(n_wanted)
            self._reader.feed(data)
            if len(data) < n_wanted:
                raise self._silence(n_noise)

    def _read_in_time(self, count: int) -> bytes:
        """Return what arrives in time, fewer bytes than asked for if the rest does not."""
        try:
            with os_errors(self.name, SILENCE):
                return bytes(self.read_bytes(count))
        except TimeoutError:
            return b""

    def _silence(self, n_noise: int) -> OSError:
        if n_noise or self._reader.has_rest:
            return FramingError(f"{self.name}: noise instead of the ACK to {self._describe()}; synchronise the link.")
        return no_answer(self.name, f"no ACK to {self._describe()}: {SILENCE}")
