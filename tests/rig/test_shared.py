"""One rig, several threads: whoever polls neither stops simulated time nor gets anybody's reply but its own."""

from __future__ import annotations

import threading

from tests.rig.conftest import OpenRig


def test_a_panel_may_poll_while_a_scan_moves_and_counts(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    failures: list[Exception] = []
    n_polls = 0
    is_over = threading.Event()

    def poll() -> None:
        nonlocal n_polls
        while not is_over.is_set():
            found = rig.snapshot()
            failures.extend(ValueError(text) for text in found.values() if isinstance(text, str))
            assert "LSCI" in str(found["thermostat"])
            n_polls += 1

    poller = threading.Thread(target=poll)
    rig.counter.configure(16.0, 2.5e6)
    poller.start()
    try:
        with rig.clock.attending():
            for x_nm in (-500.0, 0.0, 500.0):
                rig.detector.move_to(x_nm, 0.0)
                while not rig.detector.has_arrived():
                    rig.clock.sleep(0.02)
                assert abs(rig.detector.position().x_nm - x_nm) < 5.0
                rig.counter.arm(0.5)
                while not rig.counter.is_done():
                    rig.clock.sleep(0.1)
                assert rig.counter.read_counts().live_s == 0.5
    finally:
        is_over.set()
        poller.join()
    assert not failures
    assert n_polls > 0
