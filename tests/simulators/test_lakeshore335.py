"""Byte-level behaviour of the Lake Shore double, from the manual's commands and registers."""

import numpy as np
import pytest
from pymeasure.instruments.lakeshore import LakeShore3xx

from simulators.clock import SimClock
from simulators.lakeshore335 import LakeShore335
from simulators.server import DoubleServer


@pytest.fixture
def box():
    """A box that has been on for a while."""
    double = LakeShore335()
    assert double.exchange(b"*ESR?\n") == b"128\r\n"
    return double


EXCHANGES = {
    "identification": (b"*IDN?\n", b"LSCI,MODEL335,335SIM1/#######,1.1\r\n"),
    "carriage return is optional": (b"*OPC?\r\n", b"1\r\n"),
    "lower case": (b"range? 1\n", b"2\r\n"),
    "a bare LF": (b"\n", b""),
    "the vendor package's first message": (b"EMUL 0,0;*OPC?\n", b"1\r\n"),
    "a set is silent": (b"SETP 1,290\n", b""),
    "a set with its check": (b"SETP 1,77.3500;*ESR?\n", b"000\r\n"),
    "chained queries": (b"SETP? 1;RANGE? 1;RAMP? 1;RAMPST? 1\n", b"+300.000;2;0,000.0;0\r\n"),
    "loop settings": (b"OUTMODE? 1;INTYPE? A;INCRV? A;TLIMIT? A\n", b"1,1,0;1,0,0,0,1;02;+0000\r\n"),
    "defaults of the loop": (b"PID? 1;MOUT? 1;HTRST? 1\n", b"+0050.0,+0020.0,+000.0;+000.00;0\r\n"),
    "an unknown command": (b"SYST:ERR?;*ESR?\n", b"032\r\n"),
    "a value out of range": (b"RAMP 1,1,200;*ESR?;RAMP? 1\n", b"016;0,000.0\r\n"),
    "a ramp rate too slow for the box": (b"RAMP 1,1,0.05;*ESR?\n", b"016\r\n"),
    "no such output": (b"RANGE 3,1;*ESR?\n", b"016\r\n"),
    "a missing parameter": (b"RANGE 1;*ESR?\n", b"016\r\n"),
    "a word for a number": (b"SETP 1,WARM;*ESR?\n", b"016\r\n"),
    "voltage modes belong to output 2": (b"OUTMODE 1,5,1,0;*ESR?\n", b"016\r\n"),
    "reading the event register clears it": (b"NONSENSE;*ESR?;*ESR?\n", b"032;000\r\n"),
    "the status byte sums enabled events up": (b"*ESE 32;*STB?;NONSENSE;*STB?\n", b"000;032\r\n"),
    "loop parameters and curve": (b"PID 1,40,15,2;PID? 1;INCRV A,21;INCRV? A\n", b"+0040.0,+0015.0,+002.0;21\r\n"),
    "a heater's setup": (b"HTRSET 1,0,2,0,1.03,2;HTRSET? 1;HTRSET? 2\n", b"0,2,0,+1.030,2;0,1,2,+0.000,2\r\n"),
    "voltage is for output 2": (b"HTRSET 1,1,1,2,0,1;*ESR?\n", b"016\r\n"),
    "a name keeps its case and 15 characters": (b'INNAME A,"Cold finger"\nINNAME? a\n', b"Cold finger    \r\n"),
    "a name without quotes": (b"INNAME A,cold;*ESR?\n", b"016\r\n"),
    "self test": (b"*TST?\n", b"0\r\n"),
    "clear": (b"NONSENSE;*CLS;*ESR?\n", b"000\r\n"),
    "operation complete": (b"*OPC;*ESR?\n", b"001\r\n"),
}


@pytest.mark.parametrize("sent, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_reply(box, sent, expected):
    assert box.exchange(sent) == expected


def test_half_a_message_waits_for_its_end(box):
    assert box.exchange(b"*OP") == b""
    assert box.exchange(b"C?\n*OPC?\n") == b"1\r\n1\r\n"


def test_a_lower_setpoint_on_a_ramp_cools_the_sample_behind_it(box):
    box.exchange(b"RAMP 1,1,6;SETP 1,290\n")
    box.process(60.0)
    platform_k, sample_k = box.platform.nodes_k()
    assert 294.0 < platform_k < sample_k < 300.0
    assert box.exchange(b"RAMPST? 1\n") == b"1\r\n"
    box.process(300.0)
    assert box.exchange(b"RAMPST? 1\n") == b"0\r\n"
    assert box.temperature_k == pytest.approx(290.0, abs=1e-3)


@pytest.mark.parametrize("is_moving, shown", [(True, b"+297.000\r\n"), (False, b"+290.000\r\n")])
def test_setp_shows_the_moving_or_the_final_setpoint(is_moving, shown):
    box = LakeShore335(is_setpoint_moving=is_moving)
    box.exchange(b"RAMP 1,1,6;SETP 1,290\n")
    box.process(30.0)
    assert box.exchange(b"SETP? 1\n") == shown


@pytest.mark.parametrize(
    "commands",
    [b"RAMP 1,1,3;SETP 1,270\n", b"TLIMIT A,310;RANGE 1,3;RAMP 1,1,5;SETP 1,335\n"],
    ids=["a ramp", "a ramp into the over-temperature limit"],
)
def test_any_split_of_the_time_gives_the_same_state_and_the_same_bytes(commands):
    whole, parts = LakeShore335(), LakeShore335()
    for box in (whole, parts):
        box.exchange(commands)
    for step_s in np.random.default_rng(1).uniform(0.01, 20.0, size=40).round(9):
        parts.process(float(step_s))
        parts.exchange(b"KRDG? A;SETP? 1;HTR? 1\n")
    whole.process(parts.time_ns * 1e-9)
    question = b"KRDG? A;KRDG? B;SETP? 1;HTR? 1;RANGE? 1\n"
    assert whole.temperature_k == parts.temperature_k
    assert whole.exchange(question) == parts.exchange(question)


def test_readings_scatter_by_ten_millikelvin_and_repeat_with_the_seed():
    def readings(seed):
        box = LakeShore335(seed=seed)
        values = []
        for _ in range(400):
            box.process(0.1)
            values.append(float(box.exchange(b"KRDG? A\n")))
        return np.array(values)

    first = readings(seed=3)
    standard_error = 0.01 / np.sqrt(2 * len(first))
    assert first.std() == pytest.approx(0.01, abs=4 * standard_error)
    assert np.array_equal(first, readings(seed=3))
    assert not np.array_equal(first, readings(seed=4))


def test_above_its_limit_the_box_switches_every_heater_off(box):
    box.exchange(b"TLIMIT A,310;RANGE 1,3;SETP 1,350\n")
    box.process(600.0)
    assert box.exchange(b"RANGE? 1\n") == b"0\r\n"
    assert box.temperature_k < 310.0


def test_a_limit_of_zero_is_no_limit(box):
    box.exchange(b"RANGE 1,3;SETP 1,350\n")
    box.process(600.0)
    assert box.temperature_k == pytest.approx(350.0, abs=0.01)


def test_open_loop_power_sets_the_temperature_it_can_hold(box):
    box.exchange(b"RANGE 1,0;OUTMODE 1,3,1,0;MOUT 1,50;RANGE 1,2\n")
    box.process(20_000.0)
    assert box.temperature_k == pytest.approx(4.0 + 162.5, abs=0.01)
    assert float(box.exchange(b"HTR? 1\n")) == pytest.approx(50.0, abs=0.1)


def test_with_heaters_off_the_platform_goes_to_the_refrigerator(box):
    box.exchange(b"RANGE 1,0\n")
    box.process(20_000.0)
    assert box.temperature_k == pytest.approx(4.0, abs=0.01)
    box.set_base(50.0)
    box.process(20_000.0)
    assert box.temperature_k == pytest.approx(50.0, abs=0.01)


def test_a_setpoint_in_celsius_mode_means_celsius(box):
    box.exchange(b"RANGE 1,3;INTYPE A,1,0,0,0,2;SETP 1,77\n")
    box.process(1000.0)
    assert box.temperature_k == pytest.approx(350.15, abs=0.01)


def test_a_reading_in_celsius_and_in_volts_of_the_diode(box):
    celsius, volts = (float(text) for text in box.exchange(b"CRDG? A;SRDG? A\n").split(b";"))
    assert celsius == pytest.approx(26.85, abs=0.05)
    assert volts == pytest.approx(1.6 - 0.004 * 300.0, abs=2e-4)


def test_an_unplugged_sensor_reads_zero_with_its_status(box):
    box.unplug("A")
    assert box.exchange(b"KRDG? A;RDGST? A;RDGST? B\n") == b"+000.000;129;000\r\n"


def test_a_broken_heater_switches_off_and_says_so_once(box):
    box.break_heater(1)
    assert box.exchange(b"RANGE? 1;HTRST? 1;HTRST? 1\n") == b"0;1;0\r\n"


def test_reset_switches_heaters_and_ramps_off(box):
    box.exchange(b"RAMP 1,1,5;SETP 1,290;*RST\n")
    assert box.exchange(b"RANGE? 1;RAMPST? 1;SETP? 1\n") == b"0;0;+300.000\r\n"


def test_messages_that_come_too_early_are_counted(box):
    box.process(0.06)
    box.exchange(b"*OPC?\n")
    box.process(0.02)
    box.exchange(b"*OPC?\n")
    assert box.n_too_early == 1


@pytest.mark.parametrize("command", [b"SETP 1,290", b"RANGE 1,0", b"RAMP 1,1,5", b"MOUT 1,5", b"OUTMODE 1,3,1,0"])
def test_the_bench_hears_of_a_change_before_it_happens(box, command):
    seen = []
    box.before_change = lambda: seen.append(box.exchange(b"SETP? 1;RANGE? 1\n"))
    box.exchange(command + b"\n")
    assert seen == [b"+300.000;2\r\n"]


def test_questions_and_refused_commands_change_nothing(box):
    box.before_change = lambda: pytest.fail("nothing was changed")
    box.exchange(b"KRDG? A;SETP 1,HOT;RANGE 1,9;RAMP 1,1,0.01;OUTMODE 1,9,1,0\n")


def test_a_driver_that_is_not_ours_finds_its_controller(box):
    server = DoubleServer(box, SimClock())
    foreign = LakeShore3xx(server.visa_address, write_termination="\n", timeout=300)
    foreign.output_1.setpoint = 290.5
    foreign.output_1.range = "low"
    shown = (foreign.id, foreign.output_1.setpoint, foreign.output_1.range, foreign.input_A.celsius)
    foreign.adapter.close()
    server.close()
    assert shown == ("LSCI,MODEL335,335SIM1/#######,1.1", 290.5, "low", pytest.approx(26.85, abs=0.05))


def test_the_over_temperature_trip_is_announced_before_it_acts():
    box = LakeShore335()
    box.exchange(b"TLIMIT A,310;RANGE 1,3;RAMP 1,1,30;SETP 1,335\n")
    announced = []
    box.before_change = lambda: announced.append(box.exchange(b"RANGE? 1\n"))
    box.process(5.0)
    assert announced == []
    box.process(600.0)
    assert announced == [b"3\r\n"]
    assert box.exchange(b"RANGE? 1\n") == b"0\r\n"


def test_a_power_failure_loses_ramps_and_heaters_and_is_told_once():
    box = LakeShore335()
    box.exchange(b"*CLS;RAMP 1,1,5;OUTMODE 2,1,2,1;RANGE 2,1\n")
    box.lose_power()
    assert box.exchange(b"RANGE? 1;RANGE? 2;RAMP? 1;*ESR?;*ESR?\n") == b"0;1;0,005.0;128;000\r\n"


def test_a_stuck_ramp_stays_where_it_is_until_it_is_freed():
    box = LakeShore335()
    box.exchange(b"RAMP 1,1,6;SETP 1,290\n")
    box.process(30.0)
    box.stick_ramp(1)
    box.process(3600.0)
    assert box.exchange(b"SETP? 1;RAMPST? 1\n") == b"+297.000;1\r\n"
    assert box.temperature_k == pytest.approx(297.0, abs=1e-3)
    box.stick_ramp(1, is_stuck=False)
    box.process(200.0)
    assert box.exchange(b"SETP? 1;RAMPST? 1\n") == b"+290.000;0\r\n"


def test_a_sensor_can_be_plugged_in_again():
    box = LakeShore335()
    box.unplug("A")
    assert box.exchange(b"RDGST? A\n") == b"129\r\n"
    box.plug_in("A")
    assert box.exchange(b"RDGST? A\n") == b"000\r\n"
