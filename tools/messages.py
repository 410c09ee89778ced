"""Messages that Sparring can say, found in its source, and those that a language lacks or has without need.

What errors say is found by `tools/raised.py`, and has catalogs of its own.

`python tools/messages.py` lists them and exits 1 where there are any; `--add` writes empty entries for what is missing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

from sparring import catalogue
from sparring.analysis.query.columns import TABLES
from sparring.analysis.written import EFFECTS, FIXED, MEASURED, SENTENCES
from sparring.languages import ENGLISH, ERRORS, LANGUAGES, catalog
from sparring.metrics import all_metrics
from sparring.record.story import TITLES
from sparring.study.designs import DESIGNS
from sparring.study.wording import NUMBERS

sys.path.insert(0, str(Path(__file__).parents[1]))  # where this is run as a script
from tools.raised import raised

SOURCE = Path(__file__).parents[1] / "src" / "sparring"
CATALOG = SOURCE / "languages"
SAY = {"Text", "Name", "said"}
"""Of `sparring.languages`: their first argument is a message."""
LANGUAGES_ROOM = "sparring.languages"
COUNTS = ("count", "counted")
"""Names of `sparring.analysis.wording.count`, whose second argument is a noun."""
MORE = {"read": 1, "joined": 1, "each": 0}
"""Methods of `Text` -> the argument from which on all are messages."""
SILENT = {"sick", "healthy", "Plot", "Line", "LossCall", "story", "loop_story", "range"}
"""Functions of rules, and calls in them, whose strings nobody is shown: stories, code, titles of figures."""
PASSED = (
    *(
        "value",
        "median",
        "healthy range",
        "min",
        "max",
        "n",
        "mean ± SD",
        "at equilibrium",
        "real data",
        "samples",
        "seed",
    ),
    *(
        "report",
        "figures",
        "reference result",
        "images",
        "examples",
        ", ",
        "; ",
        ".",
    ),
    *("finished", "plateau", "stopped", "diverged", "unfinished", "running", "slow"),
    *("Gray band: the healthy range. ", "Crosses: the last finite value of a seed. "),
    "Dotted line: the round since which the finding holds.",
)
"""Messages that reach their function in a variable: titles of columns, states of runs, lists."""


@cache
def messages() -> dict[str, str]:
    """Every message, and where it comes from."""
    found = {name: "catalogue" for kind in ("rules", "remedies") for name in catalogue.entries(kind)} | {"not-sure": ""}
    found |= {title: "metrics" for leaf in all_metrics().values() for title in (leaf.short or leaf.title, leaf.title)}
    found |= dict.fromkeys(TITLES.values(), "curves") | dict.fromkeys((*DESIGNS, *NUMBERS), "study")
    for kind in ("recipes", "moves"):
        found |= {entry.summary: kind for entry in catalogue.entries(kind).values()}
    for entry in catalogue.entries("recipes").values():
        found |= dict.fromkeys((entry.facts["verdict"], entry.facts["source"]), "recipes")
        found |= dict.fromkeys(paragraphs(entry.text.removeprefix(entry.summary)), "recipes")
        title, _, rest = (catalogue.lineage(entry) or "").partition("\n")
        found |= dict.fromkeys((title.rstrip("."), *paragraphs(rest)), "recipes")
    found |= {" ".join(text.split()): "recipe" for text in catalogue.field_docs("recipe.definition", "Recipe").values()}
    found |= dict.fromkeys((*FIXED, *EFFECTS, *SENTENCES, *MEASURED), "analysis/written.py")
    found |= {text: "query" for rows, columns in TABLES.values() for text in (rows, *columns.values())}
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= dict.fromkeys(said_in(tree), where)
        if where.startswith(("rules/", "explorer/lessons/")):
            found |= {text: where for text in strings_in(tree) if " " in text}
        if where.startswith("explorer/") and (table := table_in(tree)):
            found |= dict.fromkeys(table, where)
    found = {text: where for text, where in found.items() if any(map(str.isalpha, text))}
    return found | {text: "passed in variables" for text in PASSED if text not in found}


def paragraphs(text: str) -> list[str]:
    """Of documentation, each on one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def said_in(tree: ast.AST) -> Iterator[str]:
    """Messages in calls of SAY and MORE, under the names that a module gives them."""
    yield from counts_in(tree)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == LANGUAGES_ROOM]
    say = {each.asname or each.name for node in imports for each in node.names if each.name in SAY}
    if not say:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            arguments = node.args[:1] if name in say else node.args[MORE[method] :] if method in MORE else []
            for argument in arguments:
                yield from literals(argument)


def counts_in(tree: ast.AST) -> Iterator[str]:
    """What `count` says of its nouns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in COUNTS and len(node.args) == 2:
            for noun in literals(node.args[1]):
                yield from (f"{{count}} {noun}", f"{{count}} {noun}s")


def literals(node: ast.expr) -> Iterator[str]:
    """The strings that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def strings_in(tree: ast.AST) -> Iterator[str]:
    """All strings of a module that are neither documentation nor part of an f-string, nor below SILENT."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr | ast.Raise):
            continue
        if isinstance(node, ast.FunctionDef) and node.name in SILENT:
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SILENT:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        yield from strings_in(node)


def table_in(tree: ast.AST) -> list[str]:
    """The texts of a module of the explorer's words: values of a table called ENGLISH."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "ENGLISH" and node.value is not None:
            return [str(text) for text in ast.literal_eval(node.value).values()]
    return []


DOMAINS = {"": messages, ERRORS: raised}
"""Catalog -> what it translates."""


def missing(code: str, domain: str = "") -> dict[str, str]:
    """Messages without a translation, and where they come from."""
    known = catalog(code, domain)
    return {text: where for text, where in DOMAINS[domain]().items() if text not in known}


def orphaned(code: str, domain: str = "") -> list[str]:
    """Translations of what nobody says."""
    return [text for text in catalog(code, domain) if text not in DOMAINS[domain]()]


def quoted(text: str) -> str:
    """As gettext writes a string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main() -> int:
    """Print what is missing or orphaned in every language."""
    wrong = False
    for code, domain in product(LANGUAGES, DOMAINS):
        if code == ENGLISH:
            continue
        for text, where in missing(code, domain).items():
            wrong = True
            if "--add" in sys.argv:
                with (CATALOG / f"{code}{domain}.po").open("a", encoding="utf-8") as file:
                    file.write(f'\n#: {where}\nmsgid {quoted(text)}\nmsgstr ""\n')
            print(f"{code}: no translation ({where}): {text}")
        for text in orphaned(code, domain):
            wrong = True
            print(f"{code}: nobody says this any more: {text}")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
