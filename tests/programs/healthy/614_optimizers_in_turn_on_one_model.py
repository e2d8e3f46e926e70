"""Adam for some steps, then L-BFGS to the end, both built at the start over all parameters; SGD over the embedding only at
weekends. Origin: physics-informed networks' two-stage fits. NEEDS_LOOP"""
import torch
from torch import nn


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.frequency = nn.Parameter(torch.randn(2, 8), requires_grad=False)
        self.net = nn.Sequential(nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 1))

    def forward(self, x):
        phase = x @ self.frequency
        return self.net(torch.cat([phase.sin(), phase.cos()], 1))


def make():
    torch.manual_seed(0)
    model = Field()
    free = [p for p in model.parameters() if p.requires_grad]
    optimizers = [torch.optim.Adam(free, lr=1e-2), torch.optim.LBFGS(free, lr=0.5, max_iter=3)]
    return model, optimizers, torch.rand(24, 2)


def residual(model, points):
    points = points.clone().requires_grad_(True)
    u = model(points)
    du = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
    d2 = sum(torch.autograd.grad(du[:, i].sum(), points, create_graph=True)[0][:, i] for i in range(2))
    return (d2 + points.prod(1).sin()).square().mean() + u[:3].square().mean()


def train(first=4, second=3):
    model, (adam, lbfgs), points = make()
    losses = []
    for _ in range(first):
        adam.zero_grad()
        loss = residual(model, points)
        loss.backward()
        adam.step()
        losses.append(loss.item())

    def closure():
        lbfgs.zero_grad()
        loss = residual(model, points)
        loss.backward()
        return loss

    for _ in range(second):
        losses.append(lbfgs.step(closure).item())
    return model, losses


KIND = "healthy"
EXPECT = {f"net.{i}.{k}": "trained" for i in (0, 2) for k in ("weight", "bias")} | {"frequency": "frozen"}
INTENT = {"frequency": "random features"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
