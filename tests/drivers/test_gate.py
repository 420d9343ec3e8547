"""The light gate's line: closed means a driven level, and everything else counts as open."""

from math import inf

import pytest
from pymeasure.test import expected_protocol

from drivers.gate import LightGateLine
from drivers.generator33500 import GeneratorError
from simulators.clock import SimClock
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator as GeneratorDouble

CLOSING = "OUTP1:LOAD INF;:SOUR1:FUNC DC;:SOUR1:VOLT:OFFS 0;:OUTP1 ON;:OUTP1?"
LINE = ":SOUR1:FUNC?;:OUTP1:LOAD?;:SOUR1:VOLT:OFFS?;:OUTP1?"


@pytest.fixture
def double():
    return GeneratorDouble()


@pytest.fixture
def gate(double):
    server = DoubleServer(double, SimClock())
    driver = LightGateLine(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()
    server.close()


def test_closing_is_one_message_and_one_look():
    with expected_protocol(LightGateLine, [(CLOSING, "1"), (LINE, "DC;9.9E+37;+0.0E+00;1")]) as gate:
        gate.is_open = False


def test_opening_sets_the_level_of_a_line_that_is_driven():
    exchanges = [
        (LINE, "DC;9.9E+37;+0.0E+00;1"),
        (":SOUR1:VOLT:OFFS 5;:SOUR1:VOLT:OFFS?;:SYST:ERR?", '+5.0E+00;+0,"No error"'),
    ]
    with expected_protocol(LightGateLine, exchanges) as gate:
        gate.is_open = True


def test_the_second_output_of_a_generator_can_be_the_gate(double):
    server = DoubleServer(double, SimClock())
    gate = LightGateLine(server.visa_address, channel=2, timeout=300)
    double.exchange(b"SOUR1:FUNC SQU;:OUTP1 ON\n")
    gate.is_open = False
    assert not gate.is_open
    assert double.channels[2].levels_into(inf) == (0.0, 0.0)
    assert double.channels[1].is_output_on
    message, confirmation = gate.light_out_exchange
    assert double.exchange(message) == confirmation
    gate.adapter.close()
    server.close()


@pytest.mark.parametrize(
    "line, is_open",
    [
        ("DC;9.9E+37;+0.0E+00;1", False),
        ("DC;9.9E+37;+0.0E+00;0", True),
        ("DC;9.9E+37;+2.0E+00;1", True),
        ("SQU;9.9E+37;+0.0E+00;1", True),
        ("DC;+5.0E+01;+0.0E+00;1", True),
    ],
    ids=["closed level", "output off", "another level", "not a constant", "levels shown for another load"],
)
def test_only_the_driven_closed_level_counts_as_closed(line, is_open):
    with expected_protocol(LightGateLine, [(LINE, line)]) as gate:
        assert gate.is_open is is_open


def test_closing_drives_the_line_low_from_any_state(gate, double):
    double.exchange(b"FUNC SQU;FREQ 1E6;VOLT:HIGH 2;:OUTP ON;:NONSENSE\n")
    gate.is_open = False
    assert double.channels[1].levels_into(inf) == (0.0, 0.0)
    assert not gate.is_open


def test_opening_raises_the_line_to_the_ttl_level(gate, double):
    gate.is_open = False
    gate.is_open = True
    assert double.channels[1].levels_into(inf) == pytest.approx((5.0, 5.0))
    assert gate.is_open


def test_a_line_that_was_never_closed_cannot_be_opened(gate, double):
    double.before_change = lambda: pytest.fail("something was changed")
    with pytest.raises(ValueError, match="not set up as a gate; close it first"):
        gate.is_open = True


def test_a_gate_that_closes_on_high(double):
    server = DoubleServer(double, SimClock())
    gate = LightGateLine(server.visa_address, timeout=300, open_v=0.0, closed_v=3.3)
    gate.is_open = False
    closed = double.channels[1].levels_into(inf)
    gate.is_open = True
    opened = double.channels[1].levels_into(inf)
    gate.adapter.close()
    server.close()
    assert (closed, opened) == (pytest.approx((3.3, 3.3)), pytest.approx((0.0, 0.0)))


def test_the_watchdogs_bytes_close_the_gate(gate, double):
    gate.is_open = False
    gate.is_open = True
    message, confirmation = gate.light_out_exchange
    assert double.exchange(message) == confirmation
    assert double.channels[1].levels_into(inf) == (0.0, 0.0)


def test_a_gate_that_does_not_close_is_an_error():
    with (
        expected_protocol(LightGateLine, [(CLOSING, "1"), (LINE, "DC;9.9E+37;+5.0E+00;1")]) as gate,
        pytest.raises(GeneratorError, match="does not show the closed level after closing; put the light out by hand"),
    ):
        gate.is_open = False


@pytest.mark.parametrize("open_v, closed_v", [(5.0, 1.0), (12.0, 0.0), (0.0, 0.5), (-1.0, 5.0)])
def test_levels_that_are_not_ttl_are_refused(open_v, closed_v):
    with pytest.raises(ValueError, match="must be one of 0 to 0.8 V and one of 2.0 to 5.0 V"):
        LightGateLine("TCPIP::127.0.0.1::1::SOCKET", open_v=open_v, closed_v=closed_v)
