"""What is said of several runs, of how recipes differ and of what was done to a run, is said in Chinese too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sparring.analysis.comparison import Comparison
from sparring.analysis.differences import recipe_changes
from sparring.analysis.facts import Facts
from sparring.analysis.history import history
from sparring.analysis.steered import setting_name, settings_text
from sparring.languages import language
from sparring.recipe import find_recipe
from sparring.record import Story
from tests.made_runs import made_run

CHINESE = language("zh")


def test_notes_on_a_comparison_name_objectives_as_the_catalogue_does(tmp_path: Path) -> None:
    runs = [
        made_run(tmp_path / name, members=2, recipe={"name": name, "objective": {"is": name}, "batch": batch})
        for batch, name in enumerate(("relativistic-paired", "mse"), 1)
    ]
    notes = Comparison([Facts.of(run) for run in runs]).notes
    assert any(note.startswith("The objectives differ (relativistic-paired and mse), so losses are") for note in notes)
    said = [CHINESE(note) for note in notes]
    assert any(note.startswith("目标函数不同（relativistic-paired 和 mse）") for note in said)
    assert not [note for note in said if "differ" in note or not note.endswith("。")]


def test_differences_of_recipes_keep_names_and_say_the_rest() -> None:
    old, new = (find_recipe(name).to_dict() for name in ("ring", "pattern-1010"))
    said = [CHINESE(change) for change in recipe_changes(old, new)]
    assert "batch：128 → 1" in said and any(each.startswith("两个优化器：adam(") for each in said)
    assert any(each.startswith("tricks：") and each.endswith(" → 无") for each in said)
    start = {"run": "runs/first", "round": 1200, "seed": 3, "best": True}
    (change,) = recipe_changes(old, old | {"start_from": start})
    assert change == "start from: new weights → the weights of first, seed 3, its best checkpoint, round 1,200"
    assert CHINESE(change) == "start from：新的权重 → first 的种子 3 的最佳检查点（第 1,200 轮）的权重"
    mine = [{"yours": "Mine", "sha256": sha} for sha in ("00", "01")]
    (change,) = recipe_changes(old | {"generator": mine[0]}, old | {"generator": mine[1]})
    assert CHINESE(change) == "generator：<Mine>（代码已改变）"


@pytest.mark.parametrize(
    ("path", "english", "chinese"),
    [
        ("generator_optimizer.lr", "G's lr", "G 的 lr"),
        ("tricks.r1.gamma", "r1's gamma", "r1 的 gamma"),
        ("round.d_sees_both", "steps d_sees_both", "d_sees_both 的步数"),
        ("batch", "batch", "batch"),
    ],
)
def test_names_of_settings(path: str, english: str, chinese: str) -> None:
    assert setting_name(path) == english and CHINESE(setting_name(path)) == chinese


def test_settings_that_were_changed() -> None:
    text = settings_text({"discriminator_optimizer.betas": [[0.5, 0.9], [0.0, 0.9]], "batch": [64, 32]})
    assert text == "D's betas 0.5 to 0.9 → 0 to 0.9, batch 64 → 32"
    assert CHINESE(text) == "D 的 betas 0.5 至 0.9 → 0 至 0.9、batch 64 → 32"


@pytest.mark.parametrize(
    ("event", "english", "chinese"),
    [
        (
            {
                "event": "started-from",
                "run": "a",
                "seed": None,
                "best": False,
                "checkpoint": 12,
                "anew": ["G.0", "G.1", "G.2", "G.3"],
                "loaded": {"G": [2, 4], "averaged": [0, 2]},
            },
            "It starts with the weights of a, round 12: 2 of 4 of G's, 0 of 2 of G's averaged tensors fit. "
            "Drawn anew: G.0, G.1, G.2 and 1 more.",
            "它从 a（第 12 轮）的权重开始：适合的张量：G 的 4 个中的 2 个、G 的平均权重 2 个中的 0 个。"
            "重新抽取的：G.0、G.1、G.2，另有 1 个。",
        ),
        (
            {"event": "extended", "round": 60, "rounds": [60, 80], "schedules": ["r1-r2"]},
            "At round 60 it was made longer, from 60 to 80 rounds; r1-r2 follows the new length only from there on.",
            "在第 60 轮加长了训练，从 60 轮加到 80 轮；r1-r2 从那时起才按新的长度进行。",
        ),
        (
            {"event": "moved", "round": 60, "data": ["/a", "/b"]},
            "From round 60 on its data were in /b, before that in /a; they are the same.",
            "从第 60 轮起数据在 /b，之前在 /a；内容相同。",
        ),
    ],
)
def test_what_was_done_to_a_run(event: dict[str, Any], english: str, chinese: str) -> None:
    class Told:
        events = (event,)

    story: Story = Told()  # pyright: ignore[reportAssignmentType] - all that is read of it
    assert history(story) == [english]
    assert [CHINESE(sentence) for sentence in history(story)] == [chinese]


@pytest.mark.parametrize(
    ("error", "chinese"),
    [
        ("a has no checkpoint yet", "a 还没有检查点"),
        ("a has no best checkpoint: its samples were never evaluated", "a 没有最佳检查点：它的样本从未评估过"),
        (
            "a has no checkpoint of round 40 yet; let it train a little longer",
            "a 还没有第 40 轮的检查点；让它再训练一会儿",
        ),
        ("a.pt is too large for a game of points", "a.pt 太大，不可能是点的博弈"),
        (
            "first-layer: nothing linear happens to the latent vector before the first activation",
            "first-layer：在第一个激活函数之前，潜向量没有经过任何线性变换",
        ),
        (
            "without demo.html: its 100 parameters do not fit into a page of 5 MB, even rounded",
            "没有 demo.html：它的 100 个参数舍入后也放不进 5 MB 的页面",
        ),
    ],
)
def test_what_was_not_there_or_not_made(error: str, chinese: str) -> None:
    assert CHINESE.error(error) == chinese
