"""Setting up, as README and the tour type it, in a fresh clone: with make, and line by line where there is no make.

Nothing is fetched: the packages that these tests run with are lent to the new environments.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.end_to_end.program import environment
from tests.test_docs import ROOT, texts

pytestmark = pytest.mark.timeout(600)
NOT_IN_GIT = shutil.ignore_patterns(
    ".git", ".venv", "runs", "out", "build", "dist", "__pycache__", ".*_cache", ".hypothesis", ".coverage*"
)
OWN = re.compile(r"tplm_daq|_?tplm|pip\b|pip-")
"""What a new environment has of its own."""
DIFFUSIVITY = re.compile(r"D +0\.0\d+ cm²/s, 95 % interval")
FEW_TESTS = "tests/recipes/test_finding.py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the files as they are, committed or not."""
    folder = tmp_path_factory.mktemp("origin") / "tplm.git"
    shutil.copytree(ROOT, folder, ignore=NOT_IN_GIT)
    me = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    for words in (("init", "--quiet"), ("add", "."), (*me, "commit", "--quiet", "--message", "as it is")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which pip asks no registry and finds all packages there, but not this one."""
    lent = tmp_path_factory.mktemp("lent")
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for package in Path(place).iterdir():
            if not OWN.match(package.name):
                (lent / package.name).symlink_to(package)
    return environment() | {"PYTHONPATH": str(lent), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}


def finished(script: str, folder: Path, env: dict[str, str]) -> str:
    """Run lines in a shell, ending at the first that fails, and return all they print."""
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def begun(
    repository: Path, offline: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """Type the first block of the tour; return the clone, and what was said."""
    folder = tmp_path_factory.mktemp("begun")
    typed = texts("sh", "tour.md")[0].replace("THIS-REPOSITORY", shlex.quote(str(repository)))
    return folder / "tplm", finished(f"{typed}command -v tplm", folder, offline).splitlines()


def test_the_tour_begins_in_a_fresh_clone(begun: tuple[Path, list[str]]) -> None:
    clone, said = begun
    assert said[-1] == str(clone / ".venv/bin/tplm")
    assert [line for line in said if DIFFUSIVITY.match(line)]
    assert [page.suffix for page in clone.glob("runs/*.html")] == [".html"]


def test_make_does_what_readme_says(repository: Path) -> None:
    """`make run` is run above, and `make test` is how these tests are run: with all that it runs besides."""
    first, second = (shlex.split(line, comments=True) for line in texts("sh", "README.md")[0].splitlines())
    assert (first, second) == (["make", "run"], ["make", "test"])
    assert first in [line.split() for line in texts("sh", "tour.md")[0].splitlines()]
    assert (repository / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "exec make test"


def test_without_make(begun: tuple[Path, list[str]], offline: dict[str, str]) -> None:
    """PowerShell's lines, with the names that programs and folders have on this system; of the tests, a few."""
    clone, _ = begun
    shutil.rmtree(clone / ".venv")
    shutil.rmtree(clone / "runs")
    (shown,) = texts("powershell")
    lines = shown.replace("\\", "/").replace(".venv/Scripts/", ".venv/bin/")
    (needed,) = re.findall(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    python = f"py -{needed} "
    assert lines.startswith(python)
    typed = lines.replace(python, f"{shlex.quote(sys.executable)} ", 1)
    said = finished(typed, clone, offline | {"PYTEST_ADDOPTS": FEW_TESTS}).splitlines()
    assert [line for line in said if DIFFUSIVITY.match(line)]
    assert len(list(clone.glob("runs/*.html"))) == 1
    assert re.search(r"\d+ passed", said[-1])
