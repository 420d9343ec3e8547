"""Foerster radius that a diffusivity implies, if excitons hop between nearest neighbours of a lattice.

Hopping with the rate ``(R0 / l)^6 / tau`` to each of the four neighbours of a square lattice of spacing ``l``
gives ``D = c R0^6 / (tau l^4)`` with c = 1. Theory gives 9.5 nm for these nanocrystals; the published diffusivities
imply 17.4 to 25.6 nm (Science Advances 10, eadj2630 (2024)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.errors import InputError

SPACING_NM = 10.0
LIFETIME_NS = 2.3
"""Distance of the nanocrystals, and lifetime at low power (Science Advances 10, eadj2630 (2024))."""

THEORY_NM = 9.5
"""Foerster radius expected from absorption and emission spectra (same source)."""


@dataclass(frozen=True)
class ForsterRadius:
    """Radius with its standard error, in nm."""

    radius_nm: float
    error_nm: float


def forster_radius(
    diffusivity_cm2_s: float,
    diffusivity_error_cm2_s: float = 0.0,
    lifetime_ns: float = LIFETIME_NS,
    lifetime_error_ns: float = 0.0,
    spacing_nm: float = SPACING_NM,
    spacing_error_nm: float = 0.0,
    geometry: float = 1.0,
) -> ForsterRadius:
    """Return the radius at which an exciton hops as often as it decays.

    Parameters
    ----------
    diffusivity_cm2_s, diffusivity_error_cm2_s : float
        Diffusivity per axis and its standard error, in cm2/s.
    lifetime_ns, lifetime_error_ns : float
        Lifetime of the excitons, in ns.
    spacing_nm, spacing_error_nm : float
        Distance of neighbours, in nm; it contributes most to the error.
    geometry : float
        The constant c; 1 for the square lattice with hops to nearest neighbours.

    Returns
    -------
    ForsterRadius
        Radius and standard error, propagated to first order.

    Raises
    ------
    InputError
        If a quantity is not positive or an error is negative.

    Examples
    --------
    >>> slow, fast = forster_radius(0.01, spacing_error_nm=0.7), forster_radius(0.15)
    >>> round(slow.radius_nm, 1), round(slow.error_nm, 1), round(fast.radius_nm, 1)
    (16.9, 0.8, 26.5)
    """
    values = {"diffusivity_cm2_s": diffusivity_cm2_s, "lifetime_ns": lifetime_ns, "spacing_nm": spacing_nm}
    for name, value in {**values, "geometry": geometry}.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; a Foerster radius needs it finite and positive.")
    errors = (diffusivity_error_cm2_s, lifetime_error_ns, spacing_error_nm)
    if not all(np.isfinite(error) and error >= 0 for error in errors):
        raise InputError(f"Standard errors {errors} must be finite and not negative.")
    sixth_nm6 = diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * lifetime_ns * spacing_nm**4 / geometry
    radius_nm = sixth_nm6 ** (1.0 / 6.0)
    relative = np.array(errors) / np.array(list(values.values()))
    return ForsterRadius(radius_nm, radius_nm / 6.0 * float(np.linalg.norm(relative * (1.0, 1.0, 4.0))))
