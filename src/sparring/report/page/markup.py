"""Building HTML safely: plain text is always escaped, and only Markup made here is not.

A `Text` is said in the language of the command; any other string stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from sparring.characters import encodable
from sparring.languages import Text, said


class Markup(str):
    """Text that is HTML already and must not be escaped."""

    __slots__ = ()


Child = str | int | Markup | None | Iterable["Child"]
VOID = frozenset({"img", "input", "meta", "source", "link", "br"})


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """One HTML element.

    Attribute `class_` is written `class`, and `aria_label` is written `aria-label`; True makes an attribute without a
    value, None and False leave it out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Children one after another; plain strings are escaped, None is left out."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            parts.append(child)
        elif isinstance(child, str | int):
            parts.append(escape(encodable(_said(child))))
        else:
            parts.append(join(*child))
    return Markup("".join(parts))


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(encodable(_said(value)))}"'


def _said(value: str | int | None) -> str:
    return said(value) if isinstance(value, Text) else str(value)
