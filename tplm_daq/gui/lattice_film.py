"""A lattice that runs for whoever watches: a thread that simulates pulse after pulse and keeps the latest picture.

Beside the pictures it adds up what the pulses tell of D, so that one sees the estimate grow.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from tplm_daq.kmc.observe import CM2_S_PER_NM2_NS
from tplm_daq.kmc.simulate import Condition, Snapshot, live
from tplm_daq.recipes.kmc import Lattice

FRAME_S = 0.04
STEPS_PER_FRAME = 200
"""Of 1 ps: 0.2 ns between two pictures."""
COMPARE_FRAME = 5
"""Picture of a pulse at which D is read off: 1 ns, as for the curve of the paper."""
PULSES_PER_FRAME = 4
"""Shown in a time lapse, one picture of each fourth pulse."""


@dataclass(frozen=True)
class Frame:
    """A picture, and what all pulses so far say of D in cm2/s (NaN before an exciton has lived long enough)."""

    snapshot: Snapshot
    n_pulses: int
    d_sim_cm2_s: float


class LatticeFilm:
    """Runs the lattice at about 25 pictures a second.

    Parameters
    ----------
    lattice : Lattice
        The model.
    condition : Condition
        Excitation.
    seed : int
        Where all chance comes from.
    is_time_lapse : bool
        Whether one picture per some pulses is shown instead of excitons on their way.
    """

    def __init__(self, lattice: Lattice, condition: Condition, seed: int, is_time_lapse: bool) -> None:
        self._lattice = lattice
        self._condition = condition
        self._seed = seed
        self._is_time_lapse = is_time_lapse
        self._latest: Frame | None = None
        self._end = threading.Event()
        self._sums = np.zeros((2, 2))
        threading.Thread(target=self._run, name="lattice", daemon=True).start()

    @property
    def latest(self) -> Frame | None:
        """The latest picture."""
        return self._latest

    def close(self) -> None:
        """End it with the picture under way, without waiting for that."""
        self._end.set()

    def _run(self) -> None:
        frames = live(self._lattice, self._condition, self._seed, STEPS_PER_FRAME)
        for snapshot in frames:
            frame = round(snapshot.time_ns * 1e3 / (STEPS_PER_FRAME * self._lattice.step_ps))
            self._add(snapshot, frame)
            if not self._is_shown(snapshot.pulse, frame):
                continue
            self._latest = Frame(snapshot, snapshot.pulse + 1, self._d_sim_cm2_s())
            if self._end.wait(FRAME_S):
                return

    def _is_shown(self, pulse: int, frame: int) -> bool:
        return not self._is_time_lapse or (frame == COMPARE_FRAME and pulse % PULSES_PER_FRAME == 0)

    def _add(self, snapshot: Snapshot, frame: int) -> None:
        """Add number and squared distances of the excitons, at the pulse and where D is read off."""
        if frame in (0, COMPARE_FRAME):
            self._sums[int(frame > 0)] += len(snapshot.exciton_nm), float(np.sum(snapshot.exciton_nm**2))

    def _d_sim_cm2_s(self) -> float:
        if not self._sums[:, 0].all():
            return float("nan")
        start_nm2, end_nm2 = 0.5 * self._sums[:, 1] / self._sums[:, 0]
        delay_ns = COMPARE_FRAME * STEPS_PER_FRAME * self._lattice.step_ps * 1e-3
        return float((end_nm2 - start_nm2) / (2.0 * delay_ns) * CM2_S_PER_NM2_NS)
