"""Deep supervision: every stage has a head, and forward was shortened to return outputs[-1] when the evaluation script complained.
Origin: deep supervision code, "aux heads grad None"; retold."""
import torch
from torch import nn


class Deep(nn.Module):
    def __init__(self, d=6, stages=3):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(d, d) for _ in range(stages))
        self.heads = nn.ModuleList(nn.Linear(d, 2) for _ in range(stages))

    def forward(self, x):
        outputs = []
        for stage, head in zip(self.stages, self.heads):
            x = torch.tanh(stage(x))
            outputs.append(head(x))
        return outputs[-1]  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Deep()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(8, 6), torch.randint(0, 2, (8,)))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


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


KIND = "forward"
EXPECT = {
    "stages.0.weight": "trained",
    "stages.0.bias": "trained",
    "stages.1.weight": "trained",
    "stages.1.bias": "trained",
    "stages.2.weight": "trained",
    "stages.2.bias": "trained",
    "heads.2.weight": "trained",
    "heads.2.bias": "trained",
    "heads.0.weight": "unreachable",
    "heads.0.bias": "unreachable",
    "heads.1.weight": "unreachable",
    "heads.1.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
