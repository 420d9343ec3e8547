"""Every name in a run file, in one place: groups, columns with dtype and unit, and the format's version.

The file is HDF5 with NeXus attributes (NeXus user manual, "Data groups and attributes": `@NX_class`,
`@default`, `@signal`, `@axes`, `@units`), laid out as::

    /                        NXroot        @default=entry, what wrote the file
    `-- entry                NXentry       @default=data (while the run lasts: points), format_version, title,
        |                                  start_time, end_time, finish_reason, program_name (with @version)
        |-- environment      NXcollection  versions of Python, HDF5 and the packages, the platform
        |-- session          NXcollection  what the operator noted: sample, operator, objective ...
        |-- recipe, rig      NXnote        data (YAML text with @sha256), type
        |-- instrument       NXinstrument
        |   |-- source       NXsource      repetition_rate_hz
        |   |-- detector     NXdetector    pixel_nm (x, y); dead_time_ns, response_fwhm_ns, t0_ns if known
        |   `-- <device>     NXcollection  start, end (resumed runs: start_2 ...): every setting, or an error
        |-- points           NXdata        one column per quantity, one row per point; @n_rows, @position_axis
        |-- counts           uint32        (n_point, n_bin), one compressed chunk per point
        |-- words            NXcollection  if they are kept: `records` uint32 (n_word,) in mode t3; of each point the
        |                                  `first` of its records and their `number`; record_type, channel
        |-- delay_ns         float64       (n_bin,), bin centres
        |-- path_nm          float64       (n_position, 2), x and y asked for at each index
        |-- clock_zero_s     float64       the rig's clock at the start of the run
        |-- log              NXcollection  time, level, text: one row per event; @n_rows
        |-- data             NXdata        counts summed per position, written when the run ends: (position, delay),
        |                                  of a whole raster (y, x, delay)
        |-- analysis_1 ...   NXprocess     method, date, recipe and a group `result`
        `-- truth            NXcollection  what the simulated sample was; only on a simulated rig

A row of `points` (with its counts) or `log` exists once `@n_rows` says so: the writer raises that number
after the row is in the file, so a process killed between the two leaves a row that nobody reads.
A name ends in its unit (`dwell_s`, `x_nm`); `units.unit_of` turns the end into the `@units` attribute.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.readings import TagSource

FORMAT_VERSION = 1
"""Raised when a file written now would be misread by yesterday's reader."""

DISTRIBUTION = "tplm-daq"
"""Name under which the program is installed; its version goes into every file."""

ENTRY = "entry"
TITLE, START_TIME, END_TIME, FINISH_REASON = "title", "start_time", "end_time", "finish_reason"
VERSION = "format_version"
PROGRAM = "program_name"
ENVIRONMENT, SESSION, RECIPE, RIG, TRUTH = "environment", "session", "recipe", "rig", "truth"
NOTE_TEXT, NOTE_TYPE, NOTE_HASH = "data", "type", "sha256"
YAML_TYPE = "application/yaml"
INSTRUMENT = "instrument"
SOURCE, DETECTOR = "instrument/source", "instrument/detector"
REPETITION_RATE = "repetition_rate_hz"
PIXEL, DEAD_TIME, RESPONSE, T0 = "pixel_nm", "dead_time_ns", "response_fwhm_ns", "t0_ns"
SNAPSHOT_TIME, SNAPSHOT_ERROR = "time", "error"
POINTS, COUNTS, DELAY = "points", "counts", "delay_ns"
SWEEP_POINT = "point_"
"""Begins the name of each condition below `POINTS` in a file of lattice simulations; see `tplm_daq.store.sweeps`."""
WORDS, RECORDS, FIRST, NUMBER = "words", "records", "first", "number"
RECORD_TYPE, CHANNEL = "record_type", "channel"
PATH, CLOCK_ZERO = "path_nm", "clock_zero_s"
N_ROWS, POSITION_AXIS = "n_rows", "position_axis"
LOG, LOG_COLUMNS = "log", ("time", "level", "text")
DATA, DWELL = "data", "dwell_s"
ANALYSIS, METHOD, DATE, RESULT = "analysis", "method", "date", "result"

CHUNK_ROWS = 128
"""Rows of a column per chunk: 1 KiB, the least that is rewritten when a point is added."""


class PointFlags(IntFlag):
    """What a point's row says about how far to trust it."""

    GOOD = 0
    """Nothing to say."""
    SUSPECT = 1
    """A guard found something doubtful; the bits below and the log say what."""
    OVERFLOW = 2
    """A bin of the histogram reached the counter's maximum."""
    SYNC = 4
    """The sync rate was missing or differed from the repetition rate asked for."""
    PILE_UP = 8
    """More photons per pulse than the warning level."""
    OVERLOAD = 16
    """The detector rate came near its maximum."""
    TEMPERATURE = 32
    """The temperature left its band."""
    POSITION = 64
    """The detector or the sample was not, or did not stay, where it should be."""
    POWER = 128
    """The average power, or the rate at the reference positions that stands for it, left its band."""


@dataclasses.dataclass(frozen=True)
class PointRow:
    """One acquired point; NaN stands for what the rig does not have.

    Attributes
    ----------
    pass_index : int
        Pass through the path, from 0 (column `pass`).
    index : int
        Position along the path, from 0: the same position has the same index in every pass.
    x_nm, y_nm : float
        Where the detector pixel was asked to be, sample plane.
    x_readback_nm, y_readback_nm : float
        Where the actuators say it was, converted to the sample plane.
    x_actuator_mm, y_actuator_mm : float
        The same as the actuators' own reading.
    dwell_s, live_s : float
        Time asked for and time actually counted.
    sync_hz, input_cps : float
        Sync rate and detector rate as the counter meters them.
    temperature_k, power_nw : float
        Sample temperature and average power at the sample.
    flags : PointFlags
        How far to trust the point.
    start_s, end_s : float
        When counting began and when it was over, since the start of the run.
    x_shift_nm, y_shift_nm : float
        By how much the path of this pass was moved to follow the spot: what was asked for is the path plus this.
    """

    pass_index: int
    index: int
    x_nm: float
    y_nm: float
    x_readback_nm: float
    y_readback_nm: float
    x_actuator_mm: float
    y_actuator_mm: float
    dwell_s: float
    live_s: float
    sync_hz: float
    input_cps: float
    temperature_k: float
    power_nw: float
    flags: PointFlags
    start_s: float
    end_s: float
    x_shift_nm: float = 0.0
    y_shift_nm: float = 0.0

    @property
    def path_nm(self) -> tuple[float, float]:
        """Where on the path it lies, x and y in nm, whether the path was moved or not."""
        return self.x_nm - self.x_shift_nm, self.y_nm - self.y_shift_nm


@dataclasses.dataclass(frozen=True)
class RunHeader:
    """What is known of a run before its first point.

    Attributes
    ----------
    title : str
        Title of the recipe.
    recipe_text, rig_text : str
        Recipe and rig as resolved, YAML.
    session : mapping of str to str
        What the operator noted.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of the delay bins in ns.
    repetition_rate_hz : float
        Laser repetition rate asked for.
    response_fwhm_ns, t0_ns : float or None
        System response and arrival of the pulse, if they have been measured.
    pixel_nm : tuple of float
        Width of the detector pixel in the sample plane along x and y.
    dead_time_ns : float or None
        Time for which the detection is blind after a photon, if known.
    position_axis : str
        "x" or "y": the axis along which a line scan is drawn; "xy" for a raster.
    positions_nm : ndarray of float64, shape (n_position, 2)
        The path: x and y asked for at each index, sample plane.
    clock_zero_s : float
        What the rig's clock showed at the start of the run.
    tag_source : TagSource or None
        Where the counter's records come from, if they are kept beside the counts.
    truth : mapping or None
        Properties of the simulated sample; None on a real rig, and always None in a header that was
        read back, so that no analysis meets it by accident.
    """

    title: str
    recipe_text: str
    rig_text: str
    session: Mapping[str, str]
    delay_ns: NDArray[np.float64]
    repetition_rate_hz: float
    response_fwhm_ns: float | None
    t0_ns: float | None
    pixel_nm: tuple[float, float]
    dead_time_ns: float | None
    position_axis: str
    positions_nm: NDArray[np.float64]
    clock_zero_s: float
    tag_source: TagSource | None = None
    truth: Mapping[str, object] | None = None

    def map_of(
        self,
        counts: NDArray[np.integer],
        x_nm: NDArray[np.float64],
        y_nm: NDArray[np.float64],
        dwell_s: NDArray[np.float64] | None,
    ) -> TimePositionMap:
        """Return counts (n_position, n_bin) at positions (n_position,) in nm as a map under this run's conditions."""
        return TimePositionMap(
            counts=counts,
            x_nm=x_nm,
            y_nm=y_nm,
            delay_ns=self.delay_ns,
            dwell_s=dwell_s,
            repetition_rate_hz=self.repetition_rate_hz,
            t0_ns=self.t0_ns,
            response_fwhm_ns=self.response_fwhm_ns,
            pixel_nm=self.pixel_nm,
            dead_time_ns=self.dead_time_ns,
        )


def _column_name(field: str) -> str:
    """Return the column of a `PointRow` field: its own name, but `pass` is a Python keyword."""
    return "pass" if field == "pass_index" else field


def _column_dtype(annotation: object) -> str:
    """Return the dtype in which a `PointRow` field is stored."""
    return {"int": "<i4", "float": "<f8", "PointFlags": "<u4"}[str(annotation)]


POINT_DTYPE = np.dtype([(_column_name(f.name), _column_dtype(f.type)) for f in dataclasses.fields(PointRow)])
"""Names and dtypes of the columns of `/entry/points`, in the order of `PointRow`."""
POINT_COLUMNS = {name: POINT_DTYPE[name] for name in POINT_DTYPE.names or ()}
"""The same by name."""

LATER_COLUMNS = frozenset(f.name for f in dataclasses.fields(PointRow) if f.default is not dataclasses.MISSING)
"""Those that older files do not have; they are 0 there."""


def on_path_nm(points: NDArray[np.void], axis: str) -> NDArray[np.float64]:
    """Return where on the path points lie along axis "x" or "y", float64 (n_point,) in nm, moved or not.

    Rounded to a millionth of a nm, so that passes moved differently agree.
    """
    return np.round(points[f"{axis}_nm"] - points[f"{axis}_shift_nm"], 6)


def row_values(row: PointRow) -> dict[str, int | float]:
    """Return the values of a row by column name, in the order of `POINT_DTYPE`."""
    return {_column_name(f.name): getattr(row, f.name) for f in dataclasses.fields(PointRow)}


def row_of(record: np.void) -> PointRow:
    """Return a record of `POINT_DTYPE` as the row that it was."""
    values = dict(zip([field.name for field in dataclasses.fields(PointRow)], record.item(), strict=True))
    return PointRow(**{**values, "flags": PointFlags(values["flags"])})
