"""Acquisition and analysis for transient photoluminescence microscopy.

The public face is loaded on first use, so that ``tplm --help`` stays quick.
"""
