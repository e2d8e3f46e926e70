"""Healthy: gradual unfreezing with a loop over a schedule: one block is added to the optimizer at step 5, another at step 12.
NEEDS_LOOP"""
import torch
from torch import nn

SCHEDULE = {5: "layer2", 12: "layer1"}


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(4, 6)
        self.layer2 = nn.Linear(6, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.relu(self.layer2(torch.relu(self.layer1(x)))))


def make():
    torch.manual_seed(0)
    model = Stack()
    for name in SCHEDULE.values():
        for p in getattr(model, name).parameters():
            p.requires_grad = False
    return model, torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-2), (torch.randn(8, 4), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=16):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        if step in SCHEDULE:
            block = getattr(model, SCHEDULE[step])
            for p in block.parameters():
                p.requires_grad = True
            optimizer.param_groups.append({**optimizer.param_groups[0], "params": list(block.parameters()), "lr": 1e-3})
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in ("layer1", "layer2", "head") for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
