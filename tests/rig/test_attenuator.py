"""Power at the sample from a wheel and a meter: real drivers on doubles, with a laser of known power before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import Mock

import pytest
import serial
from pymeasure.adapters import SerialAdapter

from drivers.fw102c import FW102C
from drivers.pm100d import PM100D
from simulators.clock import SimClock
from simulators.fw102c import FW102C as WheelDouble
from simulators.pm100d import PM100D as MeterDouble
from simulators.server import DoubleServer
from tplm_daq.errors import Aborted, DeviceError, DeviceTimeout
from tplm_daq.rig.attenuator import AttenuatedPower, Densities
from tplm_daq.rig.filters import DetectionFilter, Wheel
from tplm_daq.rig.links import Link
from tplm_daq.rig.power_meter import PowerMeter

DENSITIES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
TRUE_DENSITIES = (0.0, 0.46, 1.07, 1.95, 3.1, 3.9)
"""What neutral filters have at 405 nm is not what is printed on them."""
SAMPLE_PER_METER = 0.2


@dataclass
class Table:
    """A laser whose light passes the wheel and then falls on the meter."""

    wheel: WheelDouble
    meter: MeterDouble
    laser_nw: float = 100_000.0
    is_light_on: bool = True
    seen: list[tuple[bool, int, bool]] = field(default_factory=list)

    def switch(self, is_on: bool) -> None:
        self.is_light_on = is_on
        self.seen.append((is_on, self.wheel.position, self.wheel.is_turning))

    def meter_w(self) -> float:
        density = TRUE_DENSITIES[self.wheel.position - 1]
        return self.laser_nw * 1e-9 * 10**-density / SAMPLE_PER_METER if self.is_light_on else 0.0

    def sample_nw(self) -> float:
        return self.meter_w() * 1e9 * SAMPLE_PER_METER


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def table() -> Table:
    table = Table(WheelDouble(), MeterDouble())
    table.meter.incident_w = table.meter_w
    return table


@pytest.fixture
def wheel(table: Table, clock: SimClock) -> Iterator[Wheel]:
    server = DoubleServer(table.wheel, clock)
    clock.before_each_step(server.catch_up)
    port = serial.serial_for_url(server.url, **FW102C.serial_settings)
    wheel = Wheel(Link("wheel", server.url, "Check its cable."), FW102C(SerialAdapter(port)), clock)
    yield wheel
    wheel.close()
    server.close()


@pytest.fixture
def power(table: Table, wheel: Wheel, clock: SimClock) -> Iterator[AttenuatedPower]:
    server = DoubleServer(table.meter, clock)
    meter = PM100D(server.visa_address, timeout=500)
    meter.identify()
    meter.averaging = 100
    adapter = PowerMeter(Link("power meter", server.visa_address, "Check its cable."), meter, SAMPLE_PER_METER, clock)
    yield AttenuatedPower(wheel, adapter, Densities(DENSITIES), 0.3, clock)
    meter.adapter.close()
    server.close()


@pytest.mark.parametrize("position", range(1, 7))
def test_a_power_that_a_position_gives_is_set_and_measured(position: int, table: Table, power: AttenuatedPower) -> None:
    there_nw = table.laser_nw * 10 ** -TRUE_DENSITIES[position - 1]
    measured_nw = power.set_power(there_nw, table.switch)
    assert table.wheel.position == position
    assert table.is_light_on
    assert measured_nw == pytest.approx(there_nw, rel=0.01)
    assert measured_nw == pytest.approx(table.sample_nw(), rel=0.01)


def test_the_light_is_off_whenever_the_wheel_turns_and_begins_at_the_densest(
    table: Table, power: AttenuatedPower, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = table.wheel._turn

    def watched(target: int) -> None:
        assert not table.is_light_on
        turn(target)

    monkeypatch.setattr(table.wheel, "_turn", watched)
    power.set_power(100_000.0, table.switch)
    lit = [position for is_on, position, _ in table.seen if is_on]
    assert lit[0] == 6
    assert lit[-1] == 1
    assert not any(is_turning for is_on, _, is_turning in table.seen if is_on)


def test_light_too_faint_for_the_meter_is_searched_through_brighter_filters(
    table: Table, power: AttenuatedPower
) -> None:
    table.laser_nw = 0.5
    assert power.set_power(0.5, table.switch) == pytest.approx(0.5, rel=0.02)
    assert [position for is_on, position, _ in table.seen if is_on][:3] == [6, 5, 4]


def test_a_power_between_two_positions_is_an_error_with_the_powers_that_there_are(
    table: Table, power: AttenuatedPower
) -> None:
    with pytest.raises(
        DeviceError,
        match=r"position 4 \(OD 2\) gives 1\.12e\+03 nW at the sample where 2500 nW were asked for \(30% allowed\)\. "
        r"Ask for one of 1\.12e\+05, 3\.55e\+04, 1\.12e\+04, 1\.12e\+03, 112, 11\.2 nW",
    ):
        power.set_power(2500.0, table.switch)
    assert not table.is_light_on


def test_no_light_is_an_error(table: Table, power: AttenuatedPower) -> None:
    table.laser_nw = 0.0
    with pytest.raises(DeviceError, match="sees no light through the brightest filter .*the gate is open"):
        power.set_power(10.0, table.switch)
    assert not table.is_light_on


def test_a_stuck_wheel_is_told_with_the_light_out(table: Table, power: AttenuatedPower) -> None:
    table.wheel.is_stuck = True
    with pytest.raises(
        DeviceTimeout, match="shows position 1 10 s after 6 was sent. Check that the wheel turns freely"
    ):
        power.set_power(10.0, table.switch)
    assert not table.is_light_on


def test_a_lost_meter_leaves_no_light(table: Table, power: AttenuatedPower) -> None:
    table.meter.has_sensor = False
    with pytest.raises(DeviceError, match="beyond its range"):
        power.set_power(10.0, table.switch)
    assert not table.is_light_on


def test_a_survey_opens_the_wheel_no_further_than_is_allowed_and_goes_back(
    table: Table, power: AttenuatedPower
) -> None:
    power.set_power(table.laser_nw * 10**-1.95, table.switch)
    table.seen.clear()
    found = power.survey(1500.0, table.switch, lambda: None)
    assert list(found) == [6, 5, 4]
    for position, power_nw in found.items():
        assert power_nw == pytest.approx(table.laser_nw * 10 ** -TRUE_DENSITIES[position - 1], rel=0.01)
    assert not any(is_turning for is_on, _, is_turning in table.seen if is_on)
    assert (table.wheel.position, table.is_light_on) == (4, True)


def test_a_survey_leaves_out_filters_through_which_nothing_is_seen(table: Table, power: AttenuatedPower) -> None:
    table.laser_nw = 50.0
    assert list(power.survey(100.0, table.switch, lambda: None)) == [4, 3, 2, 1]


def test_a_survey_can_be_ended_between_two_filters(table: Table, power: AttenuatedPower) -> None:
    def stop() -> None:
        if len(table.seen) > 3:
            raise Aborted("enough")

    with pytest.raises(Aborted):
        power.survey(1500.0, table.switch, stop)


def test_a_search_begins_where_a_calibration_has_the_power(table: Table, power: AttenuatedPower) -> None:
    energies_fj = tuple(table.laser_nw * 10**-density / 2.5 for density in TRUE_DENSITIES)
    power._densities = Densities(DENSITIES, energies_fj)
    power.set_power(table.laser_nw * 10**-1.95, table.switch, repetition_rate_hz=2.5e6)
    assert [position for is_on, position, _ in table.seen if is_on] == [4]


def test_the_meter_is_zeroed_in_the_dark(table: Table, power: AttenuatedPower) -> None:
    power.set_power(100.0, table.switch)
    assert power.snapshot()["power_meter_zero_w"] == pytest.approx(3e-11)


def test_the_snapshot_names_filter_and_calibration(table: Table, power: AttenuatedPower) -> None:
    power.set_power(table.laser_nw * 10**-1.07, table.switch)
    snapshot = power.snapshot()
    assert (snapshot["attenuator_position"], snapshot["attenuator_od"]) == (3, 1.0)
    assert snapshot["power_meter_sample_per_meter"] == SAMPLE_PER_METER
    assert all(isinstance(value, float | int | bool | str) for value in snapshot.values())


def test_filters_in_front_of_the_detector_have_names(wheel: Wheel, table: Table) -> None:
    filters = DetectionFilter(wheel, ["open", "LP 500", "BP 520/20", "ND 1", "ND 2", "block"])
    assert filters.selected() == "open"
    filters.select("BP 520/20")
    assert (table.wheel.position, filters.snapshot()["filter"]) == (3, "BP 520/20")
    filters.make_safe()
    assert filters.filters()[-1] == "block"


def test_a_zeroing_that_does_not_end_is_told_and_the_light_stays_out(
    table: Table, power: AttenuatedPower, clock: SimClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.pm100d.ZEROING_NS", 10**12)
    with pytest.raises(DeviceTimeout, match="zeroing has not ended after 60 s. Check that the sensor is dark"):
        power.set_power(100.0, table.switch)
    assert clock.now() == pytest.approx(60.0, abs=1.0)
    assert not table.is_light_on
    assert not any(is_on for is_on, _, _ in table.seen)


def test_the_search_behind_a_laser_that_flickers_ends(table: Table, clock: SimClock) -> None:
    wheel, meter = Mock(spec=Wheel), Mock(spec=PowerMeter, faintest_nw=1.0, address="USB0")
    meter.name = "power meter"
    meter.power_nw.side_effect = [1.0, 100.0, 1.0, 100.0, 1.0]
    power = AttenuatedPower(wheel, meter, Densities((0.0, 1.0)), 0.3, clock)
    with pytest.raises(DeviceError, match=r"power meter at USB0: position 2 \(OD 1\) gives 1 nW .* 10 nW were asked"):
        power.set_power(10.0, table.switch)
    assert [call.args for call in wheel.turn_to.call_args_list] == [(2,), (1,), (2,)]
    assert not table.is_light_on
