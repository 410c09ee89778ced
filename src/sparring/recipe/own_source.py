"""The text that identifies a user's own part: its source, and in a notebook also what its source refers to.

In a file, other parts of the program can be looked up; a notebook's cells are run again in any order, so there a part
that calls a function, or reads a number, which another cell defines is another part when that cell changes.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

PLAIN = (int, float, complex, str, bytes, bool, type(None))
"""Types of values that tell by their text what they are."""


def digest_of(part: Any) -> str:
    """First 16 hexadecimal digits of a hash of the source of a class, a function or what else can be called."""
    return hashlib.sha256(source_of(part).encode()).hexdigest()[:16]


def source_of(part: Any) -> str:
    """The source of a part; where there is none, what its code does."""
    if _in_a_file(part):
        try:
            return inspect.getsource(part)
        except (OSError, TypeError):
            return without_addresses(repr(part))
    return "\n".join(_with_references(part, set()))


def without_addresses(text: str) -> str:
    """An object's address in memory differs from process to process, and a recipe's id must not."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _in_a_file(part: Any) -> bool:
    """Whether its module is a file, rather than a notebook or a prompt."""
    if not (inspect.isclass(part) or inspect.isfunction(part)):
        return True
    return getattr(sys.modules.get(part.__module__), "__file__", None) is not None


def _with_references(part: Any, seen: set[int]) -> Iterator[str]:
    """The source of a class or a function of a notebook, then of all that it refers to there, each once."""
    if id(part) in seen:
        return
    seen.add(id(part))
    functions = [part] if inspect.isfunction(part) else list(_functions_of(part))
    if inspect.isclass(part):
        yield f"class {part.__qualname__}({', '.join(base.__qualname__ for base in part.__bases__)})"
        plain = {n: v for n, v in vars(part).items() if isinstance(v, PLAIN) and not _is_bookkeeping(n)}
        yield repr(plain)
        for base in part.__bases__:
            if not _in_a_file(base):
                yield from _with_references(base, seen)
    for function in functions:
        yield _text_of(function)
        yield from _values_of(function, seen)


def _values_of(function: Callable[..., Any], seen: set[int]) -> Iterator[str]:
    """What a function reads from outside: plain values, and functions and classes of the same notebook."""
    unwrapped = inspect.unwrap(function)
    code, outside = unwrapped.__code__, dict(unwrapped.__globals__)
    if unwrapped.__closure__:
        cells = zip(code.co_freevars, unwrapped.__closure__, strict=True)
        outside |= {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
    for name in sorted({*_names(code), *code.co_freevars}):
        value = outside.get(name)
        if isinstance(value, PLAIN) and name in outside:
            yield f"{name} = {value!r}"
        elif (isinstance(value, tuple | list | dict) and len(value) < 1000) or isinstance(value, functools.partial):  # pyright: ignore[reportUnknownArgumentType]
            yield f"{name} = {without_addresses(repr(value))}"  # pyright: ignore[reportUnknownArgumentType]
        elif (inspect.isclass(value) or inspect.isfunction(value)) and not _in_a_file(value):
            yield from _with_references(value, seen)


def _functions_of(part: Any) -> Iterator[Callable[..., Any]]:
    """The functions that a class defines, in order of their names."""
    for _, member in sorted(vars(part).items()):
        candidates = (
            (member.fget, member.fset)
            if isinstance(member, property)
            else (getattr(member, "__func__", member),)  # of a static method or a class method
        )
        yield from (each for each in candidates if inspect.isfunction(each))


def _text_of(function: Callable[..., Any]) -> str:
    """The source of a function, or its instructions where the source is gone."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(_instructions(inspect.unwrap(function).__code__))


def _instructions(code: CodeType) -> tuple[Any, ...]:
    constants = [_instructions(each) if isinstance(each, CodeType) else each for each in code.co_consts]
    return code.co_name, code.co_code, code.co_names, code.co_varnames, constants


def _names(code: CodeType) -> Iterator[str]:
    """The names that code reads from outside, with those of the functions in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _is_bookkeeping(name: str) -> bool:
    """Whether Python itself sets this attribute of a class, as it does `__module__` and `__firstlineno__`."""
    return name.startswith("__") and name.endswith("__")
