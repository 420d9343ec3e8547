"""The only place that waits: for a time or a condition, on the rig's clock, always interruptible.

Waits are cut into slices; between slices `checkpoint` is called, which raises when the run is to end.
"""

from __future__ import annotations

from collections.abc import Callable

from tplm_daq.roles import Clock

SLICE_S = 0.1
"""Longest stretch without a look at whether the run is to end."""

Checkpoint = Callable[[], None]


def wait(clock: Clock, seconds: float, checkpoint: Checkpoint) -> None:
    """Let `seconds` pass on the clock, calling `checkpoint` at least every 0.1 s."""
    due_s = clock.now() + seconds
    checkpoint()
    while (remaining_s := due_s - clock.now()) > 1e-9:
        clock.sleep(min(remaining_s, SLICE_S))
        checkpoint()


def wait_until(
    clock: Clock, condition: Callable[[], bool], timeout_s: float, poll_s: float, checkpoint: Checkpoint
) -> bool:
    """Wait until `condition` holds, asking every `poll_s`; return False when `timeout_s` passed first."""
    due_s = clock.now() + timeout_s
    checkpoint()
    while True:
        if condition():
            return True
        if clock.now() >= due_s:
            return False
        wait(clock, poll_s, checkpoint)
