"""The global fit against an independent optimiser and against the Cramér-Rao bound."""

from dataclasses import replace

import numpy as np
import pytest
from iminuit import Minuit
from scipy.special import erf

from tests.analysis.synthetic import Scene, as_map, drawn, expected_counts, photons_per_pulse
from tplm_daq.analysis.binning import bin_for_fit
from tplm_daq.analysis.checks import checked_scan
from tplm_daq.analysis.diffusion import fit_diffusion
from tplm_daq.analysis.likelihood import TAIL_LOG_SPREAD
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.errors import FitError

PLAIN = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.05, span_ns=10.0)


def pixel_gaussian(x_nm, centre_nm, variance_nm2, pixel_nm):
    root = np.sqrt(2 * variance_nm2)
    high, low = (x_nm - centre_nm + pixel_nm / 2) / root, (x_nm - centre_nm - pixel_nm / 2) / root
    return np.sqrt(np.pi) / 2 * root / pixel_nm * (erf(high) - erf(low))


def written_out(data, prior_nm2):
    """Twice the negative log-likelihood with every amplitude written out, as a function of all parameters."""
    x_nm = data.position_nm[:, None]

    def cost(parameters):
        d, variance_nm2, centre_nm, flat, tail, log_tail = parameters[:6]
        spot = pixel_gaussian(x_nm, centre_nm, variance_nm2 + 2 * d * data.age_ns, data.pixel_nm)
        broad = pixel_gaussian(x_nm, centre_nm, np.exp(log_tail), data.pixel_nm)
        window = data.exposure * (parameters[6:] * spot + flat + tail * data.wrapped * broad)
        before = data.prepulse_exposure * (flat + tail * broad[:, 0])
        total = 2 * np.sum(window - data.counts * np.log(window))
        total += 2 * np.sum(before - data.prepulse_counts * np.log(before))
        return total + ((log_tail - np.log(prior_nm2)) / TAIL_LOG_SPREAD) ** 2

    return cost


@pytest.mark.parametrize("peak_cps", [20e3, 1e3])
def test_iminuit_finds_the_same_maximum_and_the_same_error(peak_cps):
    scene = Scene(peak_cps=peak_cps, bin_width_ns=0.05, dead_time_ns=None, diffusivity_cm2_s=0.05)
    data = bin_for_fit(checked_scan(drawn(scene, seed=7)), window_ns=3.0, bin_width_ns=0.5)
    fit = fit_diffusion(data)
    prior_nm2 = np.exp(fit.problem.likelihood.prior.mean[Parameter.LOG_TAIL_VARIANCE])
    start = np.concatenate([fit.parameters * 1.01, fit.amplitude * 0.99])
    minuit = Minuit(written_out(data, prior_nm2), start)
    minuit.errordef = 1.0
    minuit.strategy = 2
    minuit.limits = [(None, None), (1, None), (None, None), (0, None), (0, None), (None, None)] + [(0, None)] * len(
        fit.amplitude
    )
    minuit.migrad(ncall=20_000)
    d, error = fit.value(Parameter.DIFFUSIVITY), fit.error(Parameter.DIFFUSIVITY)
    assert minuit.valid
    assert abs(minuit.values[0] - d) < 0.01 * error
    assert abs(minuit.values[1] - fit.value(Parameter.VARIANCE)) < 0.01 * fit.error(Parameter.VARIANCE)
    assert minuit.errors[0] == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize("peak_cps", [20e3, 1e3])
def test_the_maximum_is_that_of_iminuit_and_nearer_than_a_millionth_of_a_standard_error(peak_cps):
    """Both climb the same likelihood; the test above shows that it is the right one.

    MIGRAD stops where an estimated `edm` of log likelihood is left to climb, sqrt(2 edm) standard errors away.
    """
    data = bin_for_fit(checked_scan(drawn(Scene(peak_cps=peak_cps, bin_width_ns=0.05), seed=8)), 3.0, 0.05)
    fit = fit_diffusion(data)
    evaluate, scale = fit.problem.likelihood.evaluate, np.sqrt(np.diag(fit.covariance))

    def cost(steps):
        return fit.log_likelihood - evaluate(fit.parameters + scale * steps).log_likelihood

    def slope(steps):
        return -scale * evaluate(fit.parameters + scale * steps).gradient

    minuit = Minuit(cost, np.full(6, 0.05), grad=slope)
    minuit.errordef, minuit.tol, minuit.strategy = Minuit.LIKELIHOOD, 1e-10, 2
    minuit.migrad(ncall=10_000)
    left_to_climb = np.sqrt(2 * minuit.fmin.edm)
    assert left_to_climb < 1e-4
    assert np.abs(minuit.values[0]) < 3 * left_to_climb
    newton_step = (fit.covariance / np.outer(scale, scale)) @ slope(np.zeros(6))
    assert np.abs(newton_step).max() < 1e-6


def cramer_rao_bound(scene):
    """Smallest standard error of D with spot width, centre, flat level and all amplitudes unknown, no wrapped tail."""
    bright = replace(scene, dark_cps=0.0)
    mean = expected_counts(bright)
    level = scene.dark_cps * 1e-9 * scene.bin_width_ns * scene.n_pulses
    changes = {"diffusivity_cm2_s": 1e-4, "sigma0_nm": 0.1, "centre_nm": 0.1}
    shared = [
        (expected_counts(replace(bright, **{name: getattr(scene, name) + step})) - mean) / step
        for name, step in changes.items()
    ]
    shared.append(np.ones_like(mean))
    delay_ns = (np.arange(scene.n_bins) + 0.5) * scene.bin_width_ns - scene.t0_ns
    used = (delay_ns > -0.04) & (delay_ns < 3.0)
    before = delay_ns < -0.32
    jacobian = np.stack(shared)[:, :, used]
    spot, total = mean[:, used], mean[:, used] + level
    information = np.einsum("pxt,qxt->pq", jacobian / total, jacobian)
    information[3, 3] += before.sum() * len(mean) / level
    mixed = np.einsum("pxt,xt->pt", jacobian / total, spot)
    information -= (mixed / (spot**2 / total).sum(axis=0)) @ mixed.T
    return np.sqrt(np.linalg.inv(information)[0, 0])


@pytest.mark.parametrize("diffusivity_cm2_s", [0.01, 0.15])
@pytest.mark.parametrize("peak_cps", [20e3, 500.0])
def test_the_standard_error_is_the_cramer_rao_bound(peak_cps, diffusivity_cm2_s):
    """Allowing for a wrapped tail that is not there costs less than 1 %."""
    scene = replace(PLAIN, peak_cps=peak_cps, diffusivity_cm2_s=diffusivity_cm2_s)
    data = bin_for_fit(checked_scan(as_map(scene, expected_counts(scene))), window_ns=3.0, bin_width_ns=0.05)
    error_cm2_s = fit_diffusion(data).error(Parameter.DIFFUSIVITY) / 1e5
    assert error_cm2_s == pytest.approx(cramer_rao_bound(scene), rel=0.01)


EXACT = {
    "plain": PLAIN,
    "wrapped tail at 2.5 MHz": replace(PLAIN, has_wrapped_tail=True),
    "wrapped tail at 10 MHz": replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=1e7),
    "dead time": Scene(bin_width_ns=0.05),
    "dead time of several periods": Scene(bin_width_ns=0.05, repetition_rate_hz=2e7, span_ns=50.0),
    "off-centre": replace(PLAIN, centre_nm=130.0, off_axis_nm=80.0),
    "slow": replace(PLAIN, diffusivity_cm2_s=0.01),
    "fast": replace(PLAIN, diffusivity_cm2_s=0.15),
    "wide bins": replace(PLAIN, bin_width_ns=0.128),
    "wide pixel": replace(PLAIN, pixel_nm=300.0),
    "slow response": replace(PLAIN, response_fwhm_ns=0.2),
}


@pytest.mark.parametrize("scene", EXACT.values(), ids=EXACT)
def test_expected_counts_give_back_the_truth(scene):
    """The bias of the model itself, without noise: less than a tenth of a percent of D."""
    counts = expected_counts(scene)
    data = bin_for_fit(checked_scan(as_map(scene, counts)), window_ns=3.0, bin_width_ns=0.05)
    fit = fit_diffusion(data)
    assert fit.value(Parameter.DIFFUSIVITY) / 1e5 == pytest.approx(scene.diffusivity_cm2_s, rel=1e-3)
    assert np.sqrt(fit.value(Parameter.VARIANCE)) == pytest.approx(scene.sigma0_nm, rel=1e-3)
    assert fit.value(Parameter.CENTRE) == pytest.approx(scene.centre_nm, abs=0.1)


def test_without_delays_before_the_pulse_the_wrapped_tail_biases_at_high_repetition_rates():
    """Why the second Gaussian and the counts before the pulse are there."""
    scene = replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7)
    data = bin_for_fit(checked_scan(as_map(scene, expected_counts(scene))), window_ns=3.0, bin_width_ns=0.05)
    flat_only = fit_diffusion(
        replace(data, prepulse_exposure=np.zeros_like(data.prepulse_exposure), is_tail_fitted=False)
    )
    complete = fit_diffusion(data)
    assert flat_only.value(Parameter.DIFFUSIVITY) / 1e5 > 0.07 * 1.015
    assert complete.value(Parameter.DIFFUSIVITY) / 1e5 == pytest.approx(0.07, rel=5e-3)


def test_uneven_dwell_does_not_shift_the_result():
    dwell_s = np.random.default_rng(1).uniform(1.0, 20.0, 41)
    counts = photons_per_pulse(PLAIN, whole_period=False) * PLAIN.repetition_rate_hz * dwell_s[:, None]
    data = bin_for_fit(checked_scan(as_map(PLAIN, counts, dwell_s=dwell_s)), window_ns=3.0, bin_width_ns=0.05)
    assert fit_diffusion(data).value(Parameter.DIFFUSIVITY) / 1e5 == pytest.approx(0.07, rel=1e-3)


BAD_SPOTS = {
    "beside the range": ({"centre_nm": 1300.0}, "outside the positions measured .* Measure on both sides"),
    "no spot": ({"sigma0_nm": 9e4, "diffusivity_cm2_s": 0.0}, "seems wider|spot's centre|did not converge|is known to"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_SPOTS.values(), ids=BAD_SPOTS)
def test_a_spot_that_is_not_in_the_range_is_refused(changes, message):
    scene = replace(PLAIN, peak_cps=2e3, **changes)
    data = bin_for_fit(checked_scan(drawn(scene, seed=2)), window_ns=3.0, bin_width_ns=0.05)
    with pytest.raises(FitError, match=message):
        fit_diffusion(data)


def test_too_few_photons_for_a_width_say_how_well_it_is_known():
    expected = expected_counts(replace(PLAIN, peak_cps=20e3)) * 1e-5
    messages = []
    for seed in range(10):
        counts = np.random.default_rng(seed).poisson(expected)
        data = bin_for_fit(checked_scan(as_map(PLAIN, counts, t0_ns=5.0)), window_ns=3.0, bin_width_ns=0.05)
        try:
            fit_diffusion(data)
        except FitError as error:
            messages.append(str(error))
    assert any("is known to" in message and "Measure longer" in message for message in messages)
