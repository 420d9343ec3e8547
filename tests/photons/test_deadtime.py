"""Live fraction against photon streams with a real dead time, and against the classical limit."""

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, photon_by_photon, photons_per_pulse
from tplm_daq.photons.deadtime import live_fraction

STREAMS = {
    "dead time shorter than the period": Scene(peak_cps=80e3, dwell_s=5.0, repetition_rate_hz=2.5e6, bin_width_ns=0.1),
    "dead time of several periods": Scene(peak_cps=400e3, dwell_s=1.0, repetition_rate_hz=4e7, bin_width_ns=0.1),
}


@pytest.mark.parametrize("scene", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("span_ns", [20.0, 400.0])
def test_dividing_by_the_live_fraction_restores_what_arrived(scene, span_ns):
    scene = Scene(**{**vars(scene), "position_nm": np.array([0.0, 400.0])})
    arrived, recorded = photon_by_photon(scene, seed=3, incident=photons_per_pulse(scene))
    n_bins = round(min(span_ns, scene.period_ns) / scene.bin_width_ns)
    live = live_fraction(
        recorded[:, :n_bins],
        scene.bin_width_ns,
        np.full(2, scene.n_pulses),
        scene.period_ns,
        scene.dead_time_ns,
        recorded[:, :45].mean(axis=1),
    )
    lost = arrived[:, :n_bins] - recorded[:, :n_bins]
    expected_loss = recorded[:, :n_bins] * (1 / live - 1)
    assert lost.sum() > 1000
    in_window = slice(50, 80)
    for row in range(2):
        n_lost, n_expected = lost[row, in_window].sum(), expected_loss[row, in_window].sum()
        assert abs(n_lost - n_expected) < 4 * np.sqrt(n_expected)


def test_nothing_is_lost_where_nothing_is_recorded():
    live = live_fraction(np.zeros((2, 10), int), 0.1, np.full(2, 1e6), 400.0, 95.0, np.zeros(2))
    assert np.array_equal(live, np.ones((2, 10)))


def test_a_dead_time_that_outlasts_the_light_but_not_the_period_gives_the_coates_correction():
    light = np.exp(-np.arange(1000) / 300) * 1e-4
    recorded = light * np.exp(-np.concatenate([[0], np.cumsum(light)[:-1]]))
    n_pulses = 1e9
    counts = (recorded * n_pulses)[None]
    live = live_fraction(counts, 0.01, np.array([n_pulses]), 100.0, 50.0, np.zeros(1))
    before = np.concatenate([[0], np.cumsum(counts[0])[:-1]])
    coates = -n_pulses * np.log1p(-counts[0] / (n_pulses - before))
    assert counts[0].sum() / n_pulses > 0.02
    assert counts[0] / live[0] == pytest.approx(coates, rel=2e-4)


def test_a_dead_time_of_whole_periods_is_blind_evenly():
    counts = np.array([[30.0, 10.0, 0.0, 0.0]])
    live = live_fraction(counts, 1.0, np.array([1000.0]), 4.0, 8.0, np.zeros(1))
    assert live == pytest.approx(np.full((1, 4), 1 - 2 * 0.04))


def test_light_outside_the_span_blinds_the_first_bins():
    counts = np.zeros((1, 10))
    live = live_fraction(counts, 1.0, np.array([1000.0]), 100.0, 20.0, np.array([1.0]))
    assert live[0, 0] == pytest.approx(1 - 19.5e-3)
    assert live[0, 9] == pytest.approx(1 - 10.5e-3)


@pytest.mark.parametrize(
    ("n_bin", "n_pulses", "dead_time_ns", "message"),
    [
        (50, 1e3, 95.0, "more than the laser period of 4 ns"),
        (4, 0.0, 95.0, "leave out positions with no dwell"),
        (4, 10.0, 4.0, "check dwell, repetition rate and dead time"),
    ],
)
def test_impossible_input_is_refused(n_bin, n_pulses, dead_time_ns, message):
    with pytest.raises(ValueError, match=message):
        live_fraction(np.full((1, n_bin), 5), 1.0, np.array([n_pulses]), 4.0, dead_time_ns, np.zeros(1))
