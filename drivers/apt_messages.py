"""APT messages of one-axis stepper controllers: their ids, the layout of their data, and the status bits.

A SET has no reply; the REQ with the next id is answered by the GET after it (SET 0x0413, REQ 0x0414, GET 0x0415).
Every field is little endian.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019).
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag


class Message(IntEnum):
    """Message ids (issue 25, section "Motor control messages")."""

    HW_DISCONNECT = 0x0002
    HW_REQ_INFO = 0x0005
    HW_GET_INFO = 0x0006
    HW_START_UPDATEMSGS = 0x0011
    HW_STOP_UPDATEMSGS = 0x0012
    HW_NO_FLASH_PROGRAMMING = 0x0018
    HW_RESPONSE = 0x0080
    HW_RICHRESPONSE = 0x0081
    SET_CHANENABLESTATE = 0x0210
    REQ_CHANENABLESTATE = 0x0211
    GET_CHANENABLESTATE = 0x0212
    IDENTIFY = 0x0223
    SET_ENCCOUNTER = 0x0409
    REQ_ENCCOUNTER = 0x040A
    GET_ENCCOUNTER = 0x040B
    SET_POSCOUNTER = 0x0410
    REQ_POSCOUNTER = 0x0411
    GET_POSCOUNTER = 0x0412
    SET_VELPARAMS = 0x0413
    REQ_VELPARAMS = 0x0414
    GET_VELPARAMS = 0x0415
    SET_JOGPARAMS = 0x0416
    REQ_JOGPARAMS = 0x0417
    GET_JOGPARAMS = 0x0418
    SET_LIMSWITCHPARAMS = 0x0423
    REQ_LIMSWITCHPARAMS = 0x0424
    GET_LIMSWITCHPARAMS = 0x0425
    SET_POWERPARAMS = 0x0426
    REQ_POWERPARAMS = 0x0427
    GET_POWERPARAMS = 0x0428
    REQ_STATUSBITS = 0x0429
    GET_STATUSBITS = 0x042A
    SET_GENMOVEPARAMS = 0x043A
    REQ_GENMOVEPARAMS = 0x043B
    GET_GENMOVEPARAMS = 0x043C
    SET_HOMEPARAMS = 0x0440
    REQ_HOMEPARAMS = 0x0441
    GET_HOMEPARAMS = 0x0442
    MOVE_HOME = 0x0443
    MOVE_HOMED = 0x0444
    SET_MOVERELPARAMS = 0x0445
    REQ_MOVERELPARAMS = 0x0446
    GET_MOVERELPARAMS = 0x0447
    MOVE_RELATIVE = 0x0448
    SET_MOVEABSPARAMS = 0x0450
    REQ_MOVEABSPARAMS = 0x0451
    GET_MOVEABSPARAMS = 0x0452
    MOVE_ABSOLUTE = 0x0453
    MOVE_VELOCITY = 0x0457
    MOVE_COMPLETED = 0x0464
    MOVE_STOP = 0x0465
    MOVE_STOPPED = 0x0466
    MOVE_JOG = 0x046A
    SUSPEND_ENDOFMOVEMSGS = 0x046B
    RESUME_ENDOFMOVEMSGS = 0x046C
    REQ_STATUSUPDATE = 0x0480
    GET_STATUSUPDATE = 0x0481
    REQ_DCSTATUSUPDATE = 0x0490
    GET_DCSTATUSUPDATE = 0x0491
    ACK_DCSTATUSUPDATE = 0x0492
    SET_EEPROMPARAMS = 0x04B9
    SET_TSTACTUATORTYPE = 0x04FE
    SET_KCUBETRIGIOCONFIG = 0x0523
    REQ_KCUBETRIGIOCONFIG = 0x0524
    GET_KCUBETRIGIOCONFIG = 0x0525


class Status(IntFlag):
    """Status bits of a stepper controller.

    The documents contradict one another about the direction of the limit and motion bits, so only "any of"
    masks may decide anything: `MOVING`, `LIMITS`, `FAULTS`.
    """

    FORWARD_LIMIT = 0x00000001
    REVERSE_LIMIT = 0x00000002
    FORWARD_SOFT_LIMIT = 0x00000004
    REVERSE_SOFT_LIMIT = 0x00000008
    MOVING_FORWARD = 0x00000010
    MOVING_REVERSE = 0x00000020
    JOGGING_FORWARD = 0x00000040
    JOGGING_REVERSE = 0x00000080
    MOTOR_CONNECTED = 0x00000100
    HOMING = 0x00000200
    HOMED = 0x00000400
    MOTION_ERROR = 0x00004000
    INSTRUMENT_ERROR = 0x00008000
    OVER_TEMPERATURE = 0x00020000
    SUPPLY_VOLTAGE_FAULT = 0x00040000
    COMMUTATION_ERROR = 0x00080000
    OVER_CURRENT = 0x04000000
    SUPPLY_CURRENT_FAULT = 0x08000000
    ERROR = 0x40000000
    CHANNEL_ENABLED = 0x80000000


MOVING = Status(0x000002F0)  # moving, jogging or homing, whichever way
LIMITS = Status(0x0000000F)  # on a limit switch, or at a limit set in software
FAULTS = Status(0x4C0EC000)  # everything that the controller reports as wrong

_COUNT = struct.Struct("<Hi")  # channel, microsteps
_VELOCITY = struct.Struct("<Hiii")  # channel, minimum (always 0), acceleration, maximum
_JOG = struct.Struct("<HHiiiiH")  # channel, mode, step, minimum, acceleration, maximum, how to stop
_LIMIT_SWITCHES = struct.Struct("<HHHiiH")  # channel, hard forward and reverse, soft forward and reverse, soft mode
_POWER = struct.Struct("<HHH")  # channel, percent at rest, percent in motion
_HOME = struct.Struct("<HHHii")  # channel, direction, limit switch, velocity, offset
_STATUS_BITS = struct.Struct("<HI")  # channel, bits
_STORE = struct.Struct("<HH")  # channel, id of a SET message
_TRIGGER = struct.Struct("<HHHHHH")  # channel, mode and polarity of plugs 1 and 2, reserved

LAYOUTS: dict[int, struct.Struct] = {
    Message.SET_ENCCOUNTER: _COUNT,
    Message.GET_ENCCOUNTER: _COUNT,
    Message.SET_POSCOUNTER: _COUNT,
    Message.GET_POSCOUNTER: _COUNT,
    Message.SET_VELPARAMS: _VELOCITY,
    Message.GET_VELPARAMS: _VELOCITY,
    Message.SET_JOGPARAMS: _JOG,
    Message.GET_JOGPARAMS: _JOG,
    Message.SET_LIMSWITCHPARAMS: _LIMIT_SWITCHES,
    Message.GET_LIMSWITCHPARAMS: _LIMIT_SWITCHES,
    Message.SET_POWERPARAMS: _POWER,
    Message.GET_POWERPARAMS: _POWER,
    Message.GET_STATUSBITS: _STATUS_BITS,
    Message.SET_GENMOVEPARAMS: _COUNT,
    Message.GET_GENMOVEPARAMS: _COUNT,
    Message.SET_HOMEPARAMS: _HOME,
    Message.GET_HOMEPARAMS: _HOME,
    Message.SET_MOVERELPARAMS: _COUNT,
    Message.GET_MOVERELPARAMS: _COUNT,
    Message.MOVE_RELATIVE: _COUNT,
    Message.SET_MOVEABSPARAMS: _COUNT,
    Message.GET_MOVEABSPARAMS: _COUNT,
    Message.MOVE_ABSOLUTE: _COUNT,
    Message.SET_EEPROMPARAMS: _STORE,
    Message.SET_KCUBETRIGIOCONFIG: _TRIGGER,
    Message.GET_KCUBETRIGIOCONFIG: _TRIGGER,
}
"""How the data of each long message are laid out; the first field is always the channel."""
