"""From the name of a role in the rig file to its connected device, for those who open one device, not the whole rig."""

from __future__ import annotations

from tplm_daq.rig import connect
from tplm_daq.rig.axes import Axis
from tplm_daq.rig.filters import Wheel
from tplm_daq.rig.power_meter import PowerMeter
from tplm_daq.rig.wiring import Wiring
from tplm_daq.roles import Device


def connect_role(wiring: Wiring, role: str) -> Device | Axis | Wheel | PowerMeter:
    """Connect the device of one role.

    Parameters
    ----------
    wiring : Wiring
        What every device needs.
    role : str
        Key under `devices` in the rig file.

    Raises
    ------
    KeyError
        The rig has no such device, or it has no interface.
    DeviceError
        It cannot be used.
    """
    devices = wiring.recipe.devices
    match role:
        case "trigger":
            return connect.laser(wiring)
        case "counter":
            return connect.counter(wiring, devices.counter)
        case "detector_x" | "detector_y":
            return connect.axis(wiring, role.removeprefix("detector_"))
        case "attenuator" if devices.attenuator is not None:
            return connect.attenuator(wiring, devices.attenuator)
        case "power_meter" if devices.power_meter is not None:
            return connect.power_meter(wiring, devices.power_meter)
        case "gate" if devices.gate is not None:
            return connect.gate(wiring, devices.gate)
        case "detection_filter" if devices.detection_filter is not None:
            return connect.detection_filter(wiring, devices.detection_filter)
        case "thermostat" if devices.thermostat is not None:
            return connect.thermostat(wiring, devices.thermostat)
        case "stage" if devices.stage is not None:
            return connect.stage(wiring, devices.stage)
    raise KeyError(role)
