"""Spots on a map that are no single Gaussian: with a halo, and of any shape.

Both start from the elliptical Gaussian of `tplm_daq.analysis.ellipse` and keep its parameters in front of their own.
The halo has the centre, the orientation and the ratio of axes of the spot. A spot of any shape is a lattice of narrow
round Gaussians whose heights are free and smooth, as `tplm_daq.analysis.mixture` has them on a line; on a map nothing
need be assumed of the other axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.ellipse import CENTRE_Y, COVARIANCE, VARIANCE_Y, EllipticalSpot
from tplm_daq.analysis.mixture import MARGIN, ROUGHNESS, SPACING
from tplm_daq.analysis.models import pixel_profile
from tplm_daq.analysis.shapes import Parameter, Spread

FloatArray = NDArray[np.float64]

_WIDTHS = [int(Parameter.VARIANCE), VARIANCE_Y, COVARIANCE]
_CENTRES = [int(Parameter.CENTRE), CENTRE_Y]


@dataclass(frozen=True)
class EllipticalHalo:
    """Two concentric elliptical Gaussians, one covariance matrix a multiple of the other.

    Attributes
    ----------
    spot : EllipticalSpot
        The narrow one.
    halo, log_ratio : int
        Places of the height of the halo relative to the spot, and of the logarithm of the ratio of their variances.
    """

    spot: EllipticalSpot
    n_parameters: ClassVar[int] = EllipticalSpot.n_parameters + 2
    halo: ClassVar[int] = EllipticalSpot.n_parameters
    log_ratio: ClassVar[int] = EllipticalSpot.n_parameters + 1

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return spot and halo after their variances have grown, shape (n_position, n_column)."""
        height, ratio = parameters[self.halo], float(np.exp(parameters[self.log_ratio]))
        widened = parameters.copy()
        widened[_WIDTHS] *= ratio
        narrow, broad = self.spot.spread(parameters, broadening_nm2), self.spot.spread(widened, broadening_nm2)
        of_narrow, of_broad = _inverse(parameters, broadening_nm2), _inverse(widened, broadening_nm2)
        # height of the halo over that of the spot, relative to the pulse, and the derivatives of its logarithm
        share = ratio * np.sqrt(_determinant(parameters, broadening_nm2) / _determinant(widened, broadening_nm2))
        by_width = [
            factor * (inner - ratio * outer)
            for factor, inner, outer in zip((0.5, 0.5, 1.0), of_narrow, of_broad, strict=True)
        ]
        by_broadening = 0.5 * (of_narrow[0] + of_narrow[1] - of_broad[0] - of_broad[1])
        turned = sum(
            factor * parameters[place] * outer
            for factor, place, outer in zip((0.5, 0.5, 1.0), _WIDTHS, of_broad, strict=True)
        )
        halo = share * broad.value
        by_parameter = {
            place: narrow.by_parameter[place] + height * (ratio * share * broad.by_parameter[place] + slope * halo)
            for place, slope in zip(_WIDTHS, by_width, strict=True)
        }
        for place in _CENTRES:
            by_parameter[place] = narrow.by_parameter[place] + height * share * broad.by_parameter[place]
        by_parameter[self.halo] = halo
        widening = sum(parameters[place] * broad.by_parameter[place] for place in _WIDTHS)
        by_parameter[self.log_ratio] = height * (share * ratio * widening + (1.0 - ratio * turned) * halo)
        d_broadening = narrow.d_broadening + height * (share * broad.d_broadening + by_broadening * halo)
        return Spread(narrow.value + height * halo, d_broadening, by_parameter)

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad, round remainder of earlier pulses, shape (n_position, 1)."""
        return self.spot.wrapped_tail(parameters)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance along the short axis of the narrow Gaussian."""
        return self.spot.smallest_variance_nm2(parameters)

    def height(self, parameters: FloatArray, broadening_nm2: FloatArray) -> FloatArray:
        """Return the amplitude of a spot of constant total light, shape (n_column,), up to a constant."""
        return self.spot.height(parameters, broadening_nm2)


@dataclass(frozen=True)
class MixtureOnMap:
    """Equal round Gaussians on a lattice, averaged over the pixel.

    Attributes
    ----------
    spot : EllipticalSpot
        Positions and pixel.
    place_x_nm, place_y_nm : ndarray of float64, shapes (n_x,) and (n_y,)
        Columns and rows of the lattice, in nm.
    """

    spot: EllipticalSpot
    place_x_nm: FloatArray
    place_y_nm: FloatArray
    first: ClassVar[int] = EllipticalSpot.n_parameters

    @classmethod
    def around(cls, spot: EllipticalSpot, centre_nm: tuple[float, float], kernel_nm: float) -> MixtureOnMap:
        """Put kernels of a standard deviation on a lattice over the positions, one at the centre of the spot."""
        step_nm = SPACING * kernel_nm
        places = []
        for position_nm, middle_nm in zip((spot.x_nm, spot.y_nm), centre_nm, strict=True):
            n_low = int(np.ceil((middle_nm - position_nm.min()) / step_nm + MARGIN / SPACING))
            n_high = int(np.ceil((position_nm.max() - middle_nm) / step_nm + MARGIN / SPACING))
            places.append(middle_nm + step_nm * np.arange(-n_low, n_high + 1, dtype=np.float64))
        return cls(spot, *places)

    @property
    def n_parameters(self) -> int:
        """Length of the parameter vector: the logarithms of the heights, row by row, follow those of an ellipse."""
        return self.first + len(self.place_x_nm) * len(self.place_y_nm)

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return the spot after its variance has grown, shape (n_position, n_column)."""
        variance_nm2 = parameters[Parameter.VARIANCE] + broadening_nm2
        x, y = (
            pixel_profile((position_nm - place_nm[:, None])[:, :, None], 0.0, variance_nm2, pixel_nm)
            for position_nm, place_nm, pixel_nm in (
                (self.spot.x_nm, self.place_x_nm, self.spot.pixel_nm[0]),
                (self.spot.y_nm, self.place_y_nm, self.spot.pixel_nm[1]),
            )
        )
        height = np.exp(parameters[self.first : self.n_parameters]).reshape(len(self.place_y_nm), len(self.place_x_nm))
        of_rows, of_rows_wider = (np.tensordot(height, each, axes=1) for each in (x.value, x.d_variance))
        part = (height[:, :, None, None] * x.value) * y.value[:, None]
        return Spread(
            (of_rows * y.value).sum(axis=0),
            (of_rows_wider * y.value + of_rows * y.d_variance).sum(axis=0),
            dict(enumerate(part.reshape(-1, *part.shape[2:]), start=self.first)),
        )

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad, round remainder of earlier pulses, shape (n_position, 1)."""
        return self.spot.wrapped_tail(parameters)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance of the kernels."""
        return float(parameters[Parameter.VARIANCE])

    def height(self, parameters: FloatArray, broadening_nm2: FloatArray) -> FloatArray:
        """Return the amplitude of a spot of constant total light, shape (n_column,), up to a constant."""
        return np.asarray(1.0 / (parameters[Parameter.VARIANCE] + broadening_nm2))

    def gaussian_heights(self, parameters: FloatArray, kernel_nm2: float) -> FloatArray:
        """Return logarithms of heights that make the elliptical Gaussian of the parameters, shape (n_kernel,)."""
        narrow = parameters.copy()
        narrow[[Parameter.VARIANCE, VARIANCE_Y]] -= kernel_nm2
        x_nm, y_nm = np.meshgrid(self.place_x_nm - parameters[Parameter.CENTRE], self.place_y_nm - parameters[CENTRE_Y])
        xx, yy, xy = _inverse(narrow, np.zeros(1))
        return np.asarray(-0.5 * (xx * x_nm**2 + yy * y_nm**2 + 2.0 * xy * x_nm * y_nm).ravel())

    def smoothness(self) -> FloatArray:
        """Return the information of the prior on the parameters, shape (n_parameters, n_parameters)."""
        n_y, n_x = len(self.place_y_nm), len(self.place_x_nm)
        along_x, along_y = (np.diff(np.eye(n), n=3, axis=0) for n in (n_x, n_y))
        rough = np.kron(np.eye(n_y), along_x.T @ along_x) + np.kron(along_y.T @ along_y, np.eye(n_x))
        information = np.zeros((self.n_parameters, self.n_parameters))
        information[self.first :, self.first :] = rough / ROUGHNESS**2
        return information

    def moments(self, parameters: FloatArray, covariance: FloatArray) -> list[tuple[float, float, float]]:
        """Return mean, variance and the variance's error of the spot at the pulse, in nm and nm^2, along x and y."""
        heights = slice(self.first, self.n_parameters)
        height = np.exp(parameters[heights])
        share, found = height / height.sum(), []
        for place_nm in np.meshgrid(self.place_x_nm, self.place_y_nm):
            mean_nm = float(share @ place_nm.ravel())
            squares_nm2 = (place_nm.ravel() - mean_nm) ** 2
            between_nm2 = float(share @ squares_nm2)
            slope = share * (squares_nm2 - between_nm2)
            error_nm2 = float(np.sqrt(slope @ covariance[heights, heights] @ slope))
            found.append((mean_nm, float(parameters[Parameter.VARIANCE]) + between_nm2, error_nm2))
        return found


def _determinant(parameters: FloatArray, broadening_nm2: FloatArray) -> FloatArray:
    """Return the determinant of the covariance matrix after it has grown, shape (n_column,)."""
    grown_x, grown_y = parameters[Parameter.VARIANCE] + broadening_nm2, parameters[VARIANCE_Y] + broadening_nm2
    return np.asarray(grown_x * grown_y - parameters[COVARIANCE] ** 2)


def _inverse(parameters: FloatArray, broadening_nm2: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the elements xx, yy and xy of the inverse covariance matrix, shape (n_column,) each."""
    determinant = _determinant(parameters, broadening_nm2)
    grown_x, grown_y = parameters[Parameter.VARIANCE] + broadening_nm2, parameters[VARIANCE_Y] + broadening_nm2
    return grown_y / determinant, grown_x / determinant, -parameters[COVARIANCE] / determinant
