from __future__ import annotations

import dataclasses

import pytest

from tests.store.made_runs import row
from tplm_daq.store import layout
from tplm_daq.store.units import unit_of

UNIT_CASES = {
    "diffusivity_cm2_s": "cm^2/s",
    "ci95_cm2_s": "cm^2/s",
    "dwell_s": "s",
    "x_readback_nm": "nm",
    "msd_nm2": "nm^2",
    "input_cps": "1/s",
    "response_fwhm_ns": "ns",
    "n_points": None,
    "s": None,
    "flags": None,
    "method": None,
}


@pytest.mark.parametrize("name", UNIT_CASES)
def test_a_name_ends_in_its_unit(name: str) -> None:
    assert unit_of(name) == UNIT_CASES[name]


def test_columns_are_those_promised_in_this_order() -> None:
    assert layout.POINT_DTYPE.names == (
        *("pass", "index", "x_nm", "y_nm", "x_readback_nm", "y_readback_nm", "x_actuator_mm", "y_actuator_mm"),
        *("dwell_s", "live_s", "sync_hz", "input_cps", "temperature_k", "power_nw", "flags", "start_s", "end_s"),
        *("x_shift_nm", "y_shift_nm"),
    )
    assert layout.POINT_DTYPE["flags"] == "uint32"


def test_a_row_has_a_value_for_every_column() -> None:
    values = layout.row_values(row(7))
    assert tuple(values) == layout.POINT_DTYPE.names
    assert len(values) == len(dataclasses.fields(layout.PointRow))
    assert (values["pass"], values["index"]) == (1, 2)


def test_each_flag_keeps_the_bit_that_files_have() -> None:
    assert {name: flag.value for name, flag in layout.PointFlags.__members__.items()} == {
        "GOOD": 0,
        "SUSPECT": 1,
        "OVERFLOW": 2,
        "SYNC": 4,
        "PILE_UP": 8,
        "OVERLOAD": 16,
        "TEMPERATURE": 32,
        "POSITION": 64,
        "POWER": 128,
    }
