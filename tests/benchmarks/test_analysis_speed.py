"""How fast the analysis is, against what one would use instead; printed by `make bench`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
from iminuit import Minuit

from tests.analysis.synthetic import Scene, drawn
from tplm_daq.analysis.binning import bin_for_fit
from tplm_daq.analysis.checks import checked_scan
from tplm_daq.analysis.diffusion import fit_diffusion
from tplm_daq.analysis.intervals import bootstrap_interval
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.recipes.analysis import AnalysisRecipe

pytestmark = pytest.mark.slow

SCENE = Scene(bin_width_ns=0.016, span_ns=65.536)


def median_s(call: Callable[[], object], n_rounds: int = 11) -> float:
    """Return the median time of a call in s, after one that is not counted."""
    call()
    times = []
    for _ in range(n_rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n  {text}")


def test_global_fit_against_minuit(capsys: pytest.CaptureFixture[str]) -> None:
    """Minuit gets the same likelihood and gradient, and starts at the truth."""
    binned = bin_for_fit(checked_scan(drawn(SCENE, 2)), 3.0, 0.05)
    fit = fit_diffusion(binned)
    evaluate, scale = fit.problem.likelihood.evaluate, np.sqrt(np.diag(fit.covariance))

    def minuit() -> None:
        Minuit(
            lambda steps: -evaluate(fit.parameters + scale * steps).log_likelihood,
            np.full(6, 0.1),
            grad=lambda steps: -scale * evaluate(fit.parameters + scale * steps).gradient,
        ).migrad()

    ours, theirs = median_s(lambda: fit_diffusion(binned)), median_s(minuit, 3)
    report(capsys, f"global fit, 41 x {binned.counts.shape[1]} bins: {ours * 1e3:.1f} ms, {theirs / ours:.1f} x MIGRAD")
    assert theirs > ours


@pytest.mark.parametrize(
    "recipe",
    [AnalysisRecipe(method=method) for method in ("auto", "convolution", "lsq", "paper")],
    ids=lambda r: r.method,
)
def test_whole_analysis(capsys: pytest.CaptureFixture[str], recipe: AnalysisRecipe) -> None:
    data = drawn(SCENE, 3)
    taken = median_s(lambda: analyse(data, recipe))
    report(capsys, f"analysis with method {recipe.method}, 41 x {data.counts.shape[1]}: {taken * 1e3:.1f} ms")


def test_two_hundred_bootstrap_scans(capsys: pytest.CaptureFixture[str]) -> None:
    fit = fit_diffusion(bin_for_fit(checked_scan(drawn(SCENE, 4)), 3.0, 0.05))
    taken = median_s(lambda: bootstrap_interval(fit, 200, 0), 3)
    report(capsys, f"bootstrap of 200 scans: {taken:.2f} s")
