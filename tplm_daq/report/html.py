"""The parts of which a page is made: frame, tables, figures with captions; and how a page gets on the disk.

A page is one HTML file that needs nothing else: figures stand in it as SVG, it has no scripts and loads nothing.
Colours follow the reader's screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from tplm_daq.errors import InputError
from tplm_daq.report.style import svg_of

STYLESHEET = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def write_page(path: Path, title: str, body: Iterable[str]) -> None:
    """Write a page.

    Parameters
    ----------
    path : Path
        The HTML file; must not exist.
    title : str
        Title of its window.
    body : iterable of str
        Lines of HTML.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    page = "\n".join(_framed(title, body))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(page)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise InputError(f"{path}: exists already and is not overwritten. Choose another name with -o.") from error
        raise InputError(f"{path}: the report cannot be written ({error}). Choose another place with -o.") from error


def table(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    """Yield a table of two columns with its heading; nothing for no rows."""
    if not rows:
        return
    yield f"<h3>{escape(title)}</h3><table><tbody>"
    for name, text in rows.items():
        yield f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
    yield "</tbody></table>"


def grid(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table with named columns; the names are text, the cells HTML."""
    yield (
        '<table class="grid"><thead><tr>'
        + "".join(f"<th>{escape(name)}</th>" for name in names)
        + "</tr></thead><tbody>"
    )
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"


def figure(drawn: Figure, name: str, caption: str, is_wide: bool = False) -> str:
    """Return a figure with its caption, which also describes it to those who cannot see it."""
    svg = svg_of(drawn, name).replace("<svg ", f'<svg role="img" aria-label="{escape(caption, quote=True)}" ', 1)
    kind = ' class="wide"' if is_wide else ""
    return f"<figure{kind}>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _framed(title: str, body: Iterable[str]) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{escape(title)}</title><style>{STYLESHEET}</style></head><body><main>"
    yield from body
    yield "</main></body></html>"
