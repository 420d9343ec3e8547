"""Runs of a series with diffusivities of the law D_inf + (D_0 - D_inf) exp(-t_exc / 6 us)."""

from __future__ import annotations

import numpy as np

from tplm_daq.analysis.series_summary import SeriesRun


def series_run(power_nw, off_cm2_s=0.0, **changes):
    d = 0.01 + 0.14 * np.exp(-50.0 / power_nw / 6.0) + off_cm2_s
    made = {
        "label": f"{power_nw:g} nW",
        "source": f"run-{power_nw:g}-nw.h5",
        "is_reference": False,
        "sample": "film 3",
        "detection_filter": "",
        "spot": "",
        "power_nw": power_nw,
        "repetition_rate_hz": 2.5e6,
        "temperature_k": 300.0,
        "n_photons": 1e6,
        "diffusivity_cm2_s": float(d),
        "standard_error_cm2_s": 1e-3,
        "lifetime_ns": (2.0, 1.9, 2.1),
        "tail_exponent": (1.6, 1.59, 1.61),
        "bias_lamp": "green",
        "truth_cm2_s": float(d),
    }
    return SeriesRun(**{**made, **changes})


def power_series(seed=1):
    rng = np.random.default_rng(seed)
    powers_nw = (1.0, 2.0, 4.0, 8.0, 16.0, 1.0)
    return [
        series_run(power_nw, off_cm2_s=1e-3 * rng.normal(), is_reference=number == 5)
        for number, power_nw in enumerate(powers_nw)
    ]
