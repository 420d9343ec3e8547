"""Writes the page of the reproduction: every figure beside a table of the paper's numbers and ours."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from tplm_daq.report.html import figure, grid, table, write_page
from tplm_daq.report.paper.draw import draw, is_wide
from tplm_daq.report.paper.view import PaperFigure, PaperPage, Row, Source, Verdict

TITLE = "Persistent enhancement of exciton diffusivity, reproduced"
LAMPS = {Verdict.AGREES: "green", Verdict.EXPLAINED: "amber", Verdict.FAILS: "red"}
PLURALS = {Verdict.AGREES: "agree", Verdict.EXPLAINED: "differ and are explained", Verdict.FAILS: "fail"}
COLUMNS = ("quantity", "paper", "ours", "agreement")


def write_paper_page(path: Path, page: PaperPage) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        The HTML file; must not exist.
    page : PaperPage
        Figures with their rows.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    write_page(path, TITLE, _page(page))


def _page(page: PaperPage) -> Iterator[str]:
    yield f"<h1>{escape(TITLE)}</h1>"
    yield '<p class="source">After Shcherbakov-Wu et al., Science Advances 10, eadj2630 (2024), called the paper.</p>'
    n_rows = sum(len(each.rows) for each in page.figures)
    counts = [(verdict, page.count(verdict)) for verdict in Verdict]
    worst = next((LAMPS[verdict] for verdict, n in reversed(counts) if n), "green")
    told = ", ".join(f"{n} {PLURALS[verdict]}" for verdict, n in counts if n)
    yield f'<p class="lamp {worst}">{n_rows} rows: {escape(told)}.</p>'
    yield from _about(page)
    yield from _overview(page)
    for each in page.figures:
        yield from _section(each)


def _about(page: PaperPage) -> Iterator[str]:
    """Yield what was put in, what agreement means, and how it was done."""
    yield "<h3>What is put in, and what is a result</h3>"
    yield (
        "<p>No crystal was measured. Drivers, counting, scanning, run files and analysis are those of the instrument; "
        "sample and devices are simulated. The sample obeys the paper's laws, so where a row says <em>input, "
        "recovered</em>, agreement shows that the whole chain from light to fit gives back what the sample has, and "
        "nothing about nature. The analysis cannot see these inputs. <em>Result</em> marks what nobody put in, such as "
        "the diffusivity of the lattice, which follows from its hopping rules. <em>Calculation</em> needs neither.</p>"
    )
    yield (
        "<p>A number agrees if its 99 % interval contains the published one, a statement if a test at the 1 % level "
        "does not refute it; each row says its own rule. Of a hundred such rows one is expected to fail by chance. "
        "(ours) marks numbers that are not the paper's.</p>"
    )
    yield from table("Inputs of the simulator", page.inputs)
    if page.conduct:
        yield "<h3>How it was done</h3><ul>" + "".join(f"<li>{escape(text)}</li>" for text in page.conduct) + "</ul>"


def _overview(page: PaperPage) -> Iterator[str]:
    """Yield a table with a line for each figure."""
    yield "<h3>Figures</h3>"
    rows = []
    for each in page.figures:
        counts = [sum(row.verdict is verdict for row in each.rows) for verdict in Verdict]
        link = f'<a href="#{_anchor(each)}">{escape(_heading(each))}</a>'
        rows.append((link, *(str(n) if n else "" for n in counts)))
    yield from grid(("figure", *(verdict.value for verdict in Verdict)), rows)


def _section(each: PaperFigure) -> Iterator[str]:
    """Yield one figure with its table, notes and sources."""
    yield f'<section id="{_anchor(each)}"><h2>{escape(_heading(each))}</h2>'
    is_narrow = each.drawing is not None and not is_wide(each.drawing)
    yield '<div class="row">' if is_narrow else ""
    if each.drawing is not None:
        yield figure(draw(each.drawing), _anchor(each), each.caption, is_wide=not is_narrow)
    else:
        yield f"<p>{escape(each.caption)}</p>"
    yield '<div class="beside">'
    yield from grid(COLUMNS, map(_cells, each.rows))
    yield "</div></div>" if is_narrow else "</div>"
    for text in each.notes:
        yield f'<p class="lamp amber">{escape(text)}</p>'
    yield "<details><summary>Rules of comparison, recipes and run files</summary>"
    yield from grid(
        ("quantity", "counts as agreement if"), ((escape(row.quantity), escape(row.rule)) for row in each.rows)
    )
    for source in each.sources:
        yield from _source(source)
    yield "</details></section>"


def _cells(row: Row) -> tuple[str, ...]:
    verdict = f'<span class="lamp {LAMPS[row.verdict]}">{escape(row.verdict.value)}</span>'
    why = f"<br><small>{escape(row.explanation)}.</small>" if row.explanation else ""
    ours = f"{escape(row.ours)}<br><small>{escape(row.origin.value)}</small>"
    return escape(row.quantity), escape(row.paper), ours, verdict + why


def _source(source: Source) -> Iterator[str]:
    changed = f", with {', '.join(source.changes)}" if source.changes else ""
    links = " · ".join(f'<a href="{path}">{escape(label)}</a>' for label, path in source.links)
    yield f'<p class="source">{escape(source.recipe)}{escape(changed)}<br>{links}</p>'


def _heading(each: PaperFigure) -> str:
    return each.title if each.name == "text" else f"{'Note' if each.name == 'S2' else 'Fig.'} {each.name}: {each.title}"


def _anchor(each: PaperFigure) -> str:
    return f"figure-{each.name.lower()}"
