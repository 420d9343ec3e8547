"""pymeasure's own class of the generator on our double: every property that it offers is read, set and read back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from pymeasure.instruments.agilent import Agilent33500

from simulators.clock import SimClock
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator

WRITE_ONLY = {"display"}
SETTINGS = {
    "shape": "PULS",
    "frequency": 1e6,
    "amplitude": 1.0,
    "offset": 0.5,
    "voltage_high": 2.0,
    "voltage_low": 0.25,
    "phase": 45.0,
    "square_dutycycle": 40.0,
    "ramp_symmetry": 30.0,
    "pulse_period": 2e-6,
    "pulse_hold": "DCYC",
    "pulse_width": 1e-7,
    "pulse_dutycycle": 20.0,
    "pulse_transition": 2e-8,
    "output": True,
    "output_load": 75.0,
    "burst_state": True,
    "burst_mode": "GAT",
    "burst_period": 2e-3,
    "burst_ncycles": 5,
    "arb_advance": "TRIG",
    "arb_filter": "OFF",
    "arb_srate": 1e5,
}


@pytest.fixture
def double() -> TriggerGenerator:
    return TriggerGenerator()


@pytest.fixture
def generator(double: TriggerGenerator) -> Iterator[Any]:
    server = DoubleServer(double, SimClock())
    generator = Agilent33500(server.visa_address, read_termination="\n", write_termination="\n", timeout=2000)
    yield generator
    generator.adapter.close()
    server.close()


def readable(kind: type) -> list[str]:
    return [name for name in dir(kind) if isinstance(getattr(kind, name), property) and name not in WRITE_ONLY]


def test_every_property_is_answered(generator: Any) -> None:
    for part in (generator, generator.ch_1, generator.ch_2):
        for name in readable(type(part)):
            assert getattr(part, name) is not None, name
    assert generator.check_errors() == []


@pytest.mark.parametrize("channel", ["ch_1", "ch_2"])
def test_every_setting_reads_back(generator: Any, channel: str) -> None:
    part = getattr(generator, channel)
    for name, value in SETTINGS.items():
        setattr(part, name, value)
        found = getattr(part, name)
        assert found == (pytest.approx(value) if isinstance(value, float) else value), name
        errors = [text for _, text in generator.check_errors() if "pulse width decreased" not in text]
        assert errors == [], name


def test_amplitudes_are_shown_in_the_unit_asked_for(generator: Any) -> None:
    generator.shape, generator.amplitude = "SIN", 2.0
    generator.amplitude_unit = "VRMS"
    assert generator.amplitude == pytest.approx(2.0 / math.sqrt(8))
    generator.amplitude_unit = "DBM"
    assert generator.amplitude == pytest.approx(10.0, abs=0.01)  # 2 V peak to peak at 50 ohm are 10 mW
    generator.amplitude = 4.0
    generator.amplitude_unit = "VPP"
    assert generator.amplitude == pytest.approx(1.0024, abs=1e-3)
    generator.output_load = "INF"
    generator.write("VOLT:UNIT DBM")
    assert [code for code, _ in generator.check_errors()] == [-221]


def test_one_command_applies_a_waveform_and_switches_it_on(generator: Any, double: TriggerGenerator) -> None:
    generator.write("APPL:PULS 2.5 MHZ,2.0,1.0")
    assert generator.ask("APPL?") == '"PULS +2.500000000000000E+06,+2.000000000000000E+00,+1.000000000000000E+00"'
    assert double.channels[1].edges_hz == 2.5e6
    assert (generator.voltage_low, generator.voltage_high) == pytest.approx((0.0, 2.0))


def test_limits_are_told_and_nothing_changes(generator: Any) -> None:
    assert float(generator.ask("FREQ? MAX")) == 20e6
    assert float(generator.ask("VOLT? MAX")) == pytest.approx(10.0)
    assert float(generator.ask("VOLT:OFFS? MIN")) == pytest.approx(-4.95)
    assert (generator.frequency, generator.amplitude) == pytest.approx((1e3, 0.1))
    assert generator.check_errors() == []


def test_a_burst_that_waits_for_a_trigger_gives_no_light(generator: Any, double: TriggerGenerator) -> None:
    generator.write("APPL:SQU 1E6,2,1")
    generator.burst_ncycles, generator.burst_period, generator.burst_state = 10, 1e-3, True
    assert generator.check_errors() == []  # by then all of it has arrived
    assert double.channels[1].edges_hz == pytest.approx(1e4)
    generator.trigger_source = "BUS"
    assert generator.check_errors() == []
    assert double.channels[1].edges_hz == 0.0


def test_the_status_byte_tells_of_errors(generator: Any) -> None:
    generator.write("*CLS;*ESE 32")
    assert int(generator.status) == 0
    generator.write("LIGHT ON")
    assert int(generator.status) & 4
    assert int(generator.status) & 32
    assert len(generator.check_errors()) == 1
