"""The ANC350 double answers in the published bytes and approaches its targets as a formula of time."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from simulators.anc350 import ANC350

MIDDLE_NM = 2_500_000
STATUS, POSITION, MOVING, CONNECTED, ON_TARGET = 0x0404, 0x0415, 0x302E, 0x3002, 0x3037
AMPLITUDE, FREQUENCY, TARGET, TARGET_RANGE, OUTPUT, OFF_AT_END = 0x0400, 0x0401, 0x0408, 0x3036, 0x3030, 0x0450
RUN, RUN_RELATIVE, STEP_FORWARD, GO_FORWARD, GO_BACKWARD = 0x040D, 0x0418, 0x0410, 0x040E, 0x040F
FORWARD_END, BACKWARD_END, SENSOR_ERROR = 0x3039, 0x303A, 0x3031
EVENTS, SYNCHRONISE, HARDWARE_ID = 0x0145, 0x000A, 0x0168
TELL = 4


def send(double: ANC350, operation: int, address: int, axis: int, *words: int, correlation: int = 7) -> tuple[int, ...]:
    """Send one telegram and return the words of the reply after the length, none if there is no reply."""
    length = 16 + 4 * len(words)
    reply = double.exchange(struct.pack(f"<{5 + len(words)}i", length, operation, address, axis, correlation, *words))
    return struct.unpack(f"<{len(reply) // 4}i", reply)[1:]


def get(double: ANC350, address: int, axis: int = 0) -> int:
    operation, _, _, correlation, reason, value = send(double, 1, address, axis)
    assert (operation, correlation, reason) == (3, 7, 0)
    return value


def put(double: ANC350, address: int, value: int, axis: int = 0) -> int:
    """Set a value and return the reason code."""
    return send(double, 0, address, axis, value)[4]


def driving(target_nm: int = 3_500_000) -> ANC350:
    """Return a double whose axis 0 has just begun a closed-loop move at 0.1 mm/s."""
    double = ANC350()
    for address, value in ((OUTPUT, 1), (TARGET, target_nm), (RUN, 1)):
        assert put(double, address, value) == 0
    return double


def test_an_ack_has_the_published_bytes() -> None:
    double = ANC350()
    request = bytes.fromhex("14 00 00 00 00 00 00 00 00 04 00 00 00 00 00 00 02 00 00 00 30 75 00 00")
    reply = "18 00 00 00 03 00 00 00 00 04 00 00 00 00 00 00 02 00 00 00 00 00 00 00 30 75 00 00"
    assert double.exchange(request) == bytes.fromhex(reply)
    refused = double.exchange(request[:20] + (99_999).to_bytes(4, "little"))
    assert refused[:24] == bytes.fromhex("18 00 00 00 03 00 00 00 00 04 00 00 00 00 00 00 02 00 00 00 02 00 00 00")


def test_some_firmware_leaves_the_value_out_of_a_set_ack() -> None:
    double = ANC350(has_value_in_set_ack=False)
    assert send(double, 0, FREQUENCY, 0, 1000) == (3, FREQUENCY, 0, 7, 0)
    assert send(double, 1, FREQUENCY, 0) == (3, FREQUENCY, 0, 7, 0, 1000)


def test_correlation_zero_is_obeyed_without_an_ack() -> None:
    double = ANC350()
    assert send(double, 0, FREQUENCY, 0, 500, correlation=0) == ()
    assert get(double, FREQUENCY) == 500


def test_telegrams_may_come_in_any_pieces() -> None:
    double, request = ANC350(), struct.pack("<5i", 16, 1, HARDWARE_ID, 0, 3)
    reply = b"".join(double.exchange(bytes([byte])) for byte in request * 2)
    assert reply == struct.pack("<7i", 24, 3, HARDWARE_ID, 0, 3, 0, -1) * 2


def test_an_impossible_length_empties_the_input() -> None:
    double = ANC350()
    assert double.exchange(b"\xff" * 40) == b""
    assert get(double, HARDWARE_ID) == -1


@pytest.mark.parametrize(
    ("address", "value", "axis", "reason"),
    [
        (AMPLITUDE, 70_000, 0, 0),
        (AMPLITUDE, 70_001, 0, 2),
        (FREQUENCY, 0, 0, 2),
        (OUTPUT, 2, 0, 2),
        (POSITION, 0, 0, 5),
        (0x0999, 0, 0, 1),
        (AMPLITUDE, 1000, 3, 1),
    ],
)
def test_reason_codes_tell_why(address: int, value: int, axis: int, reason: int) -> None:
    assert put(ANC350(), address, value, axis) == reason


def test_what_cannot_be_read_says_so() -> None:
    double = ANC350()
    assert [send(double, 1, address, 0)[4] for address in (RUN, EVENTS, 0x0999)] == [5, 5, 1]


def test_outputs_are_off_at_the_start_and_nothing_moves_without() -> None:
    double = ANC350()
    assert [get(double, OUTPUT, axis) for axis in range(3)] == [0, 0, 0]
    put(double, TARGET, 1_000_000)
    assert put(double, RUN, 1) == 0, "acknowledged, and without effect"
    double.process(10.0)
    assert double.position_nm(0) == MIDDLE_NM
    assert get(double, MOVING) == 0


def test_a_move_goes_at_constant_speed_and_stops_at_its_target() -> None:
    double = driving(3_500_000)
    for time_s in (0.0, 1.0, 4.0, 9.9):
        double.process(time_s - double.time_ns * 1e-9)
        assert double.position_nm(0) == pytest.approx(MIDDLE_NM + 1e5 * time_s, abs=1e-3)
        assert (get(double, MOVING), get(double, ON_TARGET), get(double, STATUS)) == (1, 0, 1)
    double.process(1.0)
    assert double.position_nm(0) == 3_500_000
    assert (get(double, MOVING), get(double, ON_TARGET), get(double, STATUS)) == (0, 1, 0)
    assert [double.position_nm(axis) for axis in (1, 2)] == [MIDDLE_NM, MIDDLE_NM]


def test_a_stop_holds_where_it_is_and_a_new_target_goes_on_from_there() -> None:
    double = driving(3_500_000)
    double.process(2.0)
    put(double, RUN, 0)
    double.process(2.0)
    assert double.position_nm(0) == pytest.approx(MIDDLE_NM + 2e5)
    put(double, TARGET, 2_000_000)
    double.process(20.0)
    assert double.position_nm(0) == pytest.approx(MIDDLE_NM + 2e5), "a target alone moves nothing"
    put(double, RUN, 1)
    double.process(20.0)
    assert double.position_nm(0) == 2_000_000
    put(double, TARGET, 2_100_000)
    double.process(20.0)
    assert double.position_nm(0) == 2_100_000, "the loop is still closed"


def test_switching_the_output_off_stops() -> None:
    double = driving()
    double.process(1.0)
    put(double, OUTPUT, 0)
    double.process(5.0)
    assert double.position_nm(0) == pytest.approx(MIDDLE_NM + 1e5)


def test_too_small_an_amplitude_does_not_step() -> None:
    double = ANC350()
    for address, value in ((AMPLITUDE, 15_000), (OUTPUT, 1), (TARGET, 3_000_000), (RUN, 1)):
        put(double, address, value)
    double.process(60.0)
    assert double.position_nm(0) == MIDDLE_NM
    assert get(double, MOVING) == 1


def test_relative_moves_steps_and_continuous_runs() -> None:
    double = ANC350()
    put(double, OUTPUT, 1)
    put(double, TARGET, -10_000)
    put(double, RUN_RELATIVE, 1)
    double.process(1.0)
    assert double.position_nm(0) == MIDDLE_NM - 10_000
    put(double, STEP_FORWARD, 1)
    double.process(0.01)
    assert double.position_nm(0) == MIDDLE_NM - 10_000 + 100
    put(double, GO_FORWARD, 1)
    double.process(1.0)
    put(double, GO_FORWARD, 0)
    double.process(1.0)
    assert double.position_nm(0) == pytest.approx(MIDDLE_NM - 9_900 + 1e5)


@pytest.mark.parametrize(("go", "end_nm", "flag"), [(GO_FORWARD, 5e6, FORWARD_END), (GO_BACKWARD, 0.0, BACKWARD_END)])
def test_the_travel_ends_at_0_and_5_mm(go: int, end_nm: float, flag: int) -> None:
    double = ANC350()
    put(double, OUTPUT, 1)
    put(double, go, 1)
    double.process(60.0)
    assert double.position_nm(0) == end_nm
    assert [get(double, address) for address in (FORWARD_END, BACKWARD_END)] == [
        flag == FORWARD_END,
        flag == BACKWARD_END,
    ]
    assert get(double, STATUS) & 2
    assert get(double, OUTPUT) == 1


def test_on_request_the_output_goes_off_at_the_end_of_travel_until_switched_on_again() -> None:
    double = ANC350()
    for address, value in ((OFF_AT_END, 1), (OUTPUT, 1), (GO_FORWARD, 1)):
        put(double, address, value)
    double.process(60.0)
    assert get(double, OUTPUT) == 0
    put(double, OUTPUT, 1)
    double.process(1.0)
    assert get(double, OUTPUT) == 1
    put(double, TARGET, 4_000_000)
    put(double, RUN, 1)
    double.process(60.0)
    assert double.position_nm(0) == 4_000_000


def test_a_sensor_torn_off_reads_the_end_of_its_table() -> None:
    double = ANC350()
    double.axes[1].is_sensor_lost = True
    assert get(double, STATUS, 1) == 0x0500
    assert (get(double, CONNECTED, 1), get(double, SENSOR_ERROR, 1), get(double, POSITION, 1)) == (0, 1, -897_591)
    assert (get(double, CONNECTED, 0), get(double, SENSOR_ERROR, 0)) == (1, 0)


def test_readings_scatter_by_100_nm_and_do_not_depend_on_who_asks() -> None:
    n_readings, double = 1000, ANC350(seed=4)
    readings = []
    for _ in range(n_readings):
        double.process(0.01)
        readings.append(get(double, POSITION))
        assert get(double, POSITION) == readings[-1]
    errors = np.array(readings) - MIDDLE_NM
    assert abs(errors.mean()) < 4 * 100 / n_readings**0.5
    assert abs(errors.std() / 100 - 1) < 4 / (2 * n_readings) ** 0.5


def test_events_are_told_every_100_ms_between_the_replies() -> None:
    double = ANC350()
    put(double, EVENTS, 1)
    double.process(0.25)
    told = double.spontaneous()
    operations = [struct.unpack_from("<5i", told, start)[1] for start in range(0, len(told), 24)]
    assert operations == [TELL] * 12, "two times three axes, position and motion"
    put(double, EVENTS, 0)
    double.process(1.0)
    assert double.spontaneous() == b""


def test_synchronising_silences_everything_for_two_seconds() -> None:
    double = ANC350()
    put(double, EVENTS, 1)
    double.process(0.25)
    assert double.spontaneous() != b""
    assert send(double, 0, SYNCHRONISE, 0, 0, correlation=0) == ()
    double.process(1.999)
    assert double.spontaneous() == b""
    assert send(double, 1, HARDWARE_ID, 0) == ()
    double.process(0.001)
    assert double.spontaneous() == struct.pack("<7i", 24, 3, HARDWARE_ID, 0, 7, 0, -1), "answered when it is over"
    assert get(double, HARDWARE_ID) == -1


def test_any_split_of_a_wait_leaves_the_same_state() -> None:
    whole, parts = driving(5_000_000), driving(5_000_000)
    for double in (whole, parts):
        put(double, OFF_AT_END, 1)
        put(double, EVENTS, 1)
    whole.process(30.0)
    cuts_ns = np.sort(np.random.default_rng(5).integers(0, 30_000_000_000, 100))
    for piece_ns in np.diff(cuts_ns, prepend=0, append=30_000_000_000):
        parts.process(piece_ns * 1e-9)
    assert parts.axes == whole.axes
    assert parts.time_ns == whole.time_ns
    assert parts.spontaneous() == whole.spontaneous()


def test_the_bench_hears_of_a_motion_before_it_begins() -> None:
    double, heard_nm = ANC350(), []
    double.before_change = lambda: heard_nm.append(double.position_nm(0))
    get(double, POSITION)
    for address, value in ((FREQUENCY, 2000), (OUTPUT, 1), (TARGET, 3_000_000)):
        put(double, address, value)
    assert heard_nm == []
    put(double, RUN, 1)
    double.process(1.0)
    put(double, RUN, 0)
    assert heard_nm == pytest.approx([MIDDLE_NM, MIDDLE_NM + 2e5])
    with pytest.raises(ValueError, match="0 ns lies before the last command to axis 0 at 1000000000 ns"):
        double.position_nm_at(0, 0)
