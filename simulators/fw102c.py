"""Double of a Thorlabs FW102C or FW212C filter wheel, at its wire.

Every command ends with CR and is echoed; an answer comes on a line of its own; the prompt ``> `` ends each reply. The
prompt after ``pos=`` comes at once, and ``pos?`` shows the old position until the wheel has arrived.

Sources: Thorlabs FW102C/FW212C operating manual as quoted by public drivers (commands, echo, prompt, error words).
**Ours**: the time per position, the text after ``CMD_``, the shorter way round. Not modelled: the trigger connector,
baud rates, the time that saving takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.double import Double

IDENTITY = "THORLABS FW102C/FW212C Filter Wheel version 1.07"
STEP_S = {0: 0.9, 1: 0.45}
"""Time from one position to the next, slow and fast (ours)."""
UNKNOWN, OUT_OF_RANGE = "Command error CMD_NOT_DEFINED", "Command error CMD_ARG_INVALID"


class FW102C(Double):
    """A wheel in its first position.

    Parameters
    ----------
    n_positions : int
        6 or 12.

    Attributes
    ----------
    is_stuck : bool
        Fault: the wheel takes orders and does not turn.
    """

    def __init__(self, n_positions: int = 6) -> None:
        super().__init__()
        self.is_stuck = False
        self._settings = {"pos": 1, "speed": 1, "trig": 0, "sensors": 0, "pcount": n_positions}
        self._target = 1
        self._arrival_ns = 0

    @property
    def position(self) -> int:
        """The position in front of the opening; the old one until a move has ended."""
        return self._settings["pos"]

    @property
    def is_turning(self) -> bool:
        """Whether a move has not ended yet."""
        return self._target != self.position

    def process(self, dt_s: float) -> None:
        """Let `dt_s` seconds of simulated time pass."""
        super().process(dt_s)
        if self.is_turning and self.time_ns >= self._arrival_ns:
            self.before_change()
            self._settings["pos"] = self._target

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the commands that have ended with CR out of `buffer`."""
        *commands, rest = bytes(buffer).split(b"\r")
        buffer[:] = rest
        return commands

    def answer(self, frame: bytes) -> bytes:
        """Obey one command and return echo, answer and prompt."""
        command = frame.decode("ascii", "replace").strip()
        answer = self._obey(command.lower())
        return "\r".join([command, *([answer] if answer else []), "> "]).encode("ascii", "replace")

    def _obey(self, command: str) -> str:
        if command in ("", "save"):
            return ""
        if command == "*idn?":
            return IDENTITY
        if command.endswith("?"):
            value = self._settings.get(command[:-1])
            return UNKNOWN if value is None else str(value)
        key, _, text = command.partition("=")
        limits = {"pos": (1, self._settings["pcount"]), "speed": (0, 1), "trig": (0, 1), "sensors": (0, 1)}.get(key)
        if limits is None:
            return UNKNOWN
        if not (text.isdigit() and limits[0] <= int(text) <= limits[1]):
            return OUT_OF_RANGE
        if key == "pos":
            self._turn(int(text))
        else:
            self._settings[key] = int(text)
        return ""

    def _turn(self, target: int) -> None:
        if self.is_stuck:
            return
        self.before_change()
        way = abs(target - self.position)
        n_steps = min(way, self._settings["pcount"] - way)
        self._target = target
        self._arrival_ns = self.time_ns + round(n_steps * STEP_S[self._settings["speed"]] * 1e9)


@dataclass(frozen=True)
class Filters:
    """A wheel with the optical density of what sits in each position."""

    wheel: FW102C
    densities: tuple[float, ...]

    @property
    def density(self) -> float:
        """The density in the beam; a wheel on its way passes its brightest filter."""
        return min(self.densities) if self.wheel.is_turning else self.densities[self.wheel.position - 1]

    @property
    def transmission(self) -> float:
        """The share of the light that passes."""
        return float(10.0**-self.density)
