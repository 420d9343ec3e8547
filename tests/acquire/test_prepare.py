"""From a connected rig to light on the sample: in which order, how long each step is waited for, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.acquire.microscope import N_BINS, FakeMicroscope, Part, Thermostat
from tests.rig.conftest import rig_recipe
from tplm_daq.acquire.events import Event, Step
from tplm_daq.acquire.prepare import (
    HOMING_TIMEOUT_S,
    STAGE_TIMEOUT_S,
    Prepared,
    place_sample,
    prepare,
    reach_temperature,
)
from tplm_daq.acquire.watch import LIGHT_SETTLES_S
from tplm_daq.errors import Aborted, DeviceError, DeviceTimeout, GuardStop
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.recipes.scan import ScanRecipe

RIG = rig_recipe("policies.temperature_settle=60 s", "policies.temperature_timeout=30 min", "guards.on_sync=stop")


class Gate(Part):
    def allow(self) -> None:
        self.log.append("gate open")


class Filter(Part):
    def select(self, name: str) -> None:
        self.log.append(f"filter {name}")


class Stage(Part):
    is_stuck = False
    place_nm = (0.0, 0.0, 7e5)

    def position_nm(self) -> tuple[float, float, float]:
        return self.place_nm

    def move_to(self, *place_nm: float) -> None:
        self.log.append("sample to " + " ".join(f"{each:g}" for each in place_nm))

    def has_arrived(self) -> bool:
        return not self.is_stuck

    def stop(self) -> None:
        self.log.append("stage stopped")


def recipe(*assignments: str) -> ScanRecipe:
    data = read_yaml(find_config("configs/scan_line.yaml"))
    data["analysis"] = {}
    return validate(ScanRecipe, apply_overrides(data, assignments), "scan_line.yaml")


@pytest.fixture
def microscope() -> FakeMicroscope:
    microscope = FakeMicroscope()
    microscope.clock.sleep(5.0)
    return microscope


def prepared(microscope: FakeMicroscope, *assignments: str, checkpoint: Callable[[], None] = lambda: None) -> Prepared:
    told: list[Event] = []
    found = prepare(microscope, recipe(*assignments), RIG, checkpoint, told.append)  # type: ignore[arg-type]
    assert {type(event) for event in told} == {Step}
    return found


@pytest.fixture
def complete(microscope: FakeMicroscope) -> FakeMicroscope:
    """Return a microscope with everything that a rig may have."""
    microscope.thermostat = Thermostat("thermostat", microscope.log, microscope.clock)
    parts: Any = microscope
    parts.stage, parts.gate = Stage("stage", microscope.log), Gate("gate", microscope.log)
    parts.detection_filter = Filter("filter", microscope.log)
    return microscope


ALL = ("temperature=290 K", "spot=[1 mm, 2 mm]", "detection_filter=ND 1")


def test_the_light_goes_on_when_all_else_is_ready(complete: FakeMicroscope) -> None:
    prepared(complete, *ALL)
    assert complete.log == [
        "setpoint 290 K",
        "sample to 1e+06 2e+06 700000",
        "filter ND 1",
        "laser prepared",
        "gate open",
        "light on",
    ]


def test_whoever_watches_is_told_each_step_and_the_light_before_it_goes_on(complete: FakeMicroscope) -> None:
    told: list[tuple[str, bool, bool]] = []

    def tell(event: Event) -> None:
        assert isinstance(event, Step)
        told.append((event.doing, event.is_lit, "light on" in complete.log))

    prepare(complete, recipe(*ALL), RIG, lambda: None, tell)  # type: ignore[arg-type]
    steps = list(dict.fromkeys(doing.split(",")[0] for doing, _, _ in told))
    assert steps == [
        "setting up the counter",
        "approaching 290 K",
        "moving the sample",
        "setting rate and power of the laser",
        "light on",
    ]
    assert "it is at 290.0 K" in [doing for doing, _, _ in told if doing.startswith("approaching")][-1]
    assert [is_lit for _, is_lit, _ in told] == [False] * (len(told) - 1) + [True]
    assert not any(was_on for _, _, was_on in told)


@pytest.mark.parametrize("asked", [(), ALL], ids=["nothing", "all"])
def test_what_a_rig_does_not_have_is_left_out(asked: tuple[str, ...], microscope: FakeMicroscope) -> None:
    prepared(microscope, *asked)
    assert microscope.log == ["laser prepared", "light on"]
    assert microscope.clock.now() == pytest.approx(5.0 + LIGHT_SETTLES_S)


def test_what_the_recipe_does_not_ask_for_is_left_alone(complete: FakeMicroscope) -> None:
    prepared(complete)
    assert complete.log == ["laser prepared", "gate open", "light on"]


@pytest.mark.parametrize(("span", "n_bins"), [("1 ns", 63), ("1.008 ns", 63), ("1.01 ns", 64), ("60 ns", N_BINS)])
def test_bins_are_kept_to_the_end_of_the_span(span: str, n_bins: int, microscope: FakeMicroscope) -> None:
    found = prepared(microscope, f"counter.span={span}")
    assert found.settings.n_bins == len(found.delay_ns) == n_bins
    np.testing.assert_allclose(found.delay_ns, 0.016 * (np.arange(n_bins) + 0.5))


def test_the_settings_of_points_are_those_of_recipe_and_rig(microscope: FakeMicroscope) -> None:
    settings = prepared(microscope, "light.between_points=off", "counter.mode=t3").settings
    assert (settings.repetition_rate_hz, settings.average_power_nw) == (2.5e6, 10.0)
    assert (settings.is_light_kept_on, settings.has_words, settings.zero_s) == (False, True, 5.0)
    assert (settings.temperature_k, settings.settle_s, settings.guards) == (None, RIG.policies.settle_s, RIG.guards)
    settings = prepared(microscope, "light.between_points=on").settings
    assert (settings.is_light_kept_on, settings.has_words) == (True, False)


def test_axes_that_have_lost_their_reference_find_it_first(
    microscope: FakeMicroscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microscope.detector, "is_homed", lambda: microscope.clock.now() >= 45.0)
    prepared(microscope)
    assert microscope.log == ["homing", "laser prepared", "light on"]
    assert 45.0 <= microscope.clock.now() < 46.0


def test_axes_that_do_not_find_their_reference_leave_the_light_off(
    microscope: FakeMicroscope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microscope.detector, "is_homed", lambda: False)
    with pytest.raises(
        DeviceTimeout, match="detector at here: the reference run has not ended after 120 s. Check that"
    ):
        prepared(microscope)
    assert microscope.log == ["homing"]
    assert microscope.clock.now() == pytest.approx(5.0 + HOMING_TIMEOUT_S, abs=1.0)


def test_a_stage_that_does_not_arrive_is_stopped_and_says_where_it_is(microscope: FakeMicroscope) -> None:
    stage = Stage("stage", microscope.log)
    stage.is_stuck = True
    with pytest.raises(
        DeviceTimeout,
        match="stage at here: asked to move to x 1000000 nm, y 2000000 nm, z 700000 nm, it is at x 0 nm, y 0 nm, "
        "z 700000 nm after 120 s. Check amplitude",
    ):
        place_sample(microscope.clock, stage, (1e6, 2e6, 7e5), lambda: None)  # type: ignore[arg-type]
    assert microscope.log[-1] == "stage stopped"
    assert microscope.clock.now() == pytest.approx(5.0 + STAGE_TIMEOUT_S, abs=1.0)


class Disturbed(Thermostat):
    """Is warmed by 5 K for ten seconds."""

    def temperature_k(self) -> float:
        return super().temperature_k() + (5.0 if 35.0 <= self.clock.now() < 45.0 else 0.0)


def test_the_wait_for_a_temperature_begins_anew_when_it_leaves_its_band(microscope: FakeMicroscope) -> None:
    thermostat = Disturbed("thermostat", microscope.log, microscope.clock)
    reach_temperature(microscope.clock, thermostat, 290.0, RIG, lambda: None, lambda _: None)
    assert microscope.clock.now() == pytest.approx(45.0 + RIG.policies.temperature_settle_s, abs=5.0)


def test_without_sync_nothing_begins(microscope: FakeMicroscope) -> None:
    microscope.counter.sync_hz = 0.0
    with pytest.raises(GuardStop, match="no sync: the counter sees no sync pulses where 2.5 MHz are expected"):
        prepared(microscope)


def test_a_watchdog_that_has_put_the_light_out_is_the_cause_that_is_told(microscope: FakeMicroscope) -> None:
    microscope.counter.sync_hz = 0.0

    def checkpoint() -> None:
        if microscope.laser.lit and microscope.clock.now() > 5.25:
            raise DeviceError("watchdog", "its own process", "it has ended unexpectedly", "Start again.")

    with pytest.raises(DeviceError, match="watchdog at its own process: it has ended unexpectedly"):
        prepared(microscope, checkpoint=checkpoint)


def test_the_operator_may_end_the_preparation(microscope: FakeMicroscope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microscope.detector, "is_homed", lambda: False)

    def checkpoint() -> None:
        if microscope.clock.now() > 10.0:
            raise Aborted("ended by Ctrl-C")

    with pytest.raises(Aborted, match="ended by Ctrl-C"):
        prepared(microscope, checkpoint=checkpoint)
    assert microscope.clock.now() == pytest.approx(10.0, abs=0.2)
