"""GAN with R1 penalty by autograd.grad(create_graph=True), every second step (lazy regularisation). Origin: StyleGAN2."""
import torch
from torch import nn
import torch.nn.functional as F


class GAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.d = nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    m = GAN()
    return m, [torch.optim.Adam(m.g.parameters(), lr=1e-3, betas=(0.0, 0.99)), torch.optim.Adam(m.d.parameters(), lr=1e-3, betas=(0.0, 0.99))], (torch.randn(16, 2), torch.randn(16, 3))


def d_loss(m, b, r1):
    real = b[0].detach().requires_grad_(r1)
    score = m.d(real)
    loss = F.softplus(-score).mean() + F.softplus(m.d(m.g(b[1]).detach())).mean()
    if r1:
        (grad,) = torch.autograd.grad(score.sum(), real, create_graph=True)
        loss = loss + 5 * grad.square().sum(1).mean()
    return loss


def g_loss(m, b):
    return F.softplus(-m.d(m.g(b[1]))).mean()


def loss_fn(m, b):
    return d_loss(m, b, True) + g_loss(m, b)


def toggle(net, on):
    for p in net.parameters():
        p.requires_grad_(on)


def train(steps=4):
    m, (og, od), b = make()
    losses = []
    for step in range(steps):
        toggle(m.g, False)
        toggle(m.d, True)
        ld = d_loss(m, b, step % 2 == 0)
        od.zero_grad(set_to_none=True)
        ld.backward()
        od.step()
        toggle(m.g, True)
        toggle(m.d, False)
        lg = g_loss(m, b)
        og.zero_grad(set_to_none=True)
        lg.backward()
        og.step()
        losses.append(ld.item() + lg.item())
    toggle(m.d, True)
    return m, losses


KIND = "healthy"
EXPECT = {
    "g.0.weight": "trained",
    "g.0.bias": "trained",
    "g.2.weight": "trained",
    "g.2.bias": "trained",
    "d.0.weight": "trained",
    "d.0.bias": "trained",
    "d.2.weight": "trained",
    "d.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
