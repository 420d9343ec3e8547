"""The manual laser's double: knobs in, light out."""

import pytest

from simulators.pdl800d import DARK, PDL800D, Light
from simulators.trigger import TriggerGenerator

TRIGGER_V = (0.0, 1.5)


@pytest.fixture
def laser():
    double = PDL800D()
    double.set_average_power(10.0, rate_hz=2.5e6)
    return double


def test_the_average_power_is_what_the_operator_set_at_that_rate(laser):
    light = laser.light(2.5e6, TRIGGER_V, gate_v=5.0)
    assert light.repetition_rate_hz == 2.5e6
    assert light.average_power_nw == pytest.approx(10.0)


def test_the_pulse_energy_stays_when_the_rate_changes(laser):
    assert laser.pulse_energy_fj == pytest.approx(4.0)
    assert laser.light(31.25e3, TRIGGER_V, None).average_power_nw == pytest.approx(0.125)


@pytest.mark.parametrize(
    "trigger_hz, trigger_v, gate_v",
    [
        pytest.param(2.5e6, TRIGGER_V, 0.0, id="gate low"),
        pytest.param(2.5e6, None, 5.0, id="no trigger connected"),
        pytest.param(2.5e6, (0.0, 0.4), 5.0, id="trigger below the threshold"),
        pytest.param(2.5e6, (0.6, 1.5), 5.0, id="trigger above the threshold all the time"),
        pytest.param(0.0, (1.5, 1.5), 5.0, id="constant trigger"),
        pytest.param(90e6, TRIGGER_V, 5.0, id="trigger faster than the laser"),
    ],
)
def test_no_light(laser, trigger_hz, trigger_v, gate_v):
    assert laser.light(trigger_hz, trigger_v, gate_v) == DARK


def test_an_open_gate_line_lets_light_out(laser):
    assert laser.light(2.5e6, TRIGGER_V, gate_v=None).average_power_nw > 0


def test_the_key_switch_ends_everything(laser):
    laser.turn("key", False)
    assert laser.light(2.5e6, TRIGGER_V, 5.0) == DARK


def test_the_internal_oscillator_needs_no_trigger(laser):
    laser.turn("trigger_source", "internal")
    laser.turn("internal_rate_hz", 40e6)
    assert laser.light(0.0, None, None) == Light(40e6, pytest.approx(160.0))


def test_below_the_diode_threshold_nothing_is_emitted(laser):
    laser.turn("intensity_percent", 20.0)
    assert laser.light(2.5e6, TRIGGER_V, 5.0) == DARK


def test_ten_volts_destroy_the_trigger_input_for_good(laser):
    laser.light(2.5e6, (0.0, 10.0), 5.0)
    assert laser.is_trigger_input_damaged
    assert laser.light(2.5e6, TRIGGER_V, 5.0) == DARK


def test_the_generators_output_fires_the_laser_through_its_fifty_ohm(laser):
    generator = TriggerGenerator()
    generator.exchange(b"FUNC SQU;FREQ 5E6;VOLT:LOW 0;HIGH 1.5\n")
    output = generator.channels[1]
    assert laser.light(output.edges_hz, output.levels_into(50.0), None) == DARK
    generator.exchange(b"OUTP ON\n")
    assert laser.light(output.edges_hz, output.levels_into(50.0), None) == Light(5e6, pytest.approx(20.0))
    generator.exchange(b"OUTP:LOAD INF;:VOLT:HIGH 0.9\n")
    assert laser.light(output.edges_hz, output.levels_into(50.0), None) == DARK


def test_the_bench_hears_of_a_turn_before_it_happens(laser):
    seen = []
    laser.before_change = lambda: seen.append(laser.panel.intensity_percent)
    laser.turn("intensity_percent", 80.0)
    assert seen == [60.0]


@pytest.mark.parametrize(
    "knob, value, message",
    [
        ("brightness", 5, "has no knob 'brightness'; it has key, trigger_source"),
        ("internal_rate_hz", 3e6, "'internal_rate_hz' cannot be turned to 3000000.0"),
        ("threshold_v", 1.5, "'threshold_v' cannot be turned to 1.5"),
    ],
)
def test_what_the_panel_does_not_have_cannot_be_turned(laser, knob, value, message):
    with pytest.raises(ValueError, match=message):
        laser.turn(knob, value)


@pytest.mark.parametrize("power_nw, rate_hz", [(0.0, 2.5e6), (10.0, 0.0)])
def test_no_power_or_no_rate_cannot_be_set(laser, power_nw, rate_hz):
    with pytest.raises(ValueError, match="both must be positive"):
        laser.set_average_power(power_nw, rate_hz)


def test_more_power_than_the_knob_gives_is_refused(laser):
    laser.turn("intensity_percent", 31.0)
    with pytest.raises(ValueError, match="1e\\+06 nW is more than the 892.857 nW .* turn the intensity up first"):
        laser.set_average_power(1e6, rate_hz=2.5e6)
