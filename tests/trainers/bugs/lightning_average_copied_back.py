"""Lightning: a callback keeps an average of the weights, never updates it, and loads it into the model after each
batch instead of for the validation only."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Average(L.Callback):
    def on_fit_start(self, trainer, module):
        self.shadow = {name: value.clone() for name, value in module.state_dict().items()}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        module.load_state_dict(self.shadow)  # <-- culprit


class Regressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        self.losses = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x), y)
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


def build():
    L.seed_everything(0, verbose=False)
    return Regressor()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randn(32, 4), torch.randn(32, 1)), batch_size=8)
    trainer = L.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[Average()]
    )
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"*": "replaced"}
CODES = {"FXA408"}

if __name__ == "__main__":
    main()
