"""How fast T3 records become a histogram, against tttrlib and ptufile on the same file in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ptufile
import pytest

from tests.photons.test_records import ptu_bytes
from tplm_daq.photons.records import RecordFormat, TagStream

tttrlib = pytest.importorskip("tttrlib", reason="a peer of the extra `dev`")

pytestmark = pytest.mark.slow

N_PHOTONS = 5_000_000
N_BINS = 4096


def stream(record_format: RecordFormat) -> np.ndarray:
    """Return the records of a decay at 5 photons per hundred pulses."""
    rng = np.random.default_rng(1)
    delay = np.minimum(50 + rng.exponential(300.0, N_PHOTONS), N_BINS - 1).astype(np.uint32)
    sync = np.cumsum(rng.geometric(0.05, N_PHOTONS))
    if record_format is RecordFormat.PICOHARP_T3:
        photons = (1 << 28) | (delay << 16) | (sync & 0xFFFF).astype(np.uint32)
        turns = np.repeat(np.arange(N_PHOTONS), np.diff(sync >> 16, prepend=0))
        return np.insert(photons, turns, np.uint32(0xF0000000)).astype(np.uint32)
    photons = (delay << 10) | (sync & 0x3FF).astype(np.uint32)
    n_turns = np.diff(sync >> 10, prepend=0)
    at = np.flatnonzero(n_turns)
    return np.insert(photons, at, (0xFE000000 | n_turns[at]).astype(np.uint32)).astype(np.uint32)


def medians(calls: dict[str, Callable[[], np.ndarray]], n_rounds: int = 7) -> dict[str, float]:
    """Return median times in s of calls that take turns, so that a busy machine slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(n_rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken) for name, taken in times.items()}


@pytest.mark.parametrize("record_format", RecordFormat)
def test_decode_and_histogram(capsys: pytest.CaptureFixture[str], tmp_path: Path, record_format: RecordFormat) -> None:
    path = tmp_path / "photons.ptu"
    path.write_bytes(ptu_bytes(record_format, stream(record_format)))
    with ptufile.PtuFile(path) as file:
        offset = file.record_offset
    size = path.stat().st_size - offset

    def ours() -> np.ndarray:
        return counted(np.memmap(path, np.uint32, "r", offset))

    def counted(words: np.ndarray) -> np.ndarray:
        counts = np.zeros(N_BINS, dtype=np.uint32)
        TagStream(record_format).count(words, counts)
        return counts

    def with_ptufile() -> np.ndarray:
        with ptufile.PtuFile(path) as file:
            return np.asarray(file.decode_histogram(dtime=N_BINS))[0]

    def with_tttrlib() -> np.ndarray:
        events = tttrlib.TTTR(str(path), "PTU")
        delays = np.asarray(events.micro_times)[np.asarray(events.event_types) == 0]
        return np.bincount(delays, minlength=N_BINS)

    calls = {"ours": ours, "ptufile": with_ptufile, "tttrlib": with_tttrlib}
    counts = {name: call() for name, call in calls.items()}
    assert counts["ours"].sum() == N_PHOTONS
    assert np.array_equal(counts["ours"], counts["ptufile"])
    assert np.array_equal(counts["ours"], counts["tttrlib"])
    words = np.fromfile(path, np.uint32, offset=offset)
    taken = medians({**calls, "ours without the file": lambda: counted(words)})
    speeds = ", ".join(f"{name} {size / 4 / seconds / 1e6:.0f}" for name, seconds in taken.items())
    with capsys.disabled():
        print(f"\n  {record_format.name}, file to histogram, million records/s: {speeds}")
    assert taken["ours"] < taken["ptufile"]
    assert taken["ours"] < taken["tttrlib"]
