"""Inverse problem with a physics-informed network: the viscosity is unknown. The network is piecewise linear, so its second derivative is
zero wherever it exists.
Origin: "PINN inverse problem, parameter not updated" thread; retold."""
import torch
from torch import nn


def gradient(y, x):
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if g is None else g


class Burgers(nn.Module):
    def __init__(self, h=12):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(1, h),
            nn.ReLU(),  # <-- culprit
            nn.Linear(h, h),
            nn.ReLU(),  # <-- culprit
            nn.Linear(h, 1),
        )
        self.nu = nn.Parameter(torch.tensor(0.1))

    def residual(self, x):
        u = self.net(x)
        u_x = gradient(u, x)
        u_xx = gradient(u_x, x)
        return u * u_x - self.nu * u_xx


def make():
    torch.manual_seed(0)
    model = Burgers()
    x = torch.linspace(-1, 1, 20)[:, None].requires_grad_()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (x, -torch.sin(3.0 * x.detach()))


def loss_fn(model, batch):
    x, u = batch
    return (model.net(x) - u).pow(2).mean() + model.residual(x).pow(2).mean()


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "forward"
EXPECT = {
    "nu": "blocked",
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "net.2.weight": "trained",
    "net.2.bias": "trained",
    "net.4.weight": "trained",
    "net.4.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
