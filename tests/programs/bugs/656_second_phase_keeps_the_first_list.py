"""Linear probing, then fine-tuning. The second optimizer gets the list of trainable parameters that was taken while the backbone was frozen.
Origin: made up after two-stage fine-tuning recipes."""
import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU())
        self.fc = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.backbone(x))


def make():
    torch.manual_seed(0)
    model = Classifier()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(12, 6), torch.randint(0, 3, (12,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def run_phase(model, optimizer, batch, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train():
    torch.manual_seed(0)
    model = Classifier()
    batch = (torch.randn(12, 6), torch.randint(0, 3, (12,)))
    model.backbone.requires_grad_(False)
    trainable = [p for p in model.parameters() if p.requires_grad]  # <-- culprit
    losses = run_phase(model, torch.optim.Adam(trainable, lr=1e-2), batch, 4)
    model.backbone.requires_grad_(True)
    losses += run_phase(model, torch.optim.SGD(trainable, lr=1e-3, momentum=0.9), batch, 6)  # <-- culprit
    return model, losses


KIND = "loop"
EXPECT = {
    **{f"backbone.{n}": "excluded" for n in ("0.weight", "0.bias", "2.weight", "2.bias")},
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
