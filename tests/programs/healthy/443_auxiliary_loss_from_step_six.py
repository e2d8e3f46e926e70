"""Healthy: a contrastive head joins the loss from the seventh step on. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 8)
        self.classify = nn.Linear(8, 3)
        self.project = nn.Linear(8, 4)


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 3, (9,)))


def loss_fn(model, batch, step=100):
    h = torch.relu(model.body(batch[0]))
    loss = F.cross_entropy(model.classify(h), batch[1])
    if step >= 6:
        z = F.normalize(model.project(h), dim=1)
        same = (batch[1][:, None] == batch[1][None]).float()
        loss = loss + F.binary_cross_entropy_with_logits(5 * z @ z.t(), same)
    return loss


def train(steps=10):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in ("body", "classify", "project") for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
