"""Whether exports of every kind of generator agree everywhere, how large pages are, and how soon they show an image.

    python benchmarks/export.py [--data-dir DIR] [--only NAME ...] [--loads 3]

Each generator is trained for a few rounds (agreement, size and time do not depend on what it learned), exported, and
run on the run's latent vectors 0 to 63 in onnxruntime, in torch by the exported script, and in the exported page, which
is opened from the disk in Chromium and in Firefox with the network blocked. Results are written to
`results/export.json`, from which docs/export.md is made. Needs the extra `ship`, Playwright, websockets and both
browsers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import sparring
from sparring import catalogue, latents
from sparring.networks.fully_connected import FullyConnected
from sparring.record import RunFolder
from sparring.ship.export import export
from sparring.ship.portable import portable_of

RESULTS = Path(__file__).parent / "results" / "export.json"
FAMILIES = (
    "fully-connected",
    "linear-then-convolution",
    "fully-convolutional",
    "dcgan-generator",
    "sngan-generator",
    "r3gan-generator",
)
"""Every built-in network that makes images."""
ASKED = ".then((made) => JSON.stringify({ made, seconds: generator.state.seconds }))"
MAX_MINUTES = 3


class Own(nn.Module):
    """A module of one's own: a linear layer, group normalization, nearest upsampling, a grouped convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(64, 32 * 7 * 7), nn.GroupNorm(4, 32)
        self.middle, self.last = nn.Conv2d(32, 16, 3, padding=1, groups=4), nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = nn.functional.gelu(self.norm(self.first(z).view(-1, 32, 7, 7)))
        h = nn.functional.interpolate(self.middle(nn.functional.interpolate(h, scale_factor=2)), scale_factor=2)
        return torch.tanh(self.last(nn.functional.silu(h)))


def few_rounds(out: Path, data_dir: Path | None, **changes: Any) -> RunFolder:
    """A run of `mnist-fast` with other parts."""
    recipe = sparring.recipe("mnist-fast").replace(rounds=2, log_points=1, samples_per_grid=4, batch=4, **changes)
    return sparring.train(recipe, out=out, data_dir=data_dir, threads=1, metrics=False).folder


def family(name: str) -> Callable[[Path, Path | None], RunFolder]:
    """A run with this network, at its default size."""
    leaf = catalogue.find("networks", name)()
    size = 56 * 56 if name == "fully-convolutional" else 64
    parts = {"generator": replace(leaf, output="tanh"), "latent": latents.Normal(size), "conditional": False}
    return lambda out, data_dir: few_rounds(out, data_dir, **parts)


def digits(out: Path, data_dir: Path | None) -> RunFolder:
    """`digits`, trained long enough for sharp samples: larger weights make larger differences."""
    return sparring.train(sparring.recipe("digits").replace(rounds=3_000), out=out, data_dir=data_dir).folder


def watched(out: Path, data_dir: Path | None) -> RunFolder:
    """A loop of someone's own, watched."""
    from tests.loops import sound

    torch.manual_seed(0)
    sound.textbook(lambda *players, **more: sparring.watch(*players, out=out, **more), 12)
    return RunFolder.open(out)


def wide(width: int) -> Callable[[Path, Path | None], RunFolder]:
    """Fully connected layers of a width."""
    parts = {"generator": FullyConnected((width, width), output="tanh"), "conditional": False}
    return lambda out, data_dir: few_rounds(out, data_dir, **parts)


CASES: dict[str, Callable[[Path, Path | None], RunFolder]] = {
    **{name: family(name) for name in FAMILIES},
    "dcgan-generator, class-conditional": few_rounds,
    "a module of one's own": lambda out, data_dir: few_rounds(out, data_dir, generator=Own, conditional=False),
    "a watched loop": watched,
    "`digits`, 3,000 rounds": digits,
    **{f"fully-connected, {width} wide": wide(width) for width in (600, 700, 800, 1_000, 1_400, 2_000)},
}


def measured(name: str, data_dir: Path | None, loads: int) -> dict[str, Any]:
    """One generator: differences by runtime, bytes, and seconds to the first image."""
    with tempfile.TemporaryDirectory() as beside:
        run = CASES[name](Path(beside) / "run", data_dir)
        made = export(run, Path(beside) / "out")
        portable = portable_of(run, made.seed)
        differences = {runtime: made.differences[runtime] for runtime in ("onnxruntime", "torch")}
        found: dict[str, Any] = {"parameters": portable.parameters, "shape": portable.facts["shape"]}
        page = Path(beside) / "out" / "demo.html"
        if page.is_file():
            found["page_bytes"], found["bits"] = page.stat().st_size, _bits(page)
            for browser, ask in (("chromium", _in_chromium), ("firefox", _in_firefox)):
                answers = [ask(page) for _ in range(loads)]
                examples = np.array(answers[0]["made"], dtype=np.float64).reshape(portable.expected.shape)
                differences[browser] = float(np.abs(examples - portable.expected).max())
                found[f"{browser}_seconds"] = round(median(each["seconds"] for each in answers), 2)
        return {**found, "notes": list(made.notes), "differences": differences}


def _bits(page: Path) -> int:
    head = page.read_text(encoding="utf-16").partition('<script type="application/json" id="data">')[2]
    return json.loads(head.partition("</script>")[0])["bits"]


def _in_chromium(page: Path) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    from tests.explorers import CHROMIUM_FLAGS, chromium
    from tests.exported_pages import ALL

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        shown = browser.new_context(offline=True).new_page()
        said: list[str] = []
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.goto(page.as_uri())
        shown.wait_for_selector('main[aria-busy="false"]', timeout=60_000 * MAX_MINUTES)
        answer = json.loads(shown.evaluate(ALL + ASKED))
        browser.close()
    assert not said, said
    return answer


def _in_firefox(page: Path) -> dict[str, Any]:
    from tests.exported_pages import ALL, READY
    from tests.firefox import asked_of_firefox

    answer, said = asked_of_firefox(page, READY, ALL + ASKED)
    assert not said, said
    return answer


# Tables.


def _stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text())


def agreement_table() -> str:
    """Markdown: the largest difference from the run's generator, by runtime."""
    runtimes = {
        "onnxruntime": "onnxruntime",
        "torch": "torch",
        "chromium": "page, Chromium",
        "firefox": "page, Firefox",
    }
    lines = [f"| generator | {' | '.join(runtimes.values())} |", f"| --- |{' ---: |' * len(runtimes)}"]
    for name, found in _cases(wide=False).items():
        cells = (_small(found["differences"][key]) for key in runtimes)
        lines.append(f"| {_named(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def pages_table() -> str:
    """Markdown: how large pages are, and how soon they show an image."""
    lines = [
        "| generator | parameters | page | weights | largest difference | first image, Chromium | Firefox |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for name, found in _stored()["cases"].items():
        cells = [_named(name), f"{found['parameters']:,}"]
        if "page_bytes" in found:
            weights = f"{found['bits']} bits" if found["bits"] else "exact"
            seconds = (f"{found[f'{browser}_seconds']:.1f} s" for browser in ("chromium", "firefox"))
            worst = max(found["differences"][browser] for browser in ("chromium", "firefox"))
            cells += [f"{found['page_bytes'] / 1e6:.1f} MB", weights, _small(worst), *seconds]
        else:
            cells += ["none", "", "", "", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _small(difference: float) -> str:
    return f"{difference:.0e}" if difference else "0"


def conditions() -> str:
    """Where and when it was measured, in words."""
    of = _stored()["conditions"]
    return (
        f"Median of {of['loads']} loads, {of['date']}, on {of['cpus']} cores ({of['machine']}) that were shared with "
        f"other work; onnxruntime {of['onnxruntime']}, torch {of['torch']}."
    )


def _cases(wide: bool) -> dict[str, Any]:
    return {name: found for name, found in _stored()["cases"].items() if name.endswith(" wide") == wide}


def _named(name: str) -> str:
    first, comma, rest = name.partition(",")
    return f"`{first}`{comma}{rest}" if first in FAMILIES else name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="*", choices=CASES)
    parser.add_argument("--loads", type=int, default=3)
    arguments = parser.parse_args()
    stored = _stored() if RESULTS.exists() else {"cases": {}}
    stored["conditions"] = {
        "date": date.today().isoformat(),
        "loads": arguments.loads,
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        **{package: version(package) for package in ("onnxruntime", "torch")},
    }
    for name in arguments.only or CASES:
        stored["cases"][name] = measured(name, arguments.data_dir, arguments.loads)
        stored["cases"] = {each: stored["cases"][each] for each in CASES if each in stored["cases"]}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
        print(f"{name}: {stored['cases'][name]}", flush=True)


if __name__ == "__main__":
    main()
