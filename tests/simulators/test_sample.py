"""The simulated film and its disturbances against the numbers they were given."""

import math

import numpy as np
import pytest

from simulators.noise import Noise, NoiseSettings
from simulators.sample import PRESETS, Conditions, Sample, SampleSettings, Surface

SECOND = 1_000_000_000


def at(power_nw: float, temperature_k: float = 300.0, rate_hz: float = 2.5e6, **others) -> Conditions:
    return Conditions(power_nw, rate_hz, temperature_k, **others)


@pytest.mark.parametrize(("power_nw", "t_exc_us"), [(0.5, 100.0), (10.0, 5.0), (20.0, 2.5)])
@pytest.mark.parametrize("preset", PRESETS)
def test_diffusivity_follows_the_time_between_excitations(preset, power_nw, t_exc_us):
    surface = PRESETS[preset]
    law = surface.d_inf_cm2_s + (surface.d_0_cm2_s - surface.d_inf_cm2_s) * math.exp(-t_exc_us / surface.tau_relax_us)
    sample = Sample(SampleSettings(surface=surface))
    assert sample.diffusivity_cm2_s(at(power_nw)) == pytest.approx(law)


def test_diffusivity_depends_on_the_average_power_not_on_the_repetition_rate():
    sample = Sample()
    assert sample.diffusivity_cm2_s(at(6.0, rate_hz=40e6)) == sample.diffusivity_cm2_s(at(6.0, rate_hz=31_250.0))


def test_in_the_dark_the_diffusivity_is_that_of_rare_excitation():
    assert Sample().diffusivity_cm2_s(at(0.0)) == pytest.approx(0.010)


@pytest.mark.parametrize(
    ("temperature_k", "relative"), [(300, 1.0), (250, 1.3), (200, 1.7), (150, 2.0), (100, 1.5), (50, 0.8), (5, 0.4)]
)
def test_diffusivity_at_1_nw_follows_the_table_over_temperature(temperature_k, relative):
    sample = Sample()
    assert sample.diffusivity_cm2_s(at(1.0, temperature_k)) == pytest.approx(
        relative * sample.diffusivity_cm2_s(at(1.0)), rel=1e-9
    )


def test_diffusivity_turns_over_near_150_k_and_stays_positive_between_the_nodes():
    values = [Sample().diffusivity_cm2_s(at(1.0, temperature_k)) for temperature_k in range(4, 311)]
    assert min(values) > 0
    assert 130 < 4 + int(np.argmax(values)) < 170


def test_relaxation_slows_from_6_us_at_300_k_to_40_us_at_50_k():
    # At 50 K, D(10 nW) / D(0.5 nW) follows from tau_relax(50 K) alone.
    sample, surface = Sample(), PRESETS["ola-oa"]
    low, high = (sample.diffusivity_cm2_s(at(power_nw, 50.0)) for power_nw in (0.5, 10.0))
    law = [surface.d_inf_cm2_s + 0.14 * math.exp(-50.0 / power_nw / 40.0) for power_nw in (0.5, 10.0)]
    assert high / low == pytest.approx(law[1] / law[0], rel=2e-3)


@pytest.mark.parametrize(
    ("power_nw", "lifetime_ns", "exponent"),
    [(0.1, 2.3, 1.5), (0.5, 2.3, 1.5), (math.sqrt(10.0), 1.9, 1.6), (20.0, 1.5, 1.7), (100.0, 1.5, 1.7)],
)
def test_lifetime_and_tail_change_with_the_logarithm_of_the_power(power_nw, lifetime_ns, exponent):
    decay = Sample().decay(at(power_nw))
    assert (decay.lifetime_ns, decay.tail_exponent) == pytest.approx((lifetime_ns, exponent))


def test_decay_is_exponential_then_a_power_law_without_a_step():
    decay = Sample().decay(at(10.0))
    just = np.array([3.0 - 1e-9, 3.0 + 1e-9])
    assert np.diff(decay(just)) == pytest.approx(0.0, abs=1e-8)
    assert decay(np.array([1.0])) == pytest.approx(math.exp(-1.0 / decay.lifetime_ns))
    assert decay(np.array([60.0])) / decay(np.array([6.0])) == pytest.approx(10**-decay.tail_exponent)


def test_displacement_is_2dt_up_to_3_ns_and_then_sublinear_without_a_step():
    sample, conditions = Sample(), at(10.0)
    d_nm2_ns = sample.diffusivity_cm2_s(conditions) * 1e5
    at_1, at_3, after_3, at_30 = sample.displacement_nm2(conditions, np.array([1.0, 3.0, 3.0 + 1e-9, 30.0]))
    assert at_1 == pytest.approx(2 * d_nm2_ns)
    assert (at_3, after_3) == pytest.approx((6 * d_nm2_ns, 6 * d_nm2_ns))
    assert at_30 / at_3 == pytest.approx(10**0.4)


def test_count_rate_is_proportional_to_power_and_brightness_and_passes_the_filter():
    sample = Sample(SampleSettings(brightness=2.0))
    assert Sample().rate_cps(at(10.0)) == pytest.approx(20_000.0)
    assert sample.rate_cps(at(5.0, transmission=0.1)) == pytest.approx(2_000.0)


def test_every_number_can_be_overridden():
    settings = SampleSettings(surface=Surface(0.02, 0.02, 1.0), lifetimes_ns=(4.0, 4.0), tail_exponents=(2.0, 2.0))
    assert Sample(settings).diffusivity_cm2_s(at(10.0)) == pytest.approx(0.02)
    assert Sample(settings).decay(at(3.0)).lifetime_ns == pytest.approx(4.0)


def test_power_noise_does_not_depend_on_who_asks_first():
    seconds = np.random.default_rng(4).permutation(9000)
    shuffled, ordered = Noise(NoiseSettings(seed=3)), Noise(NoiseSettings(seed=3))
    asked = {int(second): shuffled.power_factor(int(second) * SECOND) for second in seconds}
    assert [asked[second] for second in range(9000)] == [ordered.power_factor(s * SECOND) for s in range(9000)]


def test_power_noise_has_the_strength_and_memory_asked_for():
    noise = Noise(NoiseSettings(seed=1, power_rms=0.005, power_correlation_s=10.0))
    path = np.array([noise.power_factor(second * SECOND) for second in range(50_000)]) - 1.0
    n_independent = len(path) / 20.0  # integral of the squared correlation: one value per 10 s; the mean, one per 20 s
    assert path.std() == pytest.approx(0.005, rel=4 / math.sqrt(2 * 2 * n_independent))
    assert path.mean() == pytest.approx(0.0, abs=4 * 0.005 / math.sqrt(n_independent))
    correlation = np.corrcoef(path[:-10], path[10:])[0, 1]
    assert correlation == pytest.approx(math.exp(-1.0), abs=4 / math.sqrt(n_independent))


def test_power_is_steady_within_a_second():
    noise = Noise(NoiseSettings())
    assert noise.steady_until_ns(1_200_000_000) == 2 * SECOND
    assert noise.power_factor(SECOND) == noise.power_factor(2 * SECOND - 1) != noise.power_factor(2 * SECOND)


def test_drift_grows_steadily_in_one_seeded_direction():
    noise = Noise(NoiseSettings(seed=8, drift_nm_per_min=10.0))
    assert math.hypot(*noise.drift(60 * SECOND)) == pytest.approx(10.0)
    assert noise.drift(120 * SECOND) == pytest.approx([2 * part for part in noise.drift(60 * SECOND)])
    assert noise.drift(60 * SECOND) != Noise(NoiseSettings(seed=9, drift_nm_per_min=10.0)).drift(60 * SECOND)


def test_spots_differ_by_at_most_ten_percent_and_keep_their_brightness():
    noise = Noise(NoiseSettings(seed=2))
    brightness = [noise.spot_brightness((x, y)) for x in range(-10, 10) for y in range(-10, 10)]
    assert min(brightness) >= 0.9
    assert max(brightness) <= 1.1
    assert np.std(brightness) == pytest.approx(0.2 / math.sqrt(12), rel=0.1)
    assert len(set(brightness)) == 400
    assert noise.spot_brightness((3, -4)) == Noise(NoiseSettings(seed=2)).spot_brightness((3, -4))


def test_every_disturbance_can_be_switched_off():
    noise = Noise(NoiseSettings(power_rms=0.0, drift_nm_per_min=0.0, spot_spread=0.0))
    assert noise.power_factor(77 * SECOND) == noise.spot_brightness((5, 5)) == 1.0
    assert noise.drift(10**13) == (0.0, 0.0)
