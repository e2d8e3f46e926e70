"""Lightning: one head per task, kept in a plain list."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MultiTask(L.LightningModule):
    def __init__(self, tasks=2):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(5, 10), nn.ReLU())
        self.heads = [nn.Linear(10, 1) for _ in range(tasks)]  # <-- culprit
        self.losses = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        h = self.trunk(x)
        loss = sum(nn.functional.mse_loss(head(h).squeeze(1), y[:, t]) for t, head in enumerate(self.heads))
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1e-2)


def build():
    L.seed_everything(0, verbose=False)
    return MultiTask()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randn(64, 5), torch.randn(64, 2)), batch_size=8)
    trainer = L.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"trunk.*": "trained", "heads*": "unregistered"}
CODES = {"FXA205"}

if __name__ == "__main__":
    main()
