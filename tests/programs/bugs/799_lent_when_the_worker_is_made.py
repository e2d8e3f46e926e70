"""The worker's gradients are given to the shared model by a function that is called when the worker is made, after a first backward.
Each round has its own gradients; the shared optimizer sees none of them."""
import torch
from torch import nn


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.value = nn.Linear(8, 1)

    def forward(self, x):
        return self.value(torch.tanh(self.body(x)))


def ensure_shared_grads(worker, shared):
    for local, common in zip(worker.parameters(), shared.parameters()):
        common.grad = local.grad  # <-- culprit


def make():
    torch.manual_seed(0)
    shared = ActorCritic()
    return shared, torch.optim.RMSprop(shared.parameters(), lr=1e-2), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    shared, optimizer, _ = make()
    worker = ActorCritic()
    losses = []
    loss_fn(worker, (torch.randn(8, 4), torch.randn(8, 1))).backward()
    ensure_shared_grads(worker, shared)
    for _ in range(steps):
        worker.load_state_dict(shared.state_dict())
        batch = torch.randn(8, 4), torch.randn(8, 1)
        worker.zero_grad()
        loss = loss_fn(worker, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return shared, losses


KIND = "loop"
EXPECT = {f"shared.{n}": "trained" for n in ("body.weight", "body.bias", "value.weight", "value.bias")}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
