"""Montana Instruments Cryostation (C2, Fusion and their like) through the text protocol of its Windows program.

Temperatures, set point, cool-down, warm-up, standby and alarms; a value that the system does not have is NaN. The
program listens at TCP port 7773 once somebody has ticked "Enable External Control", which it forgets whenever it
is started. It drops idle clients, so a *query* that finds its connection gone is repeated once on a new one; an
order never is. Magnet, compressor speed and pumps are left to the program, and so are the s-series, which speaks
HTTP instead.

A scan uses the set point only. `start_cool_down`, `start_warm_up`, `start_standby` and `stop` are for a person: none
of them is a way to a safe state.

Sources: Montana Instruments, Cryostation communication specification 1.9 to 1.21, and the vendor's example scripts,
as quoted by QMI (QuTech) and other public drivers. The specifications differ in one point, the blank in ``STSP``.
"""

from __future__ import annotations

from math import nan
from typing import Any

from pymeasure.instruments import Instrument

from drivers.visa_errors import os_errors

SETPOINT_LIMITS_K = (2.0, 350.0)
"""What the system accepts."""
MAX_LENGTH = 99
"""Characters in a message: its length is sent in two digits."""
SILENCE = (
    'check that "Enable External Control" is ticked in the Cryostation\'s program, which forgets it at every start,'
    " and that no firewall is in between"
)


class CryostationError(OSError):
    """The system refused an order, or shows another set point than the one it was sent."""


class Cryostation(Instrument):
    """A Cryostation; nothing is sent until it is asked something.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address such as ``TCPIP::192.0.2.20::7773::SOCKET``, or adapter.
    name : str
        Name used in messages.
    max_setpoint_k : float
        Highest set point in K allowed.
    has_blank : bool
        Whether the program wants ``STSP 4.20`` (specification 1.9) or ``STSP4.20`` (1.21).
    **kwargs
        For pymeasure's VISAAdapter.
    """

    def __init__(
        self,
        adapter: Any,
        name: str = "Cryostation",
        max_setpoint_k: float = 310.0,
        has_blank: bool = True,
        **kwargs: Any,
    ) -> None:
        low_k, high_k = SETPOINT_LIMITS_K
        if not low_k < max_setpoint_k <= high_k:
            raise ValueError(f"{name}: highest set point of {max_setpoint_k:g} K is outside {low_k:g} to {high_k:g} K")
        kwargs.setdefault("timeout", 5000)
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self.max_setpoint_k = max_setpoint_k
        self.has_blank = has_blank

    @property
    def platform_temperature_k(self) -> float:
        """Measure the temperature of the platform in K (float, NaN if there is none)."""
        return self._positive("GPT")

    @property
    def platform_stability_k(self) -> float:
        """Measure how far the platform's temperature has wandered in K (float, NaN if there is none)."""
        return self._positive("GPS")

    @property
    def sample_temperature_k(self) -> float:
        """Measure the temperature of the sample thermometer in K (float, NaN if there is none)."""
        return self._positive("GST")

    @property
    def sample_stability_k(self) -> float:
        """Measure how far the sample's temperature has wandered in K (float, NaN if there is none)."""
        return self._positive("GSS")

    @property
    def user_temperature_k(self) -> float:
        """Measure the temperature of the user thermometer in K (float, NaN if there is none)."""
        return self._positive("GUT")

    @property
    def user_stability_k(self) -> float:
        """Measure how far the user thermometer's temperature has wandered in K (float, NaN if there is none)."""
        return self._positive("GUS")

    @property
    def stage_1_temperature_k(self) -> float:
        """Measure the temperature of the cooler's first stage in K (float, NaN if there is none)."""
        return self._positive("GS1T")

    @property
    def stage_2_temperature_k(self) -> float:
        """Measure the temperature of the cooler's second stage in K (float, NaN if there is none)."""
        return self._positive("GS2T")

    @property
    def pressure_mtorr(self) -> float:
        """Measure the pressure in the chamber in mTorr (float, NaN if there is none)."""
        return self._positive("GCP")

    @property
    def platform_heater_w(self) -> float:
        """Measure the power of the platform's heater in W (float, NaN if it is off)."""
        return self._positive("GPHP")

    @property
    def setpoint_k(self) -> float:
        """Control the set point of the platform in K (float from 2 to `max_setpoint_k`, in steps of 0.01).

        The system takes some seconds until it shows a new one; compare before relying on it.
        """
        return self._positive("GTSP")

    @setpoint_k.setter
    def setpoint_k(self, setpoint_k: float) -> None:
        low_k = SETPOINT_LIMITS_K[0]
        if not low_k <= setpoint_k <= self.max_setpoint_k:
            raise ValueError(
                f"{self.name}: set point {setpoint_k:g} K is outside {low_k:g} to {self.max_setpoint_k:g} K; choose a"
                " temperature within the limit of this cryostat"
            )
        command = f"STSP{' ' if self.has_blank else ''}{setpoint_k:.2f}"
        reply = self.ask(command)
        if not reply.startswith("OK"):
            raise CryostationError(
                f"{self.name} refused '{command}': '{reply}'. Its program may want the command"
                f" {'without' if self.has_blank else 'with'} the blank; has_blank chooses"
            )

    @property
    def has_alarm(self) -> bool:
        """Get whether the system reports an alarm (bool)."""
        reply = self.ask("GAS")
        if reply not in ("T", "F"):
            raise ConnectionError(f"{self.name} answered '{reply}' where T or F belongs; replies are out of step")
        return reply == "T"

    def identify(self) -> str:
        """Return what answers, having made sure that it speaks this protocol; it has no identification of its own."""
        return f"Montana Instruments Cryostation, set point {self.setpoint_k:g} K"

    def start_cool_down(self) -> None:
        """Set the system cooling down to its set point."""
        self._order("SCD")

    def start_warm_up(self) -> None:
        """Set the system warming up to room temperature."""
        self._order("SWU")

    def start_standby(self) -> None:
        """Set the system on its way to standby."""
        self._order("SSB")

    def stop(self) -> None:
        """End a running cool-down, warm-up or way to standby; this is no emergency stop."""
        self._order("STP")

    def ask(self, command: str, query_delay: float | None = None) -> str:
        """Exchange one message; a query, not an order, is repeated once on a new connection if the old one is dead."""
        try:
            return str(super().ask(command, query_delay))
        except (TimeoutError, ConnectionError):
            self.reconnect()
            if not command.startswith("G"):
                raise
        return str(super().ask(command, query_delay))

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one message behind its length in two digits."""
        if len(command) > MAX_LENGTH:
            raise ValueError(f"{self.name}: '{command}' is longer than the {MAX_LENGTH} characters of a message")
        with self._our_errors():
            self.write_bytes(f"{len(command):02d}{command}".encode("ascii"))

    def read(self, **kwargs: Any) -> str:
        """Read one message.

        Raises
        ------
        TimeoutError
            None came.
        ConnectionError
            What came does not begin with its length.
        """
        with self._our_errors():
            length = self.read_bytes(2)
            if not (len(length) == 2 and length.isdigit()):
                raise ConnectionError(f"{self.name}: {length!r} came where a length belongs; replies are out of step")
            text = self.read_bytes(int(length)) if int(length) else b""
        if len(text) < int(length):
            raise ConnectionError(f"{self.name}: {text!r} came where {int(length)} characters were announced")
        return str(text.decode("ascii", "replace"))

    def reconnect(self) -> None:
        """Open the connection anew, which drops whatever late reply it may still bring."""
        connection = self.adapter.connection
        with self._our_errors():
            timeout = connection.timeout
            connection.close()
            connection.open()
            connection.timeout = timeout

    def _our_errors(self) -> Any:
        return os_errors(self.name, SILENCE, SILENCE)

    def _order(self, command: str) -> None:
        reply = self.ask(command)
        if reply != "OK":
            raise CryostationError(f"{self.name} refused {command}: '{reply}'. Look at the state its program shows")

    def _positive(self, command: str) -> float:
        """Ask for a number; the system gives a negative one for what it does not have."""
        value = _number(self.ask(command), self.name)
        return value if value > 0 else nan


def _number(text: str, name: str) -> float:
    """Read a number with a decimal point, or with the decimal comma of a Windows that is set to it."""
    try:
        return float(text.replace(",", ".", 1))
    except ValueError:
        raise ConnectionError(
            f"{name} answered '{text}' where a number belongs; replies are out of step, or the decimal separator of its"
            " Windows is neither point nor comma"
        ) from None
