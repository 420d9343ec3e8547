"""The counter's role on real drivers and doubles: full bins, records, both makes, and what a fault looks like."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest

from drivers.picoharp300.codes import PicoHarpError
from drivers.picoharp300.device import PicoHarp300
from drivers.picoquant.counter import Mode
from drivers.picoquant.errors import RETRY_PAUSE_S, TRANSIENT_CODES
from drivers.timeharp260.device import TimeHarp260
from simulators.emission import uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from simulators.timeharp260.device import NANO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, SECOND, CounterWorld, flash
from tplm_daq.errors import DeviceError, InputError
from tplm_daq.photons.records import RecordFormat, TagStream, delays_of
from tplm_daq.readings import TagSource
from tplm_daq.recipes.devices import CounterDevice, TimeHarpDevice
from tplm_daq.rig.counter import HistogramCounter
from tplm_daq.rig.links import Link


class HandClock:
    """A clock that moves the counter's world."""

    def __init__(self, world: CounterWorld) -> None:
        self.world = world

    def now(self) -> float:
        return self.world.time_ns * 1e-9

    def sleep(self, seconds: float) -> None:
        self.world.time_ns += round(seconds * 1e9)


MAKES = {
    "picoharp300": (PicoHarpTable, PicoHarp300),
    "timeharp260 PICO": (TimeHarpTable, TimeHarp260),
    "timeharp260 NANO": (lambda world, **options: TimeHarpTable(world, kind=NANO, **options), TimeHarp260),
    "timeharp260 DUAL": (
        lambda world, **options: TimeHarpTable(world, n_inputs=2, connected=1, **options),
        TimeHarp260,
    ),
}
SECOND_INPUT = "timeharp260 DUAL"


def role(world: CounterWorld, make: str = "picoharp300"):
    make_table, driver_class = MAKES[make]
    table = make_table(world, seed=3)
    if driver_class is PicoHarp300:
        device, driver = CounterDevice(model="picoharp300", address="double"), PicoHarp300(table)
    else:
        device = TimeHarpDevice(model="timeharp260", address="double", input=int(make == SECOND_INPUT))
        driver = TimeHarp260(table, input_number=device.input)
    driver.open()
    driver.initialise()
    return HistogramCounter(Link("counter", "double", "Check it."), driver, device, 77.0, HandClock(world)), table


@pytest.fixture
def world() -> CounterWorld:
    return CounterWorld(uniform_emission(20_000.0, 200.0))


def wait(counter, world: CounterWorld, step_ns: int, most_ns: int) -> list[np.ndarray]:
    """Look every `step_ns` until the run is done; return the words read meanwhile."""
    end_ns, words = world.time_ns + most_ns, [counter.read_words()]
    while not counter.is_done():
        assert world.time_ns < end_ns, "the run does not end"
        world.time_ns += step_ns
        words.append(counter.read_words())
    return [*words, counter.read_words()]


@pytest.mark.parametrize("make", MAKES)
def test_a_histogram(world, make):
    counter, _ = role(world, make)
    width_ps = counter.bin_widths_ps()[2]
    delay_ns = counter.configure(width_ps, 5e6)
    assert delay_ns[0] == pytest.approx(width_ps * 0.5e-3)
    counter.arm(0.5)
    assert not counter.is_done()
    wait(counter, world, 100 * MS, SECOND)
    histogram = counter.read_counts()
    assert len(histogram.counts) == len(delay_ns)
    assert histogram.counts.sum() == pytest.approx(10_100, abs=4 * 101)
    assert histogram.live_s == pytest.approx(0.5)
    assert not histogram.has_overflow


@pytest.mark.parametrize("step_ns", [20 * MS, 300 * MS])
def test_a_full_16_bit_bin_costs_neither_counts_nor_live_time(world, step_ns):
    world.light = flash(10.0, 0.1, period_ns=200.0)  # 475 000 counts/s in one bin
    counter, _ = role(world)
    counter.configure(16.0, 5e6)
    counter.arm(1.0)
    wait(counter, world, step_ns, 4 * SECOND)
    histogram = counter.read_counts()
    expected = 5e6 * (1 - np.exp(-0.1)) * histogram.live_s
    assert histogram.live_s == pytest.approx(1.0, abs=1e-3)
    assert int(histogram.counts.max()) == pytest.approx(expected, abs=5 * np.sqrt(expected))
    assert not histogram.has_overflow
    counter.arm(0.1)
    wait(counter, world, step_ns, SECOND)
    assert counter.read_counts().live_s == pytest.approx(0.1)


def test_a_run_read_while_its_bin_is_full_says_that_it_is_cut_short(world):
    world.light = flash(10.0, 0.1, period_ns=200.0)
    counter, _ = role(world)
    counter.configure(16.0, 5e6)
    counter.arm(1.0)
    world.time_ns += SECOND
    histogram = counter.read_counts()
    assert histogram.has_overflow
    assert histogram.counts.max() == 65_535
    assert histogram.live_s == pytest.approx(65_535 / (5e6 * (1 - np.exp(-0.1))), rel=4 / 256)


def test_an_aborted_run_keeps_what_was_counted_before_and_after_a_full_bin(world):
    world.light = flash(10.0, 0.1, period_ns=200.0)
    counter, _ = role(world)
    counter.configure(16.0, 5e6)
    counter.arm(10.0)
    for _ in range(5):
        world.time_ns += 50 * MS
        assert not counter.is_done()
    counter.stop()
    histogram = counter.read_counts()
    assert histogram.counts.max() > 65_535
    assert histogram.live_s < 0.26


@pytest.mark.parametrize("make", MAKES)
def test_5_mcps_of_records_are_read_without_a_gap(world, make):
    world.light = uniform_emission(8.2e6, 12.5)  # about 5 Mcps behind the diode's dead time
    world.sync_hz = 80e6
    counter, _ = role(world, make)
    width_ps = counter.bin_widths_ps()[0]
    delay_ns = counter.configure(width_ps, 80e6, mode="t3")
    world.time_ns += 200 * MS
    assert counter.rates().input_cps == pytest.approx(5.0e6, rel=0.03)
    counter.arm(1.0)
    words = np.concatenate(wait(counter, world, round(counter.read_interval_s * 1e9), 2 * SECOND))
    histogram = counter.read_counts()
    assert not histogram.has_overflow
    assert histogram.live_s == pytest.approx(1.0)
    counts = np.zeros(len(delay_ns), dtype=np.uint32)
    stream = TagStream(RecordFormat(counter.tag_source.record_type))
    stream.count(words, counts, counter.tag_source.channel)
    assert np.array_equal(counts, histogram.counts)
    assert stream.n_syncs == pytest.approx(80e6, abs=2 * 65_536)
    assert counts.sum() > 4e6


@pytest.mark.parametrize("make", MAKES)
def test_records_are_kept_if_they_are_asked_for(world, make):
    counter, _ = role(world, make)
    width_ps = counter.bin_widths_ps()[0]
    for keeps in (True, False):
        delay_ns = counter.configure(width_ps, 5e6, "t3", keeps)
        for _ in range(2):  # the second measurement begins without the records of the first
            counter.arm(0.5)
            read = np.concatenate(wait(counter, world, 50 * MS, SECOND))
            histogram = counter.read_counts()
            assert histogram.counts.sum() > 500
            if keeps:
                assert np.array_equal(histogram.words, read)
                assert np.array_equal(delays_of(read, counter.tag_source, len(delay_ns)), histogram.counts)
            else:
                assert histogram.words is None


def test_there_are_no_records_to_keep_of_a_histogram(world):
    counter, _ = role(world)
    counter.configure(16.0, 5e6, "histogram", keep_words=True)
    counter.arm(0.1)
    wait(counter, world, 50 * MS, SECOND)
    assert counter.read_counts().words is None


def test_records_that_are_not_fetched_in_time_are_said_to_be_lost(world):
    world.light = uniform_emission(5e6, 200.0)
    counter, _ = role(world, "timeharp260 PICO")
    counter.configure(25.0, 5e6, mode="t3")
    counter.arm(1.0)
    world.time_ns += SECOND
    assert counter.is_done()
    histogram = counter.read_counts()
    assert histogram.has_overflow
    rate_cps = histogram.counts.sum() / histogram.live_s
    assert histogram.live_s < 0.1
    assert rate_cps == pytest.approx(1.01 * 5e6 / (1 + 5e6 * 77e-9), rel=0.02)


def test_the_two_modes_give_the_same_light(world):
    world.light = flash(20.0, 0.02, period_ns=200.0)
    counter, _ = role(world)
    counts = {}
    for mode in ("histogram", "t3", "histogram"):
        delay_ns = counter.configure(16.0, 5e6, mode)
        world.time_ns += 200 * MS
        counter.arm(1.0)
        wait(counter, world, 10 * MS, 2 * SECOND)
        counts[mode] = counter.read_counts().counts
        assert len(delay_ns) == len(counts[mode]) == {"histogram": 65_536, "t3": 4096}[mode]
    tagged, binned = (int(counts[mode][1250]) for mode in ("t3", "histogram"))
    assert tagged == pytest.approx(binned, abs=5 * np.sqrt(2 * binned))
    assert tagged == pytest.approx(99_000, rel=0.02)
    assert counter.snapshot()["mode"] == "histogram"


def test_there_are_no_words_in_histogram_mode(world):
    counter, _ = role(world)
    counter.configure(16.0, 5e6)
    assert len(counter.read_words()) == 0
    assert counter.tag_source == TagSource(RecordFormat.PICOHARP_T3.value, 0)


def test_a_usb_hiccup_is_repeated_once_after_a_tenth_of_a_second(world):
    counter, table = role(world)
    table.inject("PH_SetBinning", -36)
    counter.configure(16.0, 5e6)
    assert world.time_ns == 100 * MS
    table.inject("PH_SetBinning", -36, -37)
    with pytest.raises(DeviceError, match=r"USB_BULKRD_FAIL.*then close, open and initialise again"):
        counter.configure(16.0, 5e6)


def test_what_the_counter_cannot_do_is_bad_input(world):
    counter, _ = role(world, "timeharp260 PICO")
    with pytest.raises(InputError, match=r"counter\.bin_width: 16 ps is not one that the counter has.*Write 25 ps"):
        counter.configure(16.0, 5e6)
    with pytest.raises(InputError, match=r"light\.repetition_rate: TimeHarp 260: sync rate 200 MHz is above"):
        counter.configure(25.0, 200e6)


def mocked_role(**answers: object) -> tuple[HistogramCounter, Mock]:
    """Return the role on a driver that only answers."""
    driver = Mock(spec=PicoHarp300, max_count=65_535, mode=Mode.HISTOGRAM, **answers)
    driver.read_counts.return_value = np.full(4, 7, np.uint32)
    device = CounterDevice(model="picoharp300", address="double")
    clock = HandClock(CounterWorld(uniform_emission(1.0, 200.0)))
    counter = HistogramCounter(Link("counter", "double", "Check it."), driver, device, 77.0, clock)
    counter._counts = np.zeros(4, np.uint32)
    return counter, driver


@pytest.mark.parametrize(("elapsed_s", "rest_s"), [(0.9996, None), (0.998, 0.002), (0.5, 0.5)])
def test_what_is_left_of_a_dwell_is_counted_if_it_is_a_millisecond(elapsed_s: float, rest_s: float | None) -> None:
    counter, driver = mocked_role(is_done=True, is_bin_full=True, elapsed_s=elapsed_s)
    counter.arm(1.0)
    assert counter.is_done() == (rest_s is None)
    assert [call.args[0] for call in driver.arm.call_args_list] == [1.0, *([] if rest_s is None else [rest_s])]


@pytest.mark.parametrize(("n_before", "is_end"), [(2**32 - 1 - 65_535 - 7, False), (2**32 - 65_535 - 7, True)])
def test_counting_ends_before_a_bin_could_run_over_32_bits(n_before: int, is_end: bool) -> None:
    counter, driver = mocked_role(is_done=True, is_bin_full=True, elapsed_s=0.5)
    counter.arm(1.0)
    counter._counts[1] = n_before
    assert counter.is_done() == is_end
    if is_end:
        histogram = counter.read_counts()
        assert (histogram.has_overflow, histogram.live_s) == (True, 0.5)
        assert histogram.counts.tolist() == [7, n_before + 7, 7, 7]
        assert driver.arm.call_count == 1


def test_a_usb_hiccup_is_tried_once_more_and_another_error_is_not() -> None:
    counter, driver = mocked_role()
    driver.stop.side_effect = [PicoHarpError("PH_StopMeas", (0,), sorted(TRANSIENT_CODES)[0]), None]
    counter.stop()
    assert driver.stop.call_count == 2
    assert counter._clock.now() == pytest.approx(RETRY_PAUSE_S)
    driver.stop.side_effect = PicoHarpError("PH_StopMeas", (0,), -2)
    with pytest.raises(DeviceError, match=r"counter at double: PH_StopMeas\(0\) returned -2 .*close the vendor's soft"):
        counter.stop()
    assert driver.stop.call_count == 3
