from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import written_run
from tplm_daq.errors import InputError
from tplm_daq.store.importer import load_map, read_npz

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example_line.npz"
N_POSITION, N_BIN = 4, 6


def good() -> dict[str, object]:
    return {
        "counts": np.arange(N_POSITION * N_BIN, dtype=np.uint32).reshape(N_POSITION, N_BIN),
        "position_nm": np.array([-150.0, -50.0, 50.0, 150.0]),
        "delay_ns": np.array([-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]),
    }


def saved(folder: Path, **changes: object) -> Path:
    arrays = {key: value for key, value in (good() | changes).items() if value is not None}
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def with_value(key: str, place: tuple[int, ...], value: float) -> np.ndarray:
    array = np.array(good()[key], dtype=float)
    array[place] = value
    return array


def test_the_three_needed_arrays_suffice(tmp_path: Path) -> None:
    found = read_npz(saved(tmp_path))
    np.testing.assert_array_equal(found.counts, good()["counts"])
    assert found.counts.dtype == np.uint32
    assert found.x_nm.tolist() == [-150, -50, 50, 150]
    assert found.y_nm.tolist() == [0, 0, 0, 0]
    assert found.delay_ns[0] == -0.5
    assert found.pixel_nm == (101.0, 101.0)
    unknown = (found.dwell_s, found.repetition_rate_hz, found.t0_ns, found.response_fwhm_ns, found.dead_time_ns)
    assert unknown == (None,) * 5


def test_everything_optional_is_taken_over(tmp_path: Path) -> None:
    position_nm = np.column_stack([good()["position_nm"], [5.0, 6.0, 7.0, 8.0]])
    found = read_npz(
        saved(
            tmp_path,
            position_nm=position_nm,
            repetition_rate_hz=2.5e6,
            dwell_s=[1.0, 2.0, 3.0, 4.0],
            t0_ns=-0.1,
            response_fwhm_ns=0.08,
            pixel_nm=[101.0, 900.0],
        )
    )
    assert found.y_nm.tolist() == [5, 6, 7, 8]
    assert found.dwell_s is not None
    assert found.dwell_s.tolist() == [1, 2, 3, 4]
    assert (found.repetition_rate_hz, found.t0_ns, found.response_fwhm_ns) == (2.5e6, -0.1, 0.08)
    assert found.pixel_nm == (101.0, 900.0)


def test_one_dwell_and_one_pixel_width_hold_for_all(tmp_path: Path) -> None:
    found = read_npz(saved(tmp_path, dwell_s=20, pixel_nm=90))
    assert found.dwell_s is not None
    assert found.dwell_s.tolist() == [20.0] * N_POSITION
    assert found.pixel_nm == (90.0, 90.0)


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint16", "int64"])
def test_whole_counts_of_any_type_are_counts(tmp_path: Path, dtype: str) -> None:
    found = read_npz(saved(tmp_path, counts=np.asarray(good()["counts"]).astype(dtype)))
    assert found.counts.dtype == np.int64
    np.testing.assert_array_equal(found.counts, good()["counts"])


def test_notes_of_the_user_are_left_alone(tmp_path: Path) -> None:
    assert len(read_npz(saved(tmp_path, note="measured on Monday", sample_id=7)).x_nm) == N_POSITION


DEFECTS = {
    "missing key": (
        {"delay_ns": None},
        r"delay_ns missing; it holds counts, position_nm. Needed are counts, position_n",
    ),
    "misspelt key": ({"respons_fwhm_ns": 0.1}, "there is a key 'respons_fwhm_ns'; should it be 'response_fwhm_ns'?"),
    "transposed": ({"counts": np.zeros((6, 4))}, r"counts has shape \[6, 4\], .* = \[4, 6\]. Transpose it"),
    "bins disagree": ({"counts": np.zeros((4, 5))}, r"counts has shape \[4, 5\], but .* ask for \[n_position, n_bin\]"),
    "text": ({"position_nm": ["a", "b", "c", "d"]}, "position_nm holds <U1 values; it must hold numbers"),
    "objects": ({"counts": np.array([[None] * 6] * 4)}, "is not a readable .npz archive of plain arrays"),
    "truth values": ({"counts": np.ones((4, 6), bool)}, "counts holds bool values; it must hold numbers"),
    "NaN count": ({"counts": with_value("counts", (1, 2), np.nan)}, r"counts is nan at \[1, 2\]; every value must be"),
    "infinite position": ({"position_nm": with_value("position_nm", (3,), np.inf)}, r"position_nm is inf at \[3\]"),
    "NaN rate": ({"repetition_rate_hz": np.nan}, "repetition_rate_hz is nan; every value must be a finite number"),
    "rates": ({"counts": with_value("counts", (0, 1), 2.5)}, r"counts\[0, 1\] is 2.5; counts are whole numbers"),
    "negative": ({"counts": with_value("counts", (3, 5), -1)}, r"counts\[3, 5\] is -1; .* before any .* subtraction"),
    "three coordinates": ({"position_nm": np.zeros((4, 3))}, r"position_nm has shape \(4, 3\); it must be \[n_posit"),
    "no position": ({"position_nm": []}, r"position_nm has shape \(0,\)"),
    "one bin": ({"delay_ns": [1.0]}, "delay_ns has shape .* with at least 2 bins"),
    "falling delays": ({"delay_ns": np.arange(6.0)[::-1]}, "delay_ns must ascend in equal steps"),
    "unequal bins": ({"delay_ns": [0, 1, 2, 3, 4, 6.0]}, "its steps go from 1 to 2 ns. Rebin"),
    "dwell per nothing": ({"dwell_s": [1.0, 2.0]}, r"dwell_s has shape \[2\]; .* one per position \(\[4\]\)"),
    "no dwell": ({"dwell_s": 0.0}, "dwell_s is 0 s; it must be above 0"),
    "two rates": ({"repetition_rate_hz": [1e6, 2e6]}, r"repetition_rate_hz has shape \[2\]; it must be one number"),
    "three widths": ({"pixel_nm": [1.0, 2.0, 3.0]}, "pixel_nm has 3 values; it must be one number, or x and y"),
    "negative response": ({"response_fwhm_ns": -0.1}, "response_fwhm_ns is -0.1 ns; it must be above 0"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_named_with_its_place_and_rule(tmp_path: Path, defect: str) -> None:
    changes, message = DEFECTS[defect]
    with pytest.raises(InputError, match=message):
        read_npz(saved(tmp_path, **changes))


def test_a_missing_or_broken_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_npz(tmp_path / "data.npz")
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="is not a readable .npz archive"):
        read_npz(path)
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"a single array \(.npy\), or something else. Save with np.savez"):
        read_npz((tmp_path / "single.npy").rename(tmp_path / "single.npz"))


def test_load_map_goes_by_the_suffix(tmp_path: Path) -> None:
    assert load_map(EXAMPLE).counts.shape == (41, 4096)
    assert load_map(written_run(tmp_path / "run.h5")).counts.shape == (5, 32)
    with pytest.raises(InputError, match=r"is a folder, and a file is wanted here"):
        load_map(tmp_path)
    with pytest.raises(InputError, match=r"absent: no such file"):
        load_map(tmp_path / "absent")
    (tmp_path / "data").touch()
    with pytest.raises(InputError, match=r"files without an ending cannot be analysed"):
        load_map(tmp_path / "data")
    (tmp_path / "data.txt").touch()
    with pytest.raises(InputError, match=r"files of type '.txt' cannot be analysed. Possible are .h5 .* and .npz"):
        load_map(tmp_path / "data.txt")
