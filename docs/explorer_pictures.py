"""Make the pictures of docs/explorer.md from the real page.

    python docs/explorer_pictures.py [--keep FOLDER]

It trains two small runs, branches one of them, and takes screenshots with the system's Chromium; a few minutes.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from sparring.record import RunFolder
from sparring.training.control import Steer, branch
from tests.explorers import CHROMIUM_FLAGS, Launched, chromium, launched

PICTURES = Path(__file__).with_name("pictures") / "explorer"
RECIPE, SEEDS, ROUNDS, LATER = "ring", 8, 1500, 900

MOVING_WIDTH, MOVING_HEIGHT, MOVING_FRAMES, MOVING_PAUSE = 1100, 860, 24, 350
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
        train(folder / "ring", RECIPE, "--seeds", str(SEEDS), "--rounds", str(ROUNDS), "--log-points", "30")
    if not (folder / "higher-lr").exists():
        made = branch(folder / "ring", checkpoint(folder / "ring"), folder / "higher-lr", {"lr": 0.02})
        train(made.path, "--from", str(made.path))


def checkpoint(run: Path) -> int:
    """A round in the middle that there is a checkpoint of."""
    return max(round for round in RunFolder(run).rounds_saved() if round <= ROUNDS // 2)


def take(page: Any, name: str, height: int) -> None:
    """One picture, once nothing moves any more."""
    page.set_viewport_size({"width": 1280, "height": height})
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"{name}.png")


def take_all(browser: Any, explorer: Launched, folder: Path) -> None:
    pages = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        pages[scheme] = context.new_page()
        pages[scheme].goto(explorer.address)
        pages[scheme].wait_for_selector(".page")
    light, dark = pages["light"], pages["dark"]
    light.goto(f"{explorer.origin}/run?run=runs/ring&member=3&round={LATER}")
    light.wait_for_selector(".legend b")
    take(light, "live-light", 1180)
    dark.goto(f"{explorer.origin}/run?run=runs/ring&view=branches&with=runs/higher-lr")
    dark.wait_for_selector(".compared canvas")
    take(dark, "branches-dark", 1080)
    light.goto(f"{explorer.origin}/new?recipe=ring")
    light.fill("input[aria-label=rounds]", "1500")
    light.fill("input[aria-label=seeds]", "8")
    light.keyboard.press("Tab")
    take(light, "form-light", 820)
    training = train(folder / "paused", RECIPE, "--seeds", "8", "--rounds", "1000000", wait=False)
    steer = Steer(started(folder / "paused"))
    steer.pause()
    light.goto(f"{explorer.origin}/run?run=runs/paused")
    light.click("text=D step")
    light.wait_for_selector(".moves .legend b")
    take(light, "moves-light", 1000)
    steer.stop()
    training.wait()


def take_moving(page: Any, explorer: Launched) -> None:
    """A training as the page plays it, as an animated GIF: the picture that the README begins with."""
    page.goto(explorer.address)
    page.set_viewport_size({"width": MOVING_WIDTH, "height": MOVING_HEIGHT})
    frames: list[Image.Image] = []
    for number in range(MOVING_FRAMES):
        at = round(ROUNDS * (number / (MOVING_FRAMES - 1)) ** 2)  # early rounds change most
        page.goto(f"{explorer.origin}/run?run=runs/ring&member=3&round={at}")
        page.wait_for_selector(".legend b")
        page.wait_for_timeout(900)
        frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    # One palette for all frames, from the last and most colorful ones, so that nothing flickers.
    palette = frames[-1].quantize(96)
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
        folder = (flags.keep or Path(temporary)) / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        make_runs(folder)
        with launched(folder) as explorer, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
            take_moving(browser.new_page(color_scheme="light"), explorer)
            if not flags.moving:
                take_all(browser, explorer, folder)
            browser.close()


if __name__ == "__main__":
    main()
