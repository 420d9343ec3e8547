"""The ZFS25B in registers: the documented numbers, for each controller that drives it."""

from __future__ import annotations

import pytest

from drivers.apt_messages import Message
from drivers.zfs25b import LEGACY, TRINAMIC, ZFS25B, ActuatorSettings, Scale, controller_of_model, jog_registers


@pytest.mark.parametrize(
    ("model", "scale"), [("KST101", TRINAMIC), ("KST201", TRINAMIC), ("TST101", TRINAMIC), ("TST001", LEGACY)]
)
def test_each_known_model_has_its_scale(model: str, scale: Scale) -> None:
    assert controller_of_model(model).scale is scale


def test_an_unknown_model_asks_for_its_scale() -> None:
    with pytest.raises(
        ValueError, match="model 'KDC101' is no KST101, KST201, TST101, TST001; give its scale explicitly"
    ):
        controller_of_model("KDC101")


def test_registers_are_those_of_the_documents() -> None:
    registers = ZFS25B.registers(TRINAMIC)
    assert registers[Message.SET_VELPARAMS] == (0, 24_032, 175_898_624)
    assert registers[Message.SET_HOMEPARAMS] == (2, 1, 58_632_875, 218_453)
    assert registers[Message.SET_LIMSWITCHPARAMS] == (2, 2, 54_613_333, 0, 1)


@pytest.mark.parametrize(
    ("position_mm", "counts"),
    [(0.001, 2_185), (-0.1, -218_453), (1.0, 2_184_533), (12.5, 27_306_667), (24.9, 54_394_880)],
)
def test_positions_have_the_documented_counts(position_mm: float, counts: int) -> None:
    assert TRINAMIC.counts(position_mm) == counts


def test_a_move_time_is_a_trapezoid_or_a_triangle_and_pays_for_backlash() -> None:
    settings = ActuatorSettings(velocity_mm_s=2.0, acceleration_mm_s2=4.0, backlash_mm=0.04)
    assert settings.move_time_s(0.0) == 0.0
    assert settings.move_time_s(10.0) == pytest.approx(10.0 / 2.0 + 2.0 / 4.0)
    assert settings.move_time_s(0.25) == pytest.approx(2 * (0.25 / 4.0) ** 0.5)
    assert settings.move_time_s(-9.96) == pytest.approx(5.5 + 2 * (0.04 / 4.0) ** 0.5)


def test_settings_survive_the_way_through_registers() -> None:
    found = ActuatorSettings.from_registers(ZFS25B.registers(LEGACY), LEGACY)
    assert found.velocity_mm_s == pytest.approx(1.5, abs=0.5 / LEGACY.per_mm_s)
    assert found.home_offset_mm == pytest.approx(0.1, abs=0.5 / LEGACY.counts_per_mm)


def test_the_scales_are_the_documented_ones() -> None:
    assert TRINAMIC.counts_per_mm == pytest.approx(2_184_533.333, abs=1e-3)
    assert TRINAMIC.per_mm_s == pytest.approx(117_265_749.2, abs=0.2)
    assert TRINAMIC.per_mm_s2 == pytest.approx(24_032.27, abs=0.01)
    assert LEGACY.counts_per_mm == pytest.approx(136_533.333, abs=1e-3)


def test_a_jog_has_the_documented_registers_and_a_bounded_step() -> None:
    assert jog_registers(0.1, TRINAMIC) == (2, 218_453, 0, 24_032, 117_265_749, 2)
    with pytest.raises(ValueError, match="jog step: 1.5 mm is outside 0.0001 to 1 mm"):
        jog_registers(1.5, TRINAMIC)
