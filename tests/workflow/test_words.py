"""Records of photons that a scan keeps: through an interruption, against the counts, in a PTU file, and on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.store.test_export import assert_same
from tests.workflow.test_resume import LINE, QUIET, assert_equal, interrupted, job, resume
from tplm_daq.errors import InputError
from tplm_daq.store.importer import load_map
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.check import check_scan
from tplm_daq.workflow.files import export_run
from tplm_daq.workflow.load import load_alignment, load_scan
from tplm_daq.workflow.verify import verify_run

KEPT = (*LINE, "counter.mode=t3", "counter.keep_words=true")


def test_records_survive_an_interruption_and_agree_with_the_counts(tmp_path: Path) -> None:
    whole = open_run(job(tmp_path / "whole", *KEPT).run().run_file)
    path = interrupted(tmp_path / "part", 5, *KEPT)
    resume(path)
    found = open_run(path)
    assert_equal(found, whole)
    for number in range(whole.n_points):
        np.testing.assert_array_equal(found.words(number), whole.words(number))
    report = verify_run(path)
    assert report.exit_status == 0
    assert "records" in [check.name for check in report.checks]
    assert_same(load_map(export_run(path, "ptu")), found.map())
    foretold = check_scan(*load_scan(KEPT[0], "configs/rig_sim.yaml", [*KEPT[1:], *QUIET]))
    assert foretold.words_mb is not None
    n_words = sum(len(found.words(number)) for number in range(found.n_points))
    assert 0.2 < 4e-6 * n_words / foretold.words_mb < 1.0
    assert path.stat().st_size < 1e6 * foretold.disk_mb + 1e6  # header, settings, log and result besides


def test_the_room_for_records_is_unknown_without_a_count_rate() -> None:
    unknown = check_scan(*load_scan(KEPT[0], "configs/rig_lab.yaml", KEPT[1:]))
    assert unknown.words_mb is None
    assert any("keep_words takes is unknown too" in text for text in unknown.warnings)
    known = check_scan(*load_scan(KEPT[0], "configs/rig_lab.yaml", [*KEPT[1:], "rig.optics.expected_rate=2kcps/nW"]))
    assert known.words_mb is not None
    assert known.disk_mb > known.words_mb > 1


def test_a_point_with_too_many_records_for_the_memory_is_announced() -> None:
    long = ["passes.n_passes=1", "passes.dwell=2h", *KEPT[3:]]
    report = check_scan(*load_scan(KEPT[0], "configs/rig_sim.yaml", [*long, *QUIET]))
    assert any("GB of memory until it is stored. Take more passes." in text for text in report.warnings)
    assert not any("fullest bin" in text for text in report.warnings)


@pytest.mark.parametrize("change", ["counter.mode=histogram", None])
def test_keeping_records_that_there_are_not_is_refused(change: str | None) -> None:
    changes = ["counter.keep_words=true", *([change] if change else [])]
    with pytest.raises(InputError, match="in mode histogram it sends none; write mode: t3, or leave keep_words out"):
        load_scan(LINE[0], "configs/rig_sim.yaml", changes)


def test_an_alignment_keeps_no_records() -> None:
    with pytest.raises(InputError, match="a calibration holds no records of photons; leave keep_words out"):
        load_alignment(
            "configs/align_spot.yaml", "configs/rig_sim.yaml", ["counter.mode=t3", "counter.keep_words=true"]
        )
