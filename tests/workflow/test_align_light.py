"""Calibrations of the light on the simulated rig: what they find is true, and later runs use it until it expires."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.bench import Bench
from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.align_job import AlignJob, AlignOutcome
from tplm_daq.workflow.calibrated import with_calibrations
from tplm_daq.workflow.load import load_alignment, load_rig, load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob

TRUE_ATTENUATOR = (0.0, 0.95, 2.1, 2.93, 3.4, 4.05)
TRUE_DETECTION = (0.0, 0.03, 0.46, 1.05, 1.9, 6.0)
WHEELS = (
    "rig.devices.attenuator={model: fw102c, address: double, densities: [0, 1, 2, 3, 3.43, 4]}",
    "rig.devices.power_meter={model: pm100d, address: double, sample_per_meter: 0.2}",
    "rig.devices.detection_filter={model: fw102c, address: double, filters: [open, LP, ND 05, ND 1, ND 2, block]}",
    f"rig.simulation.attenuator_densities={list(TRUE_ATTENUATOR)}",
    f"rig.simulation.detection_densities={list(TRUE_DETECTION)}",
    "rig.simulation.is_homed=true",
    "rig.simulation.power_noise=0 %",
)
QUICK = ("path.n_positions=5", "passes.dwell=100ms", "passes.n_passes=1", "path.centre=0 nm")


def align(folder: Path, name: str, *changes: str) -> AlignOutcome:
    recipe, rig = load_alignment(f"configs/align_{name}.yaml", "configs/rig_sim.yaml", [*WHEELS, *changes])
    return AlignJob(recipe, rig, folder, Nobody()).run()


def scan(folder: Path, *changes: str) -> RunFile:
    recipe, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*WHEELS, *QUICK, *changes])
    return open_run(ScanJob(recipe, rig, folder, Nobody()).run().run_file)


def test_densities_are_found_as_they_are_and_used_by_later_runs(tmp_path: Path, benches: list[Bench]) -> None:
    values = align(tmp_path, "filters").values
    for position in (4, 5, 6):
        relative = TRUE_ATTENUATOR[position - 1] - TRUE_ATTENUATOR[3]
        assert values[f"attenuator_density_{position}"] == pytest.approx(3.0 + relative, abs=2e-3)
    assert not {f"attenuator_density_{position}" for position in (1, 2, 3)} & set(values)  # more than 100 nW
    for position in range(1, 6):
        off = values[f"detection_density_{position}"] - TRUE_DETECTION[position - 1]
        assert abs(off) <= 4 * values[f"detection_density_{position}_error"]
    assert "detection_density_6" not in values
    assert benches[0].light().average_power_nw == 0.0

    header = scan(tmp_path).header
    rig = parse_mapping(header.rig_text, "rig")
    assert [each["procedure"] for each in rig["calibrations"]] == ["filters"]
    assert rig["devices"]["attenuator"]["densities"][3:] == [values[f"attenuator_density_{n}"] for n in (4, 5, 6)]
    assert rig["devices"]["attenuator"]["densities"][:3] == [0.0, 1.0, 2.0]
    assert rig["devices"]["detection_filter"]["densities"][4] == values["detection_density_5"]
    assert rig["simulation"]["attenuator_densities"] == list(TRUE_ATTENUATOR)


def test_the_filter_that_was_there_is_put_back(tmp_path: Path, benches: list[Bench]) -> None:
    align(tmp_path, "filters", "detection_filter=ND 05", "dwell=1 s")
    assert benches[0].servers["detection_filter"].double.position == 3  # type: ignore[attr-defined]
    assert benches[0].servers["attenuator"].double.position == 5  # type: ignore[attr-defined]


def test_the_power_behind_each_filter_is_found_and_the_next_search_begins_there(
    tmp_path: Path, benches: list[Bench]
) -> None:
    values = align(tmp_path, "power").values
    assert values["power_4_nw"] / values["power_6_nw"] == pytest.approx(10 ** (4.05 - 2.93), rel=1e-2)
    assert "power_3_nw" not in values
    run = scan(tmp_path, "light.repetition_rate=5 MHz", "light.average_power=20 nW")
    rig = parse_mapping(run.header.rig_text, "rig")
    assert rig["devices"]["attenuator"]["energies_fj"][3] == pytest.approx(values["power_4_nw"] / 2.5)
    assert run.points["power_nw"][0] == pytest.approx(2 * values["power_5_nw"], rel=1e-2)
    rate, unit = str(rig["optics"]["expected_rate"]).split()
    assert (float(rate), unit) == (pytest.approx(values["rate_cps_nw"] * 1e-3, rel=1e-3), "kcps/nW")


def test_the_rate_that_a_nanowatt_gives_is_that_of_the_centre(tmp_path: Path, benches: list[Bench]) -> None:
    values = align(tmp_path, "power", "rig.simulation.spot_variation=0 %", "rig.simulation.drift=0 nm/min").values
    assert values["rate_cps_nw"] == pytest.approx(2000.0, rel=0.1)


@pytest.mark.parametrize(
    ("name", "missing", "says"),
    [
        ("power", ("attenuator", "power_meter"), "procedure: power needs an attenuator and a power meter"),
        ("filters", ("attenuator", "power_meter", "detection_filter"), "procedure: filters needs an attenuator with"),
    ],
)
def test_a_rig_without_wheels_is_refused(name: str, missing: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        align(tmp_path, name, *(f"rig.devices.{role}=null" for role in missing))


def test_other_wheels_need_new_densities_and_leave_the_spot_valid(tmp_path: Path) -> None:
    align(tmp_path, "filters", "dwell=1 s")
    rig = load_rig("configs/rig_sim.yaml", list(WHEELS))
    assert with_calibrations(rig, tmp_path).calibrations
    other = load_rig("configs/rig_sim.yaml", [*WHEELS, "rig.devices.power_meter.sample_per_meter=0.1"])
    assert with_calibrations(other, tmp_path) == other


def test_a_calibrated_magnification_leaves_the_simulated_one_as_it_is(tmp_path: Path) -> None:
    changes = ("rig.simulation.magnification_error=1 %", "rig.simulation.sample=single-emitter")
    values = align(tmp_path, "magnification", *changes, "dwell=50 ms").values
    found = values["magnification_x"]
    assert found == pytest.approx(495 * 1.01, abs=4 * values["magnification_x_error"])
    assert found > 495 * 1.005  # nearer to the truth than to the rig file
    run = scan(tmp_path, changes[0])
    truth = run.truth()
    assert truth is not None
    assert truth["magnification_x"] == pytest.approx(495 * 1.01)
    assert 50e3 / run.header.pixel_nm[0] == pytest.approx(found)
