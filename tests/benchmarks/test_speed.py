"""How fast it is, against what one would use instead; printed by `make bench`, never a reason to fail CI."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit

from tests.analysis.synthetic import Scene, drawn
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.store.layout import PointFlags, PointRow, RunHeader
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.scan import ScanJob

pytestmark = pytest.mark.slow


def interleaved(first: Callable[[], object], second: Callable[[], object], n_rounds: int = 5) -> tuple[float, float]:
    """Return the median times in s of two calls that take turns, so that a busy machine slows both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(n_rounds):
        for call, taken in zip((first, second), times, strict=True):
            began = time.perf_counter()
            call()
            taken.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n  {text}")


def gauss(x: np.ndarray, height: float, centre: float, variance: float) -> np.ndarray:
    return height * np.exp(-((x - centre) ** 2) / (2 * variance))


def slope(x: np.ndarray, height: float, centre: float, variance: float) -> np.ndarray:
    shape = np.exp(-((x - centre) ** 2) / (2 * variance))
    u = x - centre
    return np.stack([shape, height * shape * u / variance, height * shape * u**2 / (2 * variance**2)], axis=1)


def test_gaussian_per_bin_against_a_curve_fit_loop(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(-1000.0, 1000.0, 41)
    variances = np.linspace(250.0**2, 320.0**2, 2000)
    values = rng.poisson(gauss(x[:, None], 400.0, 20.0, variances)).astype(float)

    def loop() -> None:
        for column in values.T[:100]:
            curve_fit(gauss, x, column, p0=(column.max(), 0.0, 250.0**2), jac=slope, xtol=1e-12, ftol=1e-12)

    fit_gaussians(x, values)
    ours, theirs = interleaved(lambda: fit_gaussians(x, values), loop)
    ratio = (theirs / 100) / (ours / values.shape[1])
    report(capsys, f"Gaussian per bin: {ratio:.0f} x a curve_fit loop with analytic Jacobian")
    assert ratio > 20


def test_global_fit(capsys: pytest.CaptureFixture[str]) -> None:
    data = drawn(Scene(), np.random.default_rng(2))
    recipe = AnalysisRecipe()
    analyse(data, recipe)
    whole, nothing = interleaved(lambda: analyse(data, recipe), lambda: data.counts.sum(), n_rounds=21)
    n_position, n_bin = data.counts.shape
    report(capsys, f"D with everything beside it, {n_position} x {n_bin}: {whole * 1e3:.1f} ms")
    assert whole > nothing


def test_point_on_disk(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    n_bin = 65_536
    delay_ns = (np.arange(n_bin) + 0.5) * 0.004
    nowhere_nm, pixel_nm = np.zeros((1, 2)), (101.0, 101.0)
    header = RunHeader("speed", "", "", {}, delay_ns, 2.5e6, None, None, pixel_nm, 95.0, "x", nowhere_nm, 0.0)
    counts = np.random.default_rng(3).poisson(50 * np.exp(-delay_ns / 20)).astype(np.uint32)
    row = PointRow(0, 0, *[0.0] * 6, *[1.0] * 6, PointFlags(0), 0.0, 1.0)
    plain = tmp_path / "plain.bin"

    def raw() -> None:
        with plain.open("ab") as file:
            file.write(counts.tobytes())

    with RunWriter.create(tmp_path / "run.h5", header) as writer:
        ours, bare = interleaved(lambda: writer.append(row, counts), raw, n_rounds=51)
    report(
        capsys,
        f"point of 65 536 bins, compressed, flushed, fsynced: {ours * 1e3:.1f} ms ({ours / bare:.0f} x raw bytes)",
    )


class Nobody:
    name = "nobody"

    def set_by_hand(self, what: str, quantities: object) -> None:
        raise AssertionError(what)


def test_simulated_scan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [])
    walls = [ScanJob(scan, rig, tmp_path, Nobody()).run().wall_s for _ in range(3)]
    report(capsys, f"41 positions, 820 s of dwell, 410 points at speed max: {statistics.median(walls):.1f} s")


def test_help_against_a_bare_program(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text(
        "import typer\napp = typer.Typer()\n"
        "@app.command()\ndef one() -> None: ...\n@app.command()\ndef two() -> None: ...\napp()\n"
    )

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments, "--help"], check=True, capture_output=True)

    ours, theirs = interleaved(lambda: run("-m", "tplm_daq"), lambda: run(str(bare)))
    report(capsys, f"tplm --help: {ours / theirs:.2f} x a bare typer program")
    assert ours / theirs < 5
