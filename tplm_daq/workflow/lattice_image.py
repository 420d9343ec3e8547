"""What the microscope would have counted, had the lattice been under it.

The densities of a lattice simulation are imaged on the pixel positions of a measured run, smeared in time by its
response, scaled to its photons and put on its background; the counts are drawn from Poisson distributions. So lattice
and measurement go through the same analysis, and no definition of a mean square displacement comes between them.

Not in it: light of earlier pulses, dead time, and delays that the lattice's recording does not reach.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, ndtr

from tplm_daq.analysis.result import Result
from tplm_daq.errors import FitError
from tplm_daq.kmc.simulate import Condition, Simulated, simulate
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.kmc import SIGMA_PER_FWHM, KmcRecipe

FloatArray = NDArray[np.float64]

REACH = 4.5
"""Standard deviations of the widest profile that the density maps reach to on each side."""

NODES_PER_RECORDING = 10
"""Between recordings the light is interpolated linearly, at so many points."""


def simulate_light(recipe: KmcRecipe, condition: Condition) -> Simulated:
    """Simulate one condition with density maps that hold all but a few of the excitons.

    Parameters
    ----------
    recipe : KmcRecipe
        Lattice, recording, pulses, seed.
    condition : Condition
        Excitation.

    Returns
    -------
    Simulated
        Its `density` is what `lattice_image` takes.
    """
    lattice = recipe.lattice
    n_steps = (recipe.n_times - 1) * recipe.record_every
    widest = math.sqrt(lattice.sigma**2 + 0.5 * max(lattice.p_hop) * n_steps)
    width = min(lattice.size, 2 * math.ceil(REACH * widest) + 1)
    return simulate(recipe, condition.alpha, condition.tau_pulse_ns, density_width=width)


def lattice_image(
    simulated: Simulated,
    spacing_nm: float,
    measured: TimePositionMap,
    found: Result,
    psf_fwhm_nm: float,
    rng: np.random.Generator,
) -> TimePositionMap:
    """Return counts of the lattice as the microscope of a measured run would have taken them.

    Parameters
    ----------
    simulated : Simulated
        With density maps; its lattice should have the spot of the run.
    spacing_nm : float
        Distance of the lattice's sites.
    measured : TimePositionMap
        Gives positions, pixel, delays, dwell and the number of photons.
    found : Result
        Its analysis: gives centre, zero of the delay, response and background.
    psf_fwhm_nm : float
        Full width at half maximum of the optics' point spread function, in the sample plane.
    rng : numpy.random.Generator
        Draws the counts.

    Returns
    -------
    TimePositionMap
        With the delays up to the end of the lattice's recording.

    Raises
    ------
    FitError
        There are no densities, or no delays or photons to be compared.
    """
    if simulated.density.shape[1] == 0:
        raise FitError("The lattice was simulated without density maps; use simulate_light.")
    response_ns = found.response_fwhm_ns * SIGMA_PER_FWHM
    edges_ns = measured.delay_ns[0] + measured.bin_width_ns * (np.arange(len(measured.delay_ns) + 1) - 0.5)
    n_bins = int(np.searchsorted(edges_ns, found.t0_ns + simulated.time_ns[-1] - 4.0 * response_ns, "right")) - 1
    level = found.background_counts_per_bin
    n_signal = measured.counts[:, : max(n_bins, 0)].sum() - level * len(measured.x_nm) * n_bins
    if n_bins < 1 or n_signal <= 0:
        raise FitError(
            f"The lattice was recorded for {simulated.time_ns[-1]:g} ns, in which the run has no light above its "
            "background. Record for longer (recording.span)."
        )
    where = _imaged(simulated.density, spacing_nm, measured, _centre_nm(measured, found), psf_fwhm_nm * SIGMA_PER_FWHM)
    when = _smeared(simulated.time_ns, edges_ns[: n_bins + 1] - found.t0_ns, response_ns)
    dwell = np.ones(len(where)) if measured.dwell_s is None else measured.dwell_s / measured.dwell_s.mean()
    light = dwell[:, None] * (where @ when)
    expected = light * (n_signal / light.sum()) + level * dwell[:, None]
    return replace(
        measured,
        counts=rng.poisson(expected),
        delay_ns=measured.delay_ns[:n_bins],
        t0_ns=found.t0_ns,
        response_fwhm_ns=found.response_fwhm_ns,
        repetition_rate_hz=1e9 / simulated.tau_pulse_ns,
        dead_time_ns=None,
    )


def _centre_nm(measured: TimePositionMap, found: Result) -> tuple[float, float]:
    """Return where the spot is; a line is taken to pass through its centre."""
    if found.centre_xy_nm is not None:
        return found.centre_xy_nm
    if found.axis == "y":
        return float(measured.x_nm.mean()), found.centre_nm
    return found.centre_nm, float(measured.y_nm.mean())


def _imaged(
    density: NDArray[np.uint32],
    spacing_nm: float,
    measured: TimePositionMap,
    centre_nm: tuple[float, float],
    psf_sigma_nm: float,
) -> FloatArray:
    """Return the light on the pixel at each position, shape (n_position, n_times), in arbitrary units."""
    width = density.shape[1]
    sites_nm = spacing_nm * (np.arange(width) - (width - 1) / 2)
    along_x, along_y = (
        _through_pixel(positions[:, None] - centre - sites_nm, pixel_nm, psf_sigma_nm)
        for positions, centre, pixel_nm in zip(
            (measured.x_nm, measured.y_nm), centre_nm, measured.pixel_nm, strict=True
        )
    )
    # One recording at a time: as floating point numbers all of them would take much memory.
    return np.stack([np.einsum("pr,rp->p", along_y, each @ along_x.T) for each in density], axis=1)


def _through_pixel(offset_nm: FloatArray, pixel_nm: float, psf_sigma_nm: float) -> FloatArray:
    """Return the share of a point's light that falls within a pixel at some distance, along one axis."""
    scale = 1.0 / (math.sqrt(2.0) * psf_sigma_nm)
    half = 0.5 * pixel_nm
    return np.asarray(0.5 * (erf((offset_nm + half) * scale) - erf((offset_nm - half) * scale)))


def _smeared(time_ns: FloatArray, edges_ns: FloatArray, response_sigma_ns: float) -> FloatArray:
    """Return the share of light at each recording that is counted in each bin, shape (n_times, n_bins)."""
    n_nodes = NODES_PER_RECORDING * (len(time_ns) - 1)
    nodes_ns = (np.arange(n_nodes) + 0.5) * (time_ns[-1] / n_nodes)
    fraction = nodes_ns / time_ns[1] - (before := (nodes_ns / time_ns[1]).astype(int))
    weights = np.zeros((len(time_ns), n_nodes))
    weights[before, np.arange(n_nodes)] = 1.0 - fraction
    weights[before + 1, np.arange(n_nodes)] = fraction
    return np.asarray(weights @ np.diff(ndtr((edges_ns - nodes_ns[:, None]) / response_sigma_ns), axis=1))
