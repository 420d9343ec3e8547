"""Shipped files with random damage: a clear refusal or a recipe within its limits, never anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tplm_daq.errors import InputError
from tplm_daq.recipes.align import alignment_model
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.base import Model
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import read_yaml, resolve_references, shipped_configs, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.load import load_scan

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(shipped_configs().glob("*.yaml"))}
ALONE: dict[str, type[Model]] = {"analysis": AnalysisRecipe, "kmc": KmcRecipe, "series": SeriesRecipe}
"""Kinds of files that stand for themselves."""
TOKENS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e9",
        "nan",
        ".inf",
        "null",
        "true",
        "[]",
        "{}",
        "10 nW",
        "5 s",
        "3 K",
        "2.5 MHz",
        "1e99 um",
        "'x'",
    ]
    + ["\n", "  ", ":", "- ", "#", "&a", "*a", "!!python/object:os.system", "\t", "\x00", "µ", "0x10", "1:30", "on"]
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str]:
    """Return the name of a shipped file, and its text with one to four cuts, swaps or insertions."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 12)))
        text = text[:begin] + draw(TOKENS) + text[end:]
    return name, text


@st.composite
def with_other_values(draw: st.DrawFn) -> tuple[str, str]:
    """Return the name of a shipped file, and its text with the value of one key replaced."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    lines = TEXTS[name].splitlines()
    numbers = [i for i, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    i = draw(st.sampled_from(numbers))
    key = lines[i].split(":", 1)[0]
    lines[i] = f"{key}: {draw(TOKENS)}"
    return name, "\n".join(lines)


def load_or_refuse(texts: dict[str, str], name: str) -> tuple[ScanRecipe, RigRecipe] | None:
    """Load the file that was damaged, a scan or rig with an intact partner; None if refused, or of another kind."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {each: str(Path(folder) / each) for each in texts}
        for each, text in texts.items():
            Path(paths[each]).write_text(text, encoding="utf-8")
        scan = paths[name if name.startswith("scan_") else "scan_line.yaml"]
        rig = paths[name if name.startswith("rig_") else "rig_sim.yaml"]
        try:
            if name.startswith(("scan_", "rig_")):
                return load_scan(scan, rig, [])
            data = resolve_references(read_yaml(paths[name]), Path(folder), ["scan", "analysis"])
            kind = name.split("_")[0]
            validate(alignment_model(data, name) if kind == "align" else ALONE[kind], data, name)
        except InputError as error:
            assert len(str(error)) > 20
        return None


def check(damaged_file: tuple[str, str]) -> None:
    name, text = damaged_file
    loaded = load_or_refuse({**TEXTS, name: text}, name)
    if loaded is None:
        return
    scan, rig = loaded
    assert 0 < scan.light.repetition_rate_hz <= 80e6
    assert 0 < scan.light.average_power_nw < float("inf")
    assert scan.counter.bin_width_ps > 0
    assert scan.counter.span_ns <= 1e9 / scan.light.repetition_rate_hz
    assert 5 <= scan.path.n_positions <= 2001
    assert scan.passes.dwell_s is None or scan.passes.dwell_per_point_s >= 1e-3
    for axis in (rig.devices.detector_x, rig.devices.detector_y):
        assert 0 <= axis.lowest_mm < axis.centre_mm < axis.highest_mm <= 25
    for level_v in (rig.devices.trigger.high_v, rig.devices.trigger.low_v):
        assert -2.5 <= level_v <= 2.5


@settings(max_examples=150)
@given(st.one_of(damaged(), with_other_values()))
def test_damaged_files_are_refused_or_harmless(damaged_file: tuple[str, str]) -> None:
    check(damaged_file)


@pytest.mark.slow
@settings(max_examples=5000)
@given(damaged())
def test_many_damaged_files(damaged_file: tuple[str, str]) -> None:
    check(damaged_file)


@pytest.mark.slow
@settings(max_examples=5000)
@given(with_other_values())
def test_many_other_values(damaged_file: tuple[str, str]) -> None:
    check(damaged_file)
