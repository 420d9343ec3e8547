"""Double of a Thorlabs PM100D power meter with a silicon sensor, at its wire.

Commands end with LF, in long or short form; a ``;`` begins another one. The power on the sensor is whatever
`incident_w` says at the moment of the question.

Source: Thorlabs PM100D operation manual, SCPI command reference. **Ours**: noise, offset, the time that zeroing takes,
and decades as ranges. Beam diameter, filter, brightness and line frequency are only kept. Not modelled: energy and
thermal sensors, averaging time.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from math import ceil, log10, sqrt

import numpy as np

from simulators.double import Double

IDENTITY = "Thorlabs,PM100D,P0000001,2.8.0"
SENSOR = "S130VC,1000001,01-Jan-2026,1,18,33"
WAVELENGTHS_NM = (200.0, 1100.0)
RANGES_W = (5e-9, 50e-3)
"""Smallest and largest range; between them one per decade (ours)."""
NOISE_W, NOISE_RELATIVE, OFFSET_W = 2e-12, 5e-4, 3e-11
"""Noise of a reading, rms, and dark reading before zeroing (ours)."""
ZEROING_NS = 2_000_000_000
BEYOND_RANGE = 9.9e37
SMALLEST_W = 1e-15
"""What is shown in dBm of no power (ours)."""
RESPONSE_A_PER_W = 0.35
"""Of a silicon sensor (ours)."""
LIMITS: dict[str, tuple[float, float]] = {
    "WAV": WAVELENGTHS_NM,
    "COUN": (1, 3000),
    "AUTO": (0, 1),
    "RANG": RANGES_W,
    "LOSS": (-60, 60),
    "BEAM": (0.1, 50),
    "REF": (0, 50e-3),
    "DELTA": (0, 1),
    "FILTER": (0, 1),
    "BRIGHT": (0, 1),
    "MAINS": (50, 60),
}
WHOLE = ("COUN", "AUTO", "DELTA", "FILTER", "MAINS")
"""Settings that are printed as whole numbers."""
UNITS = ("W", "DBM")
COMMAND_ERROR, EXECUTION_ERROR, POWER_ON = 32, 16, 128
"""Bits of the event status register (IEEE 488.2)."""
_HEADERS = {
    r"SENS(E)?:CORR(ECTION)?(:LOSS)(:INP(UT)?)?(:MAGN(ITUDE)?)?": "LOSS",
    r"SENS(E)?:CORR(ECTION)?:BEAM(DIAMETER)?": "BEAM",
    r"SENS(E)?:CORR(ECTION)?:POW(ER)?(:PDI(ODE)?)?(:RESP(ONSE)?)?": "RESPONSE",
    r"SENS(E)?:POW(ER)?(:DC)?:REF(ERENCE)?": "REF",
    r"SENS(E)?:POW(ER)?(:DC)?:REF(ERENCE)?:STAT(E)?": "DELTA",
    r"SENS(E)?:POW(ER)?(:DC)?:UNIT": "UNIT",
    r"INP(UT)?(:PDI(ODE)?)?:FILT(ER)?(:LPAS(S)?)?(:STAT(E)?)?": "FILTER",
    r"DISP(LAY)?:BRIG(HTNESS)?": "BRIGHT",
    r"SYST(EM)?:LFR(EQUENCY)?": "MAINS",
    r"SYST(EM)?:VERS(ION)?": "VERSION",
    r"CONF(IGURE)?": "MODE",
    r"CONF(IGURE)?(:SCALAR)?:POW(ER)?": "CONFIGURE",
    r"INIT(IATE)?(:IMM(EDIATE)?)?": "MEASURE",
    r"FETC(H)?": "LAST",
    r"READ|MEAS(URE)?": "POWER",
    r"SENS(E)?:CORR(ECTION)?:WAV(ELENGTH)?": "WAV",
    r"SENS(E)?:AVER(AGE)?:COUN(T)?": "COUN",
    r"SENS(E)?:POW(ER)?(:DC)?:RANG(E)?(:UPP(ER)?)?": "RANG",
    r"SENS(E)?:POW(ER)?(:DC)?:RANG(E)?:AUTO": "AUTO",
    r"SENS(E)?:CORR(ECTION)?:COLL(ECT)?:ZERO:STAT(E)?": "STATE",
    r"SENS(E)?:CORR(ECTION)?:COLL(ECT)?:ZERO:MAGN(ITUDE)?": "ZERO",
    r"SENS(E)?:CORR(ECTION)?:COLL(ECT)?:ZERO(:INIT(IATE)?)?": "INIT",
    r"SENS(E)?:CORR(ECTION)?:COLL(ECT)?:ZERO:ABOR(T)?": "ABORT",
    r"MEAS(URE)?(:SCALAR)?:POW(ER)?": "POWER",
    r"SYST(EM)?:SENS(OR)?:IDN": "SENSOR",
    r"SYST(EM)?:ERR(OR)?(:NEXT)?": "ERROR",
}


class PM100D(Double):
    """A meter whose sensor is in the dark until somebody says what falls on it.

    Parameters
    ----------
    seed : int
        Seed of the readings' noise.

    Attributes
    ----------
    incident_w : callable
        Returns the power on the sensor in W at the present moment.
    has_sensor : bool
        Fault: False for an unplugged sensor.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.incident_w: Callable[[], float] = lambda: 0.0
        self.has_sensor = True
        self._seed = seed
        self._settings = {"WAV": 635.0, "COUN": 1.0, "AUTO": 1.0, "RANG": 5e-3, "LOSS": 0.0, "BEAM": 9.5, "REF": 0.0}
        self._settings |= {"DELTA": 0.0, "FILTER": 0.0, "BRIGHT": 1.0, "MAINS": 50.0}
        self._unit = UNITS[0]
        self._event_status, self._event_enable, self._last = POWER_ON, 0, 0.0
        self._zero_w = 0.0
        self._zeroing_until_ns: int | None = None
        self._errors: deque[str] = deque()
        self._n_asked = 0

    def process(self, dt_s: float) -> None:
        """Let `dt_s` seconds of simulated time pass."""
        super().process(dt_s)
        if self._zeroing_until_ns is not None and self.time_ns >= self._zeroing_until_ns:
            self._zeroing_until_ns = None
            self._zero_w = OFFSET_W + self.incident_w()

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the messages that have ended with LF out of `buffer`."""
        *messages, rest = bytes(buffer).split(b"\n")
        buffer[:] = rest
        return messages

    def answer(self, frame: bytes) -> bytes:
        """Obey the commands of one message in order and return their replies, joined."""
        commands = filter(
            None, (part.strip().lstrip(":").upper() for part in frame.decode("ascii", "replace").split(";"))
        )
        replies = [reply for command in commands if (reply := self._obey(command)) is not None]
        return (";".join(replies) + "\n").encode() if replies else b""

    def _obey(self, command: str) -> str | None:
        header, _, text = command.partition(" ")
        if header.startswith("*"):
            return self._obey_common(header, text)
        name = next((name for pattern, name in _HEADERS.items() if re.fullmatch(pattern, header.removesuffix("?"))), "")
        if header.endswith("?"):
            return self._tell(name, text)
        self._do(name, text)
        return None

    def _obey_common(self, header: str, text: str) -> str | None:
        """Obey a command of IEEE 488.2."""
        match header:
            case "*IDN?":
                return IDENTITY
            case "*ESR?":
                status, self._event_status = self._event_status, 0
                return str(status)
            case "*ESE?":
                return str(self._event_enable)
            case "*STB?":
                return str(4 * bool(self._errors) | (32 if self._event_status & self._event_enable else 0))
            case "*OPC?":
                return "1"
            case "*TST?" | "*SRE?":
                return "0"
            case "*CLS":
                self._errors.clear()
                self._event_status = 0
            case "*OPC":
                self._event_status |= 1
            case "*ESE":
                self._event_enable = int(text) if text.isdigit() else 0
            case "*RST" | "*SRE" | "*WAI":
                pass
            case _:
                self._report(-113, "Undefined header")
        return None

    def _report(self, code: int, text: str) -> None:
        self._event_status |= COMMAND_ERROR if -200 < code <= -100 else EXECUTION_ERROR
        self._errors.append(f'{code},"{text}"')

    def _tell(self, name: str, text: str) -> str | None:
        if name in LIMITS:
            low, high = LIMITS[name]
            value = {"MIN": low, "MAX": high}.get(text.strip()[:3], self._settings[name])
            return f"{value:.0f}" if name in WHOLE else f"{value:.6E}"
        answers: dict[str, Callable[[], str]] = {
            "POWER": lambda: self._measure(),
            "LAST": lambda: f"{self._last:.6E}",
            "MODE": lambda: "POW",
            "UNIT": lambda: self._unit,
            "RESPONSE": lambda: f"{RESPONSE_A_PER_W:.6E}",
            "VERSION": lambda: "1999.0",
            "ZERO": lambda: f"{self._zero_w:.6E}",
            "STATE": lambda: str(int(self._zeroing_until_ns is not None)),
            "SENSOR": lambda: SENSOR if self.has_sensor else "no sensor,no serial number,no cal message,0,0,0",
            "ERROR": lambda: self._errors.popleft() if self._errors else '+0,"No error"',
        }
        if name in answers:
            return answers[name]()
        self._report(-113, "Undefined header")
        return None

    def _do(self, name: str, text: str) -> None:
        if name in LIMITS:
            self._set(name, text)
        elif name == "INIT":
            self._zeroing_until_ns = self.time_ns + ZEROING_NS
        elif name == "ABORT":
            self._zeroing_until_ns = None
        elif name == "MEASURE":
            self._measure()
        elif name == "UNIT" and text.strip() in UNITS:
            self._unit = text.strip()
        elif name not in ("CONFIGURE", "RESPONSE"):
            self._report(*((-224, "Illegal parameter value") if name == "UNIT" else (-113, "Undefined header")))

    def _set(self, name: str, text: str) -> None:
        low, high = LIMITS[name]
        try:
            value = float({"MIN": low, "MAX": high, "ON": 1, "OFF": 0}.get(text.strip(), text))
        except ValueError:
            self._report(-104, "Data type error")
            return
        if not low <= value <= high:
            self._report(-222, "Data out of range")
            return
        if name == "RANG":
            self._settings["AUTO"] = 0.0
            value = RANGES_W[0] * 10.0 ** ceil(log10(value / RANGES_W[0]) - 1e-9)
        self._settings[name] = value

    def _measure(self) -> str:
        """Take a reading in the unit chosen, and keep it."""
        power_w = self._reading_w() - (self._settings["REF"] if self._settings["DELTA"] else 0.0)
        self._last = power_w if self._unit == UNITS[0] else 10 * log10(max(power_w, SMALLEST_W) / 1e-3)
        return f"{self._last:.6E}"

    def _reading_w(self) -> float:
        if not self.has_sensor:
            return BEYOND_RANGE
        true_w = self.incident_w() * 10 ** (self._settings["LOSS"] / 10)
        self._n_asked += 1
        noise = float(np.random.default_rng([self._seed, self._n_asked]).normal()) / sqrt(self._settings["COUN"])
        shown_w = true_w + OFFSET_W - self._zero_w + noise * (NOISE_W + NOISE_RELATIVE * true_w)
        is_beyond = not self._settings["AUTO"] and shown_w > self._settings["RANG"]
        return BEYOND_RANGE if is_beyond else shown_w
