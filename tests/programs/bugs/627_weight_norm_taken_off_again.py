"""A vocoder removes weight norm "for speed", by a method that was meant for inference; the optimizer had been built before.
Origin: a HiFi-GAN fine-tuning script; retold."""
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm


class Vocoder(nn.Module):
    def __init__(self, mels=4, d=6):
        super().__init__()
        self.pre = weight_norm(nn.Conv1d(mels, d, 3, padding=1))
        self.up = weight_norm(nn.ConvTranspose1d(d, d, 4, 2, 1))
        self.post = weight_norm(nn.Conv1d(d, 1, 3, padding=1))

    def forward(self, mel):
        h = nn.functional.leaky_relu(self.pre(mel), 0.1)
        return torch.tanh(self.post(nn.functional.leaky_relu(self.up(h), 0.1)))

    def strip(self):
        for layer in (self.pre, self.up, self.post):
            parametrize.remove_parametrizations(layer, "weight")  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Vocoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4)
    model.strip()  # <-- culprit
    return model, optimizer, (torch.randn(2, 4, 10), torch.rand(2, 1, 20) - 0.5)


def loss_fn(model, batch):
    mel, wave = batch
    return nn.functional.l1_loss(model(mel), wave)


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


KIND = "registration"
EXPECT = {
    "pre.bias": "trained",
    "pre.weight": "excluded",
    "up.bias": "trained",
    "up.weight": "excluded",
    "post.bias": "trained",
    "post.weight": "excluded",
    "!pre.parametrizations.weight.original0": "stale",
    "!pre.parametrizations.weight.original1": "stale",
    "!up.parametrizations.weight.original0": "stale",
    "!up.parametrizations.weight.original1": "stale",
    "!post.parametrizations.weight.original0": "stale",
    "!post.parametrizations.weight.original1": "stale",
}
CAUSE = "stale_reference"

if __name__ == "__main__":
    train()
