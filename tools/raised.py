"""Templates of what errors and lines on stderr say, found in the source: f-strings, and phrases within these.

An error is raised with an English sentence that is put together on the spot. Its template is that sentence with a named
field for everything that is computed. What a field may be is looked up one step further: a variable where it is
assigned in the same function, a function or property of the package where it returns. Phrases that these give are
templates too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "sparring"
NOT_OURS = {"AssertionError", "AttributeError", "KeyError", "NotImplementedError", "RuntimeError", "UncompilableError"}
"""Errors that no user is shown as a sentence."""
SAID = {"say", "progress", "expected_progress"}
"""Functions of `sparring.progress`: their first argument is said."""
NOT_SHOWN = ("languages/", "game/compile/", "explorer/guard.py", "networks/layers/")
"""Places whose errors are those of whoever writes code of this package, or are caught."""
OPAQUE = {"shortened", "in_one_line", "repr", "str", "quoted", "to_text", "join", "count", "as_size", "format"}
"""Functions of whose answers nothing is a phrase of a sentence."""
PER_FIELD = {
    "described",
    "shortened",
    "in_one_line",
    "str",
    "repr",
    "len",
    "map",
    "sorted",
    "list",
    "tuple",
    "min",
    "max",
}
"""Functions that leave a field with the name of what they are given."""

LINES = (
    "analysis/doctor.py",
    "datasets/files/",
    "game/compile/plan.py",
    "training/before_start.py",
)
"""Places whose strings are lines for the user, or parts of these: what `sparring doctor` and training say of data."""
MIN_LETTERS = 3
"""Letters of a line that is worth a translation: with fewer it is not read back."""
ALSO = (
    "choose another data set, or drop it",
    "give the labels too, as data=(examples, labels), or drop it",
    "a table has none",
    "{path} has none: put the images of each class into a subfolder, or a CSV file with the columns file and label "
    "beside them",
    "training ended with status {returncode}",
    "without demo.html: {error}",
    "demo.html has weights rounded to {bits} bits of mantissa, so that it is under {size} MB: they change examples by "
    "at most {found}",
    "Nothing was uploaded. To do so: {command}",
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Not a directory",
    "No space left on device",
    "File exists",
    *(
        "stretched",
        "gray",
        "array",
        "subfolders",
        "8-bit ",
        "12-bit ",
        "16-bit ",
        "is no image",
        "is empty",
        "recipe",
        "metric",
        "remedy",
    ),
    *("measuring", "examining"),
    *("1 row", ", in the column {name}", ", mostly in the column {name}", "0 runs", "1 run"),
)
"""Phrases that come from elsewhere: class variables, notes of `ship/export.py` that a page reads back like errors, and
what the system calls its own errors; words of images; titles of progress; and what tables and runs are counted in."""


class Module:
    """A module, and what its names stand for."""

    def __init__(self, path: Path):
        self.where = path.relative_to(SOURCE).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.functions = {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)}
        self.constants: dict[str, str] = {}
        self.tables: dict[str, list[ast.expr]] = {}
        for node in self.tree.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name) and isinstance(getattr(node, "value", None), ast.Dict):
                self.tables[target.id] = node.value.values  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                text = self._text(node.value)
                if text is not None:
                    self.constants[node.targets[0].id] = text
        self.imported = {
            each.asname or each.name: (node.module, each.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sparring")
            for each in node.names
        }

    def _text(self, node: ast.expr) -> str | None:
        """A string that is a constant, or made of constants before it."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            parts = [self._text(each.value if isinstance(each, ast.FormattedValue) else each) for each in node.values]
            return None if None in parts else "".join(map(str, parts))
        return self.constants.get(node.id) if isinstance(node, ast.Name) else None

    def constant(self, name: str) -> str | None:
        """The text of a name of this module, or of one that it imports."""
        if name in self.constants:
            return self.constants[name]
        module, original = self.imported.get(name, ("", ""))
        other = module_of(module) if module else None
        return other.constants.get(original) if other else None

    def function(self, name: str) -> tuple[Module, ast.FunctionDef] | None:
        """A function of this module by its name, or one of another room that it imports."""
        if name in self.functions:
            return self, self.functions[name]
        if name in self.imported:
            module, original = self.imported[name]
            other = module_of(module)
            return (other, other.functions[original]) if other and original in other.functions else None
        return None


@cache
def module_of(name: str) -> Module | None:
    """A module by its dotted name."""
    path = SOURCE.joinpath(*name.split(".")[1:])
    found = next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)
    return Module(found) if found else None


@cache
def raised() -> dict[str, str]:
    """Every template, and where it comes from."""
    found: dict[str, str] = dict.fromkeys(ALSO, "elsewhere")
    for path in sorted(SOURCE.rglob("*.py")):
        module = Module(path)
        if module.where.startswith(LINES):
            for scope, node in lines_in(module.tree):
                for template in Reading(module, scope).of_line(node):
                    found.setdefault(template, module.where)
        if module.where.startswith(NOT_SHOWN):
            continue
        for scope, node in raises(module.tree):
            for template in Reading(module, scope).of_error(node):
                found.setdefault(template, module.where)
    return found


def raises(tree: ast.AST, scope: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Every call that makes an error, with the function around it."""
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef) else scope
        if isinstance(node, ast.Call) and node.args and (is_error(node.func) or is_line(node)):
            yield inner or tree, node
        yield from raises(node, inner)


def lines_in(tree: ast.AST, scope: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.expr]]:
    """Every string that is no documentation and not part of another, with the function around it."""
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef) else scope
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield inner or tree, node
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) and not is_silent(node):
            yield from lines_in(node, inner)


def is_silent(node: ast.AST) -> bool:
    """Whether what is below it is looked at elsewhere, or is nothing that is said."""
    if isinstance(node, ast.Raise | ast.AnnAssign | ast.Compare):
        return not isinstance(node, ast.AnnAssign) or node.value is None
    return isinstance(node, ast.Call) and bool(node.args) and is_error(node.func)


def is_line(call: ast.Call) -> bool:
    """Whether this prints a line on stderr that is no `Text`, whose message is in another catalog."""
    made = call.args[0].func if isinstance(call.args[0], ast.Call) else None
    return getattr(call.func, "id", "") in SAID and getattr(made, "id", "") != "Text"


def is_error(function: ast.expr) -> bool:
    """Whether this makes an error whose message a person may read."""
    name = function.id if isinstance(function, ast.Name) else ""
    return name.endswith("Error") and name not in NOT_OURS and name != "OSError"


class Reading:
    """What an expression in a function may say."""

    def __init__(self, module: Module, scope: ast.AST, depth: int = 0):
        self.module, self.scope, self.depth = module, scope, depth
        self._looked_up = set[str]()

    def of_error(self, call: ast.Call) -> list[str]:
        """The templates of an error, and phrases in its fields."""
        found = [(text, outside_fields(text)) for text in self.phrases(call.args[0])]
        return [text for text, words in found if any(map(str.isalpha, words)) or ": " in words]

    def of_line(self, node: ast.expr) -> list[str]:
        """The templates of a string that is said, and phrases in its fields."""
        found = [(text, outside_fields(text)) for text in self.phrases(node)]
        return [
            text
            for text, words in found
            if " " in text and text.isascii() and "\\" not in text and sum(map(str.isalpha, words)) > MIN_LETTERS
        ]

    def phrases(self, node: ast.expr) -> list[str]:
        """Templates of an expression, and of what its fields may be."""
        inner = [phrase for field in fields_in(node) for phrase in self.phrases(field) if " " in phrase]
        return [*self.templates(node), *inner]

    def templates(self, node: ast.expr) -> list[str]:
        """What an expression may be, with fields; empty where nothing is known of it."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return self._joined(parts)
            case ast.Subscript(value=ast.Name(id=name)):
                return [text for each in self.module.tables.get(name, []) for text in self.templates(each)]
            case ast.NamedExpr(value=value):
                return self.templates(value)
            case ast.IfExp(body=one, orelse=other):
                return [*self.templates(one), *self.templates(other)]
            case ast.BoolOp(values=values):
                return [text for each in values for text in self.templates(each)]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                ends = [self.templates(left) or ["{start}"], self.templates(right) or ["{end}"]]
                return ["".join(pair) for pair in product(*ends)]
            case ast.Name(id=name):
                constant = self.module.constant(name)
                return [constant] if constant is not None else self._assigned(name)
            case ast.Call(func=function):
                return self._returned(function)
            case ast.Attribute():
                return self._returned(node)
            case _:
                return []

    def _joined(self, parts: list[ast.expr]) -> list[str]:
        """Of an f-string. A field beside another, with nothing between, is spelled out where that is known."""
        names: dict[str, str] = {}
        found, after_field = [""], False
        for part in parts:
            if not isinstance(part, ast.FormattedValue):
                options, after_field = [str(getattr(part, "value", ""))], False
            elif isinstance(part.value, ast.Name) and (constant := self.module.constant(part.value.id)) is not None:
                options, after_field = [constant], False
            else:
                known = self.templates(part.value) if after_field else []
                field = f"{{{unused(name_of(part.value), ast.unparse(part), names)}}}"
                options, after_field = ["", *(renamed(each, names) for each in known)] if known else [field], True
            found = [text + option for text, option in product(found, options)]
        return found

    def _assigned(self, name: str) -> list[str]:
        """What a variable is assigned in this function."""
        if name in self._looked_up:
            return []
        self._looked_up.add(name)
        found: list[str] = []
        for node in ast.walk(self.scope):
            if isinstance(node, ast.NamedExpr) and node.target.id == name:
                found += self.phrases(node.value)
            for target in node.targets if isinstance(node, ast.Assign) else []:
                if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.Assign):
                    found += self.phrases(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node, ast.Assign):
                    values = pairs(target, node.value).get(name, [])
                    found += [text for value in values for text in self.phrases(value)]
        self._looked_up.remove(name)
        return found

    def _returned(self, function: ast.expr) -> list[str]:
        """What a function or property of the package returns."""
        match function:
            case ast.Name(id=name):
                known = self.module.function(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                known = self.module.function(name)
            case ast.Attribute(value=ast.Name(id=room), attr=name):
                module, original = self.module.imported.get(room, ("", ""))
                other = module_of(f"{module}.{original}") if module else None
                known = (other, other.functions[name]) if other and name in other.functions else None
            case _:
                return []
        if known is None or name in OPAQUE or self.depth > 2:
            return []
        module, definition = known
        inner = Reading(module, definition, self.depth + 1)
        returns = [node.value for node in ast.walk(definition) if isinstance(node, ast.Return) and node.value]
        return [text for value in returns for text in inner.phrases(value)]


def fields_in(node: ast.expr) -> list[ast.expr]:
    """The expressions in an f-string, or in texts that are added."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return [each for side in sides for each in (fields_in(side) or [side])]
    return (
        [each for part in (node.body, node.orelse) for each in fields_in(part)] if isinstance(node, ast.IfExp) else []
    )


def pairs(target: ast.Tuple, value: ast.expr) -> dict[str, list[ast.expr]]:
    """What each name of `a, b = ...` may be, where that is tuples."""
    values = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    found: dict[str, list[ast.expr]] = {}
    for each in values:
        if isinstance(each, ast.Tuple):
            for name, part in zip(target.elts, each.elts, strict=False):
                found.setdefault(getattr(name, "id", ""), []).append(part)
    return found


def name_of(node: ast.expr) -> str:
    """What a field is called after."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Call(func=ast.Attribute(attr="join"), args=[what]):
            return name_of(what)
        case ast.Call(func=function, args=args):
            name = name_of(function)
            return name_of(args[0]) if args and name in PER_FIELD else name
        case ast.Subscript(value=value):
            return name_of(value)
        case ast.BinOp(left=left):
            return name_of(left)
        case _:
            return "value"


def unused(name: str, expression: str, names: dict[str, str]) -> str:
    """The name, with a number where another expression has it."""
    number = 1
    while names.setdefault(name if number == 1 else f"{name}{number}", expression) != expression:
        number += 1
    return name if number == 1 else f"{name}{number}"


def renamed(template: str, names: dict[str, str]) -> str:
    """A template that becomes part of another, whose fields have these names."""
    return re.sub(r"\{(\w+)\}", lambda field: f"{{{unused(field[1], f'{template} {field[1]}', names)}}}", template)


def outside_fields(template: str) -> str:
    """A template without its fields."""
    return "".join(part.rpartition("}")[2] for part in template.split("{"))


if __name__ == "__main__":
    for text, where in raised().items():
        print(f"{where}: {text}")
