"""Fig. 1D: how the photoluminescence decays, and how that changes with the power."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.series_summary import SeriesRun
from tplm_daq.report.paper.view import Curve, Origin, Panel, PaperFigure, Points, Row
from tplm_daq.store.reader import RunFile
from tplm_daq.workflow.paper.measured import Measured, column, power_text
from tplm_daq.workflow.paper.rows import compared, judged, missing, scaled_error

FloatArray = NDArray[np.float64]

LIFETIMES_NS, EXPONENTS = (2.3, 1.5), (1.5, 1.7)
"""At low and at high power, as published."""

SIDEWAYS = 0.005
"""Relative error of lifetime and exponent if the line misses the spot by 40 nm at the largest D (ours)."""

SHOWN_NS, SHOWN_BIN_NS = 20.0, 0.2
JOINED = "The joined law describes the decay best"
"""How the comparison of laws begins if an exponential that turns into a power law is clearly the best."""


def decays(measured: Measured) -> PaperFigure:
    """Return Fig. 1D: decays with their laws, lifetime and exponent against power."""
    runs = sorted(measured.runs("power"), key=lambda run: run.power_nw)
    shown = [runs[0], runs[len(runs) // 2], runs[-1]]
    curves = [
        each
        for number, run in enumerate(shown)
        for each in _decay(measured.open("power", run), run, number if number == 0 else number + 1)
    ]
    decay = Panel(
        "a  Decay",
        "delay after the pulse (ns)",
        "counts / counts at the pulse",
        [each for each in curves if isinstance(each, Points)],
        [each for each in curves if isinstance(each, Curve)],
        is_y_log=True,
    )
    return PaperFigure(
        "1D",
        "Decay of the photoluminescence against power",
        "(a) Counts of all positions in bins of about 0.2 ns, background taken off, each scaled to its fit just after "
        "the pulse. Bars: square root of the counts. Lines: an exponential that turns into a power law at 3 ns, under "
        "the response of laser, detector and counter. (b) Lifetime within 3 ns of the pulse, from the fit of D. (c) "
        "Exponent of the power law from 3 ns on. Dashed: the published values at both ends, joined linearly in log P. "
        "Bars: 95 % intervals.",
        (
            decay,
            _against_power("b  Lifetime", "lifetime (ns)", runs, "lifetime_ns", LIFETIMES_NS),
            _against_power("c  Exponent", "exponent of the power law", runs, "tail_exponent", EXPONENTS),
        ),
        (
            *_ends(runs, "lifetime_ns", "lifetime", "ns", LIFETIMES_NS),
            *_ends(runs, "tail_exponent", "exponent of the tail", "", EXPONENTS),
            _law(measured, runs),
        ),
        sources=measured.sources("1D"),
    )


def _ends(
    runs: Sequence[SeriesRun],
    name: str,
    quantity: str,
    unit: str,
    published: tuple[float, float],
) -> list[Row]:
    """Compare what is known at the lowest and at the highest power."""
    rows = []
    for run, value in zip((runs[0], runs[-1]), published, strict=True):
        found = getattr(run, name)
        told = f"{quantity} at {power_text(run)}"
        if found is None:
            rows.append(missing(told, f"{value:g} {unit}".strip(), "the fit did not determine it", Origin.RECOVERED))
        else:
            error = scaled_error(found)
            rows.append(compared(told, value, found[0], error, unit, Origin.RECOVERED, reason=_sideways(value, found)))
    return rows


def _sideways(published: float, found: tuple[float, float, float]) -> str:
    """Say what a small difference comes from; a larger one has no such reason."""
    if abs(found[0] / published - 1.0) > SIDEWAYS:
        return ""
    return (
        "The interval is statistical alone. A line that misses the middle of the spot sideways by some 20 to 40 nm, as "
        "the search for it and drift allow, changes how the light falls while the spot spreads by up to "
        f"{SIDEWAYS:.1%} (ours)"
    )


def _law(measured: Measured, runs: Sequence[SeriesRun]) -> Row:
    """Count the runs whose decay is clearly best described by an exponential that turns into a power law."""
    verdicts = [_numbers(measured.open("power", run)).get("decay_verdict", "") for run in runs]
    n_best = sum(str(verdict).startswith(JOINED) for verdict in verdicts)
    return judged(
        "law of the decay",
        "exponential over 0 to 3 ns, power law over 3 to 20 ns",
        f"clearly better than four other laws in {n_best} of {len(runs)} runs",
        Origin.RECOVERED,
        "by the Bayesian information criterion in every run",
        n_best == len(runs),
        next((str(verdict) for verdict in verdicts if not str(verdict).startswith(JOINED)), ""),
    )


def _decay(run: RunFile, of: SeriesRun, colour: int) -> tuple[Points, Curve]:
    """Return the decay of a run in wider bins, and its law."""
    numbers = _numbers(run)
    delay_ns, counts, model = (np.asarray(numbers[f"decay_{name}"]) for name in ("delay_ns", "counts", "model"))
    level = _background(delay_ns, counts)
    height = float(np.nanmax(model)) - level
    n_join = max(1, round(SHOWN_BIN_NS / float(delay_ns[1] - delay_ns[0])))
    n_bins = len(delay_ns) // n_join
    age_ns, sums = (values[: n_bins * n_join].reshape(n_bins, n_join).mean(axis=1) for values in (delay_ns, counts))
    error = np.sqrt(np.maximum(sums, 1.0) / n_join)
    inside = (age_ns > 0) & (age_ns < SHOWN_NS) & (sums - level > 0)
    x, y, half = age_ns[inside], (sums - level)[inside] / height, error[inside] / height
    drawn = (delay_ns > 0) & (delay_ns < SHOWN_NS) & np.isfinite(model) & (model > level)
    return (
        Points(x, y, np.maximum(y - half, 0.1 * y), y + half, power_text(of), colour),
        Curve(delay_ns[drawn], (model[drawn] - level) / height, "", 1),
    )


def _background(delay_ns: FloatArray, counts: FloatArray) -> float:
    """Return the counts per bin before the pulse, which are also under it."""
    before = delay_ns < -0.5
    return float(counts[before].mean()) if before.any() else 0.0


def _against_power(
    title: str, label: str, runs: Sequence[SeriesRun], name: str, published: tuple[float, float]
) -> Panel:
    """Return a panel with a quantity of the decay against power, and the published values at both ends."""
    known = [run for run in runs if getattr(run, name) is not None]
    value, low, high = (np.array([getattr(run, name)[i] for run in known]) for i in range(3))
    power_nw = column(known, "power_nw")
    ends = np.array([power_nw.min(), power_nw.max()])
    return Panel(
        title,
        "average power (nW)",
        label,
        (Points(power_nw, value, low, high, "measured"),),
        (Curve(ends, np.array(published), "published", 1, is_dashed=True),),
        is_x_log=True,
        from_zero=False,
    )


def _numbers(run: RunFile) -> dict[str, object]:
    stored = run.latest_result()
    return {} if stored is None else dict(stored.values)
