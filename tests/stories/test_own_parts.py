"""What a user meets who brings networks, data or moves of their own."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sparring.analysis.generators import sample
from sparring.cli.main import FAILED, OK, WRONG_USAGE, run
from sparring.errors import SparringError
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training import Trainer, train

PARTS = '''
"""Two moons, from convolutions to moves: everything here is the user's own."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from sparring.datasets import Card, Dataset
from sparring.recipe import Recipe, find_recipe


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(8, 32, bias=False), nn.BatchNorm1d(32), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(32, 36),
            nn.Sigmoid(), nn.Unflatten(1, (1, 6, 6)),
        )

    def forward(self, inputs):
        return self.model(inputs)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 6, 3, 2, 1), nn.LeakyReLU(0.02), nn.Dropout2d(0.2), nn.Flatten(), nn.Linear(54, 1)
        )

    def forward(self, inputs):
        return self.model(inputs)


class Blobs:
    def __init__(self, device):
        self.device = device

    def draw(self, chance, count):
        center = chance.uniform("blob", (count, 2, 1, 1)) * 5
        grid = torch.arange(6.0)
        distance = (grid[:, None] - center[:, :, :1]) ** 2 + (grid - center[:, :, 1:]) ** 2
        return torch.exp(-distance / 2)


@dataclass(frozen=True)
class OneBlob(Dataset):
    shape = (1, 6, 6)
    card = Card(title="One blob", examples=None, license="mine", source="a formula")

    def open(self, data_dir, device):
        return Blobs(device)


def g_fools_d_gently(game):
    game.learn("G", 0.5 * game.g_loss(game.D(game.fake())))


def my_blobs() -> Recipe:
    digits = find_recipe("digits")
    return replace(
        digits, name="", data=OneBlob(), generator=Generator, discriminator=Discriminator,
        latent=replace(digits.latent, size=8), round=(digits.round[0], g_fools_d_gently), batch=4, rounds=24,
        log_points=4, samples_per_grid=4,
    )
'''

TINY = """
from dataclasses import replace
from torch import nn
from sparring.recipe import Recipe, find_recipe

base = replace(find_recipe("pattern-1010"), name="", rounds=20, log_points=2)

"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_recipe.py"
    path.write_text(PARTS)
    return path


def written(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "my_recipe.py"
    path.write_text(TINY + textwrap.dedent(code))
    return path


def complaint(call: Any, *parts: object) -> str:
    """The message of the SparringError that `call` raises: one line that contains all `parts`."""
    with pytest.raises(SparringError) as caught:
        call()
    message = str(caught.value)
    assert len(message.splitlines()) == 1, message
    for part in parts:
        assert str(part) in message
    return message


def leave_at(round: int) -> Any:
    def watch(trainer: Trainer) -> None:
        trainer.stopping = trainer.game.round >= round

    return watch


# What works.


@pytest.mark.parametrize("members", [1, 3])
def test_a_recipe_of_ones_own_parts_trains_resumes_and_samples(file: Path, members: int, tmp_path: Path) -> None:
    recipe = find_recipe(str(file)).replace(seeds=members)
    assert recipe.name == "my-blobs"
    whole = train(recipe, tmp_path / "read_image", threads=1)
    left = train(find_recipe(str(file)).replace(seeds=members), tmp_path / "left", threads=1, watchers=[leave_at(12)])
    assert left.story.status == "stopped"
    train(find_recipe(f"{file}:my_blobs").replace(seeds=members), tmp_path / "left", threads=1)
    mine, theirs = left.load("G."), whole.load("G.")
    assert mine is not None
    assert theirs is not None
    assert mine[0] == theirs[0] == 24
    assert all(np.array_equal(mine[1][name], array) for name, array in theirs[1].items())
    images = sample(tmp_path / "left", 5)
    assert images.shape == (members, 5, 1, 6, 6)
    assert (images >= 0).all()
    assert (images <= 1).all()
    np.testing.assert_array_equal(images, sample(tmp_path / "read_image", 5))
    assert (left.path / "source.py").read_text() == PARTS


def test_the_command_takes_the_file_like_a_recipe(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["train", str(file), "--rounds", "8", "--seeds", "2", "--batch", "3", "--threads", "1", "--out", str(out)]
    assert run(command) == OK
    assert run(command) == OK
    assert run(["sample", str(out), "--out", str(tmp_path / "made.npy")]) == OK
    assert np.load(tmp_path / "made.npy").shape == (2, 64, 1, 6, 6)
    assert "Traceback" not in capsys.readouterr().err
    written = json.loads((out / "recipe.json").read_text())
    assert written["generator"]["yours"] == "Generator"
    assert written["round"][0] == "d_sees_both"
    assert written["round"][1]["yours"] == "g_fools_d_gently"


@pytest.mark.parametrize(
    "part",
    [
        "nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1))",
        "lambda: nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1))",
        "functools.partial(make, 3)",
        "functools.partial(Net, 3)",
        "make",
        "Net",
        "Net(5)",
    ],
)
def test_a_network_may_be_a_module_a_class_or_anything_that_makes_one(part: str, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"""
        import functools

        class Net(nn.Module):
            def __init__(self, width=4):
                super().__init__()
                self.model = nn.Sequential(nn.Linear(4, width), nn.Sigmoid(), nn.Linear(width, 1))

            def forward(self, x):
                return self.model(x)

        def make(width=4):
            return Net(width)

        def mine() -> Recipe:
            return replace(base, discriminator={part}, seeds=(0, 1))
        """,
    )
    run = train(find_recipe(str(file)), tmp_path / "run", threads=1, watchers=[leave_at(10)])
    train(find_recipe(str(file)), tmp_path / "run", threads=1)
    assert run.story.status == "finished"
    round, state = run.load("D.") or (0, {})
    assert round == 20
    weights = [array for name, array in state.items() if name.endswith("weight")]
    assert weights
    assert all(not np.array_equal(array[0], array[1]) for array in weights), "members must differ"
    assert sample(run.path, 3).shape == (2, 3, 4)


def test_a_module_that_was_given_is_a_pattern_and_is_not_trained_itself(tmp_path: Path) -> None:
    given = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1))
    before = {name: tensor.clone() for name, tensor in given.state_dict().items()}
    recipe = find_recipe("pattern-1010").replace(discriminator=given, rounds=5)
    run = train(recipe, tmp_path / "run", threads=1)
    assert all(torch.equal(before[name], tensor) for name, tensor in given.state_dict().items())
    _, state = run.load("D.") or (0, {})
    assert not np.allclose(state["D.0.0.weight"][0], before["0.weight"].numpy(), atol=0.05)


def test_training_leaves_torchs_own_chance_to_the_user(file: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    train(find_recipe(str(file)).replace(seeds=1), tmp_path / "one", threads=1)
    train(find_recipe(str(file)).replace(seeds=2), tmp_path / "two", threads=1)
    sample(tmp_path / "two", 3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_several_recipes_in_one_file_are_told_apart(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        def one() -> Recipe:
            return base

        def two() -> Recipe:
            return replace(base, batch=2)

        def helper(x):
            return x

        def _hidden() -> Recipe:
            return base
        """,
    )
    message = complaint(lambda: find_recipe(str(file)), "several recipes", f"{file}:one", f"{file}:two")
    assert "hidden" not in message
    assert find_recipe(f"{file}:two").batch == 2
    assert find_recipe(f"{file}:two").name == "two"
    complaint(lambda: find_recipe(f"{file}:three"), "three", file)


# What does not.


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ("generator=lambda: nn.Linear(1, 5)", "(B, 4)"),
        ("generator=lambda: nn.Linear(3, 4)", "latents.Normal(3)"),
        ("discriminator=lambda: nn.Linear(5, 1)", "(B, 4)"),
        ("discriminator=lambda: nn.Linear(4, 2)", "(B, 1)"),
        ("discriminator=nn.Conv2d(1, 4, 3)", "(B, 4)"),
        ("generator=lambda: 3", "nn.Module"),
        ("generator=lambda: None", "nn.Module"),
        ("discriminator=nn.Module", "has no weights to train"),
        ("discriminator=nn.Linear", "Linear cannot be made"),
    ],
)
def test_networks_of_the_wrong_shape_are_refused_in_one_line(changes: str, says: str, tmp_path: Path) -> None:
    file = written(tmp_path, f"def mine() -> Recipe:\n    return replace(base, {changes})\n")
    complaint(lambda: train(find_recipe(str(file)), tmp_path / "run"), says)
    assert not (tmp_path / "run" / "recipe.json").exists(), "a run that cannot begin leaves no folder in the way"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('first line\\nsecond line')", "first line"),
        ("return replace(base, bacth=3)", "bacth"),
        ("return replace(base, batch=0)", "batch must be at least 1"),
        ("return 3", "returned int, not a Recipe"),
        ("return Recipe()", "missing"),
    ],
)
def test_a_recipe_function_that_fails_is_told_in_one_line(body: str, says: str, tmp_path: Path) -> None:
    file = written(tmp_path, f"def mine() -> Recipe:\n    {body}\n")
    complaint(lambda: find_recipe(str(file)), says)


def test_a_recipe_function_that_wants_arguments_is_told_in_one_line(tmp_path: Path) -> None:
    file = written(tmp_path, "def mine(width) -> Recipe:\n    return base\n")
    complaint(lambda: find_recipe(str(file)), "mine", "width")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "defines no function annotated `-> Recipe`"),
        ("def mine():\n    return base\n", "defines no function annotated `-> Recipe`"),
        ("def mine( -> Recipe:\n", "SyntaxError"),
        ("import no_such_module_anywhere\n", "no_such_module_anywhere"),
        ("raise RuntimeError('one\\ntwo')\n", "RuntimeError"),
    ],
)
def test_a_file_without_a_recipe_is_told_in_one_line(code: str, says: str, tmp_path: Path) -> None:
    file = written(tmp_path, code)
    complaint(lambda: find_recipe(str(file)), file, says)


def test_a_file_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    complaint(lambda: find_recipe(str(tmp_path / "none.py")), "there is no file", tmp_path / "none.py")


def test_the_command_tells_each_of_these_in_one_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = written(tmp_path, "def mine() -> Recipe:\n    return replace(base, generator=lambda: nn.Linear(1, 5))\n")
    out = ["--out", str(tmp_path / "run")]
    for arguments, status in (
        (["train", str(tmp_path / "none.py"), *out], WRONG_USAGE),
        (["train", f"{wrong}:theirs", *out], WRONG_USAGE),
        (["train", str(wrong), *out], FAILED),
    ):
        assert run(arguments) == status
        said = capsys.readouterr().err.strip()
        assert len(said.splitlines()) == 1
        assert said.startswith("sparring: ")
        assert "a fault in sparring" not in said


def test_a_file_that_changed_since_is_not_run_again_by_itself(file: Path, tmp_path: Path) -> None:
    run = train(find_recipe(str(file)).replace(rounds=4), tmp_path / "run", threads=1)
    before = sample(run.path, 3)
    mark = tmp_path / "it ran"
    file.write_text(PARTS + f"\nfrom pathlib import Path\nPath({str(mark)!r}).touch()\n")
    complaint(lambda: sample(run.path, 3), "has changed since", "source.py", "--source")
    assert not mark.exists()
    file.unlink()
    complaint(lambda: sample(run.path, 3), "is gone", "source.py", "--source")
    np.testing.assert_array_equal(sample(run.path, 3, source=run.path / "source.py"), before)


def test_a_changed_part_is_another_recipe_and_does_not_go_on_in_the_same_folder(file: Path, tmp_path: Path) -> None:
    train(find_recipe(str(file)), tmp_path / "run", threads=1, watchers=[leave_at(6)])
    file.write_text(PARTS.replace("LeakyReLU(0.02)", "LeakyReLU(0.03)"))
    complaint(lambda: train(find_recipe(str(file)), tmp_path / "run"), "another run", "discriminator")


def test_a_recipe_given_from_python_cannot_be_opened_from_disk_without_it(tmp_path: Path) -> None:
    recipe = find_recipe("pattern-1010").replace(
        discriminator=lambda: nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1)), rounds=6
    )
    made = train(recipe, tmp_path / "run", threads=1)
    assert not (made.path / "source.py").exists()
    complaint(lambda: sample(made.path, 3), "discriminator", "user's own")
    assert RunFolder.open(made.path).story.status == "finished"
    assert Recipe.from_dict(made.recipe, base=recipe) == recipe
    assert run(["sample", str(made.path), "--out", str(tmp_path / "x.npy")]) == FAILED


def test_a_module_with_weights_that_cannot_be_drawn_anew_is_refused(tmp_path: Path) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x * self.gain).sum(1)

    recipe = find_recipe("pattern-1010")
    complaint(
        lambda: train(recipe.replace(discriminator=Scaled(), rounds=2), tmp_path / "run"), "Scaled", "reset_parameters"
    )
    train(recipe.replace(discriminator=Scaled, rounds=2), tmp_path / "other", threads=1)
