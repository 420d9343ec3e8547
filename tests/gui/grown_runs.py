"""Maps as they grow, made without a rig."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.gui.derived import derive
from tplm_daq.gui.growing import GrowingMap, layout_of
from tplm_daq.gui.picture import History, Picture
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.load import load_scan

DIFFUSIVITY_CM2_S = 0.07
CENTRE_NM = 30.0
T0_NS, LIFETIME_NS, SIGMA0_NM = 5.0, 1.6, 250.0
PIXEL_NM = 101.0
RATE_HZ = 2.5e6


def recipe_of(*changes: str, name: str = "scan_line") -> ScanRecipe:
    return load_scan(f"configs/{name}.yaml", "configs/rig_sim.yaml", changes)[0]


def drawn_counts(recipe: ScanRecipe, n_peak: float, seed: int = 1) -> NDArray[np.uint32]:
    """Draw a histogram for every position of a path: a spreading Gaussian with an exponential decay."""
    rng = np.random.default_rng(seed)
    width_ns = recipe.counter.bin_width_ps * 1e-3
    age_ns = (np.arange(round(recipe.counter.span_ns / width_ns)) + 0.5) * width_ns - T0_NS
    distance_nm2 = np.sum((layout_of(recipe).offset_nm) ** 2, axis=1)
    variance_nm2 = SIGMA0_NM**2 + 2 * DIFFUSIVITY_CM2_S * NM2_PER_NS_PER_CM2_PER_S * np.maximum(age_ns, 0)
    decay = np.where(age_ns > 0, np.exp(-age_ns / LIFETIME_NS), 0.0)
    spot = SIGMA0_NM**2 / variance_nm2 * np.exp(-distance_nm2[:, None] / (2 * variance_nm2))
    expected = n_peak * decay * spot + 0.01
    return rng.poisson(expected).astype(np.uint32)


def grown(recipe: ScanRecipe, counts: NDArray[np.uint32], dwell_s: float = 2.0) -> GrowingMap:
    growing = GrowingMap(recipe)
    for index, (offset, row) in enumerate(zip(layout_of(recipe).offset_nm, counts, strict=True)):
        growing.add(index, (float(offset[0]) + CENTRE_NM, float(offset[1])), dwell_s, row)
    return growing


def picture_of(recipe: ScanRecipe, n_peak: float = 60.0) -> Picture:
    """Return a picture of a whole run with its fit."""
    counts = drawn_counts(recipe, n_peak)
    latest = grown(recipe, counts).latest()
    assert latest is not None
    width_ns = recipe.counter.bin_width_ps * 1e-3
    data = TimePositionMap(
        counts=counts,
        x_nm=latest.x_nm,
        y_nm=latest.y_nm,
        delay_ns=(np.arange(counts.shape[1]) + 0.5) * width_ns,
        dwell_s=latest.dwell_s,
        repetition_rate_hz=RATE_HZ,
        response_fwhm_ns=0.02,
        dead_time_ns=1e-3,
    )
    result = analyse(data, recipe.analysis)
    history = History()
    history.add(result)
    return Picture(
        title=recipe.title,
        grown=latest,
        live=LiveResult(result, len(counts)),
        history=history.steps,
        derived=derive(latest, result, RATE_HZ),
    )
