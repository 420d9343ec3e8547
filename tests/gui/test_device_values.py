"""What is shown of each device."""

from __future__ import annotations

import dataclasses

import pytest

from tests.rig.conftest import rig_recipe
from tests.store.made_runs import row
from tplm_daq.gui.device_values import all_values, key_values, point_values
from tplm_daq.readings import Setting

RIG = rig_recipe()


@pytest.mark.parametrize(
    ("role", "settings", "text"),
    [
        ("counter", {"sync_hz": 2.5e6, "input_cps": 21_340.0}, "sync 2.5 MHz, counts 21.34 kcps"),
        ("counter", {"sync_hz": 0.0, "input_cps": 70.0}, "sync none, counts 70 cps"),
        ("laser", {"is_on": False, "repetition_rate_hz": 1e3}, "light off"),
        (
            "laser",
            {"is_on": True, "repetition_rate_hz": 2.5e6, "declared_average_power_nw": 10.0},
            "LIGHT ON, 2.5 MHz, 10 nW",
        ),
        ("gate", {"is_open": False}, "closed"),
        ("detector", {"x_position_mm": 12.5 + 0.495, "y_position_mm": 12.5}, "x +1.000 µm, y +0.000 µm"),
        (
            "detector",
            {"x_position_mm": 1.0, "y_position_mm": 1.0, "x_is_homed": True, "y_is_homed": False},
            "not homed: it does not know where it is. Press Home; a scan does that by itself",
        ),
        ("stage", {f"{axis}_position_nm": 2.5e6 for axis in "xyz"}, "x +2500.000 µm, y +2500.000 µm, z +2500.000 µm"),
        ("detection_filter", {"filter": "OD 1"}, "OD 1"),
        (
            "thermostat",
            {
                "input_a_k": 295.0,
                "setpoint_k": 290.0,
                "is_ramping": True,
                "heater_percent": 12.3,
                "heater_range": "low",
            },
            "A 295.000 K, set 290.00 K, ramping, heater 12 % (low)",
        ),
        ("thermostat", {"sample_k": 4.2, "setpoint_k": 4.0, "has_alarm": True}, "sample 4.200 K, set 4.00 K, ALARM"),
        ("stage", {}, ""),
    ],
)
def test_the_values_that_matter_have_their_unit(role: str, settings: dict[str, Setting], text: str) -> None:
    assert key_values(role, settings, RIG) == text


def test_a_point_tells_what_it_knows() -> None:
    point = dataclasses.replace(row(2), y_readback_nm=0.0)
    assert point_values(point) == {
        "counter": "sync 2.5 MHz, counts 12 kcps",
        "detector": "x +0.201 µm, y +0.000 µm",
        "thermostat": "300.000 K",
        "laser": "10 nW",
    }
    bare = dataclasses.replace(point, temperature_k=float("nan"), power_nw=float("nan"))
    assert set(point_values(bare)) == {"counter", "detector"}


def test_all_settings_are_in_the_tool_tip() -> None:
    assert all_values({"model": "KST101", "x_mm": 12.500000001}) == "model: KST101\nx_mm: 12.5"
