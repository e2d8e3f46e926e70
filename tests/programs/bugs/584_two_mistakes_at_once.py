"""Two unrelated mistakes in one model: the speaker embedding goes through a detach, and the pitch head's loss has a weight that is an integer
division.
Origin: two questions about text-to-speech training put together; retold."""
import torch
from torch import nn
import torch.nn.functional as F

TASKS = ("mel", "pitch", "stop")


class TTS(nn.Module):
    def __init__(self, speakers=4, d=6):
        super().__init__()
        self.text, self.speaker = nn.Embedding(12, d), nn.Embedding(speakers, d)
        self.mel, self.pitch = nn.Linear(d, 5), nn.Linear(d, 1)

    def forward(self, text, speaker):
        h = self.text(text) + self.speaker(speaker).detach().unsqueeze(1)  # <-- culprit
        return self.mel(h), self.pitch(h).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = TTS()
    batch = (torch.randint(0, 12, (4, 6)), torch.randint(0, 4, (4,)), torch.randn(4, 6, 5), torch.randn(4, 6))
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), batch


def loss_fn(model, batch):
    text, speaker, mel, pitch = batch
    mel_hat, pitch_hat = model(text, speaker)
    weight = 1 // len(TASKS)  # <-- culprit
    return F.l1_loss(mel_hat, mel) + weight * F.mse_loss(pitch_hat, pitch)


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
    "text.weight": "trained",
    "mel.weight": "trained",
    "mel.bias": "trained",
    "speaker.weight": "unreachable",
    "pitch.weight": "blocked",
    "pitch.bias": "blocked",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
