"""Columns that show themselves as a table in a notebook and go on to pandas and xarray."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

from tplm_daq.errors import InputError
from tplm_daq.report.numbers import label_and_unit, value_with_error
from tplm_daq.store.units import unit_of

if TYPE_CHECKING:
    import pandas
    import xarray

ERRORS = {
    "diffusivity_cm2_s": "standard_error_cm2_s",
    "d_sim_cm2_s": "standard_error_cm2_s",
    "measured_cm2_s": "measured_error_cm2_s",
    "lattice_cm2_s": "lattice_error_cm2_s",
}
"""Columns whose values are shown together with their standard errors, which stand in another one."""


class Tabular(ABC):
    """Something with columns; each name ends in its unit."""

    row_name = "row"
    """What a row is: the dimension of an xarray."""
    not_shown: tuple[str, ...] = ()
    """Columns that a notebook's table leaves out."""

    @abstractmethod
    def columns(self) -> dict[str, Sequence[object]]:
        """Return the columns by name: equally long, one entry per row."""

    @abstractmethod
    def caption(self) -> str:
        """Return what the table shows and what came of it, as text; a line for each statement."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.caption()}"

    def _repr_html_(self) -> str:
        """Return the table as a notebook shows it."""
        from tplm_daq.report.html import grid

        columns = self.columns()
        left_out = {*ERRORS.values(), *self.not_shown}
        shown = {name: column for name, column in columns.items() if name not in left_out}
        cells = [_cells(column, columns.get(ERRORS.get(name, ""))) for name, column in shown.items()]
        said = "<br>".join(map(escape, self.caption().split("\n")))
        return f"<p>{said}</p>" + "".join(grid([_heading(name) for name in shown], zip(*cells, strict=True)))

    def to_pandas(self) -> pandas.DataFrame:
        """Return the columns as a data frame.

        Raises
        ------
        InputError
            The package pandas is not installed.
        """
        with needing("pandas"):
            import pandas
        return pandas.DataFrame(self.columns())

    def to_xarray(self) -> xarray.Dataset:
        """Return the columns as a data set, with their units.

        Raises
        ------
        InputError
            The package xarray is not installed.
        """
        with needing("xarray"):
            import xarray
        return xarray.Dataset(
            {
                name: (self.row_name, list(column), {"units": unit} if (unit := unit_of(name)) else {})
                for name, column in self.columns().items()
            },
            attrs={"title": self.caption().split("\n")[0]},
        )


@contextmanager
def needing(package: str) -> Iterator[None]:
    """Raise InputError, with what to install, if a package to which data are handed on cannot be imported."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"to_{package} needs the package {package}: pip install {package}") from error


def _heading(name: str) -> str:
    label, unit = label_and_unit(name)
    return f"{label} ({unit})" if unit else label


def _cells(column: Sequence[object], errors: Sequence[object] | None) -> list[str]:
    if errors is None:
        return [_cell(value) for value in column]
    return [value_with_error(float(str(value)), float(str(error))) for value, error in zip(column, errors, strict=True)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))
