"""The TimeHarp 260 driver on the double's function table: what differs from the PicoHarp, refusals, runs."""

import doctest

import numpy as np
import pytest

import drivers.picoquant.limits
from drivers.picoquant.counter import Channel, Mode
from drivers.picoquant.library import LibraryNotFoundError
from drivers.timeharp260 import limits
from drivers.timeharp260.codes import Edge, Features, Flags, TimeHarpError, TimingMode, Warnings
from drivers.timeharp260.device import TimeHarp260
from drivers.timeharp260.library import load_library
from simulators.emission import uniform_emission
from simulators.timeharp260.device import NANO, PICO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, CounterWorld, flash


@pytest.fixture
def world():
    return CounterWorld(uniform_emission(20_000.0, 200.0))


def opened(world, kind=PICO, mode=Mode.HISTOGRAM, **options) -> TimeHarp260:
    counter = TimeHarp260(TimeHarpTable(world, seed=7, index=2, kind=kind, **options))
    counter.open()
    counter.initialise(mode)
    world.time_ns += 150 * MS
    return counter


@pytest.mark.parametrize(("kind", "width_ps"), [(PICO, 25.0), (NANO, 250.0)])
def test_identity(world, kind, width_ps):
    counter = opened(world, kind)
    assert counter.library_version == "3.2"
    assert counter.serial == "1001234"
    assert counter.hardware_info.model == kind.model
    assert counter.is_pico == (kind is PICO)
    assert Features.TIME_TAGS in counter.features
    assert counter.bin_widths_ps[:3] == (width_ps, 2 * width_ps, 4 * width_ps)
    assert len(counter.bin_widths_ps) == 22
    assert counter.n_bins == 32_768


def test_long_range_multiplies_the_bin_widths_by_100(world):
    counter = opened(world)
    assert counter.timing_mode is None
    counter.timing_mode = TimingMode.LONG_RANGE
    assert counter.bin_widths_ps[0] == 2500.0
    assert counter.bin_width_ps == 2500.0


@pytest.mark.parametrize("kind", [PICO, NANO])
def test_a_run_from_arming_to_the_counts(world, kind):
    world.light = flash(100.0, 0.02, period_ns=200.0)
    counter = opened(world, kind)
    counter.bin_width_ps = 1000.0 if kind is NANO else 100.0
    counter.offset_ps = 20_000
    counter.arm(0.5)
    assert not counter.is_done
    world.time_ns += 500 * MS
    assert counter.is_done
    counter.stop()
    counts = counter.read_counts()
    assert counts.dtype == np.uint32
    assert counts.shape == (32_768,)
    expected = 0.5 * 5e6 * (1 - np.exp(-0.02))
    assert counts[round(80_000 / counter.bin_width_ps)] == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert counter.elapsed_s == pytest.approx(0.5)
    assert counter.flags == Flags(0)


def test_a_bin_holds_more_than_16_bits(world):
    world.light = flash(10.0, 0.1, period_ns=200.0)
    counter = opened(world)
    counter.arm(0.2)
    world.time_ns += 200 * MS
    assert counter.read_counts().max() > 65_535
    assert not counter.is_bin_full


def test_rates_and_warnings(world):
    counter = opened(world, n_inputs=2)
    assert counter.rates.sync_hz == 5e6
    assert counter.rates.input_cps == pytest.approx(20_200, abs=4 * 450)
    assert counter.sync_period_s == pytest.approx(200e-9)
    assert counter.warnings == Warnings(0)
    counter.sync_divider = 2
    world.time_ns += 150 * MS
    assert counter.warnings == Warnings.DIVIDER_GREATER_ONE
    assert "not needed" in counter.explain(counter.warnings)


def test_the_detector_may_be_at_the_second_input_of_a_dual_board_only(world):
    second = TimeHarp260(TimeHarpTable(world, n_inputs=2), input_number=1)
    second.open()
    second.initialise()
    second.arm(0.1)
    world.time_ns += 100 * MS
    assert second.read_counts().sum() == 0  # nothing is connected there
    single = TimeHarp260(TimeHarpTable(world), input_number=1)
    single.open()
    with pytest.raises(ValueError, match="input 1 does not exist, this board has 1"):
        single.initialise()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bin_width_ps", 30, r"TimeHarp 260: bin width 30 ps does not exist, the nearest is 25 ps"),
        ("offset_ps", 5_200, r"offset 5200 ps is not a multiple of 1000 ps. Use 5000 ps"),
        ("offset_ps", -1_000, r"offset -1000 ps is outside 0 to 1e\+11 ps"),
        ("sync_divider", 5, r"sync divider 5 does not exist"),
        ("sync_offset_ps", 100_000, r"sync offset 100000 ps is outside"),
        ("input_offset_ps", 100_000, r"input offset 100000 ps is outside"),
        ("dead_time_ns", 100, r"dead time 100 ns does not exist, the nearest is 88 ns"),
        ("marker_holdoff_ns", 25_501, r"marker hold-off 25501 ns is outside 0 to 25500 ns"),
    ],
)
def test_a_setting_the_board_lacks_is_refused_with_what_to_use(world, name, value, message):
    counter = opened(world)
    with pytest.raises(ValueError, match=message):
        setattr(counter, name, value)


@pytest.mark.parametrize(("level_mv", "zero_cross_mv"), [(-100, 10), (1201, 10), (100, -1), (100, 41)])
def test_discriminator_limits(world, level_mv, zero_cross_mv):
    with pytest.raises(ValueError, match="Nothing was sent"):
        opened(world).set_discriminator(Channel.DETECTOR, level_mv, zero_cross_mv)


def test_what_only_the_other_kind_of_board_has_is_refused_before_anything_is_sent(world):
    with pytest.raises(ValueError, match=r"'TimeHarp 260 P' and has no edge trigger; use set_discriminator"):
        opened(world).set_edge_trigger(Channel.SYNC, -100, Edge.FALLING)
    nano = opened(world, NANO)
    with pytest.raises(ValueError, match=r"'TimeHarp 260 N' and has no constant-fraction.*use set_edge_trigger"):
        nano.set_discriminator(Channel.SYNC, 100, 10)
    with pytest.raises(ValueError, match="one base resolution only"):
        nano.timing_mode = TimingMode.LONG_RANGE
    with pytest.raises(ValueError, match="no programmable dead time"):
        nano.dead_time_ns = 88


def test_settings_are_forgotten_on_initialising(world):
    counter = opened(world)
    counter.sync_divider, counter.offset_ps, counter.dead_time_ns = 2, 3_000, 44
    assert (counter.sync_divider, counter.offset_ps, counter.dead_time_ns) == (2, 3_000, 44)
    counter.initialise(Mode.T3)
    assert (counter.sync_divider, counter.offset_ps, counter.dead_time_ns) == (None, None, None)


def test_an_unknown_board_is_named(world, monkeypatch):
    monkeypatch.setattr(type(TimeHarpTable(world).device), "hardware_info", lambda self: ("HydraHarp", "", ""))
    with pytest.raises(OSError, match="the board says it is a 'HydraHarp'"):
        opened(world)


def test_a_wrong_order_of_calls_is_refused_as_by_the_library(world):
    counter = TimeHarp260(TimeHarpTable(world))
    with pytest.raises(ConnectionError, match=r"TimeHarp 260: not open. Call open\(\) first"):
        counter.arm(1.0)
    counter.open()
    with pytest.raises(TimeHarpError, match=r"NOT_INITIALIZED\)\. .* open\(\) and initialise\(\)"):
        _ = counter.rates
    counter.initialise()
    with pytest.raises(TimeHarpError, match=r"TH260_ReadFiFo\(0, 131072\) returned -18 \(INVALID_MODE\)"):
        counter.read_words()
    counter.arm(1.0)
    with pytest.raises(TimeHarpError, match="INSTANCE_RUNNING"):
        counter.sync_divider = 2


def test_a_missing_vendor_library_is_a_typed_error_with_advice():
    with pytest.raises(
        LibraryNotFoundError, match=r"TimeHarp 260: vendor library not found, looked for \S+\. Install TH260Lib 3\.2"
    ):
        load_library()


def test_the_smallest_divider_below_40_mhz_is_chosen():
    assert [limits.sync_divider_for(rate * 1e6) for rate in (0.03125, 20.0, 40.0, 80.0, 100.0)] == [1, 1, 2, 4, 4]
    with pytest.raises(ValueError, match="sync rate 101 MHz is above the limit of 100 MHz"):
        limits.sync_divider_for(101e6)


@pytest.mark.parametrize("module", [limits, drivers.picoquant.limits])
def test_examples_in_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("flag", [Flags.SYSTEM_ERROR, Flags.SOFTWARE_ERROR])
def test_counts_after_a_system_error_are_not_handed_out(world, monkeypatch, flag):
    counter = opened(world)
    monkeypatch.setattr(TimeHarp260, "flags", flag)
    with pytest.raises(OSError, match="error during the run, its counts cannot be trusted"):
        counter.read_counts()
