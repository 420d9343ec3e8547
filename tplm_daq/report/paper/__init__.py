"""Draws the reproduction of the published figures; computes nothing."""
