"""Binary classification with one output and CrossEntropyLoss. A softmax over one class is 1, the loss 0, the gradient 0.
Origin: stackoverflow "PyTorch loss is 0 from the first iteration, binary classification"; retold."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, n_features, n_hidden=16, n_out=1):  # <-- culprit
        super(Net, self).__init__()
        self.fc1 = nn.Linear(n_features, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_out)  # <-- culprit
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.fc3(x)


criterion = nn.CrossEntropyLoss()  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Net(7)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    x = torch.randn(30, 7)
    y = torch.zeros(30, dtype=torch.long)
    return model, optimizer, (x, y)


def loss_fn(model, batch):
    x, y = batch
    outputs = model(x)
    return criterion(outputs, y)  # <-- culprit


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for epoch in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loss"
EXPECT = {
    "fc1.weight": "blocked",
    "fc1.bias": "blocked",
    "fc2.weight": "blocked",
    "fc2.bias": "blocked",
    "fc3.weight": "blocked",
    "fc3.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
