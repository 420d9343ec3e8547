"""A line for a number with its unit, read by the rules of the recipes."""

from __future__ import annotations

from pydantic_core import PydanticCustomError
from PyQt6.QtWidgets import QLineEdit, QWidget

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Quantity


class QuantityEdit(QLineEdit):
    """A line that holds one quantity.

    Parameters
    ----------
    name : str
        What it is, for messages and screen readers.
    quantity : Quantity
        How it is written.
    text : str
        Value at first, with unit.
    """

    def __init__(self, name: str, quantity: Quantity, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._quantity = quantity
        self.setAccessibleName(name)
        self.setToolTip(f"{name}, in {', '.join(unit or '%' for unit in quantity.shown)}")
        self.setMinimumWidth(90)

    def value(self) -> float:
        """Return the number in the quantity's unit.

        Raises
        ------
        InputError
            The text is no such quantity; the message says what to write.
        """
        try:
            return self._quantity.parse(self.text())
        except PydanticCustomError as error:
            raise InputError(f"{self.accessibleName()} is {self.text()!r}: {error.message()}") from error

    def set_value(self, value: float) -> None:
        """Show a number with a unit that suits it."""
        self.setText(self._quantity.format(value))
