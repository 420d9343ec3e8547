"""Nested mappings of plain values as HDF5 groups, and back.

Settings of devices, results and the truth of a simulated sample are mappings whose keys we do not know
in advance. A mapping becomes a group, a value a dataset with the unit its name ends in, None an empty
dataset (HDF5's null dataspace), a sequence of texts an array of strings. What comes back are plain
Python values and numpy arrays. Not for large data: nothing is compressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import h5py
import numpy as np

from tplm_daq.store.units import unit_of

TEXT = h5py.string_dtype("utf-8")


def write_tree(group: h5py.Group, values: Mapping[str, object]) -> None:
    """Write each value into a group under its key.

    Parameters
    ----------
    group : h5py.Group
        Where to; a key that exists already is an error of the HDF5 library.
    values : mapping
        Numbers, texts, booleans, None, arrays, sequences of these, and mappings of them.

    Raises
    ------
    TypeError
        If a value is of another kind; the message names its key.
    """
    for key, value in values.items():
        if isinstance(value, Mapping):
            child = group.create_group(key)
            child.attrs["NX_class"] = "NXcollection"
            write_tree(child, value)
        else:
            write_value(group, key, value)


def write_value(group: h5py.Group, name: str, value: object) -> h5py.Dataset:
    """Write one value with the unit its name ends in.

    Parameters
    ----------
    group : h5py.Group
        Where to.
    name : str
        Name of the dataset.
    value : object
        Number, text, boolean, None, array, or sequence of these.

    Returns
    -------
    h5py.Dataset
        What was written.

    Raises
    ------
    TypeError
        If the value is of another kind.
    """
    dataset = group.create_dataset(name, data=_storable(f"{group.name}/{name}", value))
    unit = unit_of(name)
    if unit is not None and dataset.dtype.kind in "iuf":
        dataset.attrs["units"] = unit
    return dataset


def read_tree(group: h5py.Group) -> dict[str, object]:
    """Return what `write_tree` put into a group.

    Parameters
    ----------
    group : h5py.Group
        The group.

    Returns
    -------
    dict
        Keys in alphabetical order; float, int, bool, str, None, list of str, ndarray, or dict of these.
    """
    return {key: read_tree(item) if isinstance(item, h5py.Group) else read_value(item) for key, item in _items(group)}


def read_value(dataset: h5py.Dataset) -> object:
    """Return one value as `write_value` was given it.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset.

    Returns
    -------
    object
        float, int, bool, str, None, list of str, or ndarray.
    """
    if dataset.shape is None:
        return None
    if h5py.check_string_dtype(dataset.dtype) is not None:
        text = dataset.asstr()[()]
        return text if isinstance(text, str) else list(text)
    value = dataset[()]
    return value.item() if dataset.shape == () else value


def _items(group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Yield the members of a group; a soft link to nowhere is left out."""
    for key in group:
        item = group.get(key)
        if item is not None:
            yield key, item


def _storable(path: str, value: object) -> object:
    """Return a value as h5py takes it."""
    if value is None:
        return h5py.Empty("f8")
    if isinstance(value, str):
        return np.array(value.replace("\0", "\\0"), dtype=TEXT)  # HDF5's texts end at the first of these
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return np.array(list(value), dtype=TEXT)
    array = np.asarray(value)
    if array.dtype.kind == "U":
        return array.astype(TEXT)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{path} is a {type(value).__name__}; a run file holds numbers, texts, booleans, None and arrays of them"
        )
    return array
