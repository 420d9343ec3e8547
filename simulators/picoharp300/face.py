"""What a program sees of PHLib 3.0, router functions apart.

Source: phlib.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

from ctypes import c_int

from simulators.tcspc.face import DOUBLE, INT, TEXT, WORDS, Face, Signatures

_SIGNATURES: Signatures = {
    "PH_GetLibraryVersion": (TEXT,),
    "PH_GetErrorString": (TEXT, c_int),
    "PH_OpenDevice": (c_int, TEXT),
    "PH_CloseDevice": (c_int,),
    "PH_Initialize": (c_int, c_int),
    "PH_GetHardwareInfo": (c_int, TEXT, TEXT, TEXT),
    "PH_GetSerialNumber": (c_int, TEXT),
    "PH_GetFeatures": (c_int, INT),
    "PH_GetBaseResolution": (c_int, DOUBLE, INT),
    "PH_GetHardwareDebugInfo": (c_int, TEXT),
    "PH_Calibrate": (c_int,),
    "PH_SetInputCFD": (c_int, c_int, c_int, c_int),
    "PH_SetSyncDiv": (c_int, c_int),
    "PH_SetSyncOffset": (c_int, c_int),
    "PH_SetStopOverflow": (c_int, c_int, c_int),
    "PH_SetBinning": (c_int, c_int),
    "PH_SetOffset": (c_int, c_int),
    "PH_SetMultistopEnable": (c_int, c_int),
    "PH_ClearHistMem": (c_int, c_int),
    "PH_StartMeas": (c_int, c_int),
    "PH_StopMeas": (c_int,),
    "PH_CTCStatus": (c_int, INT),
    "PH_GetHistogram": (c_int, WORDS, c_int),
    "PH_GetResolution": (c_int, DOUBLE),
    "PH_GetCountRate": (c_int, c_int, INT),
    "PH_GetFlags": (c_int, INT),
    "PH_GetElapsedMeasTime": (c_int, DOUBLE),
    "PH_GetWarnings": (c_int, INT),
    "PH_GetWarningsText": (c_int, TEXT, c_int),
    "PH_SetMarkerEnable": (c_int, c_int, c_int, c_int, c_int),
    "PH_SetMarkerEdges": (c_int, c_int, c_int, c_int, c_int),
    "PH_SetMarkerHoldoffTime": (c_int, c_int),
    "PH_ReadFiFo": (c_int, WORDS, c_int, INT),
}

PHLIB = Face("phlib", "PH_", _SIGNATURES)
