"""Recipes by name: from the catalogue, or from a user's Python file."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from sparring import catalogue
from sparring.datasets import Dataset
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.fields import described, refusal
from sparring.recipe.definition import Origin, Recipe
from sparring.recipe.reading import check_well_known, read_data


def find_recipe(
    name: str | Any,
    sized_by: Dataset | Any = None,
    conditional: bool | None = None,
    minutes: float | None = None,
) -> Recipe:
    """A recipe by its catalogue name, or from a user's file.

    Args:
        name: `digits`; or the path `my_recipe.py`, or `my_recipe.py:function` where the file defines several. In a
            file, a function annotated `-> Recipe` is a recipe. The file is run.
        sized_by: the data to train on; anything that a recipe's `data` may be. A recipe that chooses its networks by
            the data, as `auto` does, fits them to it.
        conditional: whether it is to train class-conditionally. A recipe that chooses its loss by that, as `auto`
            does, decides by the data if None.
        minutes: how long it is to be trained for, for a recipe that chooses its networks by that too, as `auto` does;
            `train(..., minutes=...)` still says how long it is. Other recipes ignore it.

    Returns:
        The recipe, with its reference seeds and length; change it with `recipe.replace(...)`.

    Raises:
        UsageError: there is no recipe of that name, or no such file or function, or an argument is of another kind.
        SparringError: the file fails when it is run, or its function does.
    """
    if not isinstance(name, str | os.PathLike):
        raise UsageError(f"a recipe is found by its name, as 'digits', or by a file, not by {described(name)}")
    for given, value, wanted in (("conditional", conditional, bool | None), ("minutes", minutes, float | None)):
        if (takes := refusal(wanted, value)) is not None:
            raise UsageError(f"find_recipe: {given} takes {takes}, not {described(value)}")
    name, data = os.fspath(name), None if sized_by is None else read_data(sized_by)
    path, _, function = name.partition(":")
    asked = {"data": data, "conditional": conditional, "minutes": minutes}
    if path.endswith(".py"):
        return _from_file(Path(path), function, asked)
    check_well_known("recipes", name)
    return _made(catalogue.find("recipes", name), asked)


def reload(data: Mapping[str, Any], file: Path | None = None) -> Recipe:
    """The recipe of a run, ready to train, from its plain data.

    For a recipe from a user's file that file is run again, but only if it is still the one the run was made with: a run
    folder from elsewhere never brings along code that runs by itself.

    Args:
        data: what `Recipe.to_dict` returned.
        file: where the user's file is now, if it moved. It is run whatever it holds.

    Raises:
        SparringError: the data is no recipe, or the user's file is missing, has changed or fails.
    """
    origin = data.get("origin")
    if not origin:
        return Recipe.from_dict(data)
    path = file or Path(origin["file"])
    if not path.is_file() or (file is None and _sha256(path) != origin["sha256"]):
        state = "has changed since" if path.is_file() else "is gone"
        raise SparringError(
            f"this run was made with {path}, which {state}; "
            "read the copy in the run's folder (source.py) and, if you trust it, pass --source FILE"
        )
    return Recipe.from_dict(data, base=_from_file(path, origin["function"]))


def call_in_file(
    path: Path, function: str, returns: str, call: Callable[[Callable[..., Any]], Any] = lambda function: function()
) -> tuple[str, Any]:
    """Run a user's file and call its function that is annotated to return something.

    Args:
        path: The file.
        function: Its function; may be empty where there is only one.
        returns: The annotation: `Recipe`.
        call: Calls the function.

    Returns:
        The function's name, and what it returned.

    Raises:
        UsageError: There is no such file or function, or there are several to choose from.
        SparringError: The file or the function fails.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    with _siblings(path):
        makers = _makers_in(_run_file(path), returns)
    if function and function not in makers:
        raise UsageError(f"{path} has no function {function!r} annotated `-> {returns}`")
    if not makers:
        raise UsageError(f"{path} defines no function annotated `-> {returns}`")
    if not function and len(makers) > 1:
        what = {"Recipe": "recipes", "Study": "studies"}.get(returns, returns)
        raise UsageError(f"{path} defines several {what}; choose one: {', '.join(f'{path}:{n}' for n in makers)}")
    function = function or next(iter(makers))
    try:
        with _siblings(path):
            return function, call(makers[function])
    except SparringError:
        raise
    except (Exception, SystemExit) as error:
        raise SparringError(f"{path}:{function} fails: {_with_line(error, path)}") from error


def defines(path: Path, returns: str) -> bool:
    """Whether a Python file has a function annotated to return this, by its text: the file is not run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.returns is not None]
    return any(_is_named(ast.unparse(each.returns), returns) for each in functions if each.returns is not None)


def _from_file(path: Path, function: str, asked: Mapping[str, Any] | None = None) -> Recipe:
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    whole, content = path.resolve(), _sha256(path)  # before the file is run, which may change the working folder
    function, made = call_in_file(path, function, "Recipe", lambda maker: _made(maker, asked or {}))
    if not isinstance(made, Recipe):
        raise UsageError(f"{path}:{function} returned {type(made).__name__}, not a Recipe")
    origin = Origin(str(whole), function, content)
    return dataclasses.replace(made, origin=origin, name=made.name or function.replace("_", "-"))


def _makers_in(module: ModuleType, returns: str) -> dict[str, Callable[..., Any]]:
    """The public functions that a file defines and annotates to return this."""
    return {
        name: each
        for name, each in vars(module).items()
        if inspect.isfunction(each)
        and each.__module__ == module.__name__
        and not name.startswith("_")
        and _is_named(str(inspect.signature(each).return_annotation), returns)
    }


@contextmanager
def _siblings(path: Path) -> Generator[None]:
    """Files beside it can be imported, as by a script; what is installed comes first, so that none hides it."""
    folder = str(path.resolve().parent)
    sys.path.append(folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


class _FromSource(SourceFileLoader):
    """Runs the file as it stands: kept bytecode would hide an edit of equal length within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _run_file(path: Path) -> ModuleType:
    name = f"sparring_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_FromSource(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that dataclasses and inspect find the file's own names
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SparringError(f"{path} fails when it is run: {_with_line(error, path)}") from error
    return module


def _with_line(error: BaseException, path: Path) -> str:
    """An error in words, with the last line of the user's file that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == path.name]
    return f"{in_one_line(error)}{f' (line {lines[-1]})' if lines else ''}"


def _made(function: Callable[..., Any], asked: Mapping[str, Any]) -> Any:
    """What the function makes of those of the things asked for that it takes, with the other fields changed to them."""
    takes = inspect.signature(function).parameters
    given = {name: value for name, value in asked.items() if value is not None}
    made = function(**{name: value for name, value in given.items() if name in takes})
    rest = {name: given[name] for name in ("data", "conditional") if name in given and name not in takes}
    return made.replace(**rest) if rest and isinstance(made, Recipe) else made


def _is_named(annotation: str, name: str) -> bool:
    return annotation.rpartition(".")[2].rstrip("'>") == name


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
