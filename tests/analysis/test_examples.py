"""The examples in the docstrings give what they say."""

import doctest
from importlib import import_module

import pytest

MODULES = (
    "average_power",
    "counts_budget",
    "decay",
    "decay_laws",
    "excitation",
    "forster",
    "heating",
    "relaxation",
    "series_table",
    "series_tests",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    result = doctest.testmod(import_module(f"tplm_daq.analysis.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
