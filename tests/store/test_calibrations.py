"""Calibration files: written once, found while they are valid, refused when damaged."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tplm_daq.errors import InputError, StoreError
from tplm_daq.store.calibrations import Calibration, find_calibration, read_calibration, write_calibration

NOON = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
HOUR = timedelta(hours=1)


def made(at: datetime = NOON, depends_on: str = "rig", t0_ns: float = 5.0) -> Calibration:
    return Calibration(
        procedure="response",
        rig="simulated",
        depends_on=depends_on,
        made_at=at,
        expires_at=at + HOUR,
        values={"t0_ns": t0_ns, "response_fwhm_ns": 0.08},
        measured={"delay_ns": (0.1, 0.2, 1 / 3), "counts": (3.0, 5.0, 0.0)},
        recipe_text="kind: align\ntitle: ünïcode\n",
    )


def test_what_is_written_is_read_to_the_last_bit_and_named_by_its_hash(tmp_path: Path) -> None:
    stored = write_calibration(tmp_path / "new" / "calibrations", made())
    assert stored.path.name == "response_20261122-120000-000000.yaml"
    assert stored == read_calibration(stored.path)
    assert stored.sha256 == hashlib.sha256(stored.path.read_bytes()).hexdigest()
    assert [path.name for path in stored.path.parent.iterdir()] == [stored.path.name]


def test_the_latest_that_is_valid_for_the_rig_is_found(tmp_path: Path) -> None:
    for minutes, depends_on, t0_ns in ((0, "rig", 1.0), (10, "rig", 2.0), (20, "another rig", 3.0)):
        write_calibration(tmp_path, made(NOON + timedelta(minutes=minutes), depends_on, t0_ns))
    used, left = find_calibration(tmp_path, "response", "rig", NOON + timedelta(minutes=30))
    assert used is not None
    assert used.calibration.values["t0_ns"] == 2.0
    assert [each.calibration.depends_on for each in left] == ["another rig"]


@pytest.mark.parametrize("after", [-timedelta(seconds=1), HOUR, 2 * HOUR], ids=["not yet", "just expired", "expired"])
def test_one_that_is_not_valid_is_not_found(tmp_path: Path, after: timedelta) -> None:
    stored = write_calibration(tmp_path, made())
    assert find_calibration(tmp_path, "response", "rig", NOON + after) == (None, (stored,))
    assert find_calibration(tmp_path, "response", "rig", NOON) == (stored, ())


def test_no_folder_holds_no_calibration(tmp_path: Path) -> None:
    assert find_calibration(tmp_path / "nowhere", "response", "rig", NOON) == (None, ())


def test_a_damaged_one_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = write_calibration(tmp_path, made()).path
    path.write_bytes(path.read_bytes()[:120])
    with pytest.raises(InputError, match=rf"{path.name}.*(\n.*)*delete it, and make a new one"):
        find_calibration(tmp_path, "response", "rig", NOON)


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ("12:00:00Z", "12:00:00", "made_at"),
        ("2026-11-22T12:00:00Z", "yesterday", "made_at"),
        ("t0_ns", "t_ns", "values has no t0_ns; make the calibration anew"),
        ("5.0", ".nan", "t0_ns"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, written: str, instead: str, says: str) -> None:
    path = write_calibration(tmp_path, made()).path
    assert written in path.read_text()
    path.write_text(path.read_text().replace(written, instead))
    with pytest.raises(InputError, match=says):
        find_calibration(tmp_path, "response", "rig", NOON)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "calibrations").write_text("in the way")
    with pytest.raises(StoreError, match="the calibration cannot be written"):
        write_calibration(tmp_path / "calibrations", made())
