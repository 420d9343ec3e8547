"""The ZFS25B in registers: the documented numbers, for each controller that drives it."""

from __future__ import annotations

import pytest

from drivers.apt_codec import Message
from drivers.zfs25b import LEGACY, TRINAMIC, ZFS25B, ActuatorSettings, Scale, scale_of_model


@pytest.mark.parametrize(("model", "scale"), [("KST101", TRINAMIC), ("KST201", TRINAMIC), ("TST001", LEGACY)])
def test_each_known_model_has_its_scale(model: str, scale: Scale) -> None:
    assert scale_of_model(model) is scale


def test_an_unknown_model_asks_for_its_scale() -> None:
    with pytest.raises(ValueError, match="model 'KDC101' is no KST101.*give its scale explicitly"):
        scale_of_model("KDC101")


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
