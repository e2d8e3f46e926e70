"""A linear-chain CRF: forward algorithm by logsumexp with -inf masks, gold score by gather, Viterbi under no_grad for the metric.
Origin: sequence labelling tutorials."""
import torch
from torch import nn


class CRF(nn.Module):
    def __init__(self, d=5, tags=4):
        super().__init__()
        self.emit = nn.Sequential(nn.Linear(d, 7), nn.Tanh(), nn.Linear(7, tags))
        self.move = nn.Parameter(0.1 * torch.randn(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))

    def log_likelihood(self, x, y, mask):
        e = self.emit(x)
        score = self.start[y[:, 0]] + e[:, 0].gather(1, y[:, :1]).squeeze(1)
        alpha = self.start + e[:, 0]
        for t in range(1, x.shape[1]):
            step = self.move[y[:, t - 1], y[:, t]] + e[:, t].gather(1, y[:, t : t + 1]).squeeze(1)
            score = score + step * mask[:, t]
            following = torch.logsumexp(alpha.unsqueeze(2) + self.move, 1) + e[:, t]
            alpha = torch.where(mask[:, t : t + 1].bool(), following, alpha)
        return score - torch.logsumexp(alpha, 1)

    @torch.no_grad()
    def decode(self, x):
        e, best = self.emit(x), []
        alpha = self.start + e[:, 0]
        for t in range(1, x.shape[1]):
            alpha, back = (alpha.unsqueeze(2) + self.move).max(1)
            alpha = alpha + e[:, t]
            best.append(back)
        return alpha.argmax(1), best


def make():
    torch.manual_seed(0)
    model = CRF()
    mask = (torch.arange(6) < torch.tensor([6, 4, 3, 5]).unsqueeze(1)).float()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(4, 6, 5), torch.randint(0, 4, (4, 6)), mask)


def loss_fn(model, batch):
    x, y, mask = batch
    model.last = (model.decode(x)[0] == y[:, -1]).float().mean().item()
    return -model.log_likelihood(x, y, mask).mean()


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


KIND = "healthy"
EXPECT = {
    "emit.0.weight": "trained",
    "emit.0.bias": "trained",
    "emit.2.weight": "trained",
    "emit.2.bias": "trained",
    "move": "trained",
    "start": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
