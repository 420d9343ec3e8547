"""`tplm run` and `tplm analyse` as a user and a script meet them."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.program import QUICK, Finished, command, environment, settings, tplm, tplm_here
from tplm_daq.store.reader import RunFile, open_run

ROOT = Path(__file__).resolve().parents[2]
RUN_KEYS = {
    "run_file",
    "finish_reason",
    "method",
    "diffusivity_cm2_s",
    "ci95_cm2_s",
    "standard_error_cm2_s",
    "systematic_cm2_s",
    "n_points",
    "n_positions",
    "dwell_s",
    "wall_s",
    "calibrations",
    "truth",
}
ANALYSE_KEYS = {
    "method",
    "diffusivity_cm2_s",
    "standard_error_cm2_s",
    "ci95_cm2_s",
    "systematic_cm2_s",
    "sigma0_nm",
    "centre_nm",
    "background_counts_per_bin",
    "lifetime_ns",
    "t0_ns",
    "bias_lamp",
    "corrections",
    "warnings",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def measured(folder: Path) -> Finished:
    """Return the end of a program that measured a line in the folder, with a report."""
    changes = settings("path.n_positions=21", "passes.dwell=8s", "passes.n_passes=2", "rig.simulation.is_homed=true")
    done = tplm(folder, "run", "configs/scan_line.yaml", "--report", "--json", *changes)
    assert done.status == 0, done.err
    return done


def test_a_scan_ends_with_a_file_and_d_near_the_truth(measured: Finished, folder: Path) -> None:
    done, answer = measured, measured.document
    assert set(answer) == RUN_KEYS | {"report_file"}
    assert answer["finish_reason"] == "completed"
    assert (answer["n_points"], answer["n_positions"]) == (42, 21)
    assert answer["dwell_s"] == pytest.approx(21 * 8)
    low, high = answer["ci95_cm2_s"]
    assert low < answer["diffusivity_cm2_s"] < high
    deviation = answer["diffusivity_cm2_s"] - answer["truth"]["diffusivity_cm2_s"]
    assert abs(deviation) < 4 * answer["standard_error_cm2_s"]
    assert (folder / answer["run_file"]).is_file()
    assert "truth" in done.err
    assert str(answer["run_file"]) in done.err.replace("\n", "")

    again = tplm(folder, "analyse", answer["run_file"], "--json")
    assert again.status == 0, again.err
    assert set(again.document) >= ANALYSE_KEYS
    assert again.document["diffusivity_cm2_s"] == answer["diffusivity_cm2_s"]


def measured_quickly(run: Callable[..., Finished], folder: Path, *changes: str) -> RunFile:
    done = run(folder, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK, *changes))
    assert done.status == 0, done.err
    return open_run(folder / done.document["run_file"])


def test_the_seed_and_not_the_speed_makes_the_counts(tmp_path: Path) -> None:
    """In a process of its own, and at any speed, the same seed gives the same counts, another one others."""
    first = measured_quickly(tplm, tmp_path, "rig.simulation.speed=50")
    assert first.counts().sum() > 10_000
    for speed in ("400", "max", "max"):
        other = measured_quickly(tplm_here, tmp_path, f"rig.simulation.speed={speed}")
        np.testing.assert_array_equal(first.counts(), other.counts())
        np.testing.assert_array_equal(first.points["start_s"], other.points["start_s"])
    another = measured_quickly(tplm_here, tmp_path, "rig.simulation.seed=2")
    assert not np.array_equal(first.counts(), another.counts())


def test_a_report_is_one_page_that_needs_nothing_else(measured: Finished, folder: Path) -> None:
    report = Path(measured.document["report_file"])
    page = (folder / report).read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    assert str(report) in measured.err.replace("\n", "")


BAD_INPUT = {
    "misspelt key": (["passes.dwel=2s"], ["passes.dwel", "dwell"]),
    "missing unit": (["passes.dwell=2"], ["passes.dwell", '"2 s"']),
    "wrong unit": (["passes.dwell=2nm"], ["passes.dwell", "time"]),
    "width that the counter lacks": (["counter.bin_width=20ps"], ["20 ps", "Write 16 ps"]),
    "span longer than the period": (["counter.span=500ns"], ["500 ns", "400 ns"]),
    "too much power": (["light.average_power='1 uW'"], ["light.average_power", "100 nW"]),
    "unknown method": (["analysis.method=magic"], ["analysis.method", "poisson"]),
    "no such rig key": (["rig.simulation.sed=3"], ["simulation.sed", "seed"]),
    "path beyond the travel": (["path.half_width=40um"], ["outside", "Choose a smaller path"]),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_answered_with_what_to_write(name: str, tmp_path: Path) -> None:
    changes, says = BAD_INPUT[name]
    done = tplm_here(tmp_path, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK, *changes))
    assert done.status == 2, done.err
    for text in says:
        assert text in done.failure["message"]
    assert not list(tmp_path.glob("runs/*.h5"))


def test_a_manual_laser_without_a_terminal_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "run", "configs/scan_line.yaml", "--rig", "configs/rig_lab.yaml")
    assert done.status == 2
    assert "pass --yes" in done.err
    assert not list(tmp_path.iterdir())


def test_nobody_can_declare_that_a_knob_is_set_to_several_powers(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "run", "configs/series_power.yaml", "--rig", "configs/rig_lab.yaml", "--yes", "--json")
    assert done.status == 2
    assert "the 7 conditions of this series need it set differently" in done.failure["message"]
    assert "Leave --yes out and stay at the terminal" in done.failure["message"]
    assert not list(tmp_path.iterdir())


def test_a_missing_recipe_names_where_it_was_looked_for(tmp_path: Path) -> None:
    done = tplm(tmp_path, "run", "absent.yaml")
    assert done.status == 2
    assert "absent.yaml" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("method", ["auto", "poisson", "lsq", "paper"])
def test_imported_data_are_analysed(method: str, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "analyse", str(ROOT / "tests/data/example_line.npz"), "--method", method, "--json")
    assert done.status == 0, done.err
    answer = done.document
    assert set(answer) >= ANALYSE_KEYS
    assert all(math.isfinite(answer[key]) for key in ("diffusivity_cm2_s", "standard_error_cm2_s", "sigma0_nm"))
    if method in ("auto", "poisson"):
        assert abs(answer["diffusivity_cm2_s"] - 0.04) < 3 * answer["standard_error_cm2_s"]


def test_a_foreign_package_of_the_same_name_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "__init__.py").write_text("")
    done = subprocess.run(
        command("check", "configs/scan_line.yaml"),
        cwd=tmp_path,
        env=environment() | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the package `drivers` that Python finds is" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_needs_none_of_the_heavy_packages() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from tplm_daq.cli import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0, result.output\n"
        "print([name for name in ('numpy', 'h5py', 'pymeasure', 'PyQt6', 'scipy', 'numba') if name in sys.modules])\n"
    )
    done = subprocess.run([command()[0], "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
