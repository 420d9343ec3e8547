"""PTU files: ours read back to the last bit and understood by others, others' read, damaged ones refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import ptufile
import pytest

from tests.store.test_export import assert_same
from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.photons.records import RecordFormat, TagStream
from tplm_daq.store.export import export_map
from tplm_daq.store.importer import load_map
from tplm_daq.store.ptu import read_ptu

RATE_HZ = 2.5e6


def made_map(n_position: int = 7, n_bin: int = 3750, **changes: object) -> TimePositionMap:
    rng = np.random.default_rng(11)
    delay_ns = (np.arange(n_bin) + 0.5) * 0.016
    decay = 3.0 * np.exp(-np.maximum(delay_ns - 2.0, 0.0) / 5.0) * (delay_ns > 2.0) + 0.01
    counts = rng.poisson(decay * np.exp(-(np.linspace(-2, 2, n_position)[:, None] ** 2))).astype(np.uint32)
    made = TimePositionMap(
        counts=counts,
        x_nm=np.linspace(-300.0, 300.0, n_position) + rng.normal(0, 0.3, n_position),
        y_nm=rng.normal(0, 0.3, n_position),
        delay_ns=delay_ns,
        dwell_s=np.full(n_position, 19.7),
        repetition_rate_hz=RATE_HZ,
        t0_ns=2.0 / 3.0,
        dead_time_ns=95.0,
    )
    return dataclasses.replace(made, **changes)


def exported(folder: Path, data: TimePositionMap) -> Path:
    path = folder / "run.ptu"
    export_map(data, "ptu", path)
    return path


@pytest.mark.parametrize(
    "data",
    [
        made_map(),
        made_map(n_bin=32_768),
        made_map(n_position=1, n_bin=2),
        made_map(t0_ns=None, dead_time_ns=None, dwell_s=None),
        dataclasses.replace(made_map(), counts=np.zeros((7, 3750), dtype=np.uint32)),
        dataclasses.replace(made_map(), delay_ns=made_map().delay_ns - 12.3),
        dataclasses.replace(made_map(n_bin=4), counts=np.full((7, 4), 70_000, dtype=np.uint32)),
    ],
    ids=["line", "most bins", "one position", "little known", "no photons", "other zero", "beyond 16 bits"],
)
def test_an_export_reads_back_to_the_last_bit(tmp_path, data):
    found = load_map(exported(tmp_path, data))
    assert_same(found, data)
    assert found.counts.dtype == np.uint32


def test_tttrlib_and_our_own_decoder_read_the_same_photons(tmp_path):
    data = made_map()
    path = exported(tmp_path, data)
    total = data.counts.sum(axis=0)
    tttrlib = pytest.importorskip("tttrlib", reason="a peer of the extra `dev`")
    theirs = tttrlib.TTTR(str(path), "PTU")
    is_photon = np.asarray(theirs.event_types) == 0
    assert np.array_equal(np.bincount(np.asarray(theirs.micro_times)[is_photon], minlength=3750), total)
    with ptufile.PtuFile(path) as file:
        words = file.read_records()
        assert file.frequency == pytest.approx(RATE_HZ)
        assert file.tcspc_resolution == pytest.approx(16e-12)
        assert file.tags["ImgHdr_PixResol"] == pytest.approx(0.1, rel=0.01)
    ours, stream = np.zeros(3750, dtype=np.uint32), TagStream(RecordFormat.GENERIC_T3)
    stream.count(np.asarray(words), ours)
    assert np.array_equal(ours, total)
    _, markers = TagStream(RecordFormat.GENERIC_T3).decode(np.asarray(words))
    assert len(markers.bits) == 3  # begin and end of the line, and of the frame
    assert stream.n_invalid == 0


def test_an_image_of_another_program_becomes_positions(tmp_path):
    image = np.random.default_rng(12).integers(0, 20, (2, 4, 5, 1, 1000)).astype(np.uint32)
    path = tmp_path / "flim.ptu"
    ptufile.imwrite(
        path,
        image,
        global_resolution=25e-9,
        tcspc_resolution=25e-12,
        pixel_resolution=0.05,
        tags={"ImgHdr_X0": 3.0, "ImgHdr_Y0": -1.0},
    )
    found = read_ptu(path)
    assert np.array_equal(found.counts, image.sum(axis=(0, 3)).reshape(20, 1000))
    assert found.x_nm[:6] == pytest.approx([3000, 3050, 3100, 3150, 3200, 3000])
    assert found.y_nm[[0, 5]] == pytest.approx([-1000, -950])
    assert found.delay_ns[:2] == pytest.approx([0.0125, 0.0375])
    assert found.repetition_rate_hz == pytest.approx(40e6)
    with ptufile.PtuFile(path) as file:
        assert found.dwell_s == pytest.approx(2 * file.pixel_time)


def test_an_image_that_does_not_fit_into_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "flim.ptu"
    ptufile.imwrite(path, np.ones((1, 4, 5, 1, 1000), np.uint32), global_resolution=25e-9, tcspc_resolution=25e-12)
    monkeypatch.setattr("tplm_daq.store.ptu.MOST_CELLS", 19_999)
    with pytest.raises(InputError, match=r"flim.ptu: .*an image of 20000 pixels times bins is more than the 19999"):
        read_ptu(path)
    monkeypatch.setattr("tplm_daq.store.ptu.MOST_CELLS", 20_000)
    assert read_ptu(path).counts.shape == (20, 1000)


def test_a_point_of_another_program_becomes_one_position(tmp_path):
    data = made_map()
    raw = exported(tmp_path, data).read_bytes()
    for name in (b"TPLM_", b"ImgHdr_"):
        raw = raw.replace(name, b"x" * len(name))  # tags that nobody knows
    at = raw.index(b"Measurement_SubMode") + 40
    (tmp_path / "point.ptu").write_bytes(raw[:at] + b"\1" + raw[at + 1 :])
    found = read_ptu(tmp_path / "point.ptu")
    assert found.counts.shape == (1, 25_000)  # one laser period
    assert np.array_equal(found.counts[0, :3750], data.counts.sum(axis=0))
    assert (found.x_nm.tolist(), found.y_nm.tolist()) == ([0.0], [0.0])


REFUSED = {
    "too many bins": (made_map(n_bin=40_000), r"40000 delay bins: a PTU record can tell 32768 apart\. Export as npz"),
    "wide bins": (
        made_map(n_bin=4, delay_ns=(np.arange(4) + 0.5) * 500.0),
        r"delay bins of 500 ns are longer than the laser period of 400 ns, .* Correct repetition_rate_hz, or export as",
    ),
    "no rate": (made_map(repetition_rate_hz=None), r"the repetition rate is not known, and a PTU file needs it"),
    "too many photons": (
        made_map(n_bin=2, counts=np.full((7, 2), 2**33, dtype=np.int64)),
        r"1\.2e\+11 photons: a PTU file lists each of them, up to 5\.37e\+08",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_ptu_file_cannot_hold_is_refused_and_leaves_nothing(tmp_path, name):
    data, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        exported(tmp_path, data)
    assert not (tmp_path / "run.ptu").exists()


def test_photons_of_two_detectors_are_refused(tmp_path):
    image = np.ones((1, 1, 5, 2, 100), dtype=np.uint32)
    ptufile.imwrite(tmp_path / "two.ptu", image, global_resolution=25e-9, tcspc_resolution=25e-12)
    with pytest.raises(InputError, match=r"holds photons of 2 detectors; a map has one"):
        read_ptu(tmp_path / "two.ptu")


def test_t2_records_are_refused(tmp_path):
    raw = exported(tmp_path, made_map(n_bin=10)).read_bytes()
    at = raw.index(b"Measurement_Mode") + 40
    raw = raw[:at] + b"\2" + raw[at + 1 :]
    at = raw.index(b"TTResultFormat_TTTRRecType") + 40
    (tmp_path / "t2.ptu").write_bytes(raw[:at] + b"\7\2\1\0" + raw[at + 4 :])
    with pytest.raises(InputError, match=r"holds T2 records .* Measure in T3 mode"):
        read_ptu(tmp_path / "t2.ptu")


def test_a_missing_or_foreign_file_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_ptu(tmp_path / "nothing.ptu")
    (tmp_path / "text.ptu").write_text("not a PTU file")
    with pytest.raises(InputError, match="is not a readable PTU file of T3 records"):
        read_ptu(tmp_path / "text.ptu")


@pytest.mark.filterwarnings("ignore")  # ptufile warns of what is odd in a header, which is nearly everything here
def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path, caplog):
    raw = bytearray(exported(tmp_path, made_map(n_position=3, n_bin=20)).read_bytes())
    rng = np.random.default_rng(13)
    n_refused = 0
    for _ in range(100):
        damaged = raw[: rng.integers(8, len(raw))] if rng.random() < 0.3 else bytearray(raw)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(8, len(damaged))] = rng.integers(256)
        (tmp_path / "damaged.ptu").write_bytes(damaged)
        try:
            read_ptu(tmp_path / "damaged.ptu")
        except InputError:
            n_refused += 1
    assert n_refused > 10
