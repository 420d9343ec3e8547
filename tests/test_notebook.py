"""The example notebook runs as it stands, and what it shows is what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import nbformat
import pytest

from tests.notebook import EXAMPLE, METADATA, outputs

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?")
DRIFT = re.compile(r"centre moved by [\d.]+ nm")
"""So little that it is noise."""
MOST_BYTES = 400_000


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    folder = tmp_path_factory.mktemp("notebook")
    own = {
        name: str(folder) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.notebook", folder / "executed.ipynb"],
        cwd=EXAMPLE.parent.parent,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(folder / "executed.ipynb", as_version=4)


@pytest.mark.timeout(400)
def test_every_cell_gives_what_is_stored(executed: nbformat.NotebookNode) -> None:
    """Kinds and words to the letter; numbers to what another draw of the photons changes."""
    stored = nbformat.read(EXAMPLE, as_version=4)
    cells = [cell.source for cell in stored.cells if cell.cell_type == "code"]
    for source, was, now in zip(cells, outputs(stored), outputs(executed), strict=True):
        assert [(kind, NUMBER.sub("#", text)) for kind, text in was] == [
            (kind, NUMBER.sub("#", text)) for kind, text in now
        ], source
        for (_, before), (_, after) in zip(was, now, strict=True):
            assert numbers(after) == pytest.approx(numbers(before), rel=0.3, abs=0.03), source


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(DRIFT.sub("", text))]


def test_it_shows_pictures_tables_and_one_error() -> None:
    kinds = [kind for cell in outputs(nbformat.read(EXAMPLE, as_version=4)) for kind, _ in cell]
    assert kinds.count("image/png") >= 4
    assert kinds.count("text/html") >= 4
    assert kinds.count("error") == 1


def test_it_is_valid_small_and_of_no_particular_machine() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    assert len(text.encode()) < MOST_BYTES
    without_pictures = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.findall(r"https?://|file://|/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\|site-packages", without_pictures)
