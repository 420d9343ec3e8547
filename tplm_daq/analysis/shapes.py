"""Shapes of the spot on a line scan, and how they spread: Gaussian, and Gaussian with a halo.

A shape answers one question: how much light does each position collect once the spot's variance has grown
by so much, relative to an amplitude that is free in every delay bin? All shapes share the first parameters
of the vector (`Parameter`); what is theirs alone follows after them. A shape of any form on a line is in
`tplm_daq.analysis.mixture`, an elliptical spot on a map in `tplm_daq.analysis.ellipse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.models import pixel_profile

FloatArray = NDArray[np.float64]


class Parameter(IntEnum):
    """Place of the parameters that all shapes share in the parameter vector."""

    DIFFUSIVITY = 0
    """In nm^2/ns."""
    VARIANCE = 1
    """Of the spot at the pulse, without the pixel, in nm^2; along x on a map, of the kernel in a mixture."""
    CENTRE = 2
    """In nm; along x on a map."""
    FLAT = 3
    """Flat level, in counts per recorded bin at mean dwell."""
    TAIL = 4
    """Height of the wrapped tail before the pulse, in the same unit."""
    LOG_TAIL_VARIANCE = 5
    """Logarithm of the variance of the wrapped tail in nm^2."""


@dataclass(frozen=True)
class Spread:
    """Light collected per unit amplitude, with its derivatives.

    Attributes
    ----------
    value : ndarray of float64, shape (n_position, n_column)
        The light itself.
    d_broadening : ndarray of float64, shape (n_position, n_column)
        Derivative with respect to the growth of the variance, in 1/nm^2.
    by_parameter : mapping of int to ndarray of float64
        Derivatives with respect to parameters, by their place in the vector; all others are zero.
    """

    value: FloatArray
    d_broadening: FloatArray
    by_parameter: Mapping[int, FloatArray]


class SpotShape(Protocol):
    """What the likelihood needs to know of the spot."""

    @property
    def n_parameters(self) -> int:
        """Length of the parameter vector."""

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return the spot after its variance has grown, shape (n_position, n_column)."""

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad remainder of earlier pulses, shape (n_position, 1)."""

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance that is left when the spot shrinks by as much; it must stay positive."""


@dataclass(frozen=True)
class GaussianSpot:
    """A Gaussian on a line, averaged over the pixel.

    Attributes
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres along the line, in nm.
    pixel_nm : float
        Width of the pixel along the line, in nm.
    """

    position_nm: FloatArray
    pixel_nm: float
    n_parameters: ClassVar[int] = len(Parameter)

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return the spot after its variance has grown, shape (n_position, n_column)."""
        variance_nm2 = parameters[Parameter.VARIANCE] + broadening_nm2
        spot = pixel_profile(self.position_nm[:, None], parameters[Parameter.CENTRE], variance_nm2, self.pixel_nm)
        by_parameter: dict[int, FloatArray] = {Parameter.VARIANCE: spot.d_variance, Parameter.CENTRE: spot.d_centre}
        return Spread(spot.value, spot.d_variance, by_parameter)

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad remainder of earlier pulses, shape (n_position, 1)."""
        return tail_on_line(self.position_nm, self.pixel_nm, parameters)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance of the spot."""
        return float(parameters[Parameter.VARIANCE])


@dataclass(frozen=True)
class HaloSpot:
    """Two concentric round Gaussians on a line through their centre.

    The narrow one loses more light off the line than the broad one as both spread, so that the
    ratio of their heights changes with the age.

    Attributes
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres along the line, in nm.
    pixel_nm, pixel_across_nm : float
        Width of the pixel along and across the line, in nm.
    halo, log_ratio : int
        Places of the height of the halo relative to the spot, and of the logarithm of the ratio of their variances.
    """

    position_nm: FloatArray
    pixel_nm: float
    pixel_across_nm: float
    n_parameters: ClassVar[int] = len(Parameter) + 2
    halo: ClassVar[int] = len(Parameter)
    log_ratio: ClassVar[int] = len(Parameter) + 1

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return spot and halo after their variances have grown, shape (n_position, n_column)."""
        start_nm2, centre_nm = parameters[Parameter.VARIANCE], float(parameters[Parameter.CENTRE])
        height, ratio = parameters[self.halo], np.exp(parameters[self.log_ratio])
        narrow_nm2, broad_nm2 = start_nm2 + broadening_nm2, ratio * start_nm2 + broadening_nm2
        narrow = pixel_profile(self.position_nm[:, None], centre_nm, narrow_nm2, self.pixel_nm)
        broad = pixel_profile(self.position_nm[:, None], centre_nm, broad_nm2, self.pixel_nm)
        kept_narrow, loss_narrow = self._kept(narrow_nm2)
        kept_broad, loss_broad = self._kept(broad_nm2)
        share = ratio * kept_broad / kept_narrow
        halo = share * broad.value
        by_broad = share * (broad.d_variance + loss_broad * broad.value)
        by_narrow = narrow.d_variance - height * loss_narrow * halo
        by_parameter = {
            Parameter.VARIANCE: by_narrow + height * ratio * by_broad,
            Parameter.CENTRE: narrow.d_centre + height * share * broad.d_centre,
            self.halo: halo,
            self.log_ratio: height * (halo + ratio * start_nm2 * by_broad),
        }
        return Spread(narrow.value + height * halo, by_narrow + height * by_broad, by_parameter)

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad remainder of earlier pulses, shape (n_position, 1)."""
        return tail_on_line(self.position_nm, self.pixel_nm, parameters)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance of the narrow Gaussian."""
        return float(parameters[Parameter.VARIANCE])

    def _kept(self, variance_nm2: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return light per unit of total light at the centre of the line, and the derivative of its logarithm."""
        across = pixel_profile(np.zeros(1), 0.0, variance_nm2, self.pixel_across_nm)
        return across.value / variance_nm2, across.d_variance / across.value - 1.0 / variance_nm2


def tail_on_line(position_nm: FloatArray, pixel_nm: float, parameters: FloatArray) -> Spread:
    """Return the Gaussian of what earlier pulses left, shape (n_position, 1), on a line."""
    variance_nm2 = float(np.exp(parameters[Parameter.LOG_TAIL_VARIANCE]))
    broad = pixel_profile(position_nm[:, None], float(parameters[Parameter.CENTRE]), variance_nm2, pixel_nm)
    by_parameter: dict[int, FloatArray] = {
        Parameter.CENTRE: broad.d_centre,
        Parameter.LOG_TAIL_VARIANCE: variance_nm2 * broad.d_variance,
    }
    return Spread(broad.value, broad.d_variance, by_parameter)
