"""Blocks of the docs for programs and computers that are not here, run by what is here.

A cluster is set up here, MATLAB's lines are translated to Python, and Igor's are played by a function.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.end_to_end.program import environment, tplm
from tests.test_docs import ON_A_CLUSTER, commands, texts
from tests.workflow.scanned_runs import analysed_run

ADDRESS = re.compile(r"tcp://[\d.]+:\d+")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[h5py.File]:
    with h5py.File(analysed_run(tmp_path_factory.mktemp("elsewhere") / "run.h5")) as file:
        yield file


class Matrix(np.ndarray[Any, np.dtype[Any]]):
    """A matrix as the translator writes MATLAB's: `.H` for the quote mark, round brackets for elements."""

    @property
    def H(self) -> Matrix:
        return self.T

    def __call__(self, index: tuple[slice, ...]) -> Matrix:
        return self[index]


class CountedFromOne:
    """Ranges of MATLAB, `1:n`, as slices."""

    def __getitem__(self, ranges: slice | tuple[slice, ...]) -> tuple[slice, ...]:
        each = ranges if isinstance(ranges, tuple) else (ranges,)
        return tuple(one if one == slice(None) else slice(int(one.start) - 1, int(one.stop)) for one in each)


def test_matlab_reads_and_draws_a_run(run: h5py.File, tmp_path: Path) -> None:
    """Translate the block to Python with the parser of MISS_HIT, and run it with MATLAB's few functions in numpy."""
    source = tmp_path / "read.m"
    (text,) = texts("matlab")
    source.write_text(text, encoding="cp1252")
    translator = Path(sys.executable).with_name("mh_python")
    translate = [str(translator), "--inline-mode", "--brief", str(source)]
    translated = subprocess.run(translate, capture_output=True, text=True, check=True).stdout
    *lines, summary = translated.strip().splitlines()
    assert "everything seems fine" in summary

    def h5read(name: str, path: str) -> Matrix | str:
        """Return text, or numbers with their dimensions the other way round, a list as a column."""
        assert name == "run.h5"
        data = run[path]
        text = h5py.check_string_dtype(data.dtype)
        return str(data.asstr()[()]) if text else np.array(data, ndmin=2).T.view(Matrix)

    drawn: dict[str, Any] = {}
    names: dict[str, Any] = {
        "M": CountedFromOne(),
        "I": CountedFromOne(),
        "double": np.float64,
        "h5read": h5read,
        "h5readatt": lambda name, path, attribute: run[path].attrs[attribute],
        "h5disp": lambda name, path, detail: drawn.update(shown=list(run[path])),
        "imagesc": lambda x, y, image: drawn.update(x=x, y=y, image=image),
        "xlabel": lambda text: drawn.update(xlabel=text),
        "ylabel": lambda text: drawn.update(ylabel=text),
    }
    exec("\n".join(lines), names)
    n_rows = run["entry/points"].attrs["n_rows"]
    np.testing.assert_array_equal(names["x"].ravel(), run["entry/points/x_readback_nm"][:n_rows])
    np.testing.assert_array_equal(names["counts"], run["entry/counts"][:n_rows])
    assert names["delay"].shape == (names["counts"].shape[1], 1)
    assert names["recipe"].startswith("kind: scan")
    assert "counts" in drawn["shown"]
    np.testing.assert_array_equal(drawn["image"], run["entry/data/counts"])
    assert drawn["image"].shape == (len(drawn["y"]), len(drawn["x"]))
    assert (drawn["xlabel"], drawn["ylabel"]) == ("delay (ns)", "x (nm)")


def played_as_igor_does(text: str, run: h5py.File) -> dict[str, Any]:
    """Return the waves that a function of Igor loads from a run; a line that is not understood is an error.

    The flags that are known: `/R` opens read-only, `/O` replaces a wave, `/Q` says nothing, `/N` names the wave.
    """
    head, *body, end = (line.split("//")[0].strip() for line in text.splitlines())
    assert re.fullmatch(r"Function \w+\(fileName\)", head)
    assert end == "End"
    declared: dict[str, str] = {}
    waves: dict[str, Any] = {}
    is_open = False
    for line in body:
        if match := re.fullmatch(r"(String|Variable) (\w+)", line):
            declared[match[2]] = match[1]
        elif match := re.fullmatch(r"HDF5OpenFile /R (\w+) as (\w+)", line):
            assert (declared[match[1]], declared[match[2]], is_open) == ("Variable", "String", False)
            is_open = True
        elif match := re.fullmatch(r'HDF5LoadData /O /Q (?:/N=(\w+) )?(\w+), "(\S+)"', line):
            assert is_open and declared[match[2]] == "Variable"
            waves[match[1] or match[3].rpartition("/")[2]] = run[match[3]][()]
        elif match := re.fullmatch(r"HDF5CloseFile (\w+)", line):
            assert is_open and declared[match[1]] == "Variable"
            is_open = False
        else:
            raise AssertionError(f"not understood: {line}")
    assert not is_open
    return waves


def test_igor_loads_a_run(run: h5py.File) -> None:
    (text,) = texts("igor")
    waves = played_as_igor_does(text, run)
    assert {np.asarray(wave).dtype.kind for wave in waves.values()} <= set("iuf")
    np.testing.assert_array_equal(waves["counts"], run["entry/data/counts"])
    assert waves["counts"].shape == (len(waves["x_nm"]), len(waves["delay_ns"]))
    assert 0.0 < waves["diffusivity"] < 1.0


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside the test, and end it."""
    program = subprocess.Popen(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield program
    finally:
        program.terminate()
        program.communicate(timeout=60)


def test_a_cluster_simulates_as_shown(tmp_path: Path) -> None:
    scheduler, worker, sweep = (shlex.split(line, comments=True) for line in commands() if ON_A_CLUSTER.match(line))
    with started(*scheduler, "--host", "127.0.0.1", "--port", "0", "--no-dashboard") as at_the_head:
        assert at_the_head.stderr is not None
        address = next(found[0] for line in at_the_head.stderr if (found := ADDRESS.search(line)))
        worker, sweep = ([ADDRESS.sub(address, word) for word in words] for words in (worker, sweep))
        worker[worker.index("--nworkers") + 1] = "1"
        with started(*worker, "--no-dashboard", "--local-directory", str(tmp_path)):
            few = ("--alpha", "0.01", "--tau-pulse", "3.2 us", "--pulses", "50", "--json")
            done = tplm(tmp_path, *sweep[1:], *few)
    assert done.status == 0, done.err
    assert len(list(tmp_path.glob("runs/*.h5"))) == 1
