"""A diffusion model with zero-initialised output, labels dropped one time in ten, a learnt variance trained on the detached mean, and clipping
of predicted x0 for a log only.
Origin: improved diffusion, reduced."""
import torch
from torch import nn
import torch.nn.functional as F


class Denoiser(nn.Module):
    def __init__(self, classes=3, d=12, p_uncond=0.1):
        super().__init__()
        self.p_uncond, self.null = p_uncond, classes
        self.label = nn.Embedding(classes + 1, d)
        self.time = nn.Sequential(nn.Linear(8, d), nn.SiLU(), nn.Linear(d, d))
        self.inp, self.norm, self.out = nn.Linear(4, d), nn.LayerNorm(d, elementwise_affine=False), nn.Linear(d, 8)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("freqs", torch.exp(torch.arange(4) * -1.5))

    def forward(self, x, t, y):
        if self.training:
            y = torch.where(torch.rand(len(y)) < self.p_uncond, torch.full_like(y, self.null), y)
        angles = t[:, None] * 100 * self.freqs
        c = self.time(torch.cat([angles.sin(), angles.cos()], -1)) + self.label(y)
        shift, h = c, self.norm(self.inp(x))
        eps, log_var = self.out(F.silu(h * (1 + shift.tanh()) + shift)).chunk(2, -1)
        return eps, log_var


def make():
    torch.manual_seed(0)
    model = Denoiser()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (torch.randn(16, 4), torch.arange(16) % 3)


def loss_fn(model, batch):
    x0, y = batch
    t, noise = torch.rand(len(x0)), torch.randn_like(x0)
    a = torch.cos(t * 1.5)[:, None]
    xt = a * x0 + (1 - a * a).sqrt() * noise
    eps, log_var = model(xt, t, y)
    with torch.no_grad():
        model.last_x0 = ((xt - (1 - a * a).sqrt() * eps) / a.clamp(min=0.05)).clamp(-1, 1).mean().item()
    mse = F.mse_loss(eps, noise)
    vlb = (0.5 * log_var + 0.5 * (noise - eps.detach()).square() * torch.exp(-log_var)).mean()
    return mse + 1e-2 * vlb


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


KIND = "healthy"
EXPECT = {
    "label.weight": "trained",
    "time.0.weight": "trained",
    "time.0.bias": "trained",
    "time.2.weight": "trained",
    "time.2.bias": "trained",
    "inp.weight": "trained",
    "inp.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
