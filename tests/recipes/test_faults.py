"""Rehearsed faults: which of them doubles that begin later have behind them."""

from __future__ import annotations

import pytest

from tplm_daq.recipes.faults import SimulatedFault


@pytest.mark.parametrize(
    ("moment", "is_over"),
    [
        ({"at": "60 s", "count": 1}, True),
        ({"at": "200 s", "count": 1}, False),
        ({"at": "60 s"}, False),
        ({"at_transaction": 5, "count": 1}, False),
    ],
)
def test_a_fault_of_so_many_messages_is_suffered_once_and_one_that_lasts_is_there(
    moment: dict[str, object], is_over: bool
) -> None:
    fault = SimulatedFault.model_validate({"device": "detector_x", "fault": "port closed", **moment})
    assert fault.is_over_by(100.0) is is_over
