from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.csv_table import csv_lines, read_csv
from tplm_daq.store.importer import load_map

DOC = Path(__file__).resolve().parents[2] / "docs" / "file-format.md"

GOOD = """\
# measured on Monday: by us
# repetition_rate_hz: 2500000
# dwell_s: 20
delay_ns,-50,0,50
-0.016,3,4,2
0,210,356,199
0.016,195,340,207
"""


def saved(folder: Path, text: str | bytes) -> Path:
    path = folder / "line.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def odd_map() -> TimePositionMap:
    """Return a map whose numbers have no short decimal form."""
    rng = np.random.default_rng(5)
    return TimePositionMap(
        counts=rng.poisson(1e5, (4, 64)),
        x_nm=rng.normal(0, 1000, 4),
        y_nm=rng.normal(0, 1, 4),
        delay_ns=0.1 + np.arange(64) / 3,
        dwell_s=rng.uniform(1, 2, 4),
        repetition_rate_hz=1e7 / 3,
        t0_ns=-1 / 3,
        response_fwhm_ns=1e-9 / 7,
        pixel_nm=(101 / 3, 1e5 / 7),
        dead_time_ns=77.1,
    )


def test_a_table_becomes_a_map(tmp_path: Path) -> None:
    found = load_map(saved(tmp_path, GOOD))
    assert found.counts.tolist() == [[3, 210, 195], [4, 356, 340], [2, 199, 207]]
    assert found.counts.dtype == np.int64
    assert (found.x_nm.tolist(), found.y_nm.tolist()) == ([-50, 0, 50], [0, 0, 0])
    assert found.delay_ns.tolist() == [-0.016, 0, 0.016]
    assert found.dwell_s is not None
    assert found.dwell_s.tolist() == [20, 20, 20]
    assert found.repetition_rate_hz == 2.5e6
    assert (found.t0_ns, found.response_fwhm_ns, found.dead_time_ns) == (None, None, None)
    assert found.pixel_nm == (101.0, 101.0)


def test_every_bit_survives_writing_and_reading(tmp_path: Path) -> None:
    written = odd_map()
    found = read_csv(saved(tmp_path, "".join(csv_lines(written))))
    for name, value in vars(written).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name, strict=name == "counts")


def test_the_example_in_the_documentation_is_read(tmp_path: Path) -> None:
    block = re.search(r"```csv\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    assert read_csv(saved(tmp_path, block[1])).counts.shape == (3, 3)


def test_what_a_spreadsheet_adds_does_no_harm(tmp_path: Path) -> None:
    padded = "".join(f'"{line}",,,\r\n' if line.startswith("#") else f"{line}\r\n" for line in GOOD.splitlines())
    quoted = padded.replace("delay_ns,-50", '"delay_ns","-50"') + ",,,\r\n\r\n"
    found = read_csv(saved(tmp_path, b"\xef\xbb\xbf" + quoted.encode()))
    np.testing.assert_array_equal(found.counts, read_csv(saved(tmp_path, GOOD)).counts)
    assert found.repetition_rate_hz == 2.5e6


DEFECTS = {
    "short row": (
        changed("210,356,199", "210,356"),
        r"line 6: 3 cells, but the header has 4 .* Fill or remove the row",
    ),
    "decimal comma": (
        changed("0.016,195", "0,016,195"),
        r"line 7: 5 cells, but .* A decimal comma splits a cell in two",
    ),
    "text": (changed("356", "many"), r"line 6, column 3: 'many' is not a number"),
    "empty cell": (changed("356", ""), r"line 6, column 3: the cell is empty\. .* without photons is 0"),
    "no number": (changed("356", "nan"), r"line 6, column 3: nan; counts are whole numbers"),
    "endless delay": (changed("0.016,195", "inf,195"), r"line 7, column 1: inf; every delay must be a finite number"),
    "negative": (changed("199", "-1"), r"line 6, column 4: -1; counts are whole numbers of photons, 0 or more"),
    "rates": (changed("210", "210.5"), r"line 6, column 2: 210.5; .* before any scaling or subtraction"),
    "more than exact": (changed("210", "1e30"), r"counts goes up to 1e\+30; more than 2\^53"),
    "no delay column": (
        changed("delay_ns,", "x,"),
        r"line 4: the column delay_ns is missing, 'x' stands there\. The firs",
    ),
    "no header": (changed("delay_ns,-50,0,50\n", ""), r"line 4: the column delay_ns is missing, '-0.016' stands there"),
    "two positions": ("delay_ns,0,50\n0,1,2\n", r"line 1: 2 positions; at least 3 are needed to see a width"),
    "unit in position": (changed("-50", "-50 nm"), r"line 4, column 2: '-50 nm' is not a position\. .* without unit"),
    "three coordinates": (changed("-50", "1 2 3"), r"line 4, column 2: '1 2 3' is not a position"),
    "semicolons": (
        GOOD.replace(",", ";").replace(": 20\n", ": 2,5;;;\n"),
        r"line 4: the cells are separated by semicolons\. Export with decimal points",
    ),
    "tabs": (GOOD.replace(",", "\t"), r"line 4: the cells are separated by tabs\. .* sep='\\t', decimal=','"),
    "unequal steps": (changed("0.016,195", "0.032,195"), r"its steps go from 0.016 to 0.032 ns\. Rebin"),
    "one bin": ("delay_ns,0,50,60\n0,1,2,3\n", r"delay_ns has shape .* with at least 2 bins"),
    "no rows": ("delay_ns,0,50,60\n", r"there are no counts below the header, line 1"),
    "empty": ("# nothing\n\n", r"there is no table in it\. The first line"),
    "unit in comment": (
        changed(": 20\n", ": 20 s\n"),
        r"line 3: dwell_s is '20 s', which is not a number\. .* without unit",
    ),
    "comma in comment": (
        changed(": 20\n", ": 2,5\n"),
        r"line 3: dwell_s is '2,5', .* Write decimal points, and spaces",
    ),
    "empty comment": (changed(": 20\n", ":\n"), r"line 3: dwell_s has no value"),
    "given twice": (
        changed("repetition_rate_hz: 2500000", "dwell_s: 1"),
        r"line 3: dwell_s stands twice, first in line 2",
    ),
    "misspelt comment": (changed("dwell_s", "dwel_s"), r"there is a key 'dwel_s'; should it be 'dwell_s'\?"),
    "dwell per nothing": (changed(": 20\n", ": 20 30\n"), r"dwell_s has shape \[2\]; it must be one number or one per"),
    "no dwell": (changed(": 20\n", ": 0\n"), r"dwell_s is 0 s; it must be above 0"),
    "UTF-16": (GOOD.encode("utf-16"), r"is not UTF-8 text .* Save it as CSV in UTF-8"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_named_with_its_place_and_what_to_do(tmp_path: Path, defect: str) -> None:
    text, message = DEFECTS[defect]
    path = saved(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_or_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "line.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_csv(tmp_path)
