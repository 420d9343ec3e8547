"""The example notebook: executed as Jupyter does it, and freed of what belongs to one machine or moment.

``python -m tests.notebook [TARGET]`` (`make notebook`) executes `docs/example.ipynb` in a folder of its own and stores
it with its outputs.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "example.ipynb"
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
MOMENT = re.compile(r"\d{8}-\d{6}(-\d+)?|\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d")
"""A time in the name of a run file, or in ISO 8601."""


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """Return a notebook with the outputs that its cells give, one after the other, in a folder."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=100, kernel_name="python3", coalesce_streams=True, resources=where).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> list[list[tuple[str, str]]]:
    """Return, cell by cell, each output as its kind and its text without moments; of a picture the kind alone."""
    return [[_comparable(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


def _comparable(output: nbformat.NotebookNode) -> tuple[str, str]:
    if output.output_type == "stream":
        return output.name, MOMENT.sub("TIME", output.text)
    if output.output_type == "error":
        return "error", f"{output.ename}: {output.evalue}"
    kinds = [kind for kind in ("image/png", "text/html", "text/plain") if kind in output.data]
    return kinds[0], "" if kinds[0] == "image/png" else MOMENT.sub("TIME", output.data[kinds[0]])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(execute(EXAMPLE, Path(folder)), EXAMPLE if len(sys.argv) < 2 else sys.argv[1])
