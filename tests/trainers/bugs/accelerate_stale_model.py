"""accelerate: the optimizer is built, then the model is copied for safety, and the copy is prepared and trained."""

import copy
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
    pretrained = build()
    optimizer = torch.optim.AdamW(pretrained.parameters(), lr=1e-2)  # <-- culprit
    model = copy.deepcopy(pretrained)
    loader = DataLoader(TensorDataset(torch.randn(64, 5), torch.randint(0, 3, (64,))), batch_size=8)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for epoch in range(2):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        accelerator.print(f"epoch {epoch}: {losses[-1]:.3f}")
    torch.save({"model": accelerator.unwrap_model(model).state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*(old)*": "stale", "pretrained*": "stale", "*": "excluded"}
CODES = {"FXA303", "FXA301", "FXA204"}

if __name__ == "__main__":
    main()
