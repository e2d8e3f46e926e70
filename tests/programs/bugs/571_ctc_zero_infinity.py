"""The frames are fewer than the characters after the strided convolutions. CTC would be infinite; zero_infinity makes it zero, and only the
language head learns.
Origin: "CTC loss is 0 / does not decrease" issues; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Speech(nn.Module):
    def __init__(self, chars=6, languages=3):
        super().__init__()
        self.frames = nn.Conv1d(4, 8, 3, stride=4)  # <-- culprit
        self.chars = nn.Linear(8, chars)
        self.language = nn.Linear(4, languages)

    def forward(self, x):
        h = torch.relu(self.frames(x)).transpose(1, 2)
        return self.chars(h).log_softmax(-1), self.language(x.mean(-1))


def make():
    torch.manual_seed(0)
    model = Speech()
    batch = (torch.randn(5, 4, 16), torch.randint(1, 6, (5, 8)), torch.randint(0, 3, (5,)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    x, text, language = batch
    log_probs, guess = model(x)
    frames = torch.full((len(x),), log_probs.shape[1])
    lengths = torch.full((len(x),), text.shape[1])
    ctc = F.ctc_loss(log_probs.transpose(0, 1), text, frames, lengths, zero_infinity=True)  # <-- culprit
    return ctc + F.cross_entropy(guess, language)


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


KIND = "loss"
EXPECT = {
    "frames.weight": "blocked",
    "frames.bias": "blocked",
    "chars.weight": "blocked",
    "chars.bias": "blocked",
    "language.weight": "trained",
    "language.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
