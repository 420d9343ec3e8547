"""The Cryostation driver: the published frames, and its double over loopback."""

import socket
from math import isnan

import pytest
from pymeasure.test import expected_protocol

from drivers.cryostation import Cryostation, CryostationError
from simulators.clock import SimClock
from simulators.cryostation import Cryostation as CryostationDouble
from simulators.server import DoubleServer

READINGS = {
    "platform_temperature_k": (b"03GPT", b"07289.904", 289.904),
    "platform_stability_k": (b"03GPS", b"0810.20239", 10.20239),
    "sample_temperature_k": (b"03GST", b"054.204", 4.204),
    "sample_stability_k": (b"03GSS", b"070.00900", 0.009),
    "user_temperature_k": (b"03GUT", b"053.498", 3.498),
    "user_stability_k": (b"03GUS", b"070.00900", 0.009),
    "stage_1_temperature_k": (b"04GS1T", b"06274.92", 274.92),
    "stage_2_temperature_k": (b"04GS2T", b"06275.84", 275.84),
    "pressure_mtorr": (b"03GCP", b"08660848.6", 660848.6),
    "platform_heater_w": (b"04GPHP", b"054.904", 4.904),
    "setpoint_k": (b"04GTSP", b"044.20", 4.2),
    "has_alarm": (b"03GAS", b"01T", True),
}
ORDERS = {
    "start_cool_down": (b"03SCD", b"40System not able to cooldown at this time"),
    "start_warm_up": (b"03SWU", b"38System not able to warmup at this time"),
    "start_standby": (b"03SSB", b"39System not able to standby at this time"),
    "stop": (b"03STP", b"36System not able to stop at this time"),
}
CHECKED = pytest.mark.parametrize("name, frames", ORDERS.items(), ids=ORDERS)


@pytest.fixture
def double():
    return CryostationDouble(temperature_k=4.2)


@pytest.fixture
def server(double):
    server = DoubleServer(double, SimClock())
    yield server
    server.close()


@pytest.fixture
def cryostat(server):
    driver = Cryostation(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()


@pytest.mark.parametrize("name, exchange", READINGS.items(), ids=READINGS)
def test_a_reading(name, exchange):
    sent, reply, value = exchange
    with expected_protocol(Cryostation, [(sent, reply)]) as box:
        assert getattr(box, name) == value


@pytest.mark.parametrize("reply", [b"06-0.100", b"05-0.10", b"08-0.10000", b"04-0.1", b"050.000"])
def test_a_value_that_the_system_does_not_have_is_nan(reply):
    with expected_protocol(Cryostation, [(b"03GST", reply)]) as box:
        assert isnan(box.sample_temperature_k)


def test_a_decimal_comma_is_read():
    with expected_protocol(Cryostation, [(b"03GPT", b"054,204")]) as box:
        assert box.platform_temperature_k == 4.204


@pytest.mark.parametrize("reply", [b"071,234.5", b"02OK", b"00"])
def test_what_is_no_number_is_out_of_step(reply):
    with (
        expected_protocol(Cryostation, [(b"03GPT", reply)]) as box,
        pytest.raises(ConnectionError, match="where a number belongs"),
    ):
        _ = box.platform_temperature_k


@pytest.mark.parametrize("has_blank, sent", [(True, b"09STSP 5.00"), (False, b"08STSP5.00")])
def test_the_set_point_is_sent_in_the_dialect_chosen(has_blank, sent):
    reply = b"32OK, Temperature Set Point = 4.20"
    with expected_protocol(Cryostation, [(sent, reply)], has_blank=has_blank) as box:
        box.setpoint_k = 5.0


@pytest.mark.parametrize("reply", [b"24Error: Invalid set point", b"23Error: Invalid command."])
def test_a_refused_set_point_names_the_other_dialect(reply):
    with (
        expected_protocol(Cryostation, [(b"09STSP 5.00", reply)]) as box,
        pytest.raises(CryostationError, match="refused 'STSP 5.00': 'Error.* without the blank; has_blank chooses"),
    ):
        box.setpoint_k = 5.0


@pytest.mark.parametrize("setpoint_k", [1.99, 310.1, -4.0, float("nan"), float("inf")])
def test_a_set_point_outside_the_limits_is_not_sent(setpoint_k):
    with (
        expected_protocol(Cryostation, []) as box,
        pytest.raises(ValueError, match="K is outside 2 to 310 K; choose a temperature within the limit"),
    ):
        box.setpoint_k = setpoint_k


@pytest.mark.parametrize("max_setpoint_k", [2.0, 351.0, float("nan")])
def test_an_impossible_limit_is_refused(max_setpoint_k):
    with pytest.raises(ValueError, match="outside 2 to 350 K"):
        Cryostation("TCPIP::127.0.0.1::1::SOCKET", max_setpoint_k=max_setpoint_k)


@CHECKED
def test_an_order_is_acknowledged(name, frames):
    with expected_protocol(Cryostation, [(frames[0], b"02OK")]) as box:
        getattr(box, name)()


@CHECKED
def test_an_order_that_is_refused_is_an_error(name, frames):
    with (
        expected_protocol(Cryostation, [frames]) as box,
        pytest.raises(CryostationError, match="refused S.*: 'System not able to .* at this time'. Look at the state"),
    ):
        getattr(box, name)()


def test_an_answer_that_is_neither_true_nor_false_is_out_of_step():
    with expected_protocol(Cryostation, [(b"03GAS", b"02OK")]) as box, pytest.raises(ConnectionError, match="T or F"):
        _ = box.has_alarm


def test_a_query_is_repeated_once_on_a_new_connection_after_garbage():
    exchanges = [(b"03GPT", b"?7"), (b"03GPT", b"054.204")]
    with expected_protocol(Cryostation, exchanges) as box:
        assert box.platform_temperature_k == 4.204
        assert box.adapter.connection.open.called


def test_an_order_is_never_repeated():
    with (
        expected_protocol(Cryostation, [(b"03SWU", b"?7")]) as box,
        pytest.raises(ConnectionError, match="came where a length belongs"),
    ):
        box.start_warm_up()


def test_a_message_cut_short_is_an_error_if_it_happens_twice():
    with (
        expected_protocol(Cryostation, [(b"03GPT", b"07289"), (b"03GPT", b"07289")]) as box,
        pytest.raises(ConnectionError, match="where 7 characters were announced"),
    ):
        _ = box.platform_temperature_k


def test_the_double_is_read_and_set(cryostat, double):
    assert cryostat.identify() == "Montana Instruments Cryostation, set point 4.2 K"
    cryostat.setpoint_k = 77.35
    double.process(600.0)
    assert cryostat.setpoint_k == 77.35
    assert cryostat.sample_temperature_k == pytest.approx(77.35, abs=0.01)
    assert isnan(cryostat.user_temperature_k)
    cryostat.start_warm_up()
    assert double.goal == "warmup"


def test_a_dropped_idle_connection_is_opened_again(cryostat, server):
    assert cryostat.setpoint_k == 4.2
    server.sockets[1].shutdown(socket.SHUT_RDWR)
    assert cryostat.setpoint_k == 4.2
    assert not cryostat.has_alarm


def test_a_late_reply_does_not_answer_the_next_question(cryostat, double, monkeypatch):
    answer = double.answer
    monkeypatch.setattr(double, "answer", lambda frame: answer(frame)[:1])
    with pytest.raises(TimeoutError, match='did not answer in time; check that "Enable External Control" is ticked'):
        _ = cryostat.platform_temperature_k
    monkeypatch.undo()
    assert cryostat.setpoint_k == 4.2


def test_looking_changes_nothing(cryostat, double):
    double.before_change = lambda: pytest.fail("something was changed")
    cryostat.identify()
    assert not cryostat.has_alarm


def test_a_message_too_long_for_its_two_digits_is_not_sent():
    with expected_protocol(Cryostation, []) as box, pytest.raises(ValueError, match="is longer than the 99 characters"):
        box.write("G" * 100)
