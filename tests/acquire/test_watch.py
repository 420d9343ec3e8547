"""What the guards see before a point, and how a run pauses until things are good again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.acquire.microscope import FakeMicroscope, Thermostat
from tplm_daq.acquire.events import GuardGoesOn, GuardWaits
from tplm_daq.acquire.guards import OK, Level, Told, Verdict
from tplm_daq.acquire.point import PointSettings
from tplm_daq.acquire.prepare import reach_temperature
from tplm_daq.acquire.watch import guard_dwell, guard_point
from tplm_daq.errors import Aborted, DeviceError, DeviceTimeout, GuardStop
from tplm_daq.recipes.load import find_config, read_yaml, validate
from tplm_daq.recipes.rig import Guards, RigRecipe
from tplm_daq.store.layout import PointFlags

SETTINGS = PointSettings(
    2.5e6, 10.0, n_bins=50, settle_s=0.1, is_light_kept_on=True, temperature_k=300.0, guards=Guards()
)


@pytest.fixture
def microscope() -> Iterator[FakeMicroscope]:
    microscope = FakeMicroscope()
    microscope.thermostat = Thermostat("thermostat", microscope.log, microscope.clock)
    microscope.laser.turn_on()
    with microscope.clock.attending():
        yield microscope


def go_on() -> None:
    """Nobody wants the run to end."""


def test_a_good_rig_is_not_kept_waiting(microscope: FakeMicroscope) -> None:
    assert guard_point(microscope, SETTINGS, go_on, pytest.fail) is PointFlags.GOOD
    assert microscope.clock.now() == 0


def test_a_watchdog_that_has_put_the_light_out_is_named_and_not_the_missing_sync(microscope: FakeMicroscope) -> None:
    microscope.counter.sync_hz = 0.0

    def check() -> None:
        raise DeviceError("watchdog", "its own process", "put the light out because of silence", "Start again.")

    with pytest.raises(DeviceError, match="put the light out because of silence"):
        guard_point(microscope, SETTINGS, check, pytest.fail)


def test_sync_lost_during_a_point_marks_it_once_and_does_not_stop_it(microscope: FakeMicroscope) -> None:
    heard: list[Any] = []
    counter = microscope.counter
    assert guard_dwell(counter.rates(), SETTINGS, PointFlags.GOOD, heard.append) is PointFlags.GOOD
    counter.sync_hz = 0.0
    flags = guard_dwell(counter.rates(), SETTINGS, PointFlags.PILE_UP, heard.append)
    assert flags == PointFlags.PILE_UP | PointFlags.SUSPECT | PointFlags.SYNC
    assert guard_dwell(counter.rates(), SETTINGS, flags, heard.append) == flags
    assert len(heard) == 1
    assert "no sync" in heard[0].text


def test_a_run_pauses_in_the_dark_until_the_temperature_is_back(microscope: FakeMicroscope) -> None:
    assert microscope.thermostat is not None
    microscope.thermostat.from_k = 270.0  # comes back at 1 K/s
    heard: list[Any] = []
    assert guard_point(microscope, SETTINGS, go_on, heard.append) is PointFlags.GOOD
    assert microscope.log[:2] == ["light on", "light off"]
    assert microscope.log[2:-1] == ["light off"] * len(microscope.log[2:-1])
    assert microscope.laser.lit
    assert 29.5 <= microscope.clock.now() <= 41
    waits, goes_on = heard
    assert isinstance(waits, GuardWaits)
    assert waits.reason.startswith("temperature is 270.000 K where 300 K is wanted")
    assert goes_on == GuardGoesOn(microscope.clock.now())
    assert [each.text for each in (waits, goes_on)] == [
        f"paused: {waits.reason}",
        f"goes on after a pause of {microscope.clock.now():.0f} s",
    ]


def test_a_pause_without_end_ends_the_run_with_the_light_out(microscope: FakeMicroscope) -> None:
    assert microscope.thermostat is not None
    microscope.thermostat.error_k = 5.0
    microscope.clock.sleep(100.0)
    settings = replace(SETTINGS, guards=Guards(pause_timeout="60 s"))
    with pytest.raises(GuardStop, match=r"temperature is 305\.000 K .* not good after a pause of 60 s"):
        guard_point(microscope, settings, go_on, lambda _: None)
    assert not microscope.laser.lit


def test_what_needs_light_is_looked_at_with_the_light_on_for_a_moment(microscope: FakeMicroscope) -> None:
    microscope.counter.sync_hz = 0.0
    turned_on = 0

    def count_and_mend() -> None:
        nonlocal turned_on
        turned_on = microscope.log.count("light on")
        if turned_on == 3:
            microscope.counter.sync_hz = 2.5e6

    settings = replace(SETTINGS, guards=Guards(on_sync="pause"))
    assert guard_point(microscope, settings, count_and_mend, lambda _: None) is PointFlags.GOOD
    assert turned_on == 3
    assert microscope.laser.lit


def test_a_paused_run_can_be_aborted(microscope: FakeMicroscope) -> None:
    assert microscope.thermostat is not None
    microscope.thermostat.error_k = 5.0

    def abort() -> None:
        if microscope.clock.now() > 30:
            raise Aborted("ended by Ctrl-C")

    with pytest.raises(Aborted):
        guard_point(microscope, SETTINGS, abort, lambda _: None)
    assert not microscope.laser.lit


def test_a_faded_laser_marks_the_point_and_a_meter_in_no_hurry_is_read_now_and_then(
    microscope: FakeMicroscope,
) -> None:
    microscope.laser.measured_nw = 7.0
    heard: list[Any] = []
    flags = guard_point(microscope, replace(SETTINGS, told=Told()), go_on, heard.append)
    assert flags == PointFlags.SUSPECT | PointFlags.POWER
    assert "7 nW at the sample where 10 nW were asked for" in heard[0].text
    assert microscope.laser.power_ages_s == [30.0]


def test_a_run_that_pauses_for_the_laser_reads_the_meter_anew_each_time(microscope: FakeMicroscope) -> None:
    microscope.laser.measured_nw = 7.0

    def warm_up() -> None:
        if microscope.clock.now() > 25:
            microscope.laser.measured_nw = 9.5

    settings = replace(SETTINGS, guards=Guards(on_power="pause"))
    assert guard_point(microscope, settings, warm_up, lambda _: None) is PointFlags.GOOD
    assert microscope.laser.power_ages_s == [30.0, 0.0, 0.0, 0.0]
    assert microscope.laser.lit


def test_a_warning_marks_the_point_and_goes_on(microscope: FakeMicroscope) -> None:
    microscope.counter.sync_hz = 5e6
    heard: list[Any] = []
    settings = replace(SETTINGS, guards=Guards(on_sync="warn"), told=Told())
    assert guard_point(microscope, settings, go_on, heard.append) == PointFlags.SUSPECT | PointFlags.SYNC
    assert "5 MHz where 2.5 MHz were asked for" in heard[0].text


def test_what_stays_suspect_is_told_now_and_then_and_marked_at_every_point(microscope: FakeMicroscope) -> None:
    microscope.laser.measured_nw = 7.0
    settings = replace(SETTINGS, told=Told())
    told_at_s: list[float] = []
    for _ in range(40):
        flags = guard_point(microscope, settings, go_on, lambda _: told_at_s.append(microscope.clock.now()))
        assert PointFlags.POWER in flags
        microscope.clock.sleep(30.0)
    assert told_at_s == [0.0, 600.0]


def test_another_complaint_is_told_at_once(microscope: FakeMicroscope) -> None:
    microscope.laser.measured_nw = 7.0
    settings, heard = replace(SETTINGS, told=Told(), guards=Guards(on_sync="warn")), list[Any]()
    guard_point(microscope, settings, go_on, heard.append)
    microscope.counter.sync_hz = 5e6
    guard_point(microscope, settings, go_on, heard.append)
    assert [event.text.split(":")[0].split(" is ")[0] for event in heard] == ["laser power", "sync rate"]


def test_other_guards_are_asked_before_each_point(microscope: FakeMicroscope) -> None:
    answers = [Verdict(Level.PAUSE, "disk: 1 MB free"), OK, OK]
    settings = replace(SETTINGS, other_guards=(lambda: answers.pop(0),))
    assert guard_point(microscope, settings, go_on, lambda _: None) is PointFlags.GOOD
    assert not answers


def rig(**policies: str) -> RigRecipe:
    data = read_yaml(find_config("rig_sim.yaml"))
    return validate(RigRecipe, data | {"policies": {**data["policies"], **policies}}, "rig")


def test_a_temperature_is_reached_when_it_has_stayed_in_its_band(microscope: FakeMicroscope) -> None:
    assert microscope.thermostat is not None
    reach_temperature(
        microscope.clock, microscope.thermostat, 250.0, rig(temperature_settle="60 s"), go_on, lambda _: None
    )
    assert microscope.log[-1] == "setpoint 250 K"
    assert 109.5 <= microscope.clock.now() <= 120


def test_a_temperature_that_is_never_reached_ends_the_wait_with_how_far_it_came(microscope: FakeMicroscope) -> None:
    assert microscope.thermostat is not None
    microscope.thermostat.error_k = 2.0
    with pytest.raises(
        DeviceTimeout, match=r"250 K was not reached .* within 600 s; it is at 252\.000 K \(band 0.5 K\)"
    ):
        reach_temperature(
            microscope.clock, microscope.thermostat, 250.0, rig(temperature_timeout="10 min"), go_on, lambda _: None
        )
