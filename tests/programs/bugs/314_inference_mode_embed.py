"""`embed` was speeded up with torch.inference_mode(). Training then died of "Inference tensors cannot be saved for backward",
and a clone() taken from the first answer found made the error go away, and the training of the towers with it.
Origin: "RuntimeError: Inference tensors cannot be saved for backward. To work around you can make a clone" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class ImageTower(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.proj = nn.Linear(5, d)

    def forward(self, x):
        return self.proj(F.relu(self.conv(x)).mean((2, 3)))


class Retriever(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = ImageTower()
        self.rerank = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1))

    @torch.inference_mode()  # <-- culprit
    def embed(self, images):
        return F.normalize(self.tower(images), dim=-1)

    def forward(self, left, right):
        a = self.embed(left).clone()
        b = self.embed(right).clone()
        return self.rerank(torch.cat([a, b], dim=-1)).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Retriever()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.rand(6, 3, 6, 6), torch.rand(6, 3, 6, 6), torch.randint(0, 2, (6,)).float())


def loss_fn(model, batch):
    left, right, same = batch
    return F.binary_cross_entropy_with_logits(model(left, right), same)


def train(steps=3):
    model, optimizer, batch = make()
    log = {"loss": []}
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        log["loss"].append(loss.item())
    return model, log["loss"]


KIND = "forward"
EXPECT = {
    "tower.conv.weight": "unreachable",
    "tower.conv.bias": "unreachable",
    "tower.proj.weight": "unreachable",
    "tower.proj.bias": "unreachable",
    "rerank.0.weight": "trained",
    "rerank.0.bias": "trained",
    "rerank.2.weight": "trained",
    "rerank.2.bias": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
