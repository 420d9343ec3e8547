"""The packages with generic names are this program's own, or it does not start."""

from __future__ import annotations

import re
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tplm_daq.errors import TplmError
from tplm_daq.rig import ours


def test_our_own_packages_are_found() -> None:
    ours.require_our_packages()


@pytest.mark.parametrize("name", ["drivers", "simulators"])
@pytest.mark.parametrize("kind", ["missing", "without a file", "foreign"])
def test_another_package_of_the_name_is_refused(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = str(tmp_path / name / "__init__.py")
    specs = {
        "missing": None,
        "without a file": ModuleSpec(name, None),
        "foreign": ModuleSpec(name, None, origin=foreign),
    }
    find = ours.find_spec
    monkeypatch.setattr(ours, "find_spec", lambda asked: specs[kind] if asked == name else find(asked))
    found = str(tmp_path / name) if kind == "foreign" else "missing"
    said = f"the package `{name}` that Python finds is {found}, not this program's at {Path(ours.__file__).anchor}"
    with pytest.raises(TplmError, match=re.escape(said)):
        ours.require_our_packages()
