"""Dark and light colours of the window; both keep text at a contrast of at least 7 to 1, and no colour stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

Name = Literal["dark", "light"]

COLOUR_MAPS = ("viridis", "cividis")
"""Perceptually uniform, and readable with any kind of colour vision."""
RESIDUAL_COLOUR_MAP = "CET-D1A"
"""Blue to white to red: for numbers that have a sign."""


@dataclass(frozen=True)
class Theme:
    """Colours by what they mean: ground and text, measured, fitted, a second fit, and good, doubtful, bad."""

    name: Name
    ground: str
    raised: str
    line: str
    text: str
    faint: str
    disabled: str
    data: str
    model: str
    second: str
    good: str
    doubtful: str
    bad: str


DARK = Theme(
    name="dark",
    ground="#14171a",
    raised="#22272c",
    line="#414951",
    text="#e3e7eb",
    faint="#a7b0b9",
    disabled="#7b858e",
    data="#5fb0ee",
    model="#f39a59",
    second="#a6cf68",
    good="#58c27d",
    doubtful="#f0b429",
    bad="#ff6b60",
)
LIGHT = Theme(
    name="light",
    ground="#ffffff",
    raised="#eef1f4",
    line="#b9c1c9",
    text="#15191d",
    faint="#4a535c",
    disabled="#7d868f",
    data="#1667a8",
    model="#b54708",
    second="#4d7115",
    good="#146c37",
    doubtful="#7a5200",
    bad="#b3140a",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}

LAMP_WORDS = {
    "green": "nothing known speaks against it",
    "amber": "read the warnings",
    "red": "do not use it",
}
"""What the bias lamp says, so that its colour is not needed."""


def lamp_colour(theme: Theme, lamp: str) -> str:
    """Return the colour of a bias lamp that says green, amber or red."""
    return {"green": theme.good, "amber": theme.doubtful}.get(lamp, theme.bad)


def apply_theme(theme: Theme) -> None:
    """Give every widget of the program these colours; plots are told apart (`Plot.set_theme`).

    Widgets that are made later have them too, and sooner: those that are there are all drawn up anew, in seconds.
    """
    app, style_sheet = QApplication.instance(), _style_sheet(theme)
    assert isinstance(app, QApplication)
    if app.styleSheet() == style_sheet:
        return
    app.setStyle("Fusion")
    palette = QPalette()
    role = QPalette.ColorRole
    for roles, colour in (
        ((role.Window, role.Button, role.ToolTipBase, role.AlternateBase), theme.raised),
        ((role.Base,), theme.ground),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), theme.text),
        ((role.PlaceholderText,), theme.faint),
        ((role.Highlight, role.Link), theme.data),
        ((role.HighlightedText,), theme.ground),
    ):
        for each in roles:
            palette.setColor(each, QColor(colour))
    for each in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(theme.disabled))
    app.setPalette(palette)
    app.setStyleSheet(style_sheet)


def _style_sheet(theme: Theme) -> str:
    return f"""
    QToolTip {{ color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.line}; padding: 3px; }}
    QPushButton {{ padding: 4px 10px; }}
    QPushButton:focus, QLineEdit:focus, QComboBox:focus, QCheckBox:focus {{ border: 2px solid {theme.data}; }}
    QPushButton:focus {{ padding: 2px 8px; }}
    QProgressBar {{ border: 1px solid {theme.line}; border-radius: 3px; text-align: center;
                    background: {theme.ground}; color: {theme.text}; }}
    QProgressBar::chunk {{ background: {theme.line}; border-radius: 2px; }}
    QSplitter::handle {{ background: {theme.line}; }}
    QSplitter::handle:horizontal {{ width: 3px; }}
    QSplitter::handle:vertical {{ height: 3px; }}
    QLabel[role="title"] {{ font-weight: bold; }}
    QLabel[role="read-out"] {{ color: {theme.faint}; }}
    """
