"""A spatial transformer samples with mode="nearest" because the images are label maps. The nearest pixel does not change with the grid.
Origin: "STN localisation network does not learn" issue; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class STN(nn.Module):
    def __init__(self):
        super().__init__()
        self.loc = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 6))
        self.conv = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(3, 2)
        with torch.no_grad():
            self.loc[-1].weight.mul_(0.1)
            self.loc[-1].bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))

    def forward(self, x):
        theta = self.loc(x).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.shape, align_corners=False)
        warped = F.grid_sample(x, grid, mode="nearest", align_corners=False)  # <-- culprit
        return self.fc(F.relu(self.conv(warped)).mean((2, 3)))


def make():
    torch.manual_seed(0)
    model = STN()
    return model, torch.optim.SGD(model.parameters(), lr=0.05), (torch.rand(5, 1, 6, 6), torch.randint(0, 2, (5,)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach().item())
    return model, losses


KIND = "forward"
EXPECT = {
    "loc.1.weight": "blocked",
    "loc.1.bias": "blocked",
    "loc.3.weight": "blocked",
    "loc.3.bias": "blocked",
    "conv.weight": "trained",
    "conv.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
