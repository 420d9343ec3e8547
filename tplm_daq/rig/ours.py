"""Makes sure that `drivers` and `simulators` are this program's own, for the names are generic."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tplm_daq.errors import TplmError


def require_our_packages() -> None:
    """Raise TplmError if another package of one of these names would be imported; imports neither."""
    home = Path(__file__).resolve().parents[2]
    for name in ("drivers", "simulators"):
        spec = find_spec(name)
        found = None if spec is None or spec.origin is None else Path(spec.origin).resolve().parent
        if found != home / name:
            raise TplmError(
                f"the package `{name}` that Python finds is {found or 'missing'}, not this program's at {home / name}. "
                "Start tplm in an environment of its own, without PYTHONPATH and not from a folder that holds "
                f"another `{name}`."
            )
