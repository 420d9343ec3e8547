"""What the boxes of a rig file can do: each limit allows itself and refuses what lies just beyond it."""

from __future__ import annotations

import pytest

from drivers.zfs25b import ZFS25B
from tests.rig.conftest import rig_recipe
from tplm_daq.errors import InputError, LimitError
from tplm_daq.recipes.devices import CounterDevice, TimeHarpDevice
from tplm_daq.rig import planning

PICOHARP = CounterDevice(model="picoharp300", address="double")
TIMEHARP = TimeHarpDevice(model="timeharp260", address="double")
WHEEL = "devices.detection_filter={model: fw102c, address: double, filters: [open, LP 500, ND 1, ND 2, ND 3, block]}"
STAGE = "devices.stage.x_range=[1 mm, 4 mm]"


@pytest.mark.parametrize(("direction", "limits_nm"), [(1, (-20e3, 5e3)), (-1, (-5e3, 20e3))])
def test_the_travel_of_an_axis_is_allowed_to_its_ends(direction: int, limits_nm: tuple[float, float]) -> None:
    travel = planning.travels(
        rig_recipe(
            f"devices.detector_x.direction={direction}",
            "devices.detector_x.centre=10 mm",
            "devices.detector_x.lowest=2 mm",
            "devices.detector_x.highest=12 mm",
            "optics.magnification_x=400",
        )
    )["x"]
    assert travel.limits_nm() == pytest.approx(limits_nm)
    assert {travel.check(each_nm) for each_nm in travel.limits_nm()} == {2.0, 12.0}
    with pytest.raises(LimitError, match=r"detector_x: 30000 nm in the sample plane is outside .* correct the travel"):
        travel.check(30e3)
    assert travel.move_time_s(1000.0, 1000.0) == 0.0
    assert travel.move_time_s(0.0, 1000.0) > 0
    assert travel.first_move_s(limits_nm[0]) != pytest.approx(travel.first_move_s(limits_nm[1]), rel=0.5)
    assert travel.homing_time_s() == 12.0 / ZFS25B.home_velocity_mm_s


def test_each_axis_has_its_own_place_and_magnification() -> None:
    both = planning.travels(rig_recipe("optics.magnification_x=400", "optics.magnification_y=500"))
    assert {axis: (each.name, each.magnification) for axis, each in both.items()} == {
        "x": ("detector_x", 400.0),
        "y": ("detector_y", 500.0),
    }


def test_light_is_allowed_up_to_the_limits() -> None:
    limits = rig_recipe().limits
    planning.check_light(limits, limits.repetition_rate_hz, limits.average_power_nw)
    with pytest.raises(LimitError, match=r"light.average_power: 0 nW is outside 0 to 100 nW. See limits in the rig"):
        planning.check_light(limits, 1e6, 0.0)
    with pytest.raises(LimitError, match="light.repetition_rate: 4.1e"):
        planning.check_light(limits, 4.1e7, 10.0)


def test_temperatures_are_allowed_up_to_the_limits() -> None:
    limits = rig_recipe().limits
    for kelvin in (limits.lowest_temperature_k, limits.highest_temperature_k):
        planning.check_temperature(limits, kelvin)
    for kelvin in (limits.lowest_temperature_k - 1e-6, limits.highest_temperature_k + 1e-6):
        with pytest.raises(LimitError, match=r"temperature: .* K is outside .* K. See limits in the rig file"):
            planning.check_temperature(limits, kelvin)


def test_a_width_that_the_counter_lacks_is_answered_with_the_nearest() -> None:
    planning.check_bin_width(512.0, planning.bin_widths_ps(PICOHARP))
    with pytest.raises(InputError, match=r"counter.bin_width: 30 ps is not .*\(4, 8, .*, 512 ps\). Write 32 ps"):
        planning.check_bin_width(30.0, planning.bin_widths_ps(PICOHARP))
    with pytest.raises(
        InputError, match=r"16 ps is not .* has \(25, 50, 100, .*, 800 ps, and others\). Write 25 ps, on"
    ):
        planning.check_bin_width(16.0, planning.bin_widths_ps(TIMEHARP))
    assert planning.bin_widths_ps(TIMEHARP)[:5] == (25.0, 50.0, 100.0, 200.0, 250.0)
    for board, widths_ps in (("pico", (25.0, 50.0, 100.0, 200.0, 400.0)), ("nano", (250.0, 500.0, 1e3, 2e3, 4e3))):
        assert planning.bin_widths_ps(TIMEHARP.model_copy(update={"board": board}))[:5] == widths_ps
    assert max(planning.bin_widths_ps(TIMEHARP)) == 250.0 * 2**21


@pytest.mark.parametrize(
    ("device", "mode", "n_bins"),
    [
        (PICOHARP, "histogram", 65_536),
        (PICOHARP, "t3", 4096),
        (TIMEHARP, "histogram", 32_768),
        (TIMEHARP, "t3", 32_768),
    ],
)
def test_a_span_is_allowed_as_far_as_the_bins_reach(
    device: CounterDevice | TimeHarpDevice, mode: str, n_bins: int
) -> None:
    reach_ns = n_bins * 100.0 * 1e-3
    planning.check_span(reach_ns, 100.0, device, mode)
    with pytest.raises(InputError, match=rf"span: .* {n_bins} bins of 100 ps reach. Write at most {reach_ns:g}"):
        planning.check_span(reach_ns * 1.001, 100.0, device, mode)


@pytest.mark.parametrize("device", [PICOHARP, TIMEHARP], ids=["picoharp", "timeharp"])
def test_the_sync_divider_follows_the_rate(device: CounterDevice | TimeHarpDevice) -> None:
    assert planning.sync_divider(1e6, device) == 1
    assert planning.sync_divider(40e6, device) > 1
    with pytest.raises(InputError, match="^light.repetition_rate: "):
        planning.sync_divider(1e12, device)


def test_a_filter_must_be_in_a_wheel_that_the_rig_has() -> None:
    planning.check_filter(rig_recipe().devices, None)
    planning.check_filter(rig_recipe(WHEEL).devices, "ND 1")
    with pytest.raises(InputError, match="ND 1 is asked for, but the rig has no filter wheel in front of its detector"):
        planning.check_filter(rig_recipe().devices, "ND 1")
    with pytest.raises(InputError, match="there is no filter ND 9 in the wheel. Write one of open, LP 500, .*, block"):
        planning.check_filter(rig_recipe(WHEEL).devices, "ND 9")


def test_a_spot_must_lie_within_the_range_of_the_stage() -> None:
    planning.check_spot(rig_recipe("devices.stage=null").devices, None)
    devices = rig_recipe(STAGE).devices
    for x_nm in (1e6, 4e6):
        planning.check_spot(devices, (x_nm, 2e6))
    with pytest.raises(LimitError, match="spot x: 999 um is outside 1000 to 4000 um. Choose a place within"):
        planning.check_spot(devices, (999e3, 2e6))
    with pytest.raises(LimitError, match="spot y: 5001 um"):
        planning.check_spot(devices, (2e6, 5001e3))
    with pytest.raises(InputError, match="a place on the sample is asked for, but the rig has no stage. Delete"):
        planning.check_spot(rig_recipe("devices.stage=null").devices, (0.0, 0.0))
