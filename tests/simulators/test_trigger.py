"""Byte-level behaviour of the function generator's double, from the family's guide."""

from math import inf

import pytest
from pymeasure.instruments.agilent import Agilent33500

from simulators.clock import SimClock
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator


@pytest.fixture
def box():
    return TriggerGenerator()


EXCHANGES = {
    "identification": (b"*IDN?\n", b"Agilent Technologies,33512B,MY00000001,3.03-1.19-2.00-52-00\n"),
    "as it comes up": (
        b"FUNC?;FREQ?;VOLT:HIGH?;LOW?;:OUTP?\n",
        b"SIN;+1.000000000000000E+03;+5.000000000000000E-02;-5.000000000000000E-02;0\n",
    ),
    "long forms and lower case": (b":source1:function square;:SOURCE1:FUNCTION?\n", b"SQU\n"),
    "no channel means channel 1": (b"SOUR2:FUNC DC;:FUNC?;:SOUR2:FUNC?\n", b"SIN;DC\n"),
    "a unit": (b"FREQ 2.5 MHZ;FREQ?\n", b"+2.500000000000000E+06\n"),
    "a path is kept within a message": (b"VOLT:HIGH 1;LOW -1;HIGH?\n", b"+1.000000000000000E+00\n"),
    "a path is not kept to the next message": (b"VOLT:HIGH 1\nLOW -1;:SYST:ERR?\n", b'-113,"Undefined header"\n'),
    "a common command keeps the path": (b"VOLT:HIGH 1;*OPC?;HIGH?\n", b"1;+1.000000000000000E+00\n"),
    "an offset and a duty cycle": (
        b"VOLT:OFFS 0.5;OFFS?;:FUNC:SQU:DCYC 25;DCYC?\n",
        b"+5.000000000000000E-01;+2.500000000000000E+01\n",
    ),
    "a duty cycle too short for the pulse": (
        b"FREQ 10E6;FUNC:SQU:DCYC 5;DCYC?;:SYST:ERR?\n",
        b'+1.600000000000000E+01;-222,"Data out of range; value clipped to lower limit"\n',
    ),
    "a frequency too high for the shape": (
        b"FREQ 1E6;FUNC RAMP;:FREQ?;:SYST:ERR?\n",
        b'+2.000000000000000E+05;-221,"Settings conflict; frequency reduced for this function"\n',
    ),
    "operation complete": (b"*ESR?;*OPC;*ESR?\n", b"+128;+1\n"),
    "infinite load": (b"OUTP1:LOAD INF;LOAD?\n", b"+9.9E+37\n"),
    "the limits by name": (b"FREQ MAX;FREQ?\n", b"+2.000000000000000E+07\n"),
    "no error": (b"SYST:ERR?\n", b'+0,"No error"\n'),
    "too high": (
        b"FREQ 50E6;FREQ?;:SYST:ERR?\n",
        b'+2.000000000000000E+07;-222,"Data out of range; value clipped to upper limit"\n',
    ),
    "too low": (b"OUTP:LOAD 0.1;:SYST:ERR?\n", b'-222,"Data out of range; value clipped to lower limit"\n'),
    "an unknown header": (b"LIGHT ON;:SYST:ERR?;*ESR?;*ESR?\n", b'-113,"Undefined header";+160;+0\n'),
    "a shape it does not have": (b"FUNC HEART;:SYST:ERR?\n", b'-224,"Illegal parameter value"\n'),
    "neither on nor off": (b"OUTP MAYBE;:OUTP?;:SYST:ERR?\n", b'0;-224,"Illegal parameter value"\n'),
    "a missing number": (b"FREQ;:SYST:ERR?\n", b'-109,"Missing parameter"\n'),
    "a word for a number": (b"FREQ FAST;:SYST:ERR?\n", b'-104,"Data type error"\n'),
    "a wrong unit": (b"FREQ 1 PINT;:SYST:ERR?\n", b'-131,"Invalid suffix"\n'),
    "a pulse too long for the period": (
        b"FREQ 1E6;FUNC PULS;:SYST:ERR?\n",
        b'-221,"Settings conflict; pulse width decreased due to period"\n',
    ),
    "a high level below the low one": (
        b"VOLT:LOW 0;HIGH -1;LOW?;:SYST:ERR?\n",
        b'-1.001000000000000E+00;-221,"Settings conflict; low level changed"\n',
    ),
    "clear": (b"LIGHT ON;*CLS;SYST:ERR?\n", b'+0,"No error"\n'),
}


@pytest.mark.parametrize("sent, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_reply(box, sent, expected):
    assert box.exchange(sent) == expected


def test_a_pulse_that_was_too_long_fills_the_period_up_to_the_shortest_gap(box):
    box.exchange(b"FREQ 1E6;FUNC PULS\n")
    assert float(box.exchange(b"FUNC:PULS:WIDT?\n")) == pytest.approx(1e-6 - 16e-9)


def test_errors_come_out_in_order_and_the_queue_ends_with_its_overflow(box):
    box.exchange(b"LIGHT ON;:FREQ 50E6;" + b":LIGHT ON;" * 30 + b"\n")
    errors = [box.exchange(b"SYST:ERR?\n") for _ in range(21)]
    assert errors[:2] == [
        b'-113,"Undefined header"\n',
        b'-222,"Data out of range; value clipped to upper limit"\n',
    ]
    assert errors[19:] == [b'-350,"Error queue overflow"\n', b'+0,"No error"\n']


def test_the_load_setting_scales_what_is_shown_and_not_what_is_there(box):
    box.exchange(b"FUNC SQU;VOLT:LOW 0;HIGH 1.5;:OUTP ON\n")
    before = box.channels[1].levels_into(50.0)
    box.exchange(b"OUTP:LOAD INF\n")
    assert (box.high_v, box.load_ohm) == (pytest.approx(3.0), inf)
    assert box.channels[1].levels_into(50.0) == before == pytest.approx((0.0, 1.5))


def test_an_output_that_is_off_is_an_open_line_without_edges(box):
    assert box.channels[1].levels_into(50.0) is None
    assert box.channels[1].edges_hz == 0.0
    box.exchange(b"FUNC SQU;FREQ 2.5E6;:OUTP ON\n")
    assert (box.is_output_on, box.frequency_hz, box.channels[1].edges_hz) == (True, 2.5e6, 2.5e6)


def test_a_constant_level_has_no_edges(box):
    box.exchange(b"OUTP2:LOAD INF;:SOUR2:FUNC DC;:SOUR2:VOLT:OFFS 5;:OUTP2 ON\n")
    assert box.channels[2].edges_hz == 0.0
    assert box.channels[2].levels_into(inf) == (5.0, 5.0)


def test_reset_switches_the_outputs_off(box):
    box.exchange(b"OUTP ON;*RST\n")
    assert not box.is_output_on


@pytest.mark.parametrize("command", [b"OUTP ON", b"FREQ 2E6", b"FUNC SQU", b"VOLT:HIGH 1", b"*RST", b"OUTP:LOAD INF"])
def test_the_bench_hears_of_a_change_before_it_happens(box, command):
    seen = []
    question = b"OUTP?;FREQ?;FUNC?;VOLT:HIGH?;:OUTP:LOAD?\n"
    before = box.exchange(question)
    box.before_change = lambda: seen.append(box.exchange(question))
    box.exchange(command + b"\n")
    assert seen == [before]


def test_questions_change_nothing(box):
    box.before_change = lambda: pytest.fail("nothing was changed")
    box.exchange(b"*IDN?;*OPC?;FREQ?;OUTP?;SYST:ERR?\n")


def test_a_driver_that_is_not_ours_finds_its_generator(box):
    server = DoubleServer(box, SimClock())
    foreign = Agilent33500(server.visa_address, read_termination="\n", write_termination="\n", timeout=300)
    foreign.ch_1.shape = "PULS"
    foreign.ch_1.frequency = 250e3
    foreign.ch_1.pulse_width = 100e-9
    foreign.ch_1.voltage_high = 1.5
    foreign.ch_1.voltage_low = 0.0
    foreign.ch_1.output = True
    shown = (foreign.ch_1.shape, foreign.ch_1.frequency, foreign.ch_1.voltage_high, foreign.ch_1.output_load)
    errors = foreign.check_errors()
    foreign.adapter.close()
    server.close()
    assert shown == ("PULS", 250e3, pytest.approx(1.5), 50.0)
    assert box.channels[1].levels_into(50.0) == pytest.approx((0.0, 1.5))
    assert [error[0] for error in errors] == [-221.0]
