"""From photons that reach the film to counts in the histogram: which step loses how many.

A product of factors, each named, so that a measured rate can be compared with what should arrive. The
factors of film and optics are assumptions to be replaced by one's own; expect agreement to an order of
magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from tplm_daq.analysis.excitation import JOULE_NM, WAVELENGTH_NM
from tplm_daq.errors import InputError


@dataclass(frozen=True)
class LightPath:
    """Factors between film and counter; the defaults are assumptions (ours) except where a source is given.

    Attributes
    ----------
    absorbed_share : float
        Part of the incident photons that the film absorbs.
    quantum_yield : float
        Photons emitted per photon absorbed.
    numerical_aperture : float
        Of the objective, in air; 0.85 is a usual 100x.
    transmission : float
        Of objective, filters and lenses together.
    detector_efficiency : float
        Counts per photon on the detector; about 0.5 at 520 nm for silicon avalanche diodes.
    pixel_nm : tuple of float
        Size of the detector at the sample; 50 um behind a magnification of 495 are 101 nm
        (Science Advances 10, eadj2630 (2024)).
    spot_sigma_nm : float
        Standard deviation of the image of the spot, at the sample.
    """

    absorbed_share: float = 0.1
    quantum_yield: float = 0.5
    numerical_aperture: float = 0.85
    transmission: float = 0.5
    detector_efficiency: float = 0.5
    pixel_nm: tuple[float, float] = (101.0, 101.0)
    spot_sigma_nm: float = 250.0


@dataclass(frozen=True)
class CountsBudget:
    """Photons per second after each step, with the detector in the middle of the spot.

    Attributes
    ----------
    incident_per_s, absorbed_per_s, emitted_per_s : float
        Photons that reach the film, that it absorbs, and that it emits.
    collected_per_s : float
        Photons emitted into the objective.
    imaged_per_s : float
        Photons that arrive in the image plane.
    on_detector_per_s : float
        Photons that fall on the detector.
    detected_per_s : float
        Counts, without dark counts and dead time.
    detected_per_pulse : float
        The same per pulse; pile-up is its size.
    path : LightPath
        What the numbers rest on.
    """

    incident_per_s: float
    absorbed_per_s: float
    emitted_per_s: float
    collected_per_s: float
    imaged_per_s: float
    on_detector_per_s: float
    detected_per_s: float
    detected_per_pulse: float
    path: LightPath


def counts_budget(
    power_nw: float, repetition_rate_hz: float, path: LightPath | None = None, wavelength_nm: float = WAVELENGTH_NM
) -> CountsBudget:
    """Follow the photons from the laser to the counter.

    Parameters
    ----------
    power_nw : float
        Time-averaged power at the sample, in nW; not negative.
    repetition_rate_hz : float
        Pulse rate in Hz.
    path : LightPath, optional
        Film, optics and detector.
    wavelength_nm : float
        Wavelength of the excitation, in nm.

    Returns
    -------
    CountsBudget
        Photons per second after each step.

    Raises
    ------
    InputError
        If a factor is not between 0 and 1, or a quantity not positive.

    Examples
    --------
    >>> budget = counts_budget(10.0, 2.5e6)
    >>> f"{budget.incident_per_s:.2g} {budget.emitted_per_s:.2g} {budget.detected_per_s:.2g}"
    '2e+10 1e+09 1.5e+06'
    """
    way = path or LightPath()
    _check(power_nw, repetition_rate_hz, wavelength_nm, way)
    incident = 1e-9 * power_nw * wavelength_nm / JOULE_NM
    absorbed = incident * way.absorbed_share
    emitted = absorbed * way.quantum_yield
    collected = emitted * collected_share(way.numerical_aperture)
    imaged = collected * way.transmission
    half = np.array(way.pixel_nm) / (2.0 * np.sqrt(2.0) * way.spot_sigma_nm)
    on_detector = imaged * float(np.prod(erf(half)))
    detected = on_detector * way.detector_efficiency
    return CountsBudget(
        incident, absorbed, emitted, collected, imaged, on_detector, detected, detected / repetition_rate_hz, way
    )


def collected_share(numerical_aperture: float) -> float:
    """Return the part of isotropic light that enters an objective in air; the refraction of the film is left out.

    Examples
    --------
    >>> round(collected_share(0.85), 3)
    0.237
    """
    return 0.5 * (1.0 - float(np.sqrt(1.0 - numerical_aperture**2)))


def _check(power_nw: float, repetition_rate_hz: float, wavelength_nm: float, path: LightPath) -> None:
    if not (np.isfinite(power_nw) and power_nw >= 0):
        raise InputError(f"power_nw is {power_nw:g}; it must be finite and not negative.")
    positive = {"repetition_rate_hz": repetition_rate_hz, "wavelength_nm": wavelength_nm}
    positive |= {"spot_sigma_nm": path.spot_sigma_nm, "pixel_nm": min(path.pixel_nm)}
    for name, value in positive.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; it must be finite and positive.")
    for name in ("absorbed_share", "quantum_yield", "numerical_aperture", "transmission", "detector_efficiency"):
        value = getattr(path, name)
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{name} is {value:g}; it must be between 0 and 1.")
