"""Every shape of the spot against numerical integration and numerical derivatives."""

import numpy as np
import pytest

from tplm_daq.analysis.ellipse import EllipticalSpot
from tplm_daq.analysis.map_shapes import EllipticalHalo, MixtureOnMap
from tplm_daq.analysis.mixture import MixtureSpot
from tplm_daq.analysis.shapes import GaussianSpot, HaloSpot, Parameter

X_NM = np.linspace(-900.0, 900.0, 13)
AROUND = np.array([700.0, 6e4, 35.0, 1.0, 0.5, np.log(2e5)])
MIXTURE = MixtureSpot.around(X_NM, 101.0, 35.0, 150.0)
GRID_X_NM, GRID_Y_NM = (axis.ravel() for axis in np.meshgrid(X_NM, X_NM[3:10]))
GRID = EllipticalSpot(GRID_X_NM, GRID_Y_NM, (101.0, 140.0))
AROUND_ON_MAP = np.append(AROUND, [8e4, -20.0, 1.5e4])
LATTICE = MixtureOnMap.around(GRID, (35.0, -20.0), 300.0)

SHAPES = {
    "gaussian": (GaussianSpot(X_NM, 101.0), AROUND),
    "halo": (HaloSpot(X_NM, 101.0, 140.0), np.append(AROUND, [0.12, np.log(6.25)])),
    "mixture": (MIXTURE, np.append(AROUND, MIXTURE.gaussian_heights(35.0, 4e4))),
    "ellipse": (GRID, AROUND_ON_MAP),
    "halo on a map": (EllipticalHalo(GRID), np.append(AROUND_ON_MAP, [0.12, np.log(6.25)])),
    "mixture on a map": (LATTICE, np.append(AROUND_ON_MAP, LATTICE.gaussian_heights(AROUND_ON_MAP, 3e4))),
}
GROWN_NM2 = np.array([0.0, 3e4, 1e5])


@pytest.mark.parametrize(("shape", "parameters"), SHAPES.values(), ids=SHAPES)
def test_derivatives_are_those_of_the_value(shape, parameters):
    assert len(parameters) == shape.n_parameters
    spot = shape.spread(parameters, GROWN_NM2)
    steps = 1e-4 * np.maximum(np.abs(parameters), 1.0)
    held = {int(Parameter.VARIANCE)} if isinstance(shape, MixtureSpot | MixtureOnMap) else set()
    for place in set(range(len(parameters))) - held:
        change = np.zeros(len(parameters))
        change[place] = steps[place]
        ends = [shape.spread(parameters + sign * change, GROWN_NM2).value for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * steps[place])
        assert spot.by_parameter.get(place, np.zeros_like(slope)) == pytest.approx(slope, rel=1e-5, abs=1e-8)
    wider, narrower = (shape.spread(parameters, GROWN_NM2 + sign * 10.0).value for sign in (1, -1))
    assert spot.d_broadening == pytest.approx((wider - narrower) / 20.0, rel=1e-4, abs=1e-11)


@pytest.mark.parametrize(("shape", "parameters"), SHAPES.values(), ids=SHAPES)
def test_the_tail_is_a_broad_spot_with_the_same_centre(shape, parameters):
    tail = shape.wrapped_tail(parameters)
    step = 1e-3
    ends = []
    for sign in (1, -1):
        changed = parameters.copy()
        changed[Parameter.LOG_TAIL_VARIANCE] += sign * step
        ends.append(shape.wrapped_tail(changed).value)
    slope = (ends[0] - ends[1]) / (2 * step)
    assert tail.by_parameter[Parameter.LOG_TAIL_VARIANCE] == pytest.approx(slope, rel=1e-4, abs=1e-7)
    assert tail.value.shape == (len(shape.spread(parameters, GROWN_NM2).value), 1)


def grid_average(density, x_nm, y_nm, pixel_nm, n=60):
    """Average over the pixel by many equal cells."""
    step = (np.arange(n) + 0.5) / n - 0.5
    x, y = np.meshgrid(x_nm + pixel_nm[0] * step, y_nm + pixel_nm[1] * step)
    return density(x, y).mean()


def test_the_ellipse_is_averaged_over_the_pixel_of_each_axis():
    shape, parameters = SHAPES["ellipse"]
    value = shape.spread(parameters, GROWN_NM2).value
    for column, grown in enumerate(GROWN_NM2):
        inverse = np.linalg.inv([[6e4 + grown, 1.5e4], [1.5e4, 8e4 + grown]])

        def density(x, y, inverse=inverse):
            dx, dy = x - 35.0, y + 20.0
            return np.exp(-0.5 * (inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2))

        for row in (0, 45, 60):
            expected = grid_average(density, GRID_X_NM[row], GRID_Y_NM[row], (101.0, 140.0))
            assert value[row, column] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_the_halo_loses_less_light_across_the_line_than_the_spot():
    """Two round Gaussians in the plane, cut along y = 0."""
    shape, parameters = SHAPES["halo"]
    value = shape.spread(parameters, GROWN_NM2).value
    for column, grown in enumerate(GROWN_NM2):

        def density(x, y, grown=grown):
            squared = (x - 35.0) ** 2 + y**2
            narrow, broad = 6e4 + grown, 6.25 * 6e4 + grown
            halo = 0.12 * 6.25 * 6e4 / broad * np.exp(-squared / (2 * broad))
            return 6e4 / narrow * np.exp(-squared / (2 * narrow)) + halo

        expected = np.array([grid_average(density, x, 0.0, (101.0, 140.0)) for x in X_NM])
        assert value[:, column] / value[6, column] == pytest.approx(expected / expected[6], rel=1e-2, abs=1e-6)


def test_a_row_of_kernels_makes_any_wider_gaussian_and_spreads_it_exactly():
    parameters = np.append([0.0, 150.0**2, 35.0, 1.0, 0.5, 12.0], MIXTURE.gaussian_heights(35.0, 4e4))
    mixture = MIXTURE.spread(parameters, GROWN_NM2).value
    gaussian = GaussianSpot(X_NM, 101.0).spread(np.array([0.0, 4e4 + 150.0**2, 35.0, 0, 0, 0]), GROWN_NM2).value
    assert mixture / mixture.max(axis=0) == pytest.approx(gaussian / gaussian.max(axis=0), abs=5e-4)
    mean_nm, variance_nm2, error_nm2 = MIXTURE.moments(parameters, np.eye(MIXTURE.n_parameters))
    assert (mean_nm, variance_nm2) == (pytest.approx(35.0, abs=0.1), pytest.approx(4e4 + 150.0**2, rel=1e-3))
    assert error_nm2 > 0


def test_the_prior_of_a_mixture_has_nothing_against_gaussians():
    heights = MIXTURE.gaussian_heights(120.0, 5e4)
    parameters = np.append(np.zeros(6), heights)
    assert parameters @ MIXTURE.smoothness() @ parameters == pytest.approx(0.0, abs=1e-9)
    rough = np.append(np.zeros(6), (-1.0) ** np.arange(len(heights)))
    assert rough @ MIXTURE.smoothness() @ rough > 10
