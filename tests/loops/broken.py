"""Loops with one mistake each, in the styles of the sound ones: `BROKEN[name]` is the loop and the rule for it."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.loops.changeable import Nets, dcgan, flat, penalized
from tests.loops.sound import BATCH, LATENT, Loop, Watching, adam, forever, images, mlp


def double_sigmoid(watching: Watching, rounds: int) -> Nets:
    """BCE with logits on a sigmoid."""
    return flat(watching, rounds, d=mlp(64, 32, 1, last=nn.Sigmoid()))


def double_sigmoid_dcgan(watching: Watching, rounds: int) -> Nets:
    """The same in a tutorial's DCGAN."""
    return dcgan(watching, rounds, criterion=nn.BCEWithLogitsLoss())


def logits_in_bce(watching: Watching, rounds: int) -> Nets:
    """BCE on scores without a sigmoid, which torch refuses."""
    try:
        return flat(watching, rounds, criterion=F.binary_cross_entropy)
    except RuntimeError:
        return nn.Identity(), nn.Identity()


def d_not_cleared(watching: Watching, rounds: int) -> Nets:
    """D's gradients are never cleared."""
    return flat(watching, rounds, clear="g")


def g_not_cleared(watching: Watching, rounds: int) -> Nets:
    """G's gradients are never cleared."""
    return flat(watching, rounds, clear="d")


def cleared_too_early(watching: Watching, rounds: int) -> Nets:
    """Both are cleared after D's step, and D's next step holds what G's loss left."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            fake = g(torch.randn(BATCH, LATENT))
            real = x[torch.randint(len(x), (BATCH,))]
            (F.softplus(-d(real)).mean() + F.softplus(d(fake.detach())).mean()).backward()
            opt_d.step()
            opt_d.zero_grad()
            opt_g.zero_grad()
            F.softplus(-d(fake)).mean().backward()
            opt_g.step()
    return g, d


def not_detached(watching: Watching, rounds: int) -> Nets:
    """D's loss reaches G, and G's gradients are not cleared before its own."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    bce = nn.BCEWithLogitsLoss()
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_g.zero_grad()
            opt_d.zero_grad()
            real = x[torch.randint(len(x), (BATCH,))]
            loss = bce(d(real), torch.ones(BATCH, 1)) + bce(d(g(torch.randn(BATCH, LATENT))), torch.zeros(BATCH, 1))
            loss.backward()
            opt_d.step()
            bce(d(g(torch.randn(BATCH, LATENT))), torch.ones(BATCH, 1)).backward()
            opt_g.step()
    return g, d


def cut_by_detach(watching: Watching, rounds: int) -> Nets:
    """G's examples are detached in its own step."""
    return flat(watching, rounds, to_d=lambda x: x.detach())


def cut_by_data(watching: Watching, rounds: int) -> Nets:
    """G's step gives D `.data`."""
    return flat(watching, rounds, to_d=lambda x: x.data)


def cut_by_numpy(watching: Watching, rounds: int) -> Nets:
    """G's examples go through numpy."""
    return flat(watching, rounds, to_d=lambda x: torch.from_numpy(x.detach().numpy()))


def cut_by_no_grad(watching: Watching, rounds: int) -> Nets:
    """G is called under no_grad, in D's step and in its own."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)
    opt_g, opt_d = adam(g), adam(d)
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            with torch.no_grad():
                fake = g(torch.randn(BATCH, LATENT))
            opt_d.zero_grad()
            (F.relu(1 - d(x[torch.randint(len(x), (BATCH,))])).mean() + F.relu(1 + d(fake)).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            (-d(fake).mean()).backward()
            opt_g.step()
    return g, d


def same_optimizer_twice(watching: Watching, rounds: int) -> Nets:
    """D's optimizer was made of G's parameters."""
    return flat(watching, rounds, opt=lambda g, d: (adam(g), adam(g)))


def one_optimizer_for_both(watching: Watching, rounds: int) -> Nets:
    """G's optimizer holds D's weights as well."""
    both = torch.optim.Adam
    return flat(watching, rounds, opt=lambda g, d: (both([*g.parameters(), *d.parameters()], 2e-3), adam(d)))


def optimizer_of_a_copy(watching: Watching, rounds: int) -> Nets:
    """The optimizer was made before the network was replaced."""
    return flat(watching, rounds, opt=lambda g, d: (adam(copy.deepcopy(g)), adam(d)))


def g_labeled_fake(watching: Watching, rounds: int) -> Nets:
    """In G's step its examples are labeled fake."""
    return flat(watching, rounds, labels=(1.0, 0.0, 0.0))


def both_labeled_real(watching: Watching, rounds: int) -> Nets:
    """D is given the same label for both."""
    return flat(watching, rounds, labels=(1.0, 1.0, 1.0))


def critic_turned_round(watching: Watching, rounds: int) -> Nets:
    """A critic raises its scores of generated examples, and G raises them too."""
    x = images().flatten(1)
    g, d = mlp(LATENT, 32, 64), mlp(64, 32, 1)
    opt_g, opt_d = (torch.optim.RMSprop(net.parameters(), 1e-3) for net in (g, d))
    with watching(g, d, opt_g, opt_d):
        for _ in range(rounds):
            opt_d.zero_grad()
            fake = g(torch.randn(BATCH, LATENT))
            (d(x[torch.randint(len(x), (BATCH,))]).mean() - d(fake.detach()).mean()).backward()
            opt_d.step()
            for p in d.parameters():
                p.data.clamp_(-0.05, 0.05)
            opt_g.zero_grad()
            (-d(g(torch.randn(BATCH, LATENT))).mean()).backward()
            opt_g.step()
    return g, d


def broadcast_mse(watching: Watching, rounds: int) -> Nets:
    """(B, 1) against (B,), by hand, so that torch says nothing."""
    return flat(watching, rounds, criterion=lambda score, label: ((score - label) ** 2).mean(), label_shape=(BATCH,))


def bytes_against_tanh(watching: Watching, rounds: int) -> Nets:
    """Pixels of 0 to 255 and a G that ends in tanh."""
    x = (images().flatten(1) + 1) * 127.5
    return flat(watching, rounds, real=lambda r: x[torch.randint(len(x), (BATCH,))])


def unit_range_against_tanh(watching: Watching, rounds: int) -> Nets:
    """Pixels of 0 to 1 and a G that ends in tanh."""
    return dcgan(watching, rounds, data=images() / 2 + 0.5)


def noise_drawn_once(watching: Watching, rounds: int) -> Nets:
    """The latent vectors are drawn before the loop."""
    z = torch.randn(BATCH, LATENT)
    return flat(watching, rounds, noise=lambda: z)


def g_in_eval(watching: Watching, rounds: int) -> Nets:
    """G was put in evaluation mode for a picture, and stayed there."""

    def picture(g: nn.Module, d: nn.Module) -> None:
        g.eval()

    return flat(watching, rounds, g=mlp(LATENT, 32, 64, last=nn.Tanh(), norm=True), before_g=picture)


def shared_layer(watching: Watching, rounds: int) -> Nets:
    """A layer is in both networks."""
    shared = nn.Linear(64, 64)
    g = nn.Sequential(mlp(LATENT, 32, 64), nn.LeakyReLU(0.2), shared, nn.Tanh())
    d = nn.Sequential(shared, nn.LeakyReLU(0.2), mlp(64, 32, 1))
    return flat(watching, rounds, g=g, d=d, opt=lambda g, d: (adam(g), adam(d)))


def frozen_d(watching: Watching, rounds: int) -> Nets:
    """requires_grad was turned off for G's step and never on again, but for the last layer."""
    d = mlp(64, 32, 32, 1)
    for layer in list(d)[:-1]:
        layer.requires_grad_(False)
    return flat(watching, rounds, d=d)


def first_batch_again(watching: Watching, rounds: int) -> Nets:
    """next(iter(loader)) in every round, without shuffling."""
    loader = DataLoader(TensorDataset(images().flatten(1)), BATCH)
    return flat(watching, rounds, real=lambda r: next(iter(loader))[0])


def sorted_by_brightness(watching: Watching, rounds: int) -> Nets:
    """A loader that does not shuffle, and sorted data."""
    x = images().flatten(1)
    x = x[x.mean(1).argsort()]
    loader = DataLoader(TensorDataset(x), BATCH)
    batches = forever(loader)
    return flat(watching, rounds, real=lambda r: next(batches)[0])


def rate_of_zero(watching: Watching, rounds: int) -> Nets:
    """G's learning rate is 0."""
    return flat(watching, rounds, opt=lambda g, d: (adam(g, 0.0), adam(d)))


def absurd_rate(watching: Watching, rounds: int) -> Nets:
    """Adam with a learning rate of 1."""
    return flat(watching, rounds, opt=lambda g, d: (adam(g), adam(d, 1.0)))


def losses_kept(watching: Watching, rounds: int) -> Nets:
    """Losses are appended to a list as they are."""
    return flat(watching, rounds, retain=[])


def bytes_that_wrap(watching: Watching, rounds: int) -> Nets:
    """Bytes are scaled as bytes."""
    x = ((images() + 1) * 127.5).to(torch.uint8)

    def real(r: int) -> Tensor:
        batch = x[torch.randint(len(x), (BATCH,))] * 2 - 255
        return (batch.float() / 255).flatten(1)

    return flat(watching, rounds, real=real)


def constant_weights(watching: Watching, rounds: int) -> Nets:
    """Weights begin at 0.1 everywhere."""
    g = mlp(LATENT, 32, 64, last=nn.Tanh())
    nn.init.constant_(g[0].weight, 0.1)
    return flat(watching, rounds, g=g)


def penalty_without_graph(watching: Watching, rounds: int) -> Nets:
    """A gradient penalty whose gradient has no graph."""
    return penalized(watching, rounds, create_graph=False)


def penalty_not_added(watching: Watching, rounds: int) -> Nets:
    """A gradient penalty that is in no loss."""
    return penalized(watching, rounds, weight=0.0)


def unwatched(*_: Any, **__: Any) -> Any:
    """In place of a watch."""
    return nullcontext()


BROKEN: dict[str, tuple[Loop, str]] = {
    loop.__name__: (loop, rule)
    for loop, rule in (
        (double_sigmoid, "bug-double-sigmoid"),
        (double_sigmoid_dcgan, "bug-double-sigmoid"),
        (logits_in_bce, "bug-logits-in-bce"),
        (d_not_cleared, "bug-stale-gradients"),
        (g_not_cleared, "bug-stale-gradients"),
        (cleared_too_early, "bug-stale-gradients"),
        (not_detached, "bug-fake-not-detached"),
        (cut_by_detach, "bug-generator-cut-off"),
        (cut_by_data, "bug-generator-cut-off"),
        (cut_by_numpy, "bug-generator-cut-off"),
        (cut_by_no_grad, "bug-generator-cut-off"),
        (same_optimizer_twice, "bug-wrong-parameters"),
        (one_optimizer_for_both, "bug-wrong-parameters"),
        (optimizer_of_a_copy, "bug-wrong-parameters"),
        (g_labeled_fake, "bug-labels"),
        (both_labeled_real, "bug-labels"),
        (critic_turned_round, "bug-labels"),
        (broadcast_mse, "bug-shape-broadcast"),
        (bytes_against_tanh, "bug-data-range"),
        (unit_range_against_tanh, "bug-data-range"),
        (noise_drawn_once, "bug-fixed-noise"),
        (g_in_eval, "bug-eval-mode"),
        (shared_layer, "bug-shared-weights"),
        (frozen_d, "bug-frozen"),
        (first_batch_again, "bug-one-batch"),
        (sorted_by_brightness, "bug-one-batch"),
        (rate_of_zero, "bug-learning-rate"),
        (absurd_rate, "bug-learning-rate"),
        (losses_kept, "bug-retained-graph"),
        (bytes_that_wrap, "bug-integer-images"),
        (constant_weights, "bug-init"),
        (penalty_without_graph, "bug-unused-penalty"),
        (penalty_not_added, "bug-unused-penalty"),
    )
}
