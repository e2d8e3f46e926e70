"""A worker's gradients are lent to the shared model in every round."""
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
        common._grad = local.grad


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
    for _ in range(steps):
        worker.load_state_dict(shared.state_dict())
        batch = torch.randn(8, 4), torch.randn(8, 1)
        worker.zero_grad()
        loss = loss_fn(worker, batch)
        loss.backward()
        ensure_shared_grads(worker, shared)
        optimizer.step()
        losses.append(loss.item())
    return shared, losses


KIND = "healthy"
NEEDS_LOOP = True
EXPECT = {f"shared.{n}": "trained" for n in ("body.weight", "body.bias", "value.weight", "value.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
