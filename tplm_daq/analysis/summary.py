"""A result in words: the rows that the terminal prints and a notebook shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tplm_daq.analysis.result import Result

LAMP_COLOURS = {"green": "#3f9b4f", "amber": "#e0a100", "red": "#d0392b"}


def line_of(result: Result) -> str:
    """Return a result in one line."""
    low, high = result.ci95_cm2_s
    return (
        f"D = {result.diffusivity_cm2_s:.5f} cm²/s, 95 % interval {low:.5f} to {high:.5f} "
        f"({result.method}), lamp {result.bias_lamp}"
    )


def rows_of(result: Result) -> list[tuple[str, str]]:
    """Return what to know of a result as names and texts with units; each correction and warning is a row."""
    low, high = result.ci95_cm2_s
    rows = [
        ("method", result.method),
        ("D", f"{result.diffusivity_cm2_s:.5f} cm²/s, 95 % interval {low:.5f} to {high:.5f}"),
        ("systematic", f"{result.systematic_cm2_s:.5f} cm²/s"),
        ("sigma0", _length(result.sigma0_nm, result.sigma0_xy_nm)),
        ("centre", _length(result.centre_nm, result.centre_xy_nm)),
        ("lifetime", f"{result.lifetime_ns:.3f} ns"),
        ("bias lamp", result.bias_lamp),
    ]
    rows += [("corrected", text) for text in result.corrections]
    return rows + [("warning", text) for text in result.warnings]


def html_of(result: Result) -> str:
    """Return the rows of a result as an HTML table with its lamp."""
    cells = [(name, escape(text)) for name, text in rows_of(result)]
    lamp = f'<span style="color:{LAMP_COLOURS[result.bias_lamp]}">&#9679;</span> '
    lines = [f'<tr><th style="text-align:left">{name}</th>{_cell(name, text, lamp)}</tr>' for name, text in cells]
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def _cell(name: str, text: str, lamp: str) -> str:
    if name == "D":
        text = f"<b>{text}</b>"
    return f'<td style="text-align:left">{lamp if name == "bias lamp" else ""}{text}</td>'


def _length(along_nm: float, pair_nm: tuple[float, float] | None) -> str:
    return f"{along_nm:.1f} nm" if pair_nm is None else f"x {pair_nm[0]:.1f} nm, y {pair_nm[1]:.1f} nm"
