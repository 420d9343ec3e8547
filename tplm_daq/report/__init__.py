"""Draws finished results; computes nothing."""
