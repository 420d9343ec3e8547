"""Results of analyses and settings of devices: groups that are added to a run file as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h5py

from tplm_daq.store import layout
from tplm_daq.store.header import child, note_text, write_note, write_program
from tplm_daq.store.tree import read_tree, read_value, write_tree, write_value

_STEM = f"{layout.ANALYSIS}_"


@dataclass(frozen=True)
class StoredResult:
    """One analysis as it stands in a run file.

    Attributes
    ----------
    name : str
        Group under `/entry`, such as "analysis_1".
    method, date : str
        Estimator, and when it ran (ISO 8601 with zone).
    recipe_text : str
        Analysis recipe, YAML.
    values : mapping
        Scalars and arrays by name.
    """

    name: str
    method: str
    date: str
    recipe_text: str
    values: Mapping[str, object]


def write_result(entry: h5py.Group, result: StoredResult) -> None:
    """Write one analysis.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.
    result : StoredResult
        Its name must be new.
    """
    group = child(entry, result.name, "NXprocess")
    write_program(group)
    write_value(group, layout.METHOD, result.method)
    write_value(group, layout.DATE, result.date)
    write_note(group, layout.RECIPE, result.recipe_text)
    write_tree(child(group, layout.RESULT), result.values)


def read_results(entry: h5py.Group) -> list[StoredResult]:
    """Return every stored analysis.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    list of StoredResult
        The oldest first.
    """
    return [
        StoredResult(
            name=name,
            method=str(read_value(entry[name][layout.METHOD])),
            date=str(read_value(entry[name][layout.DATE])),
            recipe_text=note_text(entry[name], layout.RECIPE),
            values=read_tree(entry[name][layout.RESULT]),
        )
        for name in result_names(entry)
    ]


def next_result_name(entry: h5py.Group) -> str:
    """Return the name for the next analysis, "analysis_1" for the first.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    str
        Name under `/entry`.
    """
    return f"{_STEM}{len(result_names(entry)) + 1}"


def write_snapshot(entry: h5py.Group, device: str, when: str, values: Mapping[str, object]) -> None:
    """Write the settings of a device beside earlier ones.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.
    device : str
        Name in the rig file.
    when : str
        "start" or "end"; if it is taken, the next free of start_2, start_3 ...
    values : mapping
        What to write.
    """
    instrument = entry[layout.INSTRUMENT]
    group = instrument[device] if device in instrument else child(instrument, device)
    write_tree(child(group, _free_name(group, when)), values)


def read_snapshots(entry: h5py.Group) -> dict[str, dict[str, object]]:
    """Return the settings of each device.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    dict
        Device to "start" and "end" to settings.
    """
    instrument = entry[layout.INSTRUMENT]
    return {name: read_tree(instrument[name]) for name in instrument if {"start", "end"} & set(instrument[name])}


def result_names(entry: h5py.Group) -> list[str]:
    """Return the names of the stored analyses, the oldest first."""
    return sorted((name for name in entry if name.startswith(_STEM)), key=lambda name: int(name.removeprefix(_STEM)))


def _free_name(group: h5py.Group, stem: str) -> str:
    """Return the stem, or the first of stem_2, stem_3 ... that the group does not have."""
    if stem not in group:
        return stem
    number = 2
    while f"{stem}_{number}" in group:
        number += 1
    return f"{stem}_{number}"
