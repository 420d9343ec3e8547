"""Double of a Montana Instruments Cryostation with its text protocol, at its wire.

Messages are two digits, the number of characters that follow, and the text; there is no terminator. Every request is
answered. The platform follows its set point with one time constant and the sample follows the platform, so that
stability falls while the set point is approached.

Sources: Montana Instruments, Cryostation communication specification 1.9 to 1.21, as quoted by public drivers (words,
decimals, sentinels, refusals). **Ours**: every thermal number, stability as a floor plus the drift of ten seconds,
where standby goes, and a byte dropped where no length begins. Not modelled: magnet, PID, user set point, compressor
and valves, dropping of idle clients.
"""

from __future__ import annotations

import re
from math import inf

from simulators.double import Double
from simulators.thermal import Leg, Trajectory

ROOM_K, BASE_K = 295.0, 3.2
"""Where warming up and standby go (ours)."""
PLATFORM_LAG_S, SAMPLE_LAG_S = 40.0, 15.0
"""Time constants of the platform behind its set point and of the sample behind the platform (ours)."""
STABILITY_FLOOR_K, STABILITY_WINDOW_S = 0.004, 10.0
PUMPED_MTORR, VENTED_MTORR = 0.2, 660_848.6
"""Pressure while the system pumps, and otherwise (ours)."""
HEATER_W_PER_K = 0.05
"""Heater power that holds the platform above its base (ours)."""
SETPOINT_LIMITS_K = (2.0, 350.0)
NOTHING = "-0.1"
"""What the system prints, with more zeros, for a value it does not have."""

COOLING, WARMING, STANDBY, STOPPED = "cooldown", "warmup", "standby", "stop"
ORDERS = {"SCD": COOLING, "SWU": WARMING, "SSB": STANDBY, "STP": STOPPED}


class Cryostation(Double):
    """A system that holds its set point, as an operator leaves it before a scan.

    Parameters
    ----------
    temperature_k : float
        Temperature of platform and sample, and the set point, at the beginning, in K.

    Attributes
    ----------
    goal : str
        "cooldown" (which includes holding the set point), "warmup", "standby" or "stop".
    setpoint_k : float
        Set point in K.
    has_alarm : bool
        Fault: what ``GAS`` reports.
    missing : set of str
        Fault: thermometers without a value, of "platform", "sample", "user", "stage 1", "stage 2".
    has_decimal_comma : bool
        Whether its Windows prints a comma.
    """

    def __init__(self, temperature_k: float = 295.0) -> None:
        super().__init__()
        self.goal = COOLING
        self.setpoint_k = temperature_k
        self.has_alarm = False
        self.missing = {"user"}
        self.has_decimal_comma = False
        self._anchor_ns = 0
        self._begin((temperature_k, temperature_k))

    @property
    def temperature_k(self) -> float:
        """True temperature of the sample, in K."""
        return self._nodes_k()[1]

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the complete messages out of `buffer`; bytes that begin no message are dropped."""
        messages = []
        while len(buffer) >= 2:
            if not buffer[:2].isdigit():
                del buffer[0]
            elif len(buffer) >= (end := 2 + int(buffer[:2])):
                messages.append(bytes(buffer[2:end]))
                del buffer[:end]
            else:
                break
        return messages

    def answer(self, frame: bytes) -> bytes:
        """Obey one message and return the reply."""
        command = frame.decode("ascii", "replace").strip()
        reply = self._obey(command)
        if self.has_decimal_comma and command.startswith("G"):
            reply = reply.replace(".", ",")
        return f"{len(reply):02d}{reply}".encode()

    def _obey(self, command: str) -> str:
        if command in ORDERS:
            return self._pursue(ORDERS[command])
        if match := re.fullmatch(r"STSP ?(\S+)", command):
            return self._set_setpoint(match[1])
        if command == "GAS":
            return "T" if self.has_alarm else "F"
        if (reading := self._reading(command)) is None:
            return "Error: Invalid command."
        decimals, value = reading
        return f"{NOTHING:0<{decimals + 3}}" if value is None else f"{value:.{decimals}f}"

    def _reading(self, command: str) -> tuple[int, float | None] | None:
        """Return the number of decimals and the value that a query asks for; the latter None if there is none."""
        platform_k, sample_k = self._nodes_k()
        drift_k_s = abs(self._trajectory.drive_k(self._elapsed_s) - platform_k) / PLATFORM_LAG_S
        lag_k_s = abs(platform_k - sample_k) / SAMPLE_LAG_S
        readings = {
            "GPT": (3, "platform", platform_k),
            "GPS": (5, "platform", STABILITY_FLOOR_K + STABILITY_WINDOW_S * drift_k_s),
            "GST": (3, "sample", sample_k),
            "GSS": (5, "sample", STABILITY_FLOOR_K + STABILITY_WINDOW_S * lag_k_s),
            "GUT": (3, "user", sample_k),
            "GUS": (5, "user", STABILITY_FLOOR_K + STABILITY_WINDOW_S * lag_k_s),
            "GS1T": (2, "stage 1", 0.1 * platform_k + 30.0),
            "GS2T": (2, "stage 2", 0.9 * min(platform_k, BASE_K)),
            "GTSP": (2, "", self.setpoint_k),
            "GCP": (1, "", PUMPED_MTORR if self.goal in (COOLING, STANDBY) else VENTED_MTORR),
            "GPHP": (3, "", self._heater_w(platform_k)),
        }
        if command not in readings:
            return None
        decimals, thermometer, value = readings[command]
        return decimals, None if thermometer in self.missing or value <= 0 else value

    def _set_setpoint(self, text: str) -> str:
        try:
            setpoint_k = float(text)
        except ValueError:
            return "Error: Invalid set point"
        low_k, high_k = SETPOINT_LIMITS_K
        if not low_k <= setpoint_k <= high_k:
            return "Error: Invalid set point"
        self.before_change()
        nodes_k = self._nodes_k()
        self.setpoint_k = round(setpoint_k, 2)
        self._begin(nodes_k)
        return f"OK, Temperature Set Point = {self.setpoint_k:.2f}"

    def _pursue(self, goal: str) -> str:
        if goal == self.goal:
            return f"System not able to {goal} at this time"
        self.before_change()
        nodes_k = self._nodes_k()
        self.goal = goal
        self._begin(nodes_k)
        return "OK"

    @property
    def _elapsed_s(self) -> float:
        return (self.time_ns - self._anchor_ns) * 1e-9

    def _nodes_k(self) -> tuple[float, float]:
        return self._trajectory.at(self._elapsed_s)

    def _begin(self, nodes_k: tuple[float, float]) -> None:
        self._anchor_ns = self.time_ns
        target_k = {COOLING: self.setpoint_k, WARMING: ROOM_K, STANDBY: BASE_K, STOPPED: ROOM_K}[self.goal]
        self._trajectory = Trajectory(*nodes_k, (Leg(inf, target_k, 0.0),), PLATFORM_LAG_S, SAMPLE_LAG_S)

    def _heater_w(self, platform_k: float) -> float:
        return HEATER_W_PER_K * max(platform_k - BASE_K, 0.0) if self.goal == COOLING else 0.0
