"""Rates and warnings of the counter's double."""

from ctypes import byref, c_int, create_string_buffer

import pytest

from simulators.emission import uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from simulators.tcspc.meter import RateMeter
from tests.simulators.counter_world import MS, CounterWorld


class LitWorld(CounterWorld):
    """Constant light given by its rate; insists on being asked under its lock only."""

    class Lock:
        depth = 0

        def __enter__(self):
            self.depth += 1

        def __exit__(self, *_):
            self.depth -= 1

    def __init__(self):
        super().__init__(uniform_emission(0.0, 400.0))
        self.lock = self.Lock()
        self.rate_cps = 20_000.0

    def now_ns(self):
        assert self.lock.depth
        return self.time_ns

    def emission(self, time_ns):
        return uniform_emission(self.rate_cps, 1e9 / (self.sync_hz or 1e6))


@pytest.fixture
def world():
    return LitWorld()


@pytest.fixture
def table(world):
    table = PicoHarpTable(world, seed=7)
    assert table.PH_OpenDevice(0, create_string_buffer(8)) == 0
    assert table.PH_Initialize(0, 0) == 0
    assert table.PH_Calibrate(0) == 0
    return table


def rate(table, channel: int) -> int:
    value = c_int()
    assert table.PH_GetCountRate(0, channel, byref(value)) == 0
    return value.value


def warnings(table) -> int:
    value = c_int()
    rate(table, 0), rate(table, 1)
    assert table.PH_GetWarnings(0, byref(value)) == 0
    return value.value


def test_rates_need_100_ms_after_initialising_and_after_changing_the_divider(table, world):
    world.time_ns = 99 * MS
    assert (rate(table, 0), rate(table, 1)) == (0, 0)
    world.time_ns = 100 * MS
    assert rate(table, 0) == 2_500_000
    assert rate(table, 1) == pytest.approx(20_200, abs=4 * 450)
    table.PH_SetSyncDiv(0, 2)
    assert rate(table, 0) == 0
    world.time_ns = 200 * MS
    assert rate(table, 0) == 2_500_000


def test_rates_are_renewed_every_100_ms(table, world):
    shown = []
    for tenth in range(100, 400, 10):
        world.time_ns = tenth * MS
        shown.append(rate(table, 1))
    assert [len(set(shown[gate : gate + 10])) for gate in (0, 10, 20)] == [1, 1, 1]
    assert len(set(shown)) == 3


def test_a_change_of_the_light_shows_in_the_next_gate(table, world):
    world.time_ns = 150 * MS
    table.settle()
    world.rate_cps = 0.0
    world.time_ns = 199 * MS
    assert rate(table, 1) > 15_000  # the gate from 0 to 100 ms
    world.time_ns = 201 * MS
    assert rate(table, 1) == pytest.approx(10_100, abs=4 * 320)  # half the gate was dark
    world.time_ns = 300 * MS
    assert rate(table, 1) == 0


def test_reading_the_rates_does_not_disturb_what_comes_later():
    def meter_at(times_ms):
        meter = RateMeter(seed=3)
        meter.restart(0)
        return [meter.read_photons(time_ms * MS, 1e5) for time_ms in times_ms][-1]

    assert meter_at([100, 150, 250, 310, 1000]) == meter_at([1000])


def test_sync_rate_is_counted_behind_the_divider(table, world):
    world.sync_hz = 39_999_999.0
    table.PH_SetSyncDiv(0, 8)
    world.time_ns = 100 * MS
    assert rate(table, 0) % 80 == 0
    assert rate(table, 0) == pytest.approx(39_999_999, abs=80)


def test_dead_time_of_the_diode_limits_the_rate(table, world):
    world.rate_cps = 1e7
    world.time_ns = 100 * MS
    assert rate(table, 1) == pytest.approx(1.01 * 1e7 / 1.77, rel=0.01)


@pytest.mark.parametrize(
    ("sync_hz", "rate_cps", "divider", "binning", "offset_ps", "expected"),
    [
        (2.5e6, 20_000, 1, 2, 0, 0x0000),
        (0.0, 0, 1, 2, 0, 0x0011),
        (50.0, 0, 1, 7, 0, 0x0412),
        (40e6, 20_000, 1, 2, 0, 0x0004),
        (40e6, 20_000, 4, 2, 0, 0x0000),
        (2.5e6, 20_000, 4, 2, 0, 0x0200),
        (2.5e6, 500_000, 1, 2, 0, 0x0100),
        (2.5e6, 20_000, 1, 0, 0, 0x0400),
        (2.5e6, 20_000, 1, 0, 200_000, 0x0000),
        (2.5e6, 20_000, 1, 2, 4_000, 0x0800),
    ],
)
def test_warnings_follow_from_rates_and_settings(
    table, world, sync_hz, rate_cps, divider, binning, offset_ps, expected
):
    world.sync_hz, world.rate_cps = sync_hz, rate_cps
    assert table.PH_SetSyncDiv(0, divider) == 0
    assert table.PH_SetBinning(0, binning) == 0
    assert table.PH_SetOffset(0, offset_ps) == 0
    world.time_ns += 100 * MS
    assert warnings(table) == expected


def test_warnings_before_the_rates_are_read_say_that_there_are_none(table, world):
    world.time_ns = 100 * MS
    value = c_int()
    table.PH_GetWarnings(0, byref(value))
    assert value.value == 0x0011
    text = create_string_buffer(16384)
    assert table.PH_GetWarningsText(0, text, value) == 0
    assert text.value == b"No sync pulses.\nNo photons."


def test_light_that_does_not_hold_is_an_error_not_an_endless_loop(table, world, monkeypatch):
    monkeypatch.setattr(world, "emission", lambda time_ns: uniform_emission(1.0, 400.0, valid_until_ns=time_ns))
    table.PH_StartMeas(0, 10)
    world.time_ns = 5 * MS
    assert table.PH_CTCStatus(0, byref(c_int())) == -64
