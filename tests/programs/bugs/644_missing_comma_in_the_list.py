"""The names of the parts to fine-tune lack a comma between them: two strings become one, and only the head is unfrozen.
Origin: made up after implicit string concatenation."""
import torch
from torch import nn

TRAINABLE = [
    "head",
    "neck"  # <-- culprit
    "stage2",
]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1, self.stage2 = nn.Linear(5, 6), nn.Linear(6, 6)
        self.neck = nn.LayerNorm(6)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = torch.relu(self.stage1(x))
        return self.head(self.neck(torch.relu(self.stage2(x))))


def prepare(model):
    model.requires_grad_(False)
    for name, child in model.named_children():
        if name in TRAINABLE:
            child.requires_grad_(True)


def make():
    torch.manual_seed(0)
    model = Net()
    prepare(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(9, 5), torch.randint(0, 2, (9,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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


KIND = "loop"
EXPECT = {
    "stage1.weight": "frozen",
    "stage1.bias": "frozen",
    "stage2.weight": "frozen",
    "stage2.bias": "frozen",
    "neck.weight": "frozen",
    "neck.bias": "frozen",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "frozen"

if __name__ == "__main__":
    train()
