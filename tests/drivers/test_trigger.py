"""The trigger driver: bytes against a scripted line, and against the generator's double over loopback."""

import pytest
from pymeasure.test import expected_protocol

from drivers.generator33500 import GeneratorError
from drivers.trigger import TriggerGenerator
from simulators.clock import SimClock
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator as TriggerDouble

NO_ERROR = '+0,"No error"'
STATE_QUERY = ":SOUR1:FUNC?;:SOUR1:FREQ?;:SOUR1:VOLT:LOW?;:SOUR1:VOLT:HIGH?;:SOUR1:FUNC:PULS:WIDT?;:OUTP1:LOAD?;:OUTP1?"
READY = "SQU;+2.5E+06;+0.0E+00;+1.5E+00;+1.0E-04;+5.0E+01;0"


@pytest.fixture
def double():
    return TriggerDouble()


@pytest.fixture
def generator(double):
    server = DoubleServer(double, SimClock())
    driver = TriggerGenerator(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()
    server.close()


@pytest.fixture
def ready(generator):
    """A generator set up as a trigger, output off."""
    generator.set_up(2.5e6, low_v=0.0, high_v=1.5)
    return generator


def test_opening_says_nothing():
    with expected_protocol(TriggerGenerator, []):
        pass


@pytest.mark.parametrize(
    "name, sent, reply, value",
    [
        ("is_output_on", ":OUTP1?", "1", True),
        ("frequency_hz", ":SOUR1:FREQ?", "+2.5E+06", 2.5e6),
        ("levels_v", ":SOUR1:VOLT:LOW?;:SOUR1:VOLT:HIGH?", "+0.0E+00;+1.5E+00", (0.0, 1.5)),
    ],
)
def test_a_reading(name, sent, reply, value):
    with expected_protocol(TriggerGenerator, [(sent, reply)]) as generator:
        assert getattr(generator, name) == value


def test_switching_on_looks_at_every_setting_first():
    exchanges = [(STATE_QUERY, READY), (":OUTP1 1;:OUTP1?;:SYST:ERR?", f"1;{NO_ERROR}")]
    with expected_protocol(TriggerGenerator, exchanges) as generator:
        generator.is_output_on = True


def test_levels_are_written_so_that_low_stays_below_high():
    exchanges = [
        (STATE_QUERY, READY),
        (":SOUR1:VOLT:LOW?;:SOUR1:VOLT:HIGH?", "+0.0E+00;+1.5E+00"),
        (":SOUR1:VOLT:HIGH 2.4;:SOUR1:VOLT:HIGH?;:SYST:ERR?", f"+2.4E+00;{NO_ERROR}"),
        (":SOUR1:VOLT:LOW 2;:SOUR1:VOLT:LOW?;:SYST:ERR?", f"+2.0E+00;{NO_ERROR}"),
    ]
    with expected_protocol(TriggerGenerator, exchanges) as generator:
        generator.levels_v = (2.0, 2.4)


def test_the_watchdogs_exchange_is_literal():
    with expected_protocol(TriggerGenerator, [], channel=2) as generator:
        assert generator.light_out_exchange == (b"OUTP2 OFF;:OUTP2?\n", b"0\n")


def test_frequency_is_written_read_back_and_checked_in_one_message():
    exchanges = [
        (STATE_QUERY, READY),
        (":SOUR1:FREQ 5000000;:SOUR1:FREQ?;:SYST:ERR?", f"+5.000000000000000E+06;{NO_ERROR}"),
    ]
    with expected_protocol(TriggerGenerator, exchanges) as generator:
        generator.frequency_hz = 5e6


def test_off_is_one_message_and_ignores_old_errors():
    with expected_protocol(TriggerGenerator, [("OUTP1 OFF;:OUTP1?", "0")]) as generator:
        generator.is_output_on = False


def test_the_watchdogs_bytes_are_those_of_off(ready, double):
    ready.is_output_on = True
    message, confirmation = ready.light_out_exchange
    assert double.exchange(message) == confirmation
    assert not double.is_output_on


def test_an_output_that_stays_on_is_an_error():
    with (
        expected_protocol(TriggerGenerator, [("OUTP1 OFF;:OUTP1?", "1")]) as generator,
        pytest.raises(GeneratorError, match="shows its output as on after OFF; switch the laser off by hand"),
    ):
        generator.is_output_on = False


def test_another_frequency_than_the_one_sent_is_an_error():
    exchanges = [
        (STATE_QUERY, READY),
        (":SOUR1:FREQ 1234567.8;:SOUR1:FREQ?;:SYST:ERR?", f"+1.23457E+06;{NO_ERROR}"),
    ]
    with (
        expected_protocol(TriggerGenerator, exchanges) as generator,
        pytest.raises(GeneratorError, match="= 1234570 Hz after 1234567.8 Hz was sent"),
    ):
        generator.frequency_hz = 1234567.8


@pytest.mark.parametrize(
    "exchanges, message",
    [
        ([(STATE_QUERY, "SQU;+2.5E+06")] * 2, "to 7 questions; replies are out of step"),
        ([(STATE_QUERY, READY.replace("+2.5E+06", "SQU"))], "'SQU' where a"),
    ],
)
def test_a_reply_to_something_else_is_a_connection_error(exchanges, message):
    with (
        expected_protocol(TriggerGenerator, exchanges) as generator,
        pytest.raises(ConnectionError, match=message),
    ):
        generator.state()


def test_set_up_leaves_a_trigger_with_its_output_off(generator, double):
    state = generator.set_up(2.5e6, low_v=0.0, high_v=1.5)
    assert (state.shape, state.frequency_hz, state.low_v, state.high_v) == ("square", 2.5e6, 0.0, 1.5)
    assert (state.load_ohm, state.is_output_on) == (50.0, False)
    assert double.channels[1].shape == "SQU"
    assert not double.errors


@pytest.mark.parametrize("rate_hz", [31.25e3, 2.5e6, 10e6, 20e6])
def test_set_up_as_pulses(generator, double, rate_hz):
    state = generator.set_up(rate_hz, low_v=0.0, high_v=1.5, shape="pulse", pulse_width_s=20e-9)
    assert (state.shape, state.pulse_width_s) == ("pulse", pytest.approx(20e-9))
    assert not double.errors


@pytest.mark.parametrize("levels_v", [(2.0, 2.4), (-2.0, -1.0), (0.0, 0.5), (-2.5, 2.5)])
def test_levels_are_reached_from_any_other_levels_without_a_conflict(ready, double, levels_v):
    ready.levels_v = levels_v
    assert (double.low_v, double.high_v) == pytest.approx(levels_v)
    assert ready.levels_v == pytest.approx(levels_v)
    assert not double.errors


def test_switching_on_and_off(ready, double):
    ready.is_output_on = True
    assert double.is_output_on
    assert ready.is_output_on
    ready.is_output_on = False
    assert not double.is_output_on


def test_the_rate_may_change_while_the_light_is_on(ready, double):
    ready.is_output_on = True
    ready.frequency_hz = 5e6
    assert double.channels[1].edges_hz == ready.frequency_hz == 5e6


def test_levels_may_not_change_while_the_light_is_on(ready, double):
    ready.is_output_on = True
    with pytest.raises(ValueError, match="levels cannot be changed while the output is on; switch it off first"):
        ready.levels_v = (0.0, 1.0)
    with pytest.raises(ValueError, match="shape, load and levels cannot be changed"):
        ready.set_up(2.5e6, low_v=0.0, high_v=1.0)
    assert double.high_v == pytest.approx(1.5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        pytest.param({"high_v": 3.3}, "0 and 3.3 V must be ascending and within -2.5 to 2.5 V", id="above the limit"),
        pytest.param({"low_v": -6.0}, "damaged beyond 5 V", id="below the limit"),
        pytest.param({"low_v": 2.0}, "must be ascending", id="upside down"),
        pytest.param({"high_v": float("nan")}, "must be ascending", id="not a number"),
        pytest.param({"frequency_hz": 40e6}, "4e\\+07 Hz is outside 1e-06 to 2e\\+07 Hz", id="too fast"),
        pytest.param({"shape": "sine"}, "sine", id="wrong shape"),
        pytest.param(
            {"shape": "pulse", "pulse_width_s": 390e-9}, "3.9e-07 s is outside 1.6e-08 to 3.84e-07 s", id="long pulse"
        ),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_sent(arguments, message):
    allowed = {"frequency_hz": 2.5e6, "low_v": 0.0, "high_v": 1.5}
    with expected_protocol(TriggerGenerator, []) as generator, pytest.raises(ValueError, match=message):
        generator.set_up(**(allowed | arguments))


def test_a_rate_too_fast_for_the_pulse_width_is_refused(generator):
    generator.set_up(1e6, low_v=0.0, high_v=1.5, shape="pulse", pulse_width_s=500e-9)
    with pytest.raises(ValueError, match="choose another width or the square shape"):
        generator.frequency_hz = 2e6


@pytest.mark.parametrize(
    "front_panel, message",
    [
        (b"VOLT:HIGH 4.5", "0 and 4.5 V must be ascending and within -2.5 to 2.5 V"),
        (b"FUNC SIN", "shape SIN and load 50 ohm, not to square or pulse into 50 ohm; call set_up first"),
        (b"OUTP:LOAD INF", "load inf ohm"),
    ],
)
def test_settings_made_at_the_front_panel_are_checked_before_the_light_goes_on(ready, double, front_panel, message):
    double.exchange(front_panel + b"\n")
    with pytest.raises(ValueError, match=message):
        ready.is_output_on = True
    assert not double.is_output_on


def test_level_limits_beyond_the_damage_limit_are_refused():
    with pytest.raises(ValueError, match="within -5 to 5 V, beyond which the laser's trigger input is damaged"):
        TriggerGenerator("TCPIP::127.0.0.1::1::SOCKET", max_level_v=10.0)


def test_a_clipped_value_is_an_error_with_the_generators_words(double, generator):
    generator.max_frequency_hz = 30e6
    with pytest.raises(GeneratorError, match="-222,.*clipped to upper limit.* now shows .2.0+E.07"):
        generator.frequency_hz = 25e6
    assert not double.errors


def test_an_old_error_is_cleared_by_identification(double, generator):
    double.exchange(b"NONSENSE\n")
    assert generator.identify().startswith("Agilent Technologies,33512B")
    assert not double.errors


def test_another_box_is_named():
    exchanges = [("*CLS;*IDN?", "LSCI,MODEL335,335SIM1/#######,1.1")]
    with (
        expected_protocol(TriggerGenerator, exchanges) as generator,
        pytest.raises(ConnectionError, match="LSCI,MODEL335.* answered, not an Agilent or Keysight 33500 generator"),
    ):
        generator.identify()


def test_connecting_and_looking_never_switches_on(generator, double):
    double.before_change = lambda: pytest.fail("something was changed")
    generator.identify()
    generator.state()
    assert not generator.is_output_on


def test_a_silent_generator_is_a_timeout(generator, double, monkeypatch):
    monkeypatch.setattr(double, "answer", lambda frame: b"")
    with pytest.raises(TimeoutError, match="trigger generator did not answer in time; check its power and cable"):
        generator.state()


def test_the_second_output_is_addressed_by_its_number(double):
    server = DoubleServer(double, SimClock())
    driver = TriggerGenerator(server.visa_address, channel=2, timeout=300)
    driver.set_up(1e6, low_v=0.0, high_v=1.0)
    driver.is_output_on = True
    driver.adapter.close()
    server.close()
    assert (double.channels[1].is_output_on, double.channels[2].is_output_on) == (False, True)
