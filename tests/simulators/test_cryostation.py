"""Byte-level behaviour of the Cryostation's double, with the published frames as vectors."""

import numpy as np
import pytest

from simulators.cryostation import Cryostation


@pytest.fixture
def box():
    return Cryostation(temperature_k=4.2)


EXCHANGES = {
    "alarm": (b"03GAS", b"01F"),
    "set point": (b"04GTSP", b"044.20"),
    "set with a blank": (b"11STSP 295.00", b"34OK, Temperature Set Point = 295.00"),
    "set without a blank": (b"07STSP5.0", b"32OK, Temperature Set Point = 5.00"),
    "below the range": (b"09STSP 1.00", b"24Error: Invalid set point"),
    "above the range": (b"11STSP 350.01", b"24Error: Invalid set point"),
    "no number": (b"09STSP warm", b"24Error: Invalid set point"),
    "platform": (b"03GPT", b"054.200"),
    "sample": (b"03GST", b"054.200"),
    "a thermometer that is not there": (b"03GUT03GUS", b"06-0.10008-0.10000"),
    "stability": (b"03GPS", b"070.00400"),
    "stages": (b"04GS1T04GS2T", b"0530.42042.88"),
    "pressure": (b"03GCP", b"030.2"),
    "heater": (b"04GPHP", b"050.050"),
    "warm up": (b"03SWU", b"02OK"),
    "standby": (b"03SSB", b"02OK"),
    "stop": (b"03STP", b"02OK"),
    "cool-down refused": (b"03SCD", b"40System not able to cooldown at this time"),
    "warm-up refused": (b"03SWU03SWU", b"02OK38System not able to warmup at this time"),
    "standby refused": (b"03SSB03SSB", b"02OK39System not able to standby at this time"),
    "stop refused": (b"03STP03STP", b"02OK36System not able to stop at this time"),
    "unknown": (b"03XYZ", b"23Error: Invalid command."),
    "no message begins": (b"?!03GAS", b"01F"),
}


@pytest.mark.parametrize("sent, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_reply(box, sent, expected):
    assert box.exchange(sent) == expected


def test_half_a_message_waits_for_its_end(box):
    assert box.exchange(b"03G") == b""
    assert box.exchange(b"AS") == b"01F"


def test_the_heater_shows_nothing_when_it_is_off(box):
    box.exchange(b"03SSB")
    assert box.exchange(b"04GPHP") == b"06-0.100"


def test_a_windows_with_a_decimal_comma(box):
    box.has_decimal_comma = True
    assert box.exchange(b"03GPT") == b"054,200"


def test_an_alarm_shows(box):
    box.has_alarm = True
    assert box.exchange(b"03GAS") == b"01T"


def test_stability_falls_while_the_set_point_is_approached(box):
    box.exchange(b"09STSP 50.0")
    stabilities_k, temperatures_k = [], []
    for _ in range(10):
        box.process(60.0)
        stabilities_k.append(float(box.exchange(b"03GSS")[2:]))
        temperatures_k.append(float(box.exchange(b"03GST")[2:]))
    assert stabilities_k == sorted(stabilities_k, reverse=True)
    assert temperatures_k == sorted(temperatures_k)
    assert temperatures_k[-1] == pytest.approx(50.0, abs=1e-3)
    assert stabilities_k[-1] == pytest.approx(0.004, abs=1e-4)


def test_any_split_of_the_time_gives_the_same_state():
    whole, parts = Cryostation(), Cryostation()
    for box in (whole, parts):
        box.exchange(b"09STSP 80.003GPT")
    for step_s in np.random.default_rng(3).uniform(0.01, 20.0, size=30).round(9):
        parts.process(float(step_s))
        parts.exchange(b"03GPT03GSS")
    whole.process(parts.time_ns * 1e-9)
    assert whole.temperature_k == parts.temperature_k
    assert whole.exchange(b"03GPT03GSS") == parts.exchange(b"03GPT03GSS")


def test_only_what_changes_the_temperature_is_announced(box):
    announced = []
    box.before_change = lambda: announced.append(box.temperature_k)
    box.exchange(b"03GPT03GAS04GTSP09STSP 1.0003SCD03XYZ")
    assert announced == []
    box.exchange(b"09STSP 5.0003SWU03SSB03STP03SCD")
    assert len(announced) == 5


def test_a_megabyte_of_noise_does_not_stop_it(box):
    for noise in np.array_split(np.random.default_rng(7).integers(0, 256, 50_000, dtype=np.uint8), 50):
        box.exchange(noise.tobytes())
    box._buffer.clear()
    assert box.exchange(b"03GAS") == b"01F"
