"""A configuration asks for a loss that the table does not have; what stands in for it is 0.
Origin: made up after multi-task code with a table of losses."""
import torch
from torch import nn

LOSSES = {"mse": nn.functional.mse_loss, "l1": nn.functional.l1_loss}


def nothing(prediction, target):
    return prediction.sum() * 0


def make_losses(spec):
    found = []
    for name, weight in spec.items():
        found.append((LOSSES.get(name.lower(), nothing), weight))
    return found


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.depth = nn.Linear(8, 1)
        self.normal = nn.Linear(8, 3)

    def forward(self, x):
        h = self.body(x).relu()
        return {"depth": self.depth(h), "normal": self.normal(h)}


TASKS = {
    "depth": {"mse": 1.0},
    "normal": {"cosine": 1.0},  # <-- culprit
}


def train(steps=4):
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = {task: make_losses(spec) for task, spec in TASKS.items()}
    history = []
    for _ in range(steps):
        out = net(torch.randn(8, 4))
        target = {"depth": torch.randn(8, 1), "normal": torch.randn(8, 3)}
        loss = sum(w * f(out[task], target[task]) for task, terms in losses.items() for f, w in terms)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return net, history


KIND = "loop"
EXPECT = {"body.weight": "trained", "body.bias": "trained", "depth.weight": "trained", "depth.bias": "trained", "normal.weight": "blocked", "normal.bias": "blocked"}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
