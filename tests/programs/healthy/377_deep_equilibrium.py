"""Deep equilibrium model: the fixed point is found under no_grad, one more application carries the gradient, a hook solves the backward. Origin: DEQ tutorial."""
import torch
from torch import nn
import torch.nn.functional as F


class DEQ(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.w, self.u, self.out = nn.Linear(d, d), nn.Linear(3, d), nn.Linear(d, 1)
        nn.init.uniform_(self.w.weight, -0.1, 0.1)

    def forward(self, x):
        inject = self.u(x)
        f = lambda z: torch.tanh(self.w(z) + inject)
        with torch.no_grad():
            z = torch.zeros_like(inject)
            for _ in range(8):
                z = f(z)
        z = f(z)
        z0 = z.detach().requires_grad_()
        f0 = f(z0)

        def solve(grad):
            g = grad
            for _ in range(5):
                g = torch.autograd.grad(f0, z0, g, retain_graph=True)[0] + grad
            return g

        if z.requires_grad:
            z.register_hook(solve)
        return self.out(z)


def make():
    torch.manual_seed(0)
    m = DEQ()
    return m, torch.optim.Adam(m.parameters(), lr=1e-2), (torch.randn(8, 3), torch.randn(8, 1))


def loss_fn(m, b):
    return F.mse_loss(m(b[0]), b[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "w.weight": "trained",
    "w.bias": "trained",
    "u.weight": "trained",
    "u.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
