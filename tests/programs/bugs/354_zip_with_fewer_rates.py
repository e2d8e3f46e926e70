"""Layer-wise learning rates by zip. There are three children and two rates; zip stops without a word.
Origin: layer-wise learning rate decay recipes; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class SpeechNet(nn.Module):
    def __init__(self, mel=5, h=8, phones=6):
        super().__init__()
        self.frontend = nn.Conv1d(mel, h, 3, padding=1)
        self.context = nn.GRU(h, h, batch_first=True)
        self.output = nn.Linear(h, phones)

    def forward(self, x):
        x = torch.relu(self.frontend(x)).transpose(1, 2)
        x, _ = self.context(x)
        return self.output(x)


LRS = [1e-4, 1e-3]  # <-- culprit


def make():
    torch.manual_seed(0)
    model = SpeechNet()
    groups = [dict(params=child.parameters(), lr=lr) for child, lr in zip(model.children(), LRS)]  # <-- culprit
    optimizer = torch.optim.Adam(groups)
    return model, optimizer, (torch.randn(3, 5, 9), torch.randint(0, 6, (3, 9)))


def loss_fn(model, batch):
    x, y = batch
    return F.cross_entropy(model(x).transpose(1, 2), y)


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
    "frontend.weight": "trained",
    "frontend.bias": "trained",
    "context.weight_ih_l0": "trained",
    "context.weight_hh_l0": "trained",
    "context.bias_ih_l0": "trained",
    "context.bias_hh_l0": "trained",
    "output.weight": "excluded",
    "output.bias": "excluded",
}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
