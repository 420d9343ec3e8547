"""The operator where nobody is to be asked."""

from __future__ import annotations

from collections.abc import Mapping

from tplm_daq.errors import Aborted


class Nobody:
    """Where nothing is asked: opening a rig switches nothing on, and a simulated rig has an operator of its own."""

    name = "nobody"

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Refuse."""
        raise Aborted(f"nobody was asked to: {what}")
