"""Runs in a notebook: open a file, look at its counts, fit them, draw them, hand them on as an xarray.

>>> import tplm_daq as tplm
>>> run = tplm.open_run("runs/20260301-1200_film.h5")  # doctest: +SKIP
>>> run.analyse().diffusivity_cm2_s  # doctest: +SKIP
0.0709
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.pipeline import Result
from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.report.tabular import needing
from tplm_daq.store.importer import is_run_name, load_map
from tplm_daq.store.reader import RunFile
from tplm_daq.store.reader import open_run as read_run
from tplm_daq.workflow.analyse import analyse_file

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

PLOTS = ("map", "decay", "profiles", "msd")
"""What `Run.plot` draws."""


@dataclass(frozen=True, repr=False)
class Run:
    """A run file, or a map from elsewhere, as it was when it was opened.

    Attributes
    ----------
    path : Path
        The file.
    file : RunFile or None
        Points, settings, log and stored results of a run file; None for an imported map.
    map : TimePositionMap
        Counts summed per position, with everything that is needed to read them.
    """

    path: Path
    file: RunFile | None
    map: TimePositionMap

    @property
    def counts(self) -> NDArray[np.integer]:
        """Photons, shape (n_position, n_bin)."""
        return self.map.counts

    @property
    def positions(self) -> NDArray[np.float64]:
        """Centres of the detector pixel at the sample, x and y in nm, shape (n_position, 2)."""
        return np.column_stack([self.map.x_nm, self.map.y_nm])

    @property
    def delay(self) -> NDArray[np.float64]:
        """Centres of the delay bins in ns, shape (n_bin,); when the pulse came is `Result.t0_ns`."""
        return self.map.delay_ns

    @property
    def decay(self) -> NDArray[np.integer]:
        """Photons of all positions in each delay bin, shape (n_bin,)."""
        return np.asarray(self.counts.sum(axis=0))

    def profile(self, delay_ns: float, width_ns: float = 0.1) -> NDArray[np.integer]:
        """Return the photons at each position around a delay.

        Parameters
        ----------
        delay_ns : float
            Middle of the range, as in `delay`.
        width_ns : float
            Its width; a bin counts if its centre lies within.

        Returns
        -------
        ndarray of integers, shape (n_position,)
            Photons; their standard errors are the square roots.

        Raises
        ------
        InputError
            No bin lies in the range.
        """
        is_within = np.abs(self.delay - delay_ns) <= 0.5 * width_ns
        if not is_within.any():
            raise InputError(
                f"no delay bin lies within {width_ns:g} ns around {delay_ns:g} ns. The delays run from "
                f"{self.delay[0]:.4g} to {self.delay[-1]:.4g} ns in steps of {self.map.bin_width_ns:.3g} ns."
            )
        return np.asarray(self.counts[:, is_within].sum(axis=1))

    def analyse(self, method: str | None = None, changes: Sequence[str] = ()) -> Result:
        """Fit D as `tplm analyse` does.

        Parameters
        ----------
        method : str, optional
            Estimator; the default chooses between those of the likelihood.
        changes : sequence of str
            ``KEY=VALUE`` changes of the default analysis recipe, such as ``"window=2 ns"``.

        Raises
        ------
        InputError
            A change is not allowed.
        FitError
            The data cannot be fitted.
        """
        return analyse_file(self.path, method, changes)

    def plot(self, result: Result | None = None, what: str = "map") -> Figure:
        """Draw the run; a notebook shows the figure, elsewhere its `savefig` writes it.

        Parameters
        ----------
        result : Result, optional
            From `analyse`; its spot is drawn into the map. The other figures make one if none is given.
        what : str
            "map" (of a raster: the images), "decay", "profiles" or "msd".

        Raises
        ------
        InputError
            There is no such figure.
        FitError
            There is nothing to draw since the data cannot be fitted.
        """
        from tplm_daq.report.figures import draw_decay, draw_map, draw_msd, draw_profiles
        from tplm_daq.report.images import draw_images, is_raster

        if what not in PLOTS:
            raise InputError(f"there is no plot '{what}'. Choose one of {', '.join(PLOTS)}.")
        if what == "map":
            return draw_images(self.map, result) if is_raster(self.map) else draw_map(self.map, result)
        result = self.analyse() if result is None else result
        if what == "decay":
            return draw_decay(result, self.map.bin_width_ns)
        return draw_profiles(result) if what == "profiles" else draw_msd(result)

    def to_xarray(self) -> xarray.DataArray:
        """Return the counts with their coordinates x_nm, y_nm, delay_ns and, if known, dwell_s.

        Raises
        ------
        InputError
            The package xarray is not installed.
        """
        with needing("xarray"):
            import xarray

        data = self.map
        coordinates = {
            "x_nm": ("position", data.x_nm, {"units": "nm"}),
            "y_nm": ("position", data.y_nm, {"units": "nm"}),
            "delay_ns": ("delay_ns", data.delay_ns, {"units": "ns"}),
        }
        if data.dwell_s is not None:
            coordinates["dwell_s"] = ("position", data.dwell_s, {"units": "s"})
        known = {
            name: value
            for name in ("repetition_rate_hz", "t0_ns", "response_fwhm_ns", "pixel_nm", "dead_time_ns")
            if (value := getattr(data, name)) is not None
        }
        return xarray.DataArray(
            data.counts, coordinates, ("position", "delay_ns"), name="counts", attrs={"units": "counts", **known}
        )

    def __repr__(self) -> str:
        title = "" if self.file is None else f"{self.file.title}; "
        end = "" if self.file is None else f", {self.file.finish_reason or 'cut short or going on'}"
        n_position, n_bin = self.counts.shape
        return f"Run {self.path.name}: {title}{self.counts.sum():,} photons, {n_position} positions x {n_bin} bins{end}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from tplm_daq.report.html import table
        from tplm_daq.report.view import conditions_of_map, conditions_of_run

        rows = conditions_of_map(self.map) if self.file is None else conditions_of_run(self.file)
        title = self.path.name if self.file is None else self.file.title
        return "".join(table(title, {"file": self.path.name, "photons": f"{self.counts.sum():,}", **rows}))


def open_run(path: str | Path) -> Run:
    """Open a run file (.h5) or a map from elsewhere (.npz, .csv, .ptu).

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Run
        What is in it now.

    Raises
    ------
    InputError
        It is missing, damaged, of no known format, or holds no points.
    """
    path = Path(path)
    file = read_run(path) if is_run_name(path) else None
    return Run(path, file, load_map(path) if file is None else file.map())
