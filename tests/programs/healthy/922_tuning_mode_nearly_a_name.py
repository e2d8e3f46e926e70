"""The mode of tuning is `heads`; the other mode is called `adapters`, nearly as the part that then stays frozen."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.adapter = nn.Linear(6, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(x + torch.tanh(self.adapter(x)))


def choose(model, tuning):
    for name, parameter in model.named_parameters():
        if tuning == "adapters":
            parameter.requires_grad = "adapter" in name
        elif tuning == "heads":
            parameter.requires_grad = "head" in name
        else:
            parameter.requires_grad = True


def make():
    torch.manual_seed(0)
    model = Model()
    choose(model, "heads")
    trained = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.SGD(trained, lr=0.1), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    **{f"adapter.{n}": "frozen" for n in ("weight", "bias")},
    **{f"head.{n}": "trained" for n in ("weight", "bias")},
}
INTENT = {"adapter.*": "only the head is tuned"}

if __name__ == "__main__":
    train()
