"""Networks of one's own in the shapes that tutorials write: they work as they are, or one line says what to change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import sparring
from sparring import latents, tricks
from sparring.errors import SparringError
from sparring.game.assembly import maker_of_discriminators, maker_of_generators, notes_on
from sparring.recipe import Recipe
from sparring.training import single


def flat_G(out: int = 64) -> nn.Module:
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, out), nn.Tanh())


def image_G() -> nn.Module:
    return nn.Sequential(flat_G(), nn.Unflatten(1, (1, 8, 8)))


def flat_D() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def latent4d() -> nn.Module:
    """As DCGAN tutorials write it, (B, 16, 1, 1) -> (B, 1, 8, 8)."""
    return nn.Sequential(
        nn.ConvTranspose2d(16, 8, 4), nn.BatchNorm2d(8), nn.ReLU(True), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh()
    )


def patch() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, 1, 1))


def four_d() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4))


class Outputs(nn.Module):
    """Gives what `out` makes of a score `(B, 1)` and features `(B, 10)`."""

    def __init__(self, out: Callable[[Tensor, Tensor], Any] = lambda score, features: (score, features)):
        super().__init__()
        self.score, self.features, self.out = nn.Linear(64, 1), nn.Linear(64, 10), out

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        return self.out(self.score(x), self.features(x))


class SixtyFour(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x.view(60, 64))


class NeedsWidth(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Linear(64, width)


class LabelG(nn.Module):
    """Takes classes as integers beside the latent vector."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.model = nn.Embedding(10, 4), nn.Linear(20, 64)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return torch.tanh(self.model(torch.cat([z, self.embed(labels)], 1))).view(-1, 1, 8, 8)


class LabelD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.model = nn.Embedding(10, 4), nn.Linear(68, 1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return self.model(torch.cat([x.flatten(1), self.embed(labels)], 1))


BASE = sparring.recipe("digits").replace(
    latent=latents.Normal(16), generator=image_G, discriminator=flat_D, batch=4, rounds=3, log_points=1, seeds=2
)


def trained(out: Path, **changes: Any) -> sparring.Run:
    return sparring.train(BASE.replace(**changes), out=out, threads=1, metrics=False)


def refusal(recipe: Recipe, out: Path, **how: Any) -> str:
    with pytest.raises(SparringError) as caught:
        sparring.train(recipe, out=out, threads=1, metrics=False, **how)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert not (out / "recipe.json").exists(), "a run that cannot begin leaves no folder in the way"
    return said


WORKS: dict[str, tuple[dict[str, Any], str]] = {
    "a latent vector with sides": ({"generator": latent4d}, "gets (B, 16, 1, 1), from (B, 16)"),
    "flat images": ({"generator": flat_G}, "gives (B, 64), which is reshaped to (B, 1, 8, 8)"),
    "images without channels": (
        {"generator": lambda: nn.Sequential(flat_G(), nn.Unflatten(1, (8, 8)))},
        "gives (B, 8, 8), which is reshaped",
    ),
    "a D of flat images": ({"discriminator": lambda: flat_D()[1:]}, "gets (B, 64), from (B, 1, 8, 8)"),
    "scores with sides": ({"discriminator": four_d}, ""),
    "a map of scores": ({"discriminator": patch}, "maps of scores (B, 1, 4, 4): their mean is the score"),
    "a tuple": ({"discriminator": Outputs}, "of the outputs of the discriminator Outputs, 0 is used: (B, 1)"),
    "a dictionary": (
        {"discriminator": lambda: Outputs(lambda s, f: {"features": f, "score": s})},
        "'score' is used: (B, 1)",
    ),
    "lazy layers": (
        {"discriminator": lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(1))},
        "",
    ),
    "a module": ({"discriminator": flat_D()}, "the discriminator is a module: every seed starts with new weights"),
    "classes as integers": (
        {"generator": LabelG, "discriminator": LabelD, "conditional": True},
        "the generator LabelG gets classes as integers as a second input",
    ),
}


@pytest.mark.parametrize("name", WORKS)
def test_what_tutorials_write_trains_and_samples_as_it_is(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, note = WORKS[name]
    run = trained(tmp_path / "run", **changes)
    assert run.status == "finished" and run.sample(3).shape == (2, 3, 1, 8, 8)
    classes = (torch.tensor([0, 9, 3]),) if changes.get("conditional") else ()
    assert run.generator(1)(torch.zeros(3, 16), *classes).shape == (3, 1, 8, 8)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count(note) == 1 if note else not notes_on(run.recipe)


def test_a_map_of_scores_is_averaged_for_each_member() -> None:
    make = maker_of_discriminators(BASE.replace(discriminator=patch))
    network, x = make(), torch.randn(5, 1, 8, 8)
    torch.testing.assert_close(network(x), network[0](x).flatten(1).mean(1))


def test_members_of_fitted_networks_train_as_they_would_alone(tmp_path: Path) -> None:
    changes = {"generator": latent4d, "discriminator": patch, "tricks": [tricks.R1(gamma=1)]}
    both = trained(tmp_path / "both", **changes)
    for member, seed in enumerate(both.seeds):
        alone = trained(tmp_path / f"alone{seed}", **changes, seeds=(seed,))
        np.testing.assert_allclose(alone.sample(4)[0], both.sample(4)[member], atol=1e-5)


def checkpointed() -> nn.Module:
    class Checkpointed(nn.Module):
        """Forgets what it computed and computes it again for the gradient, which no batched call can."""

        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 1))

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.model, x.flatten(1), use_reentrant=False)

    return Checkpointed()


UNUSUAL: dict[str, Callable[[], nn.Module]] = {
    "spectral_norm by a hook": lambda: nn.Sequential(
        nn.Flatten(), nn.utils.spectral_norm(nn.Linear(64, 8)), nn.ReLU(), nn.Linear(8, 1)
    ),
    "weight_norm": lambda: nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, 1))),
    "recurrent": lambda: nn.Sequential(nn.Flatten(1, 2), Last(nn.GRU(8, 6, batch_first=True)), nn.Linear(6, 1)),
    "float64": lambda: flat_D().double(),
}


class Last(nn.Module):
    """The last state of a recurrent network."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[0][:, -1]


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_vmap_may_not_know_trains_each_seed_as_it_would_alone(name: str, tmp_path: Path) -> None:
    both = trained(tmp_path / "both", discriminator=UNUSUAL[name])
    alone = trained(tmp_path / "alone", discriminator=UNUSUAL[name], seeds=(1,))
    np.testing.assert_allclose(both.sample(3)[1], alone.sample(3)[0], atol=1e-6)
    assert not np.allclose(both.sample(3)[0], both.sample(3)[1], atol=1e-3)


def test_a_network_that_computes_again_for_its_gradient_trains_one_seed_at_a_time(tmp_path: Path) -> None:
    assert trained(tmp_path / "one", discriminator=checkpointed, seeds=1).status == "finished"
    said = refusal(BASE.replace(discriminator=checkpointed), tmp_path / "two")
    assert "does not learn as it does by itself" in said and "seeds=1" in said


@pytest.mark.parametrize("seeds", [1, 2])
def test_weights_that_no_module_has_as_its_own_are_told_of_rather_than_never_trained(
    seeds: int, tmp_path: Path
) -> None:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.score = nn.Linear(64, 1)
            self.weights = [self.score.weight]  # a list of its own, which nobody else can see

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) @ self.weights[0].T + self.score.bias

    said = refusal(BASE.replace(discriminator=Listed, seeds=seeds), tmp_path / "run")
    assert "nn.ParameterList" in said


FAILS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "another latent size": (
        {"generator": lambda: nn.Linear(100, 64)},
        ("(B, 16)", "its first layer takes 100 numbers: latent=latents.Normal(100)"),
    ),
    "a larger side": (
        {"generator": lambda: nn.Sequential(flat_G(256), nn.Unflatten(1, (1, 16, 16)))},
        ("(B, 1, 8, 8)", "(B, 1, 16, 16)", "doubles the side, or take data of 16 x 16"),
    ),
    "too many channels": (
        {"generator": lambda: nn.Sequential(flat_G(192), nn.Unflatten(1, (3, 8, 8)))},
        ("(B, 3, 8, 8)", "must give 1 channel"),
    ),
    "too few numbers": ({"generator": lambda: flat_G(60)}, ("(B, 60)", "nn.Linear(..., 64)")),
    "colors expected": ({"discriminator": lambda: nn.Conv2d(3, 1, 8)}, ("takes 3 channels, and the data have 1",)),
    "a wrong linear layer": (
        {"discriminator": lambda: nn.Sequential(nn.Conv2d(1, 2, 4, 2, 1), nn.Flatten(), nn.Linear(99, 1))},
        ("gets 32 numbers and takes 99",),
    ),
    "several numbers": ({"discriminator": lambda: nn.Linear(64, 10)}, ("(B, 10)", "nn.Linear(10, 1)")),
    "one number for all": (
        {"discriminator": lambda: Outputs(lambda s, f: s.mean())},
        ("one number for the whole batch", "leave out the mean"),
    ),
    "a map that is flattened": (
        {"discriminator": lambda: nn.Sequential(patch(), nn.Flatten(0))},
        ("16 for each example", "return the maps"),
    ),
    "two scores": (
        {"discriminator": lambda: Outputs(lambda s, f: (s.sigmoid(), s))},
        ("0: (B, 1), 1: (B, 1)", "return that one alone"),
    ),
    "no tensor": ({"discriminator": lambda: Outputs(lambda s, f: None)}, ("NoneType",)),
    "a fixed batch": ({"discriminator": SixtyFour}, ("works for 60 examples only", "x.size(0)")),
    "an argument is missing": ({"discriminator": NeedsWidth}, ("lambda: NeedsWidth(...)",)),
    "no module": ({"generator": lambda: 3}, ("nn.Module", "int")),
    "no weights": ({"discriminator": lambda: nn.AvgPool2d(8)}, ("has no weights to train",)),
    "classes that are not taken": (
        {"generator": lambda: nn.Linear(16, 64), "discriminator": LabelD, "conditional": True},
        ("(B, 26)", "one-hot class"),
    ),
}


@pytest.mark.parametrize("name", FAILS)
def test_what_does_not_fit_is_told_with_its_shapes_and_the_mend(name: str, tmp_path: Path) -> None:
    changes, parts = FAILS[name]
    said = refusal(BASE.replace(**changes), tmp_path / "run")
    assert all(part in said for part in parts), said


# Before the first round.


def test_a_batch_of_one_meets_batch_normalization_before_training(tmp_path: Path) -> None:
    def normalized() -> nn.Module:
        return nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

    said = refusal(BASE.replace(generator=normalized, batch=1), tmp_path / "own")
    assert "at least 2 examples" in said and "batch=1" in said and "nn.LayerNorm" in said
    built_in = BASE.replace(generator="fully-connected(normalization=batch, output=tanh)", batch=1)
    assert "at least 2 examples" in refusal(built_in, tmp_path / "built-in")
    one_by_one = BASE.replace(generator=normalized, round="d_sees_mixture g_fools_d")
    assert "with d_sees_mixture it gets 1" in refusal(one_by_one, tmp_path / "mixture")
    trained(tmp_path / "maps", generator=latent4d, batch=1)
    assert any("sees single examples" in note for note in notes_on(BASE.replace(generator=latent4d, batch=1)))


def test_a_first_round_that_would_fail_is_told_with_the_line_where_it_does(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.score = nn.Linear(64, 1)

        def forward(self, x: Tensor) -> Tensor:
            if len(x) == 4:
                raise IndexError("four is too many")
            return self.score(x.flatten(1))

    said = refusal(BASE.replace(discriminator=Odd), tmp_path / "run")
    assert "the first round fails at test_own_networks.py:" in said and "four is too many" in said


@pytest.mark.parametrize("player", [{"discriminator": patch}, {"generator": latent4d, "tricks": ["r1", "ema"]}])
def test_trying_the_first_round_changes_nothing(
    player: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = trained(tmp_path / "tried", **player)
    monkeypatch.setattr(single, "check_first_round", lambda game, recipe: None)
    untried = trained(tmp_path / "untried", **player)
    assert (tried.folder.checkpoints()[-1]).read_bytes() == (untried.folder.checkpoints()[-1]).read_bytes()


def test_networks_that_vmap_cannot_run_are_called_seed_by_seed_and_that_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Branching(nn.Module):
        """Looks at a value to decide, which no batched call can."""

        def __init__(self) -> None:
            super().__init__()
            self.score = nn.Linear(64, 1)

        def forward(self, x: Tensor) -> Tensor:
            score = self.score(x.flatten(1))
            return score if score.sum() > 0 else 2 * score

    two = trained(tmp_path / "two", discriminator=Branching)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("Sequential runs seed by seed") + said.count("Branching runs seed by seed") == 1, said
    alone = trained(tmp_path / "one", discriminator=Branching, seeds=(1,))
    assert "seed by seed" not in capsys.readouterr().err
    np.testing.assert_allclose(two.sample(3)[1], alone.sample(3)[0], atol=1e-5)
    dropout = lambda: nn.Sequential(nn.Flatten(), nn.Dropout1d(0.2), nn.Linear(64, 1))  # noqa: E731
    trained(tmp_path / "dropout", discriminator=dropout)
    assert "seed by seed" not in capsys.readouterr().err, "random numbers are no fault to mend"


def test_a_generator_of_ones_own_is_fitted_where_it_is_used_alone() -> None:
    make = maker_of_generators(BASE.replace(generator=latent4d))
    assert make()(torch.zeros(3, 16)).shape == (3, 1, 8, 8)
