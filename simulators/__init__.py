"""The virtual experiment: one sample, one optical path, and a double of every box at its wire.

TPLM-DAQ-DOUBLES: the program refuses to start when another package of this name is imported.
"""
