"""Thorlabs FW102C and FW212C motorised filter wheels.

Commands end with CR; the wheel echoes each, answers on a line of its own and ends with the prompt ``> ``, so replies
are read up to the prompt and the echo must be that of the command. Setting `position` only begins a move: read it back
until it shows the new one. On its way the wheel passes other filters, so whoever attenuates a laser with it keeps the
light off meanwhile. What sits in each position is the business of the rig file.

Sources: Thorlabs FW102C/FW212C operating manual (command set) as quoted by Micro-Manager and pylablib. Whether the
prompt after ``pos=`` comes at once or when the wheel stands differs with the firmware; `serial_settings` leave time for
both.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymeasure.instruments.validators import strict_discrete_set

from drivers.line_instrument import LineInstrument
from drivers.visa_errors import no_answer, os_errors

PROMPT = b"> "
MAX_REPLY = 512
"""Bytes without a prompt after which something else must be talking."""
MOVE_TIMEOUT_S = 10.0
"""How long the longest move may take."""
WHEELS = {6: "FW102C", 12: "FW212C"}
SPEEDS = ("slow", "fast")
TRIGGER_MODES = ("in", "out")


class FilterWheelError(OSError):
    """The wheel reported an error, or shows another setting than the one it was sent."""


class FW102C(LineInstrument):
    """A filter wheel; nothing is sent until it is asked something.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address, or an adapter opened with `serial_settings`.
    name : str
        Name used in messages.
    n_positions : int
        6 for an FW102C, 12 for an FW212C; `identify` compares it with the wheel's own.
    **kwargs
        For pymeasure's VISAAdapter.
    """

    silence = "check its power, its USB cable and the name of its port, and that no other program uses it"

    serial_settings: ClassVar[dict[str, Any]] = {"baudrate": 115200, "timeout": MOVE_TIMEOUT_S}
    """Keywords for pyserial; 8 data bits, no parity and 1 stop bit are its defaults."""

    def __init__(self, adapter: Any, name: str = "filter wheel", n_positions: int = 6, **kwargs: Any) -> None:
        strict_discrete_set(n_positions, tuple(WHEELS))
        kwargs.setdefault("asrl", {"baud_rate": 115200, "timeout": round(MOVE_TIMEOUT_S * 1e3)})
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._n_positions = n_positions
        self._asked = ""

    @property
    def id(self) -> str:
        """Get the identification (text)."""
        return self._query("*idn")

    @property
    def n_positions(self) -> int:
        """Get the number of positions (6 or 12)."""
        return self._number("pcount")

    @property
    def position(self) -> int:
        """Control the position (int strictly from 1 to `n_positions`); setting it begins a move and does not wait."""
        return self._number("pos")

    @position.setter
    def position(self, position: int) -> None:
        if position not in range(1, self._n_positions + 1):
            raise ValueError(f"{self.name}: position {position!r} is not one of 1 to {self._n_positions}")
        self.exchange(f"pos={int(position)}", str)

    @property
    def speed(self) -> str:
        """Control the speed of moves ("slow" or "fast")."""
        return self._choice("speed", SPEEDS)

    @speed.setter
    def speed(self, speed: str) -> None:
        strict_discrete_set(speed, SPEEDS)
        self._set("speed", SPEEDS.index(speed))

    @property
    def trigger_mode(self) -> str:
        """Control what the trigger connector does ("in": a pulse advances the wheel, "out": a pulse tells a move)."""
        return self._choice("trig", TRIGGER_MODES)

    @trigger_mode.setter
    def trigger_mode(self, mode: str) -> None:
        strict_discrete_set(mode, TRIGGER_MODES)
        self._set("trig", TRIGGER_MODES.index(mode))

    @property
    def are_sensors_always_on(self) -> bool:
        """Control whether the wheel's sensors stay on at rest (bool); their light is seen by a photon counter."""
        return bool(self._number("sensors"))

    @are_sensors_always_on.setter
    def are_sensors_always_on(self, are_on: bool) -> None:
        self._set("sensors", int(bool(are_on)))

    def identify(self) -> str:
        """Return the identification, having made sure that this is such a wheel with that many positions.

        Raises
        ------
        ConnectionError
            Something else answered.
        """
        self.discard()
        identity = self.id
        if not any(model in identity.upper() for model in WHEELS.values()):
            raise ConnectionError(f"{self.name}: '{identity}' answered, not an FW102C or FW212C; correct the port")
        if (found := self.n_positions) != self._n_positions:
            raise ConnectionError(
                f"{self.name} has {found} positions, not {self._n_positions}; correct the rig file or the port"
            )
        return identity

    def save(self) -> None:
        """Make the wheel keep its settings when it is switched off."""
        self.exchange("save", str)

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one command."""
        self._asked = command
        with os_errors(self.name, self.silence):
            self.write_bytes(command.encode("ascii") + b"\r")

    def read(self, **kwargs: Any) -> str:
        """Read up to the prompt and return what came after the echo; empty after a command that is only obeyed.

        Raises
        ------
        TimeoutError, ConnectionError
            No prompt came, or the echo is not that of the command.
        FilterWheelError
            The wheel refused the command.
        """
        reply = bytearray()
        with os_errors(self.name, self.silence):
            while not reply.endswith(PROMPT):
                byte = self.read_bytes(1)
                if not byte:
                    raise no_answer(self.name, self.silence)
                reply += byte
                if len(reply) > MAX_REPLY:
                    raise ConnectionError(f"{self.name}: {MAX_REPLY} bytes came without a prompt; correct the port")
        text = reply[: -len(PROMPT)].decode("ascii", "replace")
        echo, *lines = [line.strip() for line in text.replace("\n", "\r").split("\r") if line.strip()] or [""]
        if echo != self._asked:
            raise ConnectionError(f"{self.name} echoed '{echo}' to '{self._asked}'; replies are out of step: ask again")
        answer = " ".join(lines)
        if "CMD_" in answer or "error" in answer.lower():
            raise FilterWheelError(f"{self.name} refused '{self._asked}': {answer}")
        return answer

    def _query(self, key: str) -> str:
        return self.exchange(f"{key}?", str)

    def _number(self, key: str) -> int:
        def parse(text: str) -> int:
            if not text.isdigit():
                raise ConnectionError(f"{self.name} answered '{text}' to '{key}?'; replies are out of step: ask again")
            return int(text)

        return self.exchange(f"{key}?", parse)

    def _choice(self, key: str, names: tuple[str, ...]) -> str:
        value = self._number(key)
        if value >= len(names):
            raise ConnectionError(f"{self.name} shows {key}={value}, which means nothing here; ask again")
        return names[value]

    def _set(self, key: str, value: int) -> None:
        self.exchange(f"{key}={value}", str)
        if (shown := self._number(key)) != value:
            raise FilterWheelError(f"{self.name} shows {key}={shown} after {key}={value} was sent")
