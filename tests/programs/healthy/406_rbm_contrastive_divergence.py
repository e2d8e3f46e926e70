"""Healthy: a restricted Boltzmann machine. Gradients come from contrastive divergence and are written into `.grad` by hand; no
backward is ever called. NEEDS_LOOP"""
import torch
from torch import nn


class RBM(nn.Module):
    def __init__(self, visible=10, hidden=6):
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(hidden, visible))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def hidden(self, v):
        return torch.sigmoid(nn.functional.linear(v, self.weight, self.hidden_bias))

    def visible(self, h):
        return torch.sigmoid(nn.functional.linear(h, self.weight.t(), self.visible_bias))


def make():
    torch.manual_seed(0)
    rbm = RBM()
    return rbm, torch.optim.SGD(rbm.parameters(), lr=0.1, momentum=0.5), torch.bernoulli(torch.full((20, 10), 0.3))


def loss_fn(rbm, v):
    return nn.functional.mse_loss(rbm.visible(rbm.hidden(v)), v)


@torch.no_grad()
def contrastive_divergence(rbm, v):
    h = rbm.hidden(v)
    v1 = rbm.visible(torch.bernoulli(h))
    h1 = rbm.hidden(v1)
    rbm.weight.grad = -(h.t() @ v - h1.t() @ v1) / len(v)
    rbm.visible_bias.grad = -(v - v1).mean(0)
    rbm.hidden_bias.grad = -(h - h1).mean(0)
    return (v - v1).square().mean().item()


def train(steps=4):
    rbm, optimizer, v = make()
    losses = []
    for _ in range(steps):
        losses.append(contrastive_divergence(rbm, v))
        optimizer.step()
    return rbm, losses


KIND = "healthy"
EXPECT = {"weight": "trained", "visible_bias": "trained", "hidden_bias": "trained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
