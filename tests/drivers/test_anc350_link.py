"""Telegrams to and from an ANC350: what is late, told unasked, refused or noise."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from pymeasure.adapters import Adapter
from pymeasure.test import expected_protocol

from drivers.anc350 import ANC350
from drivers.anc350_axis import Anc350Error
from drivers.uc_codec import FramingError


def wire(text: str) -> bytes:
    """Return 32-bit words in hexadecimal, little endian on the wire."""
    return b"".join(int(word, 16).to_bytes(4, "little") for word in text.split())


def ack(address: str, axis: int, correlation: int, value: int = 0, reason: int = 0) -> bytes:
    return struct.pack("<7i", 24, 3, int(address, 16), axis, correlation, reason, value)


def protocol(*pairs: tuple[bytes | str | None, bytes | None], **kwargs: Any) -> Any:
    as_bytes = [(wire(sent) if isinstance(sent, str) else sent, reply) for sent, reply in pairs]
    return expected_protocol(ANC350, as_bytes, **kwargs)


class ScriptedAdapter(Adapter):
    """A line that brings one prepared batch of bytes after each message, and then times out."""

    def __init__(self, *batches: bytes) -> None:
        super().__init__()
        self._batches = list(batches)
        self._arrived = b""
        self.sent: list[bytes] = []

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self.sent.append(content)
        self._arrived += self._batches.pop(0) if self._batches else b""

    def _read_bytes(self, count: int, break_on_termchar: bool, **kwargs: Any) -> bytes:
        data, self._arrived = self._arrived[:count], self._arrived[count:]
        return data

    def flush_read_buffer(self) -> None:
        self._arrived = b""


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


@pytest.mark.parametrize("noise", [b"\x00", b"\xff" * 500, b"\x14\x00\x00\x00" * 20])
def test_a_little_noise_before_an_ack_is_skipped(noise: bytes) -> None:
    with protocol(("10 1 415 0 1", noise + ack("415", 0, 1, 202))) as unit:
        assert unit.axis_0.position_nm == 202


@pytest.mark.parametrize("noise", [b"\xff" * 2000, ack("415", 0, 9_999, 77)[:19] + ack("415", 0, 1, 202)])
def test_a_reading_that_drowns_in_noise_is_asked_for_again(noise: bytes) -> None:
    adapter = ScriptedAdapter(noise, ack("415", 0, 1, 202))
    assert ANC350(adapter).axis_0.position_nm == 202
    assert adapter.sent[0] == adapter.sent[1]


def test_a_step_that_drowns_in_noise_is_not_taken_twice() -> None:
    answers = [ack("3039", 0, 1), ack("400", 0, 2, 40_000), ack("401", 0, 3, 1000), ack("3030", 0, 4, 1)]
    adapter = ScriptedAdapter(*answers, b"\xff" * 2000)
    with pytest.raises(FramingError, match="synchronise the link before the next request"):
        ANC350(adapter).axis_0.step(is_forward=True)
    assert len(adapter.sent) == 5


def test_synchronising_mends_a_link_out_of_step() -> None:
    pairs = [
        ("14 0 A 0 0 0", None),
        ("10 1 168 0 1", ack("168", 0, 1, -1)),
        ("14 0 145 0 2 0", ack("145", 0, 2)),
        ("10 1 415 0 3", ack("415", 0, 3, 202)),
    ]
    with protocol(*pairs) as unit:
        unit._reader.feed(b"\x00" + ack("415", 0, 1)[:19])
        unit.start_synchronise()
        unit.finish_synchronise()
        assert unit.axis_0.position_nm == 202


def test_endless_telling_is_no_answer() -> None:
    with (
        protocol(("10 1 415 0 1", wire("14 4 415 0 0 1") * 64)) as unit,
        pytest.raises(TimeoutError, match="64 telegrams, none the ACK to GET POSITION 0"),
    ):
        _ = unit.axis_0.position_nm
