"""The next recipe: a form of its kind, what a check says about it, and the ways into a file, the queue and a run."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path
from typing import cast

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tplm_daq.errors import InputError, TplmError
from tplm_daq.gui.background import LatestJob
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.check_text import check_text
from tplm_daq.gui.file_question import SAVES, ask_for_file
from tplm_daq.gui.recipe_document import Document
from tplm_daq.gui.recipe_form import RecipeForm
from tplm_daq.gui.recipe_kinds import KINDS, Kind, kind_of
from tplm_daq.gui.theme import Theme
from tplm_daq.recipes.load import dump_yaml, shipped_configs
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.calibrated import Calibrations
from tplm_daq.workflow.jobs import AnyCheck, check_recipe
from tplm_daq.workflow.load import AnyRecipe, load_recipe

DEBOUNCE_MS = 300
FORM_WIDTH, CHECK_WIDTH = 980, 380
YAML_FILES = "Recipes (*.yaml *.yml)"


class RecipePanel(QWidget):
    """Edits a recipe of each kind, one of which is in view.

    Parameters
    ----------
    rig : RigRecipe
        The microscope on which it is to run.

    Attributes
    ----------
    run_requested, queue_requested : signal (object, object)
        A recipe and the `RigRecipe` to run now, or after others.
    recipe_changed : signal
        `recipe()` gives another answer.
    """

    run_requested = pyqtSignal(object, object)
    queue_requested = pyqtSignal(object, object)
    recipe_changed = pyqtSignal()

    def __init__(self, rig: RigRecipe, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rig = rig
        self._folder = folder
        self._recipe: AnyRecipe | None = None
        self._is_busy = False
        self._is_feasible = False
        self._refusal = ""
        self._documents: dict[Kind, Document] = {}
        self._pages = QStackedWidget()
        self._kind = QComboBox()
        self._kind.setAccessibleName("Kind of recipe")
        self._kind.addItems([kind.name for kind in KINDS])
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self._review)
        self._job = LatestJob("check", self)
        self._job.done.connect(self._show_check)
        self._file = QLabel()
        self._check = _check_label()
        self._open_button = push_button("&Open…", "Open a recipe file", self._ask_open)
        self._save_button = push_button("&Save", "Save the recipe", self.save, "Ctrl+S")
        self._save_as_button = push_button("Save &as…", "Save the recipe under another name", self._ask_save)
        self._queue_button = push_button("Add to &queue", "Run this recipe after others", self._queue, "Ctrl+Return")
        self._run_button = push_button("&Run", "Run this recipe now", self._run)
        self._lay_out()
        self._show_kind()
        self._kind.currentIndexChanged.connect(lambda: self._show_kind())

    @property
    def form(self) -> RecipeForm:
        """The form in view."""
        return self._document.form

    @property
    def is_unsaved(self) -> bool:
        """Whether the form in view holds something else than the file, or than the recipe that was set."""
        return self._document.is_unsaved

    def recipe(self) -> AnyRecipe | None:
        """Return the recipe in the form in view, None if there is something wrong with it."""
        if self._debounce.isActive():
            self._review()
        return self._recipe

    @property
    def refusal(self) -> str:
        """Why the recipe in view cannot be run, as far as is known; empty if nothing speaks against it."""
        return self._refusal

    @property
    def unsaved(self) -> tuple[str, ...]:
        """Names of the kinds of recipes that hold something that no file has."""
        return tuple(kind.name for kind, document in self._documents.items() if document.is_unsaved)

    def set_recipe(self, recipe: str | Path | AnyRecipe) -> None:
        """Edit another recipe, of whatever kind; what is edited of other kinds stays.

        Parameters
        ----------
        recipe : str, Path or AnyRecipe
            A file, shipped ones are found by name; or the recipe itself.

        Raises
        ------
        InputError
            The file cannot be used; the form stays as it is.
        """
        path = None
        if isinstance(recipe, str | Path):
            path, recipe = load_recipe(recipe)
        self._kind.setCurrentText(kind_of(recipe).name)
        self._document.show(recipe, path)
        self._on_change()
        self._review()

    def set_rig(self, rig: RigRecipe) -> None:
        """Check and run on another microscope."""
        self._rig = rig
        self._review()

    def set_theme(self, theme: Theme) -> None:
        """Take the colour of problems from a theme."""
        self.setStyleSheet(f'QLabel[role="problem"] {{ color: {theme.bad}; }}')

    def set_busy(self, is_busy: bool) -> None:
        """Allow no second run while something is under way; what it calibrated is looked up when it has ended."""
        if self._is_busy and not is_busy:
            self._debounce.start()
        self._is_busy = is_busy
        self._enable()

    def save(self) -> None:
        """Save into the file that was opened; one that came with the program is left alone, and a name asked for."""
        path = self._document.path
        if path is None or path.is_relative_to(shipped_configs()):
            self._ask_save()
        else:
            self.save_as(path)

    def save_as(self, path: Path) -> None:
        """Save into a file, which is overwritten if it exists; the panel says so if it cannot be written."""
        recipe = self.recipe()
        if recipe is None:
            return
        try:
            path.write_text(dump_yaml(recipe), encoding="utf-8")
        except OSError as error:
            self._tell([f"{path}: cannot be written ({error.strerror}). Choose another folder."])
            return
        self._document.saved_as(path)
        self._show_file()

    def open(self, path: Path) -> None:
        """Edit the recipe of a file; the panel says so if it cannot be used."""
        try:
            self.set_recipe(path)
        except InputError as error:
            self._tell(str(error).splitlines())

    @property
    def _document(self) -> Document:
        return self._documents[KINDS[self._kind.currentIndex()]]

    def _show_kind(self) -> None:
        """Show the form of the kind that is chosen; it is made when it is first looked at."""
        kind = KINDS[self._kind.currentIndex()]
        if kind not in self._documents:
            document = self._documents[kind] = Document(kind)
            document.form.changed.connect(self._on_change)
            self._pages.addWidget(document.page)
        self._pages.setCurrentWidget(self._document.page)
        self._show_file()
        self._review()

    def _on_change(self) -> None:
        self._show_file()
        self._debounce.start()

    def _review(self) -> None:
        """Validate what is in the form, and have it checked against the rig."""
        self._debounce.stop()
        before = self._recipe
        self._recipe, problems = self._document.validated()
        self._is_feasible, self._refusal = False, ""
        if self._recipe is None:
            n_problems = "One thing is" if len(problems) == 1 else f"{len(problems)} things are"
            self._refusal = f"{n_problems} wrong with the recipe; the tab Recipe says what"
            self._tell([f"{n_problems} wrong with the recipe:", *problems.values()])
        else:
            recipe, rig, folder = self._recipe, self._rig, self._folder
            self._job.start(lambda: check_recipe(recipe, rig, folder))
        self._enable()
        if self._recipe != before:
            self.recipe_changed.emit()

    def _show_check(self, outcome: object) -> None:
        if self._recipe is None:
            return
        self._is_feasible = not isinstance(outcome, TplmError)
        if isinstance(outcome, TplmError):
            self._refusal = f"{self._rig.name} cannot do this. {outcome}"
            self._tell([f"{self._rig.name} cannot do this:", *str(outcome).splitlines()])
        else:
            self._check.setText(check_text(*cast(tuple[AnyCheck, Calibrations], outcome), datetime.now()))
        self._enable()

    def _tell(self, lines: list[str]) -> None:
        self._check.setText("".join(f"<p>{'⚠ ' if i else ''}{escape(line)}</p>" for i, line in enumerate(lines)))

    def _enable(self) -> None:
        is_good = self._recipe is not None and self._is_feasible
        self._run_button.setEnabled(is_good and not self._is_busy)
        self._queue_button.setEnabled(is_good)
        for button in (self._save_button, self._save_as_button):
            button.setEnabled(self._recipe is not None)

    def _show_file(self) -> None:
        path = self._document.path
        name = "new recipe" if path is None else path.name
        self._file.setText(f"<b>{escape(name)}</b>" + (" ● not saved" if self.is_unsaved else ""))
        self._file.setToolTip("" if path is None else str(path))

    def _run(self) -> None:
        if (recipe := self.recipe()) is not None:
            self.run_requested.emit(recipe, self._rig)

    def _queue(self) -> None:
        if (recipe := self.recipe()) is not None:
            self.queue_requested.emit(recipe, self._rig)

    def _ask_open(self) -> None:
        path = self._document.path
        folder = str(path.parent if path is not None else shipped_configs())
        ask_for_file(self, "Open a recipe", folder, self.open, kinds=YAML_FILES)

    def _ask_save(self) -> None:
        name = f"my_{self._document.kind.model.__name__.lower().removesuffix('recipe')}.yaml"
        ask_for_file(self, "Save the recipe", name, self.save_as, SAVES, YAML_FILES)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._kind)
        top.addWidget(self._file, 1)
        for button in (self._open_button, self._save_button, self._save_as_button):
            top.addWidget(button)
        checked = QScrollArea()
        checked.setWidgetResizable(True)
        checked.setWidget(self._check)
        actions = QHBoxLayout()
        actions.addWidget(self._queue_button)
        actions.addWidget(self._run_button)
        right = QWidget()
        right.setMinimumWidth(CHECK_WIDTH)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(QLabel("<b>What will happen</b>"))
        column.addWidget(checked, 1)
        column.addLayout(actions)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._pages)
        split.addWidget(right)
        split.setSizes([FORM_WIDTH, CHECK_WIDTH])  # in proportion on a larger screen
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(split, 1)


def _check_label() -> QLabel:
    label = QLabel()
    label.setAccessibleName("Result of the check")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setFrameShape(QFrame.Shape.NoFrame)
    label.setMargin(6)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
