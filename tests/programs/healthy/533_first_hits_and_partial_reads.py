"""Outputs of which parts are rightly not read: only the last time step, only the class token, only the first of two results; a loop that ends
when it has converged; a value that decides a branch and is used as well.
Origin: the usual idioms."""
import torch
from torch import nn


class Mixed(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.rnn = nn.GRU(4, d, batch_first=True)
        self.cls = nn.Parameter(torch.randn(1, 1, d))
        self.attn = nn.MultiheadAttention(d, 2, batch_first=True)
        self.gate = nn.Parameter(torch.tensor(0.4))
        self.refine = nn.ModuleList(nn.Linear(d, d) for _ in range(2))
        self.out = nn.Linear(d, 2)

    def forward(self, x):
        states, last = self.rnn(x)
        h = torch.cat([self.cls.expand(len(x), -1, -1), states], 1)
        mixed, _ = self.attn(h, h, h)
        h = mixed[:, 0] + states[:, -1]
        if self.gate > 0:
            h = h * torch.sigmoid(self.gate)
        for layer in self.refine:
            step = 0.5 * torch.tanh(layer(h))
            h = h + step
            if step.abs().max() < 1e-6:
                break
        best, which = self.out(h).sort(-1, descending=True)
        return best.gather(-1, which.argsort(-1))


def make():
    torch.manual_seed(0)
    model = Mixed()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(6, 5, 4), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "healthy"
EXPECT = {
    "rnn.weight_ih_l0": "trained",
    "rnn.weight_hh_l0": "trained",
    "rnn.bias_ih_l0": "trained",
    "rnn.bias_hh_l0": "trained",
    "cls": "trained",
    "attn.in_proj_weight": "trained",
    "attn.in_proj_bias": "trained",
    "attn.out_proj.weight": "trained",
    "attn.out_proj.bias": "trained",
    "gate": "trained",
    "refine.0.weight": "trained",
    "refine.0.bias": "trained",
    "refine.1.weight": "trained",
    "refine.1.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
