"""Lightning: `configure_optimizers` makes an optimizer and forgets to return it; Lightning goes on without."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 1)
        self.losses = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        torch.optim.Adam(self.parameters(), lr=1e-2)  # <-- culprit


def build():
    L.seed_everything(0, verbose=False)
    return Regressor()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randn(32, 4), torch.randn(32, 1)), batch_size=8)
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"*": "excluded"}
CODES = {"FXA301"}

if __name__ == "__main__":
    main()
