"""Putting the light out from another thread: the first path that confirms suffices, and a dead one holds up nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from unittest.mock import Mock

import pytest

from tplm_daq.errors import LightMayBeOnError
from tplm_daq.rig.light import TriggeredLaser
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.safe_state import SafetyStep


@contextmanager
def rig_with(*paths: SafetyStep, is_closed: bool = False) -> Iterator[Rig]:
    """Yield as much of a rig as its light needs."""
    rig = cast(Rig, object.__new__(Rig))
    rig.laser = Mock(spec=TriggeredLaser)
    rig._light_paths = paths
    rig._closers = () if is_closed else (lambda: None,)
    yield rig


def dead() -> None:
    raise ConnectionError("nobody answers")


def test_every_path_is_tried_at_once() -> None:
    together = threading.Barrier(2, timeout=5)
    with rig_with(SafetyStep("a", lambda: _meet(together)), SafetyStep("b", lambda: _meet(together))) as rig:
        assert rig.put_light_out() == ()
        rig.laser.forbid.assert_called_once_with()  # type: ignore[attr-defined]


def _meet(barrier: threading.Barrier) -> None:
    barrier.wait()


def test_a_path_that_hangs_does_not_hold_up_the_other() -> None:
    released = threading.Event()
    with rig_with(SafetyStep("hung", lambda: _wait(released)), SafetyStep("gate", lambda: None)) as rig:
        assert rig.put_light_out() == ()
    released.set()


def _wait(event: threading.Event) -> None:
    event.wait(5)


def test_a_path_that_failed_is_named_although_the_light_is_out() -> None:
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        dead()

    with rig_with(SafetyStep("the trigger", fail), SafetyStep("the gate", lambda: _wait(failed))) as rig:
        assert rig.put_light_out() in ((), ("the trigger failed (nobody answers)",))


def test_without_any_path_the_light_may_be_on() -> None:
    paths = (SafetyStep("the trigger", dead), SafetyStep("the gate", dead))
    with rig_with(*paths) as rig, pytest.raises(LightMayBeOnError, match=r"ON: .*the gate failed \(nobody answers\)"):
        rig.put_light_out()
    with rig_with() as rig, pytest.raises(LightMayBeOnError, match="no path to the light"):
        rig.put_light_out()


def test_a_closed_rig_has_been_made_safe() -> None:
    with rig_with(SafetyStep("the trigger", dead), is_closed=True) as rig:
        assert rig.put_light_out() == ()
