"""What the generators of trigger and gate share: answers that mean nothing, and settings that are not taken."""

import pytest
from pymeasure.test import expected_protocol

from drivers.generator33500 import GeneratorError
from drivers.trigger import TriggerGenerator
from tests.drivers.test_trigger import NO_ERROR, READY, STATE_QUERY


def test_a_state_that_is_neither_on_nor_off_is_out_of_step():
    with (
        expected_protocol(TriggerGenerator, [("OUTP1 OFF;:OUTP1?", "2.5E+06")] * 2) as generator,
        pytest.raises(ConnectionError, match="answered '2.5E\\+06' where 0 or 1 belongs; replies are out of step"),
    ):
        generator.is_output_on = False


def test_a_shape_that_is_not_taken_is_an_error():
    exchanges = [
        (STATE_QUERY, READY),
        (":OUTP1:LOAD 50;:OUTP1:LOAD?;:SYST:ERR?", f"+5.0E+01;{NO_ERROR}"),
        (":SOUR1:FUNC SQU;:SOUR1:FUNC?;:SYST:ERR?", f"SIN;{NO_ERROR}"),
    ]
    with (
        expected_protocol(TriggerGenerator, exchanges) as generator,
        pytest.raises(GeneratorError, match="shows ':?SOUR1:FUNC' = SIN after SQU was sent; check its front panel"),
    ):
        generator.set_up(2.5e6, low_v=0.0, high_v=1.5)


def test_something_else_where_the_errors_belong_is_out_of_step():
    exchanges = [
        (STATE_QUERY, READY),
        (":SOUR1:FREQ 5000000;:SOUR1:FREQ?;:SYST:ERR?", '+2.5E+06;-222,"Data out of range"'),
        ("SYST:ERR?", "SQU"),
    ]
    with (
        expected_protocol(TriggerGenerator, exchanges) as generator,
        pytest.raises(ConnectionError, match="answered something else than its errors .* replies are out of step"),
    ):
        generator.frequency_hz = 5e6
