"""A Gaussian spot on a map: two widths, any orientation, averaged over the pixel of each axis.

Diffusion is the same in all directions, so the two variances grow together and the covariance stays.
The average over the pixel is taken with Gauss-Legendre nodes, as many as its width relative to the
spot asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.models import pixel_profile
from tplm_daq.analysis.shapes import Parameter, Spread

FloatArray = NDArray[np.float64]

VARIANCE_Y, CENTRE_Y, COVARIANCE = (len(Parameter) + place for place in range(3))
"""Places of the variance and the centre along y, and of the covariance of x and y, in the parameter vector."""

_FEWEST_NODES, _MOST_NODES = 3, 12


@dataclass(frozen=True)
class EllipticalSpot:
    """A Gaussian with a covariance matrix at the pulse.

    Attributes
    ----------
    x_nm, y_nm : ndarray of float64, shape (n_position,)
        Pixel centres, in nm.
    pixel_nm : tuple of float
        Width of the pixel along x and y, in nm.
    """

    x_nm: FloatArray
    y_nm: FloatArray
    pixel_nm: tuple[float, float]
    n_parameters: ClassVar[int] = len(Parameter) + 3

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return the spot after its variances have grown, shape (n_position, n_column)."""
        covariance_nm2 = parameters[COVARIANCE]
        xx_nm2, yy_nm2 = parameters[Parameter.VARIANCE] + broadening_nm2, parameters[VARIANCE_Y] + broadening_nm2
        determinant = xx_nm2 * yy_nm2 - covariance_nm2**2
        smallest_nm = np.sqrt(self.smallest_variance_nm2(parameters))
        total = np.zeros((6, len(self.x_nm), len(broadening_nm2)))
        for x_step_nm, x_weight in _nodes(self.pixel_nm[0], smallest_nm):
            dx_nm = (self.x_nm - parameters[Parameter.CENTRE] + x_step_nm)[:, None]
            for y_step_nm, y_weight in _nodes(self.pixel_nm[1], smallest_nm):
                dy_nm = (self.y_nm - parameters[CENTRE_Y] + y_step_nm)[:, None]
                u = (yy_nm2 * dx_nm - covariance_nm2 * dy_nm) / determinant
                v = (xx_nm2 * dy_nm - covariance_nm2 * dx_nm) / determinant
                light = x_weight * y_weight * np.exp(-0.5 * (dx_nm * u + dy_nm * v))
                for row, factor in enumerate((1.0, u, v, 0.5 * u * u, 0.5 * v * v, u * v)):
                    total[row] += light * factor
        value, by_x, by_y, by_xx, by_yy, by_xy = total
        by_parameter = {
            Parameter.VARIANCE: by_xx,
            Parameter.CENTRE: by_x,
            VARIANCE_Y: by_yy,
            CENTRE_Y: by_y,
            COVARIANCE: by_xy,
        }
        return Spread(value, by_xx + by_yy, by_parameter)

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad, round remainder of earlier pulses, shape (n_position, 1)."""
        variance_nm2 = float(np.exp(parameters[Parameter.LOG_TAIL_VARIANCE]))
        x = pixel_profile(self.x_nm[:, None], float(parameters[Parameter.CENTRE]), variance_nm2, self.pixel_nm[0])
        y = pixel_profile(self.y_nm[:, None], float(parameters[CENTRE_Y]), variance_nm2, self.pixel_nm[1])
        d_variance = x.d_variance * y.value + x.value * y.d_variance
        by_parameter = {
            Parameter.CENTRE: x.d_centre * y.value,
            CENTRE_Y: x.value * y.d_centre,
            Parameter.LOG_TAIL_VARIANCE: variance_nm2 * d_variance,
        }
        return Spread(x.value * y.value, d_variance, by_parameter)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance along the short axis of the spot."""
        xx_nm2, yy_nm2, xy_nm2 = parameters[Parameter.VARIANCE], parameters[VARIANCE_Y], parameters[COVARIANCE]
        return float(0.5 * (xx_nm2 + yy_nm2) - np.hypot(0.5 * (xx_nm2 - yy_nm2), xy_nm2))

    def height(self, parameters: FloatArray, broadening_nm2: FloatArray) -> FloatArray:
        """Return the amplitude of a spot of constant total light, shape (n_column,), up to a constant."""
        xx_nm2, yy_nm2 = parameters[Parameter.VARIANCE] + broadening_nm2, parameters[VARIANCE_Y] + broadening_nm2
        return np.asarray(1.0 / np.sqrt(xx_nm2 * yy_nm2 - parameters[COVARIANCE] ** 2))


def _nodes(pixel_nm: float, sigma_nm: float) -> list[tuple[float, float]]:
    """Return places relative to the centre of a pixel, and weights, that average a Gaussian over it."""
    n_nodes = int(np.clip(np.ceil(2.0 + 3.0 * pixel_nm / sigma_nm), _FEWEST_NODES, _MOST_NODES))
    places, weights = np.polynomial.legendre.leggauss(n_nodes)
    return list(zip(0.5 * pixel_nm * places, 0.5 * weights, strict=True))
