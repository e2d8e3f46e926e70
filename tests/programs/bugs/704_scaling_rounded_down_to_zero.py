"""The update of low rank is scaled by r // alpha, an attribute of each adapter: with rank 2 and alpha 8 that is 0.
Origin: "LoRA does not learn" questions; retold."""
import torch
from torch import nn


class LowRank(nn.Module):
    def __init__(self, base, r=2, alpha=8):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scaling = r // alpha  # <-- culprit
        self.down = nn.Linear(base.in_features, r, bias=False)
        self.up = nn.Linear(r, base.out_features, bias=False)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x)) * self.scaling


def make():
    torch.manual_seed(0)
    model = nn.Sequential(LowRank(nn.Linear(5, 8)), nn.GELU(), LowRank(nn.Linear(8, 8)), nn.GELU(), nn.Linear(8, 1))
    trainable = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.Adam(trainable, lr=1e-2), (torch.randn(12, 5), torch.randn(12, 1))


def loss_fn(model, batch):
    x, y = batch
    return (model(x) - y).abs().mean()


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
    **{f"{n}.{part}.weight": "blocked" for n in (0, 2) for part in ("down", "up")},
    **{f"{n}.base.{x}": "frozen" for n in (0, 2) for x in ("weight", "bias")},
    "4.weight": "trained",
    "4.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
