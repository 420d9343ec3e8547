"""The KST101 driver against the documented frames, and against what goes wrong on a serial line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pymeasure.adapters import Adapter
from pymeasure.test import expected_protocol

from drivers.apt_codec import Message, Status
from drivers.kst101 import KST101, ControllerFault, LimitReached
from drivers.zfs25b import TRINAMIC, ZFS25B

REQUEST_STATUS, REQUEST_POSITION = "29 04 01 00 50 01", "11 04 01 00 50 01"
IDLE_HOMED, NOT_HOMED = "2A 04 06 00 81 50 01 00 00 05 00 80", "2A 04 06 00 81 50 01 00 00 01 00 80"
HOMING_AGAIN = "2A 04 06 00 81 50 01 00 00 07 00 80"
MOVING = "2A 04 06 00 81 50 01 00 10 05 00 80"
ON_A_LIMIT, OVER_CURRENT = "2A 04 06 00 81 50 01 00 02 05 00 80", "2A 04 06 00 81 50 01 00 00 05 00 84"
AT_10_MM, AT_0_MM = "12 04 06 00 81 50 01 00 55 55 4D 01", "12 04 06 00 81 50 01 00 00 00 00 00"
COMPLETED = "64 04 0E 00 81 50 01 00 55 55 4D 01 00 00 00 00 00 05 00 80"
UPDATE = "81 04 0E 00 81 50 01 00 55 55 53 00 00 00 00 00 10 05 00 80"
INFO = "06 00 54 00 81 50 52 BF 8C 01 4B 53 54 31 30 31 00 00 10 00 01 02 03 00" + " 00" * 60 + " 01 00 00 00 01 00"

CONFIGURATION = [
    ("12 00 00 00 50 01", None),
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


class ScriptedAdapter(Adapter):
    """A serial line that brings one prepared batch of bytes after each message, and then times out."""

    def __init__(self, *batches: str) -> None:
        super().__init__()
        self._batches = [bytes.fromhex(batch) for batch in batches]
        self._arrived = b""
        self.n_flushed = 0

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._arrived += self._batches.pop(0) if self._batches else b""

    def _read_bytes(self, count: int, break_on_termchar: bool, **kwargs: Any) -> bytes:
        data, self._arrived = self._arrived[:count], self._arrived[count:]
        return data

    def flush_read_buffer(self) -> None:
        self.n_flushed += 1
        self._arrived = b""


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


def test_a_setting_that_reads_back_differently_is_an_error() -> None:
    pairs = [*CONFIGURATION[:2], (CONFIGURATION[2][0], "15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 55 55 FD 06")]
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


def test_a_move_sends_one_frame_and_nothing_else() -> None:
    with protocol((REQUEST_STATUS, IDLE_HOMED), ("53 04 06 00 D0 01 01 00 AB AA A0 01", None)) as axis:
        assert axis.is_homed
        axis.move_to(12.5)


def test_a_relative_move_is_checked_from_where_the_axis_is() -> None:
    pairs = [
        (REQUEST_STATUS, IDLE_HOMED),
        (REQUEST_POSITION, AT_10_MM),
        ("48 04 06 00 D0 01 01 00 AB AA DE FF", None),
        (REQUEST_POSITION, AT_10_MM),
    ]
    with protocol(*pairs) as axis:
        assert axis.is_homed
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


def test_homing_withdraws_the_leave_to_move() -> None:
    pairs = [(REQUEST_STATUS, IDLE_HOMED), ("43 04 01 00 50 01", None), (REQUEST_STATUS, HOMING_AGAIN)]
    with protocol(*pairs) as axis:
        assert axis.is_homed
        axis.home()
        with pytest.raises(ValueError, match="not homed"):
            axis.move_to(1.0)


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
        assert [notice.message for notice in axis.notices] == [Message.MOVE_COMPLETED]


def test_stopping_on_a_limit_is_an_error_with_the_position() -> None:
    with (
        protocol((REQUEST_STATUS, ON_A_LIMIT), (REQUEST_POSITION, AT_0_MM)) as axis,
        pytest.raises(LimitReached, match=r"limit at 0.0000 mm on the way to 10.0000 mm; home the axis"),
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


def test_messages_between_request_and_reply_are_put_aside() -> None:
    with protocol((REQUEST_POSITION, UPDATE + COMPLETED + "44 04 01 00 01 50" + "00" + AT_10_MM)) as axis:
        assert axis.position_mm == pytest.approx(10.0, abs=1e-6)
        assert [notice.message for notice in axis.notices] == [
            Message.GET_STATUSUPDATE,
            Message.MOVE_COMPLETED,
            Message.MOVE_HOMED,
        ]


def test_a_fault_message_is_raised_with_its_text() -> None:
    text = b"Stage not supported"
    rich = "81 00 44 00 81 50 53 04 02 00" + text.ljust(64, b"\0").hex()
    with (
        protocol((REQUEST_POSITION, rich)) as axis,
        pytest.raises(ControllerFault, match="fault 2 after message 0x0453: Stage not supported; see its panel"),
    ):
        _ = axis.position_mm


def test_silence_is_a_time_out_that_names_the_usual_culprit() -> None:
    axis = KST101(ScriptedAdapter(), name="detector y", scale=TRINAMIC)
    with pytest.raises(TimeoutError, match="detector y: no complete reply in time.* close Kinesis"):
        _ = axis.position_mm


def test_a_late_reply_never_answers_the_next_question() -> None:
    adapter = ScriptedAdapter("", AT_0_MM + IDLE_HOMED, AT_10_MM)
    axis = KST101(adapter, scale=TRINAMIC)
    with pytest.raises(TimeoutError):
        _ = axis.position_mm
    assert axis.position_mm == pytest.approx(10.0, abs=1e-6)
    assert adapter.n_flushed == 1


def test_half_a_reply_is_a_time_out_and_does_not_spoil_the_next() -> None:
    axis = KST101(ScriptedAdapter(AT_10_MM[:20], IDLE_HOMED, AT_10_MM), scale=TRINAMIC)
    with pytest.raises(TimeoutError):
        _ = axis.position_mm
    assert axis.position_mm == pytest.approx(10.0, abs=1e-6)


def test_endless_chatter_is_no_reply() -> None:
    axis = KST101(ScriptedAdapter(UPDATE * 310), scale=TRINAMIC)
    with pytest.raises(TimeoutError, match="300 frames, none of them the reply 0x0412"):
        _ = axis.position_mm


def test_a_line_without_apt_is_named() -> None:
    axis = KST101(ScriptedAdapter("37" * 2000), scale=TRINAMIC)
    with pytest.raises(ConnectionError, match="512 reads without an APT frame; check the port and its baud rate"):
        _ = axis.position_mm
