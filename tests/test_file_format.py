"""The page about the run file names every group, dataset and column in one, with its unit, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import pytest

from tests.store.made_runs import header
from tests.workflow.scanned_runs import analysed_run
from tplm_daq.store.layout import POINT_DTYPE, WORDS, PointFlags
from tplm_daq.store.units import unit_of
from tplm_daq.store.writer import RunWriter

PAGE = Path(__file__).resolve().parents[1] / "docs" / "file-format.md"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table that begins with this line."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(heading) + 2
    end = next(number for number in range(begin, len(lines)) if not lines[number].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin:end]]


def names(cell: str) -> list[str]:
    return [name.rstrip("/") for name in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a result, settings of a device and an event."""
    return analysed_run(tmp_path_factory.mktemp("format") / "run.h5")


def test_every_column_of_the_points_is_listed_with_its_unit() -> None:
    listed = {name: unit for cell, unit, _ in rows("| column | unit | what it is |") for name in names(cell)}
    assert listed == {name: unit_of(name) or "" for name in POINT_DTYPE.names}


def test_every_flag_is_listed_with_its_bit() -> None:
    (text,) = [what for cell, _, what in rows("| column | unit | what it is |") if names(cell) == ["flags"]]
    listed = {word.replace("-", "_").upper(): int(bit) for bit, word in re.findall(r"(\d+) ([a-z-]+)", text)}
    assert listed.pop("IS") == PointFlags.GOOD
    assert listed == {flag.name: flag.value for flag in PointFlags}


def test_every_entry_of_the_file_is_listed(whole_run: Path) -> None:
    listed = {name for cell, _ in rows("| below `/entry` | what it is |") for name in names(cell)}
    with h5py.File(whole_run) as file:
        entry = file["entry"]
        assert set(entry) <= {name.split("/")[0] for name in listed}
        missing = {name for name in listed if "<" not in name and name not in entry} - {"/end", "analysis_2", WORDS}
        assert missing == set()
        assert set(entry["instrument/detector"]) <= inside("instrument/source")
        assert set(entry["session"]) <= inside("session")
        assert {"start"} == set(entry["instrument/laser"])


def inside(name: str) -> set[str]:
    """Return the names that the page gives for what is inside a group."""
    return {
        each for cell, what in rows("| below `/entry` | what it is |") if name in names(cell) for each in names(what)
    }


def test_every_entry_of_a_result_is_listed_with_its_unit(whole_run: Path) -> None:
    listed = {name: unit for cell, unit, _ in rows("| entry | unit | what it is |") for name in names(cell)}
    with h5py.File(whole_run) as file:
        result = file["entry/analysis_1/result"]
        assert set(listed) == set(result)
        for name, unit in listed.items():
            assert unit == (unit_of(name) or "")
            if isinstance(result[name], h5py.Dataset):
                assert unit == result[name].attrs.get("units", "")


def test_what_the_page_promises_of_a_run_cut_short_holds(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()):
        pass
    with h5py.File(tmp_path / "run.h5") as file:
        assert {"finish_reason", "end_time", "data", "analysis_1", "words"} & set(file["entry"]) == set()
