"""Measurements of the counter's double through raw, undeclared C functions, as a foreign program would make them."""

import ctypes
import math
from ctypes import byref, c_double, c_int, create_string_buffer

import numpy as np
import pytest

from simulators.detection import DetectorSettings
from simulators.emission import Emission, uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from tests.simulators.counter_world import MS, SECOND, CounterWorld, flash

IDEAL = DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=0.0, afterpulse_probability=0.0)


@pytest.fixture
def world():
    return CounterWorld(uniform_emission(100_000.0, 200.0))


@pytest.fixture
def table(world):
    return PicoHarpTable(world, IDEAL, seed=7)


@pytest.fixture
def ready(table):
    for call in ((table.PH_OpenDevice, create_string_buffer(8)), (table.PH_Initialize, 0), (table.PH_Calibrate,)):
        assert call[0](0, *call[1:]) == 0
    return table


def integer(function, *arguments) -> int:
    value = c_int()
    assert function(*arguments, byref(value)) == 0
    return value.value


def number(function, *arguments) -> float:
    value = c_double()
    assert function(*arguments, byref(value)) == 0
    return value.value


def histogram(table) -> np.ndarray:
    counts = (ctypes.c_uint * 65536)()
    assert table.PH_GetHistogram(0, counts, 0) == 0
    return np.array(counts, dtype=np.int64)


def test_a_measurement_ends_by_itself_after_its_simulated_time(ready, world):
    ready.PH_StartMeas(0, 250)
    world.time_ns += 249 * MS
    assert integer(ready.PH_CTCStatus, 0) == 0
    assert number(ready.PH_GetElapsedMeasTime, 0) == pytest.approx(249.0)
    world.time_ns += 10 * MS
    assert integer(ready.PH_CTCStatus, 0) == 1
    assert number(ready.PH_GetElapsedMeasTime, 0) == pytest.approx(250.0)
    n_photon = histogram(ready).sum()
    assert n_photon == pytest.approx(25_000, abs=4 * math.sqrt(25_000))
    world.time_ns += SECOND
    assert histogram(ready).sum() == n_photon


def test_stopping_ends_a_measurement_early(ready, world):
    ready.PH_StartMeas(0, 250)
    world.time_ns += 100 * MS
    assert ready.PH_StopMeas(0) == 0
    world.time_ns += 500 * MS
    assert number(ready.PH_GetElapsedMeasTime, 0) == pytest.approx(100.0)
    assert integer(ready.PH_CTCStatus, 0) == 1


def test_the_histogram_accumulates_until_it_is_cleared(ready, world):
    for _ in range(2):
        ready.PH_StartMeas(0, 100)
        world.time_ns += 100 * MS
    assert histogram(ready).sum() == pytest.approx(20_000, abs=600)
    ready.PH_ClearHistMem(0, 0)
    assert histogram(ready).sum() == 0


@pytest.mark.parametrize("code", range(8))
def test_binning_code_doubles_the_bin_width(world, ready, code):
    world.light = flash(100.0, 0.01)
    assert ready.PH_SetBinning(0, code) == 0
    assert number(ready.PH_GetResolution, 0) == 4.0 * 2**code
    ready.PH_StartMeas(0, 100)
    world.time_ns += 100 * MS
    counts = histogram(ready)
    assert np.flatnonzero(counts).tolist() == [25_000 >> code]


@pytest.mark.parametrize(
    ("setting", "value_ps", "bin_number"),
    [("PH_SetOffset", 96_002, 1000), ("PH_SetSyncOffset", 4_000, 24_000), ("PH_SetSyncOffset", -4_000, 26_000)],
)
def test_offsets_shift_the_histogram(world, ready, setting, value_ps, bin_number):
    world.light = flash(100.0015, 0.01)
    assert ready[setting](0, value_ps) == 0
    ready.PH_StartMeas(0, 100)
    world.time_ns += 100 * MS
    places = np.flatnonzero(histogram(ready))
    assert places == pytest.approx(bin_number, abs=1)


def test_photons_outside_the_span_are_not_counted(world, ready):
    world.light = flash(300.0, 0.01)  # 65536 bins of 4 ps end at 262 ns
    ready.PH_StartMeas(0, 100)
    world.time_ns += 100 * MS
    assert histogram(ready).sum() == 0


def test_a_full_bin_ends_the_measurement_and_the_elapsed_time_says_when(world, ready):
    world.light = flash(10.0, 0.1)
    ready.PH_SetStopOverflow(0, 1, 65_535)
    ready.PH_StartMeas(0, 1000)
    world.time_ns += 600 * MS
    assert integer(ready.PH_CTCStatus, 0) == 1
    assert integer(ready.PH_GetFlags, 0) == 0x0040
    assert histogram(ready).max() == 65_535
    live_ms = number(ready.PH_GetElapsedMeasTime, 0)
    assert live_ms == pytest.approx(65_535 / 250, rel=4 / 256)


def test_without_stopping_a_bin_stays_full_and_the_flag_tells(world, ready):
    world.light = flash(10.0, 0.1)
    ready.PH_SetStopOverflow(0, 0, 65_535)
    ready.PH_StartMeas(0, 600)
    world.time_ns += 600 * MS
    assert histogram(ready).max() == 65_535
    assert integer(ready.PH_GetFlags, 0) == 0x0040
    assert number(ready.PH_GetElapsedMeasTime, 0) == 600.0


def test_without_multistop_one_photon_per_pulse_is_counted(world, ready):
    counted = {}
    world.light = uniform_emission(5e6, 400.0)  # 2 photons per pulse
    for is_enabled in (1, 0):
        ready.PH_ClearHistMem(0, 0)
        ready.PH_SetMultistopEnable(0, is_enabled)
        ready.PH_SetBinning(0, 3)
        ready.PH_StartMeas(0, 100)
        world.time_ns += 100 * MS
        counted[is_enabled] = histogram(ready).sum()
    assert counted[1] == pytest.approx(500_000, abs=4 * math.sqrt(500_000))
    assert counted[0] == pytest.approx(250_000 * (1 - math.exp(-2.0)), abs=2000)


def test_without_sync_nothing_is_measured(world, ready):
    world.sync_hz = 0.0
    ready.PH_StartMeas(0, 100)
    world.time_ns += 100 * MS
    assert histogram(ready).sum() == 0
    assert integer(ready.PH_GetCountRate, 0, 0) == 0
    assert integer(ready.PH_GetCountRate, 0, 1) > 0


@pytest.mark.parametrize("hold_ns", [20 * MS, SECOND])
def test_looking_often_changes_no_photon(world, hold_ns):
    results = []
    for looks in (1, 500):
        own = CounterWorld(world.light)
        own.hold_ns = hold_ns
        table = PicoHarpTable(own, seed=7)
        table.PH_OpenDevice(0, create_string_buffer(8))
        table.PH_Initialize(0, 0)
        table.PH_Calibrate(0)
        table.PH_StartMeas(0, 1000)
        for _ in range(looks):
            own.time_ns += SECOND // looks
            histogram(table)
        results.append(histogram(table))
    assert np.array_equal(*results)


def test_settling_counts_the_past_under_the_old_light(world, ready):
    ready.PH_StartMeas(0, 1000)
    world.time_ns += 500 * MS
    ready.settle()
    world.light = uniform_emission(0.0, 200.0)
    world.time_ns += 500 * MS
    assert histogram(ready).sum() == pytest.approx(50_000, abs=4 * math.sqrt(50_000))


def test_the_next_measurement_draws_other_photons(world, ready):
    results = []
    for _ in range(2):
        ready.PH_ClearHistMem(0, 0)
        ready.PH_StartMeas(0, 100)
        world.time_ns += 100 * MS
        results.append(histogram(ready))
    assert not np.array_equal(*results)


def test_histogram_follows_the_light_behind_the_dead_times():
    photons = 0.008
    edges_ns = np.linspace(0.0, 400.0, 4001)
    world = CounterWorld(Emission(400.0, edges_ns, photons * (1 - np.exp(-edges_ns / 2.0))))
    table = PicoHarpTable(world, DetectorSettings(afterpulse_probability=0.0), seed=3)
    table.PH_OpenDevice(0, create_string_buffer(8))
    table.PH_Initialize(0, 0)
    table.PH_Calibrate(0)
    table.PH_SetBinning(0, 4)
    table.PH_StartMeas(0, 20_000)
    world.time_ns += 20 * SECOND
    counts = histogram(table)
    bins_ns = np.arange(65537) * 0.064
    # One photon per pulse at most, for the light of a pulse is over within the dead time.
    recorded = 1 - np.exp(-world.light.arrivals_before(bins_ns))
    expected = np.diff(recorded) * 20 * 2.5e6
    kept = expected > 10
    chi2 = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi2 == pytest.approx(kept.sum(), abs=4 * math.sqrt(2 * kept.sum()))
