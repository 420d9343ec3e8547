"""Photon by photon: chance, dead times, after-pulses, and independence of how time is cut."""

import math

import numpy as np
import pytest

from simulators.detection import Detection, DetectorSettings
from simulators.emission import Emission, detected_cps, uniform_emission

PERFECT = DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=0.0, afterpulse_probability=0.0)
SECOND = 1_000_000_000


def pulsed(period_ns: float, photons: float, lifetime_ns: float, n_cell: int = 4000) -> Emission:
    edges_ns = np.linspace(0.0, period_ns, n_cell + 1)
    shape = 1.0 - np.exp(-edges_ns / lifetime_ns)
    return Emission(period_ns, edges_ns, photons * shape / shape[-1])


def photons_of(emission: Emission, settings: DetectorSettings, stop_ns: int, seed: int = 1):
    detection = Detection(settings, np.random.default_rng(seed))
    detection.begin(emission, 0)
    times, delays = zip(*detection.advance(stop_ns), strict=True)
    return np.concatenate(times), np.concatenate(delays)


def renewal_rates(arrivals: np.ndarray, n_dead: int, n_periods: int = 200) -> np.ndarray:
    """r_i = lambda_i (1 - sum of r over the dead time before the middle of cell i), stepped until it repeats."""
    n_cell = len(arrivals)
    rates = np.zeros(n_periods * n_cell + n_dead)
    total = np.zeros(len(rates) + 1)
    for i in range(n_dead, len(rates)):
        arriving = arrivals[(i - n_dead) % n_cell]
        before = total[i] - total[i - n_dead] - rates[i - n_dead] / 2
        rates[i] = arriving * (1.0 - before) / (1.0 + arriving / 2)
        total[i + 1] = total[i] + rates[i]
    return rates[-n_cell:]


def test_light_without_dead_time_gives_poisson_counts():
    times_ns, _ = photons_of(uniform_emission(2e5, 400.0), PERFECT, 2 * SECOND)
    counts = np.bincount((times_ns / 1e5).astype(int), minlength=20_000)
    mean = 20.0
    assert counts.mean() == pytest.approx(mean, abs=4 * math.sqrt(mean / len(counts)))
    dispersion = counts.var(ddof=1) / counts.mean()
    assert dispersion == pytest.approx(1.0, abs=4 * math.sqrt(2 / len(counts)))


def test_delays_follow_the_emission():
    emission = pulsed(100.0, 0.02, 5.0, n_cell=400)
    _, delays_ns = photons_of(emission, PERFECT, 2 * SECOND)
    counts = np.histogram(delays_ns, emission.edges_ns)[0]
    expected = np.diff(emission.cumulative) * 2e9 / 100.0
    kept = expected > 10
    chi2 = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi2 == pytest.approx(kept.sum(), abs=4 * math.sqrt(2 * kept.sum()))


@pytest.mark.parametrize("rate_cps", [1e5, 1e6, 1e7])
@pytest.mark.parametrize(
    "settings",
    [
        DetectorSettings(diode_dead_ns=77.0, counter_dead_ns=0.0, afterpulse_probability=0.0),
        DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=95.0, afterpulse_probability=0.0),
    ],
    ids=["diode", "counter"],
)
def test_constant_light_is_recorded_at_the_non_paralysable_rate(rate_cps, settings):
    dead_s = (settings.diode_dead_ns + settings.counter_dead_ns) * 1e-9
    times_ns, _ = photons_of(uniform_emission(rate_cps, 400.0), settings, SECOND // 2)
    expected = 0.5 * rate_cps / (1 + rate_cps * dead_s)
    assert len(times_ns) == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert np.diff(times_ns).min() >= dead_s * 1e9 - 1e-6


def test_dead_times_act_one_after_the_other():
    # A photon in the blind time of the counter still blinds the diode: fewer than with the counter's dead time alone.
    times_ns, _ = photons_of(uniform_emission(1e7, 400.0), DetectorSettings(afterpulse_probability=0.0), SECOND // 2)
    rate_cps = 2 * len(times_ns)
    n_expected_counter_alone = 1e7 / (1 + 1e7 * 95e-9)
    gap_ns = np.diff(times_ns)
    assert rate_cps < 0.97 * n_expected_counter_alone
    assert gap_ns.min() >= 95.0
    # The diode fires again at 77 ns + exponential(100 ns). If that is lost in the counter, the gap is above 154 ns:
    # gaps just above 95 ns are first firings.
    first = np.exp(-(95 - 77) / 100) - np.exp(-(115 - 77) / 100)
    share = ((gap_ns >= 95) & (gap_ns < 115)).mean()
    assert share == pytest.approx(first, abs=4 * math.sqrt(first / len(gap_ns)))


@pytest.mark.parametrize(("period_ns", "dead_ns"), [(400.0, 95.0), (100.0, 95.0), (25.0, 95.0), (25.0, 77.0)])
def test_pulsed_light_follows_the_renewal_equation(period_ns, dead_ns):
    n_cell = round(period_ns * 20)
    emission = pulsed(period_ns, 0.4, 2.0, n_cell)
    settings = DetectorSettings(diode_dead_ns=dead_ns, counter_dead_ns=0.0, afterpulse_probability=0.0)
    seconds = 0.1
    _, delays_ns = photons_of(emission, settings, round(seconds * SECOND))
    rates = renewal_rates(np.diff(emission.cumulative), round(dead_ns * 20))
    n_pulses = seconds * 1e9 / period_ns
    counts = np.histogram(delays_ns, emission.edges_ns[::5])[0]
    expected = n_pulses * rates.reshape(-1, 5).sum(axis=1)
    kept = expected > 20
    chi2 = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi2 < kept.sum() + 4 * math.sqrt(2 * kept.sum())
    assert detected_cps(emission, dead_ns) == pytest.approx(rates.sum() / period_ns * 1e9, rel=1e-4)
    assert len(delays_ns) == pytest.approx(n_pulses * rates.sum(), abs=4 * math.sqrt(n_pulses * rates.sum()))


@pytest.mark.parametrize("rate_cps", [1e4, 1e6, 2e7])
def test_mean_detected_rate_of_constant_light_is_the_textbook_one(rate_cps):
    assert detected_cps(uniform_emission(rate_cps, 300.0), 77.0) == pytest.approx(rate_cps / (1 + rate_cps * 77e-9))


def test_pile_up_shortens_the_lifetime_by_a_quarter_of_the_photons_per_pulse():
    photons, lifetime_ns = 0.2, 2.0
    settings = DetectorSettings(afterpulse_probability=0.0)
    _, delays_ns = photons_of(pulsed(400.0, photons, lifetime_ns, 40_000), settings, SECOND)
    share = np.linspace(0.0, 1.0, 200_001)[1:-1]
    first = np.exp(-photons * share)
    exact_ns = lifetime_ns * (-np.log1p(-share) * first).sum() / first.sum()
    assert exact_ns / lifetime_ns == pytest.approx(1 - photons / 4, abs=photons**2 / 20)
    assert delays_ns.mean() == pytest.approx(exact_ns, abs=4 * delays_ns.std() / math.sqrt(len(delays_ns)))


def test_afterpulses_come_after_the_dead_time_with_their_own_decay():
    settings = DetectorSettings(counter_dead_ns=0.0, afterpulse_probability=0.05)
    times_ns, _ = photons_of(uniform_emission(2000.0, 400.0), settings, 100 * SECOND)
    gaps_ns = np.diff(times_ns)
    after_ns = gaps_ns[gaps_ns < 1000.0] - 77.0
    n_chance = len(times_ns) * 2000.0 * 1e-6
    expected = 0.05 * len(times_ns) + n_chance
    assert len(after_ns) == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert after_ns.min() >= 0
    assert np.median(after_ns) == pytest.approx(40.0 * math.log(2), abs=4 * 40.0 / math.sqrt(len(after_ns)) + 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_cutting_time_into_pieces_changes_no_photon(seed):
    emission = pulsed(25.0, 0.3, 2.0)
    settings = DetectorSettings(afterpulse_probability=0.1)
    whole_ns, whole_delays_ns = photons_of(emission, settings, 30_000_000, seed)
    detection = Detection(settings, np.random.default_rng(seed))
    detection.begin(emission, 0)
    cuts = np.sort(np.random.default_rng(99).integers(0, 30_000_000, 2000))
    pieces = [photons for cut in [*cuts, 30_000_000] for photons in detection.advance(int(cut))]
    assert np.array_equal(np.concatenate([piece.time_ns for piece in pieces]), whole_ns)
    assert np.array_equal(np.concatenate([piece.delay_ns for piece in pieces]), whole_delays_ns)


def test_changing_conditions_often_neither_loses_nor_invents_photons():
    bright, dim = uniform_emission(2e6, 400.0), uniform_emission(1e6, 130.0)
    detection = Detection(PERFECT, np.random.default_rng(5))
    n_photon, steps = 0, 20_000
    for step in range(steps):
        detection.begin(dim if step % 2 else bright, step * 537)
        n_photon += sum(len(photons.time_ns) for photons in detection.advance((step + 1) * 537))
    expected = 1.5e6 * steps * 537e-9
    assert n_photon == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_the_laser_keeps_its_phase_when_the_light_is_asked_for_anew():
    emission = pulsed(400.0, 0.5, 2.0)
    detection = Detection(PERFECT, np.random.default_rng(5))
    delays_ns = []
    for step in range(4000):
        detection.begin(emission, step * 500)
        delays_ns += [photons.delay_ns for photons in detection.advance((step + 1) * 500)]
    delays_ns = np.concatenate(delays_ns)
    assert len(delays_ns) == pytest.approx(0.5 * 4000 * 500 / 400, abs=4 * math.sqrt(len(delays_ns)))
    assert delays_ns.mean() == pytest.approx(2.0, abs=4 * 2.0 / math.sqrt(len(delays_ns)))


def test_a_dead_time_reaches_over_a_change_of_conditions():
    detection = Detection(DetectorSettings(afterpulse_probability=0.0), np.random.default_rng(2))
    times_ns = []
    for step in range(3000):
        detection.begin(uniform_emission(2e7, 400.0), step * 50)
        times_ns += [step * 50 + photons.time_ns for photons in detection.advance((step + 1) * 50)]
    assert np.diff(np.concatenate(times_ns)).min() >= 95.0 - 1e-6


def test_in_the_dark_nothing_is_recorded_and_the_light_may_return():
    detection = Detection(PERFECT, np.random.default_rng(2))
    detection.begin(uniform_emission(0.0, 400.0), 0)
    assert sum(len(photons.time_ns) for photons in detection.advance(SECOND)) == 0
    detection.begin(uniform_emission(1e6, 400.0), SECOND)
    n_photon = sum(len(photons.time_ns) for photons in detection.advance(2 * SECOND))
    assert n_photon == pytest.approx(1e6, abs=4e3)


def test_asking_before_any_conditions_hold_is_an_error():
    detection = Detection(PERFECT, np.random.default_rng(2))
    with pytest.raises(RuntimeError, match="begin"):
        next(detection.advance(10))


def test_cells_that_do_not_span_the_period_are_refused():
    with pytest.raises(ValueError, match="period of 400 ns"):
        Emission(400.0, np.array([0.0, 399.0]), np.array([0.0, 1.0]))
