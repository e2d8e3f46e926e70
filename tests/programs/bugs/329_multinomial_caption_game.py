"""A speaker emits a symbol, a listener embeds it: the symbol is sampled with multinomial. Without REINFORCE or Gumbel softmax
the speaker has no way to learn.
Origin: "backpropagation through sampling / torch.multinomial" threads; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class Game(nn.Module):
    def __init__(self, d=6, symbols=5, h=8):
        super().__init__()
        self.speaker = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, symbols))
        self.listener = nn.ModuleDict({"embed": nn.Embedding(symbols, h), "guess": nn.Linear(h, d)})

    def speak(self, meaning):
        probs = F.softmax(self.speaker(meaning), dim=-1)
        return torch.multinomial(probs, 1).squeeze(1)  # <-- culprit

    def listen(self, symbol):
        return self.listener["guess"](torch.relu(self.listener["embed"](symbol)))

    def forward(self, meaning):
        return self.listen(self.speak(meaning))


def make():
    torch.manual_seed(0)
    game = Game()
    optims = {
        "speaker": torch.optim.Adam(game.speaker.parameters(), lr=1e-2),
        "listener": torch.optim.Adam(game.listener.parameters(), lr=1e-2),
    }
    return game, optims, torch.randn(30, 6)


def loss_fn(game, meaning):
    return (game(meaning) - meaning).square().mean()


def train(steps=3):
    game, optims, meaning = make()
    losses = []
    for _ in range(steps):
        for o in optims.values():
            o.zero_grad()
        loss = loss_fn(game, meaning)
        loss.backward()
        for o in optims.values():
            o.step()
        losses.append(loss.item())
    return game, losses


KIND = "forward"
EXPECT = {
    "speaker.0.weight": "unreachable",
    "speaker.0.bias": "unreachable",
    "speaker.2.weight": "unreachable",
    "speaker.2.bias": "unreachable",
    "listener.embed.weight": "trained",
    "listener.guess.weight": "trained",
    "listener.guess.bias": "trained",
}
CAUSE = "non_differentiable"

if __name__ == "__main__":
    train()
