"""Latent arithmetic: expressions of latent vectors such as `a + b`, `a - b + c` or `0.5 * (a + b)`."""

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

MAX_LENGTH = 200
"""Characters in an expression."""

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}


def arithmetic(expression: str, vectors: Mapping[str, Tensor]) -> Tensor:
    """Evaluate an expression of latent vectors, element by element.

    Args:
        expression: Letters a to z, numbers, `+`, `-`, `*` and parentheses.
        vectors: The vector of each letter, `(P, size)`.

    Returns:
        The result, `(P, size)`.

    Raises:
        UsageError: The expression contains anything else (the message says at which character) or a letter without a
            vector, or its result is not finite.
    """
    tree = _parsed(expression)
    for node in _letters(tree):
        if node.id not in vectors:
            raise _fault(expression, node, f"there is no vector {node.id!r}")
    result = _value(tree, vectors)
    if not result.isfinite().all():
        raise UsageError(f"the result of {expression!r} is not finite: its numbers are too large")
    return result


def letters(expression: str) -> list[str]:
    """The letters of an expression, each once, in order of first appearance. Raises UsageError as `arithmetic` does."""
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
    if len(expression) > MAX_LENGTH:
        raise UsageError(f"an expression has at most {MAX_LENGTH} characters, not {len(expression)}")
    try:
        with warnings.catch_warnings(action="ignore"):  # about `1or a`, which is refused in any case
            # Leading blanks would be an indentation, and a line break would end the expression.
            tree = ast.parse(_one_line(expression).lstrip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        at = getattr(error, "offset", None)
        indent = len(expression) - len(expression.lstrip())
        where = f" at character {min(max(at, 1) + indent, len(expression) or 1)}" if at else ""
        raise UsageError(f"cannot read {expression!r}{where}: {_ALLOWED}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            _check(expression, node)
    if not _letters(tree):
        raise UsageError(f"{expression!r} has no letter in it: a letter stands for a latent vector")
    return tree


_ALLOWED = "letters a to z, numbers, +, -, * and parentheses are understood"


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
                raise _fault(expression, node.right, f"the operator before this is not understood; {_ALLOWED}")
        case ast.UnaryOp():
            if type(node.op) not in _UNARY:
                raise _fault(expression, node, _ALLOWED)
        case _:
            raise _fault(expression, node, _ALLOWED)


def _fault(expression: str, node: ast.expr, what: str) -> UsageError:
    indent = len(expression) - len(expression.lstrip())
    before = _one_line(expression).lstrip().encode()[: node.col_offset].decode()
    return UsageError(f"{expression!r} at character {indent + len(before) + 1}: {what}")


def _letters(tree: ast.expr) -> list[ast.Name]:
    return sorted((n for n in ast.walk(tree) if isinstance(n, ast.Name)), key=lambda n: n.col_offset)


def _one_line(expression: str) -> str:
    return "".join(" " if character.isspace() else character for character in expression)
