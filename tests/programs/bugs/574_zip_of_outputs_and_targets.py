"""Three heads, and targets for the first two in the batch: zip stops early and nobody is told. The third head is computed.
Origin: "zip silently truncates" as met in a multi-task loss; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Tri(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.GRU(3, 6, batch_first=True)
        self.colour, self.shape, self.size = nn.Linear(6, 2), nn.Linear(6, 3), nn.Linear(6, 4)

    def forward(self, x):
        _, h = self.body(x)
        return self.colour(h[0]), self.shape(h[0]), self.size(h[0])


def make():
    torch.manual_seed(0)
    model = Tri()
    targets = [torch.randint(0, 2, (7,)), torch.randint(0, 3, (7,))]
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(7, 4, 3), targets)


def loss_fn(model, batch):
    x, targets = batch
    losses = [F.cross_entropy(out, t) for out, t in zip(model(x), targets)]  # <-- culprit
    return torch.stack(losses).mean()


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach().item())
    return model, losses


KIND = "loss"
EXPECT = {
    "body.weight_ih_l0": "trained",
    "body.weight_hh_l0": "trained",
    "body.bias_ih_l0": "trained",
    "body.bias_hh_l0": "trained",
    "colour.weight": "trained",
    "colour.bias": "trained",
    "shape.weight": "trained",
    "shape.bias": "trained",
    "size.weight": "unreachable",
    "size.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
