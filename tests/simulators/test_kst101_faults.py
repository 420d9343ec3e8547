"""What can be wrong with the KST101 double, and what a controller says on its own."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from simulators.kst101 import KST101
from simulators.stepper import COUNTS_PER_MM

STATUS, POSITION, HOME = "29 04 01 00 50 01", "11 04 01 00 50 01", "43 04 01 00 50 01"
SET_VELOCITY = "13 04 0E 00 D0 01 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A"
SET_JOG = "16 04 16 00 D0 01 01 00 02 00 55 55 03 00 00 00 00 00 E0 5D 00 00 55 55 FD 06 02 00"
TO_10_MM = "53 04 06 00 D0 01 01 00 55 55 4D 01"
SUSPEND, RESUME = "6B 04 00 00 50 01", "6C 04 00 00 50 01"
JOG_FORWARD, JOG_REVERSE = "6A 04 01 01 50 01", "6A 04 01 02 50 01"
RUN_FORWARD = "57 04 01 01 50 01"
IDLE_AT_10_MM = "12 04 06 00 81 50 01 00 55 55 4D 01"
HOMING, JOGGING_FORWARD, FORWARD_SOFT_LIMIT = 0x200, 0x40, 0x4


def send(double: KST101, *frames: str) -> str:
    return double.exchange(bytes.fromhex("".join(frames))).hex(" ").upper()


def status(double: KST101) -> int:
    return int.from_bytes(bytes.fromhex(send(double, STATUS))[-4:], "little")


def homed(position_mm: float = 0.0) -> KST101:
    double = KST101(is_homed=True, position_mm=position_mm)
    send(double, SET_VELOCITY, SET_JOG)
    return double


def test_a_stuck_axis_looks_healthy_and_does_not_move() -> None:
    double = homed()
    double.faults.is_stuck = True
    send(double, TO_10_MM)
    double.process(30.0)
    assert status(double) == 0x80000500
    assert double.position_mm == 0.0


def test_a_jammed_spindle_stays_while_the_count_goes_on() -> None:
    double = homed(2.0)
    double.spindle.is_jammed = True
    send(double, TO_10_MM)
    double.process(30.0)
    assert send(double, POSITION).endswith(IDLE_AT_10_MM)
    assert double.position_mm == pytest.approx(2.0, abs=1e-9)
    double.spindle.is_jammed = False
    send(double, "53 04 06 00 D0 01 01 00 55 55 41 03")
    double.process(30.0)
    assert double.position_mm == pytest.approx(25.0, abs=1e-6)


def test_homing_in_vain_goes_on() -> None:
    double = homed(1.0)
    double.faults.is_home_missed = True
    send(double, HOME)
    double.process(600.0)
    assert status(double) & HOMING
    assert not double.is_homed


def test_a_reply_may_take_its_time() -> None:
    double = homed()
    double.reply_delay_s = 0.02
    assert send(double, STATUS) == ""
    double.process(0.019)
    assert double.spontaneous() == b""
    double.process(0.001)
    assert double.spontaneous() == bytes.fromhex("2A 04 06 00 81 50 01 00 00 05 00 80")


def test_frames_that_come_too_fast_are_lost() -> None:
    double = homed()
    double.write_gap_s = 0.003
    double.process(1.0)
    assert send(double, STATUS, POSITION) == "2A 04 06 00 81 50 01 00 00 05 00 80"
    double.process(0.003)
    assert send(double, POSITION) != ""


def test_a_fault_is_told_unasked() -> None:
    double = homed()
    double.complain(1, "Command not applicable.", cause=0x0453)
    message = double.spontaneous()
    assert message[:10] == bytes.fromhex("81 00 44 00 81 50 53 04 01 00")
    assert message[10:].rstrip(b"\0") == b"Command not applicable."
    assert len(message) == 74


def test_ends_of_moves_are_told_unless_suspended() -> None:
    double = homed()
    send(double, SUSPEND, TO_10_MM)
    double.process(30.0)
    assert double.spontaneous() == b""
    send(double, RESUME, JOG_FORWARD)
    double.process(30.0)
    assert double.spontaneous()[:2] == bytes.fromhex("64 04")


def test_a_jog_is_a_step_with_bits_of_its_own() -> None:
    double = homed(5.0)
    send(double, JOG_FORWARD)
    assert status(double) & JOGGING_FORWARD
    double.process(5.0)
    assert double.position_mm == pytest.approx(5.1, abs=1e-6)
    send(double, JOG_REVERSE)
    double.process(5.0)
    assert double.position_mm == pytest.approx(5.0, abs=1e-6)


def test_a_run_ends_at_a_limit_set_in_software() -> None:
    double = homed(5.0)
    soft = struct.pack("<HHHiiH", 1, 2, 2, round(8.0 * COUNTS_PER_MM), 0, 2)
    send(double, "23 04 10 00 D0 01" + soft.hex(), RUN_FORWARD)
    double.process(30.0)
    assert double.spontaneous()[:2] == bytes.fromhex("66 04")
    assert double.position_mm == pytest.approx(8.0, abs=1e-6)
    assert status(double) & FORWARD_SOFT_LIMIT


def test_a_power_cut_forgets_reference_and_settings() -> None:
    double = homed(5.0)
    before = send(KST101(), "14 04 01 00 50 01")
    send(double, TO_10_MM)
    double.process(1.0)
    here_mm = double.position_mm
    double.cut_power()
    assert (status(double), send(double, "14 04 01 00 50 01")) == (0x80000100, before)
    double.process(30.0)
    assert double.position_mm == here_mm


def test_what_is_no_frame_harms_nothing() -> None:
    double = homed(5.0)
    generator = np.random.default_rng(11)
    for _ in range(50):
        double.exchange(generator.bytes(1000))
        double.process(0.01)
    for _ in range(261 // 6 + 1):
        reply = send(double, POSITION)
    assert reply.startswith("12 04 06 00 81 50")


def test_an_order_with_half_its_data_is_ignored() -> None:
    double = homed(5.0)
    send(double, "53 04 02 00 D0 01 01 00")
    double.process(30.0)
    assert double.position_mm == 5.0
