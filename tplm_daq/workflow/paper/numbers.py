"""Numbers in the text: enhancement, limit at rare excitation, Foerster radii, excitons per pulse, heating."""

from __future__ import annotations

import numpy as np

from tplm_daq.analysis.excitation import excitation
from tplm_daq.analysis.forster import THEORY_NM, forster_radius
from tplm_daq.analysis.heating import HeatingAssumptions, heating
from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SPACING_ERROR_NM, SeriesRun
from tplm_daq.report.paper.view import Origin, PaperFigure, Row
from tplm_daq.workflow.paper.measured import Measured
from tplm_daq.workflow.paper.published import D_INF_CM2_S
from tplm_daq.workflow.paper.rows import compared, judged, missing

ENHANCEMENT = 15.0
RADII_NM = (17.4, 25.6)
FLUENCE_UJ_CM2, EXCITONS, POWER_NW, RATE_HZ, SPOT_NM = 0.76, 0.08, 10.0, 2.5e6, 500.0
MOST_HEAT_K = 0.01
"""As published."""

SURPLUS_SHARE = (520.0 - 405.0) / 520.0
"""Part of a 405 nm photon's energy that is left over when one of 520 nm is emitted."""


def text_numbers(measured: Measured) -> PaperFigure:
    """Return the table of numbers that stand in the text."""
    fit = measured.group("power").relaxation
    return PaperFigure(
        "text",
        "Numbers in the text",
        "Enhancement and Förster radii follow from the power series of 4A, the limit from pulses 16 and 32 µs apart at "
        "⟨N⟩ = 0.16; the rest is calculated from the conditions of the experiment.",
        None,
        (
            *_from_fit(measured, fit),
            *(_rare(run) for run in measured.runs("rare")),
            *_excitation_rows(),
            _heat_row(),
        ),
        measured.left_out("text"),
        measured.sources("text"),
    )


def _from_fit(measured: Measured, fit: Relaxation | str) -> list[Row]:
    """Compare what follows from the curve of 4A."""
    if isinstance(fit, str):
        return [missing("enhancement", "up to 15 times", fit, Origin.RECOVERED)]
    d_0, d_inf, e_0, e_inf = (
        float(values[0]) for values in (fit.d_0_cm2_s, fit.d_inf_cm2_s, fit.d_0_error_cm2_s, fit.d_inf_error_cm2_s)
    )
    ratio = d_0 / d_inf
    runs = sorted(measured.runs("power"), key=lambda run: run.power_nw)
    return [
        compared(
            "enhancement D0 / D∞",
            ENHANCEMENT,
            ratio,
            ratio * float(np.hypot(e_0 / d_0, e_inf / d_inf)),
            "",
            Origin.RECOVERED,
            paper="up to 15 times",
        ),
        _radius("Förster radius at D∞", RADII_NM[0], d_inf, e_inf, runs[0]),
        _radius("Förster radius at D0", RADII_NM[1], d_0, e_0, runs[-1]),
        judged(
            "Förster radius expected from the spectra",
            "9.5 nm",
            f"{THEORY_NM:g} nm is taken over; the measured D asks for more, see above",
            Origin.CALCULATED,
            "both radii above exceed it",
            d_inf > 0 and forster_radius(d_inf).radius_nm > THEORY_NM,
        ),
    ]


def _radius(quantity: str, published_nm: float, d_cm2_s: float, error_cm2_s: float, run: SeriesRun) -> Row:
    """Compare the Foerster radius of a diffusivity, with the lifetime of a run."""
    lifetime_ns = run.lifetime_ns[0] if run.lifetime_ns is not None else 2.3
    found = forster_radius(d_cm2_s, error_cm2_s, lifetime_ns=lifetime_ns, spacing_error_nm=SPACING_ERROR_NM)
    return compared(
        quantity,
        published_nm,
        found.radius_nm,
        found.error_nm,
        "nm",
        Origin.RECOVERED,
        note=f"Most of the error is that of the distance of nanocrystals, 10 ± {SPACING_ERROR_NM:g} nm (ours)",
    )


def _rare(run: SeriesRun) -> Row:
    return compared(
        f"D with pulses {1e6 / run.repetition_rate_hz:g} µs apart",
        D_INF_CM2_S,
        run.diffusivity_cm2_s,
        run.standard_error_cm2_s,
        "cm²/s",
        Origin.RECOVERED,
        paper="the limit, about 0.01 cm²/s",
    )


def _excitation_rows() -> list[Row]:
    """Compare fluence and excitons per pulse at the published condition, worked out from power, rate and spot."""
    light = excitation(POWER_NW, RATE_HZ, SPOT_NM)
    peak = excitation(POWER_NW, RATE_HZ, SPOT_NM, convention="half_peak").fluence_uj_cm2
    told = f"at {POWER_NW:g} nW, {RATE_HZ / 1e6:g} MHz, {SPOT_NM:g} nm"
    rule = "the same to the digits published"
    return [
        judged(
            f"fluence {told}",
            f"about {FLUENCE_UJ_CM2:g} µJ/cm²",
            f"{light.fluence_uj_cm2:.2f} µJ/cm²",
            Origin.CALCULATED,
            rule,
            f"{light.fluence_uj_cm2:.2f}" == f"{FLUENCE_UJ_CM2:.2f}",
            f"The area is chosen after the published number; E/πw² with the 1/e² radius w is {peak:.2f} µJ/cm² (ours)",
        ),
        judged(
            f"⟨N⟩ {told}",
            f"{EXCITONS:g}",
            f"{light.excitons_per_pulse:.3f}",
            Origin.CALCULATED,
            rule,
            f"{light.excitons_per_pulse:.2f}" == f"{EXCITONS:.2f}",
            "With the cross-section 5.16e-14 cm² (ours) that turns the published fluence into the published ⟨N⟩",
        ),
        judged(
            "t_exc at 10 nW",
            "5 µs",
            f"{light.t_exc_us:.2f} µs",
            Origin.CALCULATED,
            rule,
            f"{light.t_exc_us:.1f}" == "5.0",
        ),
    ]


def _heat_row() -> Row:
    """Compare heating per pulse: if what is not emitted becomes heat, and if all becomes heat."""
    some = heating(EXCITONS, POWER_NW, SPOT_NM, assumptions=HeatingAssumptions(heat_share=SURPLUS_SHARE))
    full = heating(EXCITONS, POWER_NW, SPOT_NM)
    return judged(
        "heating per pulse at ⟨N⟩ = 0.08",
        "below 0.01 K",
        f"{some.per_pulse_k:.3f} K; {full.steady_k:.1g} K in the steady state",
        Origin.CALCULATED,
        "the estimate lies below",
        some.per_pulse_k < MOST_HEAT_K,
        f"If what a photon has more than it emits becomes heat; {full.per_pulse_k:.3f} K if all of it does (ours)",
    )
