"""One computation of a page: what it is, its command, a button, how far it is, and what it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nicegui import ui
from nicegui.element import Element

from sparring.analysis.wording import duration
from sparring.errors import SparringError
from sparring.explorer.components import Field, say, tag
from sparring.explorer.parts.answers import picture, show_answer
from sparring.explorer.session import Session
from sparring.explorer.tasks import TASKS, answer_of, typed
from sparring.explorer.words import FIRST, Words
from sparring.record import RunFolder

REFRESH_SECONDS = 0.5


@dataclass
class Computation:
    """Of one window. Another window on the same run sees it run, and its answer."""

    session: Session
    words: Words
    key: str
    run: RunFolder
    name: str
    values: dict[str, str] = field(default_factory=dict[str, str])
    image: Path | None = None
    needs_image: bool = False
    place: Element = field(init=False)
    typed: Element = field(init=False)
    begin: Element = field(init=False)
    end: Element = field(init=False)
    said: Element = field(init=False)
    answer: Element = field(init=False)
    was_running: bool = False

    def put(self) -> None:
        """Where this is called."""
        words, name = self.words, self.name
        if TASKS[name].speaks and words.code != FIRST:
            self.values["language"] = words.code
        self.place = tag("div", classes="computation", data_task=name)
        with self.place:
            with tag("div", classes="fields"):
                for flag in TASKS[name].asked:
                    what = words(f"dissect-flag-{name}-{flag}")
                    with tag("label", classes="field"):
                        tag("span", what)
                        Field("", what, self._filled(flag))
            self.typed = tag("code", self._command(), "command")
            with tag("div", classes="row"):
                self.begin = tag("button", words("dissect-run"), "primary", type="button").on("click", self.start)
                self.end = tag("button", words("cancel"), type="button", hidden=True).on("click", self.cancel)
            self.said = tag("p", "", "soft progress", role="status", hidden=True)
            self.answer = tag("div", classes="answer-place")
        # In this order: what ends in between has left its answer by then.
        self._look()
        self._show_answer()
        if not self.was_running:
            self._say_problem()
        ui.timer(REFRESH_SECONDS, self._look)

    def _filled(self, flag: str):
        def filled(value: object) -> None:
            self.values[flag] = str(value).strip()
            self.show_command()

        return filled

    def _command(self) -> str:
        image = self.image or (Path("IMAGE.png") if self.needs_image else None)
        return typed(self.run, self.name, self.values, image)

    def show_command(self) -> None:
        """The command, as it is with the fields and the image now."""
        say(self.typed, self._command())

    async def start(self) -> None:
        """Begin it, in a process of its own."""
        if self.needs_image and self.image is None:
            self._say(self.words("dissect-choose-first"), wrong=True)
            return
        values: Mapping[str, str] = dict(self.values)
        try:
            await asyncio.to_thread(self.session.tasks.start, self.run, self.name, values, self.image)
        except SparringError as error:
            self._say(self.words.error(error), wrong=True)
            return
        self._look()

    async def cancel(self) -> None:
        """End it; what was answered before stays."""
        await asyncio.to_thread(self.session.tasks.cancel, self.run, self.name)

    def _look(self) -> None:
        """Whether it runs, and for how long; and its answer, once it has ended."""
        if self.place.is_deleted:
            return
        running = self.session.tasks.running(self.run, self.name)
        if running is not None:
            left = running.seconds_left
            line = "" if left is None else self.words("dissect-left", time=duration(left))
            self._say(self.words("dissect-running", time=duration(running.seconds), left=line))
        elif self.was_running and not self._say_problem():
            self._show_answer()
        if self.was_running != (running is not None):
            self.was_running = running is not None
            for button, hidden in ((self.begin, self.was_running), (self.end, not self.was_running)):
                button._props["hidden"] = hidden  # pyright: ignore[reportPrivateUsage] - as in `tag`
                button.update()
            self.place._props["aria-busy"] = str(self.was_running).lower()  # pyright: ignore[reportPrivateUsage]
            self.place.update()

    def _say_problem(self) -> str:
        """Why the last one failed, which is returned too; empty where it did not."""
        problem = self.session.tasks.problem(self.run, self.name)
        self._say(self.words.error(problem), wrong=True)
        return problem

    def _say(self, text: str, *, wrong: bool = False) -> None:
        say(self.said, text, "problem" if wrong else "soft progress")

    def _show_answer(self) -> None:
        """The answer that is kept in the run's folder, or else the picture that a command left there."""
        answer = answer_of(self.run, self.name)
        self.answer.clear()
        with self.answer:
            if answer is None:
                picture(self.words, self.key, self.run, self.name)
            else:
                show_answer(self.words, self.key, self.run, self.name, answer)
