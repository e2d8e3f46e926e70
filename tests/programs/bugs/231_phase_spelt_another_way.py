"""set_grad_enabled(phase == "Train") while the phases are called "train" and "val": backward refuses.
Origin: made up after the transfer-learning tutorial's phase loop."""
import torch
from torch import nn

PHASES = ("train",)


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(8, 5), torch.randint(0, 2, (8,)))


def forward(model, batch, phase):
    with torch.set_grad_enabled(phase == "Train"):  # <-- culprit
        return nn.functional.cross_entropy(model(batch[0]), batch[1])


def loss_fn(model, batch):
    return forward(model, batch, "train")


def train(steps=2):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        for phase in PHASES:
            model.train(phase == "train")
            loss = forward(model, batch, phase)
            if phase == "train":
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.append(loss.item())
    return model, losses


RAISES = "RuntimeError"
KIND = "loop"
EXPECT = {"0.weight": "unreachable", "0.bias": "unreachable", "2.weight": "unreachable", "2.bias": "unreachable"}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
