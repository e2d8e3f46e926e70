"""A detector's targets are assigned under no_grad by the predictions themselves; losses are taken over boolean selections, which may be empty for
a level (guarded).
Origin: SimOTA in YOLOX."""
import torch
from torch import nn
import torch.nn.functional as F


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.neck = nn.ModuleList(nn.Linear(4, 6) for _ in range(2))
        self.obj, self.box = nn.Linear(6, 1), nn.Linear(6, 4)

    def forward(self, levels):
        hs = [F.silu(layer(x)) for layer, x in zip(self.neck, levels)]
        return [(self.obj(h).squeeze(-1), self.box(h)) for h in hs]


@torch.no_grad()
def assign(obj, box, truth):
    cost = torch.cdist(box, truth, p=1) - obj.sigmoid().unsqueeze(-1)
    best = cost.argmin(0)
    positive = torch.zeros(len(obj), dtype=torch.bool)
    positive[best] = True
    return positive, cost.argmin(1)


def make():
    torch.manual_seed(0)
    model = Detector()
    batch = ([torch.randn(9, 4), torch.randn(5, 4)], torch.rand(3, 4))
    return model, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True), batch


def loss_fn(model, batch):
    levels, truth = batch
    total = 0
    for obj, box in model(levels):
        positive, which = assign(obj, box, truth)
        total = total + F.binary_cross_entropy_with_logits(obj, positive.float())
        if positive.any():
            total = total + F.l1_loss(box[positive], truth[which[positive]])
    return total


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "healthy"
EXPECT = {
    "neck.0.weight": "trained",
    "neck.0.bias": "trained",
    "neck.1.weight": "trained",
    "neck.1.bias": "trained",
    "obj.weight": "trained",
    "obj.bias": "trained",
    "box.weight": "trained",
    "box.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
