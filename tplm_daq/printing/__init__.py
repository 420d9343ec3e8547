"""Printing: results and overviews as tables for people; documents for programs are printed by the commands."""
