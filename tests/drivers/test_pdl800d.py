"""The manual laser's record: what was declared, by whom, and whether the sync rate agrees."""

from datetime import UTC, datetime

import pytest

from drivers.pdl800d import INTERNAL_RATES_HZ, PDL800D

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def laser():
    return PDL800D()


def declare(laser, **quantities):
    laser.declare("operator", NOON, **quantities)


def test_nothing_is_known_before_it_is_declared(laser):
    quantities = ("trigger_source", "repetition_rate_hz", "intensity_percent", "attenuator_od", "filter")
    assert [getattr(laser, name) for name in (*quantities, "average_power_nw", "head_wavelength_nm")] == [None] * 7


def test_declarations_keep_who_and_when(laser):
    declare(laser, trigger_source="external", head_wavelength_nm=405.0)
    assert [(d.quantity, d.value, d.by, d.at) for d in laser.declarations] == [
        ("trigger_source", "external", "operator", NOON),
        ("head_wavelength_nm", 405.0, "operator", NOON),
    ]


def test_the_history_keeps_what_was_replaced(laser):
    declare(laser, intensity_percent=40.0)
    declare(laser, intensity_percent=50.0)
    assert laser.intensity_percent == 50.0
    assert [d.value for d in laser.history] == [40.0, 50.0]
    assert len(laser.declarations) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"intensity_percent": 55.0},
        {"repetition_rate_hz": 5e6},
        {"attenuator_od": 1.0},
        {"filter": "405/10"},
        {"trigger_source": "internal"},
    ],
)
def test_another_setting_makes_the_average_power_void(laser, change):
    declare(laser, trigger_source="external", repetition_rate_hz=2.5e6, intensity_percent=50.0, average_power_nw=10.0)
    declare(laser, **change)
    assert laser.average_power_nw is None


def test_the_same_setting_again_keeps_the_average_power(laser):
    declare(laser, repetition_rate_hz=2.5e6, average_power_nw=10.0)
    declare(laser, repetition_rate_hz=2.5e6, head_wavelength_nm=405.0)
    assert laser.average_power_nw == 10.0


def test_power_declared_together_with_a_new_setting_holds(laser):
    declare(laser, repetition_rate_hz=2.5e6, average_power_nw=10.0)
    declare(laser, repetition_rate_hz=5e6, average_power_nw=20.0)
    assert laser.average_power_nw == 20.0


@pytest.mark.parametrize(
    "quantities, message",
    [
        ({"repetition_rate_hz": 100e6}, "repetition_rate_hz 100000000.0 is outside 1 to 8e\\+07 Hz"),
        ({"repetition_rate_hz": "2.5 MHz"}, "repetition_rate_hz '2.5 MHz' is outside"),
        ({"intensity_percent": 101.0}, "is outside 0 to 100 %"),
        ({"average_power_nw": float("nan")}, "average_power_nw nan is outside"),
        ({"trigger_source": "scope"}, "'scope' is not one of internal, external"),
        ({"filter": 3.0}, "filter 3.0 is not a text; write what is printed on it"),
        ({"colour": "blue"}, "no quantity 'colour'; it has trigger_source, filter, repetition_rate_hz"),
        (
            {"trigger_source": "internal", "repetition_rate_hz": 3e6},
            "the internal rates are 8e\\+07, 4e\\+07.* not 300",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(laser, quantities, message):
    with pytest.raises(ValueError, match=message):
        declare(laser, head_wavelength_nm=405.0, **quantities)
    assert laser.history == ()


@pytest.mark.parametrize("by, at", [(" ", NOON), ("operator", datetime(2026, 3, 2, 12, 0))])
def test_a_declaration_without_a_name_or_a_time_zone_is_refused(laser, by, at):
    with pytest.raises(ValueError, match="needs a name .* and a time with its zone"):
        laser.declare(by, at, head_wavelength_nm=405.0)


def test_the_panel_offers_twelve_internal_rates(laser):
    assert INTERNAL_RATES_HZ[0] == 80e6
    assert INTERNAL_RATES_HZ[-1] == 31.25e3
    for rate_hz in INTERNAL_RATES_HZ:
        declare(laser, trigger_source="internal", repetition_rate_hz=rate_hz)
        assert laser.explain_rate(rate_hz) == ""


@pytest.mark.parametrize(
    "sync_hz, explanation",
    [
        (0.0, "no sync pulses: the laser is off or in CW mode"),
        (5e6, "twice the rate set: reflections on the sync cable trigger the counter 2 times; it looks like"),
        (7.52e6, "3 times the rate set: reflections"),
        (312.5e3, "1/8 of the rate set: a divider of 8 is not accounted for"),
        (10.02e6, "it looks like the internal rate of 10 MHz: check the trigger source on the panel"),
    ],
)
def test_a_rate_that_differs_says_what_it_looks_like(laser, sync_hz, explanation):
    declare(laser, repetition_rate_hz=2.5e6)
    assert explanation in laser.explain_rate(sync_hz)


@pytest.mark.parametrize("sync_hz", [2.5e6, 2.52e6, 3.3e6, float("nan")])
def test_a_rate_that_looks_like_nothing_is_not_explained(laser, sync_hz):
    declare(laser, repetition_rate_hz=2.5e6)
    assert laser.explain_rate(sync_hz) == ""


def test_nothing_is_explained_before_a_rate_is_declared(laser):
    assert laser.explain_rate(0.0) == ""


def test_a_panel_with_other_rates_can_be_described():
    laser = PDL800D(internal_rates_hz=(40e6, 20e6))
    declare(laser, trigger_source="internal", repetition_rate_hz=20e6)
    assert laser.nearest_internal_rate_hz(39.9e6) == 40e6
    assert laser.nearest_internal_rate_hz(2.5e6) is None
