"""Groups go through `named_children`, which the model's class overrides to hide what begins with an underscore."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self._body = nn.Sequential(nn.Linear(4, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self._body(x))

    def named_children(self):  # <-- culprit
        for name, child in super().named_children():
            if name[0] != "_":  # <-- culprit
                yield name, child


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD([{"params": list(child.parameters()), "lr": {"head": 0.1}.get(name, 0.01)} for name, child in model.named_children()], lr=0.1), (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=4):
    model, optimizer, batch = make()
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {"_body.0.weight": "excluded", "_body.0.bias": "excluded", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
