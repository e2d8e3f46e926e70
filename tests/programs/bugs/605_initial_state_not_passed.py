"""Image captioning: the image decides the LSTM's first state. The state is computed, and the LSTM is called without it.
Origin: "captions are the same for all images" question; retold."""
import torch
from torch import nn


class Captioner(nn.Module):
    def __init__(self, vocab=12, d=7, image=10):
        super().__init__()
        self.to_h0 = nn.Linear(image, d)
        self.to_c0 = nn.Linear(image, d)
        self.embed = nn.Embedding(vocab, d)
        self.lstm = nn.LSTM(d, d)
        self.out = nn.Linear(d, vocab)

    def init_state(self, image):
        h0 = torch.tanh(self.to_h0(image)).unsqueeze(0)
        c0 = torch.tanh(self.to_c0(image)).unsqueeze(0)
        return h0, c0

    def forward(self, image, caption):
        state = self.init_state(image)
        words = self.embed(caption)
        hidden, state = self.lstm(words)  # <-- culprit
        return self.out(hidden)


def make():
    torch.manual_seed(0)
    model = Captioner()
    batch = (torch.randn(4, 10), torch.randint(0, 12, (6, 4)))
    return model, torch.optim.RMSprop(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    image, caption = batch
    logits = model(image, caption[:-1])
    return nn.functional.cross_entropy(logits.reshape(-1, 12), caption[1:].reshape(-1))


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "forward"
EXPECT = {
    "to_h0.weight": "unreachable",
    "to_h0.bias": "unreachable",
    "to_c0.weight": "unreachable",
    "to_c0.bias": "unreachable",
    "embed.weight": "trained",
    "lstm.weight_ih_l0": "trained",
    "lstm.weight_hh_l0": "trained",
    "lstm.bias_ih_l0": "trained",
    "lstm.bias_hh_l0": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
