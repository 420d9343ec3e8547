"""One row per run of a series: the light, the temperature, and the diffusivity with its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tplm_daq.analysis.excitation import ANCHOR_SPOT_FWHM_NM, excitons_by_anchor, t_exc_us
from tplm_daq.analysis.relaxation import EnhancementSeries
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

SIGNIFICANCE = 0.05
"""Probability below which a test of a series calls a difference significant."""

SAME_LIGHT = 0.02
"""Average powers (inverse t_exc) that differ by less, relatively, count as the same."""

SAME_TEMPERATURE_K = 2.0


@dataclass(frozen=True)
class SeriesTable:
    """Columns of a series, one entry per run, in the order of measurement.

    Attributes
    ----------
    power_nw : ndarray of float64, shape (n_run,)
        Time-averaged power at the sample, in nW.
    repetition_rate_hz : ndarray of float64, shape (n_run,)
        Pulse rate in Hz.
    spot_fwhm_nm : ndarray of float64, shape (n_run,)
        Full width at half maximum of the excitation spot, in nm.
    temperature_k : ndarray of float64, shape (n_run,)
        Temperature of the sample, in K; NaN where it was not measured.
    excitons_per_pulse : ndarray of float64, shape (n_run,)
        Mean number of photons absorbed per nanocrystal and pulse, <N>.
    t_exc_us : ndarray of float64, shape (n_run,)
        Mean time between two excitations of a nanocrystal, in us.
    n_photons : ndarray of float64, shape (n_run,)
        Counts that entered the fit; NaN where not known.
    diffusivity_cm2_s, standard_error_cm2_s : ndarray of float64, shape (n_run,)
        Diffusivity per axis and its standard error, in cm2/s.
    """

    power_nw: FloatArray
    repetition_rate_hz: FloatArray
    spot_fwhm_nm: FloatArray
    temperature_k: FloatArray
    excitons_per_pulse: FloatArray
    t_exc_us: FloatArray
    n_photons: FloatArray
    diffusivity_cm2_s: FloatArray
    standard_error_cm2_s: FloatArray

    def __len__(self) -> int:
        return len(self.power_nw)

    def rows(self, chosen: NDArray[np.bool_] | Sequence[int] | slice) -> SeriesTable:
        """Return some of the rows, for example ``table.rows(table.temperature_k > 290)``."""
        index = chosen if isinstance(chosen, slice) else np.asarray(chosen)
        return SeriesTable(**{name: column[index] for name, column in self.columns().items()})

    def columns(self) -> dict[str, FloatArray]:
        """Return the columns by name, to write or to draw."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def enhancement(self, name: str = "series") -> EnhancementSeries:
        """Return what `tplm_daq.analysis.relaxation.fit_relaxation` takes."""
        return EnhancementSeries(self.t_exc_us, self.diffusivity_cm2_s, self.standard_error_cm2_s, name)


def series_table(
    power_nw: ArrayLike,
    repetition_rate_hz: ArrayLike,
    diffusivity_cm2_s: ArrayLike,
    standard_error_cm2_s: ArrayLike,
    *,
    n_photons: ArrayLike = np.nan,
    temperature_k: ArrayLike = np.nan,
    spot_fwhm_nm: ArrayLike = ANCHOR_SPOT_FWHM_NM,
    excitons_per_pulse: ArrayLike | None = None,
) -> SeriesTable:
    """Put a series together; single numbers hold for every run.

    Parameters
    ----------
    power_nw, repetition_rate_hz, diffusivity_cm2_s, standard_error_cm2_s, n_photons, temperature_k, spot_fwhm_nm
        Columns of `SeriesTable`.
    excitons_per_pulse : array_like, optional
        <N>; without it the published value, <N> = 0.08 at 10 nW, 2.5 MHz, 500 nm, is scaled.

    Returns
    -------
    SeriesTable
        The table.

    Raises
    ------
    FitError
        If the columns do not fit together, or light or rate are not positive.

    Examples
    --------
    >>> table = series_table([1.0, 10.0], 2.5e6, [0.012, 0.07], [0.001, 0.001])
    >>> [round(float(value), 3) for value in (*table.excitons_per_pulse, *table.t_exc_us)]
    [0.008, 0.08, 50.0, 5.0]
    """
    given = [power_nw, repetition_rate_hz, spot_fwhm_nm, temperature_k, n_photons]
    given += [diffusivity_cm2_s, standard_error_cm2_s] + ([] if excitons_per_pulse is None else [excitons_per_pulse])
    try:
        columns = [column.copy() for column in np.broadcast_arrays(*(np.atleast_1d(each) for each in given))]
    except ValueError as exc:
        raise FitError(f"The columns of a series must have one entry per run: {exc}.") from exc
    power, rate, spot, temperature, photons, diffusivity, error, *rest = (np.asarray(c, np.float64) for c in columns)
    for name, column in {"power_nw": power, "repetition_rate_hz": rate, "spot_fwhm_nm": spot}.items():
        if not np.all(np.isfinite(column) & (column > 0)):
            raise FitError(f"{name} must be finite and positive in every run.")
    excitons = rest[0] if rest else np.asarray(excitons_by_anchor(power, rate, spot))
    return SeriesTable(power, rate, spot, temperature, excitons, t_exc_us(excitons, rate), photons, diffusivity, error)


def require_runs(table: SeriesTable, fewest: int) -> None:
    """Raise FitError unless the runs can be compared: enough of them, with errors, light, and one temperature."""
    if len(table) < fewest:
        raise FitError(f"{len(table)} runs given; at least {fewest} are needed.")
    if not np.all(np.isfinite(table.diffusivity_cm2_s)):
        raise FitError("Some diffusivity is not a finite number; leave such runs out.")
    if not np.all(np.isfinite(table.standard_error_cm2_s) & (table.standard_error_cm2_s > 0)):
        raise FitError("Every diffusivity needs a standard error above zero.")
    if not np.all(np.isfinite(table.t_exc_us)):
        raise FitError("Every run needs light; t_exc must be finite.")
    known_k = table.temperature_k[np.isfinite(table.temperature_k)]
    if len(known_k) and np.ptp(known_k) > SAME_TEMPERATURE_K:
        raise FitError(
            f"The runs lie {np.ptp(known_k):.3g} K apart; the test is about light alone. Choose the rows of one "
            f"temperature (within {SAME_TEMPERATURE_K:g} K)."
        )
