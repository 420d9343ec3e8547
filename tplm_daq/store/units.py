"""Units of quantities, as the ends of their names say them: `dwell_s` is in seconds."""

from __future__ import annotations

UNITS = {
    "nm": "nm",
    "mm": "mm",
    "um": "um",
    "nm2": "nm^2",
    "um2": "um^2",
    "cm2_s": "cm^2/s",
    "uj_cm2": "uJ/cm^2",
    "ps": "ps",
    "ns": "ns",
    "us": "us",
    "ms": "ms",
    "s": "s",
    "hz": "Hz",
    "khz": "kHz",
    "mhz": "MHz",
    "cps": "1/s",
    "k": "K",
    "nw": "nW",
    "w": "W",
    "v": "V",
    "mv": "mV",
    "nf": "nF",
    "a": "A",
    "ohm": "ohm",
    "deg": "deg",
    "percent": "%",
    "db": "dB",
}
"""Last parts of our names and the units they stand for, spelt as UDUNITS reads them."""


def unit_of(name: str) -> str | None:
    """Return the unit that a name ends in, None if it has none.

    Parameters
    ----------
    name : str
        Name of a quantity, such as "dwell_s".

    Returns
    -------
    str or None
        Unit for the `@units` attribute; None for a pure number or a text.

    Examples
    --------
    >>> unit_of("diffusivity_cm2_s"), unit_of("dwell_s"), unit_of("n_points")
    ('cm^2/s', 's', None)
    """
    parts = name.split("_")
    if len(parts) > 2 and "_".join(parts[-2:]) in UNITS:
        return UNITS["_".join(parts[-2:])]
    return UNITS.get(parts[-1]) if len(parts) > 1 else None
