"""accelerate: `accumulate` decides when gradients are applied, and so does the loop's own counter; they never agree:
a prepared optimizer skips the steps between, and these are the only ones it is asked for."""

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
    accumulation = 4
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=accumulation)
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loader = DataLoader(TensorDataset(torch.randn(64, 5), torch.randint(0, 3, (64,))), batch_size=8)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    for epoch in range(3):
        for step, (x, y) in enumerate(loader):
            with accelerator.accumulate(model):
                loss = nn.functional.cross_entropy(model(x), y)
                accelerator.backward(loss)
                if step % accumulation == 0:  # <-- culprit
                    optimizer.step()  # <-- culprit
                    optimizer.zero_grad()
            losses.append(loss.item())
    torch.save({"model": accelerator.unwrap_model(model).state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "blocked"}
CODES = {"FXA401"}

if __name__ == "__main__":
    main()
