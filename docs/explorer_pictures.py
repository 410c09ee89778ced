"""Make the pictures of docs/explorer.md from the real page.

    python docs/explorer_pictures.py [--keep FOLDER]

It trains a few small runs, branches one of them, and takes screenshots with the system's Chromium; a few minutes.
The run of the diagnosis in Chinese is made of a synthetic story: a collapse that comes to all seeds.
It works beside the folder of the runs, so that pages show paths such as runs/ring. Chinese needs a font that has it,
such as that of fonts-noto-cjk.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

import sparring
from sparring.explorer.lessons.collapse import all_four
from sparring.record import RunFolder
from sparring.training.control import Steer, branch
from tests.explorers import CHROMIUM_FLAGS, Launched, chromium, launched
from tests.made_runs import made_run

PICTURES = Path(__file__).with_name("pictures") / "explorer"
RECIPE, SEEDS, ROUNDS, EARLIER, LATER = "ring", 8, 1500, 150, 900
LESSON = "lesson-collapse-all"
LENGTH = ("--seeds", str(SEEDS), "--rounds", str(ROUNDS), "--log-points", "30")

MOVING_WIDTH, MOVING_HEIGHT, MOVING_FRAMES, MOVING_PAUSE = 1100, 884, 24, 350
"""Of the moving picture: pixels, rounds that are shown, and milliseconds of each."""


def train(run: Path, *flags: str, wait: bool = True) -> subprocess.Popen[bytes]:
    """`sparring train` in a process of its own."""
    command = [sys.executable, "-m", "sparring", "train", *flags, "--no-compile", "--out", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if wait and process.wait():
        raise SystemExit(f"{' '.join(command)} failed")
    return process


def make_runs(folder: Path) -> None:
    """A run, and a branch of it with a learning rate that is too high."""
    if not (folder / "ring").exists():
        train(folder / "ring", RECIPE, *LENGTH)
    if not (folder / "higher-lr").exists():
        made = branch(folder / "ring", checkpoint(folder / "ring"), folder / "higher-lr", {"lr": 0.02})
        train(made.path, "--from", str(made.path))
    if not (folder / LESSON).exists():
        sparring.train(all_four(), out=folder / LESSON, threads=1)
    if not (folder / "collapsed").exists():
        made_run(folder / "collapsed", metrics={"modes": (3.0, 1.0), "diversity": (0.9, 0.3, 0.05)})


def checkpoint(run: Path) -> int:
    """A round in the middle that there is a checkpoint of."""
    return max(round for round in RunFolder(run).rounds_saved() if round <= ROUNDS // 2)


def settled(page: Any, pause: int) -> Image.Image:
    """What the page shows once nothing has moved for so many milliseconds, also on a busy machine."""
    before = b""
    while True:
        page.wait_for_timeout(pause)
        now = page.screenshot()
        if now == before:
            return Image.open(io.BytesIO(now)).convert("RGB")
        before = now


def open_run(page: Any, address: str) -> None:
    """The page of a run, once its verdict is there, which the server writes last."""
    page.goto(address)
    page.wait_for_selector(".verdict *")


def take(page: Any, name: str, height: int) -> None:
    """One picture."""
    page.set_viewport_size({"width": 1280, "height": height})
    picture = settled(page, 1500).quantize(256, kmeans=4, dither=Image.Dither.NONE)
    picture.save(PICTURES / f"{name}.png", optimize=True)


def take_all(browser: Any, explorer: Launched, folder: Path) -> None:
    pages = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        pages[scheme] = context.new_page()
        pages[scheme].goto(explorer.address)
        pages[scheme].wait_for_selector(".page")
    light, dark = pages["light"], pages["dark"]
    open_run(light, f"{explorer.origin}/run?run=runs/ring&member=3&round={LATER}")
    take(light, "live-light", 1440)
    open_run(dark, f"{explorer.origin}/run?run=runs/ring&view=branches")
    dark.click("text=Compare")
    dark.wait_for_selector(".compared canvas")
    take(dark, "branches-dark", 1440)
    light.goto(f"{explorer.origin}/new?recipe=ring")
    light.fill("input[aria-label=rounds]", "1500")
    light.fill("input[aria-label=seeds]", "8")
    light.keyboard.press("Tab")
    take(light, "form-light", 890)
    open_run(light, f"{explorer.origin}/lesson?name=collapse&run=runs/{LESSON}")
    take(light, "lesson-light", 1580)
    open_run(light, f"{explorer.origin}/run?run=runs/collapsed&view=findings&language=zh")
    take(light, "findings-zh", 854)
    training = train(folder / "paused", RECIPE, *LENGTH, wait=False)
    steer = Steer(started(folder / "paused"), timeout=600)
    steer.rounds(EARLIER - steer.pause()["round"])
    open_run(light, f"{explorer.origin}/run?run=runs/paused")
    light.click("text=D step")
    light.wait_for_selector(".moves .legend b")
    take(light, "moves-light", 1358)
    steer.stop()
    training.wait()


def take_moving(page: Any, explorer: Launched) -> None:
    """A training as the page plays it, as an animated GIF: the picture that the README begins with."""
    page.goto(explorer.address)
    page.set_viewport_size({"width": MOVING_WIDTH, "height": MOVING_HEIGHT})
    frames: list[Image.Image] = []
    for number in range(MOVING_FRAMES):
        at = max(1, round(ROUNDS * (number / (MOVING_FRAMES - 1)) ** 2))  # early rounds change most
        open_run(page, f"{explorer.origin}/run?run=runs/ring&member=3&round={at}")
        frames.append(settled(page, 900))
    # One palette for all frames, from some that have all the colors, so that nothing flickers.
    some = np.vstack([np.asarray(frames[at]) for at in (0, MOVING_FRAMES // 3, -1)])
    palette = Image.fromarray(some).quantize(255, Image.Quantize.MAXCOVERAGE, kmeans=4)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    pauses = [MOVING_PAUSE] * (len(small) - 1) + [6 * MOVING_PAUSE]
    small[0].save(
        PICTURES / "moving.gif", save_all=True, append_images=small[1:], duration=pauses, loop=0, optimize=True
    )


def started(path: Path) -> RunFolder:
    """The run, once it has played some rounds."""
    run = RunFolder(path)
    while not (run.exists and run.story.round):
        time.sleep(0.5)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder for the runs, which are not trained again if they are there")
    parser.add_argument("--moving", action="store_true", help="the moving picture alone")
    flags = parser.parse_args()
    path = chromium()
    if path is None:
        raise SystemExit("no Chromium here: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        place, folder = flags.keep or Path(temporary), Path("runs")
        (place / folder).mkdir(parents=True, exist_ok=True)
        os.chdir(place)
        make_runs(folder)
        with launched(folder) as explorer, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
            take_moving(browser.new_page(color_scheme="light"), explorer)
            if not flags.moving:
                take_all(browser, explorer, folder)
            browser.close()


if __name__ == "__main__":
    main()
