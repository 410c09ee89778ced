"""The game: two players, their moves, and one round of them.

Scores and losses are `(P, B)`: P members side by side, B examples each. A loss is averaged over B and summed over P, so
no member's gradient depends on another member, and any element-wise optimizer serves a whole population unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor

from sparring.datasets import LabeledSource, Source
from sparring.datasets._shares import class_shares, in_shares
from sparring.game import checks
from sparring.game.moves import Move, d_sees_mixture
from sparring.game.numbers import Numbers
from sparring.game.population import Population
from sparring.game.world import World
from sparring.latents import Latent
from sparring.objectives import Objective
from sparring.optimizers import Optimizer
from sparring.rng import RandomStreams
from sparring.tricks import Hook, Now, Scored, Trick, Who

Truth = Literal[0, 1]
"""1 for a real example, 0 for a generated one."""
Logged = tuple[int, dict[str, Tensor]]
"""Rounds played, and the values logged in the last of them, each `(P,)`."""
PlayTo = Callable[[int, int], list[Logged]]
"""Plays rounds as `Game.play_to` does."""


class Labeled(NamedTuple):
    """Examples of a class-conditional game."""

    x: Tensor
    """`(P, B, *shape)`."""
    classes: Tensor
    """One-hot, `(P, B, K)`."""

    def detach(self) -> Labeled:
        """The same examples, detached from G's graph."""
        return Labeled(self.x.detach(), self.classes)


Examples = Tensor | Labeled
"""`(P, B, *shape)`, with their classes in a class-conditional game."""


class Player:
    """G or D: a population, its optimizer, and the optimizer's memory."""

    def __init__(self, networks: Population, optimizer: Optimizer):
        self.networks = networks
        self.optimizer = optimizer
        self.memory = optimizer.begin(networks.parameters)
        self.spare: dict[str, list[Tensor]] = {}
        """Of a checkpoint: what the optimizer remembers only with settings that are still to be set again."""

    def use(self, optimizer: Optimizer) -> None:
        """Step with other settings of the optimizer from here on. What its memory lacks begins as before a run."""
        self.optimizer, fresh = optimizer, optimizer.begin(self.networks.parameters)
        self.memory = {**fresh, **{k: v for k, v in {**self.spare, **self.memory}.items() if k in fresh}}

    def step(self, gradients: Sequence[Tensor], optimizer: Optimizer | None = None) -> None:
        """One optimizer step, with this player's optimizer or with the same one under other settings."""
        self.spare.clear()
        (optimizer or self.optimizer).step(self.networks.parameters, gradients, self.memory)


@dataclass
class Game:
    """The players, and what a move may ask for. It reads and writes no files."""

    players: dict[Who, Player]
    objective: Objective
    source: Source
    latent: Latent
    rng: RandomStreams
    moves: tuple[Move, ...]
    batch: int
    """Examples per member in a batch, B."""
    rounds: int
    """Rounds in the whole game; the schedules of tricks count by it."""
    tricks: Sequence[Trick] = ()
    classes: int = 0
    """Classes of the data in a class-conditional game, K; otherwise 0."""
    world: World = field(default_factory=World)
    per_member: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    """Numbers in which members differ: path -> a value for each member."""
    round: int = 0
    """Rounds played."""
    recording: bool = False
    """Whether this round is logged, which costs a few small kernels."""
    logged: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    """Values of a logged round: a name -> one tensor `(P,)` for each time a move logged it."""

    def __post_init__(self) -> None:
        self.G = self.players["G"].networks
        self.numbers = Numbers(self, self.per_member)
        weights: dict[Who, Sequence[Tensor]] = {who: p.networks.parameters for who, p in self.players.items()}
        self.memories = [t.begin(weights, self.G.size, self.rng.device) for t in self.tricks]
        """What each trick remembers from round to round."""
        self._overriding = {h: [k for k, t in enumerate(self.tricks) if h in t.hooks] for h in get_args(Hook)}
        """A hook -> the indices of the tricks that override it."""
        self._every_class = torch.arange(self.classes, device=self.rng.device)
        self._class_shares = shares = class_shares(self.source, self.classes) if self.classes else None
        ends = None if shares is None else torch.from_numpy(shares.cumsum()[:-1])
        self._class_ends = None if ends is None else ends.to(self.rng.device, self.rng.dtype)
        """Where each class but the last ends in [0, 1], `(K - 1,)`; None for classes that are equally frequent."""
        self._pairs_classes = bool(self.classes) and self.objective.relativistic
        self._drawn_ahead: Examples | None = None
        """A real batch whose classes were asked for before itself."""
        self._unpaired: Tensor | None = None
        """The one-hot classes of a batch that was drawn, of either kind, and is yet to be compared with one."""
        self._scored: dict[int, Scored] = {}
        """The id of examples that D scored in this move -> what it scored, for penalties."""
        checks.check_round(self)
        checks.check_sharing(self)
        checks.check_tricks(self)
        checks.check_memory(self)

    def set_number(self, path: str, value: Any) -> None:
        """Change a number from the next round on: a learning rate, a weight of a penalty, the batch size.

        Args:
            path: `lr` for both players, `generator_optimizer.lr`, `tricks.r1.gamma`, `batch`, or `round.g_fools_d` for
                how often a round has that move. `sparring.recipe.numbers.settings_of` lists all.
            value: For all members, or a list with one for each.

        Raises:
            UsageError: There is no such number, it cannot be set, or the value does not fit; nothing has changed then.
        """
        self.numbers.set(path, value)

    def begin_round(self) -> None:
        """Draw as this round draws, with nothing left over from another. Moves made one by one begin with it, too."""
        self.rng.begin(self.round)
        self._drawn_ahead = self._unpaired = None

    def play(self) -> None:
        """Play one round."""
        self.begin_round()
        for move in self.moves:
            move(self)
        self.round += 1

    def play_to(self, round: int, every: int) -> list[Logged]:
        """Play until `round` rounds have been played. Returns the values of rounds whose number `every` divides."""
        logged: list[Logged] = []
        while self.round < round:
            self.recording = self.round % every == 0
            self.play()
            if self.recording:
                logged.append((self.round, self.logged_means()))
                self.logged.clear()
        return logged

    def logged_means(self) -> dict[str, Tensor]:
        """The values of `logged`, each `(P,)`: the mean where moves logged one more than once in the round."""
        return {name: v[0] if len(v) == 1 else torch.stack(v).mean(0) for name, v in self.logged.items()}

    def real(self) -> Examples:
        """A batch of real examples."""
        drawn, self._drawn_ahead = self._drawn_ahead or self._draw_real(), None
        if self._pairs_classes:
            assert isinstance(drawn, Labeled)
            self._unpaired = None if self._unpaired is drawn.classes else drawn.classes
        return drawn

    def fake(self) -> Examples:
        """A batch of generated examples from fresh latent vectors, and of fresh classes in a class-conditional game.

        Under a relativistic objective their classes are those of the real batch that they are compared with: like is
        compared with like. Otherwise G makes less different examples of a class (docs/choosing-measured.md).
        """
        latent = self.world.share(self.latent.draw(self.rng, "latent", self.batch))
        if not self.classes:
            return self.G(latent)
        fresh = self.world.share(self.one_hot(self._fresh_classes())) if not self._pairs_classes else self._next_pairs()
        return Labeled(self.G(torch.cat([latent, fresh], -1)), fresh)

    def _draw_real(self) -> Examples:
        if not self.classes:
            return self.world.share(self.source.draw(self.rng, self.batch))
        x, classes = cast(LabeledSource, self.source).draw_with_classes(self.rng, self.batch)
        return Labeled(self.world.share(x), self.world.share(self.one_hot(classes)))

    def _next_pairs(self) -> Tensor:
        """The classes of the last real batch, or where that has been compared already, of the next, drawn ahead."""
        if self._unpaired is None:
            self._drawn_ahead = drawn = self._draw_real()
            assert isinstance(drawn, Labeled)
            self._unpaired = drawn.classes
            return drawn.classes
        classes, self._unpaired = self._unpaired, None
        return classes

    def classes_of_data(self, count: int) -> Sequence[int]:
        """`count` classes that are together as frequent as in the data; zeros in a game without classes."""
        return in_shares(self._class_shares, self.classes, count) if self.classes else [0] * count

    def _fresh_classes(self) -> Tensor:
        """Classes `(P, B)` to ask G for: each as often as in the data, or all alike where these are about equal.

        Otherwise D could tell examples of a rare class by their class alone.
        """
        uniform = self.rng.uniform("classes", (self.batch,))
        if self._class_ends is not None:
            return (uniform.unsqueeze(-1) >= self._class_ends).sum(-1)
        # A number just below 1 may round up to K when it is multiplied.
        return (uniform * self.classes).long().clamp_(max=self.classes - 1)

    def fakes_one_by_one(self, count: int) -> Tensor:
        """`(P, count, *shape)` generated examples, with one call of G for each."""
        latent = self.latent.draw(self.rng, "latent", count)
        return torch.cat([self.G(latent[:, i : i + 1]) for i in range(count)], 1)

    def one_hot(self, classes: Tensor) -> Tensor:
        """Classes `(P, B)` as `(P, B, K)`."""
        # torch's own `one_hot` reads the values, which makes the CPU wait for the GPU.
        return (classes.unsqueeze(-1) == self._every_class).to(self.rng.dtype)

    def D(self, examples: Examples) -> Tensor:
        """D's scores `(P, B)` for examples, which the tricks may augment first."""
        scored = self._score(*examples) if isinstance(examples, Labeled) else self._score(examples)
        if self._overriding["penalty"]:
            self._scored[id(examples)] = scored
        return scored.score

    def compare(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of real and fake examples relative to each other under a relativistic objective; else as they are."""
        if not self.objective.relativistic:
            return real, fake
        all_real, all_fake = self.world.all_gather(real), self.world.all_gather(fake)
        compared = self.objective.compare(all_real, all_fake), self.objective.compare(all_fake, all_real)
        return self.world.share(compared[0]), self.world.share(compared[1])

    def d_loss(self, truth: Truth, score: Tensor) -> Tensor:
        """D's loss `(P, B)` for scores of real (truth 1) or generated (truth 0) examples.

        Tricks may change the label. A label between 0 and 1 mixes the two losses, label * d_loss_real + (1 - label) *
        d_loss_fake; for binary cross-entropy that is textbook label smoothing.
        """
        label: float | Tensor = truth
        for trick, now in self.tricks_at("label"):
            label = trick.label(label, truth, (score.shape[0], score.shape[1]), now)
        for trick, now in self.tricks_at("on_scores"):
            trick.on_scores(truth, self.world.all_gather(score.detach()) - self.objective.undecided, now)
        if isinstance(label, int):
            loss = self.objective.d_loss_real(score) if label else self.objective.d_loss_fake(score)
        else:
            loss = label * self.objective.d_loss_real(score) + (1 - label) * self.objective.d_loss_fake(score)
        if self.recording:
            self.log("d_loss", loss)
            self.log("d_real" if truth else "d_fake", self.objective.output(score.detach()))
        return loss

    def g_loss(self, score: Tensor) -> Tensor:
        """G's loss `(P, B)` for D's scores of fakes; a relativistic objective compares them with a real batch's."""
        if self.objective.relativistic:
            with torch.no_grad():
                real = self.D(self.real())
            compared_real, compared = self.compare(real, score)
            loss = self.objective.g_loss(compared) + self.objective.g_loss_real(compared_real)
        else:
            compared, loss = score, self.objective.g_loss(score)
        if self.recording:
            self.log("g_loss", loss)
        if selecting := self.tricks_at("select_g_loss"):
            loss, compared = self.world.all_gather(loss), self.world.all_gather(compared)
        for trick, now in selecting:
            loss = trick.select_g_loss(loss, compared, now)
        return loss

    def penalty(self, real: Examples | None, fake: Examples | None) -> Tensor | float:
        """What the tricks add to D's loss for examples that it has just scored, `(P, B)`."""
        if not self._overriding["penalty"]:
            return 0.0
        sides = [None if side is None else self._scored[id(side)] for side in (real, fake)]
        return sum((t.penalty(sides[0], sides[1], self._score, now) for t, now in self.tricks_at("penalty")), 0.0)

    def learn(self, who: Who, loss: Tensor) -> None:
        """One optimizer step of one player on a loss `(P, B)`; the other player's weights stay as they are."""
        player = self.players[who]
        total = loss.sum() / loss.shape[1]  # averaged over B and summed over P
        gradients = torch.autograd.grad(total, player.networks.parameters, materialize_grads=True)
        gradients = self.world.mean_gradients(gradients)
        self._scored.clear()
        if self.recording or self._overriding["gradients"]:
            norms = player.networks.norms(gradients)
            if self.recording:
                self.logged.setdefault(f"{who.lower()}_gradient", []).append(norms)
            for trick, now in self.tricks_at("gradients"):
                gradients = trick.gradients(gradients, norms, who, now)
        optimizer = player.optimizer
        for trick, now in self.tricks_at("step"):
            optimizer = trick.step(optimizer, who, now)
        player.step(gradients, optimizer)
        for trick, now in self.tricks_at("weights"):
            trick.weights(player.networks.parameters, who, now)

    def log(self, name: str, values: Tensor) -> None:
        """Keep values `(P, B)` of a logged round, averaged over B; they stay on the device."""
        self.logged.setdefault(name, []).append(self.world.mean(values.detach().mean(1)))

    def outputs(self, real: Examples, fake: Examples) -> tuple[Tensor, Tensor]:
        """D's outputs without dropout, `(P, B)` for real and for generated examples, from `scores`."""
        return self.outputs_of(*self.scores(real, fake))

    def outputs_of(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """What scores `(P, B)` of real and of generated examples come to in D's outputs under the objective."""
        compared = self.objective.compare(real, fake), self.objective.compare(fake, real)
        return self.objective.output(compared[0]), self.objective.output(compared[1])

    @torch.no_grad()
    def scores(self, real: Examples, fake: Examples) -> tuple[Tensor, Tensor]:
        """D's scores without dropout, `(P, B)` for real and for generated examples.

        Batch normalization uses each batch's own statistics, as D knows them from the game: averages over batches of
        either kind make its outputs others. They are used where D learns from a batch of both, and of a single example.
        The game does not change but for these averages.
        """
        networks = self.players["D"].networks
        fewest = min((each.x if isinstance(each, Labeled) else each).shape[1] for each in (real, fake))
        networks.train(False, by_batch=fewest > 1 and d_sees_mixture not in self.moves)
        scores: list[Tensor] = []
        for examples in (real, fake):
            x, classes = examples if isinstance(examples, Labeled) else (examples, None)
            for trick, now in self.tricks_at("augment"):
                x = trick.augment(x, now) if trick.reshapes else x
            scores.append(networks(x, classes))
        networks.train(True)
        return scores[0], scores[1]

    @property
    def tensors(self) -> list[Tensor]:
        """All that a round depends on: weights, buffers, memories of optimizers and tricks, numbers of members."""
        networks = [t for player in self.players.values() for t in player.networks.tensors]
        memories = *(player.memory for player in self.players.values()), *self.memories
        kept = [t for memory in memories for tensors in memory.values() for t in tensors]
        return [*networks, *kept, *self.numbers.tensors]

    @contextmanager
    def preserving_state(self) -> Generator[list[Tensor]]:
        """Run a block that may play rounds, then restore the game. Gives copies of `tensors` from before the block."""
        round, recording, before = self.round, self.recording, [t.detach().clone() for t in self.tensors]
        try:
            yield before
        finally:
            self.round, self.recording, self.rng.override = round, recording, None
            self.logged.clear()
            with torch.no_grad():
                # `tensors` is read again, since a network may have replaced its buffers by others.
                for tensor, copy in zip(self.tensors, before, strict=True):
                    tensor.copy_(copy)

    @contextmanager
    def with_averaged_weights(self) -> Generator[None]:
        """Run a block in which G has the weights that a trick averaged (EMA), where there is such a trick."""
        weights, averaged = self.G.parameters, self.averaged()
        if averaged is None:
            yield
            return
        with torch.no_grad():
            saved = [w.clone() for w in weights]
            try:
                for weight, average in zip(weights, averaged, strict=True):
                    weight.copy_(average)
                yield
            finally:
                for weight, before in zip(weights, saved, strict=True):
                    weight.copy_(before)

    def averaged(self) -> Sequence[Tensor] | None:
        """G's averaged weights, laid out as its parameters are; None where no trick averages them."""
        kept = [t.averaged(memory) for t, memory in zip(self.tricks, self.memories, strict=True)]
        return next((weights for weights in reversed(kept) if weights is not None), None)

    def tricks_at(self, hook: Hook) -> Sequence[tuple[Trick, Now]]:
        """The tricks that override a hook, each with what it may use: random streams, round and memory."""
        overriding = self._overriding[hook]
        if not overriding:
            return ()
        rng = self.rng.share(self.world.rank, self.world.size)
        return [(self.tricks[k], Now(rng, self.round, self.rounds, self.memories[k])) for k in overriding]

    def _score(self, x: Tensor, classes: Tensor | None = None) -> Scored:
        if self._overriding["penalty"] and torch.is_grad_enabled() and not x.requires_grad:
            x = x.detach().requires_grad_()
        augmented = x
        for trick, now in self.tricks_at("augment"):
            augmented = trick.augment(augmented, now)
        return Scored(x, self.players["D"].networks(augmented, classes), classes)
