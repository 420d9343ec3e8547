"""The Lake Shore driver: bytes against a scripted line, and against the double over loopback."""

from math import inf, isnan

import pytest
from pymeasure.test import expected_protocol

from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_codec import POLL_MESSAGE, HeaterStatus, LakeShoreError, Mode, ReadingStatus, parse_poll
from simulators.clock import SimClock
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.server import DoubleServer

IDLE_REPLY = (
    "+300.012;000;1,0,0,0,1;+300.004;000;1,0,0,0,1;"
    "1,1,0;+300.000;0,000.0;0;2;+091.1;0;"
    "0,0,0;+000.000;0,000.0;0;0;+000.0;0"
)
RAMP_REPLY = IDLE_REPLY.replace("1,1,0;+300.000;0,000.0", "1,1,0;+300.000;1,005.0")


@pytest.fixture
def double():
    return LakeShoreDouble()


@pytest.fixture
def controller(double):
    server = DoubleServer(double, SimClock())
    driver = LakeShore335(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()
    server.close()


@pytest.mark.parametrize(
    "read, sent, reply, value",
    [
        (lambda box: box.input_A.kelvin, "KRDG? A;RDGST? A", "+077.123;000", 77.123),
        (lambda box: box.input_B.kelvin, "KRDG? B;RDGST? B", "77.1;0", 77.1),
        (lambda box: box.input_A.sensor, "SRDG? A;RDGST? A", "+1.02345;000", 1.02345),
        (lambda box: box.input_A.status, "RDGST? A", "033", ReadingStatus(33)),
        (lambda box: box.input_A.limit_k, "TLIMIT? A", "+0330", 330.0),
        (lambda box: box.output_1.mout, "MOUT? 1", "+050.00", 50.0),
    ],
)
def test_a_reading(read, sent, reply, value):
    with expected_protocol(LakeShore335, [(sent, reply)]) as box:
        assert read(box) == value


@pytest.mark.parametrize("status", ["001", "016", "032", "129"])
def test_a_reading_without_a_temperature_is_nan_and_never_zero(status):
    with expected_protocol(LakeShore335, [("KRDG? A;RDGST? A", f"+000.000;{status}")]) as box:
        assert isnan(box.input_A.kelvin)


@pytest.mark.parametrize(
    "write, exchanges",
    [
        pytest.param(
            lambda box: setattr(box.output_1, "setpoint", 77.35),
            [(POLL_MESSAGE, RAMP_REPLY), ("SETP 1,77.3500;*ESR?;SETP? 1", "000;+077.350")],
            id="setpoint",
        ),
        pytest.param(
            lambda box: setattr(box.output_1, "heater_range", "low"),
            [(POLL_MESSAGE, IDLE_REPLY), ("RANGE 1,1;*ESR?;RANGE? 1", "000;1")],
            id="range",
        ),
        pytest.param(
            lambda box: setattr(box.output_1, "heater_range", "off"),
            [("RANGE 1,0;*ESR?;RANGE? 1", "000;0")],
            id="off asks nothing first",
        ),
        pytest.param(
            lambda box: setattr(box.output_2, "mout", 12.5), [("MOUT 2,12.50;*ESR?;MOUT? 2", "000;+012.50")], id="mout"
        ),
        pytest.param(
            lambda box: setattr(box.input_A, "limit_k", 320.0),
            [("TLIMIT A,320;*ESR?;TLIMIT? A", "000;+0320")],
            id="limit",
        ),
        pytest.param(
            lambda box: box.output_2.assign(Mode.CLOSED_LOOP, "B"),
            [(POLL_MESSAGE, IDLE_REPLY), ("OUTMODE 2,1,2,0;*ESR?;OUTMODE? 2", "000;1,2,0")],
            id="mode, never on after power-up",
        ),
        pytest.param(
            lambda box: box.output_1.ramp_to(290.0, 5.0),
            [
                (POLL_MESSAGE, IDLE_REPLY),
                ("RAMP 1,0,5;SETP 1,300.0120;RAMP 1,1,5;SETP 1,290.0000;*ESR?;SETP? 1", "000;+300.012"),
                (POLL_MESSAGE, RAMP_REPLY),
            ],
            id="ramp starts at the present temperature",
        ),
        pytest.param(
            lambda box: box.heaters_off(), [("RANGE 1,0;RANGE 2,0;RANGE? 1;RANGE? 2", "0;0")], id="heaters off"
        ),
    ],
)
def test_a_set_is_verified_in_its_own_message(write, exchanges):
    with expected_protocol(LakeShore335, exchanges) as box:
        write(box)


def test_the_whole_poll_is_one_short_message():
    assert len(POLL_MESSAGE) <= 255
    with expected_protocol(LakeShore335, [(POLL_MESSAGE, RAMP_REPLY)]) as box:
        poll = box.poll()
    assert (poll.inputs["A"].kelvin, poll.inputs["B"].status, poll.inputs["A"].units) == (300.012, 0, "kelvin")
    first, second = poll.outputs[1], poll.outputs[2]
    assert (first.mode, first.control_input, first.setpoint_k) == (Mode.CLOSED_LOOP, "A", 300.0)
    assert (first.heater_range, first.heater_percent, first.ramp_rate_k_per_min) == ("medium", 91.1, 5.0)
    assert isnan(second.setpoint_k) and second.ramp_rate_k_per_min == inf


@pytest.mark.parametrize(
    "reply", ["+300.012;000", IDLE_REPLY.replace("+091.1", "warm"), IDLE_REPLY.replace(";2;", ";7;")]
)
def test_a_reply_that_does_not_answer_the_poll_is_a_connection_error(reply):
    with pytest.raises(ConnectionError, match="replies are out of step: discard what has arrived and ask again"):
        parse_poll(reply)


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda box: setattr(box.output_1, "setpoint", 400.0), "setpoint 400 K is outside 0 to 310 K"),
        (lambda box: setattr(box.output_1, "setpoint", float("nan")), "setpoint nan K is outside"),
        (lambda box: box.output_1.ramp_to(0.0, 5.0), "setpoint 0 K is outside 0 to 310 K"),
        (lambda box: box.output_1.ramp_to(290.0, 20.0), "ramp rate 20 is outside 0.1 to 10 K/min"),
        (lambda box: box.output_1.ramp_to(290.0, 0.0), "ramp rate 0 is outside 0.1 to 10 K/min"),
        (lambda box: setattr(box.output_1, "heater_range", "high"), "'high' is not one of off, low, medium"),
        (lambda box: setattr(box.output_1, "mout", 101.0), "manual heater output 101 is outside 0 to 100 %"),
        (lambda box: setattr(box.input_A, "limit_k", 0.0), "limit 0 is outside 1 to 9999 K; 0 would mean no limit"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_sent(write, message):
    with expected_protocol(LakeShore335, []) as box, pytest.raises(ValueError, match=message):
        write(box)


@pytest.mark.parametrize(
    "limits", [{"max_setpoint_k": 0.0}, {"max_range": "turbo"}, {"max_ramp_rate_k_per_min": 200.0}], ids=str
)
def test_impossible_limits_are_refused(limits):
    with pytest.raises(ValueError, match=r"limit"):
        LakeShore335("ASRL9::INSTR", **limits)


def test_an_error_of_the_box_names_its_kind_and_the_command():
    with (
        expected_protocol(LakeShore335, [("MOUT 1,5.00;*ESR?;MOUT? 1", "016;+000.00")]) as box,
        pytest.raises(LakeShoreError, match="reported EXECUTION_ERROR after 'MOUT 1,5.00' and shows \\+000.00"),
    ):
        box.output_1.mout = 5.0


def test_a_read_back_that_differs_is_an_error():
    with (
        expected_protocol(LakeShore335, [("MOUT 1,5.00;*ESR?;MOUT? 1", "000;+006.00")]) as box,
        pytest.raises(LakeShoreError, match="shows 6 after 'MOUT 1,5.00', expected 5 within 0.01"),
    ):
        box.output_1.mout = 5.0


def test_a_mode_that_is_not_taken_over_is_an_error():
    exchanges = [(POLL_MESSAGE, IDLE_REPLY), ("OUTMODE 2,1,2,0;*ESR?;OUTMODE? 2", "000;0,0,0")]
    with (
        expected_protocol(LakeShore335, exchanges) as box,
        pytest.raises(LakeShoreError, match="output 2 shows mode 0,0,0 after 1,2,0 was sent"),
    ):
        box.output_2.assign(Mode.CLOSED_LOOP, "B")


def test_a_heater_that_stays_on_is_an_error():
    with (
        expected_protocol(LakeShore335, [("RANGE 1,0;RANGE 2,0;RANGE? 1;RANGE? 2", "2;0")]) as box,
        pytest.raises(LakeShoreError, match="heater ranges 2 and 0 after both were switched off; press its Heater Off"),
    ):
        box.heaters_off()


def test_another_box_is_named(controller, monkeypatch, double):
    monkeypatch.setattr(double, "answer", lambda frame: b"?x\x12\r\n" if frame.strip() else b"")
    with pytest.raises(ConnectionError, match="answered, not a Model 335; .*7 data bits, odd parity"):
        controller.identify()


def test_identification_clears_what_was_left_half_said(controller, double):
    double.exchange(b"NONSENSE\n")
    assert controller.identify().startswith("LSCI,MODEL335")
    assert double.exchange(b"*ESR?\n") == b"000\r\n"


@pytest.mark.parametrize("is_setpoint_moving", [True, False])
def test_a_ramp_ends_at_its_setpoint(controller, double, is_setpoint_moving):
    double.is_setpoint_moving = is_setpoint_moving
    controller.output_1.ramp_to(290.0, 5.0)
    double.process(60.0)
    controller.output_1.setpoint = 292.0
    assert controller.output_1.state.is_ramping
    double.process(600.0)
    assert not controller.output_1.state.is_ramping
    assert controller.output_1.setpoint == 292.0
    assert controller.input_B.kelvin == pytest.approx(292.0, abs=0.05)


def test_a_ramp_starts_at_the_temperature_and_not_at_an_old_setpoint(controller, double):
    double.exchange(b"RANGE 1,0;SETP 1,100\n")
    double.process(60.0)
    present_k = double.platform.nodes_k()[0]
    controller.output_1.ramp_to(290.0, 5.0)
    assert double.platform.moving_setpoint(1) == pytest.approx(present_k, abs=0.05)


def test_a_setpoint_without_a_ramp_is_refused(controller, double):
    with pytest.raises(ValueError, match="would be approached at inf K/min, more than the 10 .*use ramp_to"):
        controller.output_1.setpoint = 290.0
    assert double.exchange(b"SETP? 1\n") == b"+300.000\r\n"


@pytest.mark.parametrize("units", [2, 3])
def test_a_setpoint_is_refused_unless_the_loop_works_in_kelvin(controller, double, units):
    double.exchange(b"INTYPE A,1,0,0,0,%d\n" % units)
    with pytest.raises(ValueError, match="output 1 works on (celsius|sensor), so a setpoint in kelvin would mean"):
        controller.output_1.ramp_to(77.0, 5.0)
    assert isnan(controller.output_1.setpoint)


def test_without_a_sensor_nothing_heats(controller, double):
    double.unplug("A")
    controller.heaters_off()
    with pytest.raises(ValueError, match="no valid temperature to control on .*check the sensor before heating"):
        controller.output_1.heater_range = "low"
    with pytest.raises(ValueError, match="no valid temperature to control on"):
        controller.output_1.ramp_to(290.0, 5.0)
    assert isnan(controller.input_A.kelvin)


def test_a_heater_fault_is_kept_until_somebody_has_looked(controller, double):
    double.break_heater(1)
    assert controller.poll().outputs[1].heater_fault is HeaterStatus.OPEN_LOAD
    assert controller.poll().outputs[1].heater_fault is HeaterStatus.OPEN_LOAD
    with pytest.raises(ValueError, match="reported OPEN_LOAD; look at the heater, then call acknowledge_heater_fault"):
        controller.output_1.heater_range = "low"
    controller.output_1.acknowledge_heater_fault()
    controller.output_1.heater_range = "low"
    assert controller.output_1.heater_range == "low"


def test_a_setpoint_from_the_front_panel_is_checked_before_the_heater_goes_on(controller, double):
    double.exchange(b"RANGE 1,0;SETP 1,400\n")
    with pytest.raises(ValueError, match="setpoint 400 K is outside 0 to 310 K"):
        controller.output_1.heater_range = "low"


def test_an_output_without_a_loop_is_not_switched_on(controller):
    with pytest.raises(ValueError, match="output 2 is in mode OFF; assign a loop first"):
        controller.output_2.heater_range = "low"


def test_the_mode_changes_only_with_the_heater_off(controller, double):
    with pytest.raises(ValueError, match="output 1 is in range medium; switch it off first"):
        controller.output_1.assign(Mode.OPEN_LOOP, "A")
    controller.heaters_off()
    controller.output_1.assign(Mode.OPEN_LOOP, "A")
    assert double.exchange(b"OUTMODE? 1\n") == b"3,1,0\r\n"


@pytest.mark.parametrize("heaters, shown", [("hold", b"2\r\n"), ("off", b"0\r\n")])
def test_shutdown_holds_the_temperature_unless_told_otherwise(controller, double, heaters, shown):
    controller.shutdown(heaters)
    assert double.exchange(b"RANGE? 1\n") == shown


def test_a_command_the_box_does_not_know_is_a_timeout(controller):
    with pytest.raises(TimeoutError, match="Lake Shore 335 did not answer in time; it is silent about commands"):
        controller.ask("SYST:ERR?")


def test_looking_changes_nothing(controller, double):
    double.before_change = lambda: pytest.fail("something was changed")
    controller.identify()
    controller.poll()
    assert controller.input_A.kelvin == pytest.approx(300.0, abs=0.05)


def test_the_serial_defaults_are_those_of_the_box(double):
    server = DoubleServer(double, SimClock())
    controller = LakeShore335(f"ASRLsocket://127.0.0.1:{server.port}::INSTR", timeout=300)
    connection = controller.adapter.connection
    settings = (connection.baud_rate, connection.data_bits, connection.parity.name, connection.stop_bits.name)
    temperature_k = controller.input_A.kelvin
    controller.adapter.close()
    server.close()
    assert settings == (57600, 7, "odd", "one")
    assert temperature_k == pytest.approx(300.0, abs=0.05)
