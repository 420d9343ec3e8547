"""Boxes behind their makers' libraries: which file is loaded, and what a missing one looks like."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.drivers.test_anc350_library import FakeLibrary
from tests.rig.conftest import Nobody
from tplm_daq.errors import DeviceError
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig import connect
from tplm_daq.rig.connect_role import connect_role
from tplm_daq.rig.stage import PiezoStage
from tplm_daq.rig.wiring import Wiring


def wiring_of(*assignments: str) -> Wiring:
    """Return the wiring of a rig without doubles; nothing is connected."""
    data = apply_overrides(read_yaml(find_config("configs/rig_lab.yaml")), assignments)
    return Wiring(validate(RigRecipe, data, "rig_lab.yaml"), None, Nobody())


@pytest.mark.parametrize("file", ["", "/opt/attocube/libanc350v4.so"], ids=["usual name", "file"])
def test_a_stage_behind_its_library_is_moved_by_it(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, ...]] = []

    def load(*name: str) -> FakeLibrary:
        loaded.append(name)
        return FakeLibrary("L010042", "L010043")

    monkeypatch.setattr(connect, "load_anc350_library", load)
    wiring = wiring_of(f"devices.stage.address={file or 'anc350v4'}", "devices.stage.serial=L010043")
    stage = connect_role(wiring, "stage")
    assert isinstance(stage, PiezoStage)
    assert loaded == [(file,) if file else ()]
    assert stage.position_nm() == pytest.approx((2.5e6,) * 3)
    assert len(wiring.closers) == 1
    wiring.closers[0]()


@pytest.mark.parametrize(
    ("model", "vendor", "address", "asked"),
    [
        ("picoharp300", "PHLIB", "phlib", None),
        ("picoharp300", "PHLIB", "/opt/libph300.so", "/opt/libph300.so"),
        ("timeharp260", "TH260LIB", "th260lib", None),
        ("timeharp260", "TH260LIB", "C:/th260lib64.dll", "C:/th260lib64.dll"),
    ],
)
def test_a_counter_library_is_looked_for_under_its_usual_name_or_the_one_given(
    model: str, vendor: str, address: str, asked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Mock()
    library.load.side_effect = OSError("vendor library not found")
    monkeypatch.setattr(connect, vendor, library)
    wiring = wiring_of(f"devices.counter={{model: {model}, address: '{address}'}}")
    with pytest.raises(
        DeviceError, match=f"counter at {address}: vendor library not found. Check that the counter is on"
    ):
        connect_role(wiring, "counter")
    library.load.assert_called_once_with(asked)
    assert wiring.closers == []
