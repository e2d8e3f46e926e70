"""Two modalities are concatenated along time, and then cut to the length of the first, as the loss expects. The second modality is cut away.
Origin: multimodal fusion code, "audio encoder has zero gradients"; retold."""
import torch
from torch import nn


class Fusion(nn.Module):
    def __init__(self, d=5):
        super().__init__()
        self.video, self.audio = nn.Linear(4, d), nn.Linear(3, d)
        self.out = nn.Linear(d, 2)

    def forward(self, video, audio):
        h = torch.cat([self.video(video), self.audio(audio)], dim=1)
        h = torch.tanh(h)
        return self.out(h[:, : video.shape[1]])  # <-- culprit


def make():
    torch.manual_seed(0)
    model = Fusion()
    batch = (torch.randn(4, 6, 4), torch.randn(4, 6, 3), torch.randn(4, 6, 2))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    video, audio, y = batch
    return nn.functional.mse_loss(model(video, audio), y)


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
    "video.weight": "trained",
    "video.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "audio.weight": "blocked",
    "audio.bias": "blocked",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
