"""Reckon with latent vectors as with numbers: `a + b`, `a - b`, `a * b`, `a - b + c`, `0.5 * (a + b)`."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

LONGEST = 200
"""Characters in an expression."""

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}


def arithmetic(expression: str, vectors: Mapping[str, Tensor]) -> Tensor:
    """The vector `(P, size)` that `expression` makes of named vectors `(P, size)`.

    An expression has letters a to z, numbers, `+`, `-`, `*` and parentheses; everything is number by number. Raises
    UsageError, saying at which character, for anything else.
    """
    tree = _parsed(expression)
    for node in _letters(tree):
        if node.id not in vectors:
            raise _fault(expression, node, f"there is no vector {node.id!r}")
    made = _value(tree, vectors)
    if not made.isfinite().all():
        raise UsageError(f"{expression!r} comes to numbers too large to reckon with")
    return made


def letters(expression: str) -> list[str]:
    """The letters of an expression, each once, in the order in which they first appear."""
    return list(dict.fromkeys(node.id for node in _letters(_parsed(expression))))


def _value(node: ast.expr, vectors: Mapping[str, Tensor]) -> Any:
    match node:
        case ast.Name():
            return vectors[node.id]
        case ast.BinOp():
            return _BINARY[type(node.op)](_value(node.left, vectors), _value(node.right, vectors))
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, vectors))
        case ast.Constant():
            return float(node.value)  # pyright: ignore[reportArgumentType] - `_parsed` lets only numbers pass
        case _:
            raise AssertionError(node)  # `_parsed` lets no other node pass


def _parsed(expression: str) -> ast.expr:
    if len(expression) > LONGEST:
        raise UsageError(f"an expression has at most {LONGEST} characters, not {len(expression)}")
    try:
        with warnings.catch_warnings(action="ignore"):  # of `1or a`, which is refused in any case
            # Blanks at the start would be an indentation; everywhere else a line break would end the expression.
            tree = ast.parse(_one_line(expression).lstrip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        at = getattr(error, "offset", None)
        indent = len(expression) - len(expression.lstrip())
        where = f" at character {min(max(at, 1) + indent, len(expression) or 1)}" if at else ""
        raise UsageError(f"cannot read {expression!r}{where}: {_MEANT}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            _check(expression, node)
    if not _letters(tree):
        raise UsageError(f"{expression!r} has no letter in it: a letter stands for a latent vector")
    return tree


_MEANT = "letters a to z, numbers, +, -, * and parentheses are understood"


def _check(expression: str, node: ast.expr) -> None:
    match node:
        case ast.Name():
            if len(node.id) != 1 or not "a" <= node.id <= "z":
                raise _fault(expression, node, f"{node.id!r} is not one letter a to z")
        case ast.Constant():
            value = node.value
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise _fault(expression, node, f"{ast.unparse(node)} is not a number that can be used here")
        case ast.BinOp():
            if type(node.op) not in _BINARY:
                raise _fault(expression, node.right, f"before this stands an operator that is none of {_MEANT}")
        case ast.UnaryOp():
            if type(node.op) not in _UNARY:
                raise _fault(expression, node, _MEANT)
        case _:
            raise _fault(expression, node, _MEANT)


def _fault(expression: str, node: ast.expr, what: str) -> UsageError:
    indent = len(expression) - len(expression.lstrip())
    before = _one_line(expression).lstrip().encode()[: node.col_offset].decode()
    return UsageError(f"{expression!r} at character {indent + len(before) + 1}: {what}")


def _letters(tree: ast.expr) -> list[ast.Name]:
    return sorted((n for n in ast.walk(tree) if isinstance(n, ast.Name)), key=lambda n: n.col_offset)


def _one_line(expression: str) -> str:
    return "".join(" " if character.isspace() else character for character in expression)
