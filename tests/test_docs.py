"""The documentation holds: every block of code in docs/ runs as it stands, every file is valid, every link leads on.

Blocks marked ``sh`` are commands typed one after the other, ``python`` blocks of one page share their names as in a
notebook, ``yaml`` blocks are whole files or devices of a rig file, and ``text`` is to be looked at, except for what
`tplm check` is shown to answer. Recipes are shortened, nothing else is changed. Commands of a cluster and programs that
are not here (MATLAB, Igor) are in `tests/test_docs_elsewhere.py`. README's commands are typed by
`tests/end_to_end/test_readme.py`, and what sets up, there, in the tour and in PowerShell, by
`tests/end_to_end/test_fresh_clone.py`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.core
import yaml
from typer.main import get_command

from tests.end_to_end.program import environment, finish, settings, start, tplm
from tplm_daq.cli import app
from tplm_daq.gui.help import KEYS
from tplm_daq.recipes.devices import Devices
from tplm_daq.recipes.load import apply_overrides, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"sh", "python", "yaml", "text", "csv", "math", "matlab", "igor", "powershell"}
IN_TURN = """
import json, os, sys
from tplm_daq.cli import app
for words in json.loads(sys.argv[1]):
    if words[0] == "export":
        os.environ.update([words[1].split("=")])
        continue
    status = app(words, prog_name="tplm", standalone_mode=False)
    assert not status, f"{words} ended with status {status}"
"""
SHOWN_BRIEFLY = """
from PyQt6.QtCore import QTimer
from tplm_daq.__main__ import main
from tplm_daq.gui.window import Window
show = Window.show
def show_briefly(window):
    show(window)
    QTimer.singleShot(500, window.close)
    QTimer.singleShot(100, lambda: print(window.views.recipe.recipe().title, window.isVisible()))
Window.show = show_briefly
main()
"""
HOMED = "rig.simulation.is_homed=true"
SHORT = {
    "scan_line.yaml": ("path.n_positions=9", "passes.n_passes=2", HOMED),
    "scan_map.yaml": ("path.n_x=7", "path.n_y=7", "passes.dwell=1s", HOMED),
    "my_scan.yaml": ("path.n_positions=9", "passes.n_passes=2", HOMED),
    "align_spot.yaml": (HOMED,),
    "lab_scan.yaml": ("path.n_positions=9", "passes.n_passes=2", HOMED),
    "lab_series.yaml": (
        "scan.path.n_positions=7",
        "scan.passes.n_passes=1",
        "vary.0.average_power=[4 nW, 16 nW]",
        HOMED,
    ),
    "my_series.yaml": ("scan.path.n_positions=7", "scan.path.centre=0 nm", "scan.passes.n_passes=1", HOMED),
}
"""Changes of the recipes that are run, so that a page takes seconds."""
ON_A_CLUSTER = re.compile(r"dask |.*--scheduler ")
"""Commands of a cluster."""
TAKES_LONG = re.compile(r"tplm gui |tplm reproduce(?! 4D --quick)")
"""A window that waits for its operator, and minutes of simulation: other tests run them; here they are understood."""
ELSEWHERE = {"cp", "git", "make", "."}
"""Copies are there already; the clone and its environment are what this runs in."""


@dataclass(frozen=True)
class Block:
    """One block of code: the page it is on, its language and its text."""

    page: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.S | re.M)
    return [Block(page.name, language, re.sub(f"^{indent}", "", text, flags=re.M)) for indent, language, text in found]


ALL = [block for page in PAGES for block in blocks(page)]


def texts(language: str, *pages: str) -> list[str]:
    """Return the blocks of a language, of these pages or of all."""
    return [block.text for block in ALL if block.language == language and (not pages or block.page in pages)]


def commands(*pages: str) -> list[str]:
    """Return what is typed in a terminal, line by line."""
    return [line.strip() for text in texts("sh", *pages) for line in text.splitlines()]


WITH_PYTHON = sorted({block.page for block in ALL if block.language == "python"})
WITH_COMMANDS = sorted({block.page for block in ALL if block.language == "sh"} - {"README.md"})


def run_all(folder: Path, commands: list[list[str]]) -> None:
    """Run commands one after the other, in one process of their own, since starting it takes longest."""
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, json.dumps(commands)],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


RUNS = (("line", "run", ()), ("map", "map", ()), ("line", "tagged", ("counter.mode=t3", "counter.keep_words=true")))
"""Run files that pages read: recipe, name, and what is changed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like a fresh checkout, with the files that a reader has by then: a run, a raster, a rig file."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copytree(ROOT / "tests/data", folder / "tests/data")
    shutil.copy(folder / "configs/rig_sim.yaml", folder / "my_rig.yaml")
    fit = folder / "configs/kmc_fit.yaml"
    fit.write_text(fit.read_text().replace("n_pulses: 2000\nn_burn_in: 500", "n_pulses: 40\nn_burn_in: 10"))
    runs = [["run", f"configs/scan_{shape}.yaml", "--out", name, *settings(*more)] for shape, name, more in RUNS]
    run_all(folder, [shortened(words) for words in runs])
    for _, name, _ in RUNS:
        next((folder / name).glob("*.h5")).rename(folder / f"{name}.h5")
    return folder


def shortened(words: list[str]) -> list[str]:
    if words[0] == "kmc" and "--pulses" not in words:
        return [*words, "--pulses", "50", "--workers", "1"]
    return [*words, *settings(*SHORT[Path(words[1]).name])] if words[0] == "run" else words


def commands_of(page: str) -> list[list[str]]:
    """Return the arguments of tplm, command by command; a file that a page copies is there already."""
    left = [line for line in commands(page) if not (ON_A_CLUSTER.match(line) or TAKES_LONG.match(line))]
    typed = [words for words in (shlex.split(line, comments=True) for line in left) if words]
    assert {words[0] for words in typed} <= {"tplm", "export"} | ELSEWHERE
    assert [words[1:] for words in typed if words[0] == "cp"] in ([], [["configs/rig_sim.yaml", "my_rig.yaml"]])
    return [words if words[0] == "export" else shortened(words[1:]) for words in typed if words[0] not in ELSEWHERE]


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_commands_work_as_they_stand(page: str, folder: Path) -> None:
    for block in ALL:
        if (block.page, block.language) == (page, "yaml") and block.text.startswith("# "):
            (folder / block.text[2:].split()[0]).write_text(block.text, encoding="utf-8")
    run_all(folder, commands_of(page))


@pytest.mark.slow
def test_the_first_run_of_the_tour_ends_as_shown(folder: Path) -> None:
    tour = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
    done = tplm(folder, "run", "configs/scan_line.yaml", "--out", "whole")
    found = re.findall(r"^(?:D|truth) .*\S", done.err, re.M)
    assert len(found) == 2
    assert all(line in tour for line in found), found
    run = str(next((folder / "whole").glob("*.h5")))
    proved = [line.rstrip() for line in tplm(folder, "verify", run).out.splitlines()]
    assert len(proved) == 4
    assert all(line in tour for line in proved), proved
    by_the_paper = tplm(folder, "analyse", run, "--method", "paper", "--json").document
    low, high = by_the_paper["ci95_cm2_s"]
    assert f"{low:.5f} to {high:.5f}" in tour


def test_check_answers_as_the_pages_show(folder: Path) -> None:
    """Of a block that begins with `$ tplm check`, the lines below are what is said where nothing was aligned before."""
    shown = [block.text.splitlines() for block in ALL if block.text.startswith("$ tplm check ")]
    assert shown
    for asked, *answer in shown:
        done = tplm(folder, *shlex.split(asked)[2:], "--out", "untouched")
        said = (done.out + done.err).replace(f"{folder}/", "")
        assert said.split() == " ".join(answer).split()


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_python_works_as_it_stands(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": page}
    for block in (block for block in ALL if block.page == page and block.language == "python"):
        exec(compile(block.text, page, "exec"), names)


def test_devices_in_the_docs_are_those_of_a_rig_file() -> None:
    laboratory = read_yaml(ROOT / "configs/rig_lab.yaml")
    found = [yaml.safe_load(block.text) for block in ALL if block.page == "connect.md" and block.language == "yaml"]
    named = [(name, section) for block in found for name, section in block.items()]
    assert {name for name, _ in named} <= set(Devices.model_fields)
    devices = laboratory["devices"] | {
        name: {key: str(value) if key == "wavelength" else value for key, value in section.items()}
        for name, section in named
    }
    rig = validate(RigRecipe, apply_overrides({**laboratory, "devices": devices}, []), Path("connect.md"))
    assert json.loads(rig.devices.model_dump_json())["attenuator"]["model"] == "fw102c"


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in ALL} <= LANGUAGES
    shown = [line for block in ALL if block.language == "text" for line in block.text.splitlines()]
    assert not [line for line in shown if re.match(r"(tplm|make|git|pip|python|export|dask|from|import)\b(?!:)", line)]


def taking_long(name: str) -> list[list[str]]:
    """Return the arguments of the commands of one name that a page shows and that take minutes, or an operator."""
    long = [shlex.split(line, comments=True)[1:] for line in commands() if TAKES_LONG.match(line)]
    return [words for words in long if words[0] == name]


def test_the_window_opens_as_typed(folder: Path, tmp_path: Path) -> None:
    (words,) = taking_long("gui")
    line = (folder / "configs/scan_line.yaml").read_text(encoding="utf-8")
    (folder / "my_scan.yaml").write_text(re.sub("^title:.*", "title: mine", line, flags=re.M), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SHOWN_BRIEFLY, *words],
        cwd=folder,
        env=environment() | {"XDG_CONFIG_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["mine", "True"]


def test_reproducing_is_understood_as_typed() -> None:
    program = get_command(app)
    assert isinstance(program, typer.core.TyperGroup)
    typed = taking_long("reproduce")
    assert len(typed) == 4
    for name, *words in typed:
        with program.commands[name].make_context(name, list(words)) as context:
            assert not context.args


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_reproducing_works_as_typed(folder: Path) -> None:
    """In the order of the page; what has been measured once is not measured again."""
    for words in taking_long("reproduce"):
        done = finish(start(folder, *words), timeout_s=3000)
        assert done.status == 0, done.err
        assert "--json" not in words or done.document["n_failed"] == 0


def test_the_keys_of_the_window_are_those_of_its_own_list() -> None:
    rows = re.findall(r"^\| (\S+) \| (.*) \|$", (ROOT / "docs/gui.md").read_text(encoding="utf-8"), re.M)
    assert rows[1:] == [(key.keys, key.what) for key in KEYS]


def test_every_make_target_in_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.M)}
    assert {"run", "test", "reproduce"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
