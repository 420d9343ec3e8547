"""README's tour, typed as it stands: every line of it ends with status 0."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.program import settings, tplm

ROOT = Path(__file__).resolve().parents[2]
SHORT = {
    "scan_line.yaml": ("path.n_positions=9", "passes.n_passes=2"),
    "my_scan.yaml": ("path.n_positions=9", "passes.n_passes=2"),
    "scan_map.yaml": ("path.n_x=7", "path.n_y=7"),
    "scan_precision.yaml": ("passes.target_precision=20 %",),
    "series_power.yaml": ("scan.path.n_positions=9", "scan.passes.n_passes=2"),
}
"""Appended to every run of a recipe, so that the tour takes seconds."""


def tour() -> list[str]:
    """Return the commands of the section "Five minutes", those joined by && one by one."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Five minutes")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.S)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [command for line in lines if line for command in line.split(" && ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour")
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / "tests/data").mkdir(parents=True)
    shutil.copy(ROOT / "tests/data/example_line.npz", folder / "tests/data")
    return folder


@pytest.mark.parametrize("line", tour())
def test_a_line_of_the_tour_works(line: str, folder: Path) -> None:
    name, *words = shlex.split(line)
    if name == ".":
        return  # test_fresh_clone.py activates an environment
    if name == "cp":
        shutil.copy(folder / words[0], folder / words[1])
        return
    assert name == "tplm", f"the tour has a line of a kind that this test does not know: {line}"
    words = [next(map(str, folder.glob("runs/*.h5")), word) if word == "RUN" else word for word in words]
    target = Path(words.pop()) if ">" in words else None
    words = [word for word in words if word != ">"]
    short = (*SHORT.get(Path(words[1]).name, ()), "rig.simulation.is_homed=true") if words[0] == "run" else ()
    done = tplm(folder, *words, *settings(*short))
    assert done.status == 0, done.err
    if target is not None:
        (folder / target).write_text(done.out)
    if "--report" in words:
        assert list(folder.glob("runs/*.html"))
