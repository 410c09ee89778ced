"""A study by what is typed for it: a file, the name of a shipped one, or the folder of one that was begun."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from sparring import catalogue
from sparring.errors import SparringError, UsageError, shortened
from sparring.recipe import Recipe, reload
from sparring.recipe.encoding import own_part
from sparring.recipe.files import call_in_file, defines
from sparring.recipe.reading import check_well_known
from sparring.study import library
from sparring.study.definition import PlannedCell, Study
from sparring.study.folder import StudyFolder


def is_study(text: str) -> bool:
    """Whether this names a study, rather than a recipe that one is about."""
    path = Path(text.partition(":")[0])
    if path.suffix == ".py":
        return defines(path, "Study")
    return text in library.names() or StudyFolder(text).exists


def is_recipe(text: str, is_varied: bool) -> bool:
    """Whether this names a recipe that something is varied of, also where a study's folder is called the same."""
    return is_varied and catalogue.has("recipes", text)


def check_exists(text: str) -> None:
    """Raises UsageError for what is neither a recipe's name nor a path: of nothing, nothing can be varied."""
    check_well_known("recipes", text)
    if Path(text.partition(":")[0]).exists() or catalogue.has("recipes", text):
        return
    name, studies = shortened(text), library.names()
    near = difflib.get_close_matches(text, [*catalogue.entries("recipes"), *studies], n=1)
    if near:
        raise UsageError(f"no recipe, study or folder called {name!r}; did you mean {near[0]!r}?")
    raise UsageError(
        f"no recipe, study or folder called {name!r}; `sparring recipes` lists recipes, and shipped studies are "
        f"{', '.join(studies)}"
    )


def find_study(text: str) -> Study:
    """The study in a file (`study.py`, `study.py:function`), or a shipped one by its name.

    Raises:
        UsageError: There is none.
        SparringError: The file fails when it is run, or its function does.
    """
    path, _, function = text.partition(":")
    if not path.endswith(".py"):
        return library.find(text)
    function, made = call_in_file(Path(path), function, "Study")
    if not isinstance(made, Study):
        raise UsageError(f"{path}:{function} returned {type(made).__name__}, not a Study")
    return made


def begun(folder: StudyFolder) -> Study:
    """The study of a folder, ready to be trained: a user's own parts come from the files that they are from.

    Raises SparringError where a part exists nowhere but in the program that began the study, or its file has changed.
    """
    study = folder.study
    cells = tuple(PlannedCell(c.label, c.levels, _reloaded(c.recipe, folder)) for c in study.cells)
    return study.with_cells(cells)


def _reloaded(recipe: Recipe, folder: StudyFolder) -> Recipe:
    plain: dict[str, Any] = recipe.to_dict()
    own = [field for field, value in plain.items() if own_part(value) is not None]
    if not own:
        return recipe
    made = reload(plain) if recipe.origin else None
    if made is None or made.id != recipe.id:
        raise SparringError(
            f"the {own[0]} of a cell of {folder.path} exists in the program that began the study: rerun that"
        )
    return made
