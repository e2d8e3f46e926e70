"""What is to be trained is chosen by a word that the table of selections does not know; another one is taken.
Origin: made up after fine-tuning scripts with modes."""
import torch
from torch import nn

SELECTIONS = {
    "encoder": lambda net: net.encoder.parameters(),
    "head": lambda net: net.head.parameters(),
    "all": lambda net: net.parameters(),
}


def selected(net, name):
    return list(SELECTIONS.get(name, SELECTIONS["head"])(net))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.encoder(x).tanh())


def train(steps=4, trainable="full"):  # <-- culprit
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.SGD(selected(net, trainable), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = net(torch.randn(8, 4)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, losses


KIND = "loop"
EXPECT = {"encoder.weight": "excluded", "encoder.bias": "excluded", "head.weight": "trained", "head.bias": "trained"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
