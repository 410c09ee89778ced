"""Sparring in other people's trainers: a Lightning callback that watches a GAN, and mirrors to other loggers.

    from sparring.callbacks import SparringCallback, mirror
    lightning.Trainer(callbacks=[SparringCallback("generator", "discriminator", out="runs/mine")])
    sparring.train("digits", "runs/digits", watchers=[mirror("tensorboard")])

Lightning is imported when `SparringCallback` is first used; it comes with `pip install 'sparring[track]'`.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from sparring.errors import SparringError
from sparring.training.loggers import Mirror as Mirror
from sparring.training.loggers import mirror as mirror

if TYPE_CHECKING:
    SparringCallback: Any


def __getattr__(name: str) -> Any:
    if name == "SparringCallback":
        return _callback()
    raise AttributeError(f"module 'sparring.callbacks' has no attribute {name!r}")


@cache
def _callback() -> type:
    """The callback's class, whose base is Lightning's own."""
    try:
        base = importlib.import_module("lightning.pytorch").Callback
    except ImportError as error:
        raise SparringError("a Lightning callback needs Lightning: pip install 'sparring[track]'") from error

    class SparringCallback(base):
        """Watches the training of a LightningModule with two networks and manual optimization.

        Args:
            generator: The name of the module's attribute that is G.
            discriminator: The same of D.
            out: The run's folder.
            optimizers: Which of the module's optimizers are G's and D's, by their position.
            **more: As for `sparring.watch`.
        """

        def __init__(
            self,
            generator: str = "generator",
            discriminator: str = "discriminator",
            out: str = "runs/mine",
            optimizers: tuple[int, int] = (0, 1),
            **more: Any,
        ):
            super().__init__()
            self._names, self._out, self._positions, self._more = (generator, discriminator), out, optimizers, more
            self.watch: Any = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            from sparring.training.watch.session import Watch

            if not trainer.is_global_zero:
                return
            g, d = (getattr(pl_module, name) for name in self._names)
            opt_g, opt_d = (trainer.optimizers[at] for at in self._positions)
            self.watch = Watch(g, d, opt_g, opt_d, out=self._out, **self._more)
            self.watch.__enter__()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            self._leave(None)

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            self._leave(exception)

        def _leave(self, error: BaseException | None) -> None:
            watch, self.watch = self.watch, None
            if watch is not None:
                watch.__exit__(None if error is None else type(error), error, error and error.__traceback__)

    return SparringCallback
