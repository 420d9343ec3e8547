"""A programme that has been carried out, on paper: runs of a law with noise, and a small lattice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from tests.analysis.series_runs import series_run
from tplm_daq.analysis.series_summary import SeriesGroup, SeriesRun
from tplm_daq.kmc.observe import Observation
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.workflow.kmc import run_sweep

PRESETS = {
    "ola-oa": (0.01, 0.15, 6.0),
    "zwitterionic": (0.012, 0.14, 6.0),
    "ald-alox": (0.01, 0.06, 6.0),
    "cald-alox": (0.003, 0.03, 10.8),
}


def drawn(rng, power_nw, d_inf=0.01, d_0=0.15, tau_us=6.0, factor=1.0, error=5e-4, **changes) -> SeriesRun:
    """Return a run whose diffusivity is that of a law, with the noise that its error says."""
    d = factor * (d_inf + (d_0 - d_inf) * np.exp(-50.0 / power_nw / tau_us))
    return series_run(
        power_nw,
        diffusivity_cm2_s=float(d + error * rng.normal()),
        standard_error_cm2_s=error,
        truth_cm2_s=float(d),
        **changes,
    )


def the_runs(rng, **law) -> dict[str, list[SeriesRun]]:
    """Return the runs of every series of the programme; `law` changes the sample, away from what is published."""
    powers = (0.5, 1.0, 2.0, 3.5, 6.0, 10.0, 15.0, 20.0)
    relative = {300.0: 1.0, 250.0: 1.3, 150.0: 2.0, 50.0: 0.8, 5.0: 0.4}
    return {
        "power": [drawn(rng, p, **law) for p in powers],
        "cold": [drawn(rng, p, tau_us=40.0, factor=0.16, error=2e-4, temperature_k=50.0) for p in powers],
        "rate": [drawn(rng, f, repetition_rate_hz=1e6 * f, **law) for f in (0.5, 1.0, 5.0, 20.0)],
        "constant-power": [
            drawn(rng, p, repetition_rate_hz=1e6 * f, **law) for p in (2.5, 10.0) for f in (0.5, 1.0, 2.5, 20.0)
        ],
        "rare": [drawn(rng, p, repetition_rate_hz=1.25e5 * p) for p in (0.5, 0.25)],
        "reversibility": [drawn(rng, p, spot=spot) for spot in ("a", "b") for p in (1.5, 6.0, 1.5)],
        "filters": [
            drawn(rng, p, detection_filter=name, n_photons=n)
            for p in (2.0, 10.0)
            for name, n in (("open", 10**6), ("OD 0.6", 250_000), ("OD 1", 100_000))
        ],
        "temperature": [
            drawn(rng, 1.0, *PRESETS[name], factor=factor, temperature_k=kelvin, sample=name)
            for name in ("ola-oa", "zwitterionic")
            for kelvin, factor in relative.items()
        ],
        "treatments": [
            drawn(rng, p, *law_, sample=name) for name, law_ in PRESETS.items() for p in (1.0, 2.5, 5.0, 10.0, 20.0)
        ],
        **{
            f"limit-{dwell}": [
                drawn(rng, p, *PRESETS["cald-alox"], detection_filter=name, n_photons=n)
                for p in (0.5, 2.0, 3.0)
                for name, n in (("open", 10**6), ("OD 0.6", 250_000))
            ]
            for dwell in ("10s", "30s", "90s")
        },
    }


LATTICE = KmcRecipe(
    kind="kmc",
    title="small",
    alpha=(0.04, 0.16),
    tau_pulse_ns=("50 ns", "0.2 us", "0.8 us", "3.2 us"),
    n_pulses=60,
)


@dataclass
class CarriedOut:
    """Stands for `Measured`, without files."""

    of: dict[str, list[SeriesRun]]
    points: tuple[Observation, ...] = ()

    def runs(self, *names: str) -> tuple[SeriesRun, ...]:
        return tuple(run for name in names for run in self.of[name])

    def group(self, *names: str) -> SeriesGroup:
        return SeriesGroup("", self.runs(*names))

    def lattice(self, name: str) -> tuple[Observation, ...]:
        return self.points[:1] if name == "snapshot" else self.points

    def lattice_task(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(recipe=LATTICE)

    def sources(self, part: str) -> tuple[()]:
        return ()

    def left_out(self, part: str) -> tuple[str, ...]:
        return ()


def carried_out(seed: int = 1, with_lattice: bool = False, **law: float) -> CarriedOut:
    points = run_sweep(LATTICE, n_workers=1).points if with_lattice else ()
    return CarriedOut(the_runs(np.random.default_rng(seed), **law), points)


def moved(run: SeriesRun, by_cm2_s: float) -> SeriesRun:
    return replace(run, diffusivity_cm2_s=run.diffusivity_cm2_s + by_cm2_s)
