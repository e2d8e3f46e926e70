"""Soft prompts before a frozen language model. Origin: prompt tuning."""
import torch
from torch import nn
import torch.nn.functional as F


class Prompted(nn.Module):
    def __init__(self, v=12, d=8, n=3):
        super().__init__()
        self.lm = nn.ModuleDict({"emb": nn.Embedding(v, d), "rnn": nn.GRU(d, d, batch_first=True), "head": nn.Linear(d, v)})
        for p in self.lm.parameters():
            p.requires_grad_(False)
        self.prompt = nn.Parameter(self.lm["emb"].weight[:n].detach().clone())

    def forward(self, t):
        x = torch.cat([self.prompt.expand(len(t), -1, -1), self.lm["emb"](t)], 1)
        return self.lm["head"](self.lm["rnn"](x)[0][:, len(self.prompt):])


def make():
    torch.manual_seed(0)
    model = Prompted().eval()
    return model, torch.optim.Adam([model.prompt], lr=0.1), torch.randint(0, 12, (4, 6))


def loss_fn(model, t):
    return F.cross_entropy(model(t[:, :-1]).transpose(1, 2), t[:, 1:])


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
    "prompt": "trained",
    "lm.emb.weight": "frozen",
    "lm.rnn.weight_ih_l0": "frozen",
    "lm.rnn.weight_hh_l0": "frozen",
    "lm.rnn.bias_ih_l0": "frozen",
    "lm.rnn.bias_hh_l0": "frozen",
    "lm.head.weight": "frozen",
    "lm.head.bias": "frozen",
}
CAUSE = "healthy"
INTENT = {'lm.*': 'frozen language model'}

if __name__ == "__main__":
    train()
