"""Lightning: a callback of one's own thaws the backbone after an epoch, but the optimizer was built from what
required a gradient at the start."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Unfreeze(L.Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_fit_start(self, trainer, module):
        print("training the head alone at first")

    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == self.epoch:
            module.backbone.requires_grad_(True)


class Transfer(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 10), nn.ReLU())
        self.head = nn.Linear(10, 2)
        self.backbone.requires_grad_(False)
        self.losses = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.cross_entropy(self.head(self.backbone(x)), y)
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        trainable = [p for p in self.parameters() if p.requires_grad]  # <-- culprit
        return torch.optim.Adam(trainable, lr=1e-2)


def build():
    L.seed_everything(0, verbose=False)
    return Transfer()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randn(32, 6), torch.randint(0, 2, (32,))), batch_size=8)
    trainer = L.Trainer(
        max_epochs=3, accelerator="cpu", callbacks=[Unfreeze(1)], logger=False, enable_checkpointing=False
    )
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"backbone.*": "excluded", "head.*": "trained"}
CODES = {"FXA301"}

if __name__ == "__main__":
    main()
