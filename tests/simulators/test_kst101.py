"""The KST101 double answers in the documented bytes and moves as a formula of time."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from simulators.kst101 import KST101
from simulators.stepper import ACCELERATION_PER_MM_S2, COUNTS_PER_MM, VELOCITY_PER_MM_S

STATUS, POSITION, HOME = "29 04 01 00 50 01", "11 04 01 00 50 01", "43 04 01 00 50 01"
SET_VELOCITY = "13 04 0E 00 D0 01 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A"
SET_HOME = "40 04 0E 00 D0 01 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00"
SET_BACKLASH = "3A 04 06 00 D0 01 01 00 AB AA 00 00"
TO_10_MM, TO_25_MM = "53 04 06 00 D0 01 01 00 55 55 4D 01", "53 04 06 00 D0 01 01 00 55 55 41 03"
TO_0_MM, BY_MINUS_1_MM = "53 04 06 00 D0 01 01 00 00 00 00 00", "48 04 06 00 D0 01 01 00 AB AA DE FF"
STOP, STOP_AT_ONCE = "65 04 01 02 50 01", "65 04 01 01 50 01"
START_UPDATES, STOP_UPDATES = "11 00 00 00 50 01", "12 00 00 00 50 01"
MOVING, HOMING, HOMED, LIMIT = 0x30, 0x200, 0x400, 0x3


def send(double: KST101, *frames: str) -> str:
    """Return the reply in hexadecimal, as the documents print it."""
    return double.exchange(bytes.fromhex("".join(frames))).hex(" ").upper()


def status(double: KST101) -> int:
    return int.from_bytes(bytes.fromhex(send(double, STATUS))[-4:], "little")


def count(double: KST101) -> int:
    return int.from_bytes(bytes.fromhex(send(double, POSITION))[-4:], "little", signed=True)


def homed(position_mm: float = 0.0, **kwargs: Any) -> KST101:
    """Return a homed axis with the settings of a ZFS25B."""
    double = KST101(is_homed=True, position_mm=position_mm, **kwargs)
    send(double, SET_VELOCITY, SET_HOME, SET_BACKLASH)
    return double


def move_to(target_mm: float) -> str:
    return "53 04 06 00 D0 01 01 00" + struct.pack("<i", round(target_mm * COUNTS_PER_MM)).hex()


def test_it_says_what_it_is() -> None:
    reply = bytes.fromhex(send(KST101(), "05 00 00 00 50 01"))
    assert reply[:24] == bytes.fromhex("06 00 54 00 81 50 52 BF 8C 01 4B 53 54 31 30 31 00 00 10 00 01 02 03 00")
    assert len(reply) == 90


def test_it_starts_somewhere_with_a_count_that_means_nothing() -> None:
    doubles = [KST101(seed=seed) for seed in (1, 1, 2)]
    assert [status(double) for double in doubles] == [0x80000100] * 3
    assert count(doubles[0]) == count(doubles[1]) != count(doubles[2])
    assert 0.0 < doubles[0].position_mm < 25.0
    assert count(doubles[0]) != round(doubles[0].position_mm * COUNTS_PER_MM)


def test_what_is_set_reads_back() -> None:
    double = KST101()
    assert (
        send(double, SET_VELOCITY, "14 04 01 00 50 01") == "15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A"
    )
    assert send(double, SET_BACKLASH, "3B 04 01 00 50 01") == "3C 04 06 00 81 50 01 00 AB AA 00 00"
    assert send(double, SET_HOME, "41 04 01 00 50 01") == "42 04 0E 00 81 50 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00"


def test_the_settings_at_power_up_are_those_of_another_actuator() -> None:
    assert send(KST101(), "14 04 01 00 50 01") != "15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A"


@pytest.mark.parametrize("frame", ["11 04 01 00 11 01", "11 04 01 00 21 01", "80 04 01 00 50 01", "90 04 01 00 50 01"])
def test_a_strict_unit_stays_silent(frame: str) -> None:
    assert send(KST101(), frame) == ""


def test_noise_between_frames_is_dropped() -> None:
    double = homed()
    assert send(double, "00 FF 12", POSITION) == "12 04 06 00 81 50 01 00 00 00 00 00"


def test_homing_runs_onto_the_switch_backs_off_and_counts_from_there() -> None:
    double = KST101(seed=3)
    way_mm = double.position_mm + 0.1
    send(double, SET_VELOCITY, SET_HOME, HOME)
    assert status(double) & HOMING
    assert not status(double) & HOMED
    on_switch_s = way_mm / 0.5 + 0.5 * 0.5
    double.process(on_switch_s + 0.01)
    assert double.position_mm == pytest.approx(-0.1, abs=1e-3)
    double.process(5.0)
    assert send(double, STATUS) == "44 04 01 00 01 50 2A 04 06 00 81 50 01 00 00 05 00 80"
    assert count(double) == 0
    assert double.position_mm == pytest.approx(0.0, abs=2.0 / COUNTS_PER_MM)


def test_homing_in_the_wrong_direction_ends_on_the_far_switch_without_reference() -> None:
    double = KST101(seed=3)
    send(double, SET_VELOCITY, SET_HOME.replace("02 00 01 00 AB", "01 00 01 00 AB"), HOME)
    double.process(120.0)
    assert double.position_mm == pytest.approx(25.1)
    assert status(double) & LIMIT
    assert not status(double) & HOMED


def test_a_move_is_a_trapezoid() -> None:
    double = homed()
    send(double, TO_25_MM)
    for time_s, expected_mm in ((1.0, 0.5), (1.5, 1.125), (2.5, 2.625), (25.0 / 1.5, 25.0 - 1.125)):
        double.process(time_s - double.time_ns * 1e-9)
        assert double.position_mm == pytest.approx(expected_mm, abs=2e-5)
        assert status(double) & MOVING
    double.process(1.51)
    assert send(double, STATUS).startswith("64 04 0E 00 81 50 01 00 55 55 41 03 00 00 00 00 00 05 00 80")
    assert double.position_mm == pytest.approx(25.0, abs=1e-6)


def test_a_reverse_move_overshoots_by_the_backlash() -> None:
    double = homed(5.0)
    send(double, BY_MINUS_1_MM)
    positions_mm = []
    for _ in range(400):
        double.process(0.01)
        positions_mm.append(double.position_mm)
    assert min(positions_mm) == pytest.approx(4.0 - 0.02, abs=1e-5)
    assert positions_mm[-1] == pytest.approx(4.0, abs=1e-6)


def test_short_moves_use_the_stored_target_and_distance() -> None:
    double = homed()
    send(double, "50 04 06 00 D0 01 01 00 55 55 4D 01", "53 04 01 00 50 01")
    double.process(20.0)
    assert count(double) == 21_845_333
    send(double, "45 04 06 00 D0 01 01 00 AB AA FC FF", "48 04 01 00 50 01")
    double.process(20.0)
    assert count(double) == 21_845_333 - 218_453


def test_a_move_ordered_during_a_move_starts_after_coming_to_rest() -> None:
    double = homed()
    send(double, TO_25_MM)
    double.process(3.0)
    before_mm = double.position_mm
    send(double, TO_0_MM)
    assert double.position_mm == pytest.approx(before_mm, abs=1e-9)
    double.process(1.5)
    assert double.position_mm == pytest.approx(before_mm + 1.125, abs=1e-4)
    double.process(20.0)
    assert double.position_mm == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("target_mm", "switch_mm", "bit"), [(30.0, 25.1, 0x1), (-5.0, -0.1, 0x2)])
def test_a_switch_a_little_outside_the_travel_ends_a_move(target_mm: float, switch_mm: float, bit: int) -> None:
    double = homed(12.5)
    send(double, move_to(target_mm))
    double.process(30.0)
    message = double.spontaneous()
    assert message[:2] == bytes.fromhex("66 04"), "stopped, not completed"
    assert double.position_mm == pytest.approx(switch_mm)
    assert status(double) & LIMIT == bit
    send(double, move_to(target_mm))
    double.process(1.0)
    assert double.position_mm == pytest.approx(switch_mm), "and it goes no further"
    send(double, move_to(12.5))
    double.process(30.0)
    assert double.position_mm == pytest.approx(12.5, abs=1e-6), "but back"


def test_a_profiled_stop_takes_its_distance_and_an_immediate_one_none() -> None:
    for frame, distance_mm in ((STOP, 1.125), (STOP_AT_ONCE, 0.0)):
        double = homed()
        send(double, TO_25_MM)
        double.process(3.0)
        before_mm = double.position_mm
        send(double, frame)
        double.process(2.0)
        assert double.position_mm == pytest.approx(before_mm + distance_mm, abs=1e-4)
        assert not status(double) & MOVING
        assert double.is_homed


def test_a_stop_is_reported_with_its_position() -> None:
    double = homed()
    send(double, TO_25_MM)
    double.process(3.0)
    send(double, STOP)
    double.process(2.0)
    message = double.spontaneous()
    assert message[:6] == bytes.fromhex("66 04 0E 00 81 50")
    assert int.from_bytes(message[8:12], "little") == count(double)


def test_a_disabled_axis_obeys_nothing_and_stops_where_it_is() -> None:
    double = homed()
    send(double, TO_10_MM)
    double.process(2.0)
    here_mm = double.position_mm
    send(double, "10 02 01 02 50 01")
    assert send(double, "11 02 01 00 50 01").endswith("12 02 01 02 01 50")
    send(double, TO_25_MM)
    double.process(20.0)
    assert double.position_mm == pytest.approx(here_mm)
    assert not status(double) & 0x80000000


def test_without_a_velocity_nothing_moves() -> None:
    double = homed()
    send(double, "13 04 0E 00 D0 01" + struct.pack("<Hiii", 1, 0, 24_032, 0).hex(), TO_10_MM, HOME, STOP)
    double.process(10.0)
    assert double.position_mm == 0.0


def test_updates_come_every_100_ms_from_start_to_stop() -> None:
    double = homed()
    send(double, START_UPDATES)
    double.process(1.05)
    updates = double.spontaneous()
    assert updates == bytes.fromhex("81 04 0E 00 81 50 01 00 00 00 00 00 00 00 00 00 00 05 00 80") * 10
    send(double, STOP_UPDATES)
    double.process(1.0)
    assert double.spontaneous() == b""


def test_a_lost_completion_message_can_be_asked_for() -> None:
    double = homed()
    double.faults.is_completion_lost = True
    send(double, TO_10_MM)
    double.process(20.0)
    assert double.spontaneous() == b""


def test_any_split_of_a_wait_leaves_the_same_state() -> None:
    whole, parts = homed(repeatability_um=0.05), homed(repeatability_um=0.05)
    cuts_ns = np.sort(np.random.default_rng(5).integers(0, 9_000_000_000, 200))
    for double in (whole, parts):
        send(double, START_UPDATES, TO_10_MM)
    whole.process(9.0)
    for piece_ns in np.diff(cuts_ns, prepend=0, append=9_000_000_000):
        parts.process(piece_ns * 1e-9)
    assert parts.time_ns == whole.time_ns
    assert parts.position_mm == whole.position_mm
    assert parts.exchange(b"") == whole.exchange(b"")


def test_the_spindle_is_known_at_every_past_nanosecond() -> None:
    double = homed(repeatability_um=0.05)
    seen: dict[int, float] = {}
    for target_mm in (1.0, 0.5, 3.0):
        send(double, move_to(target_mm))
        for _ in range(50):
            double.process(0.1)
            seen[double.time_ns] = double.position_mm
    assert {time_ns: double.position_mm_at(time_ns) for time_ns in seen} == seen


def test_the_spindle_moves_without_jumps() -> None:
    double = homed(repeatability_um=5.0)
    step_ns, last_mm = 1_000_000, 0.0
    for target_mm in (1.0, 0.2):
        send(double, move_to(target_mm))
        for _ in range(3000):
            double.process(step_ns * 1e-9)
            assert abs(double.position_mm - last_mm) < 1.6e-3, "1.5 mm/s for 1 ms, and some error"
            last_mm = double.position_mm


def test_the_bench_hears_of_a_change_before_it_happens() -> None:
    double, heard_mm_s = homed(), []
    double.before_change = lambda: heard_mm_s.append(double.is_moving)
    send(double, STATUS, POSITION, SET_VELOCITY)
    assert heard_mm_s == [], "queries and settings change nothing"
    send(double, TO_10_MM)
    double.process(1.0)
    send(double, STOP)
    assert heard_mm_s == [False, True]


def test_the_scale_is_that_of_the_protocol_document() -> None:
    assert round(COUNTS_PER_MM * 25) == 54_613_333
    assert round(VELOCITY_PER_MM_S * 1.5) == 175_898_624
    assert round(ACCELERATION_PER_MM_S2) == 24_032
