"""Healthy: a learned optimizer. An LSTM proposes the updates of a small problem that is made anew in each outer round; only the LSTM
is in a torch optimizer. NEEDS_LOOP"""
import torch
from torch import nn


class LearnedOptimizer(nn.Module):
    def __init__(self, hidden=6):
        super().__init__()
        self.cell = nn.LSTMCell(1, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, grad, state):
        h, c = self.cell(grad.reshape(-1, 1), state)
        return self.out(h).reshape(grad.shape) * 0.1, (h, c)


def make():
    torch.manual_seed(0)
    learned = LearnedOptimizer()
    return learned, torch.optim.Adam(learned.parameters(), lr=1e-2), (torch.randn(5, 5), torch.randn(5))


def loss_fn(learned, problem, unroll=4):
    w, b = problem
    theta, state = torch.zeros(5, requires_grad=True), None
    total = 0.0
    for _ in range(unroll):
        loss = (w @ theta - b).square().mean()
        total = total + loss
        (grad,) = torch.autograd.grad(loss, theta, retain_graph=True)
        update, state = learned(grad.detach(), state)
        theta = theta + update
    return total + (w @ theta - b).square().mean()


def train(steps=3):
    learned, optimizer, _ = make()
    losses = []
    for _ in range(steps):
        problem = (torch.randn(5, 5), torch.randn(5))
        optimizer.zero_grad()
        loss = loss_fn(learned, problem)
        loss.backward()
        nn.utils.clip_grad_norm_(learned.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return learned, losses


KIND = "healthy"
EXPECT = {n: "trained" for n in ("cell.weight_ih", "cell.weight_hh", "cell.bias_ih", "cell.bias_hh", "out.weight", "out.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
