"""What a program sees of TH260Lib 3.2.

Source: th260lib.h of TH260Lib 3.2 (February 2020).
"""

from __future__ import annotations

from ctypes import c_int, c_uint

from simulators.tcspc.face import DOUBLE, INT, TEXT, WORDS, Face, Signatures

_SIGNATURES: Signatures = {
    "TH260_GetLibraryVersion": (TEXT,),
    "TH260_GetErrorString": (TEXT, c_int),
    "TH260_OpenDevice": (c_int, TEXT),
    "TH260_CloseDevice": (c_int,),
    "TH260_Initialize": (c_int, c_int),
    "TH260_GetHardwareInfo": (c_int, TEXT, TEXT, TEXT),
    "TH260_GetSerialNumber": (c_int, TEXT),
    "TH260_GetFeatures": (c_int, INT),
    "TH260_GetBaseResolution": (c_int, DOUBLE, INT),
    "TH260_GetNumOfInputChannels": (c_int, INT),
    "TH260_SetTimingMode": (c_int, c_int),
    "TH260_SetSyncDiv": (c_int, c_int),
    "TH260_SetSyncCFD": (c_int, c_int, c_int),
    "TH260_SetSyncEdgeTrg": (c_int, c_int, c_int),
    "TH260_SetSyncChannelOffset": (c_int, c_int),
    "TH260_SetInputCFD": (c_int, c_int, c_int, c_int),
    "TH260_SetInputEdgeTrg": (c_int, c_int, c_int, c_int),
    "TH260_SetInputChannelOffset": (c_int, c_int, c_int),
    "TH260_SetInputChannelEnable": (c_int, c_int, c_int),
    "TH260_SetInputDeadTime": (c_int, c_int, c_int),
    "TH260_SetStopOverflow": (c_int, c_int, c_uint),
    "TH260_SetBinning": (c_int, c_int),
    "TH260_SetOffset": (c_int, c_int),
    "TH260_SetHistoLen": (c_int, c_int, INT),
    "TH260_SetMeasControl": (c_int, c_int, c_int, c_int),
    "TH260_SetTriggerOutput": (c_int, c_int),
    "TH260_ClearHistMem": (c_int,),
    "TH260_StartMeas": (c_int, c_int),
    "TH260_StopMeas": (c_int,),
    "TH260_CTCStatus": (c_int, INT),
    "TH260_GetHistogram": (c_int, WORDS, c_int, c_int),
    "TH260_GetResolution": (c_int, DOUBLE),
    "TH260_GetSyncRate": (c_int, INT),
    "TH260_GetCountRate": (c_int, c_int, INT),
    "TH260_GetFlags": (c_int, INT),
    "TH260_GetElapsedMeasTime": (c_int, DOUBLE),
    "TH260_GetSyncPeriod": (c_int, DOUBLE),
    "TH260_GetWarnings": (c_int, INT),
    "TH260_GetWarningsText": (c_int, TEXT, c_int),
    "TH260_GetHardwareDebugInfo": (c_int, TEXT),
    "TH260_SetMarkerEdges": (c_int, c_int, c_int, c_int, c_int),
    "TH260_SetMarkerEnable": (c_int, c_int, c_int, c_int, c_int),
    "TH260_SetMarkerHoldoffTime": (c_int, c_int),
    "TH260_ReadFiFo": (c_int, WORDS, c_int, INT),
}

TH260LIB = Face("th260lib", "TH260_", _SIGNATURES)
