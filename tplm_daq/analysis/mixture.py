"""A spot of any shape on a line: a row of narrow Gaussians whose heights are free and smooth.

The profile at an age is the profile at the pulse convolved with a Gaussian of variance ``2 D age`` (equation 4
of Science Advances 10, eadj2630 (2024)). Written as a sum of equal Gaussians at fixed places, the
convolution is exact: the variance of each grows. The heights are estimated from all delays together
with the diffusivity, as logarithms, hence positive; a prior holds their third differences small,
which leaves every Gaussian as it is and asks other shapes to be smooth.

Along the other axis the spot is taken to have one width everywhere. Details much finer than half of the
spot's width are smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.models import pixel_profile
from tplm_daq.analysis.shapes import Parameter, Spread, tail_on_line

FloatArray = NDArray[np.float64]

KERNEL_WIDTH = 0.5
"""Standard deviation of the kernels relative to that of the spot."""

SPACING = 1.2
"""Distance of the kernels in their standard deviations; a flat row of them is even to one part in a million."""

ROUGHNESS = 0.5
"""Standard deviation of the third differences of the logarithms of the heights, in the prior."""

MARGIN = 2.0
"""Kernels reach this many of their standard deviations beyond the positions."""


@dataclass(frozen=True)
class MixtureSpot:
    """Equal Gaussians at fixed places on a line, averaged over the pixel.

    Attributes
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres along the line, in nm.
    pixel_nm : float
        Width of the pixel along the line, in nm.
    place_nm : ndarray of float64, shape (n_kernel,)
        Centres of the kernels, in nm.
    """

    position_nm: FloatArray
    pixel_nm: float
    place_nm: FloatArray

    @classmethod
    def around(cls, position_nm: FloatArray, pixel_nm: float, centre_nm: float, kernel_nm: float) -> MixtureSpot:
        """Put kernels of a standard deviation along the positions, one of them at the centre of the spot."""
        step_nm = SPACING * kernel_nm
        n_left = int(np.ceil((centre_nm - position_nm.min()) / step_nm + MARGIN / SPACING))
        n_right = int(np.ceil((position_nm.max() - centre_nm) / step_nm + MARGIN / SPACING))
        return cls(position_nm, pixel_nm, centre_nm + step_nm * np.arange(-n_left, n_right + 1, dtype=np.float64))

    @property
    def n_parameters(self) -> int:
        """Length of the parameter vector: the logarithms of the heights follow the shared ones."""
        return len(Parameter) + len(self.place_nm)

    def spread(self, parameters: FloatArray, broadening_nm2: FloatArray) -> Spread:
        """Return the spot after its variance has grown, shape (n_position, n_column)."""
        height = np.exp(parameters[len(Parameter) : self.n_parameters])
        offset_nm = (self.position_nm - self.place_nm[:, None])[:, :, None]
        kernel = pixel_profile(offset_nm, 0.0, parameters[Parameter.VARIANCE] + broadening_nm2, self.pixel_nm)
        part = height[:, None, None] * kernel.value
        return Spread(
            part.sum(axis=0),
            np.tensordot(height, kernel.d_variance, axes=1),
            {len(Parameter) + place: light for place, light in enumerate(part)},
        )

    def wrapped_tail(self, parameters: FloatArray) -> Spread:
        """Return the broad remainder of earlier pulses, shape (n_position, 1)."""
        return tail_on_line(self.position_nm, self.pixel_nm, parameters)

    def smallest_variance_nm2(self, parameters: FloatArray) -> float:
        """Return the variance of the kernels."""
        return float(parameters[Parameter.VARIANCE])

    def gaussian_heights(self, centre_nm: float, variance_nm2: float) -> FloatArray:
        """Return logarithms of heights that make a Gaussian wider than the kernels, shape (n_kernel,)."""
        return np.asarray(-((self.place_nm - centre_nm) ** 2) / (2.0 * variance_nm2))

    def smoothness(self) -> FloatArray:
        """Return the information of the prior on the parameters, shape (n_parameters, n_parameters)."""
        third = np.diff(np.eye(len(self.place_nm)), n=3, axis=0)
        information = np.zeros((self.n_parameters, self.n_parameters))
        information[len(Parameter) :, len(Parameter) :] = third.T @ third / ROUGHNESS**2
        return information

    def moments(self, parameters: FloatArray, covariance: FloatArray) -> tuple[float, float, float]:
        """Return mean and variance of the spot at the pulse, in nm and nm^2, and the variance's standard error."""
        heights = slice(len(Parameter), self.n_parameters)
        height = np.exp(parameters[heights])
        share = height / height.sum()
        mean_nm = float(share @ self.place_nm)
        squares_nm2 = (self.place_nm - mean_nm) ** 2
        between_nm2 = float(share @ squares_nm2)
        slope = share * (squares_nm2 - between_nm2)
        error_nm2 = float(np.sqrt(slope @ covariance[heights, heights] @ slope))
        return mean_nm, float(parameters[Parameter.VARIANCE]) + between_nm2, error_nm2
