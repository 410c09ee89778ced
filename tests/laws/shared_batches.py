"""Games that processes play together, each with its share of every batch; run as a script, one such process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from sparring import catalogue
from sparring.assembly import game_of, state_of
from sparring.game import MODERN, d_sees_mixture
from sparring.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.relativistic_average import RelativisticAverage
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimisers.sgd import SGD
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
from sparring.tricks.top_k import TopK
from sparring.tricks.zero_centred import ZeroCentred
from sparring.world import ALONE, World, connected, seat
from tests.miniature import miniature

PROCESSES, ROUNDS = 2, 4


def cases() -> dict[str, Recipe]:
    """What can be shared: every recipe with an even batch, and games in which all that looks across a batch plays."""
    named = {name: miniature(catalogue.find("recipes", name)()) for name in catalogue.cards("recipes")}
    held = {n: r for n, r in named.items() if r.batch % PROCESSES == 0 and d_sees_mixture not in r.round}
    plain = find_recipe("digits").with_(batch=8, round=MODERN, objective=BCEWithLogits(), tricks=())
    images = {"generator": DCGANGenerator(width=4), "discriminator": DCGANDiscriminator(width=4)}
    vectors = {
        "generator": FullyConnected((12,), normalise="batch", output="tanh"),
        "discriminator": FullyConnected((12,), dropout=0.3, minibatch_deviation=True),
    }
    held |= {
        "batch normalisation of images, and slopes": plain.with_(**images, tricks=(ZeroCentred(),)),
        "batch normalisation of vectors, dropout, deviations": plain.with_(**vectors, tricks=(GradientPenalty(),)),
        "names": plain.with_(tricks=(LabelSmoothing(), LabelSwapping())),
        "what is seen": plain.with_(tricks=(InstanceNoise(), DiffAugment(), AdaptiveAugmentation(start=0.5, ramp=100))),
        # Adam would make whole steps of what rounding leaves of the gradient of D's last bias, which is 0.
        "the average of the others": plain.with_(
            objective=RelativisticAverage(), tricks=(GradientClipping(),), discriminator_optimiser=SGD(0.01)
        ),
        "pairs": plain.with_(objective=RelativisticPaired(), tricks=(GradientPenalty(),)),
        "packs": plain.with_(tricks=(Packing(), TopK(until=0.01), GradientPenalty())),
        "classes": plain.with_(conditional=True, tricks=(ExponentialMovingAverage(),)),
    }
    return {name: made.with_(seeds=(3, 123456789012)) for name, made in held.items()}


def play(recipe: Recipe, data_dir: Path, world: World = ALONE) -> dict[str, np.ndarray]:
    """State after ROUNDS rounds in double precision, with what the last round's figures were."""
    source = recipe.data.open(data_dir, "cpu")
    game = game_of(recipe, source, dtype=torch.float64, world=world)
    for _ in range(ROUNDS):
        game.watched = True
        game.notes.clear()
        game.play()
    noted = {f"noted {name}": torch.stack(figures).numpy() for name, figures in game.notes.items()}
    return state_of(game) | noted


if __name__ == "__main__":
    torch.set_num_threads(1)
    home, out = map(Path, sys.argv[1:])
    with connected(seat()) as together:
        for name, made in cases().items():
            np.savez(out / f"{name}-{together.rank}.npz", **play(made, home, together))
