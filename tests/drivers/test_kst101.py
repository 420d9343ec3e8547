"""The KST101 driver against the documented frames, and against what goes wrong on a serial line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pymeasure.test import expected_protocol

from drivers.apt_link import ControllerFault
from drivers.apt_messages import Message, Status
from drivers.kst101 import KST101, LimitReached
from drivers.zfs25b import TRINAMIC, ZFS25B

REQUEST_STATUS, REQUEST_POSITION = "29 04 01 00 50 01", "11 04 01 00 50 01"
IDLE_HOMED, NOT_HOMED = "2A 04 06 00 81 50 01 00 00 05 00 80", "2A 04 06 00 81 50 01 00 00 01 00 80"
HOMING_AGAIN = "2A 04 06 00 81 50 01 00 00 07 00 80"
MOVING = "2A 04 06 00 81 50 01 00 10 05 00 80"
ON_A_LIMIT, OVER_CURRENT = "2A 04 06 00 81 50 01 00 02 05 00 80", "2A 04 06 00 81 50 01 00 00 05 00 84"
AT_10_MM, AT_0_MM = "12 04 06 00 81 50 01 00 55 55 4D 01", "12 04 06 00 81 50 01 00 00 00 00 00"
HOMED_MESSAGE = "44 04 01 00 01 50"
UNPLUGGED, DISABLED = "2A 04 06 00 81 50 01 00 00 04 00 80", "2A 04 06 00 81 50 01 00 00 05 00 00"
COMPLETED = "64 04 0E 00 81 50 01 00 55 55 4D 01 00 00 00 00 00 05 00 80"
UPDATE = "81 04 0E 00 81 50 01 00 55 55 53 00 00 00 00 00 10 05 00 80"
INFO = "06 00 54 00 81 50 52 BF 8C 01 4B 53 54 31 30 31 00 00 10 00 01 02 03 00" + " 00" * 60 + " 01 00 00 00 01 00"

SET_JOG = "16 04 16 00 D0 01 01 00 02 00 55 55 03 00 00 00 00 00 E0 5D 00 00 55 55 FD 06 02 00"

CONFIGURATION = [
    ("12 00 00 00 50 01", None),
    ("18 00 00 00 50 01", None),
    ("6C 04 00 00 50 01", None),
    ("13 04 0E 00 D0 01 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A", None),
    ("14 04 01 00 50 01", "15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A"),
    ("3A 04 06 00 D0 01 01 00 AB AA 00 00", None),
    ("3B 04 01 00 50 01", "3C 04 06 00 81 50 01 00 AB AA 00 00"),
    ("40 04 0E 00 D0 01 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00", None),
    ("41 04 01 00 50 01", "42 04 0E 00 81 50 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00"),
    ("23 04 10 00 D0 01 01 00 02 00 02 00 55 55 41 03 00 00 00 00 01 00", None),
    ("24 04 01 00 50 01", "25 04 10 00 81 50 01 00 02 00 02 00 55 55 41 03 00 00 00 00 01 00"),
]


def protocol(*pairs: tuple[str | None, str | None], scale: Any = TRINAMIC, **kwargs: Any) -> Any:
    """Return expected_protocol for pairs in hexadecimal, with the scale known unless it is to be asked for."""
    as_bytes = [tuple(text if text is None else bytes.fromhex(text) for text in pair) for pair in pairs]
    return expected_protocol(KST101, as_bytes, scale=scale, **kwargs)


def test_constructing_says_nothing_to_the_controller() -> None:
    with protocol(scale=None):
        pass


def test_info_names_the_unit() -> None:
    with protocol(("05 00 00 00 50 01", INFO)) as axis:
        info = axis.info
    assert (info.serial, info.model) == (26_001_234, "KST101")


def test_the_scale_follows_from_the_model_and_is_asked_once() -> None:
    pairs = [(REQUEST_POSITION, AT_10_MM), ("05 00 00 00 50 01", INFO), (REQUEST_POSITION, AT_10_MM)]
    with protocol(*pairs, scale=None) as axis:
        assert axis.position_mm == pytest.approx(10.0, abs=0.5 / TRINAMIC.counts_per_mm)
        assert axis.position_mm == pytest.approx(10.0, abs=0.5 / TRINAMIC.counts_per_mm)


def test_configure_writes_and_verifies_every_setting() -> None:
    with protocol(*CONFIGURATION) as axis:
        axis.configure()


def test_settings_are_read_one_by_one() -> None:
    with protocol(*CONFIGURATION[4::2]) as axis:
        found = axis.settings
    assert (found.velocity_mm_s, found.home_velocity_mm_s) == pytest.approx((1.5, 0.5), rel=1e-6)
    assert (found.backlash_mm, found.home_offset_mm) == pytest.approx((0.02, 0.1), rel=1e-4)


def test_a_setting_that_reads_back_differently_is_an_error() -> None:
    pairs = [*CONFIGURATION[:4], (CONFIGURATION[4][0], "15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 55 55 FD 06")]
    with (
        protocol(*pairs) as axis,
        pytest.raises(ControllerFault, match=r"SET_VELPARAMS was written as \(0, 24032, 175898624\) but reads back"),
    ):
        axis.configure()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"velocity_mm_s": 2.5}, "velocity: 2.5 mm/s is outside 0.001 to 2 mm/s; nothing was sent"),
        ({"acceleration_mm_s2": 0.0}, r"acceleration: 0 mm/s\^2 is outside"),
        ({"backlash_mm": float("nan")}, "backlash: nan mm is outside 0 to 1 mm"),
        ({"home_velocity_mm_s": 0.0}, "home velocity: 0 mm/s is outside"),
        ({"home_offset_mm": -0.1}, "home offset: -0.1 mm is outside"),
    ],
)
def test_a_setting_beyond_the_actuator_is_refused_before_anything_is_sent(
    change: dict[str, float], message: str
) -> None:
    with protocol() as axis, pytest.raises(ValueError, match=message):
        axis.configure(replace(ZFS25B, **change))


def test_enabling_is_a_setting_of_its_own() -> None:
    pairs = [("10 02 01 01 50 01", None), ("10 02 01 02 50 01", None), ("11 02 01 00 50 01", "12 02 01 02 01 50")]
    with protocol(*pairs) as axis:
        axis.enabled = True
        axis.enabled = False
        assert axis.enabled is False


def test_a_move_looks_for_the_reference_and_sends_one_frame() -> None:
    with protocol((REQUEST_STATUS, IDLE_HOMED), ("53 04 06 00 D0 01 01 00 AB AA A0 01", None)) as axis:
        axis.move_to(12.5)


def test_a_faulty_axis_is_not_moved() -> None:
    with protocol((REQUEST_STATUS, OVER_CURRENT)) as axis, pytest.raises(ControllerFault, match="OVER_CURRENT"):
        axis.move_to(12.5)


def test_a_jog_is_checked_once_the_axis_is_homed() -> None:
    read_jog = ("17 04 01 00 50 01", "18 04 16 00 81 50" + SET_JOG[17:])
    pairs = [
        (SET_JOG, None),
        read_jog,
        (REQUEST_STATUS, NOT_HOMED),
        ("6A 04 01 02 50 01", None),
        (REQUEST_STATUS, IDLE_HOMED),
        read_jog,
        (REQUEST_POSITION, AT_10_MM),
        ("6A 04 01 01 50 01", None),
        (REQUEST_STATUS, IDLE_HOMED),
        read_jog,
        (REQUEST_POSITION, AT_0_MM),
    ]
    with protocol(*pairs) as axis:
        axis.jog_step_mm = 0.1
        axis.jog(is_forward=False)
        axis.jog(is_forward=True)
        with pytest.raises(ValueError, match="target: -0.09.* mm is outside 0 to 24.9 mm"):
            axis.jog(is_forward=False)


def test_the_power_at_rest_is_changed_alone_and_verified() -> None:
    pairs = [
        ("27 04 01 00 50 01", "28 04 06 00 81 50 01 00 0F 00 1E 00"),
        ("26 04 06 00 D0 01 01 00 05 00 1E 00", None),
        ("27 04 01 00 50 01", "28 04 06 00 81 50 01 00 05 00 1E 00"),
        ("27 04 01 00 50 01", "28 04 06 00 81 50 01 00 05 00 1E 00"),
    ]
    with protocol(*pairs) as axis:
        axis.rest_power_percent = 5
        assert axis.rest_power_percent == 5
        with pytest.raises(ValueError, match="rest power: 0 % is outside 1 to 100 %; nothing was sent"):
            axis.rest_power_percent = 0


def test_the_actuator_is_declared_for_good() -> None:
    pairs = [("05 00 00 00 50 01", INFO), ("FE 04 42 00 50 01", None), ("B9 04 04 00 D0 01 01 00 FE 04", None)]
    with protocol(*pairs) as axis:
        axis.declare_actuator()


def test_a_model_without_actuator_types_is_left_alone() -> None:
    with (
        protocol(("05 00 00 00 50 01", INFO.replace("4B 53 54 31", "4B 53 54 32"))) as axis,
        pytest.raises(ValueError, match="a KST201 does not take an actuator type; choose the stage with Kinesis"),
    ):
        axis.declare_actuator()


def test_updates_are_switched_and_kept_alive() -> None:
    with protocol(*[(f"{sent} 50 01", None) for sent in ("11 00 00 00", "92 04 00 00", "12 00 00 00")]) as axis:
        axis.start_updates()
        axis.keep_alive()
        axis.stop_updates()


def test_a_relative_move_is_checked_from_where_the_axis_is() -> None:
    where = [(REQUEST_STATUS, IDLE_HOMED), (REQUEST_POSITION, AT_10_MM)]
    with protocol(*where, ("48 04 06 00 D0 01 01 00 AB AA DE FF", None), *where) as axis:
        axis.move_by(-1.0)
        with pytest.raises(ValueError, match="target: 25 mm is outside 0 to 24.9 mm"):
            axis.move_by(15.0)


@pytest.mark.parametrize("target_mm", [-0.001, 24.91, float("nan"), float("inf")])
def test_a_target_outside_the_travel_is_refused_before_anything_is_sent(target_mm: float) -> None:
    with (
        protocol(name="detector x") as axis,
        pytest.raises(ValueError, match="detector x target: .* outside 0 to 24.9"),
    ):
        axis.move_to(target_mm)


@pytest.mark.parametrize("status", [NOT_HOMED, HOMING_AGAIN])
def test_an_axis_that_is_not_homed_refuses_to_move(status: str) -> None:
    with (
        protocol((REQUEST_STATUS, status)) as axis,
        pytest.raises(ValueError, match="not homed.* call home\\(\\) first"),
    ):
        axis.move_to(1.0)


@pytest.mark.parametrize("sign", [HOMING_AGAIN + " ", HOMED_MESSAGE + " "], ids=["status bit", "message"])
def test_an_old_flag_is_no_reference_until_a_new_run_has_shown_itself(sign: str) -> None:
    ends = [(REQUEST_STATUS, sign + IDLE_HOMED)] if sign.startswith("44") else [(REQUEST_STATUS, sign)]
    pairs = [("43 04 01 00 50 01", None), (REQUEST_STATUS, IDLE_HOMED), *ends, (REQUEST_STATUS, IDLE_HOMED)]
    with protocol(*pairs) as axis:
        axis.home()
        assert not axis.is_homed, "the flag of an earlier run"
        _ = axis.is_homed
        assert axis.is_homed


def test_stopping_is_profiled_unless_asked_otherwise() -> None:
    with protocol(("65 04 01 02 50 01", None), ("65 04 01 01 50 01", None)) as axis:
        axis.stop()
        axis.stop(immediate=True)


def test_shutdown_stops_and_leaves_the_motor_on() -> None:
    with protocol(("65 04 01 02 50 01", None), ("12 00 00 00 50 01", None)) as axis:
        axis.shutdown()


def test_identify_blinks() -> None:
    with protocol(("23 02 01 00 50 01", None)) as axis:
        axis.identify()


def test_arrival_needs_rest_before_and_after_the_right_position() -> None:
    poll = (REQUEST_STATUS, IDLE_HOMED)
    with protocol(poll, (REQUEST_POSITION, AT_10_MM), poll) as axis:
        assert axis.has_arrived(10.0)
    with protocol(poll, (REQUEST_POSITION, AT_10_MM), (REQUEST_STATUS, MOVING)) as axis:
        assert not axis.has_arrived(10.0)
    with protocol((REQUEST_STATUS, MOVING)) as axis:
        assert not axis.has_arrived(10.0)
    with protocol(poll, (REQUEST_POSITION, AT_10_MM)) as axis:
        assert not axis.has_arrived(10.002)


def test_the_hint_that_a_move_completed_decides_nothing() -> None:
    with protocol((REQUEST_STATUS, COMPLETED + MOVING)) as axis:
        assert not axis.has_arrived(10.0)
        assert list(axis.notices) == [Message.MOVE_COMPLETED]


def test_stopping_on_a_limit_is_an_error_with_the_position() -> None:
    with (
        protocol((REQUEST_STATUS, ON_A_LIMIT), (REQUEST_POSITION, AT_0_MM)) as axis,
        pytest.raises(LimitReached, match=r"stopped at 0.0000 mm on the way to 10.0000 mm, on a limit; home the axis"),
    ):
        axis.has_arrived(10.0)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (UNPLUGGED, "stopped at 0.0000 mm on the way to 10.0000 mm: the motor is not connected; check its cable"),
        (DISABLED, "stopped at 0.0000 mm on the way to 10.0000 mm: the motor is switched off; check the panel"),
    ],
)
def test_an_axis_that_cannot_move_is_told_from_one_that_has_not_begun(status: str, message: str) -> None:
    with (
        protocol((REQUEST_STATUS, status), (REQUEST_POSITION, AT_0_MM)) as axis,
        pytest.raises(ControllerFault, match=message),
    ):
        axis.has_arrived(10.0)


def test_a_lost_reference_is_no_arrival() -> None:
    with (
        protocol((REQUEST_STATUS, NOT_HOMED)) as axis,
        pytest.raises(ControllerFault, match="the reference is lost, as after a power cut; connect and home again"),
    ):
        axis.has_arrived(10.0)


def test_a_fault_bit_is_named() -> None:
    with (
        protocol((REQUEST_STATUS, OVER_CURRENT)) as axis,
        pytest.raises(ControllerFault, match=r"reports OVER_CURRENT \(status 0x84000500\); switch it off"),
    ):
        axis.has_arrived(10.0)


def test_the_plain_status_shows_a_fault_without_raising() -> None:
    with protocol((REQUEST_STATUS, OVER_CURRENT)) as axis:
        assert Status.OVER_CURRENT in axis.status
