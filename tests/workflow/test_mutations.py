"""Shipped files with random damage: a clear refusal or a recipe within its limits, never anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tplm_daq.errors import InputError
from tplm_daq.recipes.load import shipped_configs
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.load import load_scan

TEXTS = {name: (shipped_configs() / name).read_text(encoding="utf-8") for name in ("scan_line.yaml", "rig_sim.yaml")}
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
def damaged(draw: st.DrawFn) -> dict[str, str]:
    """Return the shipped files with one to four cuts, swaps or insertions in one of them."""
    texts = dict(TEXTS)
    name = draw(st.sampled_from(sorted(texts)))
    text = texts[name]
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 12)))
        text = text[:begin] + draw(TOKENS) + text[end:]
    texts[name] = text
    return texts


@st.composite
def with_other_values(draw: st.DrawFn) -> dict[str, str]:
    """Return the shipped files with the value of one key replaced."""
    texts = dict(TEXTS)
    name = draw(st.sampled_from(sorted(texts)))
    lines = texts[name].splitlines()
    numbers = [i for i, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    i = draw(st.sampled_from(numbers))
    key = lines[i].split(":", 1)[0]
    lines[i] = f"{key}: {draw(TOKENS)}"
    texts[name] = "\n".join(lines)
    return texts


def load_or_refuse(texts: dict[str, str]) -> tuple[ScanRecipe, RigRecipe] | None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        try:
            return load_scan(str(Path(folder) / "scan_line.yaml"), str(Path(folder) / "rig_sim.yaml"), [])
        except InputError as error:
            assert len(str(error)) > 20
            return None


def check(texts: dict[str, str]) -> None:
    loaded = load_or_refuse(texts)
    if loaded is None:
        return
    scan, rig = loaded
    assert 0 < scan.light.repetition_rate_hz <= 80e6
    assert 0 < scan.light.average_power_nw < float("inf")
    assert scan.counter.bin_width_ps > 0
    assert scan.counter.span_ns <= 1e9 / scan.light.repetition_rate_hz
    assert 5 <= scan.path.n_positions <= 2001
    assert scan.passes.dwell_per_point_s >= 1e-3
    for axis in (rig.devices.detector_x, rig.devices.detector_y):
        assert 0 <= axis.lowest_mm < axis.centre_mm < axis.highest_mm <= 25
    for level_v in (rig.devices.trigger.high_v, rig.devices.trigger.low_v):
        assert -2.5 <= level_v <= 2.5


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
LONG = settings(max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@QUICK
@given(st.one_of(damaged(), with_other_values()))
def test_damaged_files_are_refused_or_harmless(texts: dict[str, str]) -> None:
    check(texts)


@pytest.mark.slow
@LONG
@given(damaged())
def test_many_damaged_files(texts: dict[str, str]) -> None:
    check(texts)


@pytest.mark.slow
@LONG
@given(with_other_values())
def test_many_other_values(texts: dict[str, str]) -> None:
    check(texts)
