"""What is known of a run before its first point: written once, read back as `RunHeader`."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np

from tplm_daq.store import layout
from tplm_daq.store.columns import create_columns
from tplm_daq.store.source import source_fingerprint
from tplm_daq.store.tree import TEXT, read_tree, read_value, write_tree, write_value
from tplm_daq.store.words import create_words, read_source

ENVIRONMENT_PACKAGES = ("numpy", "scipy", "numba", "h5py", "pydantic", "pymeasure", "pyvisa", "pyserial")
"""Packages on which the numbers in a run file depend."""


def write_header(file: h5py.File, header: layout.RunHeader, start: datetime) -> None:
    """Give a new file everything but its tables.

    Parameters
    ----------
    file : h5py.File
        New, empty file.
    header : RunHeader
        What to write.
    start : datetime
        Start of the run, with its zone.
    """
    _describe_root(file, start)
    entry = file.create_group(layout.ENTRY)
    entry.attrs.update(NX_class="NXentry", default=layout.POINTS)
    write_value(entry, layout.VERSION, layout.FORMAT_VERSION)
    write_value(entry, layout.TITLE, header.title)
    write_value(entry, layout.START_TIME, start.isoformat(timespec="milliseconds"))
    write_program(entry)
    write_tree(child(entry, layout.ENVIRONMENT), _environment())
    write_tree(child(entry, layout.SESSION), header.session)
    write_note(entry, layout.RECIPE, header.recipe_text)
    write_note(entry, layout.RIG, header.rig_text)
    if header.truth is not None:
        write_tree(child(entry, layout.TRUTH), header.truth)
    _write_instrument(entry, header)
    delay = write_value(entry, layout.DELAY, np.asarray(header.delay_ns, dtype=np.float64))
    delay.attrs["long_name"] = "delay"
    write_value(entry, layout.PATH, np.asarray(header.positions_nm, dtype=np.float64))
    write_value(entry, layout.CLOCK_ZERO, float(header.clock_zero_s))


def create_tables(entry: h5py.Group, header: layout.RunHeader) -> None:
    """Make the empty points, counts and log, and tables for records if they are kept.

    Parameters
    ----------
    entry : h5py.Group
        Entry that has its header.
    header : RunHeader
        Its delay axis, position axis and source of records are used.
    """
    n_bin = len(header.delay_ns)
    counts = entry.create_dataset(
        layout.COUNTS,
        shape=(0, n_bin),
        maxshape=(None, n_bin),
        chunks=(1, n_bin),
        dtype="<u4",
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    counts.attrs.update(units="counts", long_name="photons per delay bin, one row per point")
    points = child(entry, layout.POINTS, "NXdata")
    points.attrs.update(signal="input_cps", axes=["start_s"], title="detector rate during the run")
    points.attrs[layout.POSITION_AXIS] = header.position_axis
    create_columns(points, layout.POINT_COLUMNS)
    create_columns(child(entry, layout.LOG), dict.fromkeys(layout.LOG_COLUMNS, TEXT))
    if header.tag_source is not None:
        create_words(entry, header.tag_source)


def read_header(entry: h5py.Group) -> layout.RunHeader:
    """Return the header of a run file, without the truth of a simulated sample.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    RunHeader
        As it was written, but `truth` is None.
    """
    detector = entry[layout.DETECTOR]
    optional = (layout.RESPONSE, layout.T0, layout.DEAD_TIME)
    known = {name: float(detector[name][()]) for name in optional if name in detector}
    x_pixel_nm, y_pixel_nm = detector[layout.PIXEL][()]
    return layout.RunHeader(
        title=str(read_value(entry[layout.TITLE])),
        recipe_text=note_text(entry, layout.RECIPE),
        rig_text=note_text(entry, layout.RIG),
        session={key: str(value) for key, value in read_tree(entry[layout.SESSION]).items()},
        delay_ns=entry[layout.DELAY][()],
        repetition_rate_hz=float(entry[layout.SOURCE][layout.REPETITION_RATE][()]),
        response_fwhm_ns=known.get(layout.RESPONSE),
        t0_ns=known.get(layout.T0),
        pixel_nm=(float(x_pixel_nm), float(y_pixel_nm)),
        dead_time_ns=known.get(layout.DEAD_TIME),
        position_axis=str(entry[layout.POINTS].attrs[layout.POSITION_AXIS]),
        positions_nm=entry[layout.PATH][()].reshape(-1, 2),
        clock_zero_s=float(entry[layout.CLOCK_ZERO][()]),
        tag_source=read_source(entry),
    )


def child(group: h5py.Group, name: str, nx_class: str = "NXcollection") -> h5py.Group:
    """Make a group of a NeXus class.

    Parameters
    ----------
    group : h5py.Group
        Parent.
    name : str
        Name, new in the parent.
    nx_class : str
        NeXus class.

    Returns
    -------
    h5py.Group
        The new group.
    """
    new = group.create_group(name)
    new.attrs["NX_class"] = nx_class
    return new


def write_note(group: h5py.Group, name: str, text: str) -> None:
    """Write a YAML text as NXnote with its SHA-256.

    Parameters
    ----------
    group : h5py.Group
        Parent.
    name : str
        Name of the note.
    text : str
        YAML.
    """
    note = child(group, name, "NXnote")
    write_value(note, layout.NOTE_TYPE, layout.YAML_TYPE)
    write_value(note, layout.NOTE_TEXT, text).attrs[layout.NOTE_HASH] = text_sha256(text)


def note_text(group: h5py.Group, name: str) -> str:
    """Return the text of a note.

    Parameters
    ----------
    group : h5py.Group
        Parent.
    name : str
        Name of the note.

    Returns
    -------
    str
        YAML.
    """
    return str(read_value(group[name][layout.NOTE_TEXT]))


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as 64 hexadecimal digits.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Hexadecimal digest.

    Examples
    --------
    >>> text_sha256("kind: scan")[:8]
    'fd8724ee'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def write_program(group: h5py.Group) -> None:
    """Say which program wrote a group, and in which version.

    Parameters
    ----------
    group : h5py.Group
        Entry or analysis.
    """
    write_value(group, layout.PROGRAM, layout.DISTRIBUTION).attrs["version"] = _version(layout.DISTRIBUTION)


def _describe_root(file: h5py.File, start: datetime) -> None:
    """Write the attributes that NeXus wants at the root."""
    file.attrs.update(
        NX_class="NXroot",
        default=layout.ENTRY,
        file_name=Path(file.filename).name,
        file_time=start.isoformat(timespec="milliseconds"),
        creator=f"{layout.DISTRIBUTION} {_version(layout.DISTRIBUTION)}",
        HDF5_Version=h5py.version.hdf5_version,
        h5py_version=h5py.version.version,
    )


def _write_instrument(entry: h5py.Group, header: layout.RunHeader) -> None:
    """Write source and detector; what is not known is left out."""
    child(entry, layout.INSTRUMENT, "NXinstrument")
    write_value(child(entry, layout.SOURCE, "NXsource"), layout.REPETITION_RATE, header.repetition_rate_hz)
    detector = child(entry, layout.DETECTOR, "NXdetector")
    write_value(detector, layout.PIXEL, np.asarray(header.pixel_nm, dtype=np.float64))
    optional = {
        layout.RESPONSE: header.response_fwhm_ns,
        layout.T0: header.t0_ns,
        layout.DEAD_TIME: header.dead_time_ns,
    }
    write_tree(detector, {name: value for name, value in optional.items() if value is not None})


def _environment() -> dict[str, object]:
    """Return versions of what the numbers depend on."""
    versions: dict[str, object] = {name: _version(name) for name in ENVIRONMENT_PACKAGES}
    return versions | {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "hdf5": h5py.version.hdf5_version,
        "source": source_fingerprint(),
    }


@functools.cache
def _version(distribution: str) -> str:
    """Return the version of an installed distribution; "not installed" where the program runs from its source."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
