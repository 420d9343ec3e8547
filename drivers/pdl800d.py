"""PicoQuant PDL 800-D as what it is: a laser driver set by hand, without any computer interface.

The object sends nothing and sets nothing. It keeps what an operator declares the front panel to be, with
who and when, and tells what a sync rate that differs looks like. A declaration that changes the light makes the
declared average power void, since it was measured under other settings.

Sources: PDL 800-D manual as quoted by its users (no interface; 31.25 kHz to 80 MHz internal, external
up to 80 MHz). The twelve internal rates between those ends are **not confirmed** by a readable manual;
pass others if the panel says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

INTERNAL_RATES_HZ = tuple(base / 2**n for base in (80e6, 1e6) for n in range(6))
"""80 MHz and 1 MHz, each divided by 1, 2, 4, 8, 16, 32."""
MAX_RATE_HZ = 80e6
RATE_TOLERANCE = 0.01
"""Relative deviation within which a sync rate looks like another rate."""
FACTORS = range(2, 17)
"""Ratios between sync and declared rate for which a cause is suggested."""
RANGES = {
    "repetition_rate_hz": (1.0, MAX_RATE_HZ, "Hz"),
    "intensity_percent": (0.0, 100.0, "%"),
    "attenuator_od": (0.0, 10.0, "OD"),
    "average_power_nw": (0.0, 1e6, "nW"),
    "head_wavelength_nm": (200.0, 2000.0, "nm"),
}
TRIGGER_SOURCES = ("internal", "external")
LIGHT_SETTINGS = ("trigger_source", "repetition_rate_hz", "intensity_percent", "attenuator_od", "filter")
"""Quantities whose change makes a declared average power void."""
NO_SYNC = (
    "no sync pulses: the laser is off or in CW mode, its trigger is missing, the sync cable is off, or the"
    " discriminator level is wrong"
)
CHECK_SOURCE = "check the trigger source on the panel"


@dataclass(frozen=True)
class Declaration:
    """One thing an operator said about the laser.

    Attributes
    ----------
    quantity : str
        Name with unit, such as "average_power_nw".
    value : float or str
        What was declared.
    by : str
        Who said so.
    at : datetime
        When, with time zone.
    """

    quantity: str
    value: float | str
    by: str
    at: datetime


class PDL800D:
    """The record of a manual laser.

    Parameters
    ----------
    name : str
        Name used in messages.
    internal_rates_hz : sequence of float
        Rates that the panel's rate switch offers, in Hz.
    """

    def __init__(self, name: str = "PDL 800-D", internal_rates_hz: Sequence[float] = INTERNAL_RATES_HZ) -> None:
        self.name = name
        self.internal_rates_hz = tuple(internal_rates_hz)
        self._history: list[Declaration] = []
        self._valid: dict[str, Declaration] = {}

    @property
    def trigger_source(self) -> str | None:
        """Get the trigger source as declared ("internal", "external", None if undeclared)."""
        return self._text("trigger_source")

    @property
    def repetition_rate_hz(self) -> float | None:
        """Get the repetition rate in Hz as declared (float from 1 to 80e6, None if undeclared)."""
        return self._number("repetition_rate_hz")

    @property
    def intensity_percent(self) -> float | None:
        """Get the position of the intensity knob in % of its scale as declared (float from 0 to 100, or None)."""
        return self._number("intensity_percent")

    @property
    def attenuator_od(self) -> float | None:
        """Get the optical density of the attenuator as declared (float from 0 to 10, or None)."""
        return self._number("attenuator_od")

    @property
    def filter(self) -> str | None:
        """Get the filter in the excitation path as declared (text, or None)."""
        return self._text("filter")

    @property
    def average_power_nw(self) -> float | None:
        """Get the average power at the sample in nW as declared (float, None if undeclared or void)."""
        return self._number("average_power_nw")

    @property
    def head_wavelength_nm(self) -> float | None:
        """Get the wavelength of the laser head in nm as declared (float from 200 to 2000, or None)."""
        return self._number("head_wavelength_nm")

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """Get the declarations that hold now, one per quantity (tuple of Declaration)."""
        return tuple(self._valid.values())

    @property
    def history(self) -> tuple[Declaration, ...]:
        """Get everything ever declared, oldest first (tuple of Declaration)."""
        return tuple(self._history)

    def declare(self, by: str, at: datetime, **quantities: float | str) -> None:
        """Record what an operator says the laser is set to; all of it, or nothing if one value cannot be.

        Parameters
        ----------
        by : str
            Who says so.
        at : datetime
            When, with time zone.
        **quantities
            `trigger_source`, `repetition_rate_hz`, `intensity_percent`, `attenuator_od`, `filter`,
            `average_power_nw`, `head_wavelength_nm`. Declare the average power together with, or after, the
            settings under which it was measured.

        Raises
        ------
        ValueError
            An unknown quantity, a value outside its range, an internal rate that the panel does not offer, no
            name, or a time without zone.
        """
        if not by.strip() or at.tzinfo is None:
            raise ValueError(
                f"{self.name}: a declaration needs a name (got {by!r}) and a time with its zone (got {at})"
            )
        for quantity, value in quantities.items():
            self._check(quantity, value)
        self._check_internal_rate(quantities)
        if any(self._is_new(quantity, value) for quantity, value in quantities.items() if quantity in LIGHT_SETTINGS):
            self._valid.pop("average_power_nw", None)
        for quantity, value in quantities.items():
            declaration = Declaration(quantity, value, by, at)
            self._history.append(declaration)
            self._valid[quantity] = declaration

    def explain_rate(self, sync_hz: float) -> str:
        """Return what a sync rate that is not the declared repetition rate looks like; whether it is, others judge.

        Parameters
        ----------
        sync_hz : float
            Measured sync rate in Hz.

        Returns
        -------
        str
            The causes that fit, joined; empty if none does or no rate has been declared.

        Examples
        --------
        >>> laser = PDL800D()
        >>> laser.declare("operator", datetime.now().astimezone(), repetition_rate_hz=3e6)
        >>> laser.explain_rate(6.001e6)
        'twice the rate set: reflections on the sync cable trigger the counter 2 times'
        >>> laser.explain_rate(2.503e6)
        'it looks like the internal rate of 2.5 MHz: check the trigger source on the panel'
        """
        declared_hz = self.repetition_rate_hz
        if declared_hz is None:
            return ""
        if sync_hz <= 0:
            return NO_SYNC
        causes = [cause for factor in FACTORS for cause in _causes(factor, sync_hz, declared_hz)]
        internal_hz = self.nearest_internal_rate_hz(sync_hz)
        if internal_hz is not None and not _agree(internal_hz, declared_hz, RATE_TOLERANCE):
            causes.append(f"it looks like the internal rate of {internal_hz * 1e-6:g} MHz: {CHECK_SOURCE}")
        return "; ".join(causes)

    def nearest_internal_rate_hz(self, rate_hz: float, tolerance: float = RATE_TOLERANCE) -> float | None:
        """Return the internal rate that a measured one looks like, or None.

        Examples
        --------
        >>> PDL800D().nearest_internal_rate_hz(2.503e6)
        2500000.0
        """
        return next((rate for rate in self.internal_rates_hz if _agree(rate_hz, rate, tolerance)), None)

    def _check(self, quantity: str, value: float | str) -> None:
        if quantity == "trigger_source":
            if value not in TRIGGER_SOURCES:
                raise ValueError(f"{self.name}: trigger source {value!r} is not one of {', '.join(TRIGGER_SOURCES)}")
        elif quantity == "filter":
            if not isinstance(value, str):
                raise ValueError(f"{self.name}: filter {value!r} is not a text; write what is printed on it")
        elif quantity in RANGES:
            low, high, unit = RANGES[quantity]
            if not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{self.name}: {quantity} {value!r} is outside {low:g} to {high:g} {unit}")
        else:
            known = ", ".join(("trigger_source", "filter", *RANGES))
            raise ValueError(f"{self.name} has no quantity {quantity!r}; it has {known}")

    def _check_internal_rate(self, quantities: dict[str, float | str]) -> None:
        """Refuse an internal rate that the panel's switch does not offer."""
        source = quantities.get("trigger_source", self.trigger_source)
        rate_hz = quantities.get("repetition_rate_hz", self.repetition_rate_hz)
        if source != "internal" or rate_hz is None or rate_hz in self.internal_rates_hz:
            return
        offered = ", ".join(f"{rate:g}" for rate in self.internal_rates_hz)
        raise ValueError(f"{self.name}: the internal rates are {offered} Hz, not {rate_hz} Hz; or declare it external")

    def _is_new(self, quantity: str, value: float | str) -> bool:
        return quantity not in self._valid or self._valid[quantity].value != value

    def _number(self, quantity: str) -> float | None:
        declaration = self._valid.get(quantity)
        return None if declaration is None else float(declaration.value)

    def _text(self, quantity: str) -> str | None:
        declaration = self._valid.get(quantity)
        return None if declaration is None else str(declaration.value)


def _causes(factor: int, sync_hz: float, declared_hz: float) -> Iterator[str]:
    """Say what a sync rate that is `factor` times the declared one, or a fraction of it, comes from."""
    if _agree(sync_hz, factor * declared_hz, RATE_TOLERANCE):
        times = "twice" if factor == 2 else f"{factor} times"
        yield f"{times} the rate set: reflections on the sync cable trigger the counter {factor} times"
    if _agree(sync_hz, declared_hz / factor, RATE_TOLERANCE):
        yield f"1/{factor} of the rate set: a divider of {factor} is not accounted for"


def _agree(measured_hz: float, expected_hz: float, tolerance: float) -> bool:
    return abs(measured_hz - expected_hz) <= tolerance * expected_hz
