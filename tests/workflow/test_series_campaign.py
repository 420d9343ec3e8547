"""The whole chain over several seeds: a power series on the simulated rig finds each diffusivity as its errors say.

Recipe, drivers, doubles on the wire, photons with dead times and after-pulses, power noise, drift, passes, run files
and analysis are those of every series; only the seed changes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.program import finish, start

N_SEEDS = 6


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_diffusivities_of_a_series_scatter_around_the_truth_as_their_errors_say(tmp_path: Path) -> None:
    z = []
    for seed in range(1, N_SEEDS + 1):
        change = ("--set", f"rig.simulation.seed={seed}")
        program = start(tmp_path, "run", "configs/series_power.yaml", *change, "--out", f"series-{seed}", "--json")
        done = finish(program, timeout_s=1200)
        assert done.status == 0
        for point in done.document["points"]:
            truth = point["truth"]["diffusivity_cm2_s"]
            z.append((point["diffusivity_cm2_s"] - truth) / point["standard_error_cm2_s"])
    n, spread = len(z), float(np.sqrt(np.mean(np.square(z))))
    covered = float(np.mean(np.abs(z) < 1.96))
    print(f"\n{n} scans: rms z {spread:.2f}, coverage {covered:.1%}")
    assert abs(np.mean(z)) < 4 / np.sqrt(n)
    assert abs(spread - 1) < 4 / np.sqrt(2 * n)
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)
