"""A small ViT with the number of blocks read from the config, 0 by mistake: the class token is read out without ever having seen a patch.
Origin: made up after a config mix-up; retold."""
import torch
from torch import nn

CONFIG = {"width": 8, "depth": 0, "classes": 3}  # <-- culprit


class ViT(nn.Module):
    def __init__(self, width, depth, classes):
        super().__init__()
        self.patch = nn.Linear(6, width)
        self.cls = nn.Parameter(torch.randn(1, 1, width))
        layers = [nn.TransformerEncoderLayer(width, 2, 16, batch_first=True) for _ in range(depth)]
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        h = torch.cat([self.cls.expand(len(x), -1, -1), self.patch(x)], 1)
        h = self.blocks(h)
        return self.head(h[:, 0])  # <-- culprit


def make():
    torch.manual_seed(0)
    model = ViT(**CONFIG)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0), (torch.randn(6, 4, 6), torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "forward"
EXPECT = {
    "patch.weight": "blocked",
    "patch.bias": "blocked",
    "cls": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
