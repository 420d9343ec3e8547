"""Function generator of the Agilent/Keysight 33500 family as the trigger of a pulsed laser.

Its output switches the laser's light, so every write is read back and compared in the same message, and
levels change only while the output is off. A burst, modulation or sweep left on from the front panel is
not looked for; it shows as a wrong sync rate.

Sources: Agilent 33500 Series Operating and Service Guide (commands, 16 ns shortest pulse); PDL 800-D
manual as quoted by its users (trigger input 50 ohm, +-5 V absolute maximum).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymeasure.instruments.validators import strict_discrete_set

from drivers.generator33500 import Generator33500, GeneratorError

LOAD_OHM = 50.0
"""Impedance of the laser's trigger input."""
DAMAGE_V = 5.0
"""Largest voltage, of either sign, that the laser's trigger input survives."""
MIN_FREQUENCY_HZ = 1e-6
MIN_PULSE_S = 16e-9
LEVEL_TOLERANCE_V = 0.002
FREQUENCY_TOLERANCE = 1e-9
"""Relative; the family resolves 1 uHz in up to 15 digits."""
SHAPES = {"square": "SQU", "pulse": "PULS"}


@dataclass(frozen=True)
class TriggerState:
    """What the generator says it is set to.

    Attributes
    ----------
    shape : str
        "square", "pulse", or the generator's own name for any other shape.
    frequency_hz, low_v, high_v, pulse_width_s : float
        Frequency in Hz, levels in V for the load setting, width of the pulse shape in s.
    load_ohm : float
        Load setting in ohm, ``inf`` for high impedance.
    is_output_on : bool
        Whether the output is on.
    """

    shape: str
    frequency_hz: float
    low_v: float
    high_v: float
    pulse_width_s: float
    load_ohm: float
    is_output_on: bool


class TriggerGenerator(Generator33500):
    """Trigger of a pulsed laser: with its output on, the laser emits.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address or adapter.
    name : str
        Name used in messages.
    channel : int
        Output 1 or 2.
    max_frequency_hz : float
        Highest frequency allowed, in Hz.
    min_level_v, max_level_v : float
        Lowest and highest level allowed into 50 ohm, in V, within the +-5 V that the laser survives.
    **kwargs
        For pymeasure's VISAAdapter.
    """

    def __init__(
        self,
        adapter: Any,
        name: str = "trigger generator",
        channel: int = 1,
        max_frequency_hz: float = 20e6,
        min_level_v: float = -2.5,
        max_level_v: float = 2.5,
        **kwargs: Any,
    ) -> None:
        if not -DAMAGE_V <= min_level_v < max_level_v <= DAMAGE_V:
            raise ValueError(
                f"{name}: level limits {min_level_v:g} to {max_level_v:g} V must be ascending and within"
                f" {-DAMAGE_V:g} to {DAMAGE_V:g} V, beyond which the laser's trigger input is damaged"
            )
        super().__init__(adapter, name, channel, **kwargs)
        self.max_frequency_hz = max_frequency_hz
        self.min_level_v = min_level_v
        self.max_level_v = max_level_v

    @property
    def light_out_exchange(self) -> tuple[bytes, bytes]:
        """Get the bytes that put the light out and the reply that confirms it, for a watchdog (two bytes objects)."""
        return f"{self._output} OFF;:{self._output}?\n".encode(), b"0\n"

    @property
    def is_output_on(self) -> bool:
        """Control whether the output is on and the laser emits (bool).

        Switching on is refused if the generator is not set up as a trigger within the limits, whoever set it.
        """
        return self._query(self._output)[0] != "0"

    @is_output_on.setter
    def is_output_on(self, is_on: bool) -> None:
        if is_on:
            self._refuse_unsafe(self.state())
            self._set_word(self._output, "1")
        elif self._switch(f"{self._output} OFF"):
            raise GeneratorError(f"{self.name} shows its output as on after OFF; switch the laser off by hand")

    @property
    def frequency_hz(self) -> float:
        """Control the repetition rate in Hz (float strictly from 1e-6 to `max_frequency_hz`)."""
        return self._number(self._query(f"{self._source}:FREQ")[0])

    @frequency_hz.setter
    def frequency_hz(self, frequency_hz: float) -> None:
        self._check_frequency(frequency_hz)
        state = self.state()
        if state.shape == "pulse":
            _refuse_long_pulse(state.pulse_width_s, frequency_hz)
        self._write_frequency(frequency_hz)

    @property
    def levels_v(self) -> tuple[float, float]:
        """Control the low and high level into 50 ohm in V (two floats from `min_level_v` to `max_level_v`, ascending).

        They can be set only while the output is off.
        """
        low, high = self._query(f"{self._source}:VOLT:LOW", f"{self._source}:VOLT:HIGH")
        return self._number(low), self._number(high)

    @levels_v.setter
    def levels_v(self, levels_v: tuple[float, float]) -> None:
        self._check_levels(*levels_v)
        self._refuse_while_on(self.state(), "levels")
        self._write_levels(*levels_v)

    def state(self) -> TriggerState:
        """Return every setting a trigger depends on, asked for in one message."""
        source = self._source
        shape, *numbers, output = self._query(
            f"{source}:FUNC",
            f"{source}:FREQ",
            f"{source}:VOLT:LOW",
            f"{source}:VOLT:HIGH",
            f"{source}:FUNC:PULS:WIDT",
            f"{self._output}:LOAD",
            self._output,
        )
        frequency_hz, low_v, high_v, width_s, load_ohm = map(self._number, numbers)
        plain = {word: shape for shape, word in SHAPES.items()}.get(shape, shape)
        return TriggerState(plain, frequency_hz, low_v, high_v, width_s, load_ohm, output != "0")

    def set_up(
        self, frequency_hz: float, low_v: float, high_v: float, shape: str = "square", pulse_width_s: float = 50e-9
    ) -> TriggerState:
        """Set the generator up as a trigger into 50 ohm, with its output off before and after.

        Parameters
        ----------
        frequency_hz : float
            Repetition rate in Hz, from 1e-6 to `max_frequency_hz`.
        low_v, high_v : float
            Levels in V, within the limits.
        shape : str
            "square" or "pulse".
        pulse_width_s : float
            Width of the pulse shape in s, from 16e-9 to the period less 16e-9; unused with "square".

        Returns
        -------
        TriggerState
            The settings as read back.

        Raises
        ------
        ValueError
            A value is outside the limits or the output is on; nothing was set.
        GeneratorError
            The generator did not take a value over.
        """
        self._check_frequency(frequency_hz)
        self._check_levels(low_v, high_v)
        strict_discrete_set(shape, tuple(SHAPES))
        if shape == "pulse":
            _refuse_long_pulse(pulse_width_s, frequency_hz)
        self._refuse_while_on(self.state(), "shape, load and levels")
        self._set_number(f"{self._output}:LOAD", LOAD_OHM, 0.5, "ohm")
        self._set_word(f"{self._source}:FUNC", SHAPES["square"])
        self._write_frequency(frequency_hz)
        if shape == "pulse":
            self._set_number(f"{self._source}:FUNC:PULS:WIDT", pulse_width_s, 1e-9, "s")
            self._set_word(f"{self._source}:FUNC", SHAPES["pulse"])
        self._write_levels(low_v, high_v)
        return self.state()

    def _write_frequency(self, frequency_hz: float) -> None:
        tolerance_hz = MIN_FREQUENCY_HZ + FREQUENCY_TOLERANCE * frequency_hz
        self._set_number(f"{self._source}:FREQ", frequency_hz, tolerance_hz, "Hz")

    def _write_levels(self, low_v: float, high_v: float) -> None:
        """Write the two levels in the order in which low stays below high on the way."""
        levels = [("VOLT:LOW", low_v), ("VOLT:HIGH", high_v)]
        if low_v >= self.levels_v[1]:
            levels.reverse()
        for header, level_v in levels:
            self._set_number(f"{self._source}:{header}", level_v, LEVEL_TOLERANCE_V, "V")

    def _check_frequency(self, frequency_hz: float) -> None:
        if not MIN_FREQUENCY_HZ <= frequency_hz <= self.max_frequency_hz:
            raise ValueError(
                f"{self.name}: {frequency_hz:g} Hz is outside {MIN_FREQUENCY_HZ:g} to {self.max_frequency_hz:g} Hz;"
                " choose another rate, or let the laser's own oscillator give it"
            )

    def _check_levels(self, low_v: float, high_v: float) -> None:
        if not self.min_level_v <= low_v < high_v <= self.max_level_v:
            raise ValueError(
                f"{self.name}: levels {low_v:g} and {high_v:g} V must be ascending and within {self.min_level_v:g} to"
                f" {self.max_level_v:g} V; the laser's trigger input is damaged beyond {DAMAGE_V:g} V"
            )

    def _refuse_while_on(self, state: TriggerState, what: str) -> None:
        if state.is_output_on:
            raise ValueError(f"{self.name}: {what} cannot be changed while the output is on; switch it off first")

    def _refuse_unsafe(self, state: TriggerState) -> None:
        if state.shape not in SHAPES or abs(state.load_ohm - LOAD_OHM) > 0.5:
            raise ValueError(
                f"{self.name} is set to shape {state.shape} and load {state.load_ohm:g} ohm, not to square or pulse"
                f" into {LOAD_OHM:g} ohm; call set_up first"
            )
        self._check_frequency(state.frequency_hz)
        self._check_levels(state.low_v, state.high_v)


def _refuse_long_pulse(pulse_width_s: float, frequency_hz: float) -> None:
    longest_s = 1 / frequency_hz - MIN_PULSE_S
    if not MIN_PULSE_S <= pulse_width_s <= longest_s:
        raise ValueError(
            f"pulse width {pulse_width_s:g} s is outside {MIN_PULSE_S:g} to {longest_s:g} s, what fits into the period"
            f" at {frequency_hz:g} Hz; choose another width or the square shape"
        )
