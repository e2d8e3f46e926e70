"""A search for the actor's optimizer ends the loop that should step them all.
Origin: made up after refactored actor-critic code."""
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    nets = nn.ModuleDict({"actor": nn.Linear(3, 2), "critic": nn.Linear(3, 1), "model": nn.Linear(3, 3)})
    optimizers = {name: torch.optim.RMSprop(net.parameters(), lr=1e-3) for name, net in nets.items()}
    return nets, optimizers, (torch.randn(9, 3), torch.randint(0, 2, (9,)), torch.randn(9, 1), torch.randn(9, 3))


def loss_fn(nets, batch):
    s, a, v, s2 = batch
    return (nn.functional.cross_entropy(nets["actor"](s), a) + nn.functional.mse_loss(nets["critic"](s), v)
            + nn.functional.mse_loss(nets["model"](s), s2))


def train(steps=3):
    nets, optimizers, batch = make()
    losses = []
    for _ in range(steps):
        nets.zero_grad()
        loss = loss_fn(nets, batch)
        loss.backward()
        for name, optimizer in optimizers.items():
            optimizer.step()
            if name.startswith("actor"):
                break  # <-- culprit
        losses.append(loss.item())
    return nets, losses


KIND = "loop"
EXPECT = {f"{m}.{n}": "trained" if m == "actor" else "blocked" for m in ("actor", "critic", "model") for n in ("weight", "bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
