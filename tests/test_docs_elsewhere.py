"""Blocks of the docs for programs and computers that are not here: each is true as far as it can be seen from here.

A cluster is set up on this computer; what MATLAB and Igor are told to read is in a run file, of the kind they take;
what is typed in PowerShell is what `make` does elsewhere.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.end_to_end.program import environment, tplm
from tests.end_to_end.test_readme import tour
from tests.test_docs import ALL, ON_A_CLUSTER, ROOT
from tests.workflow.scanned_runs import analysed_run

ADDRESS = re.compile(r"tcp://[\d.]+:\d+")


def text_of(language: str) -> str:
    """Return the only block of a language."""
    (text,) = [block.text for block in ALL if block.language == language]
    return text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[h5py.File]:
    with h5py.File(analysed_run(tmp_path_factory.mktemp("elsewhere") / "run.h5")) as file:
        yield file


def test_matlab_reads_what_is_there(run: h5py.File) -> None:
    text = text_of("matlab")
    read = re.findall(r"h5read\('run\.h5', '([^']+)'\)", text)
    assert len(read) >= 6
    assert all(isinstance(run[name], h5py.Dataset) for name in read)
    ((group, attribute),) = re.findall(r"h5readatt\('run\.h5', '(\S+)', '([^']+)'\)", text)
    n_rows = int(run[group].attrs[attribute])
    assert 0 < n_rows <= len(run["/entry/counts"]) == len(run["/entry/points/x_readback_nm"])
    image, x_nm, delay_ns = (run[f"/entry/data/{name}"] for name in ("counts", "x_nm", "delay_ns"))
    assert image.shape == (len(x_nm), len(delay_ns))  # MATLAB has it the other way round, hence the quote mark
    assert [group for group in re.findall(r"h5disp\('run\.h5', '(\S+)',", text) if group not in run] == []


def test_igor_loads_numbers(run: h5py.File) -> None:
    loaded = re.findall(r'^\s*HDF5LoadData (?:/\S+ )*fileID, "(\S+)"$', text_of("igor"), re.M)
    assert len(loaded) == text_of("igor").count("HDF5LoadData")
    assert all(np.issubdtype(run[name].dtype, np.number) for name in loaded)


def test_powershell_does_what_make_does_and_the_tour_types() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    venv, install, measure, test = (
        line.replace("\\", "/").replace(".venv/Scripts/", "") for line in text_of("powershell").splitlines()
    )
    (needed,) = re.findall(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert venv == f"py -{needed} -m venv .venv"
    assert install == "python -m pip install -e .[dev]"
    assert '$(BIN)/python -m pip install --quiet --editable ".[dev]"' in makefile
    assert measure in tour()
    assert f"$(BIN)/{measure}" in makefile
    assert test == "python -m pytest"


def test_make_does_what_readme_says_of_it() -> None:
    for line in (line for block in ALL if block.page == "README.md" for line in block.text.splitlines()):
        words = shlex.split(line, comments=True) if line.startswith("make ") else []
        if words:
            done = subprocess.run([*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert {"run": "tplm run", "test": "lint-imports"}[words[1]] in done.stdout


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
    lines = [line.strip() for block in ALL if block.language == "sh" for line in block.text.splitlines()]
    scheduler, worker, sweep = (shlex.split(line, comments=True) for line in lines if ON_A_CLUSTER.match(line))
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
