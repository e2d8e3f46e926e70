"""Classifier-free guidance: labels are dropped with a probability. The recipe says 10 per cent, and 10 is what was handed over.
Origin: an issue of a diffusion repository on samples that ignore the class; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Denoiser(nn.Module):
    def __init__(self, classes, d=6, p_uncond=0.1):
        super().__init__()
        self.p_uncond = p_uncond
        self.label = nn.Embedding(classes, d)
        self.null = nn.Parameter(torch.randn(d) * 0.02)
        self.time = nn.Linear(1, d)
        self.inp, self.out = nn.Linear(4, d), nn.Linear(d, 4)

    def condition(self, y):
        keep = torch.rand(y.shape[0], device=y.device) >= self.p_uncond  # <-- culprit
        return torch.where(keep[:, None], self.label(y), self.null)

    def forward(self, x, t, y):
        h = self.inp(x) + self.time(t[:, None]) + self.condition(y)
        return self.out(F.silu(h))


def make():
    torch.manual_seed(0)
    model = Denoiser(classes=3, p_uncond=10)  # <-- culprit
    batch = (torch.randn(8, 4), torch.randint(0, 3, (8,)))
    return model, torch.optim.Adam(model.parameters(), lr=2e-3), batch


def loss_fn(model, batch):
    x0, y = batch
    t, noise = torch.rand(x0.shape[0]), torch.randn_like(x0)
    xt = (1 - t)[:, None] * x0 + t[:, None] * noise
    return F.mse_loss(model(xt, t, y), noise - x0)


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
    "null": "trained",
    "label.weight": "blocked",
    "time.weight": "trained",
    "time.bias": "trained",
    "inp.weight": "trained",
    "inp.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"
ONE_BATCH = "unknown"

if __name__ == "__main__":
    train()
