"""pymeasure's conventions, over every driver: what is constructed says nothing, and what is read explains itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from pymeasure.instruments import Channel, Instrument

import drivers
from drivers.pdl800d import PDL800D
from drivers.picoharp300.device import PicoHarp300
from drivers.timeharp260.device import TimeHarp260

FIRST_WORDS = ("Control", "Get", "Measure", "Set")
WITHOUT_A_WIRE = (PDL800D, PicoHarp300, TimeHarp260)
"""Drivers that are no pymeasure Instruments and keep to the same grammar."""
NEEDS = {"Generator33500": {"name": "generator"}, "LineInstrument": {"name": "box"}}
"""What a class cannot be constructed without."""


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(drivers.__path__, "drivers.")
    return [importlib.import_module(module.name) for module in found]


def classes(*kinds: type) -> list[type]:
    found = {
        each
        for module in modules()
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, kinds) and each.__module__.startswith("drivers.")
    }
    return sorted(found, key=lambda each: each.__name__)


def declared(*kinds: type) -> Iterator[Any]:
    """Return every property that our own classes define, inherited ones once, with the place they are defined at."""
    for owner in classes(*kinds):
        for name, value in vars(owner).items():
            if isinstance(value, property) and not name.startswith("_"):
                yield pytest.param(value, id=f"{owner.__name__}.{name}")


INSTRUMENTS = classes(Instrument)
PROPERTIES = list(declared(Instrument, Channel, *WITHOUT_A_WIRE))


def construct(driver: type, adapter: Any, **kwargs: Any) -> Any:
    return driver(adapter, **{**NEEDS.get(driver.__name__, {}), **kwargs})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a driver asks of pymeasure's VISAAdapter when it is given an address."""
    asked: dict[str, Any] = {}

    def remember(address: str, **kwargs: Any) -> MagicMock:
        asked.update(kwargs, address=address)
        return MagicMock()

    monkeypatch.setattr("pymeasure.instruments.instrument.VISAAdapter", remember)
    monkeypatch.setattr("drivers.line_instrument.BoundedVisaAdapter", remember)
    monkeypatch.setattr("drivers.anc350.BoundedVisaAdapter", remember)
    return asked


def test_there_is_a_driver_for_every_box() -> None:
    names = {driver.__name__ for driver in INSTRUMENTS}
    boxes = {"ANC350", "Cryostation", "FW102C", "KST101", "LakeShore335", "LightGateLine", "PM100D", "TriggerGenerator"}
    assert boxes <= names


@pytest.mark.parametrize("driver", INSTRUMENTS)
def test_constructing_says_nothing(driver: type) -> None:
    adapter = MagicMock()
    construct(driver, adapter)
    talk = [name for name, _, _ in adapter.mock_calls if name.startswith(("write", "read", "flush", "connection."))]
    assert talk == []


@pytest.mark.parametrize("driver", INSTRUMENTS)
def test_a_driver_keeps_the_name_it_is_given(driver: type) -> None:
    assert construct(driver, MagicMock(), name="left one").name == "left one"


@pytest.mark.parametrize("driver", INSTRUMENTS)
def test_further_arguments_reach_the_adapter(driver: type, opened: dict[str, Any]) -> None:
    construct(driver, "ASRL2::INSTR", visa_library="@sim", kwarg_test=True)
    assert (opened["address"], opened["visa_library"], opened["kwarg_test"]) == ("ASRL2::INSTR", "@sim", True)


@pytest.mark.parametrize("driver", INSTRUMENTS)
def test_every_driver_says_what_its_arguments_are(driver: type) -> None:
    documented = inspect.getdoc(driver) or ""
    own = [name for name in inspect.signature(driver).parameters if name not in ("kwargs", "args", "includeSCPI")]
    assert [name for name in own if name not in documented] == []


@pytest.mark.parametrize("value", PROPERTIES)
def test_a_property_begins_with_what_it_does_and_ends_with_what_it_is(value: property) -> None:
    summary = (value.__doc__ or "").removesuffix("(dynamic)").strip().split("\n\n")[0]
    assert summary.startswith(tuple(f"{word} " for word in FIRST_WORDS)), summary
    assert "(" in summary and ")" in summary, f"no type, unit or range in parentheses: {summary}"
    assert summary.endswith("."), summary


HAND_WRITTEN = [each for each in PROPERTIES if "CommonBase" not in getattr(each.values[0].fset, "__qualname__", "")]
"""pymeasure's own factories give every property a setter, if only one that refuses."""


@pytest.mark.parametrize("value", HAND_WRITTEN)
def test_what_can_be_set_says_control_or_set(value: property) -> None:
    first = (value.__doc__ or "").split()[0]
    assert (value.fset is not None) == (first in ("Control", "Set")), value.__doc__
