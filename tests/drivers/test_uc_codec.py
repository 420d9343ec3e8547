"""UC telegrams against published vectors, and a reader that knows when it is out of step."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.uc_codec import Address, FramingError, Operation, Telegram, TelegramReader

GET, SET, ACK, TELL = Operation.GET, Operation.SET, Operation.ACK, Operation.TELL

SENT = {
    "position of axis 2": (Telegram(GET, Address.POSITION, 2, 0x8B), "10 1 415 2 8B"),
    "position of axis 0": (Telegram(GET, Address.POSITION, 0, 1), "10 1 415 0 1"),
    "amplitude 30 V": (Telegram(SET, Address.AMPLITUDE, 0, 2, (30_000,)), "14 0 400 0 2 7530"),
    "frequency 1000 Hz": (Telegram(SET, Address.FREQUENCY, 0, 3, (1000,)), "14 0 401 0 3 3E8"),
    "output on": (Telegram(SET, Address.OUTPUT_ENABLE, 0, 4, (1,)), "14 0 3030 0 4 1"),
    "target +1.5 mm": (Telegram(SET, Address.TARGET, 0, 6, (1_500_000,)), "14 0 408 0 6 16E360"),
    "target -20 um": (Telegram(SET, Address.TARGET, 2, 7, (-20_000,)), "14 0 408 2 7 FFFFB1E0"),
    "target range 500 nm": (Telegram(SET, Address.TARGET_RANGE, 0, 8, (500,)), "14 0 3036 0 8 1F4"),
    "run to target": (Telegram(SET, Address.RUN_TO_TARGET, 0, 9, (1,)), "14 0 40D 0 9 1"),
    "run relative": (Telegram(SET, Address.RUN_RELATIVE, 0, 11, (1,)), "14 0 418 0 B 1"),
    "step forward": (Telegram(SET, Address.STEP_FORWARD, 0, 12, (1,)), "14 0 410 0 C 1"),
    "step backward": (Telegram(SET, Address.STEP_BACKWARD, 0, 13, (1,)), "14 0 411 0 D 1"),
    "go forward": (Telegram(SET, Address.GO_FORWARD, 1, 14, (1,)), "14 0 40E 1 E 1"),
    "off at the end": (Telegram(SET, Address.OFF_AT_END_OF_TRAVEL, 0, 5, (1,)), "14 0 450 0 5 1"),
    "start capacitance": (Telegram(SET, Address.MEASURE_CAPACITANCE, 0, 22, (1,)), "14 0 51E 0 16 1"),
    "read capacitance": (Telegram(GET, Address.CAPACITANCE, 0, 23), "10 1 569 0 17"),
    "DC level 2 V": (Telegram(SET, Address.DC_LEVEL, 0, 24, (2000,)), "14 0 514 0 18 7D0"),
    "firmware": (Telegram(SET, Address.REQUEST_VERSION, 0, 28, (1,)), "14 0 16C 0 1C 1"),
    "events off": (Telegram(SET, Address.EVENTS, 0, 21, (0,)), "14 0 145 0 15 0"),
    "synchronise": (Telegram(SET, Address.SYNCHRONISE, 0, 0, (0,)), "14 0 A 0 0 0"),
    "hardware id": (Telegram(GET, Address.HARDWARE_ID, 0, 25), "10 1 168 0 19"),
}

RECEIVED = {
    "published, 202 nm": ("18 3 415 2 8B 0 CA", Telegram(ACK, Address.POSITION, 2, 0x8B, (0, 202))),
    "+1.5 mm": ("18 3 415 0 1 0 16E360", Telegram(ACK, Address.POSITION, 0, 1, (0, 1_500_000))),
    "-250 um": ("18 3 415 0 1 0 FFFC2F70", Telegram(ACK, Address.POSITION, 0, 1, (0, -250_000))),
    "ok without a value": ("14 3 400 0 2 0", Telegram(ACK, Address.AMPLITUDE, 0, 2, (0,))),
    "bare": ("10 3 400 0 2", Telegram(ACK, Address.AMPLITUDE, 0, 2)),
    "out of range": ("18 3 400 0 13 2 11170", Telegram(ACK, Address.AMPLITUDE, 0, 19, (2, 70_000))),
    "invalid address": ("18 3 999 0 14 1 0", Telegram(ACK, 0x0999, 0, 20, (1, 0))),
    "hardware id -1": ("18 3 168 0 19 0 FFFFFFFF", Telegram(ACK, Address.HARDWARE_ID, 0, 25, (0, -1))),
    "told position": ("14 4 415 0 0 16E35E", Telegram(TELL, Address.POSITION, 0, 0, (1_499_998,))),
    "1.05 uF": ("18 3 569 0 17 0 100590", Telegram(ACK, Address.CAPACITANCE, 0, 23, (0, 1_050_000))),
    "told version": ("14 4 111 0 0 414E4333", Telegram(TELL, Address.TOLD_VERSION, 0, 0, (0x414E4333,))),
    "told moving": ("14 4 302E 0 0 0", Telegram(TELL, Address.MOVING, 0, 0, (0,))),
}


def on_wire(words: str) -> bytes:
    """Return 32-bit words in hexadecimal as little-endian bytes."""
    return b"".join(int(word, 16).to_bytes(4, "little") for word in words.split())


ALL_REPLIES = [on_wire(words) for words, _ in RECEIVED.values()]
POSITION = on_wire(RECEIVED["+1.5 mm"][0])


def read_all(reader: TelegramReader, data: bytes) -> list[Telegram]:
    reader.feed(data)
    telegrams = []
    while (telegram := reader.next_telegram()) is not None:
        telegrams.append(telegram)
    return telegrams


def test_the_published_request_is_reproduced_to_the_byte() -> None:
    expected = "10 00 00 00 01 00 00 00 15 04 00 00 02 00 00 00 8B 00 00 00"
    assert Telegram(GET, Address.POSITION, 2, 0x8B).encode() == bytes.fromhex(expected)


@pytest.mark.parametrize("name", SENT)
def test_telegram_to_the_controller_has_the_documented_bytes(name: str) -> None:
    telegram, words = SENT[name]
    assert telegram.encode() == on_wire(words)


@pytest.mark.parametrize("name", RECEIVED)
def test_telegram_from_the_controller_has_the_documented_content(name: str) -> None:
    words, telegram = RECEIVED[name]
    assert read_all(TelegramReader(), on_wire(words)) == [telegram]
    assert telegram.encode() == on_wire(words), "a telegram encodes to the bytes it came from"


@pytest.mark.parametrize("value", [-(1 << 31), -1, 0, (1 << 31) - 1])
def test_every_data_word_is_signed(value: int) -> None:
    telegram = Telegram(ACK, Address.TARGET, 1, 5, (0, value))
    assert read_all(TelegramReader(), telegram.encode()) == [telegram]


@pytest.mark.parametrize("n_bytes", range(len(POSITION)))
def test_an_ack_cut_anywhere_waits_for_its_rest(n_bytes: int) -> None:
    reader = TelegramReader()
    assert read_all(reader, POSITION[:n_bytes]) == []
    assert reader.n_missing <= len(POSITION) - n_bytes
    assert len(read_all(reader, POSITION[n_bytes:])) == 1


def test_a_telegram_glued_in_front_comes_out_first() -> None:
    operations = [telegram.operation for telegram in read_all(TelegramReader(), ALL_REPLIES[-1] + POSITION)]
    assert operations == [TELL, ACK]


def test_exact_reads_never_ask_for_bytes_of_the_next_telegram() -> None:
    stream, reader, telegrams = b"".join(ALL_REPLIES), TelegramReader(), []
    while stream:
        n_bytes = reader.n_missing
        reader.feed(stream[:n_bytes])
        stream = stream[n_bytes:]
        if (telegram := reader.next_telegram()) is not None:
            telegrams.append(telegram.encode())
    assert telegrams == ALL_REPLIES


@pytest.mark.parametrize("length", [0, 15, 18, 512, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_is_a_framing_error(length: int) -> None:
    reader = TelegramReader()
    reader.feed(length.to_bytes(4, "little") + POSITION[4:])
    assert reader.n_missing <= 512
    with pytest.raises(FramingError, match=r"out of step: length .* \(allowed 16 to 508 bytes\).*synchronise"):
        reader.next_telegram()


def test_a_request_does_not_come_from_a_device() -> None:
    with pytest.raises(FramingError, match="operation 1"):
        read_all(TelegramReader(), SENT["position of axis 0"][0].encode())


def test_clearing_forgets_half_a_telegram() -> None:
    reader = TelegramReader()
    reader.feed(POSITION[:10])
    reader.clear()
    assert len(read_all(reader, POSITION)) == 1


def test_after_noise_a_good_telegram_is_found() -> None:
    reader = TelegramReader()
    reader.feed(np.random.default_rng(3).bytes(100_000) + POSITION)
    n_errors = 0
    while True:
        try:
            telegram = reader.next_telegram()
        except FramingError:
            n_errors += 1
            continue
        break
    assert telegram == RECEIVED["+1.5 mm"][1]
    assert n_errors == 100_000


def test_reasons_are_told_in_words() -> None:
    assert RECEIVED["out of range"][1].reason_text == "value out of range"
    assert RECEIVED["bare"][1].reason == 0
    assert Telegram(ACK, Address.TARGET, 0, 1, (42, 0)).reason_text == "undocumented reason 42"


def test_what_does_not_fit_a_telegram_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit signed 32-bit words"):
        Telegram(SET, Address.TARGET, 0, 1, (1 << 31,)).encode()
    with pytest.raises(ValueError, match="124 words make 512 bytes, 508 are allowed"):
        Telegram(SET, Address.TARGET, 0, 1, (0,) * 124).encode()
