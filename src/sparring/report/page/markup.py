"""HTML that cannot forget to escape: text is escaped on its way in, only markup made here stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | Markup | None | Iterable["Child"]
VOID = frozenset({"img", "input", "meta", "source", "link", "br"})


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """One element. `class_` is `class`, `aria_label` is `aria-label`; True is a bare attribute, None and False none."""
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Children one after another; strings are escaped, None is nothing."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            parts.append(child)
        elif isinstance(child, str | int):
            parts.append(escape(str(child)))
        else:
            parts.append(join(*child))
    return Markup("".join(parts))


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
