"""Records of photons in a run file: each point has its own, they give its counts, and nothing else may be in there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import ptufile
import pytest

from tests.store.made_runs import PICOHARP, counts, header, row, words, written_run
from tests.store.test_export import assert_same
from tplm_daq.errors import InputError, StoreError
from tplm_daq.photons.records import RecordFormat, TagStream, delays_of
from tplm_daq.readings import TagSource
from tplm_daq.store.export import export_map
from tplm_daq.store.importer import load_map
from tplm_daq.store.reader import open_run
from tplm_daq.store.rescue import rescue_run
from tplm_daq.store.words import CHUNK_WORDS
from tplm_daq.store.writer import RunWriter

LENGTHS = (0, 1, CHUNK_WORDS - 1, CHUNK_WORDS, CHUNK_WORDS + 1, 3 * CHUNK_WORDS + 7, 0, 5)
N_POINTS = 12


def generic(number: int, n_bin: int = 32) -> np.ndarray:
    """Records of a TimeHarp's second input that give `counts(number)`, with markers and a photon of the other input."""
    rng = np.random.default_rng(number)
    delays = rng.permutation(np.repeat(np.arange(n_bin, dtype=np.uint32), counts(number, n_bin)))
    photons = (1 << 25) | (delays << 10) | np.sort(rng.integers(0, 1024, len(delays), np.uint32))
    marker, turns, stranger = 0x80000000 | 3 << 25, 0xFE000000 | 5, 7 << 10
    return np.insert(photons, [0, 3, len(photons)], [turns, marker, stranger]).astype(np.uint32)


MAKES = {"picoharp": (PICOHARP, words), "timeharp": (TagSource(RecordFormat.GENERIC_T3.value, 1), generic)}


@pytest.fixture(params=MAKES)
def tagged_run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    source, records = MAKES[request.param]
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header(tag_source=source)) as writer:
        for number in range(N_POINTS):
            writer.append(row(number), counts(number), records(number))
        writer.finish("completed")
    return path


def test_each_point_has_its_own_records(tmp_path: Path) -> None:
    path, drawn = tmp_path / "run.h5", np.random.default_rng(1)
    written = [drawn.integers(0, 2**32, length, np.uint32) for length in LENGTHS]
    for part in (written[:3], written[3:]):
        open_file = RunWriter.reopen(path) if path.exists() else RunWriter.create(path, header(tag_source=PICOHARP))
        with open_file as writer:
            for each in part:
                writer.append(row(writer.n_points), counts(writer.n_points), each)
            writer.finish("completed")
    run = open_run(path)
    assert run.header.tag_source == PICOHARP
    for number, each in enumerate(written):
        np.testing.assert_array_equal(run.words(number), each)
    np.testing.assert_array_equal(run.words(-1), written[-1])


def test_the_records_of_a_point_share_no_chunk_with_those_before(tagged_run: Path) -> None:
    with h5py.File(tagged_run) as file:
        assert (file["entry/words/first"][()] % CHUNK_WORDS == 0).all()
        assert (np.diff(file["entry/words/first"]) > 0).all()


def test_what_the_records_give_is_what_was_counted(tagged_run: Path) -> None:
    run = open_run(tagged_run)
    assert run.header.tag_source is not None
    for number, histogram in enumerate(run.counts()):
        np.testing.assert_array_equal(delays_of(run.words(number), run.header.tag_source, 32), histogram)
    assert run.defects() == []


def test_a_changed_record_is_found(tagged_run: Path) -> None:
    with h5py.File(tagged_run, "r+") as file:
        group = file["entry/words"]
        group["records"][group["first"][4] + 6] ^= 1 << 17
    assert open_run(tagged_run).defects() == ["the counts of point 4 are not those of its records"]


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [(PICOHARP, None, "this one comes without records"), (None, words(0), "this one comes with records")],
)
def test_all_points_have_records_or_none_has(
    tmp_path: Path, source: TagSource | None, given: np.ndarray | None, message: str
) -> None:
    with (
        RunWriter.create(tmp_path / "run.h5", header(tag_source=source)) as writer,
        pytest.raises(StoreError, match=message),
    ):
        writer.append(row(0), counts(0), given)
    assert open_run(tmp_path / "run.h5").n_points == 0


def test_a_run_without_records_says_how_to_get_them(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5"))
    assert run.tags() is None
    with pytest.raises(InputError, match=r"counter\.keep_words: true"):
        run.words(0)


def test_a_rescued_run_keeps_the_records_of_its_points(tagged_run: Path) -> None:
    before = open_run(tagged_run)
    rescued = open_run(rescue_run(tagged_run, InputError("damaged")))
    assert rescued.n_points == N_POINTS
    for number in range(N_POINTS):
        np.testing.assert_array_equal(rescued.words(number), before.words(number))
    assert rescued.defects() == []


def test_an_exported_ptu_file_holds_the_counters_own_records(tagged_run: Path) -> None:
    run, path = open_run(tagged_run), tagged_run.with_suffix(".ptu")
    data, source = run.map(), run.header.tag_source
    assert source is not None
    export_map(data, "ptu", path, run.tags())
    with ptufile.PtuFile(path) as file:
        found = np.asarray(file.read_records())
        assert file.tags["TTResult_NumberOfRecords"] == len(found)
        assert file.is_image
        assert file.lines_in_frame == len(data.x_nm)
        assert file.frequency == pytest.approx(2.5e6)
    record_format = RecordFormat(source.record_type)
    by_position = [n for position in range(5) for n in range(position, N_POINTS, 5)]
    lines = iter(TagStream(record_format).decode(found)[0].delay_bin.tolist())
    for number in by_position:
        photons, _ = TagStream(record_format).decode(run.words(number))
        assert [next(lines) for _ in photons.delay_bin] == photons.delay_bin.tolist()
    _, markers = TagStream(record_format).decode(found)
    assert markers.bits.tolist() == [1, 2] * 5 + [4]
    assert (np.diff(markers.sync_number[:-1].reshape(5, 2)) > 0).all()


@pytest.mark.parametrize("make", MAKES)
def test_an_exported_ptu_file_reads_back_as_the_map(tmp_path: Path, make: str) -> None:
    source, records = MAKES[make]
    with RunWriter.create(tmp_path / "run.h5", header(tag_source=source)) as writer:
        for number in range(N_POINTS):
            mine = [word for word in records(number) if make == "picoharp" or word >> 25 == source.channel]
            writer.append(row(number), counts(number), np.array(mine, np.uint32))
    run = open_run(tmp_path / "run.h5")
    export_map(run.map(), "ptu", tmp_path / "run.ptu", run.tags())
    assert_same(load_map(tmp_path / "run.ptu"), run.map())
    tttrlib = pytest.importorskip("tttrlib", reason="a peer of the extra `dev`")
    theirs = tttrlib.TTTR(str(tmp_path / "run.ptu"), "PTU")
    delays = np.asarray(theirs.micro_times)[np.asarray(theirs.event_types) == 0]
    first = 5 if make == "picoharp" else 0  # tttrlib takes a PicoHarp's delay 0 for a turn, its markers for photons
    np.testing.assert_array_equal(np.bincount(delays)[first:32], run.counts().sum(axis=0)[first:])
