"""The house stands as it is drawn: import contracts hold, and each planted violation of them is caught."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tplm_daq", "drivers", "simulators")
DEVICE_SIDE_IMPORTS = {"pymeasure", "pyvisa", "serial", "numpy", "scipy", "numba"}

PLANTED = {
    "a driver imports the program": ("drivers/planted.py", "import tplm_daq.errors\n"),
    "a driver imports a double": ("drivers/planted.py", "import simulators.clock\n"),
    "a double imports a driver": ("simulators/planted.py", "import drivers.kst101\n"),
    "Qt outside gui": ("tplm_daq/workflow/planted.py", "import PyQt6\n"),
    "pyqtgraph in the terminal": ("tplm_daq/terminal.py", "import pyqtgraph\n"),
    "h5py outside store": ("tplm_daq/analysis/planted.py", "import h5py\n"),
    "matplotlib outside report": ("tplm_daq/workflow/planted.py", "import matplotlib\n"),
    "acquire imports analysis": ("tplm_daq/acquire/planted.py", "import tplm_daq.analysis\n"),
    "analysis imports the rig": ("tplm_daq/analysis/planted.py", "import tplm_daq.rig\n"),
    "the store looks up": ("tplm_daq/store/planted.py", "import tplm_daq.workflow\n"),
    "acquire imports a driver": ("tplm_daq/acquire/planted.py", "import drivers.kst101\n"),
    "a folder without a place": ("tplm_daq/planted.py", "A = 1\n"),
    "hidden in a function": ("tplm_daq/acquire/planted.py", "def f():\n    import tplm_daq.analysis\n"),
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", root / "pyproject.toml", "--no-cache"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_import_contracts_hold(copy_of_the_house: Path) -> None:
    finished = lint_imports(copy_of_the_house)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_caught(name: str, copy_of_the_house: Path) -> None:
    place, line = PLANTED[name]
    path = copy_of_the_house / place
    path.write_text(path.read_text() + line if path.exists() else line)
    finished = lint_imports(copy_of_the_house)
    assert finished.returncode == 1, finished.stdout
    assert "BROKEN" in finished.stdout


def imported_names(path: Path) -> list[tuple[str, bool]]:
    """Return the top-level package of each import and whether it stands inside a function."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.name.split(".")[0], id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.append((node.module.split(".")[0], id(node) in inside))
    return names


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ["drivers", "simulators"])
def test_the_device_side_needs_few_packages(package: str) -> None:
    allowed = DEVICE_SIDE_IMPORTS | {package} | set(sys.stdlib_module_names)
    found = {(path.name, name) for path in sources(package) for name, _ in imported_names(path) if name not in allowed}
    assert not found


def test_doubles_are_imported_only_by_the_rig_and_only_inside_functions() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), is_inside)
        for path in sources("tplm_daq")
        for name, is_inside in imported_names(path)
        if name == "simulators"
    }
    assert found == {("tplm_daq/rig/simulated.py", True)}


def test_broad_excepts_stand_only_where_they_are_named() -> None:
    allowed = {
        "tplm_daq/acquire/runner.py",
        "tplm_daq/cli.py",  # libraries make errors of their own of an interruption
        "tplm_daq/rig/safe_state.py",
        "tplm_daq/gui/bridge.py",
        "simulators/tcspc/table.py",  # an exception cannot cross into C: it becomes an error code
        "drivers/bounded_visa.py",  # pyvisa-py raises plain Exceptions
        "drivers/visa_errors.py",
    }
    found = set()
    for path in [path for package in PACKAGES for path in sources(package)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                is_passed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if caught in ("everything", "Exception", "BaseException") and not is_passed_on:
                    found.add(path.relative_to(ROOT).as_posix())
    assert found <= allowed


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_files_stay_readable(package: str) -> None:
    too_long = {path.name: n for path in sources(package) if (n := len(path.read_text().splitlines())) > 300}
    assert not too_long


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_stay_short(package: str) -> None:
    too_long = {}
    for path in sources(package):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                is_kernel = any("jit" in ast.unparse(decorator) for decorator in node.decorator_list)
                body = node.body[1:] if ast.get_docstring(node) else node.body
                n_lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
                if n_lines > (80 if is_kernel else 60):
                    too_long[f"{path.name}:{node.name}"] = n_lines
    assert not too_long
