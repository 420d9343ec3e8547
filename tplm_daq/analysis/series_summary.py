"""What a series of runs says: relaxation, three tests and Foerster radii, each with its interval or the reason why not.

Runs are compared within one sample at one temperature; a series over several of them is divided first. References and
conditions that were measured twice count as runs of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.average_power import average_power_only
from tplm_daq.analysis.excitation import excitation
from tplm_daq.analysis.forster import ForsterRadius, forster_radius
from tplm_daq.analysis.relaxation import Relaxation, fit_relaxation
from tplm_daq.analysis.series_table import SAME_LIGHT, SAME_TEMPERATURE_K, SeriesTable, series_table
from tplm_daq.analysis.series_tests import reversibility, signal_invariance
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

SPACING_ERROR_NM = 0.7
"""Standard error of the distance of nanocrystals; it makes up most of that of a Foerster radius."""


@dataclass(frozen=True)
class SeriesRun:
    """One run of a series, with its result.

    Attributes
    ----------
    label : str
        Its condition, such as "2 nW, 2.5 MHz".
    source : str
        Name of its file.
    is_reference : bool
        Whether it repeats the first condition.
    sample : str
        Name of the sample.
    detection_filter : str
        Name of the filter before the detector; empty if there is none.
    spot : str
        Where on the sample; empty if that was not varied.
    power_nw, repetition_rate_hz, temperature_k : float
        Mean conditions; temperature NaN if it was not measured.
    n_photons : int
        Counts in the fit window.
    diffusivity_cm2_s, standard_error_cm2_s : float
        Diffusivity and its statistical standard error.
    lifetime_ns, tail_exponent : tuple of float or None
        Value, low and high end of the 95 % interval; None where it was not determined.
    bias_lamp : str
        How far the diffusivity is to be trusted.
    truth_cm2_s : float or None
        Diffusivity of the simulated sample.
    """

    label: str
    source: str
    is_reference: bool
    sample: str
    detection_filter: str
    spot: str
    power_nw: float
    repetition_rate_hz: float
    temperature_k: float
    n_photons: int
    diffusivity_cm2_s: float
    standard_error_cm2_s: float
    lifetime_ns: tuple[float, float, float] | None
    tail_exponent: tuple[float, float, float] | None
    bias_lamp: str
    truth_cm2_s: float | None

    @property
    def forster(self) -> ForsterRadius | None:
        """Foerster radius that the diffusivity implies, None if it is not positive."""
        if self.diffusivity_cm2_s <= 0:
            return None
        lifetime = {} if self.lifetime_ns is None else {"lifetime_ns": self.lifetime_ns[0]}
        return forster_radius(
            self.diffusivity_cm2_s, self.standard_error_cm2_s, spacing_error_nm=SPACING_ERROR_NM, **lifetime
        )

    @property
    def fluence_uj_cm2(self) -> float:
        """Energy of a pulse per area, in the published convention."""
        return excitation(self.power_nw, self.repetition_rate_hz).fluence_uj_cm2


@dataclass(frozen=True)
class Finding:
    """Outcome of a test: its sentence with its numbers, or why it could not be made and no numbers."""

    verdict: str
    numbers: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SeriesGroup:
    """Runs of one sample at one temperature, in the order of measuring.

    Attributes
    ----------
    name : str
        Sample and temperature; empty if the series has one group.
    runs : tuple of SeriesRun
        The runs.
    """

    name: str
    runs: tuple[SeriesRun, ...]

    @cached_property
    def table(self) -> SeriesTable:
        """Columns of the runs."""
        return series_table(
            power_nw=[run.power_nw for run in self.runs],
            repetition_rate_hz=[run.repetition_rate_hz for run in self.runs],
            diffusivity_cm2_s=[run.diffusivity_cm2_s for run in self.runs],
            standard_error_cm2_s=[run.standard_error_cm2_s for run in self.runs],
            n_photons=[run.n_photons for run in self.runs],
            temperature_k=[run.temperature_k for run in self.runs],
        )

    @cached_property
    def relaxation(self) -> Relaxation | str:
        """How D falls with the time between excitations, or why that cannot be said."""
        try:
            return fit_relaxation(self.table.enhancement("the series"))
        except FitError as reason:
            return str(reason)

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """The tests by name."""
        return {
            "reversibility": _found(lambda: reversibility(self._there_and_back())),
            "signal invariance": _found(lambda: signal_invariance(self._filtered())),
            "average power only": _found(lambda: average_power_only(self.table)),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return relaxation and tests as plain numbers and texts; an interval without an end has None there."""
        found = self.relaxation
        if isinstance(found, str):
            relaxation: dict[str, Any] = {"reason": found}
        else:
            relaxation = {
                "tau_us": found.tau_us,
                "tau_error_us": found.tau_error_us,
                "tau_ci95_us": [end if np.isfinite(end) else None for end in found.tau_ci95_us],
                "d_0_cm2_s": float(found.d_0_cm2_s[0]),
                "d_0_error_cm2_s": float(found.d_0_error_cm2_s[0]),
                "d_inf_cm2_s": float(found.d_inf_cm2_s[0]),
                "d_inf_error_cm2_s": float(found.d_inf_error_cm2_s[0]),
                "chi_square": found.chi_square,
                "n_dof": found.n_dof,
                "p_value": found.p_value,
            }
        tests = {name: {"verdict": one.verdict, **(one.numbers or {})} for name, one in self.findings.items()}
        return {"name": self.name, "relaxation": relaxation, "tests": tests}

    def _there_and_back(self) -> SeriesTable:
        """Return the first run, the brightest after it, and the last one with the light of the first, at one spot."""
        light = 1.0 / self.table.t_exc_us
        at_first_spot = [i for i, run in enumerate(self.runs) if run.spot == self.runs[0].spot]
        again = [i for i in at_first_spot[2:] if abs(light[i] / light[0] - 1.0) <= SAME_LIGHT]
        if not again:
            return self.table
        between = [i for i in at_first_spot if 0 < i < again[-1]]
        return self.table.rows([0, max(between, key=lambda i: light[i]), again[-1]])

    def _filtered(self) -> SeriesTable:
        """Return the runs with the light that was seen through most filters."""
        filters = [run.detection_filter for run in self.runs]
        if len(set(filters)) < 2:
            raise FitError("Not tested: the detection filter was not varied.")
        alike = [np.abs(self.table.t_exc_us / t_exc_us - 1.0) <= SAME_LIGHT for t_exc_us in self.table.t_exc_us]
        return self.table.rows(max(alike, key=lambda rows: len({filters[i] for i in np.flatnonzero(rows)})))


@dataclass(frozen=True)
class SeriesSummary:
    """A series as a whole.

    Attributes
    ----------
    title, source : str
        Title of its recipe, and name of its folder.
    runs : tuple of SeriesRun
        Runs with a result, in the order of measuring.
    left_out : tuple of (str, str)
        Conditions without a result, with the reason.
    """

    title: str
    source: str
    runs: tuple[SeriesRun, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @cached_property
    def groups(self) -> tuple[SeriesGroup, ...]:
        """Runs of one sample at one temperature each."""
        parts: dict[str, list[SeriesRun]] = {}
        for run in self.runs:
            parts.setdefault(_group_name(run, self.runs), []).append(run)
        return tuple(SeriesGroup(name, tuple(runs)) for name, runs in parts.items())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings and lists, as ``tplm run --json`` prints it."""
        return {
            "runs": [_run_to_dict(run, group, i) for group in self.groups for i, run in enumerate(group.runs)],
            "groups": [group.to_dict() for group in self.groups],
            "left_out": [{"label": label, "reason": reason} for label, reason in self.left_out],
        }


def _group_name(run: SeriesRun, runs: Sequence[SeriesRun]) -> str:
    """Return what tells the run's group from others: sample, temperature, both or nothing."""
    words = [run.sample] if len({each.sample for each in runs}) > 1 else []
    known_k = [each.temperature_k for each in runs if np.isfinite(each.temperature_k)]
    if known_k and np.ptp(known_k) > SAME_TEMPERATURE_K:
        words.append(f"{round(run.temperature_k / SAME_TEMPERATURE_K) * SAME_TEMPERATURE_K:g} K")
    return ", ".join(words)


def _found(test: Callable[[], Any]) -> Finding:
    try:
        numbers = asdict(test())
    except FitError as reason:
        return Finding(str(reason))
    return Finding(numbers.pop("verdict"), numbers)


def _run_to_dict(run: SeriesRun, group: SeriesGroup, row: int) -> dict[str, Any]:
    forster = run.forster
    return {
        "label": run.label,
        "run_file": run.source,
        "sample": run.sample,
        "is_reference": run.is_reference,
        "power_nw": run.power_nw,
        "repetition_rate_hz": run.repetition_rate_hz,
        "temperature_k": run.temperature_k if np.isfinite(run.temperature_k) else None,
        "t_exc_us": float(group.table.t_exc_us[row]),
        "excitons_per_pulse": float(group.table.excitons_per_pulse[row]),
        "fluence_uj_cm2": run.fluence_uj_cm2,
        "diffusivity_cm2_s": run.diffusivity_cm2_s,
        "standard_error_cm2_s": run.standard_error_cm2_s,
        "forster_radius_nm": None if forster is None else forster.radius_nm,
        "forster_radius_error_nm": None if forster is None else forster.error_nm,
        "bias_lamp": run.bias_lamp,
    }
