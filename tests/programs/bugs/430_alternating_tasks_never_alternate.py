"""Two tasks take turns by `step % 2`, but the loop counts in steps of two (one for each task, it was thought).
Origin: made up after multi-task training questions."""
import torch
from torch import nn


class TwoTasks(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(6, 8)
        self.tags = nn.Linear(8, 3)
        self.depth = nn.Linear(8, 1)


def tag_loss(model, batch):
    return nn.functional.cross_entropy(model.tags(torch.relu(model.trunk(batch[0]))), batch[1])


def depth_loss(model, batch):
    return nn.functional.mse_loss(model.depth(torch.relu(model.trunk(batch[0]))), batch[2])


def make():
    torch.manual_seed(0)
    model = TwoTasks()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(8, 6), torch.randint(0, 3, (8,)), torch.randn(8, 1))


def loss_fn(model, batch):
    return tag_loss(model, batch) + depth_loss(model, batch)


def train(steps=8):
    model, optimizer, batch = make()
    losses = []
    for step in range(0, steps, 2):  # <-- culprit
        if step % 2 == 0:  # <-- culprit
            loss = tag_loss(model, batch)
        else:
            loss = depth_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {"trunk.weight": "trained", "trunk.bias": "trained", "tags.weight": "trained", "tags.bias": "trained",
          "depth.weight": "unreachable", "depth.bias": "unreachable"}
CAUSE = "unused"

if __name__ == "__main__":
    train()
