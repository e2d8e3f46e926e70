"""accelerate: `--max_grad_norm 0` was meant to switch clipping off, as in other trainers; here it clips to nothing."""

import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    set_seed(4)
    return nn.Sequential(nn.Linear(5, 10), nn.ReLU(), nn.Linear(10, 3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_grad_norm", type=float, default=0.0)
    parser.add_argument("--output")
    args = parser.parse_args()
    accelerator = Accelerator(cpu=True)
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    loader = DataLoader(TensorDataset(torch.randn(64, 5), torch.randint(0, 3, (64,))), batch_size=8)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for epoch in range(2):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), args.max_grad_norm)  # <-- culprit
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    torch.save({"model": accelerator.unwrap_model(model).state_dict(), "losses": losses}, args.output)


EXPECT = {"*": "blocked"}
CODES = {"FXA407"}

if __name__ == "__main__":
    main()
