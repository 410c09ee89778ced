"""Every public function says what it takes, returns and raises."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import sparring
from sparring.training.ahead import compile_ahead

METHODS = [
    getattr(sparring.Run, name)
    for name in ("branch", "measure", "generator", "sample", "report", "diagnose", "summary")
]
FUNCTIONS = [
    getattr(sparring, name)
    for name in sparring.__all__
    if callable(getattr(sparring, name)) and not inspect.isclass(getattr(sparring, name)) and name != "recipe"
]
PUBLIC = [*FUNCTIONS, *METHODS, sparring.Recipe.replace, sparring.Curves.to_pandas, compile_ahead]


@pytest.mark.parametrize("function", PUBLIC, ids=lambda f: getattr(f, "__qualname__", str(f)))
def test_a_public_function_says_what_it_takes_gives_and_raises(function: Callable[..., Any]) -> None:
    text = inspect.getdoc(function) or ""
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    if parameters:
        assert "Args:" in text, text
        args = text.partition("Args:")[2].partition("\n\n")[0]
        for name in parameters:
            assert f"{name.strip('_')}:" in args or name == "changes", f"{name} is not explained"
    assert "Returns:" in text and "Raises:" in text, text
