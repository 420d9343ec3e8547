"""Whether a rig can give the circumstances of a measurement: light, counting, temperature, filter, spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial

from tplm_daq.errors import InputError
from tplm_daq.recipes.align import AlignRecipe, Procedure
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig import planning

Requirement = Callable[[], object]
"""Raises InputError if it is not met."""


@dataclass(frozen=True)
class AlignCheck:
    """What an alignment will take: how many points; and for how long what it finds will be used."""

    title: str
    rig: str
    procedure: Procedure
    n_points: int
    valid_for_s: float

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm check --json` prints for an alignment."""
        return asdict(self)


def require_circumstances(recipe: ScanRecipe | AlignRecipe, rig: RigRecipe, others: Iterable[Requirement]) -> None:
    """Make sure that a rig can do what a recipe asks for.

    Parameters
    ----------
    recipe : ScanRecipe or AlignRecipe
        Its light, counting, temperature, filter and spot are looked at.
    rig : RigRecipe
        On which microscope; nothing of it is opened.
    others : iterable of callable
        What else is required, such as places within reach.

    Raises
    ------
    InputError
        It cannot; every reason is listed, one a line.
    """
    light, counter, device = recipe.light, recipe.counter, rig.devices.counter
    requirements: list[Requirement] = [
        lambda: planning.check_light(rig.limits, light.repetition_rate_hz, light.average_power_nw),
        lambda: planning.check_bin_width(counter.bin_width_ps, planning.bin_widths_ps(device)),
        lambda: planning.check_span(counter.span_ns, counter.bin_width_ps, device, counter.mode),
        lambda: planning.sync_divider(light.repetition_rate_hz, device),
        lambda: _check_temperature(recipe, rig),
        lambda: planning.check_filter(rig.devices, recipe.detection_filter),
        lambda: planning.check_spot(rig.devices, recipe.spot_nm),
        *others,
    ]
    problems = []
    for requirement in requirements:
        try:
            requirement()
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))


def require_alignable(recipe: AlignRecipe, rig: RigRecipe) -> None:
    """Make sure that a rig can do what an alignment asks for; InputError with every reason if not."""
    require_circumstances(recipe, rig, [*_reached(recipe, rig), partial(check_devices, recipe.procedure, rig)])


def check_alignment(recipe: AlignRecipe, rig: RigRecipe) -> AlignCheck:
    """Return what an alignment will take; InputError with every reason if the rig cannot do it."""
    require_alignable(recipe, rig)
    return AlignCheck(recipe.title, rig.name, recipe.procedure, recipe.n_points, recipe.valid_for_s)


def check_devices(procedure: Procedure, rig: RigRecipe) -> None:
    """Raise InputError if an alignment procedure needs a device that the rig does not have."""
    devices = rig.devices
    needed: dict[str, tuple[str, bool]] = {
        "focus": ("a stage", devices.stage is not None),
        "magnification": ("a stage", devices.stage is not None),
        "power": ("an attenuator and a power meter", devices.attenuator is not None),
        "filters": (
            "an attenuator with a power meter, or a wheel of filters at the detector",
            devices.attenuator is not None or devices.detection_filter is not None,
        ),
    }
    what, is_there = needed.get(procedure, ("", True))
    if not is_there:
        raise InputError(f"procedure: {procedure} needs {what}, and the rig has none. Add it to the rig file.")


def _check_temperature(recipe: ScanRecipe | AlignRecipe, rig: RigRecipe) -> None:
    if recipe.temperature_k is None:
        return
    planning.check_temperature(rig.limits, recipe.temperature_k)
    if rig.devices.thermostat is None:
        raise InputError(
            f"temperature: {recipe.temperature_k:g} K is asked for, but the rig has no thermostat. "
            "Delete the key from the recipe, or add the device to the rig file."
        )


def _reached(recipe: AlignRecipe, rig: RigRecipe) -> list[Requirement]:
    axes = planning.travels(rig)
    return [
        partial(axes[axis].check, centre_nm + sign * reach_nm)
        for axis, centre_nm, reach_nm in zip("xy", recipe.centre_nm, recipe.reach_nm, strict=True)
        for sign in (-1, 1)
    ]
