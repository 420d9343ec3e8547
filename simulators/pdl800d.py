"""Double of a PicoQuant PDL 800-D with its 405 nm head: a front panel, three sockets and the light that leaves.

The box has no computer interface, so there are no bytes here. An operator's double turns the knobs
(`turn`, `set_average_power`); the bench asks what light leaves for the voltages at the sockets (`light`).
The pulse energy does not depend on the repetition rate, so the average power is energy times rate.

Sources: PDL 800-D manual as quoted by its users (31.25 kHz to 80 MHz internal, trigger input 50 ohm, +-5 V
absolute, threshold -1 to +1 V, positive or negative pulses). **Ours**: the twelve internal rates between
those ends, the linear knob with a diode threshold, full pulse energy, the slow gate's TTL levels and its
pull-up (an open line lets light out), no light at a trigger rate above 80 MHz. Not modelled: CW mode,
change of pulse shape with intensity, warm-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log10

INTERNAL_RATES_HZ = tuple(base / 2**n for base in (80e6, 1e6) for n in range(6))
MAX_TRIGGER_HZ = 80e6
TRIGGER_DAMAGE_V = 5.0
"""Largest voltage, of either sign, that the trigger input survives."""
GATE_CLOSED_BELOW_V = 0.8
"""TTL low at the slow gate input stops the pulses (ours)."""
FULL_PULSE_FJ = 25_000.0
"""Pulse energy at the sample with the knob at 100 % and no attenuator, in fJ (ours; 1 mW at 40 MHz)."""
DIODE_THRESHOLD_PERCENT = 30.0
"""Below this the head emits nothing (ours)."""


@dataclass(frozen=True)
class Light:
    """What leaves the objective.

    Attributes
    ----------
    repetition_rate_hz : float
        Pulses per second, which is also the rate of the sync output; 0 without light.
    average_power_nw : float
        Average power at the sample, in nW.
    """

    repetition_rate_hz: float
    average_power_nw: float

    def behind(self, density: float) -> Light:
        """Return what is left behind a filter of this optical density."""
        return Light(self.repetition_rate_hz, self.average_power_nw * 10.0**-density)


DARK = Light(0.0, 0.0)


@dataclass
class Panel:
    """Position of everything an operator can turn."""

    key: bool = True
    trigger_source: str = "external"
    internal_rate_hz: float = 2.5e6
    threshold_v: float = 0.5
    intensity_percent: float = 60.0
    attenuator_od: float = 4.0


class PDL800D:
    """A laser whose key is on, waiting for an external trigger.

    Attributes
    ----------
    panel : Panel
        Where the knobs are; turn them with `turn`, so that the bench hears of it.
    before_change : callable
        Called before a knob is turned.
    is_trigger_input_damaged : bool
        Whether more than 5 V has ever been seen at the trigger input.
    """

    def __init__(self) -> None:
        self.panel = Panel()
        self.before_change: Callable[[], None] = lambda: None
        self.is_trigger_input_damaged = False

    def turn(self, knob: str, value: float | str | bool) -> None:
        """Turn one knob.

        Parameters
        ----------
        knob : str
            "key", "trigger_source" ("internal", "external"), "internal_rate_hz", "threshold_v" (-1 to 1),
            "intensity_percent" (0 to 100) or "attenuator_od" (0 to 8).
        value : float, str or bool
            New position.

        Raises
        ------
        ValueError
            The panel has no such knob, or the knob no such position.
        """
        if knob not in _POSITIONS:
            raise ValueError(f"the PDL 800-D has no knob {knob!r}; it has {', '.join(_POSITIONS)}")
        if not _POSITIONS[knob](value):
            raise ValueError(f"knob {knob!r} cannot be turned to {value!r}")
        self.before_change()
        setattr(self.panel, knob, value)

    def set_average_power(self, power_nw: float, rate_hz: float) -> None:
        """Turn the attenuator until a power meter at the sample shows `power_nw` at the rate `rate_hz`.

        Raises
        ------
        ValueError
            The knob's present intensity cannot give as much, or the attenuator does not go as far.
        """
        if power_nw <= 0 or rate_hz <= 0:
            raise ValueError(f"average power {power_nw} nW at {rate_hz} Hz: both must be positive")
        available_nw = self._unattenuated_fj() * rate_hz * 1e-6
        if power_nw > available_nw:
            raise ValueError(
                f"average power {power_nw:g} nW is more than the {available_nw:g} nW that intensity"
                f" {self.panel.intensity_percent:g} % gives at {rate_hz:g} Hz; turn the intensity up first"
            )
        self.turn("attenuator_od", log10(available_nw / power_nw))

    @property
    def pulse_energy_fj(self) -> float:
        """Energy of a pulse at the sample, in fJ."""
        return float(self._unattenuated_fj() * 10.0**-self.panel.attenuator_od)

    def light(self, trigger_hz: float, trigger_v: tuple[float, float] | None, gate_v: float | None) -> Light:
        """Return the light that leaves for the voltages at the sockets.

        Parameters
        ----------
        trigger_hz : float
            Rate of the rising edges at the trigger input.
        trigger_v : tuple of float, or None
            Lower and upper level at the trigger input, across its 50 ohm, in V; None: nothing connected.
        gate_v : float or None
            Level at the slow gate input, in V; None: nothing connected, which lets light out.
        """
        if trigger_v is not None and max(abs(level) for level in trigger_v) > TRIGGER_DAMAGE_V:
            self.is_trigger_input_damaged = True
        is_blocked = gate_v is not None and gate_v < GATE_CLOSED_BELOW_V
        if not self.panel.key or is_blocked or not self.pulse_energy_fj:
            return DARK
        rate_hz = self._pulse_rate_hz(trigger_hz, trigger_v)
        return Light(rate_hz, self.pulse_energy_fj * rate_hz * 1e-6)

    def _pulse_rate_hz(self, trigger_hz: float, trigger_v: tuple[float, float] | None) -> float:
        if self.panel.trigger_source == "internal":
            return self.panel.internal_rate_hz
        if trigger_v is None or self.is_trigger_input_damaged or trigger_hz > MAX_TRIGGER_HZ:
            return 0.0
        low_v, high_v = trigger_v
        return trigger_hz if low_v < self.panel.threshold_v < high_v else 0.0

    def _unattenuated_fj(self) -> float:
        above_percent = max(0.0, self.panel.intensity_percent - DIODE_THRESHOLD_PERCENT)
        return FULL_PULSE_FJ * above_percent / (100.0 - DIODE_THRESHOLD_PERCENT)


def _between(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and low <= value <= high


_POSITIONS: dict[str, Callable[[object], bool]] = {
    "key": lambda value: isinstance(value, bool),
    "trigger_source": lambda value: value in ("internal", "external"),
    "internal_rate_hz": lambda value: value in INTERNAL_RATES_HZ,
    "threshold_v": _between(-1.0, 1.0),
    "intensity_percent": _between(0.0, 100.0),
    "attenuator_od": _between(0.0, 8.0),
}
