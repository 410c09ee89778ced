"""A run that is followed while it trains reads the same as one that is read at once, and costs what is new."""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.analysis.branches import tree_of
from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.followed import FollowedRun, bounds_of, histograms_of
from sparring.analysis.move_reports import new_reports
from sparring.analysis.run_rows import row_of
from sparring.errors import SparringError, UsageError
from sparring.record import RunFolder, Story
from sparring.record.following import Following
from sparring.record.grid import save_grid
from sparring.record.grid_reading import first_examples, member_block
from sparring.record.journal import replay
from sparring.record.opened import Opened
from sparring.record.story import CURVES, GRADIENTS
from sparring.training.background import refuse_own_code, start
from tests.made_runs import made_run


def journal(rng: random.Random, events: int) -> list[dict[str, Any]]:
    """A journal with everything that makes earlier events void."""
    made: list[dict[str, Any]] = [{"event": "started", "round": 0}]
    round = 0
    for number in range(events):
        kind = rng.choice(["log", "log", "log", "checkpoint", "resumed", "rewound", "changed", "extended", "started"])
        if kind in ("resumed", "rewound"):
            round = rng.randrange(round + 1)
        elif kind == "started":
            round = 0 if rng.random() < 0.1 else round
            kind = "started" if round == 0 else "log"
        else:
            round += rng.randrange(3)
        event = {"event": kind, "round": round, "number": number}
        event |= {"logged": [round]} if kind == "log" else {"settings": {"batch": [1, 2]}} if kind == "changed" else {}
        made.append(event)
    return made


@pytest.mark.parametrize("seed", range(20))
def test_reading_on_gives_what_reading_at_once_gives(seed: int, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "journal.jsonl"
    following, generations = Following(path), set[int]()
    data = "".join(f"{json.dumps(event)}\n" for event in journal(rng, 120)).encode()
    at = 0
    while at < len(data):
        step = rng.randrange(1, 400)
        with path.open("ab") as file:
            file.write(data[at : at + step])
        at += step
        before, generation = list(following.events), following.generation
        new = following.read()
        generations.add(following.generation)
        assert following.events == replay(path)
        if following.generation == generation:
            assert following.events == [*before, *new]
    assert len(generations) > 1
    # Each byte once, but for the beginnings of lines that were not whole yet.
    assert following.bytes_read < 2 * len(data)


def test_what_is_read_is_not_read_again(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", samples=False)
    followed = FollowedRun(run)
    followed.update()
    size = (run.path / "journal.jsonl").stat().st_size
    assert followed.bytes_read == size
    assert not followed.update() and followed.bytes_read == size
    run.journal.append("checkpoint", round=5000, seconds=1.0)
    assert followed.update() and followed.bytes_read == (run.path / "journal.jsonl").stat().st_size


def test_a_journal_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", samples=False)
    followed = FollowedRun(run)
    followed.update()
    text = (run.path / "journal.jsonl").read_text().splitlines(keepends=True)
    run.write_text("journal.jsonl", "".join(text[:6]))
    assert followed.update() and followed.generation == 1
    assert followed.rounds.tolist() == run.story.logged_rounds.tolist()


@pytest.mark.parametrize("members", [1, 8, 40])
def test_columns_are_the_storys(members: int, tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", members=members, diverged={1: 2000})
    followed = FollowedRun(run)
    followed.update()
    story = run.story
    assert followed.rounds.tolist() == story.logged_rounds.tolist()
    for name in (*CURVES, *GRADIENTS):
        np.testing.assert_allclose(followed.curves[name].values, story.curve(name), rtol=1e-6)
    assert list(followed.pictures.values()) == story.pictures
    assert followed.status == story.status == "finished"
    assert followed.bounds == bounds_of(story) and followed.bounds["d_real"].level == 0.5


def test_the_verdict_of_an_earlier_round_is_that_of_the_run_as_it_was(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", metrics={"modes": (3.0, 1.0), "diversity": (0.9, 0.3, 0.05)})
    followed = FollowedRun(run)
    followed.update()
    for round in (0, 300, 2600, 5000):
        at = max((event["round"] for event in run.story.log_points if event["round"] <= round), default=0)
        assert followed.diagnose(round).verdict == diagnosis(run.story.until(at)).verdict
    assert followed.diagnose().verdict == "mode-collapse"
    assert followed.diagnose() is followed.diagnose(5000)


def test_a_row_is_made_of_the_ends_of_files(tmp_path: Path) -> None:
    run = made_run(tmp_path / "many", members=1000, samples=False, scores=False)
    row = row_of("many", run)
    assert (row.seeds, row.round, row.rounds, row.status) == (1000, 5000, 5000, "finished")
    assert row_of("some", made_run(tmp_path / "some", until=1000)).status == "unfinished"
    (run.path / "recipe.json").write_text("{")
    assert row_of("many", run).status == "damaged" and "recipe.json" in row_of("many", run).problem


# Pictures.


@pytest.mark.parametrize(("members", "count", "scale"), [(1, 4, None), (5, 9, 3), (3, 64, 1), (70, 4, 2)])
def test_a_members_block_is_what_was_saved_pixel_for_pixel(
    members: int, count: int, scale: int | None, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (members, count, 3, 6, 5)).astype(np.float32) / 255
    save_grid(pixels, tmp_path / "grid.png", range(members), scale)
    columns = int(np.ceil(np.sqrt(count)))
    for member in {0, min(members, 64) - 1}:
        block = member_block(tmp_path / "grid.png", member)
        assert block is not None
        for index in (0, count - 1):
            top, left = index // columns * 7, index % columns * 6
            wanted = (pixels[member, index].transpose(1, 2, 0) * 255).round().astype(np.uint8)
            np.testing.assert_array_equal(block[top : top + 6, left : left + 5], wanted)
    assert member_block(tmp_path / "grid.png", min(members, 64)) is None
    few = first_examples(tmp_path / "grid.png", 4)
    assert few is not None and len(few) == min(members, 64)


@pytest.mark.parametrize(
    "layout",
    [
        "{",
        "[]",
        "null",
        '{"blocks": [], "cells": [1, 1], "cell": [1, 1], "gap": 0}',
        '{"blocks": [[9999, 0]], "cells": [1, 1], "cell": [4, 4], "gap": 0}',
        '{"blocks": [[0, -5]], "cells": [1, 1], "cell": [4, 4], "gap": 0}',
        '{"blocks": [[0, 0]], "cells": [1000000, 1000000], "cell": [1000000, 4], "gap": 7}',
        '{"blocks": [["<script>", 0]], "cells": [1, 1], "cell": [4, 4], "gap": 0}',
        '{"blocks": [[0, 0]], "cells": [1, 1], "cell": [0, 4], "gap": true}',
        "[" * 5000,
    ],
)
def test_a_picture_that_lies_about_itself_is_shown_whole(layout: str, tmp_path: Path) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("sparring layout", layout)
    Image.new("RGB", (40, 30), "#123456").save(tmp_path / "a.png", pnginfo=info)
    block = member_block(tmp_path / "a.png", 3)
    assert block is not None and block.shape == (30, 40, 3)
    assert first_examples(tmp_path / "a.png", 4) is None


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 50])
def test_what_is_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(SparringError, match="no picture"):
        member_block(tmp_path / "a.png", 0)


# Opened folders.


def test_keys_stand_for_the_runs_of_opened_folders_alone(tmp_path: Path) -> None:
    for name in ("a/runs/one", "a/runs/deep/two", "b/runs/three", "c"):
        made_run(tmp_path / name, samples=False)
    opened = Opened([tmp_path / "a/runs", tmp_path / "b/runs", tmp_path / "c"])
    assert list(opened.runs()) == ["runs-1/deep/two", "runs-1/one", "runs-2/three", "c"]
    assert opened.find("runs-1/one") and not opened.find("runs-1/../../c") and not opened.find("one")
    assert opened.key_of(tmp_path / "c") == "c" and opened.key_of(tmp_path) is None
    with pytest.raises(UsageError, match="no folder"):
        Opened([tmp_path / "nothing"])


def test_a_run_is_found_while_another_thread_looks_through_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        made_run(tmp_path / "runs" / name, samples=False)
    opened, walk = Opened([tmp_path / "runs"]), os.walk
    keys = list(opened.runs())

    def interrupted(root: Path, followlinks: bool) -> Iterator[tuple[str, list[str], list[str]]]:
        for step in walk(root, followlinks=followlinks):
            assert all(opened.find(key) for key in keys)
            yield step

    monkeypatch.setattr(os, "walk", interrupted)
    assert list(opened.runs()) == keys == ["runs/one", "runs/two"]


@pytest.mark.parametrize(
    "part",
    ["journal.jsonl", "weights", "samples", "commands.jsonl", "moves.jsonl", "about.json", "figures", "export"],
)
def test_a_run_with_a_link_to_the_outside_is_not_there(part: str, tmp_path: Path) -> None:
    run = made_run(tmp_path / "runs" / "run", samples=False)
    (tmp_path / "outside").mkdir()
    if (run.path / part).is_dir():
        (run.path / part).rmdir()
    (run.path / part).unlink(missing_ok=True)
    (run.path / part).symlink_to(tmp_path / "outside")
    assert not Opened([tmp_path / "runs"]).runs()
    (run.path / part).unlink()
    assert Opened([tmp_path / "runs"]).runs()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    run = made_run(tmp_path / "runs" / "run", samples=False)
    (run.path / "journal.jsonl").unlink()
    os.mkfifo(run.path / "journal.jsonl")
    assert not Opened([tmp_path / "runs"]).runs()


def test_no_page_executes_the_code_of_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which is executed"):
        refuse_own_code({"origin": {"file": "/evil.py", "function": "recipe", "sha256": ""}}, tmp_path)


def test_a_training_is_not_started_over_another_run(tmp_path: Path) -> None:
    from sparring.recipe import find_recipe

    run = made_run(tmp_path / "run", samples=False)
    with pytest.raises(UsageError, match="choose another name"):
        start(find_recipe("ring"), run.path)


# What people do.


def test_reports_are_read_from_the_end_and_damaged_ones_left_out(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", samples=False)
    assert new_reports(run) == []
    lines = [json.dumps({"number": k, "round": k}) for k in range(1, 6)]
    (run.path / "moves.jsonl").write_text("\n".join([*lines[:3], "{", '{"number": "x"}', *lines[3:], '{"number": 9']))
    assert [report["number"] for report in new_reports(run)] == [1, 2, 3, 4, 5]
    assert [report["number"] for report in new_reports(run, 3)] == [4, 5]


@pytest.mark.parametrize(
    "scores", [{}, {"edges": [0, 1]}, {"edges": [0, 1], "real": [], "fake": [[[1]]]}, {"edges": 3}]
)
def test_histograms_that_are_none_are_damage_not_a_bug(scores: dict[str, Any]) -> None:
    with pytest.raises(SparringError, match="damaged"):
        histograms_of(scores)


def test_branches_form_a_tree_also_where_a_folder_says_nonsense(tmp_path: Path) -> None:
    runs = {name: made_run(tmp_path / name, samples=False) for name in ("trunk", "one", "two", "odd", "loop")}

    def branch(name: str, of: Any, round: Any, settings: Any = None) -> None:
        origin = {"run": of if of is None else str(tmp_path / of), "round": round, "settings": settings or {}}
        runs[name].write_text("about.json", json.dumps({"origin": origin}))

    branch("one", "trunk", 1000, {"batch": [64, 32]})
    branch("two", "one", 2000)
    branch("odd", "trunk", "never")
    branch("loop", "loop", 5)

    def key_of(path: Path) -> str | None:
        return path.name if path.name in runs else None

    for key in ("trunk", "one", "two"):
        root = tree_of(key, runs, key_of)
        assert root is not None
        assert [(depth, each.row.key, each.since) for depth, each in root.all()] == [
            (0, "trunk", 0),
            (1, "one", 1000),
            (2, "two", 2000),
        ]
        assert root.branches[0].changes == "batch 64 → 32"
    for key in ("odd", "loop"):
        alone = tree_of(key, runs, key_of)
        assert alone is not None and not alone.branches
    assert tree_of("nothing", runs, key_of) is None
    assert RunFolder(tmp_path / "one").exists


def test_the_diagnosis_of_now_is_one_and_shares_the_events_that_were_read(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", members=2, samples=False, scores=False, until=1500)
    followed, stories = FollowedRun(run), list[weakref.ref[Story]]()
    for round in range(1501, 1521):
        values = {name: [[0.5, 0.5]] for name in (*CURVES, *GRADIENTS)}
        run.journal.append("log", round=round, seconds=1.0, logged=[round], **values)
        followed.update()
        found = followed.diagnose()
        assert found.story.round == round and found == diagnosis(story_of(run))
        assert all(any(event is each for each in followed.story.events) for event in found.story.events)
        stories.append(weakref.ref(found.story))
    del found
    gc.collect()
    assert sum(story() is not None for story in stories) == 1


def test_a_run_that_ends_after_it_was_read_is_not_unfinished_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made_run(tmp_path / "run", samples=False, scores=False).path / "journal.jsonl"
    *before, last = path.read_text().splitlines(keepends=True)
    assert json.loads(last)["event"] == "finished"
    path.write_text("".join(before))
    module = sys.modules[FollowedRun.__module__]
    monkeypatch.setattr(module, "is_training", lambda folder: True)
    followed = FollowedRun(RunFolder(path.parent))
    followed.update()
    path.write_text("".join([*before, last]))
    monkeypatch.setattr(module, "is_training", lambda folder: False)
    assert followed.status == "training"
    followed.update()
    assert followed.status == "finished"
