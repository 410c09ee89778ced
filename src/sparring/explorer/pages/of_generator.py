"""What pages about a run's generator have in common: its head, or a sentence that says why it cannot be loaded."""

from __future__ import annotations

from collections.abc import Callable

from sparring.errors import SparringError
from sparring.explorer.components import tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.tabs import run_head, short_name
from sparring.explorer.session import Session
from sparring.explorer.tasks import shown_path
from sparring.explorer.words import Words
from sparring.record import RunFolder


def page_of_generator(
    session: Session, key: str, view: str, command: str, content: Callable[[Words, RunFolder], None]
) -> None:
    """The page of a run with its content; where nothing of the run may be loaded, what to type instead.

    Args:
        session: Where runs are found.
        key: The run's name in the address.
        view: The page's tab.
        command: What does the same in a terminal, but for the run's folder.
        content: Makes what stands below the head. A SparringError becomes a sentence on the page.
    """
    words, found = Words(), session.find(key)
    with page_frame(words, key if found else "", title=f"{short_name(key)}, {words(f'view-{view}')}"):
        if found is None:
            tag("h1", key)
            tag("p", words("no-run"), "problem")
            return
        try:
            run_head(words, key, found.recipe["name"], view)
            if origin := found.recipe.get("origin"):
                tag("p", words("own-code", file=str(origin["file"])), "problem")
                tag("code", f"{command} {shown_path(found.path)}", "command")
                return
            content(words, found)
        except SparringError as error:
            tag("p", words.error(error), "problem")
