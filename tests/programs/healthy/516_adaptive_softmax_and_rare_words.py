"""Adaptive softmax: the tail clusters are only reached when a rare word is among the targets; the batch has some.
Origin: nn.AdaptiveLogSoftmaxWithLoss."""
import torch
from torch import nn


class LM(nn.Module):
    def __init__(self, vocab=30, d=8):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, padding_idx=0)
        self.rnn = nn.RNN(d, d, batch_first=True)
        self.out = nn.AdaptiveLogSoftmaxWithLoss(d, vocab, [10, 20], div_value=2.0)

    def forward(self, ids):
        h, _ = self.rnn(self.emb(ids[:, :-1]))
        return self.out(h.flatten(0, 1), ids[:, 1:].flatten()).loss


def make():
    torch.manual_seed(0)
    model = LM()
    ids = torch.cat([torch.randint(1, 10, (4, 5)), torch.randint(10, 30, (4, 2))], 1)
    return model, torch.optim.Adagrad(model.parameters(), lr=0.1), ids


def loss_fn(model, ids):
    return model(ids)


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach().item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "emb.weight": "trained",
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "out.head.weight": "trained",
    "out.tail.0.0.weight": "trained",
    "out.tail.0.1.weight": "trained",
    "out.tail.1.0.weight": "trained",
    "out.tail.1.1.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
