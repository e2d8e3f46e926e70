"""A user-state module keeps the last encoded session in a buffer, and the recommender reads the buffer. It is filled under
no_grad, as buffers are; the encoder has no other way to the loss.
Origin: "using register_buffer to store hidden state breaks the gradient" questions; retold."""
import torch
from torch import nn


class SessionState(nn.Module):
    def __init__(self, users, d):
        super().__init__()
        self.encoder = nn.GRU(5, d, batch_first=True)
        self.register_buffer("state", torch.zeros(users, d))

    def update(self, users, events):
        _, last = self.encoder(events)
        with torch.no_grad():  # <-- culprit
            self.state[users] = last[0]
        return self.state[users]


class Recommender(nn.Module):
    def __init__(self, users=10, items=12, d=6):
        super().__init__()
        self.session = SessionState(users, d)
        self.items = nn.Embedding(items, d)

    def forward(self, users, events):
        return self.session.update(users, events) @ self.items.weight.t()


def make():
    torch.manual_seed(0)
    model = Recommender()
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    return model, optimizer, (torch.arange(6), torch.randn(6, 4, 5), torch.randint(0, 12, (6,)))


def loss_fn(model, batch):
    users, events, clicked = batch
    return nn.functional.cross_entropy(model(users, events), clicked)


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "session.encoder.weight_ih_l0": "unreachable",
    "session.encoder.weight_hh_l0": "unreachable",
    "session.encoder.bias_ih_l0": "unreachable",
    "session.encoder.bias_hh_l0": "unreachable",
    "items.weight": "trained",
}
CAUSE = "no_grad"

if __name__ == "__main__":
    train()
