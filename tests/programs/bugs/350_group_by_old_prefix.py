"""Two learning rates by name prefix. The checkpoint's names once began with `module.` (DataParallel); in this script they do not,
so the group of the backbone is empty, and the else branch only takes names that contain "head".
Origin: discriminative learning rate recipes, discuss.pytorch.org; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU())
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        return self.head(self.backbone(x).mean((2, 3)))


def param_groups(model, base_lr):
    groups = {"backbone": [], "head": []}
    for name, p in model.named_parameters():
        if name.startswith("module.backbone"):  # <-- culprit
            groups["backbone"].append(p)
        elif "head" in name:
            groups["head"].append(p)
    return [{"params": groups["backbone"], "lr": base_lr * 0.1}, {"params": groups["head"], "lr": base_lr}]


def make():
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(param_groups(model, 0.1), lr=0.1, momentum=0.9)
    return model, optimizer, (torch.rand(4, 3, 8, 8), torch.randint(0, 5, (4,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


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
EXPECT = {
    "backbone.0.weight": "excluded",
    "backbone.0.bias": "excluded",
    "backbone.2.weight": "excluded",
    "backbone.2.bias": "excluded",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
