"""Other people's loggers and trainers, the real packages: TensorBoard, Weights & Biases offline, Lightning."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import sparring
from sparring.callbacks import mirror
from tests.loops.sound import adam, images, mlp
from tests.miniature import miniature


def test_a_run_is_mirrored_to_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = mirror("tensorboard")
    recipe = miniature(sparring.recipe("digits")).replace(seeds=2, rounds=200)
    run = sparring.train(recipe, tmp_path / "run", watchers=[logger])
    logger.close(run.folder)
    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"d_loss/seed 0", "d_loss/seed 1", "g_loss/seed 0"} <= set(tags["scalars"])
    assert "samples" in tags["images"]
    assert any("diagnosis" in tag for tag in tags["tensors"])
    last = events.Scalars("d_loss/seed 1")[-1]
    assert last.step == run.curves.rounds[-1]
    assert last.value == pytest.approx(run.curves["d_loss"][-1, 1], rel=1e-4)


@pytest.mark.slow
def test_a_run_is_mirrored_to_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    logger = mirror("wandb")
    run = sparring.train(miniature(sparring.recipe("digits")), tmp_path / "run", watchers=[logger])
    logger.close(run.folder)
    assert list((run.path / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning's own
def test_a_lightning_module_is_watched(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    from sparring.callbacks import SparringCallback

    class Gan(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.generator, self.discriminator = mlp(12, 32, 64, last=nn.Tanh()), mlp(64, 32, 1)

        def configure_optimizers(self) -> list[torch.optim.Optimizer]:
            return [adam(self.generator), adam(self.discriminator)]

        def training_step(self, batch: list[torch.Tensor], index: int) -> None:
            opt_g, opt_d = self.optimizers()
            bce, real = nn.functional.binary_cross_entropy_with_logits, batch[0]
            fake = self.generator(torch.randn(len(real), 12))
            opt_d.zero_grad()
            ones = torch.ones(len(real), 1)
            self.manual_backward(bce(self.discriminator(real), ones) + bce(self.discriminator(fake.detach()), 0 * ones))
            opt_d.step()
            opt_g.zero_grad()
            self.manual_backward(bce(self.discriminator(fake), ones))
            opt_g.step()

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images().flatten(1)), 16, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=3, callbacks=[SparringCallback(out=str(tmp_path / "run"))], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, accelerator="cpu",
    )  # fmt: skip
    trainer.fit(Gan(), data)
    run = sparring.Run(tmp_path / "run")
    assert run.round == 24 and run.status == "finished"
    assert run.curves["d_loss"][-1, 0] == pytest.approx(1.39, abs=0.4)
