"""In a stack of convolutions every layer gets the input of the stack, not the output of the one before. Only the last one counts.
Origin: "intermediate layers have no gradient" question; retold."""
import torch
from torch import nn


class Temporal(nn.Module):
    def __init__(self, c=3, depth=3):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(c, c, 3, padding=2**i, dilation=2**i) for i in range(depth))
        self.fc = nn.Linear(c, 2)

    def forward(self, x):
        for conv in self.convs:
            h = torch.relu(conv(x))  # <-- culprit
        return self.fc(h.mean(-1))


def make():
    torch.manual_seed(0)
    model = Temporal()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(6, 3, 14), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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
    "convs.0.weight": "unreachable",
    "convs.0.bias": "unreachable",
    "convs.1.weight": "unreachable",
    "convs.1.bias": "unreachable",
    "convs.2.weight": "trained",
    "convs.2.bias": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
