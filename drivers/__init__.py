"""Drivers of the microscope's boxes, one module per model, usable without the rest of the program.

TPLM-DAQ-DRIVERS: the program refuses to start when another package of this name is imported.
"""
