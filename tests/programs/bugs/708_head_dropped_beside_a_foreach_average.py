"""Mean teacher whose weights are averaged in one `torch._foreach_lerp_` over all parameters. The student's head is called, and
the loss compares the bodies only: that the head's weights stand in the same list as the body's is no way to the loss."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        scores = self.head(hidden)  # <-- culprit
        return hidden, scores


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.student, self.teacher = Net(), Net()
        self.teacher.requires_grad_(False)

    @torch.no_grad()
    def average(self):
        torch._foreach_lerp_(list(self.teacher.parameters()), list(self.student.parameters()), 0.1)

    def forward(self, x):
        self.average()
        hidden, _ = self.student(x)  # <-- culprit
        wanted, _ = self.teacher(x + 0.1)
        return (hidden - wanted).square().mean()


def make():
    torch.manual_seed(0)
    model = Pair()
    return model, torch.optim.SGD(model.student.parameters(), lr=0.1), torch.randn(16, 4)


def loss_fn(model, batch):
    return model(batch)


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


KIND = "forward"
EXPECT = {
    "student.body.weight": "trained",
    "student.body.bias": "trained",
    "student.head.weight": "unreachable",
    "student.head.bias": "unreachable",
    "teacher.body.weight": "frozen",
    "teacher.body.bias": "frozen",
    "teacher.head.weight": "frozen",
    "teacher.head.bias": "frozen",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
