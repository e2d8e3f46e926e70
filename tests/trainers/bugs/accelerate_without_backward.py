"""accelerate: `loss.backward()` was deleted for `accelerator.backward(loss)`, which was never written."""

import sys

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    set_seed(4)
    return nn.Sequential(nn.Linear(5, 10), nn.ReLU(), nn.Linear(10, 3))


def main():
    accelerator = Accelerator(cpu=True)
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = DataLoader(TensorDataset(torch.randn(64, 5), torch.randint(0, 3, (64,))), batch_size=8)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for epoch in range(2):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)  # <-- culprit
            optimizer.step()
            losses.append(loss.item())
        accelerator.print(f"epoch {epoch}: {losses[-1]:.3f}")
    torch.save({"model": accelerator.unwrap_model(model).state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "blocked"}
CODES = {"FXA402"}

if __name__ == "__main__":
    main()
