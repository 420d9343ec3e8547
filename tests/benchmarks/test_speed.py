"""How fast it is, against what one would use instead; printed by `make bench`, never a reason to fail CI."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.optimize import curve_fit

from tests.analysis.synthetic import Scene, drawn
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.store import layout
from tplm_daq.store.columns import Appender, create_columns
from tplm_daq.store.layout import PointFlags, PointRow, RunHeader
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.check import check_scan
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
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


def test_row_of_points_against_h5py(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    dtypes = {name: layout.POINT_DTYPE[name] for name in layout.POINT_COLUMNS}
    with h5py.File(tmp_path / "ours.h5", "w") as one, h5py.File(tmp_path / "theirs.h5", "w") as other:
        for file in (one, other):
            create_columns(file.create_group("points"), dtypes)
        appender, rows = Appender(one["points"]), itertools.count()

        def plain() -> None:
            for column in other["points"].values():
                column.resize(len(column) + 1, axis=0)
                column[-1] = 1
            other.flush()

        ours, theirs = interleaved(lambda: appender.append(next(rows), dict.fromkeys(dtypes, 1)), plain, n_rounds=101)
    report(capsys, f"row of {len(dtypes)} columns: {ours * 1e3:.2f} ms, {theirs / ours:.1f} x as fast as through h5py")
    assert theirs / ours > 2


def test_simulated_scan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [])
    taken: list[tuple[float, float]] = []
    for _ in range(3):
        began_s = time.process_time()
        wall_s = ScanJob(scan, rig, tmp_path, Nobody()).run().wall_s
        taken.append((wall_s, time.process_time() - began_s))
    (wall_s, cpu_s), simulated_s = statistics.median(taken), check_scan(scan, rig).time_s
    faster = simulated_s / wall_s
    report(
        capsys, f"410 points of 2 s at speed max: {wall_s:.1f} s ({cpu_s:.1f} s of processor), {faster:.0f} x real time"
    )
    assert faster > 20


def test_start_of_a_scan_against_the_libraries_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    needed = "import numpy, scipy.optimize, scipy.interpolate, numba, h5py, pydantic, pint, typer, rich, pyvisa, serial"
    shortest = ("path.n_positions=5", "path.centre=0 nm", "passes.n_passes=1", "passes.dwell=1s")
    changes = [word for change in (*shortest, "rig.simulation.is_homed=true") for word in ("--set", change)]

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    scan = ("-m", "tplm_daq", "run", "configs/scan_line.yaml", "--out", str(tmp_path), *changes)
    ours, theirs = interleaved(lambda: run(*scan), lambda: run("-c", needed), n_rounds=3)
    report(capsys, f"tplm run with five points: {ours:.1f} s, {ours / theirs:.1f} x importing its libraries")
    assert ours / theirs < 6


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
