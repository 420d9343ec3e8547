"""The simulated microscope: the spreading excitons imaged on one detector pixel, as arrivals over a laser period.

At age u after the pulse the excitons emit A(u), spread as a Gaussian of variance sigma0^2 + MSD(u) per axis (laser spot
and point-spread function in quadrature, plus diffusion). A pixel sees the share of the Gaussian that falls on it. The
arrivals per period are this product over all ages, smeared by the response, delayed by `t0_ns`, and folded: what comes
later than one period is met in the next ones.

Everything but the share of the pixel depends on decay and period alone. It is worked out once, as a matrix from shares
at given ages to arrivals per cell (`folding.py`), so that a new detector position costs one matrix-vector product.

Out of focus the laser spot and the point-spread function widen as Gaussian beams do, each with its own wavelength:
sigma(z) = sigma sqrt(1 + (z / z_R)^2), z_R = 4 pi sigma^2 / wavelength. The light is the same, spread over more area.

What this does not do: aberrations, an elliptical or structured spot, scattered laser light.

Source: Shcherbakov-Wu et al., Science Advances 10, eadj2630 (2024) for spot, magnification, detector and a response of
80 ps; the point-spread function 0.51 x 520 nm / 0.85, the law of defocus (textbook, for beams that are not Gaussian at
NA 0.85), the parts of the response and t0 are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from simulators.detection import DetectorSettings
from simulators.emission import FAR_NS, Emission, uniform_emission
from simulators.folding import Folding, folding
from simulators.sample import Conditions, Sample

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))

LASER_WAVELENGTH_NM, EMISSION_WAVELENGTH_NM = 405.0, 520.0

REFERENCE_PIXEL_NM = 50_000.0 / 495.0
"""Pixel for which the sample's count rate is given: 50 um behind a magnification of 495."""


@dataclass(frozen=True)
class OpticsSettings:
    """Light path of the simulated microscope.

    Attributes
    ----------
    laser_fwhm_nm, psf_fwhm_nm : float
        Width of the laser spot and of the detection's point-spread function at the sample.
    detector_um : float
        Side of the square detector.
    magnifications : tuple of float
        Along x and y; they differ with cylindrical optics.
    laser_pulse_ps, diode_jitter_ps, counter_jitter_ps : float
        Full widths at half maximum of the three parts of the response.
    t0_ns : float
        Delay of the light of a pulse behind the laser's trigger at the counter.
    """

    laser_fwhm_nm: float = 500.0
    psf_fwhm_nm: float = 0.51 * 520.0 / 0.85
    detector_um: float = 50.0
    magnifications: tuple[float, float] = (495.0, 495.0)
    laser_pulse_ps: float = 50.0
    diode_jitter_ps: float = 50.0
    counter_jitter_ps: float = 37.4
    t0_ns: float = 5.0

    @property
    def sigma0_nm(self) -> float:
        """Standard deviation of the image at age 0, in focus, without the pixel, in nm at the sample."""
        return math.hypot(self.laser_fwhm_nm, self.psf_fwhm_nm) / FWHM_PER_SIGMA

    def variance_nm2(self, defocus_nm: float, is_single_emitter: bool = False) -> float:
        """Return the variance of the image at age 0 out of focus, of a single emitter without the laser spot.

        Examples
        --------
        >>> optics = OpticsSettings()
        >>> round(optics.variance_nm2(0.0) ** 0.5), round(optics.variance_nm2(1000.0) ** 0.5)
        (250, 428)
        """
        psf_nm2 = _beam_nm2(self.psf_fwhm_nm / FWHM_PER_SIGMA, EMISSION_WAVELENGTH_NM, defocus_nm)
        if is_single_emitter:
            return psf_nm2
        return psf_nm2 + _beam_nm2(self.laser_fwhm_nm / FWHM_PER_SIGMA, LASER_WAVELENGTH_NM, defocus_nm)

    @property
    def pixel_nm(self) -> tuple[float, float]:
        """Width of the detector along x and y at the sample, in nm."""
        along_x, along_y = (self.detector_um * 1e3 / magnification for magnification in self.magnifications)
        return along_x, along_y

    @property
    def response_fwhm_ns(self) -> float:
        """Full width at half maximum of the response, in ns."""
        return math.hypot(self.laser_pulse_ps, self.diode_jitter_ps, self.counter_jitter_ps) * 1e-3


@dataclass(frozen=True)
class Microscope:
    """Sample, light path and detector together: what a detector pixel at a given place sees.

    Attributes
    ----------
    sample : Sample
        The film.
    optics : OpticsSettings
        The light path.
    detector : DetectorSettings
        For its dark counts.
    """

    sample: Sample = field(default_factory=Sample)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)

    def emission(
        self,
        conditions: Conditions,
        x_nm: float,
        y_nm: float,
        factor: float = 1.0,
        valid_until_ns: int = FAR_NS,
        defocus_nm: float = 0.0,
    ) -> Emission:
        """Return what a detector pixel sees.

        Parameters
        ----------
        conditions : Conditions
            Light and sample.
        x_nm, y_nm : float
            Centre of the pixel relative to the centre of the spot, in nm in the sample plane.
        factor : float
            Brightness relative to the mean (noise of the laser, spot on the film).
        valid_until_ns : int
            Until when the caller holds the result to be true.
        defocus_nm : float
            Distance of the sample from the focal plane.

        Returns
        -------
        Emission
            Arrivals over one period, dark counts included.

        Raises
        ------
        ValueError
            If the period is too short for decay and response.
        """
        period_ns = 1e9 / conditions.repetition_rate_hz
        if conditions.average_power_nw <= 0.0 or conditions.transmission <= 0.0:
            return uniform_emission(self.detector.dark_cps, period_ns, valid_until_ns)
        imaging = _imaging(self.sample, self.optics, conditions, defocus_nm)
        folded = imaging.folded
        shares = [
            pixel_share(place_nm, pixel_nm, imaging.variance_nm2)
            for place_nm, pixel_nm in zip((x_nm, y_nm), self.optics.pixel_nm, strict=True)
        ]
        arrivals = imaging.photons_per_period * factor * (folded.matrix @ (shares[0] * shares[1]))
        arrivals += self.detector.dark_cps * 1e-9 * np.diff(folded.edges_ns)
        return Emission(period_ns, folded.edges_ns, np.concatenate(([0.0], np.cumsum(arrivals))), valid_until_ns)

    def truth(
        self, conditions: Conditions, centre_nm: tuple[float, float] = (0.0, 0.0), defocus_nm: float = 0.0
    ) -> dict[str, object]:
        """Return what a perfect analysis would find; for the record and for tests, never for an analysis.

        Parameters
        ----------
        conditions : Conditions
            Light and sample.
        centre_nm : tuple of float
            Where the spot is, in nm, in the coordinates of the caller.
        defocus_nm : float
            Distance of the sample from the focal plane.

        Returns
        -------
        dict
            `diffusivity_cm2_s`, `sigma0_nm` (laser and point-spread function, without the pixel), `centre_nm`,
            `lifetime_ns`, `tail_exponent`, `background_cps`, `t0_ns`, `response_fwhm_ns`.
        """
        decay = self.sample.decay(conditions)
        return {
            "diffusivity_cm2_s": self.sample.diffusivity_cm2_s(conditions),
            "sigma0_nm": math.sqrt(self.optics.variance_nm2(defocus_nm, self._is_single)),
            "centre_nm": centre_nm,
            "lifetime_ns": decay.lifetime_ns,
            "tail_exponent": decay.tail_exponent,
            "background_cps": self.detector.dark_cps,
            "t0_ns": self.optics.t0_ns,
            "response_fwhm_ns": self.optics.response_fwhm_ns,
        }

    @property
    def _is_single(self) -> bool:
        return self.sample.settings.is_single_emitter


@dataclass(frozen=True)
class _Imaging:
    """The part of the image formation that does not depend on the position.

    Attributes
    ----------
    folded : Folding
        Decay, response and period.
    variance_nm2 : ndarray of float64, shape (n,)
        Of the image at each age.
    photons_per_period : float
        Such that the expected rate of the sample falls on the reference pixel in focus.
    """

    folded: Folding
    variance_nm2: NDArray[np.float64]
    photons_per_period: float


@lru_cache(maxsize=4)
def _imaging(sample: Sample, optics: OpticsSettings, conditions: Conditions, defocus_nm: float) -> _Imaging:
    """Return how light of these conditions is imaged, worked out once."""
    period_ns = 1e9 / conditions.repetition_rate_hz
    sigma_ns = optics.response_fwhm_ns / FWHM_PER_SIGMA
    folded = folding(sample.decay(conditions), period_ns, optics.t0_ns, sigma_ns)
    is_single, spreading_nm2 = sample.settings.is_single_emitter, sample.displacement_nm2(conditions, folded.age_ns)
    in_focus_nm2 = optics.variance_nm2(0.0, is_single) + spreading_nm2
    centre = folded.weights @ pixel_share(0.0, REFERENCE_PIXEL_NM, in_focus_nm2) ** 2
    photons = sample.rate_cps(conditions) * period_ns * 1e-9 / float(centre)
    return _Imaging(folded, optics.variance_nm2(defocus_nm, is_single) + spreading_nm2, photons)


def pixel_share(place_nm: float, width_nm: float, variance_nm2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a Gaussian at 0 that falls on a pixel, along one axis.

    Parameters
    ----------
    place_nm, width_nm : float
        Centre and width of the pixel in nm.
    variance_nm2 : ndarray of float64, shape (n,)
        Variances of the Gaussian in nm^2.

    Returns
    -------
    ndarray of float64, shape (n,)
        Shares, 0 to 1.

    Examples
    --------
    >>> pixel_share(0.0, 2.0, np.array([1.0])).round(4)
    array([0.6827])
    """
    width = np.sqrt(2.0 * variance_nm2)
    share: NDArray[np.float64] = 0.5 * (erf((place_nm + width_nm / 2) / width) - erf((place_nm - width_nm / 2) / width))
    return share


def _beam_nm2(sigma_nm: float, wavelength_nm: float, distance_nm: float) -> float:
    """Return the variance of a Gaussian beam at a distance from its waist of this standard deviation."""
    rayleigh_nm = 4.0 * math.pi * sigma_nm**2 / wavelength_nm
    return float(sigma_nm**2 * (1.0 + (distance_nm / rayleigh_nm) ** 2))
