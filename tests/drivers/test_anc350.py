"""The ANC350 driver against published telegrams, against mishaps."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from pymeasure.test import expected_protocol

from drivers.anc350 import ANC350
from drivers.anc350_axis import Anc350Error, AxisStatus
from drivers.uc_codec import FramingError

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
        ("10 1 404 0 A", ack("404", 0, 10, 0x0500)),
        ("10 1 3002 1 B", ack("3002", 1, 11, 1)),
        ("10 1 168 0 C", ack("168", 0, 12, -1)),
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


def test_a_move_sets_the_target_checks_the_sensor_and_starts() -> None:
    pairs = [
        ("14 0 408 0 1 16E360", ack("408", 0, 1)),
        ("10 1 404 0 2", ack("404", 0, 2)),
        ("14 0 3030 0 3 1", ack("3030", 0, 3, 1)),
        ("14 0 40D 0 4 1", ack("40D", 0, 4, 1)),
    ]
    with protocol(*pairs) as unit:
        unit.axis_0.move_to(1_500_000)


def test_flags_are_booleans() -> None:
    flags = {
        "is_moving": "302E",
        "is_on_target": "3037",
        "has_sensor_error": "3031",
        "is_at_forward_end": "3039",
        "is_at_backward_end": "303A",
        "output_enabled": "3030",
        "turns_off_at_end": "450",
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
    ]
    with protocol(*pairs) as unit:
        x = unit.axis_0
        assert (x.amplitude_v, x.frequency_hz, x.target_nm, x.target_range_nm) == (42.5, 1000, -250_000, 750)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("amplitude_v", 60.001, "ANC350 amplitude: 60.001 V is outside 0 to 60 V; cold positioners need 40 to 50 V"),
        ("amplitude_v", float("nan"), "amplitude: nan V is outside"),
        ("frequency_hz", 2001, "frequency: 2001 Hz is outside 1 to 2000 Hz"),
        ("target_nm", 5_000_001, r"target: 5e\+06 nm is outside 0 to 5e\+06 nm; stay within travel_nm"),
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


def test_synchronising_is_split_so_that_the_caller_waits() -> None:
    pairs = [
        ("14 0 A 0 0 0", None),
        ("10 1 168 0 1", ack("168", 0, 1, -1)),
        ("14 0 145 0 2 0", ack("145", 0, 2)),
    ]
    with protocol(*pairs) as unit:
        unit.start_synchronise()
        unit.finish_synchronise()


def test_what_is_told_and_what_is_late_is_skipped() -> None:
    told, late = wire("14 4 415 0 0 16E35E"), ack("415", 0, 9_999, 77)
    with protocol(("10 1 415 0 1", told + late + told + ack("415", 0, 1, 202))) as unit:
        assert unit.axis_0.position_nm == 202


def test_correlation_numbers_stay_small_and_never_become_zero() -> None:
    pairs = [(struct.pack("<5i", 16, 1, 0x415, 0, k), ack("415", 0, k, k)) for k in [*range(1, 10_000), 1, 2]]
    with protocol(*pairs) as unit:
        assert [unit.axis_0.position_nm for _ in pairs][-3:] == [9_999, 1, 2]


@pytest.mark.parametrize(
    ("reason", "text"),
    [(1, "invalid address"), (2, "value out of range"), (3, "ignored"), (42, "undocumented reason 42")],
)
def test_a_refusal_names_request_and_reason(reason: int, text: str) -> None:
    message = rf"stage: SET FREQUENCY 0 1000 was refused: {text} \(reason {reason}\); check"
    with (
        protocol(("14 0 401 0 1 3E8", ack("401", 0, 1, 0, reason)), name="stage") as unit,
        pytest.raises(Anc350Error, match=message),
    ):
        unit.axis_0.frequency_hz = 1000


def test_an_ack_for_another_address_is_a_broken_link() -> None:
    with (
        protocol(("10 1 415 0 1", ack("404", 0, 1))) as unit,
        pytest.raises(ConnectionError, match="another request than GET POSITION 0; synchronise"),
    ):
        _ = unit.axis_0.position_nm


def test_a_reading_without_a_value_is_an_error() -> None:
    with (
        protocol(("10 1 415 0 1", wire("14 3 415 0 1 0"))) as unit,
        pytest.raises(ConnectionError, match="GET POSITION 0 carries no value; check the firmware"),
    ):
        _ = unit.axis_0.position_nm


def test_a_stream_out_of_step_is_told_and_synchronising_mends_it() -> None:
    pairs = [
        ("10 1 415 0 1", b"\x00" + ack("415", 0, 1)[:19]),
        ("14 0 A 0 0 0", None),
        ("10 1 168 0 2", ack("168", 0, 2, -1)),
        ("14 0 145 0 3 0", ack("145", 0, 3)),
        ("10 1 415 0 4", ack("415", 0, 4, 202)),
    ]
    with protocol(*pairs) as unit:
        with pytest.raises(FramingError, match="synchronise the link before the next request"):
            _ = unit.axis_0.position_nm
        unit.start_synchronise()
        unit.finish_synchronise()
        assert unit.axis_0.position_nm == 202


def test_endless_telling_is_no_answer() -> None:
    with (
        protocol(("10 1 415 0 1", wire("14 4 415 0 0 1") * 64)) as unit,
        pytest.raises(TimeoutError, match="64 telegrams, none the ACK to GET POSITION 0"),
    ):
        _ = unit.axis_0.position_nm


def test_shutdown_stops_every_axis_and_switches_its_output_off() -> None:
    addresses = [(a, axis) for axis in range(3) for a in ("40D", "3030")]
    pairs = [(f"14 0 {a} {axis} {k} 0", ack(a, axis, k)) for k, (a, axis) in enumerate(addresses, start=1)]
    with protocol(*pairs) as unit:
        unit.shutdown()
