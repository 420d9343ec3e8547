"""The rig outside a scan: devices on their own, orders, limits, loss and return of a device, and the light."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import tplm_daq.workflow.session as sessions
from simulators.bench import Bench
from simulators.faults import PORT_CLOSED, SILENCE, Fault
from tests.rig.conftest import Nobody, rig_recipe
from tests.rig.test_open import free_port
from tplm_daq.errors import DeviceError, LightMayBeOnError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.workflow.device_keeper import DeviceState, DeviceView
from tplm_daq.workflow.session import RigSession

ROLES = ["laser", "gate", "counter", "detector", "thermostat", "stage"]
PATIENCE_S = 20.0


def wait_for(condition: Callable[[], bool]) -> None:
    never, waited_s = threading.Event(), 0.0
    while not condition():
        assert waited_s < PATIENCE_S, "it did not happen in time"
        never.wait(0.02)
        waited_s += 0.02


def shown(session: RigSession, role: str) -> DeviceView:
    return next(each for each in session.view.devices if each.role == role)


def is_(session: RigSession, role: str, state: DeviceState) -> Callable[[], bool]:
    return lambda: shown(session, role).state is state


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """Look behind the curtain: the doubles of every session, in the order of opening."""
    start, found = sessions.world_of, []

    def remember(recipe: RigRecipe) -> SimulatedWorld | None:
        world = start(recipe)
        assert world is not None
        found.append(world.library._world)  # type: ignore[attr-defined]
        return world

    monkeypatch.setattr(sessions, "world_of", remember)
    return found


@pytest.fixture
def session(benches: list[Bench]) -> Iterator[RigSession]:
    opened = RigSession(rig_recipe("simulation.is_homed=true", "simulation.speed=20"), Nobody())
    opened.open()
    try:
        wait_for(lambda: opened.view.is_open and all(each.settings for each in opened.view.devices))
        yield opened
    finally:
        opened.release()


def test_every_device_is_opened_and_read_and_nothing_is_switched_on(session: RigSession) -> None:
    assert [each.role for each in session.view.devices] == ROLES
    assert all(each.state is DeviceState.READY and not each.message for each in session.view.devices)
    assert shown(session, "laser").settings["is_on"] is False
    assert shown(session, "counter").settings["sync_hz"] == 0
    assert shown(session, "detector").limits_nm["x"] == pytest.approx((-24242.4, 24242.4), abs=0.1)


def test_a_move_is_followed_until_it_has_arrived(session: RigSession) -> None:
    session.move_detector(500.0, -250.0)
    wait_for(is_(session, "detector", DeviceState.BUSY))
    assert shown(session, "detector").message == "moving to x 500 nm, y -250 nm"
    wait_for(is_(session, "detector", DeviceState.READY))
    settings = shown(session, "detector").settings
    assert settings["x_position_mm"] == pytest.approx(12.5 + 500 * 495e-6, abs=0.001)
    assert settings["y_position_mm"] == pytest.approx(12.5 - 250 * 495e-6, abs=0.001)


def test_a_place_out_of_reach_is_refused_with_the_limits_and_the_device_stays_ready(session: RigSession) -> None:
    session.move_detector(1e9, 0.0)
    wait_for(lambda: "outside -24242.4 to 24242.4 nm" in shown(session, "detector").message)
    assert shown(session, "detector").state is DeviceState.READY
    session.move_stage(6e6, 0.0, 0.0)
    wait_for(lambda: "outside 0 to 5e+06 nm" in shown(session, "stage").message)
    session.set_temperature(900.0)
    wait_for(lambda: "outside 4 to 310 K" in shown(session, "thermostat").message)


def test_a_refusal_is_forgotten_with_the_next_order(session: RigSession) -> None:
    session.set_temperature(900.0)
    wait_for(lambda: bool(shown(session, "thermostat").message))
    session.set_temperature(300.0)
    wait_for(lambda: "outside" not in shown(session, "thermostat").message)


def test_an_axis_that_was_never_homed_is_not_sent_anywhere(benches: list[Bench]) -> None:
    session = RigSession(rig_recipe("simulation.speed=20"), Nobody())
    session.open()
    try:
        wait_for(is_(session, "detector", DeviceState.READY))
        session.move_detector(0.0, 0.0)
        wait_for(lambda: "home it first" in shown(session, "detector").message)
        session.home_detector()
        wait_for(is_(session, "detector", DeviceState.BUSY))
        wait_for(is_(session, "detector", DeviceState.READY))
        session.move_detector(0.0, 0.0)
        wait_for(lambda: shown(session, "detector").message.startswith("moving"))
    finally:
        session.release()


def test_stage_steps_and_stops(session: RigSession) -> None:
    before_nm = float(shown(session, "stage").settings["z_position_nm"])
    for _ in range(40):
        session.step_stage("z", True)
    wait_for(lambda: float(shown(session, "stage").settings["z_position_nm"]) > before_nm + 250)
    session.move_stage(0.0, 0.0, 0.0)
    wait_for(is_(session, "stage", DeviceState.BUSY))
    session.make_safe("stage")
    wait_for(is_(session, "stage", DeviceState.READY))
    assert float(shown(session, "stage").settings["x_position_nm"]) > 1e5


def test_a_temperature_is_approached_at_the_rate_of_the_rig(session: RigSession) -> None:
    session.set_temperature(299.0)
    wait_for(lambda: shown(session, "thermostat").message == "approaching 299 K")
    wait_for(lambda: float(shown(session, "thermostat").settings["setpoint_k"]) < 300.0)
    assert shown(session, "thermostat").settings["ramp_rate_k_min"] == pytest.approx(10.0)


def test_one_device_can_be_left_and_taken_again_while_the_others_go_on(session: RigSession) -> None:
    session.disconnect("stage")
    wait_for(is_(session, "stage", DeviceState.CLOSED))
    assert shown(session, "counter").state is DeviceState.READY
    session.step_stage("x", True)
    wait_for(lambda: shown(session, "stage").message == "not connected, so nothing was done: one step along x")
    session.connect("stage")
    wait_for(is_(session, "stage", DeviceState.READY))
    assert shown(session, "stage").message == ""


@pytest.mark.usefixtures("short_time_outs")
def test_a_device_that_dies_says_so_and_comes_back_when_connected_anew(
    session: RigSession, benches: list[Bench]
) -> None:
    benches[0].servers["thermostat"].line.plan(Fault(PORT_CLOSED, "thermostat", count=1))
    wait_for(is_(session, "thermostat", DeviceState.FAILED))
    assert "Check power, cable" in shown(session, "thermostat").message
    assert shown(session, "stage").state is DeviceState.READY
    session.connect("thermostat")
    wait_for(is_(session, "thermostat", DeviceState.READY))


def test_a_device_that_falls_silent_holds_up_no_other(session: RigSession, benches: list[Bench]) -> None:
    benches[0].servers["stage"].line.plan(Fault(SILENCE, "stage"))
    session.move_detector(300.0, 0.0)
    wait_for(is_(session, "detector", DeviceState.BUSY))
    wait_for(is_(session, "detector", DeviceState.READY))
    assert shown(session, "detector").settings["x_position_mm"] == pytest.approx(12.5 + 300 * 495e-6, abs=0.001)
    wait_for(is_(session, "stage", DeviceState.FAILED))
    assert "did not answer in time" in shown(session, "stage").message


def test_light_that_somebody_switched_on_is_put_out_by_laser_and_gate(
    session: RigSession, benches: list[Bench]
) -> None:
    session.put_light_out()
    wait_for(lambda: shown(session, "gate").settings["is_open"] is False)
    assert shown(session, "laser").settings["is_on"] is False


def test_light_that_nobody_confirms_to_be_out_may_be_on(session: RigSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DeviceError("trigger", "nowhere", "no answer in time", "Check the generator.")

    monkeypatch.setattr(sessions, "LIGHT_OUT_TIMEOUT_S", 0.1)
    monkeypatch.setattr(sessions, "_put_out", fail)
    with pytest.raises(LightMayBeOnError, match="LIGHT MAY BE ON"):
        session.put_light_out()


def test_putting_the_light_out_without_a_connection_asks_nobody() -> None:
    RigSession(rig_recipe(), Nobody()).put_light_out()


def test_release_stops_what_moves_and_leaves_no_thread_behind(session: RigSession) -> None:
    session.move_stage(0.0, 0.0, 0.0)
    wait_for(is_(session, "stage", DeviceState.BUSY))
    session.release()
    assert not session.view.is_open
    assert {each.state for each in session.view.devices} == {DeviceState.CLOSED}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("device-", "rig-session"))]
    session.release()


def test_a_released_rig_can_be_opened_again(session: RigSession) -> None:
    session.release()
    session.connect("counter")
    wait_for(is_(session, "counter", DeviceState.READY))


def test_a_rig_that_another_program_drives_is_not_touched_and_says_who() -> None:
    address = f"TCPIP::127.0.0.1::{free_port()}::SOCKET"
    served = [f"devices.{role}.address={address}" for role in ("trigger", "gate", "thermostat", "stage")]
    axes = [f"devices.detector_{axis}.address=/dev/pts/99" for axis in "xy"]
    recipe = rig_recipe(*served, *axes, "devices.counter.address=bench://127.0.0.1:1", "simulation=null")
    session = RigSession(recipe, Nobody())
    with RigLock(recipe.real_addresses):
        session.open()
        wait_for(lambda: bool(session.view.message))
        session.release()
    assert "in use by" in session.view.message
    assert not session.view.is_open
