"""Byte-level behaviour of the filter wheel's double."""

import pytest

from simulators.fw102c import FW102C


@pytest.fixture
def wheel():
    return FW102C()


EXCHANGES = {
    "identification": (b"*idn?\r", b"*idn?\rTHORLABS FW102C/FW212C Filter Wheel version 1.07\r> "),
    "position": (b"pos?\r", b"pos?\r1\r> "),
    "positions": (b"pcount?\r", b"pcount?\r6\r> "),
    "an order": (b"speed=0\rspeed?\r", b"speed=0\r> speed?\r0\r> "),
    "no such position": (b"pos=7\r", b"pos=7\rCommand error CMD_ARG_INVALID\r> "),
    "no number": (b"trig=x\r", b"trig=x\rCommand error CMD_ARG_INVALID\r> "),
    "unknown query": (b"tea?\r", b"tea?\rCommand error CMD_NOT_DEFINED\r> "),
    "unknown order": (b"pcount=6\r", b"pcount=6\rCommand error CMD_NOT_DEFINED\r> "),
    "nothing": (b"\r", b"\r> "),
}


@pytest.mark.parametrize("sent, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_reply(wheel, sent, expected):
    assert wheel.exchange(sent) == expected


@pytest.mark.parametrize("speed, n_positions, target, duration_s", [(1, 6, 3, 0.9), (0, 6, 6, 0.9), (1, 12, 7, 2.7)])
def test_a_move_takes_its_time_the_shorter_way_round(speed, n_positions, target, duration_s):
    wheel = FW102C(n_positions)
    wheel.exchange(b"speed=%d\rpos=%d\r" % (speed, target))
    wheel.process(duration_s - 0.01)
    assert wheel.is_turning and wheel.position == 1
    wheel.process(0.01)
    assert wheel.exchange(b"pos?\r") == b"pos?\r%d\r> " % target
    assert not wheel.is_turning


def test_the_beginning_and_the_end_of_a_move_are_announced(wheel):
    announced = []
    wheel.before_change = lambda: announced.append((wheel.position, wheel.is_turning))
    wheel.exchange(b"pos?\rpos=2\rpos?\r")
    assert announced == [(1, False)]
    wheel.process(1.0)
    assert announced == [(1, False), (1, True)]


def test_a_stuck_wheel_says_nothing_about_it(wheel):
    wheel.is_stuck = True
    assert wheel.exchange(b"pos=2\r") == b"pos=2\r> "
    wheel.process(60.0)
    assert wheel.position == 1
