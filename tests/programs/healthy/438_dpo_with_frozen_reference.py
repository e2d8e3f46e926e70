"""Healthy: direct preference optimisation: a policy against a frozen copy of itself; the margin is zero at first, its gradient is not."""
import copy

import torch
from torch import nn


class LM(nn.Module):
    def __init__(self, vocab=11, dim=6):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.rnn = nn.GRU(dim, dim, batch_first=True)
        self.out = nn.Linear(dim, vocab)

    def logp(self, tokens):
        h, _ = self.rnn(self.embed(tokens[:, :-1]))
        return torch.log_softmax(self.out(h), -1).gather(-1, tokens[:, 1:, None]).squeeze(-1).sum(1)


class DPO(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = LM()
        self.reference = copy.deepcopy(self.policy).requires_grad_(False).eval()

    def forward(self, chosen, rejected):
        with torch.no_grad():
            ref = self.reference.logp(chosen) - self.reference.logp(rejected)
        return self.policy.logp(chosen) - self.policy.logp(rejected) - ref


def make():
    torch.manual_seed(0)
    model = DPO()
    return model, torch.optim.AdamW(model.policy.parameters(), lr=1e-3), (torch.randint(0, 11, (6, 5)), torch.randint(0, 11, (6, 5)))


def loss_fn(model, batch):
    return -nn.functional.logsigmoid(0.1 * model(*batch)).mean()


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
EXPECT = {"policy.embed.weight": "trained", "policy.out.weight": "trained", "policy.rnn.weight_hh_l0": "trained", "reference.out.weight": "frozen"}
CAUSE = "healthy"
INTENT = {"*reference.*": "frozen reference"}

if __name__ == "__main__":
    train()
