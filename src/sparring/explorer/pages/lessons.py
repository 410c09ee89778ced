"""The lessons: a list of them, and one with its text, a training before one's eyes, and something to try."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from nicegui import ui

from sparring.errors import SparringError
from sparring.explorer.components import Bridge, Timeline, address, link, once, say, tag
from sparring.explorer.launching import free_folder, start_recipe
from sparring.explorer.lessons import Lesson, Trial, lessons
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.pages.run import Shown
from sparring.explorer.parts.branches import Tree
from sparring.explorer.parts.figures import curves_of, panel, plane_figure
from sparring.explorer.parts.steer import Controls
from sparring.explorer.session import Session
from sparring.explorer.words import Words
from sparring.record import RunFolder


def lessons_page(session: Session) -> None:
    """The lessons in order, and the page to draw data on."""
    words = Words()
    with page_frame(words, title=words("lessons")):
        tag("h1", words("lessons"))
        tag("p", words("lessons-help"), "soft")
        with tag("div", classes="cards"):
            for number, lesson in enumerate(lessons().values(), 1):
                with link("", f"/lesson?{urlencode({'name': lesson.name})}", "card"):
                    tag("b", f"{number}. {words.said(lesson.title)}")
                    tag("span", words.said(lesson.question), "soft")
            with link("", "/draw", "card"):
                tag("b", words("draw"))
                tag("span", words("draw-help"), "soft")


async def lesson_page(session: Session, name: str, key: str, round: str) -> None:
    """One lesson. Its figure is of the run that the address names, or else of the newest run of this lesson."""
    words, lesson = Words(), lessons().get(name)
    if lesson is None:
        lessons_page(session)
        return
    found = runs_of(session, lesson)
    key = key if session.find(key) else next(iter(found), "")
    with page_frame(words, words.said(lesson.title)), tag("div", classes="lesson"):
        with tag("article", classes="text"):
            _text(session, words, lesson, found, key)
        with tag("div", classes="figures"):
            await _figures(session, words, lesson, key, round)


def runs_of(session: Session, lesson: Lesson) -> dict[str, RunFolder]:
    """The runs that were trained for a lesson, by their keys, the newest first."""
    start = _folder(lesson, "")
    found = {key: run for key, run in session.opened.runs().items() if run.path.name.startswith(start)}
    return dict(sorted(found.items(), key=lambda pair: -(pair[1].path / "recipe.json").stat().st_mtime))


def _folder(lesson: Lesson, trial: str) -> str:
    return f"lesson-{lesson.name}-{trial}"


def _text(session: Session, words: Words, lesson: Lesson, found: dict[str, RunFolder], key: str) -> None:
    tag("h1", words.said(lesson.title))
    tag("p", words.said(lesson.question), "lead")
    first, *others = lesson.trials
    for paragraph in lesson.text:
        tag("p", words.said(paragraph))
    _starter(session, words, lesson, first, "" if key else "primary")
    tag("h2", words("lesson-watch"))
    tag("p", words.said(lesson.watch))
    tag("h2", words("lesson-try"))
    tag("p", words.said(lesson.attempt))
    for trial in others:
        _starter(session, words, lesson, trial)
    if found:
        tag("h2", words("lesson-runs"))
        with tag("nav", classes="lesson-runs", aria_label=words("lesson-runs")):
            for each in found:
                current = {"aria_current": "page"} if each == key else {}
                link(each.rpartition("/")[2], f"/lesson?{urlencode({'name': lesson.name, 'run': each})}", **current)
    _next(words, lesson)


def _starter(session: Session, words: Words, lesson: Lesson, trial: Trial, classes: str = "") -> None:
    """A button that trains something for this lesson, and shows it."""
    problem = tag("p", "", "problem", role="alert", hidden=True)

    async def start() -> bool:
        folder = free_folder(session, _folder(lesson, trial.name)).name
        try:
            path = await asyncio.to_thread(start_recipe, session, trial.make(), folder)
        except SparringError as error:
            say(problem, words.error(error))
            return False
        run = session.opened.add(path)
        ui.navigate.to(address(f"/lesson?{urlencode({'name': lesson.name, 'run': run})}"))
        return True

    with tag("p"):
        tag("button", words.said(trial.title), classes, type="button").on("click", once(start))


def _next(words: Words, lesson: Lesson) -> None:
    names = list(lessons())
    at = names.index(lesson.name) + 1
    with tag("p", classes="row"):
        link(words("lessons"), "/lessons")
        if at < len(names):
            following = lessons()[names[at]]
            link(f"{words.said(following.title)} →", f"/lesson?{urlencode({'name': following.name})}")


async def _figures(session: Session, words: Words, lesson: Lesson, key: str, round: str) -> None:
    """The plane and a figure of curves, with the controls of the training; a sentence where nothing was trained yet."""
    run = session.find(key) if key else None
    if run is None:
        tag("p", words("lesson-begin"), "missing")
        return
    tag("p", "", "problem", role="status", hidden=True)
    banner = tag("section", classes="verdict")
    plane_figure(words, layers=list(lesson.layers), side=400)
    with panel(words(lesson.curves), words("key-of-ranges") if lesson.curves != "gradients" else ""):
        curves_of(words, lesson.curves, missing="no-curves")
    details, hidden = tag("section", hidden=True), tag("div", hidden=True)
    shown = Shown(session, words, key, run, banner, details, Tree(session, words, key, hidden))
    bridge = Bridge(key, "live", words.all(), shown.moment, shown.pressed)
    with tag("div", classes="dock"):
        shown.controls = Controls(session, words, run, bridge.beat)
        shown.controls.place()
        Timeline()
    await shown.first(round)
