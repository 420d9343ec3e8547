"""What every test keeps to: no screen, no thread left behind, examples that a slow computer draws too."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
settings.register_profile("any computer", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("any computer")


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(timeout=2.0)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"threads left behind: {names}"


@pytest.fixture(autouse=True, scope="session")
def _sockets_close_at_once() -> Iterator[None]:
    """Without the 0.3 s that pySerial gives other servers after each connection; ours need no time to hear of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serial.urlhandler.protocol_socket.time", SimpleNamespace(sleep=lambda _: None))
        yield


@pytest.fixture
def short_time_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than this for a device of which the test knows that it will not answer."""
    monkeypatch.setattr("tplm_daq.rig.links.REPLY_TIMEOUT_S", 0.3)
    monkeypatch.setattr("tplm_daq.rig.wiring.VISA_TIMEOUT_MS", 300)
