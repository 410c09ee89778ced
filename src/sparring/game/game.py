"""The game: two players, their moves, and one round of them.

Scores and losses are `(P, B)`: P members side by side, B examples each. A loss is averaged over B and summed over P, so
no member hears another, and any element-wise optimizer serves a whole population unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor

from sparring.datasets import LabeledSource, Source
from sparring.errors import UsageError
from sparring.game.moves import Move, d_sees_fake, d_sees_mixture, d_sees_real
from sparring.game.population import Population
from sparring.game.world import World
from sparring.latents import Latent
from sparring.objectives import Objective
from sparring.optimizers import Optimizer
from sparring.rng import RandomStreams
from sparring.tricks import Hook, Now, Scored, Trick, Who

Truth = Literal[0, 1]
Logged = tuple[int, dict[str, Tensor]]
"""Rounds played, and values logged in the last of them, `(P,)` each: the mean where a round noted one repeatedly."""
PlayTo = Callable[[int, int], list[Logged]]
"""Plays rounds as `Game.play_to` does."""


class Labeled(NamedTuple):
    """Examples of a game whose players are told classes."""

    x: Tensor
    """`(P, B, *shape)`."""
    classes: Tensor
    """One-hot, `(P, B, K)`."""

    def detach(self) -> Labeled:
        """The same without the way back to G's weights."""
        return Labeled(self.x.detach(), self.classes)


Examples = Tensor | Labeled
"""`(P, B, *shape)`, with their classes where players are told them."""


class Player:
    """A population, the rule it steps by, and what that rule remembers."""

    def __init__(self, networks: Population, optimizer: Optimizer):
        self.networks = networks
        self.optimizer = optimizer
        self.memory = optimizer.begin(networks.parameters)

    def learn(self, gradients: Sequence[Tensor], optimizer: Optimizer | None = None) -> None:
        """One step, by its own rule or by that rule with other settings."""
        (optimizer or self.optimizer).step(self.networks.parameters, gradients, self.memory)


@dataclass
class Game:
    """The players, and what a move may ask for. No I/O, no logging."""

    players: dict[Who, Player]
    objective: Objective
    source: Source
    latent: Latent
    rng: RandomStreams
    moves: tuple[Move, ...]
    batch: int
    """Examples a member sees at a time, B."""
    rounds: int
    """Rounds in the whole game; tricks that fade count by it."""
    tricks: Sequence[Trick] = ()
    classes: int = 0
    """Of the data, where both players are told them; else 0."""
    world: World = field(default_factory=World)
    round: int = 0
    """Rounds played."""
    recording: bool = False
    """Whether this round's figures are wanted in `notes`; they cost a few small kernels."""
    notes: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    """One figure a member, `(P,)`, for each time a move came by it in the watched round."""

    def __post_init__(self) -> None:
        self.G = self.players["G"].networks
        weights: dict[Who, Sequence[Tensor]] = {who: p.networks.parameters for who, p in self.players.items()}
        self.memories = [t.begin(weights, self.G.size, self.rng.device) for t in self.tricks]
        """What each trick remembers."""
        self._touching = {m: [k for k, t in enumerate(self.tricks) if m in t.hooks] for m in get_args(Hook)}
        self._every_class = torch.arange(self.classes, device=self.rng.device)
        self._shown: dict[int, Scored] = {}
        self._refuse_what_cannot_be_compared()
        self._refuse_what_cannot_be_shared()
        self._refuse_what_cannot_be_played()

    def play(self) -> None:
        """One round."""
        self.rng.begin(self.round)
        for move in self.moves:
            move(self)
        self.round += 1

    def play_to(self, round: int, every: int) -> list[Logged]:
        """Rounds until so many are played. Returns the figures of those whose number `every` divides."""
        logged: list[Logged] = []
        while self.round < round:
            self.recording = self.round % every == 0
            self.play()
            if self.recording:
                logged.append((self.round, self.means()))
                self.notes.clear()
        return logged

    def means(self) -> dict[str, Tensor]:
        """What is in `notes`, a figure a name, `(P,)`."""
        return {name: f[0] if len(f) == 1 else torch.stack(f).mean(0) for name, f in self.notes.items()}

    def real(self) -> Examples:
        """A batch of real examples."""
        if not self.classes:
            return self.world.share(self.source.draw(self.rng, self.batch))
        x, classes = cast(LabeledSource, self.source).draw_with_classes(self.rng, self.batch)
        return Labeled(self.world.share(x), self.world.share(self.one_hot(classes)))

    def fake(self) -> Examples:
        """A batch of generated examples from fresh latent vectors, of fresh classes where G is told them."""
        latent = self.world.share(self.latent.draw(self.rng, "latent", self.batch))
        if not self.classes:
            return self.G(latent)
        share = self.rng.uniform("classes", (self.batch,))
        # A number just below 1 may round up to K when it is multiplied.
        classes = self.world.share(self.one_hot((share * self.classes).long().clamp_(max=self.classes - 1)))
        return Labeled(self.G(torch.cat([latent, classes], -1)), classes)

    def fakes_one_by_one(self, count: int) -> Tensor:
        """`(P, count, ...)` generated examples by a call of G for each."""
        latent = self.latent.draw(self.rng, "latent", count)
        return torch.cat([self.G(latent[:, i : i + 1]) for i in range(count)], 1)

    def one_hot(self, classes: Tensor) -> Tensor:
        """Classes `(P, B)` as `(P, B, K)`."""
        # Torch's own `one_hot` looks at the numbers, for which a GPU would be waited for.
        return (classes.unsqueeze(-1) == self._every_class).to(self.rng.dtype)

    def D(self, examples: Examples) -> Tensor:
        """D's scores `(P, B)` for examples as the tricks let it see them."""
        shown = self._show(*examples) if isinstance(examples, Labeled) else self._show(examples)
        if self._touching["penalty"]:
            self._shown[id(examples)] = shown
        return shown.score

    def compared(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of both kinds, each as the objective sees it beside the other; most look at each by itself."""
        if not self.objective.relativistic:
            return real, fake
        all_real, all_fake = self.world.all_gather(real), self.world.all_gather(fake)
        compared = self.objective.compare(all_real, all_fake), self.objective.compare(all_fake, all_real)
        return self.world.share(compared[0]), self.world.share(compared[1])

    def d_loss(self, truth: Truth, score: Tensor) -> Tensor:
        """D's loss for examples whose truth is 1 (real) or 0 (fake), under the name the tricks give them.

        A name between 0 and 1 mixes the two losses, name * real + (1 - name) * fake; for BCE that is textbook label
        smoothing.
        """
        label: float | Tensor = truth
        for trick, now in self._at("label"):
            label = trick.label(label, truth, (score.shape[0], score.shape[1]), now)
        for trick, now in self._at("on_scores"):
            trick.on_scores(truth, self.world.all_gather(score.detach()) - self.objective.undecided, now)
        if isinstance(label, int):
            loss = self.objective.d_loss_real(score) if label else self.objective.d_loss_fake(score)
        else:
            loss = label * self.objective.d_loss_real(score) + (1 - label) * self.objective.d_loss_fake(score)
        if self.recording:
            self.note("d_loss", loss)
            self.note("d_real" if truth else "d_fake", self.objective.output(score.detach()))
        return loss

    def g_loss(self, score: Tensor) -> Tensor:
        """G's loss for fakes that D scores so, beside fresh real examples where the objective compares."""
        if self.objective.relativistic:
            with torch.no_grad():
                rivals = self.D(self.real())
            compared_real, compared = self.compared(rivals, score)
            loss = self.objective.g_loss(compared) + self.objective.g_loss_real(compared_real)
        else:
            compared, loss = score, self.objective.g_loss(score)
        if self.recording:
            self.note("g_loss", loss)
        if paying := self._at("select_g_loss"):
            loss, compared = self.world.all_gather(loss), self.world.all_gather(compared)
        for trick, now in paying:
            loss = trick.select_g_loss(loss, compared, now)
        return loss

    def penalty(self, real: Examples | None, fake: Examples | None) -> Tensor | float:
        """What the tricks add to D's loss for examples that it has just scored."""
        if not self._touching["penalty"]:
            return 0.0
        sides = [None if side is None else self._shown[id(side)] for side in (real, fake)]
        return sum((t.penalty(sides[0], sides[1], self._show, now) for t, now in self._at("penalty")), 0.0)

    def learn(self, who: Who, loss: Tensor) -> None:
        """One optimizer step of one player; the other's weights take no gradient."""
        player = self.players[who]
        whole = loss.sum() / loss.shape[1]  # averaged over B and summed over P
        gradients = torch.autograd.grad(whole, player.networks.parameters, materialize_grads=True)
        gradients = self.world.mean_gradients(gradients)
        self._shown.clear()
        if self.recording or self._touching["gradients"]:
            norms = player.networks.norms(gradients)
            if self.recording:
                self.notes.setdefault(f"{who.lower()}_gradient", []).append(norms)
            for trick, now in self._at("gradients"):
                gradients = trick.gradients(gradients, norms, who, now)
        optimizer = player.optimizer
        for trick, now in self._at("step"):
            optimizer = trick.step(optimizer, who, now)
        player.learn(gradients, optimizer)
        for trick, now in self._at("weights"):
            trick.weights(player.networks.parameters, who, now)

    def note(self, name: str, value: Tensor) -> None:
        """Keep a figure of the watched round, averaged over B, on the device."""
        self.notes.setdefault(name, []).append(self.world.mean(value.detach().mean(1)))

    @torch.no_grad()
    def opinions(self, real: Examples, fake: Examples) -> tuple[Tensor, Tensor]:
        """What D says in evaluation mode of examples that it does not learn from, `(P, B)` for each kind.

        Nothing of the game changes by it.
        """
        networks = self.players["D"].networks
        networks.train(False)
        scores: list[Tensor] = []
        for examples in (real, fake):
            x, classes = examples if isinstance(examples, Labeled) else (examples, None)
            for trick, now in self._at("augment"):
                x = trick.augment(x, now) if trick.reshapes else x
            scores.append(networks(x, classes))
        networks.train(True)
        judged_real, judged_fake = self.objective.compare(*scores), self.objective.compare(*reversed(scores))
        return self.objective.output(judged_real), self.objective.output(judged_fake)

    @property
    def tensors(self) -> list[Tensor]:
        """Whatever a round changes: weights, buffers, and what optimizers and tricks remember."""
        held = [t for player in self.players.values() for t in player.networks.tensors]
        memories = *(player.memory for player in self.players.values()), *self.memories
        return held + [t for memory in memories for tensors in memory.values() for t in tensors]

    @contextmanager
    def preserving_state(self) -> Generator[list[Tensor]]:
        """Whatever is played for as long as this lasts, the game is afterwards as it was.

        Gives copies of `tensors` as they are before.
        """
        round, recording, before = self.round, self.recording, [t.detach().clone() for t in self.tensors]
        try:
            yield before
        finally:
            self.round, self.recording, self.rng.answer = round, recording, None
            self.notes.clear()
            with torch.no_grad():
                # A network may have put others in their place.
                for tensor, copy in zip(self.tensors, before, strict=True):
                    tensor.copy_(copy)

    @contextmanager
    def with_averaged_weights(self) -> Generator[None]:
        """For as long as this lasts, G makes examples with the weights that a trick has averaged, if one does."""
        weights, averaged = self.G.parameters, self.averaged()
        if averaged is None:
            yield
            return
        with torch.no_grad():
            held = [w.clone() for w in weights]
            try:
                for weight, average in zip(weights, averaged, strict=True):
                    weight.copy_(average)
                yield
            finally:
                for weight, before in zip(weights, held, strict=True):
                    weight.copy_(before)

    def averaged(self) -> Sequence[Tensor] | None:
        """The weights that G's examples are made with, where a trick keeps others than G's own."""
        kept = [t.averaged(memory) for t, memory in zip(self.tricks, self.memories, strict=True)]
        return next((weights for weights in reversed(kept) if weights is not None), None)

    def _show(self, x: Tensor, classes: Tensor | None = None) -> Scored:
        if self._touching["penalty"] and torch.is_grad_enabled() and not x.requires_grad:
            x = x.detach().requires_grad_()
        seen = x
        for trick, now in self._at("augment"):
            seen = trick.augment(seen, now)
        return Scored(x, self.players["D"].networks(seen, classes), classes)

    def _at(self, moment: Hook) -> Sequence[tuple[Trick, Now]]:
        """The tricks that touch a moment, and what they may know of it."""
        touching = self._touching[moment]
        if not touching:
            return ()
        rng = self.rng.share(self.world.rank, self.world.size)
        return [(self.tricks[k], Now(rng, self.round, self.rounds, self.memories[k])) for k in touching]

    def _refuse_what_cannot_be_compared(self) -> None:
        alone = [move.__name__ for move in self.moves if move in (d_sees_real, d_sees_fake, d_sees_mixture)]
        who = [type(o).__name__ for o in (self.objective,) if o.relativistic]
        who += [type(trick).__name__ for trick in self.tricks if trick.joint_step]
        if d_sees_mixture in self.moves:
            who += [type(trick).__name__ for trick in self.tricks if trick.reshapes or "penalty" in trick.hooks]
            who += ["a conditional game"] * bool(self.classes)
        if alone and who:
            raise UsageError(
                f"{who[0]} needs real and fake examples side by side in one step of D, which {alone[0]} does not show "
                "it: use the round d_sees_both g_fools_d"
            )

    def _refuse_what_cannot_be_played(self) -> None:
        for trick in self.tricks:
            trick.check(self.batch // self.world.size, self.classes)
        for who, player in self.players.items():
            for trick, now in self._at("step"):
                trick.step(player.optimizer, who, now)

    def _refuse_what_cannot_be_shared(self) -> None:
        if self.world.size == 1:
            return
        if self.batch % self.world.size:
            raise UsageError(
                f"{self.world.size} processes cannot share a batch of {self.batch} evenly: take a batch that "
                f"{self.world.size} divides"
            )
        what = [type(trick).__name__ for trick in self.tricks if trick.mixes_examples]
        what += [d_sees_mixture.__name__] * (d_sees_mixture in self.moves)
        if what:
            raise UsageError(f"{what[0]} needs the whole batch in one process: processes cannot share one where it is")
