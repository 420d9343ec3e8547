"""The sample on its stage: how far from the focal plane, which place is under the laser, where the image is.

Laser and objective stand still. The image of a film is where the laser excites it, whatever the stage does; a single
emitter takes its image along. Where the stage stands when it is switched on, the sample is `defocus_nm` out of focus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from simulators.anc350 import ANC350
from simulators.positioner import TRAVEL_NM

FILM_SPOT_NM = 1000.0
"""Places on the film that are nearer to each other than about this share their brightness (ours)."""


class Shift(NamedTuple):
    """How far the stage has moved the sample along x and y, and its height above the focal plane, in nm."""

    x_nm: float
    y_nm: float
    defocus_nm: float


@dataclass(frozen=True)
class Mount:
    """A sample on a stage.

    Attributes
    ----------
    stage : ANC350
        The stage's double.
    spot_nm : tuple of float
        Where the laser is in the sample plane, x and y; a single emitter is there when the stage has not moved.
    is_single_emitter : bool
        Whether the sample is one emitter instead of a film.
    defocus_nm : float
        How far below the focal plane the sample is before the stage is moved.
    """

    stage: ANC350
    spot_nm: tuple[float, float]
    is_single_emitter: bool
    defocus_nm: float

    @property
    def focus_z_nm(self) -> float:
        """Position of the stage at which the sample is in focus."""
        return TRAVEL_NM / 2 + self.defocus_nm

    def shift(self, time_ns: int) -> Shift:
        """Return where the sample is at a time since the stage's last command."""
        x_nm, y_nm, z_nm = (axis.drive.position_at(time_ns) for axis in self.stage.axes)
        return Shift(x_nm - TRAVEL_NM / 2, y_nm - TRAVEL_NM / 2, z_nm - self.focus_z_nm)

    def centre_nm(self, shift: Shift) -> tuple[float, float]:
        """Return the centre of the image, x and y in the sample plane."""
        if not self.is_single_emitter:
            return self.spot_nm
        return self.spot_nm[0] + shift.x_nm, self.spot_nm[1] + shift.y_nm

    def film_spot(self, shift: Shift) -> tuple[int, int]:
        """Name the place of the film that is under the laser; the same pair is the same place."""
        if self.is_single_emitter:
            return 0, 0
        return round(shift.x_nm / FILM_SPOT_NM), round(shift.y_nm / FILM_SPOT_NM)
