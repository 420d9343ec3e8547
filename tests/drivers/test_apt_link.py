"""The conversation with an APT controller, and what goes wrong on a serial line."""

from __future__ import annotations

from typing import Any

import pytest
from pymeasure.adapters import Adapter
from pymeasure.test import expected_protocol

from drivers.apt_link import ControllerFault
from drivers.apt_messages import Message
from drivers.kst101 import KST101
from drivers.zfs25b import TRINAMIC

REQUEST_STATUS, REQUEST_POSITION = "29 04 01 00 50 01", "11 04 01 00 50 01"
IDLE_HOMED = "2A 04 06 00 81 50 01 00 00 05 00 80"
AT_10_MM, AT_0_MM = "12 04 06 00 81 50 01 00 55 55 4D 01", "12 04 06 00 81 50 01 00 00 00 00 00"
COMPLETED = "64 04 0E 00 81 50 01 00 55 55 4D 01 00 00 00 00 00 05 00 80"
UPDATE = "81 04 0E 00 81 50 01 00 55 55 53 00 00 00 00 00 10 05 00 80"


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


def test_messages_between_request_and_reply_are_put_aside() -> None:
    with protocol((REQUEST_POSITION, UPDATE + COMPLETED + "44 04 01 00 01 50" + "00" + AT_10_MM)) as axis:
        assert axis.position_mm == pytest.approx(10.0, abs=1e-6)
        assert list(axis.notices) == [
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
    with pytest.raises(TimeoutError, match="detector y did not answer in time; check power.* close Kinesis"):
        _ = axis.position_mm


def test_a_late_reply_never_answers_the_next_question() -> None:
    adapter = ScriptedAdapter("", AT_0_MM + IDLE_HOMED, AT_10_MM)
    axis = KST101(adapter, scale=TRINAMIC)
    with pytest.raises(TimeoutError):
        _ = axis.position_mm
    assert axis.position_mm == pytest.approx(10.0, abs=1e-6)
    assert adapter.n_flushed == 1


def test_half_a_reply_costs_no_question() -> None:
    axis = KST101(ScriptedAdapter(AT_10_MM[:20], IDLE_HOMED, AT_10_MM), scale=TRINAMIC)
    assert axis.position_mm == pytest.approx(10.0, abs=1e-6)


def test_noise_before_a_reply_costs_no_question() -> None:
    axis = KST101(ScriptedAdapter("37" * 5000 + AT_0_MM, IDLE_HOMED, AT_10_MM), scale=TRINAMIC)
    assert axis.position_mm == pytest.approx(10.0, abs=1e-6)


def test_a_reply_of_the_wrong_size_is_not_taken() -> None:
    axis = KST101(ScriptedAdapter("12 04 02 00 81 50 01 00"), scale=TRINAMIC)
    with pytest.raises(ConnectionError, match="0x0412 carries 2 data bytes instead of 6"):
        _ = axis.position_mm


def test_endless_chatter_is_no_reply() -> None:
    axis = KST101(ScriptedAdapter(UPDATE * 310), scale=TRINAMIC)
    with pytest.raises(TimeoutError, match="300 frames, none of them the reply 0x0412"):
        _ = axis.position_mm


def test_a_line_without_apt_is_named() -> None:
    axis = KST101(ScriptedAdapter("37" * 4000, "37" * 4000), scale=TRINAMIC)
    with pytest.raises(ConnectionError, match="512 reads without an APT frame; check the port and its baud rate"):
        _ = axis.position_mm
