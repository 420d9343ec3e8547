"""Filters by name: what is not in the wheel is refused before it turns."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from pymeasure.test import expected_protocol

from drivers.fw102c import FW102C
from simulators.clock import SimClock
from tplm_daq.errors import InputError, LinkError
from tplm_daq.rig.filters import DetectionFilter, Wheel
from tplm_daq.rig.links import Link

FILTERS = ("open", "LP 500", "BP 520/20", "ND 1", "ND 2", "block")
LINK = Link("detection filter", "COM7", "Check its cable.")


def test_a_filter_that_the_wheel_lacks_is_refused_with_those_it_has() -> None:
    with (
        expected_protocol(FW102C, []) as driver,
        pytest.raises(InputError, match="no filter 'LP 600' in the wheel. It holds open, LP 500, .*, block"),
    ):
        DetectionFilter(Wheel(LINK, driver, SimClock()), FILTERS).select("LP 600")


def test_a_filter_that_is_there_already_turns_nothing() -> None:
    with expected_protocol(FW102C, [(b"pos?\r", b"pos?\r2\r> ")]) as driver:
        DetectionFilter(Wheel(LINK, driver, SimClock()), FILTERS).select("LP 500")


def test_an_answer_out_of_step_names_the_wheel_and_its_address() -> None:
    with (
        expected_protocol(FW102C, [(b"pos?\r", b"speed?\r1\r> ")] * 2) as driver,
        pytest.raises(LinkError, match="detection filter at COM7: .*echoed 'speed\\?' to 'pos\\?'.*Check its cable"),
    ):
        DetectionFilter(Wheel(LINK, driver, SimClock()), FILTERS).selected()


def test_closing_lets_go_of_the_wheel() -> None:
    wheel = Mock(spec=Wheel, address="COM7")
    wheel.name = "detection filter"
    DetectionFilter(wheel, FILTERS).close()
    wheel.close.assert_called_once_with()
    wheel.turn_to.assert_not_called()
