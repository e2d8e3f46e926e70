"""Healthy: asynchronous advantage actor-critic in one process: workers compute gradients on copies of their own and lend them to the shared model."""
import copy

import torch
from torch import nn


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.policy, self.value = nn.Linear(4, 8), nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.policy(h), self.value(h)


def lend_gradients(worker, shared):
    for mine, theirs in zip(worker.parameters(), shared.parameters()):
        theirs.grad = None if mine.grad is None else mine.grad.clone()


def make():
    torch.manual_seed(0)
    shared = ActorCritic()
    return shared, torch.optim.RMSprop(shared.parameters(), lr=1e-3), (torch.randn(8, 4), torch.randint(0, 3, (8,)), torch.randn(8, 1))


def loss_fn(model, batch):
    state, action, returns = batch
    logits, value = model(state)
    advantage = returns - value
    log_prob = logits.log_softmax(-1).gather(1, action[:, None])
    entropy = -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean()
    return -(log_prob * advantage.detach()).mean() + 0.5 * advantage.pow(2).mean() - 0.01 * entropy


def train(steps=6, workers=2):
    shared, optimizer, batch = make()
    locals_ = [copy.deepcopy(shared) for _ in range(workers)]
    losses = []
    for step in range(steps):
        worker = locals_[step % workers]
        worker.load_state_dict(shared.state_dict())
        worker.zero_grad()
        loss = loss_fn(worker, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(worker.parameters(), 40.0)
        lend_gradients(worker, shared)
        optimizer.step()
        losses.append(loss.item())
    return shared, losses


KIND = "healthy"  # NEEDS_LOOP
EXPECT = {f"shared.{m}.{n}": "trained" for m in ("body", "policy", "value") for n in ("weight", "bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
