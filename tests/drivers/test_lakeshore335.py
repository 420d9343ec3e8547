"""The Lake Shore driver, byte by byte against a scripted line."""

from math import inf, isnan

import pytest
from pymeasure.test import expected_protocol

from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_codec import (
    POLL_MESSAGE,
    HeaterSetup,
    HeaterStatus,
    LakeShoreError,
    Mode,
    ReadingStatus,
    parse_poll,
)

IDENTITY = "LSCI,MODEL335,335A0KE/#######,1.1"
IDLE_REPLY = (
    "000;+300.012;000;1,0,0,0,1;+0320;+300.004;000;1,0,0,0,1;+0000;"
    "1,1,0;+300.000;0,000.0;0;2;+091.1;0;"
    "0,0,0;+000.000;0,000.0;0;0;+000.0;0"
)
RAMP_REPLY = IDLE_REPLY.replace("1,1,0;+300.000;0,000.0", "1,1,0;+300.000;1,005.0")


@pytest.mark.parametrize(
    "read, sent, reply, value",
    [
        (lambda box: box.input_A.kelvin, "KRDG? A;RDGST? A", "+077.123;000", 77.123),
        (lambda box: box.input_B.kelvin, "KRDG? B;RDGST? B", "77.1;0", 77.1),
        (lambda box: box.input_A.sensor, "SRDG? A;RDGST? A", "+1.02345;000", 1.02345),
        (lambda box: box.input_A.status, "RDGST? A", "033", ReadingStatus(33)),
        (lambda box: box.input_A.limit_k, "TLIMIT? A", "+0330", 330.0),
        (lambda box: box.id, "*IDN?", IDENTITY, IDENTITY),
        (lambda box: box.input_A.celsius, "CRDG? A;RDGST? A", "-196.150;000", -196.15),
        (lambda box: box.input_A.sensor_type, "INTYPE? A", "1,0,0,0,1", "diode"),
        (lambda box: box.input_B.units, "INTYPE? B", "3,1,4,1,3", "sensor"),
        (lambda box: box.input_A.curve, "INCRV? A", "02", 2),
        (lambda box: box.input_A.label, "INNAME? A", "Cold finger    ", "Cold finger"),
        (lambda box: box.output_1.mout, "MOUT? 1", "+050.00", 50.0),
        (lambda box: box.output_1.output, "HTR? 1", "+091.1", 91.1),
        (lambda box: box.output_1.pid, "PID? 1", "+0050.0,+0020.0,+000.0", (50.0, 20.0, 0.0)),
        (lambda box: box.output_1.heater_setup, "HTRSET? 1", "0,2,0,1.03,2", HeaterSetup(50, 1.03, True)),
        (lambda box: box.output_2.heater_setup, "HTRSET? 2", "1,1,2,+0.100,1", HeaterSetup(25, 1.0, False)),
        (lambda box: box.output_1.setpoint, POLL_MESSAGE, IDLE_REPLY, 300.0),
        (lambda box: box.output_1.ramp_rate_k_per_min, POLL_MESSAGE, RAMP_REPLY, 5.0),
        (lambda box: box.output_1.heater_range, POLL_MESSAGE, IDLE_REPLY, "medium"),
        (lambda box: box.output_1.range, POLL_MESSAGE, IDLE_REPLY, "medium"),
        (lambda box: box.output_1.heater_fault, POLL_MESSAGE, IDLE_REPLY, HeaterStatus.OK),
        (lambda box: box.output_1.state.heater_percent, POLL_MESSAGE, IDLE_REPLY, 91.1),
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
            lambda box: setattr(box.output_1, "pid", (40, 15.5, 0)),
            [("PID 1,40.0,15.5,0.0;*ESR?;PID? 1", "000;+0040.0,+0015.5,+000.0")],
            id="PID",
        ),
        pytest.param(
            lambda box: setattr(box.input_B, "curve", 21), [("INCRV B,21;*ESR?;INCRV? B", "000;21")], id="curve"
        ),
        pytest.param(
            lambda box: setattr(box.input_A, "label", "Cold finger"),
            [('INNAME A,"Cold finger";*ESR?;INNAME? A', "000;Cold finger    "), ("INNAME? A", "Cold finger    ")],
            id="label",
        ),
        pytest.param(
            lambda box: setattr(box.input_A, "units", "kelvin"),
            [
                (POLL_MESSAGE, IDLE_REPLY.replace(";2;+091", ";0;+091")),
                ("INTYPE? A", "1,0,0,0,2"),
                ("INTYPE A,1,0,0,0,1;*ESR?;INTYPE? A", "000;1,0,0,0,1"),
            ],
            id="units",
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
        (lambda box: setattr(box.output_1, "range", "high"), "'high' is not one of off, low, medium"),
        (lambda box: setattr(box.output_1, "pid", (50.0, 20.0, 201.0)), "D 201 is outside 0 to 200 %"),
        (lambda box: setattr(box.output_1, "pid", (0.0, 20.0, 0.0)), "P 0 is outside 0.1 to 1000"),
        (lambda box: setattr(box.input_A, "curve", 60), "curve number 60 is outside 0 to 59"),
        (lambda box: setattr(box.input_A, "label", "the cold finger 1"), "up to 15 ASCII characters"),
        (lambda box: setattr(box.input_A, "label", "a;RANGE 1,3"), "without quotes, commas and semicolons"),
        (lambda box: setattr(box.input_A, "units", "fahrenheit"), "fahrenheit"),
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
        pytest.raises(LakeShoreError, match="shows 0,0,0 after 'OUTMODE 2,1,2,0', expected 1,2,0"),
    ):
        box.output_2.assign(Mode.CLOSED_LOOP, "B")


def test_a_heater_that_stays_on_is_an_error():
    with (
        expected_protocol(LakeShore335, [("RANGE 1,0;RANGE 2,0;RANGE? 1;RANGE? 2", "2;0")]) as box,
        pytest.raises(LakeShoreError, match="heater ranges 2 and 0 after both were switched off; press its Heater Off"),
    ):
        box.heaters_off()


@pytest.mark.parametrize(
    "write, exchanges, message",
    [
        (
            lambda box: setattr(box.output_1, "pid", (40, 15.5, 0)),
            [("PID 1,40.0,15.5,0.0;*ESR?;PID? 1", "000;+0040.0,+0015.5,+001.0")],
            r"shows PID \(40.0, 15.5, 1.0\) after 40.0,15.5,0.0 was sent",
        ),
        (
            lambda box: setattr(box.input_A, "label", "Cold finger"),
            [('INNAME A,"Cold finger";*ESR?;INNAME? A', "000;Input A        "), ("INNAME? A", "Input A        ")],
            "shows the name 'Input A' after 'Cold finger' was sent",
        ),
        (
            lambda box: box.output_1.ramp_to(290.0, 4.0),
            [
                (POLL_MESSAGE, IDLE_REPLY),
                ("RAMP 1,0,4;SETP 1,300.0120;RAMP 1,1,4;SETP 1,290.0000;*ESR?;SETP? 1", "000;+300.012"),
                (POLL_MESSAGE, RAMP_REPLY),
            ],
            "shows 5 K/min after 4 K/min was sent",
        ),
    ],
    ids=["PID", "label", "ramp"],
)
def test_a_setting_that_is_not_taken_is_an_error(write, exchanges, message):
    with expected_protocol(LakeShore335, exchanges) as box, pytest.raises(LakeShoreError, match=message):
        write(box)


@pytest.mark.parametrize(
    "read, sent, reply, message",
    [
        (lambda box: box.output_1.heater_setup, "HTRSET? 1", "0,7,0,1.03,2", "came where a heater setup belongs"),
        (lambda box: box.output_1.pid, "PID? 1", "+0050.0,+0020.0", "came where 3 numbers belong"),
        (lambda box: box.input_A.sensor_type, "INTYPE? A", "9,0,0,0,1", "9 came where one of 0 to 4 belongs"),
    ],
    ids=["heater setup", "PID", "sensor type"],
)
def test_a_reading_that_means_nothing_is_out_of_step(read, sent, reply, message):
    with (
        pytest.raises(ConnectionError, match=f"{message}; replies are out of step"),
        expected_protocol(LakeShore335, [(sent, reply)] * 2) as box,
    ):
        read(box)
