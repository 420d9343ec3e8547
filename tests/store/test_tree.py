from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tplm_daq.store.tree import read_tree, write_tree

VALUES = {
    "diffusivity_cm2_s": 0.05,
    "n_photons": 12,
    "has_halo": True,
    "method": "poisson",
    "deviance_per_dof": None,
    "corrections": ["pixel", "tail, τ"],
    "warnings": [],
    "budget": {"lens_cm2_s": 1e-3, "inner": {"n_terms": 2}},
}


def test_what_is_written_comes_back_as_plain_values(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tree.h5", "x") as file:
        write_tree(file, VALUES)
        found = read_tree(file)
    assert found == VALUES
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in VALUES.items()}


def test_arrays_keep_their_dtype(tmp_path: Path) -> None:
    arrays = {"counts": np.arange(6, dtype=np.uint32).reshape(2, 3), "none": np.empty(0), "ci95_cm2_s": [0.1, 0.2]}
    with h5py.File(tmp_path / "tree.h5", "x") as file:
        write_tree(file, arrays)
        assert file["ci95_cm2_s"].attrs["units"] == "cm^2/s"
        assert "units" not in file["counts"].attrs
        found = read_tree(file)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    assert found["counts"].dtype == np.uint32


def test_numpy_texts_come_back_as_a_list(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tree.h5", "x") as file:
        write_tree(file, {"names": np.array(["a", "bc"])})
        assert read_tree(file) == {"names": ["a", "bc"]}


def test_a_value_of_another_kind_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tree.h5", "x") as file:
        group = file.create_group("entry")
        with pytest.raises(TypeError, match="/entry/device is a object; a run file holds numbers, texts"):
            write_tree(group, {"device": object()})


def test_a_text_with_a_zero_in_it_is_kept_to_its_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tree.h5", "w") as file:
        write_tree(file, {"noise": "a\0b"})
        assert read_tree(file) == {"noise": "a\\0b"}


def test_a_link_to_nowhere_is_left_out(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tree.h5", "w") as file:
        write_tree(file, {"a": 1, "c": 3})
        file["b"] = h5py.SoftLink("/nowhere")
        assert read_tree(file) == {"a": 1, "c": 3}
