"""Asks for a file or a folder without holding up the window: LIGHT OFF and F12 work while somebody is choosing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QMessageBox, QWidget

from tplm_daq.gui.dialogs import bring_to_front

Mode = QFileDialog.FileMode
OPENS, SAVES, FOLDER = Mode.ExistingFile, Mode.AnyFile, Mode.Directory


def ask_for_file(
    parent: QWidget, title: str, start: Path | str, use: Callable[[Path], None], mode: Mode = OPENS, kinds: str = ""
) -> QFileDialog:
    """Show a dialog, and call `use` with what is chosen, never if nothing is.

    The system's own dialog is not used: it keeps F12 to itself, and is bright in a dark room.

    Parameters
    ----------
    parent : QWidget
        Who asks; a question that is open already comes to the front.
    title : str
        What is asked.
    start : Path or str
        Folder in which to begin, or the file proposed.
    use : callable
        Takes the file or folder.
    mode : QFileDialog.FileMode
        `OPENS`, `SAVES` or `FOLDER`.
    kinds : str
        Names of kinds of files with their patterns.

    Returns
    -------
    QFileDialog
        The dialog, which goes away by itself.
    """
    if (shown := bring_to_front(parent, QFileDialog, title)) is not None:
        return shown
    dialog = QFileDialog(parent, title, str(start), kinds)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # its box would be modal
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    if mode is SAVES:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(start).suffix)
        dialog.selectFile(str(start))
        dialog.fileSelected.connect(lambda name: _save(parent, Path(name), use))
    else:
        dialog.fileSelected.connect(lambda name: use(Path(name)))
    dialog.show()
    return dialog


def _save(parent: QWidget, path: Path, use: Callable[[Path], None]) -> None:
    """Ask before a file is replaced."""
    if not path.exists():
        use(path)
        return
    box = QMessageBox(QMessageBox.Icon.Question, "The file exists", f"{path}\nReplace this file?", parent=parent)
    yes = box.addButton("Replace it", QMessageBox.ButtonRole.AcceptRole)
    box.setEscapeButton(box.addButton("Keep it", QMessageBox.ButtonRole.RejectRole))
    box.buttonClicked.connect(lambda button: use(path) if button is yes else None)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setModal(False)
    box.show()
