"""The losses are weighted by name; the configuration has other names for them, and what has no weight gets 0.
Origin: detection trainers with loss dictionaries; retold."""
import torch
from torch import nn

WEIGHTS = {"cls": 1.0, "box": 2.0}  # <-- culprit


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.cls, self.box = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 4)

    def forward(self, x):
        h = torch.relu(self.trunk(x))
        return self.cls(h), self.box(h)


def losses_of(model, batch):
    logits, boxes = model(batch[0])
    return {
        "loss_cls": nn.functional.cross_entropy(logits, batch[1]),
        "loss_box": nn.functional.l1_loss(boxes, batch[2]),
    }


def loss_fn(model, batch):
    parts = losses_of(model, batch)
    return sum(WEIGHTS.get(name, 0) * value for name, value in parts.items())  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Detector()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(9, 6), torch.randint(0, 3, (9,)), torch.randn(9, 4))


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return model, losses


KIND = "loop"
EXPECT = {n: "blocked" for n in ("trunk.weight", "trunk.bias", "cls.weight", "cls.bias", "box.weight", "box.bias")}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
