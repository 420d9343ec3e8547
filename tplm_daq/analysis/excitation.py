"""How often a nanocrystal is excited: fluence, excitons per pulse, and the mean time between two excitations.

Lengths of a Gaussian spot are easily confused: with full width at half maximum ``d`` the intensity falls
to 1/e2 at ``w = d / sqrt(2 ln 2)``. The fluence ``E / (pi w^2)`` is half of the fluence in the middle,
``2 E / (pi w^2)``. The number published, 0.76 uJ/cm2 for 10 nW at 2.5 MHz in a spot of 500 nm, is 7 % above
the former. All three are here; absorption cross-section and convention belong together.

What is published is <N> = 0.08 excitons per nanocrystal and pulse at that power, which `excitons_by_anchor`
scales to others (Science Advances 10, eadj2630 (2024)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError

FloatArray = NDArray[np.float64]
Quantity = FloatArray | float

FluenceConvention = Literal["published", "half_peak", "peak"]
"""``published``: 0.76 uJ/cm2 at the anchor, ``half_peak``: E/(pi w^2), ``peak``: in the middle of the spot."""

ANCHOR_POWER_NW = 10.0
ANCHOR_RATE_HZ = 2.5e6
ANCHOR_SPOT_FWHM_NM = 500.0
ANCHOR_FLUENCE_UJ_CM2 = 0.76
ANCHOR_EXCITONS = 0.08
"""Condition with published numbers (Science Advances 10, eadj2630 (2024))."""

CROSS_SECTION_CM2 = 5.16e-14
"""Absorption cross-section at 405 nm of cubes of 8.3 nm that turns the published fluence into the published <N>."""

WAVELENGTH_NM = 405.0
JOULE_NM = 1.98644586e-16
"""Energy of a photon times its wavelength, h c, in J nm (CODATA 2018)."""


@dataclass(frozen=True)
class Excitation:
    """What one pulse, and the train of pulses, do to a nanocrystal.

    Attributes
    ----------
    pulse_energy_fj : float
        Energy of a pulse at the sample.
    fluence_uj_cm2 : float
        Energy per area in the convention asked for.
    excitons_per_pulse : float
        Mean number <N> of photons absorbed per nanocrystal and pulse.
    t_exc_us : float
        Mean time between two excitations of a nanocrystal; infinite without light.
    """

    pulse_energy_fj: float
    fluence_uj_cm2: float
    excitons_per_pulse: float
    t_exc_us: float


def effective_area_um2(spot_fwhm_nm: Quantity, convention: FluenceConvention) -> Quantity:
    """Return the area by which a pulse's energy is divided to give its fluence.

    Parameters
    ----------
    spot_fwhm_nm : float or ndarray of float64
        Full width at half maximum of the excitation spot, in nm.
    convention : FluenceConvention
        Which area.

    Returns
    -------
    float or ndarray of float64
        Area in um^2.

    Examples
    --------
    >>> [round(effective_area_um2(500.0, each), 3) for each in ("published", "half_peak", "peak")]
    [0.526, 0.567, 0.283]
    """
    if convention == "published":
        area_um2 = 0.1 * (ANCHOR_POWER_NW / ANCHOR_RATE_HZ) * 1e6 / ANCHOR_FLUENCE_UJ_CM2
        return area_um2 * (spot_fwhm_nm / ANCHOR_SPOT_FWHM_NM) ** 2
    half_peak_um2 = 1e-6 * math.pi * spot_fwhm_nm**2 / (2.0 * math.log(2.0))
    return half_peak_um2 if convention == "half_peak" else 0.5 * half_peak_um2


def excitation(
    power_nw: float,
    repetition_rate_hz: float,
    spot_fwhm_nm: float = ANCHOR_SPOT_FWHM_NM,
    cross_section_cm2: float = CROSS_SECTION_CM2,
    wavelength_nm: float = WAVELENGTH_NM,
    convention: FluenceConvention = "published",
) -> Excitation:
    """Work out the excitation from the light and the absorption cross-section.

    Parameters
    ----------
    power_nw : float
        Time-averaged power at the sample, in nW; not negative.
    repetition_rate_hz : float
        Pulse rate in Hz.
    spot_fwhm_nm : float
        Full width at half maximum of the spot, in nm.
    cross_section_cm2 : float
        Absorption cross-section of a nanocrystal, in cm2.
    wavelength_nm : float
        Wavelength of the light, in nm.
    convention : FluenceConvention
        Area that the fluence refers to; the default cross-section belongs to ``published``.

    Returns
    -------
    Excitation
        Pulse energy, fluence, <N> and t_exc.

    Raises
    ------
    InputError
        If a quantity is not positive (power: negative).

    Examples
    --------
    >>> light = excitation(10.0, 2.5e6)
    >>> round(light.fluence_uj_cm2, 2), round(light.excitons_per_pulse, 3), round(light.t_exc_us, 1)
    (0.76, 0.08, 5.0)
    """
    _require_positive(repetition_rate_hz=repetition_rate_hz, spot_fwhm_nm=spot_fwhm_nm)
    _require_positive(cross_section_cm2=cross_section_cm2, wavelength_nm=wavelength_nm)
    if not (np.isfinite(power_nw) and power_nw >= 0):
        raise InputError(f"power_nw is {power_nw:g}; it must be finite and not negative.")
    pulse_energy_fj = 1e6 * power_nw / repetition_rate_hz
    fluence_uj_cm2 = 0.1 * pulse_energy_fj / float(effective_area_um2(spot_fwhm_nm, convention))
    excitons = 1e-6 * fluence_uj_cm2 * cross_section_cm2 / (JOULE_NM / wavelength_nm)
    return Excitation(pulse_energy_fj, fluence_uj_cm2, excitons, float(t_exc_us(excitons, repetition_rate_hz)))


def excitons_by_anchor(
    power_nw: Quantity, repetition_rate_hz: Quantity, spot_fwhm_nm: Quantity = ANCHOR_SPOT_FWHM_NM
) -> Quantity:
    """Scale the published <N> = 0.08 (10 nW, 2.5 MHz, 500 nm) to other light.

    Parameters
    ----------
    power_nw, repetition_rate_hz, spot_fwhm_nm : float or ndarray of float64
        Average power in nW, pulse rate in Hz, full width at half maximum of the spot in nm.

    Returns
    -------
    float or ndarray of float64
        Excitons per nanocrystal and pulse.

    Examples
    --------
    >>> [round(excitons_by_anchor(power_nw, 2.5e6), 3) for power_nw in (0.5, 10.0, 20.0)]
    [0.004, 0.08, 0.16]
    """
    energy = power_nw / ANCHOR_POWER_NW * (ANCHOR_RATE_HZ / repetition_rate_hz)
    return ANCHOR_EXCITONS * energy * (ANCHOR_SPOT_FWHM_NM / spot_fwhm_nm) ** 2


def t_exc_us(excitons_per_pulse: Quantity, repetition_rate_hz: Quantity) -> FloatArray:
    """Return the mean time between two excitations of a nanocrystal, 1/(<N> f).

    Parameters
    ----------
    excitons_per_pulse, repetition_rate_hz : float or ndarray of float64
        <N>, and the pulse rate in Hz.

    Returns
    -------
    ndarray of float64
        Time in us; infinite where there is no light.

    Examples
    --------
    At the published conditions it depends on the average power only, 50 us nW / P:

    >>> [round(float(t_exc_us(excitons_by_anchor(5.0, f), f)), 6) for f in (1e6, 10e6)]
    [10.0, 10.0]
    """
    per_second = np.asarray(excitons_per_pulse, np.float64) * repetition_rate_hz
    return np.divide(1e6, per_second, out=np.full_like(per_second, np.inf), where=per_second > 0)


def _require_positive(**quantities: float) -> None:
    for name, value in quantities.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; it must be finite and positive.")
