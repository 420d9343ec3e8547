"""What the terminal shows can be copied into the next command, however narrow it is, and says how to go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from tests.workflow.test_series import at_scan, job
from tplm_daq.acquire.events import FinishReason
from tplm_daq.printing.outcomes import print_outcome
from tplm_daq.printing.overviews import print_catalogue, print_served
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import ServedPlace
from tplm_daq.store.catalog import Catalogue
from tplm_daq.store.summary import RunSummary
from tplm_daq.workflow.align_job import AlignOutcome
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.serve import Served

FILE = Path("runs/20261122-205357_my-film-power-series/20261122-205401_my-film-power-series-16-nw.h5")
SUMMARY = RunSummary(
    *(FILE, "a [red] film", "film", datetime(2026, 11, 22, tzinfo=UTC), "completed", 155, 2.5e6, 16.0),
    *("poisson", 0.0929, (0.0923, 0.0935), "green"),
)
SCAN = ScanOutcome(FILE, FinishReason.ABORTED, None, None, 49, 31, 100.0, 5.0, fit_error="there are no points")


def shown(width: int, show: Callable[[Console], None]) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        show(console)
    return captured.get()


@pytest.mark.parametrize("width", [40, 80, 130])
def test_a_file_in_the_list_of_runs_can_be_copied_whole(width: int) -> None:
    text = shown(width, lambda console: print_catalogue(console, Catalogue(Path("runs"), (SUMMARY,), ())))
    (line,) = (line for line in text.splitlines() if "16 nW" in line)
    assert line.split()[-1] == str(FILE)
    assert "0.0929 ± 0.0006" in line
    assert ("a [red] film" in line) == (width > 100)


def test_served_addresses_are_shown_whole_with_the_command_that_uses_them() -> None:
    place = ServedPlace("TCPIP::127.0.0.1::36455::SOCKET", "socket://127.0.0.1:36455", "/dev/pts/5")
    served = Served("bench://127.0.0.1:37071", {"thermostat": "lakeshore335"}, {"thermostat": place})
    text = shown(80, lambda console: print_served(console, served, Path("served.yaml")))
    (line,) = (line for line in text.splitlines() if line.startswith("thermostat"))
    assert line.split()[1:] == ["lakeshore335", place.address, place.url, place.pty]
    assert "tplm run RECIPE --rig served.yaml\n" in text
    assert "RECIPE" not in shown(80, lambda console: print_served(console, served, None))


def test_what_an_alignment_found_is_shown_with_its_error_and_unit() -> None:
    found = {"x_nm": -26.253, "x_error_nm": 0.80182, "peak_cps": 18454.2}
    kept = Path("runs/calibrations/spot.yaml")
    outcome = AlignOutcome("spot", kept, "0" * 64, "2026-11-29T03:13:42+00:00", found, {"x_nm": -26.0}, 49, 2.0)
    lines = [line.split() for line in shown(80, lambda console: print_outcome(console, outcome)).splitlines()]
    assert ["kept", "in", str(kept)] in lines
    assert ["x", "-26.25", "±", "0.80", "nm", "(simulated:", "-26)"] in lines
    assert ["peak", "18454", "counts/s"] in lines


def test_a_run_that_ended_early_says_how_it_goes_on() -> None:
    assert f"tplm resume {FILE}\n" in shown(60, lambda console: print_outcome(console, SCAN))
    whole = replace(SCAN, finish_reason=FinishReason.MAX_TIME)
    text = shown(60, lambda console: print_outcome(console, whole))
    assert "resume" not in text
    assert str(FILE) in text


def test_a_rate_that_the_rig_file_lacks_is_shown_as_it_is_written_there() -> None:
    text = shown(120, lambda console: print_outcome(console, replace(SCAN, rate_cps_nw=2013.4)))
    assert "optics: {expected_rate: 2.01 kcps/nW} in the rig file" in text
    rig = apply_overrides(read_yaml(find_config("rig_lab.yaml")), ["optics.expected_rate=2.01 kcps/nW"])
    assert validate(RigRecipe, rig, "rig").optics.expected_rate_cps_nw == 2010.0
    assert "expected_rate" not in shown(120, lambda console: print_outcome(console, SCAN))


def test_an_interrupted_series_counts_the_conditions_that_were_not_begun(tmp_path: Path) -> None:
    series = job(tmp_path, reference_every=1)
    series.listeners.append(at_scan(2, lambda: series.abort("enough")))
    outcome = series.run()
    text = shown(60, lambda console: print_outcome(console, outcome))
    assert f"1 of 5 conditions are complete, in {outcome.folder}\n" in text
    assert f"tplm resume {outcome.folder}\n" in text
