"""The C face of the TimeHarp's double: bare functions, states, ranges, both kinds of board, warnings."""

from __future__ import annotations

from ctypes import byref, c_double, c_int, c_uint, create_string_buffer

import numpy as np
import pytest

from simulators.detection import DetectorSettings
from simulators.emission import uniform_emission
from simulators.timeharp260.device import NANO, PICO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, CounterWorld, flash

IDEAL = DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=0.0, afterpulse_probability=0.0)


@pytest.fixture
def world() -> CounterWorld:
    return CounterWorld(uniform_emission(100_000.0, 200.0))


def ready(world: CounterWorld, mode: int = 0, **options: object) -> TimeHarpTable:
    table = TimeHarpTable(world, IDEAL, seed=7, **options)
    assert table.TH260_OpenDevice(0, create_string_buffer(8)) == 0
    assert table.TH260_Initialize(0, mode) == 0
    return table


def integer(function, *arguments: int) -> int:
    value = c_int()
    assert function(*arguments, byref(value)) == 0
    return value.value


def number(function) -> float:
    value = c_double()
    assert function(0, byref(value)) == 0
    return value.value


def histogram(table: TimeHarpTable, channel: int = 0, clear: int = 0) -> np.ndarray:
    counts = (c_uint * 32_768)()
    assert table.TH260_GetHistogram(0, counts, channel, clear) == 0
    return np.array(counts, dtype=np.int64)


def test_each_step_of_bringing_up_is_demanded_and_nothing_is_calibrated(world):
    table = TimeHarpTable(world)
    assert table.TH260_Initialize(0, 0) == -10
    table.TH260_OpenDevice(0, create_string_buffer(8))
    assert table.TH260_SetBinning(0, 0) == -22
    assert table.TH260_StartMeas(0, 100) == -22
    assert table.TH260_Initialize(0, 1) == -18
    assert table.TH260_Initialize(0, 0) == 0
    assert table.TH260_StartMeas(0, 100) == 0
    assert table.TH260_Initialize(0, 0) == -16
    assert table.TH260_CloseDevice(0) == 0
    assert table.TH260_StartMeas(0, 100) == -10
    with pytest.raises(AttributeError, match="TH260_Calibrate"):
        _ = table.TH260_Calibrate


@pytest.mark.parametrize(("index", "code"), [(1, -1), (3, -1), (4, -17), (-1, -17)])
def test_other_indices_hold_no_board(world, index, code):
    assert TimeHarpTable(world).TH260_OpenDevice(index, create_string_buffer(8)) == code


@pytest.mark.parametrize(
    "call",
    [
        ("SetBinning", 22),
        ("SetOffset", 100_000_001),
        ("SetSyncDiv", 3),
        ("SetSyncChannelOffset", -100_000),
        ("SetSyncCFD", 50, -10),  # positive as for a PicoHarp
        ("SetSyncCFD", -50, 10),
        ("SetInputCFD", 1, -50, -10),  # a SINGLE board has one input
        ("SetInputCFD", 0, -1201, -10),
        ("SetInputChannelOffset", 0, 100_000),
        ("SetInputChannelEnable", 0, 2),
        ("SetInputDeadTime", 0, 8),
        ("SetStopOverflow", 1, 0),
        ("SetMeasControl", 1, 0, 0),
        ("SetTriggerOutput", 16_777_216),
        ("SetMarkerHoldoffTime", 25_501),
        ("SetTimingMode", 2),
        ("StartMeas", 0),
    ],
    ids=str,
)
def test_an_argument_out_of_range_is_refused(world, call):
    name, *arguments = call
    assert ready(world)[f"TH260_{name}"](0, *arguments) == -17


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        (PICO, [("SetSyncEdgeTrg", -50, 0), ("SetInputEdgeTrg", 0, -50, 1)]),
        (
            NANO,
            [("SetSyncCFD", -50, -10), ("SetInputCFD", 0, -50, -10), ("SetTimingMode", 1), ("SetInputDeadTime", 0, 1)],
        ),
    ],
)
def test_functions_of_the_other_kind_of_board_are_unsupported(world, kind, calls):
    table = ready(world, kind=kind)
    for name, *arguments in calls:
        assert table[f"TH260_{name}"](0, *arguments) == -80


@pytest.mark.parametrize("code", [0, 3, 5])
def test_the_length_is_told_and_kept_to(world, code):
    table = ready(world)
    length = integer(table.TH260_SetHistoLen, 0, code)
    assert length == 1024 * 2**code
    table.TH260_StartMeas(0, 500)
    world.time_ns += 500 * MS
    counts = histogram(table)
    assert counts[length:].sum() == 0
    assert np.flatnonzero(counts)[-1] == pytest.approx(min(length, 8000) - 1, abs=8)


@pytest.mark.parametrize(("kind", "place"), [(PICO, 4000), (NANO, 400)])
def test_a_photon_lands_in_its_bin_and_clearing_empties_it(world, kind, place):
    world.light = flash(100.1, 0.01, period_ns=200.0)
    table = ready(world, kind=kind)
    table.TH260_StartMeas(0, 100)
    world.time_ns += 100 * MS
    assert np.flatnonzero(histogram(table, clear=1)) == pytest.approx([place + 100 // kind.tick_ps])
    assert histogram(table).sum() == 0


def test_the_second_input_is_dark_and_one_that_is_off_counts_nothing(world):
    table = ready(world, n_inputs=2)
    assert integer(table.TH260_GetNumOfInputChannels, 0) == 2
    for is_on in (1, 0):
        table.TH260_ClearHistMem(0)
        assert table.TH260_SetInputChannelEnable(0, 0, is_on) == 0
        table.TH260_StartMeas(0, 100)
        world.time_ns += 100 * MS
        assert bool(histogram(table, 0).sum()) == is_on
        assert histogram(table, 1).sum() == 0
    assert integer(table.TH260_GetCountRate, 0, 1) == 0


def test_the_dead_time_of_the_input_can_be_chosen(world):
    world.light = uniform_emission(5e6, 200.0)
    table = ready(world)
    counted = []
    for code in (0, 7):
        table.TH260_ClearHistMem(0)
        table.TH260_SetInputDeadTime(0, 0, code)
        table.TH260_StartMeas(0, 100)
        world.time_ns += 100 * MS
        counted.append(histogram(table).sum())
    for n_counted, dead_ns in zip(counted, (25, 180), strict=True):
        assert n_counted == pytest.approx(0.1 * 5e6 / (1 + 5e6 * dead_ns * 1e-9), rel=0.01)


def test_a_full_bin_ends_the_measurement_at_the_count_that_was_set(world):
    world.light = flash(10.0, 0.1, period_ns=200.0)
    table = ready(world)
    table.TH260_SetStopOverflow(0, 1, c_uint(100_000))
    table.TH260_StartMeas(0, 1000)
    world.time_ns += 1000 * MS
    assert integer(table.TH260_GetFlags, 0) == 0x0001
    assert histogram(table).max() == 100_000
    assert number(table.TH260_GetElapsedMeasTime) == pytest.approx(100_000 / 500, rel=0.1)


@pytest.mark.parametrize(
    ("sync_hz", "rate_cps", "divider", "binning", "offset_ns", "expected"),
    [
        (5e6, 20_000, 1, 0, 0, 0x0000),
        (0.0, 0, 1, 0, 0, 0x0011),
        (50.0, 0, 1, 9, 0, 0x0412),
        (80e6, 20_000, 1, 0, 0, 0x1004),
        (80e6, 20_000, 2, 0, 0, 0x0000),
        (5e6, 20_000, 2, 0, 0, 0x0200),
        (5e6, 500_000, 1, 0, 0, 0x0100),
        (1e6, 20_000, 1, 0, 0, 0x0400),
        (5e6, 20_000, 1, 0, 4, 0x0800),
    ],
)
def test_warnings_follow_from_rates_and_settings(world, sync_hz, rate_cps, divider, binning, offset_ns, expected):
    table = ready(world)
    world.sync_hz, world.light = sync_hz, uniform_emission(rate_cps, 200.0)
    table.TH260_SetSyncDiv(0, divider)
    table.TH260_SetBinning(0, binning)
    table.TH260_SetOffset(0, offset_ns)
    world.time_ns += 200 * MS
    integer(table.TH260_GetSyncRate, 0), integer(table.TH260_GetCountRate, 0, 0)
    found = integer(table.TH260_GetWarnings, 0)
    assert found == expected
    text = create_string_buffer(16_384)
    assert table.TH260_GetWarningsText(0, text, found) == 0
    assert len(text.value.splitlines()) == expected.bit_count()


def test_the_sync_period_is_in_seconds(world):
    table = ready(world)
    assert number(table.TH260_GetSyncPeriod) == pytest.approx(200e-9)
    world.sync_hz = 0.0
    assert number(table.TH260_GetSyncPeriod) == 0.0
