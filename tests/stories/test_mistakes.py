"""More than two hundred mistakes: none is answered as if it were a bug of the program.

Each is answered with one line that says what to do, or at least what is wrong and where, and with exit status 1 or 2.
"""

from __future__ import annotations

import builtins
import errno
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from sparring.analysis.diagnosis import diagnose
from sparring.analysis.query.database import query
from sparring.cli.main import FAILED, OK, WRONG_USAGE, run
from sparring.errors import SparringError
from sparring.record import RunFolder
from tests.stories.mistaken_lines import COMMAND_LINES, FEW

SMALL = ("--generator", "fully-connected(hidden=(4,), output=tanh)", "--discriminator", "fully-connected(hidden=(4,))")

RECIPE_VALUES: dict[str, tuple[Any, ...]] = {
    "seeds": (None, [], "x", -1, [0, 0], [-1], [None], 10**30, True),
    "rounds": (None, "x", 0, -1, 1e400, [1], 10**30),
    "batch": (None, 0, {}, 1e400),
    "data": (None, "x", {"is": "nope"}, {"is": 3}, {"is": "ring", "nope": 1}, {"is": "folder", "path": "a\0b"}),
    "generator": (None, [], {"is": "nope"}, {"is": "fully-connected", "hidden": "x"}, {"yours": "G"}),
    "objective": ({"is": "adam"}, {"is": []}, 3),
    "generator_optimizer": ({"is": "adam", "lr": "x"}, {"is": "adam", "lr": 1e400}),
    "round": (None, [], "d_sees_real", ["nope"], [3], {}),
    "tricks": (None, {}, [None], [{"is": "nope"}]),
    "origin": ("x", {}, {"file": 3}),
    "start_from": ("x", {"is": "nope"}, {"run": 3}),
    "name": (None, 3, []),
}
"""What somebody's recipe.json may hold in place of a field's value."""
TEXTS = ("", "[]", "3", "null", "{", "NaN", "[" * 50_000, "\x00", b"\xff\xfe\x00")
"""What a file of JSON may hold that was cut off, or is of something else."""
OWN_FILES = {
    "def f(:": "SyntaxError",
    "raise ValueError('a\\nb')": "ValueError: a b (line 1)",
    "import sys; sys.exit(3)": "SystemExit: 3",
    "import nosuchmodule": "No module named 'nosuchmodule'",
    "": "defines no function annotated `-> Recipe`",
    "a = 1\x00": "null bytes",
    "def r() -> Recipe: pass": "returned NoneType, not a Recipe",
    "def r() -> Recipe: return Recipe": "returned type, not a Recipe",
    "def r(x) -> Recipe: return find_recipe('digits')": "missing 1 required positional argument",
    "def r() -> Recipe: return r()": "RecursionError",
    "def r() -> Recipe: raise KeyError('k')": "KeyError: 'k' (line 5)",
    "def r() -> Recipe: exit()": "SystemExit",
    "def r(): return find_recipe('digits')": "defines no function annotated `-> Recipe`",
    "def r() -> Recipe: return find_recipe('digits')\ndef s() -> Recipe: return r()": "defines several recipes",
    "def r() -> Recipe: return find_recipe('digits').replace(nope=3)": "no recipe field called 'nope'",
    "def r() -> Recipe: return find_recipe('digits').replace(rounds=float('inf'))": "rounds takes a whole number",
    "def r() -> Recipe: return find_recipe('digits').replace(seeds=itertools.count())": "or have no end",
    "def r() -> Recipe: return find_recipe('digits').replace(round=itertools.cycle(['g_fools_d']))": "or have no end",
    "x = []; x.append(x)\ndef r() -> Recipe: return find_recipe('digits').replace(tricks=x)": "tricks takes tricks",
    "def r() -> Recipe: return find_recipe('digits').replace(generator=lambda: 3)": "must be an nn.Module",
    "def g(): raise OSError('no disk')\ndef r() -> Recipe: return toy(generator=g)": "OSError: no disk",
    "class X(Trick): pass\ndef r() -> Recipe: return toy(tricks=[X()])": "names the hooks",
    "def m(game): raise KeyError('m')\ndef r() -> Recipe: return toy(round=[m])": "KeyError: 'm'",
    "def m(): pass\ndef r() -> Recipe: return toy(round=[m])": "m() takes 0 positional arguments",
    "class L(nn.Module):\n  n = 0\n  def __init__(s):\n    super().__init__(); s.l = nn.Linear(4, 1)\n"
    "  def forward(s, x):\n    L.n += 1\n    if L.n > 8: raise IndexError('late')\n    return s.l(x)\n"
    "def r() -> Recipe: return toy(discriminator=L)": "IndexError: late",
}
"""What somebody's own file may hold, and words of the answer."""
BEFORE = """import itertools
from torch import nn
from sparring.recipe import Recipe, find_recipe
from sparring.tricks import Trick
def toy(**changes): return find_recipe('pattern-1010').replace(**changes)
"""
ENVIRONMENTS = {
    "RANK=x WORLD_SIZE=2": "not torchrun's",
    "RANK=0 WORLD_SIZE=many": "not torchrun's",
    "RANK=5 WORLD_SIZE=2": "not torchrun's",
    "WORLD_SIZE=2": "MASTER_ADDR",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with two runs (runs/a and runs/b), images, an empty folder and a file."""
    folder = tmp_path_factory.mktemp("mistakes")
    rng = np.random.default_rng(0)
    for name in ("empty", "photos"):
        (folder / name).mkdir()
    (folder / "file.txt").write_text("x")
    for k in range(8):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / "photos" / f"{k}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, recipe, networks in (("a", "pattern-1010", ()), ("b", "digits", SMALL)):
            long = ("--rounds", "6", "--log-points", "2", "--seeds", "2", "--batch", "4", "--threads", "1")
            assert run(["train", recipe, *long, *networks, "--out", f"runs/{name}"]) == OK
        yield folder


@pytest.fixture
def broken(home: Path) -> Iterator[Path]:
    """A copy of runs/b, to be damaged."""
    copy = home / "broken"
    shutil.copytree(home / "runs" / "b", copy)
    yield copy
    shutil.rmtree(copy)


@pytest.fixture
def answer(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command and gives the one line that it complains with."""
    monkeypatch.chdir(home)

    def ask(*arguments: object) -> str:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "report it" not in said.err
        assert status in (FAILED, WRONG_USAGE)
        complaints = [line for line in said.err.splitlines() if line.startswith("sparring: ")]
        assert len(complaints) == 1 and said.err.rstrip().endswith(complaints[0])
        assert said.out == ""
        return complaints[0]

    return ask


@pytest.mark.parametrize("line", COMMAND_LINES, ids=lambda line: line[:60])
def test_a_command_line(line: str, answer: Callable[..., str]) -> None:
    assert COMMAND_LINES[line] in answer(*line.split(" "))


@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, values in RECIPE_VALUES.items() for v in values], ids=lambda x: str(x)[:24]
)
def test_a_recipe_json_with_a_value_that_does_not_belong(
    field: str, value: Any, broken: Path, answer: Callable[..., str]
) -> None:
    recipe = json.loads((broken / "recipe.json").read_text())
    (broken / "recipe.json").write_text(json.dumps({**recipe, field: value}))
    assert answer("train", "--from", "broken", *FEW.split(), "--out", "anew")
    if field in ("seeds", "rounds"):
        assert f"its {field} must be" in answer("show", "broken")


@pytest.mark.sampled(every=3)  # of four files, so that each has its turn
@pytest.mark.parametrize("name", ["recipe.json", "journal.jsonl", "about.json", "measures.json"])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:8]))
def test_a_file_that_was_cut_or_is_of_something_else(
    name: str, text: str | bytes, broken: Path, answer: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (broken / name).write_bytes(content + (b"\n" if name == "journal.jsonl" and content else b""))
    if name == "journal.jsonl" and not content:
        assert run(["show", "broken"]) == OK  # nothing was written yet
    elif name == "measures.json":
        (broken / "journal.jsonl").write_text(
            "".join(f"{line}\n" for line in (broken / "journal.jsonl").read_text().splitlines())
        )
        from sparring.report import write_report

        with pytest.raises(Exception, match="measure the run again"):
            write_report("broken")
    elif name == "about.json":
        for command in ("show", "diagnose", "sample"):
            assert run([command, "broken"]) == OK, "little depends on it"
        assert "about.json is" in (said := capsys.readouterr().err) and "delete it: reports then say less" in said
    else:
        assert name in answer("show", "broken")


SCORE = {"title": "Fréchet distance", "better": "lower", "real": 1.0}
MEASURED: dict[str, Any] = {"seeds": [0, 1], "n": 10, "round": 0, "held_out": "others", "judge": None}


@pytest.mark.parametrize(
    "part",
    [
        {"metrics": {"frechet-distance": {**SCORE, "members": [1.0]}}},
        {"metrics": {"frechet-distance": {**SCORE, "members": [1.0, "x"]}}},
        {"metrics": {"frechet-distance": {**SCORE, "members": [1.0, None], "errors": [0.1]}}},
        {"metrics": {"frechet-distance": {**SCORE, "members": [1.0, None], "errors": 0.1}}},
        {"metrics": {}, "independent": "x"},
        {"metrics": {}, "independent": {"judge": "digits"}},
        {"metrics": {}, "independent": {"metrics": {"recall": {**SCORE, "members": [1.0]}}}},
    ],
    ids=lambda part: json.dumps(part)[-40:],
)
def test_a_measurement_that_does_not_fit_its_seeds(part: dict[str, Any], broken: Path) -> None:
    (broken / "measures.json").write_text(json.dumps({**MEASURED, **part}))
    with pytest.raises(SparringError, match=r"measures\.json is damaged: .*measure the run again, or delete"):
        _ = RunFolder(broken).measures
    assert diagnose(broken).verdict
    assert query("select count(*) from evaluations", broken.parent).rows


@pytest.mark.parametrize("field", ["seeds", "rounds", "data", "generator", "objective", "latent", "round", "name"])
def test_a_recipe_json_that_lacks_a_field(field: str, broken: Path, answer: Callable[..., str]) -> None:
    recipe = json.loads((broken / "recipe.json").read_text())
    del recipe[field]
    (broken / "recipe.json").write_text(json.dumps(recipe))
    assert f"it lacks {field}" in answer("show", "broken")


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        ("log", "d_loss", None),
        ("log", "d_loss", [["x"]]),
        ("log", "d_loss", [[1, 2, 3]]),
        ("log", "logged", [-1]),
        ("log", "logged", None),
        ("log", "round", "x"),
        ("log", "metrics", []),
        ("log", "metrics", {"diversity": "x"}),
        ("log", "picture", 3),
        ("real-baseline", "metrics", 3),
        ("real-baseline", "quantiles", "x"),
        ("real-baseline", "n", []),
        ("started", "output_ranges", {"generator": [1]}),
        ("started", "event", 3),
        ("started", "event", None),
        ("finished", "seconds", "long"),
    ],
)
def test_a_journal_with_a_value_that_does_not_belong(
    event: str, field: str, value: Any, broken: Path, answer: Callable[..., str]
) -> None:
    events = [json.loads(line) for line in (broken / "journal.jsonl").read_text().splitlines()]
    last = max(k for k, each in enumerate(events) if each["event"] == event)
    events[last][field] = value
    (broken / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    assert "journal" in answer("show", "broken")


def test_the_journal_of_another_run(broken: Path, home: Path, answer: Callable[..., str]) -> None:
    events = [json.loads(line) for line in (broken / "journal.jsonl").read_text().splitlines()]
    events.append({"event": "diverged", "round": 1, "members": [7]})
    (broken / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    assert "of another recipe" in answer("show", "broken")


def _rewritten(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata()
        save_file(change(load_file(path)), path, metadata=metadata)

    return write


WEIGHTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "cut at the end": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "garbage": lambda path: path.write_bytes(b"\xff" * 400),
    "a header of exabytes": lambda path: path.write_bytes(struct.pack("<Q", 2**60) + b"{}"),
    "no object": lambda path: path.write_bytes(struct.pack("<Q", 2) + b"[]"),
    "text": lambda path: path.write_text("weights"),
    "gone": lambda path: path.unlink(),
    "other shapes": _rewritten(lambda arrays: {name: np.zeros((2, 3), np.float32) for name in arrays}),
    "half of them": _rewritten(lambda arrays: dict(list(arrays.items())[::2])),
    "more members": _rewritten(lambda a: {name: np.concatenate([v, v]) if v.ndim else v for name, v in a.items()}),
    "none": _rewritten(lambda arrays: {}),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_are_not_those_of_the_run(kind: str, broken: Path, answer: Callable[..., str]) -> None:
    for path in (broken / "weights").glob("*.safetensors"):
        WEIGHTS[kind](path)
    for command in (["sample", "--count", "2"], ["sweep"], ["measure", "--count", "20", "--seeds", "1"]):
        assert any(words in answer(command[0], "broken", *command[1:]) for words in ("weights", "checkpoint"))


@pytest.mark.parametrize("text", OWN_FILES, ids=lambda text: text[:40].strip())
def test_a_file_of_ones_own(text: str, home: Path, answer: Callable[..., str]) -> None:
    whole = text if "Recipe:" not in text else BEFORE.replace("\n", ";", 0) + text
    (home / "own.py").write_text(whole)
    shutil.rmtree(home / "new", ignore_errors=True)
    words = OWN_FILES[text].replace("(line 5)", "(line 6)")
    assert words in answer("train", "own.py", *FEW.split(), "--out", "new")


@pytest.mark.parametrize("name", ["own.py:nope", "own.py:a:b", ".py", "photos:x"])
def test_a_recipe_that_is_not_there(name: str, home: Path, answer: Callable[..., str]) -> None:
    (home / "own.py").write_text(f"{BEFORE}def r() -> Recipe: return toy()")
    assert answer("train", name)


@pytest.mark.parametrize("variables", ENVIRONMENTS)
def test_an_environment(variables: str, answer: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    for pair in variables.split():
        monkeypatch.setenv(*pair.split("="))
    assert ENVIRONMENTS[variables] in answer("train", "pattern-1010", *FEW.split(), "--out", "new")


def test_no_memory(answer: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError("Unable to allocate 9.00 TiB")

    monkeypatch.setattr("sparring.analysis.generators.generated", full)
    assert "not enough memory" in answer("sample", "runs/a")


def test_no_space(answer: Callable[..., str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in answer("sample", "runs/a", "--out", "x.npy")
    assert "the disk is full" in answer("train", "pattern-1010", *FEW.split(), "--out", "new-on-full")
    assert not (home / "x.npy").exists()


def test_a_missing_extra(answer: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_ray(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_ray)
    assert "sparring[cluster]" in answer("train", "digits", *FEW.split(), "--on", "ray", "--out", "new-on-ray")


def test_a_cache_that_cannot_be_written_is_done_without(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(pooch, "os_cache", lambda project: Path("/proc/nowhere"))
    out = ("--out", "uncached")
    assert run(["train", "--data", "photos", *FEW.split(), *SMALL, *out]) == OK


def test_a_home_that_is_not_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("COLUMNS", "nonsense")
    assert run(["show", "runs/a"]) == OK
    assert run(["doctor", "photos"]) == OK


def test_these_are_more_than_two_hundred() -> None:
    values = sum(map(len, RECIPE_VALUES.values()))
    assert len(COMMAND_LINES) + values + 4 * len(TEXTS) + len(OWN_FILES) + 3 * len(WEIGHTS) + len(ENVIRONMENTS) > 200
