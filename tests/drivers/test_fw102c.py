"""The filter wheel's driver: bytes against a scripted line, and its double as a serial port and as a VISA resource."""

import pytest
import serial
from pymeasure.adapters import SerialAdapter
from pymeasure.test import expected_protocol

from drivers.fw102c import FW102C, FilterWheelError
from simulators.clock import SimClock
from simulators.fw102c import FW102C as WheelDouble
from simulators.server import DoubleServer

READINGS = {
    "id": (b"*idn?\r", b"*idn?\rTHORLABS FW102C/FW212C Filter Wheel version 1.07\r> ", None),
    "n_positions": (b"pcount?\r", b"pcount?\r12\r> ", 12),
    "position": (b"pos?\r", b"pos?\r\n3\r\n> ", 3),
    "speed": (b"speed?\r", b"speed?\r1\r> ", "fast"),
    "trigger_mode": (b"trig?\r", b"trig?\r0\r> ", "in"),
    "are_sensors_always_on": (b"sensors?\r", b"sensors?\r1\r> ", True),
}
SETS = {
    "speed": ("slow", b"speed", 0),
    "trigger_mode": ("out", b"trig", 1),
    "are_sensors_always_on": (False, b"sensors", 0),
}


@pytest.fixture
def double():
    return WheelDouble()


@pytest.fixture
def server(double):
    server = DoubleServer(double, SimClock())
    yield server
    server.close()


@pytest.fixture
def wheel(server):
    driver = FW102C(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()


@pytest.mark.parametrize("name, exchange", READINGS.items(), ids=READINGS)
def test_a_reading(name, exchange):
    sent, reply, value = exchange
    with expected_protocol(FW102C, [(sent, reply)]) as wheel:
        assert getattr(wheel, name) == (value or "THORLABS FW102C/FW212C Filter Wheel version 1.07")


@pytest.mark.parametrize("name, exchange", SETS.items(), ids=SETS)
def test_a_setting_is_read_back(name, exchange):
    value, key, code = exchange
    pairs = [(b"%s=%d\r" % (key, code), b"%s=%d\r> " % (key, code)), (b"%s?\r" % key, b"%s?\r%d\r> " % (key, code))]
    with expected_protocol(FW102C, pairs) as wheel:
        setattr(wheel, name, value)


def test_a_move_is_begun_and_not_waited_for():
    with expected_protocol(FW102C, [(b"pos=4\r", b"pos=4\r> ")]) as wheel:
        wheel.position = 4


def test_settings_are_saved_on_request():
    with expected_protocol(FW102C, [(b"save\r", b"save\r> ")]) as wheel:
        wheel.save()


@pytest.mark.parametrize("position", [0, 7, 2.5, -1, float("nan"), "2"])
def test_a_position_that_the_wheel_lacks_is_not_sent(position):
    with expected_protocol(FW102C, []) as wheel, pytest.raises(ValueError, match="is not one of 1 to 6"):
        wheel.position = position


@pytest.mark.parametrize("name", ["speed", "trigger_mode"])
def test_an_unknown_mode_is_not_sent(name):
    with expected_protocol(FW102C, []) as wheel, pytest.raises(ValueError, match="sideways"):
        setattr(wheel, name, "sideways")


def test_a_wheel_has_six_or_twelve_positions():
    with pytest.raises(ValueError, match="8"):
        FW102C("ASRL9::INSTR", n_positions=8)


def test_a_refused_command_is_an_error_with_the_wheels_words():
    with (
        expected_protocol(FW102C, [(b"pos=4\r", b"pos=4\rCommand error CMD_ARG_INVALID\r> ")]) as wheel,
        pytest.raises(FilterWheelError, match="filter wheel refused 'pos=4': Command error CMD_ARG_INVALID"),
    ):
        wheel.position = 4


def test_a_setting_that_is_not_taken_is_an_error():
    with (
        expected_protocol(FW102C, [(b"speed=1\r", b"speed=1\r> "), (b"speed?\r", b"speed?\r0\r> ")]) as wheel,
        pytest.raises(FilterWheelError, match="shows speed=0 after speed=1 was sent"),
    ):
        wheel.speed = "fast"


@pytest.mark.parametrize(
    "reply, message",
    [
        (b"pos=3\r> ", "echoed 'pos=3' to 'pos\\?'; replies are out of step"),
        (b"> ", "echoed '' to 'pos\\?'"),
        (b"pos?\rthree\r> ", "answered 'three' to 'pos\\?'; replies are out of step"),
        (b"x" * 513, "512 bytes came without a prompt"),
    ],
    ids=["another echo", "no echo", "no number", "noise"],
)
def test_a_reply_to_something_else_is_a_connection_error(reply, message):
    with pytest.raises(ConnectionError, match=message), expected_protocol(FW102C, [(b"pos?\r", reply)] * 2) as wheel:
        _ = wheel.position


def test_identification_checks_the_model_and_the_number_of_positions(wheel, server):
    assert "FW102C" in wheel.identify()
    other = FW102C(server.visa_address, n_positions=12, timeout=300)
    with pytest.raises(ConnectionError, match="has 6 positions, not 12; correct the rig file or the port"):
        other.identify()
    other.adapter.close()


def test_another_box_is_named():
    with (
        expected_protocol(FW102C, [(b"*idn?\r", b"*idn?\rLSCI,MODEL335\r> ")]) as wheel,
        pytest.raises(ConnectionError, match="'LSCI,MODEL335' answered, not an FW102C or FW212C"),
    ):
        wheel.identify()


def test_the_double_turns_in_its_own_time(wheel, double):
    wheel.position = 3
    assert wheel.position == 1
    double.process(2.0)
    assert wheel.position == 3


def test_it_works_over_a_serial_adapter_and_notices_silence(server, double, monkeypatch):
    port = serial.serial_for_url(server.url, **{**FW102C.serial_settings, "timeout": 0.2})
    wheel = FW102C(SerialAdapter(port))
    assert wheel.position == 1
    monkeypatch.setattr(double, "answer", lambda frame: b"")
    with pytest.raises(TimeoutError, match="filter wheel did not answer in time; check its power, its USB cable"):
        _ = wheel.position
    wheel.adapter.close()


def test_a_silent_wheel_is_a_timeout_over_visa_too(wheel, double, monkeypatch):
    monkeypatch.setattr(double, "answer", lambda frame: b"")
    with pytest.raises(TimeoutError, match="did not answer in time"):
        _ = wheel.position


def test_a_mode_without_a_meaning_is_a_connection_error():
    with (
        pytest.raises(ConnectionError, match="shows speed=2, which means nothing here; ask again"),
        expected_protocol(FW102C, [(b"speed?\r", b"speed?\r2\r> ")]) as wheel,
    ):
        _ = wheel.speed
