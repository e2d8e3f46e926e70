"""A controller samples discrete augmentation policies; its only signal is a reward that went through `.item()`, the child
model is trained by ordinary descent. Origin: AutoAugment / ENAS controllers. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Controller(nn.Module):
    def __init__(self, ops=4, d=8):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(1, d))
        self.cell = nn.LSTMCell(d, d)
        self.embed = nn.Embedding(ops, d)
        self.op, self.strength = nn.Linear(d, ops), nn.Linear(d, 3)

    def forward(self, length=2):
        x, state, logp, choices = self.start, None, 0.0, []
        for _ in range(length):
            state = self.cell(x, state)
            kinds = torch.distributions.Categorical(logits=self.op(state[0]))
            kind = kinds.sample()
            state = self.cell(self.embed(kind), state)
            sizes = torch.distributions.Categorical(logits=self.strength(state[0]))
            size = sizes.sample()
            logp = logp + kinds.log_prob(kind) + sizes.log_prob(size)
            choices.append((kind.item(), size.item()))
            x = self.embed(kind)
        return choices, logp.sum()


def apply(x, policy):
    for kind, size in policy:
        x = (x, -x, x + 0.1 * (size + 1) * torch.randn_like(x), x * (1 + 0.1 * size))[kind]
    return x


def make():
    torch.manual_seed(0)
    models = nn.ModuleDict({"child": nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)), "controller": Controller()})
    optimizers = [torch.optim.SGD(models["child"].parameters(), lr=0.1), torch.optim.Adam(models["controller"].parameters(), lr=1e-2)]
    return models, optimizers, (torch.randn(20, 3), torch.randint(0, 2, (20,)))


def loss_fn(models, batch):
    return F.cross_entropy(models["child"](batch[0]), batch[1])


def train(steps=6):
    models, (fit, search), (x, y) = make()
    baseline, losses = None, []
    for _ in range(steps):
        policy, logp = models["controller"]()
        for _ in range(2):
            fit.zero_grad()
            loss = F.cross_entropy(models["child"](apply(x, policy)), y)
            loss.backward()
            fit.step()
        models["child"].eval()
        with torch.no_grad():
            reward = -F.cross_entropy(models["child"](x), y).item()
        models["child"].train()
        baseline = reward - 0.05 if baseline is None else 0.9 * baseline + 0.1 * reward
        search.zero_grad()
        (-(reward - baseline) * logp).backward()
        search.step()
        losses.append(loss.item())
    return models, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
