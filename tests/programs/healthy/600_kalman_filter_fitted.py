"""Noise covariances of a Kalman filter learned through the whole recursion, as Cholesky factors with exponentiated
diagonals; the upper triangles are never read. Origin: differentiable filters."""
import torch
from torch import nn


class Kalman(nn.Module):
    def __init__(self, n=2, m=1):
        super().__init__()
        self.a = nn.Parameter(0.9 * torch.eye(n) + 0.05 * torch.randn(n, n))
        self.c = nn.Parameter(torch.randn(m, n))
        self.q, self.r = nn.Parameter(torch.zeros(n, n)), nn.Parameter(torch.zeros(m, m))
        self.m0, self.p0 = nn.Parameter(torch.zeros(n)), nn.Parameter(torch.zeros(n, n))

    @staticmethod
    def covariance(raw):
        lower = raw.tril(-1) + torch.diag_embed(raw.diagonal().exp())
        return lower @ lower.mT

    def forward(self, ys):
        q, r = self.covariance(self.q), self.covariance(self.r)
        mean, cov = self.m0, self.covariance(self.p0)
        total = ys.new_zeros(())
        for y in ys:
            s = self.c @ cov @ self.c.mT + r
            gain = torch.linalg.solve(s, self.c @ cov).mT
            total = total - torch.distributions.MultivariateNormal(self.c @ mean, s).log_prob(y)
            mean = mean + gain @ (y - self.c @ mean)
            cov = cov - gain @ self.c @ cov
            mean, cov = self.a @ mean, self.a @ cov @ self.a.mT + q
        return total / len(ys)


def make():
    torch.manual_seed(0)
    model = Kalman()
    ys = torch.sin(torch.arange(15.0) / 2)[:, None] + 0.1 * torch.randn(15, 1)
    return model, torch.optim.Adam(model.parameters(), lr=2e-2), ys


def loss_fn(model, ys):
    return model(ys)


def train(steps=4):
    model, optimizer, ys = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, ys)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys(("a", "c", "q", "r", "m0", "p0"), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
