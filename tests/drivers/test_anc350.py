"""The ANC350 driver against published telegrams, against mishaps."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from pymeasure.test import expected_protocol

from drivers.anc350 import ANC350
from drivers.anc350_axis import Anc350Error, AxisStatus, EndOfTravel, SensorLost

WIDE_NM = (-5_000_000, 5_000_000)


def wire(text: str) -> bytes:
    """Return 32-bit words in hexadecimal, little endian on the wire."""
    return b"".join(int(word, 16).to_bytes(4, "little") for word in text.split())


def ack(address: str, axis: int, correlation: int, value: int = 0, reason: int = 0) -> bytes:
    return struct.pack("<7i", 24, 3, int(address, 16), axis, correlation, reason, value)


def protocol(*pairs: tuple[bytes | str | None, bytes | None], **kwargs: Any) -> Any:
    as_bytes = [(wire(sent) if isinstance(sent, str) else sent, reply) for sent, reply in pairs]
    return expected_protocol(ANC350, as_bytes, **kwargs)


def test_constructing_says_nothing_to_the_unit() -> None:
    with protocol():
        pass


def test_the_documented_session_byte_for_byte() -> None:
    """Correlation numbers count up from 1, so that the documented vectors follow one another."""
    pairs = [
        ("10 1 415 0 1", ack("415", 0, 1, 1_500_000)),
        ("14 0 400 0 2 7530", ack("400", 0, 2, 30_000)),
        ("14 0 401 0 3 3E8", ack("401", 0, 3, 1000)),
        ("14 0 3030 0 4 1", wire("14 3 3030 0 4 0")),
        ("14 0 450 0 5 1", wire("10 3 450 0 5")),
        ("14 0 408 0 6 16E360", ack("408", 0, 6, 1_500_000)),
        ("14 0 408 2 7 FFFFB1E0", ack("408", 2, 7, -20_000)),
        ("14 0 3036 0 8 1F4", ack("3036", 0, 8, 500)),
        ("14 0 40D 0 9 0", ack("40D", 0, 9)),
        ("14 0 40E 0 A 0", ack("40E", 0, 10)),
        ("10 1 404 0 B", ack("404", 0, 11, 0x0500)),
        ("10 1 3002 1 C", ack("3002", 1, 12, 1)),
        ("10 1 168 0 D", ack("168", 0, 13, -1)),
    ]
    with protocol(*pairs, travel_nm=WIDE_NM) as unit:
        x, z = unit.axis_0, unit.axes[2]
        assert x.position_nm == 1_500_000
        x.amplitude_v = 30.0
        x.frequency_hz = 1000
        x.output_enabled = True
        x.turns_off_at_end = True
        x.target_nm = 1_500_000
        z.target_nm = -20_000
        x.target_range_nm = 500
        x.stop()
        assert x.status == AxisStatus.SENSOR_ERROR | AxisStatus.SENSOR_DISCONNECTED
        assert unit.axis_1.is_connected is True
        assert unit.hardware_id == -1


def test_a_move_sets_the_target_looks_at_sensor_and_drive_and_starts() -> None:
    pairs = [
        ("14 0 408 0 1 16E360", ack("408", 0, 1)),
        ("10 1 404 0 2", ack("404", 0, 2)),
        ("10 1 415 0 3", ack("415", 0, 3, 1_000_000)),
        ("10 1 400 0 4", ack("400", 0, 4, 40_000)),
        ("10 1 401 0 5", ack("401", 0, 5, 1000)),
        ("14 0 450 0 6 1", ack("450", 0, 6, 1)),
        ("14 0 3030 0 7 1", ack("3030", 0, 7, 1)),
        ("14 0 40D 0 8 1", ack("40D", 0, 8, 1)),
    ]
    with protocol(*pairs) as unit:
        unit.axis_0.move_to(1_500_000)


@pytest.mark.parametrize(("is_forward", "end", "step"), [(True, "3039", "410"), (False, "303A", "411")])
def test_a_step_is_one_telegram_once_the_way_is_free(is_forward: bool, end: str, step: str) -> None:
    pairs = [
        (f"10 1 {end} 0 1", ack(end, 0, 1)),
        ("10 1 400 0 2", ack("400", 0, 2, 40_000)),
        ("10 1 401 0 3", ack("401", 0, 3, 1000)),
        ("14 0 3030 0 4 1", ack("3030", 0, 4, 1)),
        (f"14 0 {step} 0 5 1", ack(step, 0, 5, 1)),
        (f"10 1 {end} 0 6", ack(end, 0, 6, 1)),
    ]
    with protocol(*pairs, name="stage") as unit:
        unit.axis_0.step(is_forward)
        with pytest.raises(EndOfTravel, match="stage axis 0: at the .*ward end of its travel; step the other way"):
            unit.axis_0.step(is_forward)


def test_a_drive_set_too_high_by_another_program_moves_nothing() -> None:
    pairs = [("10 1 303A 1 1", ack("303A", 1, 1)), ("10 1 400 1 2", ack("400", 1, 2, 70_000))]
    pairs += [("10 1 401 1 3", ack("401", 1, 3, 1000))]
    with (
        protocol(*pairs, name="stage") as unit,
        pytest.raises(Anc350Error, match="stage axis 1: its amplitude is 70 V, outside 0 to 60 V; set it first"),
    ):
        unit.axis_1.step(is_forward=False)


def test_a_position_off_the_travel_is_no_position() -> None:
    pairs = [("14 0 408 0 1 16E360", ack("408", 0, 1)), ("10 1 404 0 2", ack("404", 0, 2))]
    pairs += [("10 1 415 0 3", ack("415", 0, 3, 14_786_267))]
    with protocol(*pairs) as unit, pytest.raises(SensorLost, match="14786267 nm is no place on its travel"):
        unit.axis_0.move_to(1_500_000)


def test_the_capacitance_is_started_and_read_later() -> None:
    pairs = [
        ("10 1 302E 0 1", ack("302E", 0, 1)),
        ("14 0 51E 0 2 1", ack("51E", 0, 2, 1)),
        ("10 1 569 0 3", ack("569", 0, 3, 1_050_000)),
        ("10 1 302E 0 4", ack("302E", 0, 4, 1)),
    ]
    with protocol(*pairs) as unit:
        unit.axis_0.measure_capacitance()
        assert unit.axis_0.capacitance_nf == 1050.0
        with pytest.raises(Anc350Error, match="moving, so its capacitance cannot be measured; stop it first"):
            unit.axis_0.measure_capacitance()


def test_over_current_is_cleared_by_name() -> None:
    with protocol(("14 0 3151 2 1 1", ack("3151", 2, 1))) as unit:
        unit.axis_2.clear_over_current()


def test_sensor_voltage_is_only_lowered() -> None:
    pairs = [("10 1 526 0 1", ack("526", 0, 1, 300)), ("14 0 526 0 2 64", ack("526", 0, 2, 100))]
    pairs += [("10 1 526 0 3", ack("526", 0, 3, 100))]
    with protocol(*pairs) as unit:
        unit.lower_sensor_voltage(0.1)
        with pytest.raises(ValueError, match="sensor voltage: 0.2 V is outside 0 to 0.1 V; it is only lowered here"):
            unit.lower_sensor_voltage(0.2)


def test_the_firmware_is_put_together_from_what_is_told() -> None:
    told = wire("14 4 111 0 0 342E302E") + wire("14 4 111 1 0 31330000") + wire("14 4 117 0 0 34000000")
    pairs = [("14 0 16C 0 1 1", ack("16C", 0, 1, 1)), ("10 1 168 0 2", told + ack("168", 0, 2, -1))]
    pairs += [("14 0 16C 0 3 1", ack("16C", 0, 3, 1)), ("10 1 168 0 4", ack("168", 0, 4, -1))]
    with protocol(*pairs) as unit:
        assert unit.firmware == "4.0.13, 4"
        with pytest.raises(Anc350Error, match="no firmware version was told; look it up in Daisy"):
            _ = unit.firmware


def test_the_cold_narrows_what_may_be_set() -> None:
    with protocol(max_amplitude_v=55.0) as unit:
        unit.limit_drive(4.0)
        with pytest.raises(ValueError, match="amplitude: 40 V is outside 45 to 55 V"):
            unit.axis_0.amplitude_v = 40.0
        with pytest.raises(ValueError, match="frequency: 1000 Hz is outside 1 to 500 Hz"):
            unit.axis_1.frequency_hz = 1000
        with pytest.raises(ValueError, match="nan K is no temperature"):
            unit.limit_drive(float("nan"))


def test_flags_are_booleans() -> None:
    flags = {
        "is_moving": "302E",
        "is_on_target": "3037",
        "has_sensor_error": "3031",
        "is_at_forward_end": "3039",
        "is_at_backward_end": "303A",
        "output_enabled": "3030",
        "turns_off_at_end": "450",
        "grounds_after_motion": "451",
        "has_over_current": "3150",
    }
    pairs = [(f"10 1 {a} 1 {k:X}", ack(a, 1, k, k % 2)) for k, a in enumerate(flags.values(), start=1)]
    with protocol(*pairs) as unit:
        assert [getattr(unit.axis_1, name) for name in flags] == [k % 2 == 1 for k in range(1, len(flags) + 1)]


def test_quantities_read_back_in_their_units() -> None:
    pairs = [
        ("10 1 400 0 1", ack("400", 0, 1, 42_500)),
        ("10 1 401 0 2", ack("401", 0, 2, 1000)),
        ("10 1 408 0 3", ack("408", 0, 3, -250_000)),
        ("10 1 3036 0 4", ack("3036", 0, 4, 750)),
        ("14 0 514 0 5 7D0", ack("514", 0, 5, 2000)),
        ("10 1 514 0 6", ack("514", 0, 6, 2000)),
        ("14 0 451 0 7 1", ack("451", 0, 7, 1)),
    ]
    with protocol(*pairs) as unit:
        x = unit.axis_0
        assert (x.amplitude_v, x.frequency_hz, x.target_nm, x.target_range_nm) == (42.5, 1000, -250_000, 750)
        x.dc_level_v = 2.0
        assert x.dc_level_v == 2.0
        x.grounds_after_motion = True


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("amplitude_v", 60.001, "ANC350 amplitude: 60.001 V is outside 0 to 60 V; cold positioners need 40 to 50 V"),
        ("amplitude_v", float("nan"), "amplitude: nan V is outside"),
        ("frequency_hz", 2001, "frequency: 2001 Hz is outside 1 to 2000 Hz"),
        ("target_nm", 5_000_001, r"target: 5e\+06 nm is outside 0 to 5e\+06 nm; stay within travel_nm"),
        ("dc_level_v", 71.0, "DC level: 71 V is outside 0 to 70 V; 0 V lets the positioner rest"),
        ("target_range_nm", 100, "target range: 100 nm is outside 500 to .* below the sensor's noise is never reached"),
    ],
)
def test_a_value_out_of_range_is_refused_before_anything_is_sent(name: str, value: float, message: str) -> None:
    with protocol() as unit, pytest.raises(ValueError, match=message):
        setattr(unit.axis_0, name, value)


def test_a_target_out_of_travel_starts_nothing() -> None:
    with protocol() as unit, pytest.raises(ValueError, match="target: -1 nm is outside"):
        unit.axis_0.move_to(-1)


def test_the_amplitude_cap_is_a_choice_up_to_what_the_unit_can_do() -> None:
    with protocol(("14 0 400 0 1 FDE8", ack("400", 0, 1, 65_000)), max_amplitude_v=70.0) as unit:
        unit.axis_0.amplitude_v = 65.0
    with pytest.raises(ValueError, match="max_amplitude_v: 80 V is outside 0 to 70 V"), protocol(max_amplitude_v=80.0):
        pass


def test_shutdown_stops_every_axis_and_switches_its_output_off() -> None:
    addresses = [(a, axis) for axis in range(3) for a in ("40D", "40E", "3030")]
    pairs = [(f"14 0 {a} {axis} {k} 0", ack(a, axis, k)) for k, (a, axis) in enumerate(addresses, start=1)]
    with protocol(*pairs) as unit:
        unit.shutdown()
