"""The few values of each device that an operator looks at, as text with units; everything else is in the tool tip."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pyqtgraph import siFormat

from tplm_daq.readings import Setting
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.planning import travels
from tplm_daq.store.layout import PointRow

TITLES = {
    "laser": "Laser",
    "gate": "Light gate",
    "counter": "Photon counter",
    "detector": "Detector x, y",
    "detection_filter": "Detection filter",
    "thermostat": "Thermostat",
    "stage": "Sample stage",
}
"""What a role is called on the screen."""

NOT_HOMED = "not homed: it does not know where it is. Press Home; a scan does that by itself"

THERMOMETERS = {"input_a_k": "A", "input_b_k": "B", "platform_k": "platform", "sample_k": "sample", "user_k": "user"}


def key_values(role: str, settings: Mapping[str, Setting], rig: RigRecipe) -> str:
    """Return the values worth a look, such as ``sync 2.5 MHz, counts 21.3 kcps``; empty if nothing was read."""
    if not settings:
        return ""
    if role == "detector":
        if not (settings.get("x_is_homed", True) and settings.get("y_is_homed", True)):
            return NOT_HOMED
        axes = travels(rig)
        return _positions({axis: axes[axis].to_nm(float(settings[f"{axis}_position_mm"])) for axis in "xy"})
    if role == "stage":
        return _positions({axis: float(settings[f"{axis}_position_nm"]) for axis in "xyz"})
    shown = {
        "laser": _laser,
        "gate": lambda values: "open" if values.get("is_open") else "closed",
        "counter": lambda values: _rates(float(values["sync_hz"]), float(values["input_cps"])),
        "detection_filter": lambda values: str(values.get("filter", "")),
        "thermostat": _temperatures,
    }
    return shown[role](settings)


def point_values(row: PointRow) -> dict[str, str]:
    """Return the values of a point that has just been taken, by role: what is known of the devices during a scan."""
    values = {
        "counter": _rates(row.sync_hz, row.input_cps),
        "detector": _positions({"x": row.x_readback_nm, "y": row.y_readback_nm}),
    }
    if math.isfinite(row.temperature_k):
        values["thermostat"] = f"{row.temperature_k:.3f} K"
    if math.isfinite(row.power_nw):
        values["laser"] = f"{row.power_nw:.4g} nW"
    return values


def all_values(settings: Mapping[str, Setting]) -> str:
    """Return every setting on a line of its own."""
    shown = {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in settings.items()}
    return "\n".join(f"{key}: {value}" for key, value in shown.items())


def _laser(values: Mapping[str, Setting]) -> str:
    parts = ["LIGHT ON" if values.get("is_on") else "light off"]
    if values.get("is_on"):
        parts.append(siFormat(float(values["repetition_rate_hz"]), precision=4, suffix="Hz"))
    if (power_nw := values.get("declared_average_power_nw")) is not None:
        parts.append(f"{float(power_nw):.4g} nW")
    return ", ".join(parts)


def _rates(sync_hz: float, input_cps: float) -> str:
    sync = siFormat(sync_hz, precision=4, suffix="Hz") if sync_hz else "none"
    return f"sync {sync}, counts {siFormat(input_cps, precision=4, suffix='cps')}"


def _positions(positions_nm: Mapping[str, float]) -> str:
    return ", ".join(f"{axis} {position_nm * 1e-3:+.3f} µm" for axis, position_nm in positions_nm.items())


def _temperatures(values: Mapping[str, Setting]) -> str:
    parts = [f"{name} {float(values[key]):.3f} K" for key, name in THERMOMETERS.items() if key in values]
    parts.append(f"set {float(values['setpoint_k']):.2f} K")
    if values.get("is_ramping"):
        parts.append("ramping")
    if "heater_percent" in values:
        parts.append(f"heater {float(values['heater_percent']):.0f} % ({values['heater_range']})")
    if values.get("has_alarm"):
        parts.append("ALARM")
    return ", ".join(parts)
