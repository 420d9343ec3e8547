"""A recipe of one kind being edited: its form, the file that it came from, and whether it was changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tplm_daq.errors import InputError
from tplm_daq.gui.columns import Columns
from tplm_daq.gui.recipe_form import RecipeForm
from tplm_daq.gui.recipe_kinds import Kind
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.explain import explain_by_key
from tplm_daq.recipes.load import dump_yaml, validate
from tplm_daq.workflow.load import AnyRecipe, load_recipe

COLUMN_WIDTH = 310
Problems = dict[tuple[str | int, ...], str]
"""Sentences by the keys that they are about."""


class Document:
    """What is being edited of one kind; begins with the shipped example.

    Parameters
    ----------
    kind : Kind
        Which kind.

    Attributes
    ----------
    kind : Kind
        As given.
    form : RecipeForm
        Where it is edited.
    page : Columns
        The form laid out.
    path : Path or None
        The file it came from, or was last saved in.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.form = RecipeForm(kind.model)
        self.page = Columns(self.form.groups, COLUMN_WIDTH)
        self.form.setParent(self.page)
        self.form.hide()
        self.path: Path | None = None
        self._saved: dict[str, Any] = {}
        path, recipe = load_recipe(kind.example)
        self.show(recipe, path)

    @property
    def is_unsaved(self) -> bool:
        """Whether the form holds something else than the file, or than the recipe that was set."""
        return self.form.data() != self._saved

    def show(self, recipe: AnyRecipe, path: Path | None) -> None:
        """Edit another recipe of this kind, which came from a file or from elsewhere."""
        self.form.set_data(parse_mapping(dump_yaml(recipe), "the recipe"))
        self.saved_as(path)

    def saved_as(self, path: Path | None) -> None:
        """Take note that a file holds what the form holds."""
        self.path, self._saved = path, self.form.data()

    def validated(self) -> tuple[AnyRecipe | None, Problems]:
        """Return the recipe in the form, or None and what is wrong with it; the form shows that too."""
        problems: Problems = {}
        recipe: AnyRecipe | None = None
        try:
            recipe = validate(self.kind.model, self.form.data(), "the recipe")
        except InputError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            problems = explain_by_key(self.kind.model, error.__cause__)
        self.form.set_problems(problems)
        return recipe, problems
