"""T3 records to photons: words written by hand, any split of a stream, noise, and a foreign decoder."""

from __future__ import annotations

import doctest
import struct

import numpy as np
import ptufile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tplm_daq.photons import records
from tplm_daq.photons.records import RecordFormat, TagStream

PICOHARP, GENERIC = RecordFormat.PICOHARP_T3, RecordFormat.GENERIC_T3


def picoharp(channel: int, delay: int, sync: int) -> int:
    return (channel << 28) + (delay << 16) + sync


def generic(channel: int, delay: int, sync: int, special: int = 0) -> int:
    return (special << 31) + (channel << 25) + (delay << 10) + sync


def decoded(record_format: RecordFormat, *words: int):
    stream = TagStream(record_format)
    photons, markers = stream.decode(np.array(words, dtype=np.uint32))
    return [tuple(map(int, row)) for row in zip(*photons, strict=True)], [
        tuple(map(int, row)) for row in zip(*markers, strict=True)
    ]


def test_picoharp_photons_overflows_and_markers():
    photons, markers = decoded(
        PICOHARP,
        picoharp(1, 0, 7),  # a delay of 0 is a photon like any other
        picoharp(4, 4095, 65_535),
        picoharp(15, 0, 0),
        picoharp(1, 5, 1),
        picoharp(15, 4, 9),
        picoharp(15, 0, 0),
        picoharp(15, 15, 2),
    )
    assert photons == [(7, 0, 0), (65_535, 4095, 3), (65_537, 5, 0)]
    assert markers == [(65_545, 4), (131_074, 15)]


def test_generic_photons_overflows_and_markers():
    photons, markers = decoded(
        GENERIC,
        generic(0, 0, 7),
        generic(63, 32_767, 1023),  # the highest photon channel is no overflow
        generic(63, 0, 3, special=1),
        generic(1, 5, 1),
        generic(63, 0, 0, special=1),  # written by older devices: one turn
        generic(2, 0, 9, special=1),
    )
    assert photons == [(7, 0, 0), (1023, 32_767, 63), (3 * 1024 + 1, 5, 1)]
    assert markers == [(4 * 1024 + 9, 2)]


@pytest.mark.parametrize("record_format", RecordFormat)
def test_words_that_cannot_occur_are_counted_and_left_alone(record_format):
    bad = {
        PICOHARP: [picoharp(0, 3, 1), picoharp(5, 3, 1), picoharp(14, 0, 0), picoharp(15, 16, 0)],
        GENERIC: [generic(0, 3, 1, special=1), generic(16, 0, 0, special=1), generic(62, 0, 0, special=1)],
    }[record_format]
    words = np.array(bad, dtype=np.uint32)
    for act in (lambda stream: stream.decode(words), lambda stream: stream.count(words, np.zeros(9, np.uint32))):
        stream = TagStream(record_format)
        act(stream)
        assert (stream.n_invalid, stream.n_syncs) == (len(bad), 0)


@pytest.mark.parametrize("record_format", RecordFormat)
@given(
    words=st.lists(st.integers(0, 2**32 - 1), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_any_split_of_the_stream_gives_the_same_photons(record_format, words, cuts):
    array = np.array(words, dtype=np.uint32)
    whole, parts = TagStream(record_format), TagStream(record_format)
    expected = whole.decode(array)
    pieces = [parts.decode(piece) for piece in np.split(array, sorted(cuts))]
    for kind in (0, 1):
        for name in expected[kind]._fields:
            joined = np.concatenate([getattr(piece[kind], name) for piece in pieces])
            assert np.array_equal(joined, getattr(expected[kind], name))
    assert parts == whole


@pytest.mark.parametrize("record_format", RecordFormat)
@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=60), cut=st.integers(0, 60), channel=st.integers(0, 3))
def test_counting_is_decoding_and_a_histogram(record_format, words, cut, channel):
    array = np.array(words, dtype=np.uint32)
    decoding, counting = TagStream(record_format), TagStream(record_format)
    photons, _ = decoding.decode(array)
    counts = np.zeros(1000, dtype=np.uint32)
    for piece in np.split(array, [cut]):
        counting.count(piece, counts, channel)
    delays = photons.delay_bin[photons.channel == channel]
    assert np.array_equal(counts, np.bincount(delays[delays < 1000], minlength=1000))
    assert counting.n_outside == np.count_nonzero(delays >= 1000)
    assert (counting.n_syncs, counting.n_invalid) == (decoding.n_syncs, decoding.n_invalid)


@pytest.mark.parametrize("record_format", RecordFormat)
def test_a_million_random_words_do_no_harm(record_format):
    words = np.random.default_rng(5).integers(0, 2**32, 1_000_000, dtype=np.uint32)
    stream = TagStream(record_format)
    photons, markers = stream.decode(words)
    assert 0 < len(photons.delay_bin) < len(words)
    assert len(markers.bits) > 0
    assert stream.n_invalid > 0
    counts = np.zeros(70_000, dtype=np.uint32)  # more bins than there can be
    TagStream(record_format).count(words, counts, channel=1)
    assert counts.sum() == np.count_nonzero(photons.channel == 1)


def test_an_empty_piece_changes_nothing():
    stream = TagStream(GENERIC, n_syncs=5)
    photons, markers = stream.decode(np.zeros(0, dtype=np.uint32))
    assert len(photons.sync_number) == len(markers.bits) == 0
    assert stream == TagStream(GENERIC, n_syncs=5)


@pytest.mark.parametrize("words", [np.zeros(4), np.zeros(4, np.int64), np.zeros((2, 2), np.uint32)])
def test_what_is_no_array_of_words_is_refused(words):
    with pytest.raises(ValueError, match="they must be uint32 with one"):
        TagStream(GENERIC).decode(words)
    with pytest.raises(ValueError, match="it must be uint32 with one"):
        TagStream(GENERIC).count(np.zeros(1, np.uint32), np.zeros(5))


@pytest.mark.parametrize(("record_format", "channel"), [(PICOHARP, 4), (PICOHARP, 14), (GENERIC, 64), (GENERIC, -1)])
def test_a_channel_that_does_not_exist_is_refused(record_format, channel):
    with pytest.raises(ValueError, match=f"channel {channel} does not exist; there are"):
        TagStream(record_format).count(np.zeros(1, np.uint32), np.zeros(5, np.uint32), channel)


def ptu_bytes(record_format: RecordFormat, words: np.ndarray) -> bytes:
    """Return a minimal PTU file around records, written by hand."""
    tags = {
        b"Measurement_Mode": (0x10000008, "<q", 3),
        b"Measurement_SubMode": (0x10000008, "<q", 0),
        b"TTResultFormat_TTTRRecType": (0x10000008, "<q", record_format.value),
        b"TTResultFormat_BitsPerRecord": (0x10000008, "<q", 32),
        b"MeasDesc_Resolution": (0x20000008, "<d", 4e-12),
        b"MeasDesc_GlobalResolution": (0x20000008, "<d", 4e-7),
        b"TTResult_SyncRate": (0x10000008, "<q", 2_500_000),
        b"TTResult_NumberOfRecords": (0x10000008, "<q", len(words)),
        b"Header_End": (0xFFFF0008, "<q", 0),
    }
    header = b"".join(
        name.ljust(32, b"\0") + struct.pack("<iI", -1, kind) + struct.pack(form, value)
        for name, (kind, form, value) in tags.items()
    )
    return b"PQTTTR\0\0" + b"1.0.00\0\0" + header + words.tobytes()


@pytest.mark.parametrize("record_format", RecordFormat)
def test_ptufile_finds_the_same_photons(record_format, tmp_path):
    rng = np.random.default_rng(6)
    sync = np.sort(rng.integers(0, 3_000_000, 20_000))
    delay = rng.integers(0, record_format.n_delays, 20_000)
    words: list[int] = []
    bits = 16 if record_format is PICOHARP else 10
    turns = 0
    for n, d in zip(sync.tolist(), delay.tolist(), strict=True):
        while turns < n >> bits:
            words.append(0xF0000000 if record_format is PICOHARP else generic(63, 0, 1, special=1))
            turns += 1
        low = n & (2**bits - 1)
        words.append(picoharp(1, d, low) if record_format is PICOHARP else generic(0, d, low))
    array = np.array(words, dtype=np.uint32)
    file = tmp_path / "photons.ptu"
    file.write_bytes(ptu_bytes(record_format, array))
    with ptufile.PtuFile(file) as ptu:
        theirs = ptu.decode_records()
    theirs = theirs[theirs["channel"] >= 0]
    photons, _ = TagStream(record_format).decode(array)
    assert np.array_equal(photons.sync_number, theirs["time"])
    assert np.array_equal(photons.delay_bin, theirs["dtime"])
    assert np.array_equal(photons.sync_number, sync)


def test_the_example_in_the_docstring_is_true():
    result = doctest.testmod(records)
    assert result.attempted
    assert not result.failed
