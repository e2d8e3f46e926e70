"""Lightning: adapters in the blocks of a frozen model, each block behind a reentrant checkpoint: no input of a block
needs a gradient, so the recomputation is never asked for the adapters'."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.frozen = nn.Linear(width, width)
        self.down, self.up = nn.Linear(width, 2), nn.Linear(2, width)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        h = torch.relu(self.frozen(x))
        return x + h + self.up(torch.tanh(self.down(h)))


class Tuned(L.LightningModule):
    def __init__(self, width=8, depth=2):
        super().__init__()
        self.embedding = nn.Embedding(20, width)
        self.embedding.requires_grad_(False)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, 2)
        self.losses = []

    def forward(self, ids):
        h = self.embedding(ids)
        for block in self.blocks:
            h = checkpoint(block, h, use_reentrant=True)  # <-- culprit
        return self.head(h.mean(1))

    def training_step(self, batch, batch_idx):
        ids, y = batch
        loss = nn.functional.cross_entropy(self(ids), y)
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW((p for p in self.parameters() if p.requires_grad), lr=1e-2)


def build():
    L.seed_everything(0, verbose=False)
    return Tuned()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randint(0, 20, (32, 6)), torch.randint(0, 2, (32,))), batch_size=8)
    trainer = L.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {
    "embedding.*": "frozen",
    "*.frozen.*": "frozen",
    "*.down.*": "unreachable",
    "*.up.*": "unreachable",
    "head.*": "trained",
}
CODES = {"FXA110"}

if __name__ == "__main__":
    main()
