"""APT frames against the vectors of the protocol document, and a reader that survives what a serial line brings."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.apt_codec import (
    CHANNEL,
    HOST,
    UNIT,
    Frame,
    FrameError,
    FrameReader,
    Update,
    check,
    fault_text,
    info,
    long_frame,
    update,
    values,
)
from drivers.apt_messages import FAULTS, LIMITS, MOVING, Message, Status

SENT = {
    "identify": (Frame(Message.IDENTIFY), "23 02 00 00 50 01"),
    "stop updates": (Frame(Message.HW_STOP_UPDATEMSGS), "12 00 00 00 50 01"),
    "start updates": (Frame(Message.HW_START_UPDATEMSGS), "11 00 00 00 50 01"),
    "request info": (Frame(Message.HW_REQ_INFO), "05 00 00 00 50 01"),
    "request position": (Frame(Message.REQ_POSCOUNTER, CHANNEL), "11 04 01 00 50 01"),
    "request status bits": (Frame(Message.REQ_STATUSBITS, CHANNEL), "29 04 01 00 50 01"),
    "request velocity": (Frame(Message.REQ_VELPARAMS, CHANNEL), "14 04 01 00 50 01"),
    "request limits": (Frame(Message.REQ_LIMSWITCHPARAMS, CHANNEL), "24 04 01 00 50 01"),
    "request backlash": (Frame(Message.REQ_GENMOVEPARAMS, CHANNEL), "3B 04 01 00 50 01"),
    "request home parameters": (Frame(Message.REQ_HOMEPARAMS, CHANNEL), "41 04 01 00 50 01"),
    "enable": (Frame(Message.SET_CHANENABLESTATE, CHANNEL, 1), "10 02 01 01 50 01"),
    "disable": (Frame(Message.SET_CHANENABLESTATE, CHANNEL, 2), "10 02 01 02 50 01"),
    "home": (Frame(Message.MOVE_HOME, CHANNEL), "43 04 01 00 50 01"),
    "stop at once": (Frame(Message.MOVE_STOP, CHANNEL, 1), "65 04 01 01 50 01"),
    "stop profiled": (Frame(Message.MOVE_STOP, CHANNEL, 2), "65 04 01 02 50 01"),
    "set home": (
        long_frame(Message.SET_HOMEPARAMS, CHANNEL, 2, 1, 58_632_875, 218_453),
        "40 04 0E 00 D0 01 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00",
    ),
    "move to 2048": (long_frame(Message.MOVE_ABSOLUTE, CHANNEL, 2048), "53 04 06 00 D0 01 01 00 00 08 00 00"),
    "move to 34555": (long_frame(Message.MOVE_ABSOLUTE, CHANNEL, 34_555), "53 04 06 00 D0 01 01 00 FB 86 00 00"),
    "move to 25 mm": (long_frame(Message.MOVE_ABSOLUTE, CHANNEL, 54_613_333), "53 04 06 00 D0 01 01 00 55 55 41 03"),
    "move by +1 um": (long_frame(Message.MOVE_RELATIVE, CHANNEL, 2_185), "48 04 06 00 D0 01 01 00 89 08 00 00"),
    "move by -1 mm": (long_frame(Message.MOVE_RELATIVE, CHANNEL, -2_184_533), "48 04 06 00 D0 01 01 00 AB AA DE FF"),
    "set velocity": (
        long_frame(Message.SET_VELPARAMS, CHANNEL, 0, 24_032, 175_898_624),
        "13 04 0E 00 D0 01 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A",
    ),
    "set limits": (
        long_frame(Message.SET_LIMSWITCHPARAMS, CHANNEL, 2, 2, 54_613_333, 0, 1),
        "23 04 10 00 D0 01 01 00 02 00 02 00 55 55 41 03 00 00 00 00 01 00",
    ),
    "no flash programming": (Frame(Message.HW_NO_FLASH_PROGRAMMING), "18 00 00 00 50 01"),
    "request enable state": (Frame(Message.REQ_CHANENABLESTATE, CHANNEL), "11 02 01 00 50 01"),
    "request status update": (Frame(Message.REQ_STATUSUPDATE, CHANNEL), "80 04 01 00 50 01"),
    "request DC status update": (Frame(Message.REQ_DCSTATUSUPDATE, CHANNEL), "90 04 01 00 50 01"),
    "host alive": (Frame(Message.ACK_DCSTATUSUPDATE), "92 04 00 00 50 01"),
    "set absolute target": (
        long_frame(Message.SET_MOVEABSPARAMS, CHANNEL, 21_845_333),
        "50 04 06 00 D0 01 01 00 55 55 4D 01",
    ),
    "move to the set target": (Frame(Message.MOVE_ABSOLUTE, CHANNEL), "53 04 01 00 50 01"),
    "set relative distance": (
        long_frame(Message.SET_MOVERELPARAMS, CHANNEL, -218_453),
        "45 04 06 00 D0 01 01 00 AB AA FC FF",
    ),
    "move by the set distance": (Frame(Message.MOVE_RELATIVE, CHANNEL), "48 04 01 00 50 01"),
    "jog forward": (Frame(Message.MOVE_JOG, CHANNEL, 1), "6A 04 01 01 50 01"),
    "jog reverse": (Frame(Message.MOVE_JOG, CHANNEL, 2), "6A 04 01 02 50 01"),
    "set jog": (
        long_frame(Message.SET_JOGPARAMS, CHANNEL, 2, 218_453, 0, 24_032, 117_265_749, 2),
        "16 04 16 00 D0 01 01 00 02 00 55 55 03 00 00 00 00 00 E0 5D 00 00 55 55 FD 06 02 00",
    ),
    "actuator type ZFS25": (Frame(Message.SET_TSTACTUATORTYPE, 0x42), "FE 04 42 00 50 01"),
    "store the actuator type": (
        long_frame(Message.SET_EEPROMPARAMS, CHANNEL, Message.SET_TSTACTUATORTYPE),
        "B9 04 04 00 D0 01 01 00 FE 04",
    ),
    "suspend ends of moves": (Frame(Message.SUSPEND_ENDOFMOVEMSGS), "6B 04 00 00 50 01"),
    "resume ends of moves": (Frame(Message.RESUME_ENDOFMOVEMSGS), "6C 04 00 00 50 01"),
    "set backlash": (long_frame(Message.SET_GENMOVEPARAMS, CHANNEL, 43_691), "3A 04 06 00 D0 01 01 00 AB AA 00 00"),
}

RECEIVED = {
    "home parameters": ("42 04 0E 00 81 50 01 00 02 00 01 00 AB AA 7E 03 55 55 03 00", (2, 1, 58_632_875, 218_453)),
    "velocity": ("15 04 0E 00 81 50 01 00 00 00 00 00 E0 5D 00 00 00 00 7C 0A", (0, 24_032, 175_898_624)),
    "backlash": ("3C 04 06 00 81 50 01 00 AB AA 00 00", (43_691,)),
    "limits": (
        "25 04 10 00 81 50 01 00 02 00 02 00 00 00 64 00 55 55 21 00 01 00",
        (2, 2, 6_553_600, 2_184_533, 1),
    ),
    "10 mm": ("12 04 06 00 81 50 01 00 55 55 4D 01", (21_845_333,)),
    "-0.1 mm": ("12 04 06 00 81 50 01 00 AB AA FC FF", (-218_453,)),
    "homed and idle": ("2A 04 06 00 81 50 01 00 00 05 00 80", (0x80000500,)),
    "homing": ("2A 04 06 00 81 50 01 00 00 03 00 80", (0x80000300,)),
}

NOTICES = {
    "homed": "44 04 01 00 01 50",
    "enabled": "12 02 01 01 01 50",
    "completed at 10 mm": "64 04 0E 00 81 50 01 00 55 55 4D 01 00 00 00 00 00 05 00 80",
    "completed, short form": "64 04 01 00 01 50",
    "stopped at 5 mm": "66 04 0E 00 81 50 01 00 AB AA A6 00 00 00 00 00 00 05 00 80",
    "update, 14 bytes": "81 04 0E 00 81 50 01 00 55 55 53 00 00 00 00 00 10 05 00 80",
    "update, 28 bytes": "81 04 1C 00 81 50 01 00 AB AA A0 01 00 00 00 00 00 05 00 80" + " 00" * 14,
    "update of another family": "91 04 0E 00 81 50 01 00 AB AA A0 01 00 00 00 00 00 05 00 80",
    "fault without text": "80 00 00 00 01 50",
}

INFO = "06 00 54 00 81 50 52 BF 8C 01 4B 53 54 31 30 31 00 00 10 00 01 02 03 00" + " 00" * 60 + " 01 00 00 00 01 00"
HOMED, AT_10_MM = bytes.fromhex(NOTICES["homed"]), bytes.fromhex(RECEIVED["10 mm"][0])
IDLE = bytes.fromhex(RECEIVED["homed and idle"][0])
ALL_REPLIES = [bytes.fromhex(text) for text, _ in RECEIVED.values()] + [
    bytes.fromhex(text) for text in (*NOTICES.values(), INFO)
]


def read_all(reader: FrameReader, data: bytes) -> list[Frame]:
    reader.feed(data)
    frames = []
    while (frame := reader.next_frame()) is not None:
        frames.append(frame)
    return frames


@pytest.mark.parametrize("name", SENT)
def test_frame_to_the_controller_has_the_documented_bytes(name: str) -> None:
    frame, text = SENT[name]
    assert frame.encode() == bytes.fromhex(text)


@pytest.mark.parametrize("name", RECEIVED)
def test_reply_from_the_controller_has_the_documented_values(name: str) -> None:
    text, fields = RECEIVED[name]
    (frame,) = read_all(FrameReader(), bytes.fromhex(text))
    assert values(frame) == fields
    assert frame.encode() == bytes.fromhex(text), "a frame encodes to the bytes it came from"


@pytest.mark.parametrize("raw", ALL_REPLIES, ids=lambda raw: raw[:2].hex())
def test_every_reply_is_cut_whole_one_byte_at_a_time(raw: bytes) -> None:
    reader = FrameReader()
    frames = [frame for byte in raw for frame in read_all(reader, bytes([byte]))]
    assert [frame.encode() for frame in frames] == [raw]
    assert reader.n_dropped == 0


def test_info_tells_serial_model_and_firmware() -> None:
    (frame,) = read_all(FrameReader(), bytes.fromhex(INFO))
    found = info(frame)
    assert (found.serial, found.model, found.firmware) == (26_001_234, "KST101", "3.2.1")
    assert (found.hardware_version, found.n_channels) == (1, 1)


@pytest.mark.parametrize("garbage", ["00", "FF 12 00", "50 50 50 01 81"])
def test_stray_bytes_before_a_frame_are_dropped(garbage: str) -> None:
    reader = FrameReader()
    assert read_all(reader, bytes.fromhex(garbage) + AT_10_MM) == read_all(FrameReader(), AT_10_MM)
    assert reader.n_dropped == len(bytes.fromhex(garbage))


def test_frames_glued_together_come_out_one_by_one() -> None:
    messages = [frame.message for frame in read_all(FrameReader(), HOMED + AT_10_MM + IDLE)]
    assert messages == [Message.MOVE_HOMED, Message.GET_POSCOUNTER, Message.GET_STATUSBITS]


@pytest.mark.parametrize("n_bytes", [5, 6, 7])
def test_a_frame_cut_in_two_waits_for_its_rest(n_bytes: int) -> None:
    reader = FrameReader()
    assert read_all(reader, AT_10_MM[:n_bytes]) == []
    assert reader.n_missing <= len(AT_10_MM) - n_bytes
    assert [frame.encode() for frame in read_all(reader, AT_10_MM[n_bytes:])] == [AT_10_MM]


def test_an_echo_of_our_own_output_is_no_reply() -> None:
    echo = Frame(Message.REQ_POSCOUNTER, CHANNEL).encode()
    assert [frame.encode() for frame in read_all(FrameReader(), echo + AT_10_MM)] == [AT_10_MM]


def test_a_garbled_length_does_not_make_the_reader_wait_for_64_kb() -> None:
    garbled = bytes.fromhex("12 04 FF FF 81 50")
    assert [frame.encode() for frame in read_all(FrameReader(), garbled + AT_10_MM)] == [AT_10_MM]


def test_an_unfinished_frame_given_up_does_not_swallow_the_next() -> None:
    reader = FrameReader()
    assert read_all(reader, bytes.fromhex("12 04 FF 00 81 50") + AT_10_MM) == []
    reader.give_up()
    assert [frame.encode() for frame in read_all(reader, b"")] == [AT_10_MM]


def test_unknown_messages_are_frames_like_any_other() -> None:
    (frame,) = read_all(FrameReader(), bytes.fromhex("EF BE 01 00 01 50"))
    assert (frame.message, frame.param1) == (0xBEEF, 1)


def test_after_noise_a_good_frame_is_found() -> None:
    reader = FrameReader()
    noise = np.random.default_rng(1).bytes(100_000)
    for start in range(0, len(noise), 1000):
        read_all(reader, noise[start : start + 1000])
    longest_wait = 6 + 255
    found = [frame for _ in range(longest_wait // len(AT_10_MM) + 2) for frame in read_all(reader, AT_10_MM)]
    assert found[-1].encode() == AT_10_MM


def test_after_noise_that_looks_like_headers_a_good_frame_is_found() -> None:
    generator = np.random.default_rng(2)
    pieces = [HOMED, AT_10_MM[:6], b"\x81\x50", b"\x01\x50", b"\xff\x00", AT_10_MM[3:9]]
    reader = FrameReader()
    read_all(reader, b"".join(pieces[k] for k in generator.integers(0, len(pieces), 20_000)))
    found = [frame for _ in range(30) for frame in read_all(reader, AT_10_MM)]
    assert found[-1].encode() == AT_10_MM


def test_exact_reads_never_ask_for_bytes_of_the_next_frame() -> None:
    stream, reader, frames = b"\x00\xff" + b"".join(ALL_REPLIES), FrameReader(), []
    while stream:
        n_bytes = reader.n_missing
        reader.feed(stream[:n_bytes])
        stream = stream[n_bytes:]
        if (frame := reader.next_frame()) is not None:
            frames.append(frame.encode())
            assert reader.next_frame() is None
    assert frames == ALL_REPLIES


def test_a_reply_of_the_wrong_size_is_refused() -> None:
    frame = Frame(Message.GET_POSCOUNTER, data=b"\x01\x00", dest=HOST, source=UNIT)
    with pytest.raises(FrameError, match="0x0412 carries 2 data bytes instead of 6: .* check model and firmware"):
        values(frame)
    for look in (info, check):
        with pytest.raises(FrameError, match="0x0006 carries 1 data bytes instead of 84"):
            look(Frame(Message.HW_GET_INFO, data=b"\x00"))


def test_what_does_not_fit_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="MOVE_ABSOLUTE: .* do not fit"):
        long_frame(Message.MOVE_ABSOLUTE, CHANNEL, 1 << 31)
    with pytest.raises(ValueError, match="256 data bytes, but the protocol allows 255"):
        Frame(Message.MOVE_ABSOLUTE, data=bytes(256)).encode()


def test_faults_are_told_in_words() -> None:
    text = b"Command not applicable."
    rich = bytes.fromhex("81 00 44 00 81 50 53 04 01 00") + text + b"\0junk".ljust(64 - len(text), b"\0")
    (frame,) = read_all(FrameReader(), rich)
    assert fault_text(frame) == "fault 1 after message 0x0453: Command not applicable."
    (frame,) = read_all(FrameReader(), bytes.fromhex(NOTICES["fault without text"]))
    assert fault_text(frame) == "a fault without a text"


@pytest.mark.parametrize(
    ("name", "counts", "bits"),
    [
        ("completed at 10 mm", 21_845_333, 0x80000500),
        ("stopped at 5 mm", 10_922_667, 0x80000500),
        ("update, 14 bytes", 5_461_333, 0x80000510),
        ("update, 28 bytes", 27_306_667, 0x80000500),
        ("update of another family", 27_306_667, 0x80000500),
    ],
)
def test_what_comes_unasked_tells_position_and_status(name: str, counts: int, bits: int) -> None:
    (frame,) = read_all(FrameReader(), bytes.fromhex(NOTICES[name]))
    assert update(frame) == Update(counts, Status(bits))


@pytest.mark.parametrize("name", ["completed, short form", "homed", "enabled"])
def test_what_holds_no_position_tells_none(name: str) -> None:
    (frame,) = read_all(FrameReader(), bytes.fromhex(NOTICES[name]))
    assert update(frame) is None


def test_what_was_cleared_does_not_come_back() -> None:
    reader = FrameReader()
    reader.feed(AT_10_MM[:9])
    reader.clear()
    assert reader.n_dropped == 9
    assert [frame.encode() for frame in read_all(reader, IDLE)] == [IDLE]


def test_status_masks_cover_what_they_say() -> None:
    assert Status(0x80000510) & MOVING
    assert Status(0x80000520) & MOVING
    assert Status(0x80000300) & MOVING
    assert not Status(0x80000500) & (MOVING | LIMITS | FAULTS)
    assert Status(0x80000502) & LIMITS
    assert Status(0x80004500) & FAULTS == Status.MOTION_ERROR
