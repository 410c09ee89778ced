"""The controls of a run: buttons with keys, the settings that can be changed, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.element import Element

from sparring.analysis.steered import setting_name
from sparring.errors import SparringError, shortened
from sparring.explorer import steering
from sparring.explorer.components import Field, address, once, say, tag
from sparring.explorer.session import MODES, Session
from sparring.explorer.words import Words
from sparring.record import RunFolder

BUTTONS = ("round", "move", "d-step", "g-step", "slow")
MAX_CHARACTERS = 200
"""Of the list of rounds whose checkpoints would be deleted, as many are shown."""


@dataclass
class Controls:
    """The controls of one page."""

    session: Session
    words: Words
    run: RunFolder
    after: Callable[[], None]
    """Called when something was done, so that the browser reads at once."""
    row: Element = field(init=False)
    drawer: Element = field(init=False)
    said: Element = field(init=False)
    shown: tuple[Any, ...] = ()
    status: str = ""
    checkpoint: int | None = None
    """The newest that is not after the shown round."""
    last: int = 0
    """The run's newest round."""

    def place(self) -> None:
        """Put them where this is called; `show` fills them."""
        self.drawer = tag("section", classes="drawer", hidden=True)
        self.said = tag("p", classes="said", role="status", hidden=True)
        self.row = tag("div", classes="controls", role="toolbar", aria_label=self.words("controls"))

    @property
    def can_rewind(self) -> bool:
        """Whether there is a checkpoint to go back to: a run that rests at its own has nothing to give up."""
        return self.checkpoint is not None and (self.status in MODES or self.checkpoint < self.last)

    def show(self, status: str, checkpoint: int | None, last: int = 0) -> None:
        """Buttons for what can be done now to a run whose newest round is `last`."""
        self.status, self.checkpoint, self.last = status, checkpoint, last
        if (now := (status, checkpoint, self.can_rewind)) == self.shown:
            return
        self.shown = now
        self.row.clear()
        with self.row:
            if status in MODES:
                self._button("pause" if status == "training" else "go", "p", "primary")
                keys = {action: key for key, action in steering.KEYS.items()}
                for action in BUTTONS:
                    self._button(action, keys[action], "pressed" if action == status else "")
                self._opener("settings", "e", self._open_settings)
                self._button("checkpoint", "c")
                self._button("stop", "")
            elif status not in steering.AT_REST:
                self._opener("resume", "p", self._resume, "primary")
            if checkpoint is not None:
                tag("span", classes="space")
                if self.can_rewind:
                    self._opener("rewind", "z", self._open_rewind, round=f"{checkpoint:,}")
                self._opener("branch", "b", self._open_branch, round=f"{checkpoint:,}")

    async def key(self, key: str) -> None:
        """What a key of the keyboard does now."""
        running = self.status in MODES
        if key == "b" and self.checkpoint is not None:
            await self._open_branch()
        elif key == "z" and self.can_rewind:
            await self._open_rewind()
        elif key == "p":
            if running:
                await self._act("pause" if self.status == "training" else "go")
            elif self.status not in steering.AT_REST:
                await self._resume()
        elif key == "e" and running:
            await self._open_settings()
        elif key in steering.KEYS and running:
            await self._act(steering.KEYS[key])

    def say(self, text: str, problem: bool = False) -> None:
        """One line below the page; nothing for an empty text."""
        say(self.said, text, "said problem" if problem else "said")

    # What buttons do.

    def _button(self, action: str, key: str, classes: str = "") -> None:
        title = self.words(f"{action}-help") + (f" ({key})" if key else "")
        tag("button", self.words(action), classes, type="button", title=title).on("click", lambda: self._act(action))

    def _opener(self, action: str, key: str, opened: Callable[[], Any], classes: str = "", **values: str) -> None:
        title = f"{self.words(f'{action}-help')} ({key})"
        tag("button", self.words(action, **values), classes, type="button", title=title).on("click", opened)

    async def _act(self, action: str) -> None:
        event = await self._done(steering.act, self.run, action)
        if event is not None:
            kind = event["event"]
            values = {"round": f"{event.get('round', 0):,}", "player": event.get("player", "")}
            self.say(self.words(f"did-{kind}", **values))

    async def _resume(self) -> None:
        await self._done(steering.resume, self.session, self.run)

    async def _rewind(self, round: int) -> None:
        if await self._done(steering.rewind, self.run, round):
            self._close()
            self.say(self.words("did-rewound", round=f"{round:,}"))

    async def _done(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """What a call gives; None, and a line that says why, where it cannot be done."""
        try:
            made = await asyncio.to_thread(do, *arguments)
        except SparringError as error:
            self.say(self.words.error(error), problem=True)
            return None
        self.say("")
        self.after()
        return made

    # Forms.

    async def _open_settings(self) -> None:
        status = await self._done(lambda: steering.steer_of(self.run).status())
        if status is None:
            return
        values: dict[str, str] = {}
        with self._opened("settings-title"):
            self._fields(status["settings"], values)
            self._submit("apply", lambda: self._apply(values))

    async def _apply(self, values: dict[str, str]) -> None:
        if await self._done(steering.set_numbers, self.run, values):
            self._close()
            self.say(self.words("did-changed"))

    async def _open_rewind(self) -> None:
        """Say what would be deleted, and do it where that is asked for: nothing brings it back."""
        if (round := self.checkpoint) is None:
            return
        saved = await asyncio.to_thread(self.run.rounds_saved)
        self._opened("rewind-title", round=f"{round:,}")
        with self.drawer:
            later = shortened(", ".join(f"{each:,}" for each in saved if each > round), MAX_CHARACTERS)
            tag("p", self.words("rewind-loses", round=f"{round:,}", later=later or self.words("none-later")))
        self._submit("rewind-now", lambda: self._rewind(round))

    async def _open_branch(self) -> None:
        round, status = self.checkpoint, await self._done(lambda: steering.steer_of(self.run).status())
        if status is None or round is None:
            return
        values: dict[str, str] = {}
        name = [steering.free_name(self.run, round)]
        with self._opened("branch-title", round=f"{round:,}"):
            with tag("label", classes="field"):
                tag("span", self.words("branch-name"))
                Field(name[0], self.words("branch-name"), lambda text: name.__setitem__(0, str(text)))
            self._fields(status["settings"], values)
            self._submit("branch-start", once(lambda: self._branch(round, name[0], values)))

    async def _branch(self, round: int, name: str, values: dict[str, str]) -> bool:
        made = await self._done(steering.branch_off, self.session, self.run, round, name, values)
        if made is None:
            return False
        key = self.session.opened.add(made.path)
        ui.navigate.to(address(f"/run?{urlencode({'run': key, 'view': 'branches'})}"))
        return True

    def _opened(self, title: str, **values: str) -> Element:
        self.drawer.clear()
        self.drawer._props["hidden"] = False  # pyright: ignore[reportPrivateUsage]
        self.drawer.update()
        with self.drawer:
            tag("h2", self.words(title, **values))
            form = tag("div", classes="fields")
        return form

    def _fields(self, settings: dict[str, Any], values: dict[str, str]) -> None:
        """A field for each number; what a person changes is put into `values`, and marked."""
        for path, value in settings.items():
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            label = tag("label", classes="field")
            with label:
                tag("span", self.words.said(setting_name(path)), title=path)
                Field(text, path, lambda new, path=path, text=text, label=label: change(values, path, text, new, label))

    def _submit(self, action: str, done: Callable[[], Any]) -> None:
        with self.drawer, tag("div", classes="row"):
            tag("button", self.words(action), "primary", type="button").on("click", done)
            tag("button", self.words("cancel"), type="button", data_cancel=True).on("click", self._close)

    def _close(self) -> None:
        self.drawer.clear()
        self.drawer._props["hidden"] = True  # pyright: ignore[reportPrivateUsage]
        self.drawer.update()


def change(values: dict[str, str], name: str, before: str, now: Any, label: Element) -> None:
    """Note what a person typed into a field, and mark it where it differs from what was there."""
    text = str(now)
    if text == before:
        values.pop(name, None)
        label.classes(remove="changed")
    else:
        values[name] = text
        label.classes(add="changed")
