"""The two directions of a bidirectional LSTM's top layer, h_n[-2] and h_n[-1], make the sentence vector; masked mean beside it; in-place ops on
activations where they are allowed.
Origin: sentence classification tutorials."""
import torch
from torch import nn


class Sentence(nn.Module):
    def __init__(self, h=5):
        super().__init__()
        self.emb = nn.Embedding(20, 4, padding_idx=0)
        self.rnn = nn.LSTM(4, h, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        self.fc = nn.Linear(4 * h, 3)

    def forward(self, ids):
        out, (h, _) = self.rnn(self.emb(ids))
        mask = (ids != 0).unsqueeze(-1)
        pooled = out.masked_fill(~mask, 0.0).sum(1).div_(mask.sum(1).clamp_(min=1))
        both = torch.cat([h[-2], h[-1]], -1).mul_(1.5)
        return self.fc(torch.cat([both, pooled], -1))


def make():
    torch.manual_seed(0)
    model = Sentence()
    ids = torch.randint(1, 20, (6, 7))
    ids[2:, 5:] = 0
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (ids, torch.randint(0, 3, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


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
    "rnn.weight_ih_l0_reverse": "trained",
    "rnn.weight_hh_l0_reverse": "trained",
    "rnn.bias_ih_l0_reverse": "trained",
    "rnn.bias_hh_l0_reverse": "trained",
    "rnn.weight_ih_l1": "trained",
    "rnn.weight_hh_l1": "trained",
    "rnn.bias_ih_l1": "trained",
    "rnn.bias_hh_l1": "trained",
    "rnn.weight_ih_l1_reverse": "trained",
    "rnn.weight_hh_l1_reverse": "trained",
    "rnn.bias_ih_l1_reverse": "trained",
    "rnn.bias_hh_l1_reverse": "trained",
    "fc.weight": "trained",
    "fc.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
