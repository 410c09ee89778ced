"""Games that processes play together, each with its share of every batch; run as a script, these processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch

from sparring import catalogue
from sparring.game.assembly import game_of, state_of
from sparring.game.moves import MODERN, d_sees_mixture
from sparring.game.world import ALONE, World, process_group, world_from_env
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_average import RelativisticAverage
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_clipping import GradientClipping
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.instance_noise import InstanceNoise
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.packing import Packing
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.top_k import TopK
from tests.miniature import miniature
from tests.sampling import recipes_of_every_component

PROCESSES, ROUNDS = 2, 4


def cases() -> dict[str, Recipe]:
    """What can be shared: recipes with an even batch, and games in which all that looks across a batch plays."""
    named = {name: miniature(catalogue.find("recipes", name)()) for name in recipes_of_every_component()}
    shared = {n: r for n, r in named.items() if r.batch % PROCESSES == 0 and d_sees_mixture not in r.round}
    plain = find_recipe("digits").replace(batch=8, round=MODERN, objective=BCEWithLogits(), tricks=())
    images = {"generator": DCGANGenerator(width=4), "discriminator": DCGANDiscriminator(width=4)}
    vectors = {
        "generator": FullyConnected((12,), normalization="batch", output="tanh"),
        "discriminator": FullyConnected((12,), dropout=0.3, minibatch_deviation=True),
    }
    shared |= {
        "batch normalization of images, and slopes": plain.replace(**images, tricks=(R1R2(),)),
        "batch normalization of vectors, dropout, deviations": plain.replace(**vectors, tricks=(GradientPenalty(),)),
        "names": plain.replace(tricks=(LabelSmoothing(), LabelSwapping())),
        "what is seen": plain.replace(
            tricks=(InstanceNoise(), DiffAugment(), AdaptiveAugmentation(start=0.5, ramp=100))
        ),
        # Adam would make whole steps of what rounding leaves of the gradient of D's last bias, which is 0.
        "the average of the others": plain.replace(
            objective=RelativisticAverage(), tricks=(GradientClipping(),), discriminator_optimizer=SGD(0.01)
        ),
        "pairs": plain.replace(objective=RelativisticPaired(), tricks=(GradientPenalty(),)),
        "packs": plain.replace(tricks=(Packing(), TopK(until=0.01), GradientPenalty())),
        "classes": plain.replace(conditional=True, tricks=(ExponentialMovingAverage(),)),
    }
    return {name: made.replace(seeds=(3, 123456789012)) for name, made in shared.items()}


def play(recipe: Recipe, data_dir: Path, world: World = ALONE) -> dict[str, np.ndarray]:
    """State after ROUNDS rounds in double precision, with the values logged in the last round."""
    source = recipe.data.open(data_dir, "cpu")
    game = game_of(recipe, source, dtype=torch.float64, world=world)
    for _ in range(ROUNDS):
        game.recording = True
        game.logged.clear()
        game.play()
    logged = {f"logged {name}": torch.stack(values).numpy() for name, values in game.logged.items()}
    return state_of(game) | logged


def play_all(home: Path, out: Path) -> None:
    """As the process of the environment's rank: a file of every case's state."""
    with process_group(world_from_env()) as together:
        for name, made in cases().items():
            np.savez(out / f"{name}-{together.rank}.npz", **play(made, home, together))


if __name__ == "__main__":
    torch.set_num_threads(1)
    others = list[int]()
    os.environ["RANK"] = "0"
    for rank in range(1, PROCESSES):  # torch is loaded for all of them
        child = os.fork()
        if not child:
            os.environ["RANK"], others = str(rank), []
            break
        others.append(child)
    play_all(*map(Path, sys.argv[1:]))
    for child in others:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
