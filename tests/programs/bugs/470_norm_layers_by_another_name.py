"""Only the batch norms shall be tuned (as in test-time adaptation). They are looked up as "bn"; in this model they are called "norm".
Origin: made up after Tent's collect_params."""
import torch
from torch import nn


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


def collect(model):
    return [p for name, p in model.named_parameters() if "bn" in name]  # <-- culprit


def make():
    torch.manual_seed(0)
    model = ConvNet()
    return model, torch.optim.SGD(collect(model), lr=1e-2), torch.rand(5, 1, 7, 7)  # <-- culprit


def loss_fn(model, x):
    p = model(x).softmax(-1)
    return -(p * p.log()).sum(-1).mean()


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
RAISES = "ValueError"
EXPECT = {f"{m}.{n}": "excluded" for m in ("norm", "fc") for n in ("weight", "bias")} | {"conv.weight": "excluded"}
CAUSE = "empty_group"

if __name__ == "__main__":
    train()
