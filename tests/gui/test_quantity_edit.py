"""A line for a number with its unit."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from tplm_daq.errors import InputError
from tplm_daq.gui.manual_moves import LENGTH
from tplm_daq.gui.quantity_edit import QuantityEdit


@pytest.fixture
def edit(qtbot: QtBot) -> QuantityEdit:
    made = QuantityEdit("Stage x", LENGTH, "2.5 mm")
    qtbot.addWidget(made)
    return made


def test_text_and_value_are_each_others_picture(edit: QuantityEdit) -> None:
    assert edit.value() == 2.5e6
    edit.set_value(-1500.0)
    assert edit.text() == "-1.5 um"
    assert edit.value() == -1500.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", "needs its unit"),
        ("", "number and a unit"),
        ("3 s", "not a unit of length"),
        ("nan nm", "number and a unit"),
    ],
)
def test_what_is_no_length_is_refused_with_what_to_write(edit: QuantityEdit, text: str, reason: str) -> None:
    edit.setText(text)
    with pytest.raises(InputError, match=f"Stage x is {text!r}: .*{reason}.* Write"):
        edit.value()
