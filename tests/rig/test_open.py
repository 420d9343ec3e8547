"""Opening a rig: nothing is switched on, and everything that is wrong is listed at once."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest
import serial

from drivers.picoharp300.device import PicoHarp300
from drivers.timeharp260.device import TimeHarp260
from tests.rig.conftest import Nobody, OpenRig, rig_recipe
from tests.silent_host import silent_host
from tplm_daq.errors import Aborted, DeviceError, InputError, LightMayBeOnError, LimitError, RigError
from tplm_daq.recipes.load import find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.connect_role import connect_role
from tplm_daq.rig.links import PacedAdapter
from tplm_daq.rig.open import open_rig
from tplm_daq.rig.safe_state import SafetyStep
from tplm_daq.rig.simulated import start_doubles
from tplm_daq.rig.wiring import Wiring


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def test_connecting_switches_nothing_on_and_moves_nothing(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    assert not rig.laser.is_on()
    assert set(rig._watchdog.rehearsed) == {"the laser's trigger", "the light gate"}
    assert bench.light().repetition_rate_hz == 0
    before = rig.detector.position()
    rig.clock.sleep(5.0)
    assert rig.detector.position() == before


def test_all_dead_devices_are_named_at_once() -> None:
    data = read_yaml(find_config("configs/rig_lab.yaml"))
    address = f"TCPIP::127.0.0.1::{free_port()}::SOCKET"
    for role in ("trigger", "gate", "thermostat", "stage"):
        data["devices"][role]["address"] = address
    data["devices"]["detector_x"]["address"] = data["devices"]["detector_y"]["address"] = "/dev/absent_tty"
    data["devices"]["counter"]["address"] = "/nowhere/libph300.so"
    with pytest.raises(RigError) as caught:
        open_rig(validate(RigRecipe, data, "rig_lab.yaml"), Nobody())
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("7 of the rig's devices")
    for name in ("trigger", "gate", "counter", "detector_x", "detector_y", "thermostat", "stage"):
        assert any(name in line for line in lines[1:]), f"{name} is missing in {lines}"
    assert "/nowhere/libph300.so" in str(caught.value)
    assert "Check power and USB of the controller" in str(caught.value)


def test_the_wrong_controller_at_a_port_is_refused() -> None:
    recipe = rig_recipe("devices.detector_x.serial='26999999'")
    with pytest.raises(RigError, match=r"controller 26000001 \(KST101\) answers, not 26999999"):
        open_rig(recipe, Nobody())


@pytest.mark.parametrize(("board", "width_ps"), [("pico", 25.0), ("nano", 250.0)])
def test_a_simulated_timeharp_is_the_board_of_the_rig_file(
    board: str, width_ps: float, open_simulated: OpenRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = f"devices.counter={{model: timeharp260, address: double, input: 1, board: {board}}}"
    rig, _ = open_simulated(device)
    assert rig.counter.bin_widths_ps()[0] == width_ps
    monkeypatch.setattr(TimeHarp260, "is_pico", board == "nano")
    with pytest.raises(RigError, match=f"counter at double: it is a .*the rig file has board: {board}. Write board: "):
        open_rig(rig_recipe(device), Nobody())


def test_doubles_and_real_devices_do_not_mix() -> None:
    with pytest.raises(InputError, match=r"trigger.*real address"):
        rig_recipe("devices.trigger.address=TCPIP::192.0.2.1::5025::SOCKET")


@pytest.mark.parametrize(
    ("rate_hz", "power_nw", "says"),
    [
        (80e6, 10.0, r"light.repetition_rate: 8e\+07 Hz is outside 0 to 4e\+07 Hz"),
        (2.5e6, 1e4, r"light.average_power: 10000 nW is outside 0 to 100 nW"),
    ],
)
def test_light_beyond_the_limits_is_refused_before_anything_is_sent(
    rate_hz: float, power_nw: float, says: str, open_simulated: OpenRig
) -> None:
    rig, _ = open_simulated()
    before = rig.laser.snapshot()
    with pytest.raises(LimitError, match=says):
        rig.laser.prepare(rate_hz, power_nw)
    assert rig.laser.snapshot() == before


def test_leaving_the_rig_puts_the_light_out(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    rig.make_safe()
    assert not bench._trigger.is_output_on
    assert rig.gate.is_blocking()


@pytest.mark.parametrize("dead", ["trigger", "gate"])
@pytest.mark.usefixtures("short_time_outs")
def test_one_dead_path_does_not_keep_the_light_on(dead: str, open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    bench.servers[dead].close()
    rig.make_safe()
    assert bench.light().average_power_nw == 0


def test_light_goes_out_while_another_thread_hangs_on_the_laser(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    with rig.laser._link.exclusive():  # the link that the scan uses is taken, as by a request that never ends
        rescuer = threading.Thread(target=rig.make_safe)
        rescuer.start()
        rescuer.join(timeout=10)
        assert not rescuer.is_alive()
    assert bench.light().average_power_nw == 0


@pytest.mark.usefixtures("short_time_outs")
def test_with_every_path_dead_the_message_says_so(open_simulated: OpenRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.LAST_TRIES_S", 0.0)
    rig, bench = open_simulated()
    bench.servers["trigger"].close()
    bench.servers["gate"].close()
    with pytest.raises(
        LightMayBeOnError, match=r"LIGHT MAY BE ON: the laser's trigger failed .* the light gate failed"
    ):
        rig.make_safe()
    rig._light_paths = ()  # nothing left to put out: lets the fixture close the rig
    rig.make_safe = lambda: None  # type: ignore[method-assign]


def test_light_that_was_put_out_by_hand_stays_out_until_the_laser_is_prepared_anew(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    rig.laser.prepare(2.5e6, 10.0)
    rig.laser.turn_on()
    assert rig.put_light_out() == ()
    with pytest.raises(Aborted, match="put out by hand, and stays out"):
        rig.laser.turn_on()
    assert bench.light().repetition_rate_hz == 0
    rig.laser.prepare(2.5e6, 10.0)
    rig.laser.turn_on()
    assert rig.laser.is_on()


def test_opening_ends_between_two_boxes_when_somebody_wants_that() -> None:
    n_asked = 0

    def abort_at_the_third() -> None:
        nonlocal n_asked
        n_asked += 1
        if n_asked == 3:
            raise Aborted("ended by Ctrl-C, while the rig was being opened")

    with pytest.raises(Aborted, match="while the rig was being opened"):
        open_rig(rig_recipe(), Nobody(), abort_at_the_third)
    assert n_asked == 3


def test_boxes_that_are_switched_off_are_named_with_all_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their hosts do not even refuse a connection."""
    monkeypatch.setattr("drivers.bounded_visa.OPEN_WITHIN_MS", 200)
    data = read_yaml(find_config("configs/rig_lab.yaml"))
    with silent_host() as address:
        for role in ("trigger", "thermostat", "stage"):
            data["devices"][role]["address"] = address
        with pytest.raises(RigError) as caught:
            open_rig(validate(RigRecipe, data, "rig_lab.yaml"), Nobody())
    for role in ("trigger", "thermostat", "stage"):
        assert f"{role} at {address}: nobody answers at this address within 0.2 s. Check" in str(caught.value)


class Unplugged(PacedAdapter):
    """A connection that breaks when it is closed, once: it is closed again when it is forgotten."""

    has_broken = False

    def close(self) -> None:
        super().close()
        if not self.has_broken:
            self.has_broken = True
            raise serial.SerialException("device disconnected")


def test_a_connection_that_breaks_as_it_is_closed_is_told_and_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tplm_daq.rig.connect.PacedAdapter", Unplugged)
    with open_rig(rig_recipe("simulation.is_homed=true"), Nobody()) as rig:
        pass
    told = [record.message for record in caplog.records if record.message.startswith("closing: ")]
    assert {line.split()[1] for line in told} == {"detector_x", "detector_y", "thermostat"}
    assert all("device disconnected. Check power" in line for line in told)
    assert rig._watchdog._process.poll() == 0


@pytest.mark.parametrize("role", ["trigger", "gate", "thermostat", "stage", "detector_x", "counter"])
def test_a_box_that_connects_and_then_fails_is_closed_again(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if role == "counter":
        recipe = rig_recipe()
        monkeypatch.setattr(PicoHarp300, "initialise", _refuse)
    else:
        recipe = rig_recipe(f"simulation.faults=[{{fault: silence, device: {role}}}]")
    monkeypatch.setattr("tplm_daq.rig.wiring.VISA_TIMEOUT_MS", 100)
    monkeypatch.setattr("tplm_daq.rig.links.REPLY_TIMEOUT_S", 0.1)
    world = start_doubles(recipe)
    wiring = Wiring(recipe, world, Nobody())
    try:
        with pytest.raises(DeviceError, match=f"^{role} at "):
            connect_role(wiring, role)
        assert len(wiring.closers) == 1
        wiring.closers[0]()
        wiring.closers[0]()
    finally:
        world.close()


def _refuse(driver: PicoHarp300, mode: object = None) -> None:
    raise OSError("the counter does not start")


@pytest.mark.parametrize("role", ["laser", "attenuator", "power_meter", "detection_filter"])
def test_a_role_that_the_rig_does_not_have_cannot_be_connected(role: str) -> None:
    recipe = rig_recipe()
    world = start_doubles(recipe)
    try:
        with pytest.raises(KeyError, match=role):
            connect_role(Wiring(recipe, world, Nobody()), role)
    finally:
        world.close()


@pytest.mark.parametrize(("policy", "is_heating"), [("hold", True), ("heater_off", False)])
def test_the_heaters_follow_the_temperature_policy(policy: str, is_heating: bool, open_simulated: OpenRig) -> None:
    rig, bench = open_simulated(f"policies.temperature_at_end={policy}")
    assert rig.thermostat is not None
    rig.thermostat.set_temperature(300.0)
    heater = rig.thermostat._driver.outputs[1]
    heater.heater_range = "medium"
    rig.make_safe()
    assert (heater.heater_range != "off") == is_heating


@pytest.mark.usefixtures("short_time_outs")
def test_a_failure_in_the_safe_state_is_logged_and_the_light_is_out(
    open_simulated: OpenRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig, bench = open_simulated("simulation.faults=[]")
    bench.servers["stage"].close()
    rig.make_safe()
    (told,) = [record.message for record in caplog.records if record.message.startswith("safe state: stopping")]
    assert told.startswith("safe state: stopping the stage failed (stage at TCPIP")
    rig.close()
    rig.close()
    rig.make_safe = lambda: None  # type: ignore[method-assign]


def test_light_that_could_not_be_put_out_is_left_to_the_watchdog(capfd: pytest.CaptureFixture[str]) -> None:
    rig = open_rig(rig_recipe(), Nobody())
    watchdog, end_doubles = rig._watchdog._process, rig._end_doubles

    def end_doubles_after_the_watchdog() -> None:
        assert watchdog.wait(20) == 0
        end_doubles()

    rig._end_doubles = end_doubles_after_the_watchdog
    rig._light_paths = (SafetyStep("the trigger", _dead),)
    with pytest.raises(LightMayBeOnError, match="the trigger failed"), rig:
        pass
    told = capfd.readouterr().err
    assert "watchdog: the program ended without making the rig safe; the light was put out (the laser's trigger" in told


def _dead() -> None:
    raise OSError("nobody answers")
