"""Kernel hyper-parameters of a Gaussian process: L-BFGS with a strong-Wolfe line search on the marginal likelihood, raw
values behind softplus, some of them fixed. Origin: GPyTorch-like code by hand. NEEDS_LOOP"""
import math

import torch
from torch import nn
import torch.nn.functional as F


class GP(nn.Module):
    def __init__(self, x, y):
        super().__init__()
        self.register_buffer("x", x)
        self.register_buffer("y", y)
        self.raw_lengthscale = nn.Parameter(torch.zeros(x.shape[1]))
        self.raw_outputscale = nn.Parameter(torch.tensor(0.0))
        self.raw_noise = nn.Parameter(torch.tensor(-1.0))
        self.mean = nn.Parameter(torch.tensor(0.0), requires_grad=False)

    def kernel(self, a, b):
        scale = F.softplus(self.raw_lengthscale)
        return F.softplus(self.raw_outputscale) * torch.exp(-0.5 * torch.cdist(a / scale, b / scale).square())

    def forward(self):
        k = self.kernel(self.x, self.x) + (F.softplus(self.raw_noise) + 1e-4) * torch.eye(len(self.x))
        chol = torch.linalg.cholesky(k)
        alpha = torch.cholesky_solve((self.y - self.mean)[:, None], chol).squeeze(1)
        return 0.5 * (self.y @ alpha) + chol.diagonal().log().sum() + 0.5 * len(self.y) * math.log(2 * math.pi)


def make():
    torch.manual_seed(0)
    x = torch.rand(20, 2, dtype=torch.double) * 4
    gp = GP(x, torch.sin(x[:, 0]) + 0.1 * torch.randn(20, dtype=torch.double)).double()
    free = [p for p in gp.parameters() if p.requires_grad]
    return gp, torch.optim.LBFGS(free, lr=0.5, max_iter=4, line_search_fn="strong_wolfe"), None


def loss_fn(gp, _):
    return gp()


def train(rounds=3):
    gp, optimizer, _ = make()
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = gp()
        loss.backward()
        return loss

    for _ in range(rounds):
        losses.append(optimizer.step(closure).item())
    return gp, losses


KIND = "healthy"
EXPECT = {"raw_lengthscale": "trained", "raw_outputscale": "trained", "raw_noise": "trained", "mean": "frozen"}
INTENT = {"mean": "a constant mean of zero"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
